"""What the server's protocol module reads from a connection, as the reference would tell it."""

from __future__ import annotations

from tests.server.reference import Request
from wsgikit.http.problem import HTTPError
from wsgikit.server.limits import Limits
from wsgikit.server.protocol import Protocol

LIMITS = Limits(head_bytes=400, fields=8, body_bytes=100)


def understood(head, body):
    """A request, as the reference tells it."""
    environ = {key: value.encode("latin-1") for key, value in head.environ.items()}
    own = ("CONTENT_TYPE", "CONTENT_LENGTH")
    return Request(
        environ["REQUEST_METHOD"],
        environ["RAW_URI"],
        environ["PATH_INFO"],
        environ["QUERY_STRING"],
        {key: value for key, value in environ.items() if key[:5] == "HTTP_" or key in own},
        body,
        head.keep_alive,
    )


def read(pieces, limits=LIMITS):
    """What a connection reads from ``pieces``: (requests, error)."""
    protocol = Protocol({}, limits)
    requests = []
    head, body = None, b""
    try:
        for piece in pieces:
            protocol.receive(piece)
            while True:
                if head is None:
                    head = protocol.next_request()
                    if head is None:
                        break
                while block := protocol.read():
                    body += block
                if not protocol.complete:
                    break
                requests.append(understood(head, body))
                head, body = None, b""
    except HTTPError as error:
        return requests, error
    return requests, None
