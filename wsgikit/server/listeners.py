"""The sockets that a server listens on, of its addresses."""

from __future__ import annotations

import socket

from wsgikit.server.addresses import Address, Descriptor, TcpAddress, UnixAddress
from wsgikit.server.listener import Listener, TcpListener, trouble
from wsgikit.server.unix_listener import UnixListener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

_UNIX = getattr(socket, "AF_UNIX", None)


def open_listeners(addresses: Collection[Address], unix_mode: int) -> list[Listener]:
    """A socket for each of ``addresses``, not bound yet.

    :param unix_mode: the permissions of the files of Unix sockets.
    :raises OSError: one is not to be had; the message names it.
    """
    # Where both are asked for, IPv6 leaves IPv4 alone.
    four = {each.port for each in addresses if isinstance(each, TcpAddress) and not each.six}
    found: list[Listener] = []
    for address in addresses:
        try:
            if isinstance(address, TcpAddress):
                found.append(_tcp(address, only_six=address.port in four))
            elif isinstance(address, UnixAddress):
                found.append(_unix(address, unix_mode))
            else:
                found.append(_inherited(address, unix_mode))
        except OSError as error:
            for listener in found:
                listener.close()
            raise trouble(address, error) from error
    return found


def _tcp(address: TcpAddress, *, only_six: bool) -> Listener:
    host, port = address.host, address.port
    if address.six or host:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # A name may have addresses of both kinds: the first of IPv4, if there is one.
        places.sort(key=lambda place: place[0] != socket.AF_INET)
        family, *_, place = places[0]
    else:
        family, place = socket.AF_INET, ("", port)
    six = family == socket.AF_INET6
    return TcpListener(socket.socket(family), address, place, only_six=six and only_six)


def _unix(address: UnixAddress, mode: int) -> Listener:
    if _UNIX is None:
        raise OSError("this system has no Unix sockets")
    return UnixListener(socket.socket(_UNIX), address, address.path, mode)


def _inherited(address: Descriptor, mode: int) -> Listener:
    listening = socket.socket(fileno=address.fd)
    kind = listening.family if listening.type == socket.SOCK_STREAM else None
    if kind in (socket.AF_INET, socket.AF_INET6):
        return TcpListener(listening, address, None)
    if kind is not None and kind == _UNIX:
        path = listening.getsockname()
        named = isinstance(path, str) and path  # else its name is no file's
        return UnixListener(listening, UnixAddress(path) if named else address, None, mode)
    listening.detach()  # it is not ours
    raise OSError("it is a socket of another kind")
