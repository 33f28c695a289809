"""The head of a request, read strictly: bytes in, a :class:`RequestHead` out, no I/O.

RFC 9112, section 6 (body length). What two readers could understand in two ways is refused: a kept
connection would carry the difference into the next request.
"""

from __future__ import annotations

from wsgikit.http.problem import HTTPError
from wsgikit.server.fields import read_fields
from wsgikit.server.limits import Limits
from wsgikit.server.request_line import read_request_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from wsgikit.types import WSGIEnvironment

# More digits than these are no length of a body that anybody sends (and int() takes its time).
LENGTH_DIGITS = 18


class RequestHead:
    """What a request's head says: as an environ, and for the connection."""

    __slots__ = ("chunked", "environ", "expects_continue", "keep_alive", "length", "line")

    def __init__(self, line: str, environ: WSGIEnvironment, keep_alive: bool = True) -> None:
        #: The request line as it was sent.
        self.line = line
        #: The environ keys that PEP 3333 derives from a head, beside those of the base.
        self.environ = environ
        #: The client is ready to send another request on this connection.
        self.keep_alive = keep_alive
        #: The length of the body in bytes; 0 also where it is chunked.
        self.length = 0
        self.chunked = False
        #: The client waits for ``100 Continue`` before it sends the body.
        self.expects_continue = False


#: What a connection has between two requests.
NO_REQUEST = RequestHead("", {})


def parse_head(data: bytes, base: Mapping[str, object], limits: Limits) -> RequestHead:
    """The request head in ``data``: its lines with CRLF between them, none after the last.

    :param base: what each environ begins with; no keys that come from a request.
    :raises HTTPError: 400 for what the grammar does not allow, 413 and 431 for what ``limits`` do
        not, 417 for an unknown expectation, 501 for an unknown transfer coding and for CONNECT,
        505 for another major version than 1.
    """
    first, _, rest = data.partition(b"\r\n")
    line = read_request_line(first)
    fields = read_fields(rest, limits.fields)
    modern = line.modern
    if modern and "HTTP_HOST" not in fields.environ:
        raise HTTPError(400, "A request has a Host field.")
    environ: dict[str, Any] = {**base, **fields.environ, **line.environ}
    keep_alive = not fields.closes and (modern or fields.keeps)
    head = RequestHead(line.text, environ, keep_alive)
    if fields.framed:
        _read_framing(head, limits, modern)
    return head


def _read_framing(head: RequestHead, limits: Limits, modern: bool) -> None:
    """Take in how the body is sent, and whether the client waits for a word before it does."""
    environ = head.environ
    if "HTTP_TRANSFER_ENCODING" in environ:
        _check_coding(environ, modern)
        head.chunked = True
    elif "CONTENT_LENGTH" in environ:
        head.length = _body_length(environ["CONTENT_LENGTH"], limits.body_bytes)
        environ["CONTENT_LENGTH"] = str(head.length)
    if "HTTP_EXPECT" in environ and modern:
        if environ["HTTP_EXPECT"].lower() != "100-continue":
            raise HTTPError(417, "The only expectation that is met is 100-continue.")
        head.expects_continue = head.chunked or head.length > 0


def _check_coding(environ: WSGIEnvironment, modern: bool) -> None:
    """Refuse a Transfer-Encoding that is not just ``chunked`` (RFC 9112 §6.1, §6.3)."""
    if "CONTENT_LENGTH" in environ:
        raise HTTPError(400, "A request has Content-Length or Transfer-Encoding, not both.")
    if not modern:
        raise HTTPError(400, "HTTP/1.0 has no Transfer-Encoding.")
    coding = environ["HTTP_TRANSFER_ENCODING"].lower()
    if coding != "chunked":
        known = {"chunked", ""}.issuperset(part.strip(" \t") for part in coding.split(","))
        detail = "The only transfer coding that is decoded is chunked, once."
        raise HTTPError(400 if known else 501, detail)


def _body_length(text: str, most: int) -> int:
    """The Content-Length in ``text`` (RFC 9110 §8.6)."""
    if not (text.isascii() and text.isdigit()):
        raise HTTPError(400, "Content-Length is one decimal number.")
    if len(text) > LENGTH_DIGITS or int(text) > most:
        raise HTTPError(413, f"A request body has at most {most} bytes (limits.body_bytes).")
    return int(text)
