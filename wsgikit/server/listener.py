"""A socket that listens, bound here or inherited; and TCP, by IPv4 and IPv6."""

from __future__ import annotations

import os
import socket
import struct
import sys
from abc import ABC, abstractmethod
from array import array
from typing import Any

from wsgikit.server.addresses import Address, TcpAddress

#: Bytes that the system takes of a response beyond what it can send at once.
UNSENT = 262144

#: Linux: has a socket drop what a filter does not let pass.
_SO_ATTACH_FILTER = 26
# The filter, in instructions of classic BPF: load the flags of the segment; with SYN among them go
# on, else pass over one; drop it; take it.
_SYN_IS_DROPPED = array(
    "B",
    b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in ((0x30, 0, 0, 13), (0x45, 0, 1, 2), (6, 0, 0, 0), (6, 0, 0, 0xFFFFFFFF))
    ),
)

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Listener(ABC):
    """A socket that listens, or is about to.

    :param listening: the socket.
    :param address: where it listens, as errors tell it.
    :param place: what to bind it to; None where it was inherited and is bound.
    """

    #: SERVER_NAME and SERVER_PORT.
    host: str
    port: int
    #: Its clients speak TLS.
    secure = False
    #: What the environs of its clients begin with; set when the server starts.
    base_environ: dict[str, Any]

    def __init__(self, listening: socket.socket, address: Address, place: Any) -> None:
        self.socket = listening
        self.address = address
        self._place = place
        listening.set_inheritable(False)

    @property
    @abstractmethod
    def url(self) -> str:
        """Where a client on this machine finds it."""

    def bind(self, *, reuse: bool) -> None:
        """Take the address.

        :param reuse: also where connections of an earlier server have yet to end.
        :raises OSError: it can't be had; the message names it.
        """
        try:
            self._bind(reuse)
        except OSError as error:
            raise trouble(self.address, error) from error

    @abstractmethod
    def _bind(self, reuse: bool) -> None:
        """Prepare the socket, and bind it unless it is bound."""

    def listen(self, backlog: int) -> None:
        """Let clients connect.

        :raises OSError: they can't; the message names the address.
        """
        try:
            # Who passed a socket that listens already has chosen its backlog, too.
            if not self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                self.socket.listen(backlog)
        except OSError as error:
            raise trouble(self.address, error) from error

    def accept(self) -> tuple[socket.socket, Any]:
        """The next client, and its address; empty where clients have none."""
        return self.socket.accept()

    def environ(self, client: socket.socket) -> dict[str, Any]:
        """What the environs of ``client`` begin with; not to be changed."""
        return self.base_environ

    @abstractmethod
    def shut_out(self) -> None:
        """Let nobody else connect, where the system can; who is connected can still be accepted.

        Whom a socket has let in and nobody has accepted is lost when it is closed. Nothing is done
        to a socket that others may go on with: one that was inherited, or in a worker.
        """

    def close(self) -> None:
        """Listen no more. Harmless when repeated."""
        self.socket.close()


class TcpListener(Listener):
    """Listens to TCP.

    :param only_six: not to IPv4 as well, as most systems do where the address is ``::``.
    """

    def __init__(
        self, listening: socket.socket, address: Address, place: Any, *, only_six: bool = False
    ) -> None:
        super().__init__(listening, address, place)
        self._only_six = only_six
        self._bound_by = 0
        self.host, self.port = (place or listening.getsockname())[:2]

    @property
    def url(self) -> str:
        scheme = "https" if self.secure else "http"
        return f"{scheme}://{TcpAddress(_LOOPBACK.get(self.host, self.host), self.port)}"

    def _bind(self, reuse: bool) -> None:
        # What is accepted inherits these: responses go out when they are sent, and the system holds
        # little for a slow reader (it would hold megabytes: of 1000 of them, all that it has).
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        if self._place is not None:
            if reuse:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
            if self._only_six:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, True)
            self.socket.bind(self._place)
            self._bound_by = os.getpid()
            self.host, self.port = self.socket.getsockname()[:2]

    def shut_out(self) -> None:
        if self._bound_by == os.getpid() and sys.platform == "linux":
            # A client tries again after a second, and is refused, or finds another server.
            filter = struct.pack("HP", 4, _SYN_IS_DROPPED.buffer_info()[0])
            try:
                self.socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter)
            except OSError:
                pass  # closed, or a system that only looks like Linux


def trouble(address: Address, error: OSError) -> OSError:
    """``error``, with the address in its message."""
    return OSError(error.errno, f"cannot listen on {address}: {error.strerror or error}")
