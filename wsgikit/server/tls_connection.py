"""A connection by TLS: what differs from one without."""

from __future__ import annotations

import os

from wsgikit.server.connection import Connection
from wsgikit.server.outbox import FileSlice
from wsgikit.server.tls_socket import TLSSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

#: Bytes of a file that are read to be sent.
FILE_BLOCK = 262144


class TLSConnection(Connection):
    """A connection whose socket is a :class:`~wsgikit.server.tls_socket.TLSSocket`."""

    __slots__ = ()

    socket: TLSSocket  # type: ignore[assignment]

    def receive(self) -> None:
        super().receive()
        # What is there may be the next request, of which the system will not tell.
        self.more = self.socket.pending

    def abort(self) -> None:
        super().abort()
        self.socket.abort()

    def send_file(self, head: bytes, fd: int, offset: int, count: int) -> None:
        self.awaited = False
        self.outbox.send(head)
        self.outbox.send_file(ReadSlice(fd, offset, count))


class ReadSlice(FileSlice):
    """A part of a file that has to be encrypted, and so to be read."""

    def _send(self, to: socket.socket) -> int:
        data = os.pread(self._fd, min(self.count, FILE_BLOCK), self._offset)
        return to.send(data) if data else 0
