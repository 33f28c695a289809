"""Listens on a Unix socket: a file that is there as long as somebody listens."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from typing import Any, NamedTuple

from wsgikit import keys
from wsgikit.server.addresses import Address
from wsgikit.server.listener import Listener

_UCRED = struct.Struct("iII")


class PeerCredentials(NamedTuple):
    """Who connected to a Unix socket, as the system knows it: ``SO_PEERCRED`` of unix(7)."""

    pid: int
    uid: int
    gid: int


class UnixListener(Listener):
    """Listens on a Unix socket.

    :param mode: the permissions of its file: who may write to it can connect.

    The file of a server that is gone is replaced. Where one listens, or where the file is something
    else, it is left, and the address can't be had. At the end the file is removed.
    """

    # A URL that is made of the environ has to be one; whoever came by a socket has no other.
    host = "localhost"

    @property
    def port(self) -> int:  # type: ignore[override]
        return 443 if self.secure else 80

    def __init__(self, listening: socket.socket, address: Address, place: Any, mode: int) -> None:
        super().__init__(listening, address, place)
        self._mode = mode
        # Of the file that was made here: the process, the path, what it is.
        self._made: tuple[int, str, tuple[int, int, int]] | None = None

    @property
    def url(self) -> str:
        return str(self.address)

    def _bind(self, reuse: bool) -> None:
        if self._place is None:
            return
        try:
            self.socket.bind(self._place)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            remove_stale(self._place)
            self.socket.bind(self._place)
        os.chmod(self._place, self._mode)  # nobody can connect yet: it does not listen
        self._made = os.getpid(), os.path.abspath(self._place), _identity(os.stat(self._place))

    def accept(self) -> tuple[socket.socket, Any]:
        return self.socket.accept()[0], ""

    def environ(self, client: socket.socket) -> dict[str, Any]:
        environ = self.base_environ | {"REMOTE_ADDR": ""}
        if hasattr(socket, "SO_PEERCRED"):
            data = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
            environ[keys.PEER_CREDENTIALS] = PeerCredentials(*_UCRED.unpack(data))
        return environ

    def close(self) -> None:
        super().close()
        self.shut_out()

    def shut_out(self) -> None:
        made, self._made = self._made, None
        if made is None or made[0] != os.getpid():  # a worker leaves it to who forked it
            return
        _, path, identity = made
        try:
            if _identity(os.lstat(path)) == identity:  # else another server has come
                os.unlink(path)
        except OSError:
            pass  # somebody was quicker


def remove_stale(path: str) -> None:
    """Remove the socket at ``path``, to which nobody listens any more.

    :raises OSError: somebody does, or it is no socket.
    """
    found = os.lstat(path)
    if not stat.S_ISSOCK(found.st_mode):
        raise OSError(errno.EEXIST, "there is a file that is no socket")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            pass
        except BlockingIOError:
            raise OSError(errno.EADDRINUSE, "another server listens there") from None
        else:
            raise OSError(errno.EADDRINUSE, "another server listens there")
    if _identity(os.lstat(path)) == _identity(found):
        os.unlink(path)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    # The number of a file that is gone may be given to the next one.
    return status.st_dev, status.st_ino, status.st_mtime_ns
