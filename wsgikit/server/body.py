"""A request's body as ``wsgi.input``: ends where the body ends, whatever follows on the connection.

PEP 3333, "Input and Error Streams"; RFC 9110, section 10.1.1 (Expect).
"""

from __future__ import annotations

from io import BufferedIOBase, RawIOBase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer


class Disconnected(ConnectionAbortedError):
    """The client went away, or was silent for longer than the server waits."""


class RequestBody(RawIOBase):
    """``length`` bytes of ``stream``: the raw side of an ``io.BufferedReader``.

    Reading raises :class:`Disconnected` where the connection ends before the body does: what is cut
    short must not look complete.
    """

    #: Called once, before the first read: where the client waits for ``100 Continue``.
    ask: Callable[[], object] | None = None

    def __init__(self, stream: BufferedIOBase, length: int) -> None:
        self._stream = stream
        #: How many bytes are still to come.
        self.remaining = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        room = memoryview(buffer)[: self.remaining]
        if not room:
            return 0
        ask, self.ask = self.ask, None
        if ask is not None:
            ask()
        try:
            count = self._stream.readinto1(room)
        except OSError as error:
            raise Disconnected("the client stopped in the middle of its request body") from error
        if not count:
            raise Disconnected("the client left in the middle of its request body")
        self.remaining -= count
        return count

    def drain(self, limit: int) -> bool:
        """Read and drop what the application left; whether the connection is at the next request.

        Not where more than ``limit`` bytes are left, and not where the client still waits for its
        ``100 Continue``: it may send the body or not.
        """
        if self.ask is not None or self.remaining > limit:
            return False
        scratch = bytearray(min(self.remaining, 65536))
        while self.remaining:
            self.readinto(scratch)
        return True
