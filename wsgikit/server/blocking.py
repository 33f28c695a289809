"""One request over files that block: where a handler is used without our server's loop."""

from __future__ import annotations

from io import BytesIO

from wsgikit.server.body import Disconnected, open_body
from wsgikit.server.connection import CONTINUE
from wsgikit.server.head import NO_REQUEST
from wsgikit.server.limits import Limits
from wsgikit.server.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import BufferedIOBase
    from typing import Any


class BlockingChannel:
    """What :class:`~wsgikit.server.connection.Connection` is to a handler, for one request."""

    def __init__(
        self, rfile: BufferedIOBase, wfile: BufferedIOBase, base: dict[str, Any], limits: Limits
    ) -> None:
        self._rfile = rfile
        self._wfile = wfile
        self.protocol = Protocol(base, limits)
        self.head = NO_REQUEST
        self.awaited = False
        self.keep = self.last = False

    def read_head(self) -> bool:
        """Read a request; False where the client is done.

        :raises HTTPError: it is none.
        """
        while (data := self._rfile.read1(65536)) != b"":
            self.protocol.receive(data)
            head = self.protocol.next_request()
            if head is not None:
                self.head = head
                self.awaited = head.expects_continue
                return True
        return False

    def input(self) -> BufferedIOBase:
        if self.protocol.complete:
            return BytesIO()
        return open_body(self.protocol, b"", self.receive)

    def receive(self) -> None:
        if self.awaited:
            self.send(CONTINUE)
        try:
            data = self._rfile.read1(65536)
        except OSError as error:
            raise Disconnected("the client stopped in the middle of its request body") from error
        if not data:
            raise Disconnected("the client left in the middle of its request body")
        self.protocol.receive(data)

    def abort(self) -> None:
        """Nothing: the connection is the stock server's, which closes it."""

    def send(self, *blocks: bytes, more: bool = False) -> None:
        self.awaited = False
        try:
            self._wfile.write(b"".join(blocks))
            self._wfile.flush()
        except OSError as error:
            raise Disconnected("the client stopped reading the response") from error
