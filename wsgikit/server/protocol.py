"""One connection's side of HTTP/1.1: bytes in, requests and their bodies out. No I/O.

RFC 9112. Requests come one after another: a request is out, then its body is taken to the end, then
the next one. A refusal is an :class:`~wsgikit.HTTPError`, after which nothing more can be
understood: the connection has to be closed.
"""

from __future__ import annotations

from wsgikit.http.problem import HTTPError
from wsgikit.server.framing import ChunkedBody, SizedBody
from wsgikit.server.head import RequestHead, parse_head
from wsgikit.server.limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_BODY = SizedBody(0)


class Protocol:
    """What a client has sent, in order.

    :param base: what each environ begins with.
    :param limits: what the client may send.

    ::

        protocol.receive(data)
        head = protocol.next_request()      # None: more bytes are needed
        while not protocol.complete:
            block = protocol.read()         # b"": more bytes are needed
    """

    __slots__ = ("_base", "_body", "_data", "_limits", "_start", "complete")

    def __init__(self, base: Mapping[str, object], limits: Limits) -> None:
        self._base = base
        self._limits = limits
        # What arrived, understood up to _start; empty where that is all. While more is waited for,
        # nothing is held on to that was understood: the next request may be long in coming.
        self._data = b""
        self._start = 0
        self._body: SizedBody | ChunkedBody = _NO_BODY
        #: The body of the request has been read to its end.
        self.complete = True

    def receive(self, data: bytes) -> None:
        """Take what has arrived."""
        if self._data:
            data = self._data[self._start :] + data
            self._start = 0
        self._data = data

    def _understood(self, end: int) -> None:
        """Go on at ``end``."""
        if end == len(self._data):
            self._data = b""
            end = 0
        self._start = end

    @property
    def pending(self) -> bool:
        """Something has arrived that was not understood yet: perhaps the next request."""
        return bool(self._data)

    @property
    def line(self) -> str:
        """What is to be understood next, up to the end of its line: for the log of a refusal."""
        return self._data[self._start :][:8192].partition(b"\r\n")[0].decode("latin-1")

    def next_request(self) -> RequestHead | None:
        """The next request, once its head has arrived and the body before it has been read.

        :raises HTTPError: the head is malformed or over the limits; see :func:`parse_head`.
        """
        data = self._data
        while data.startswith(b"\r\n", self._start):  # RFC 9112 §2.2: of no meaning before a head
            self._start += 2
        start = self._start
        end = data.find(b"\r\n\r\n", start)
        if end < 0 or end - start > self._limits.head_bytes:
            self._data, self._start = data[start:], 0
            self._check_unfinished(self._data)
            return None
        head = parse_head(data[start:end], self._base, self._limits)
        self._understood(end + 4)
        if head.chunked:
            self._body = ChunkedBody(self._limits)
            self.complete = False
        elif head.length:
            self._body = SizedBody(head.length)
            self.complete = False
        return head

    def read(self) -> bytes:
        """What has arrived of the body; nothing where it is complete, or more has to arrive.

        :raises HTTPError: the body is malformed or over the limits.
        """
        block, end = self._body.take(self._data, self._start)
        self._understood(end)
        self.complete = self._body.complete
        return block

    def _check_unfinished(self, rest: bytes) -> None:
        """Refuse a head that can't become one, instead of waiting for its end."""
        if rest.count(b"\n") != rest.count(b"\r\n"):
            raise HTTPError(400, "A line of the head ends without CRLF.")
        limit = self._limits.head_bytes
        if len(rest) > limit:
            status = 431 if b"\r\n" in rest[:limit] else 414
            raise HTTPError(
                status, f"A request head has at most {limit} bytes (limits.head_bytes)."
            )
