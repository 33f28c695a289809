"""A request's body as ``wsgi.input``: ends where the body ends, whatever follows on the connection.

PEP 3333, "Input and Error Streams"; RFC 9110, section 10.1.1 (Expect).
"""

from __future__ import annotations

from io import BufferedReader, RawIOBase

from wsgikit.server.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer


class Disconnected(ConnectionAbortedError):
    """The client went away, or was slower than the limits allow."""


class RequestBody(RawIOBase):
    """The raw side of an ``io.BufferedReader``: what has arrived, then what ``receive`` gives.

    :param protocol: what the body is taken from.
    :param begin: what has been taken from it already.
    :param receive: gives the protocol more bytes, or raises :class:`Disconnected`.

    Reading raises :class:`Disconnected` where the connection ends before the body does: what is cut
    short must not look complete. A malformed body raises :class:`~wsgikit.HTTPError`.
    """

    def __init__(self, protocol: Protocol, begin: bytes, receive: Callable[[], object]) -> None:
        self._protocol = protocol
        self._block = begin
        self._start = 0
        self._receive = receive

    def readable(self) -> bool:
        return True

    def readall(self) -> bytes:
        blocks = [self._block[self._start :]]
        self._start = len(self._block)
        while not self._protocol.complete:
            blocks.append(self._protocol.read())
            if not blocks[-1] and not self._protocol.complete:
                self._receive()
        return b"".join(blocks)

    def readinto(self, buffer: WriteableBuffer) -> int:
        while self._start == len(self._block):
            if self._protocol.complete:
                return 0
            self._block, self._start = self._protocol.read(), 0
            if not self._block and not self._protocol.complete:
                self._receive()
        room = memoryview(buffer)
        block = self._block[self._start : self._start + len(room)]
        room[: len(block)] = block
        self._start += len(block)
        return len(block)


def open_body(protocol: Protocol, begin: bytes, receive: Callable[[], object]) -> BufferedReader:
    """``wsgi.input`` for a body that is still arriving."""
    return BufferedReader(RequestBody(protocol, begin, receive), 65536)
