"""What comes before the first request of a connection: a PROXY header, a TLS handshake, or both.

Nothing of it blocks: the loop waits for it as for all else. A connection that needs nothing of it
never comes here.
"""

from __future__ import annotations

import logging

from wsgikit import keys
from wsgikit.http.peers import TrustedPeers
from wsgikit.server.connection import Connection
from wsgikit.server.limits import Limits
from wsgikit.server.proxy_protocol import ProxyHeader, read_proxy_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Collection, Generator
    from typing import Any, TypeAlias

    from wsgikit.server.tls import TLS

    #: Yields whether it waits to write, or else to read.
    Steps: TypeAlias = Generator[bool, None, Connection]

log = logging.getLogger("wsgikit.server")

#: What a socket is asked for while a PROXY header is waited for.
READ_SIZE = 4096


class Opening:
    """A client that can't be served yet.

    :param steps: what has to happen; returns the connection. OSError is the client's end.
    """

    __slots__ = ("deadline", "socket", "steps", "writing")

    def __init__(self, client: socket.socket, deadline: float, steps: Steps) -> None:
        self.socket = client
        self.deadline = deadline
        self.steps = steps
        #: The poller watches it: for writing (True) or for reading; None: it doesn't.
        self.writing: bool | None = None


class Opener:
    """Knows what connections begin with.

    :param proxies: the networks of proxies that send a PROXY header.
    :param tls: certificates, where all is encrypted.
    :raises ValueError: for a network that is none.
    """

    def __init__(self, proxies: Collection[str], tls: TLS | None) -> None:
        self._proxies = TrustedPeers(proxies, "proxy_protocol") if proxies else None
        self._tls = tls

    def open(
        self, client: socket.socket, address: Any, base: dict[str, Any], limits: Limits
    ) -> Steps | None:
        """What has to happen before ``client`` is served; None for nothing.

        :param base: what its environs begin with.
        """
        if self._proxies is not None and self._proxies[address[0] if address else ""]:
            return _proxied(client, address, base, limits, self._tls)
        if self._tls is not None:
            return self._tls.open(client, address, base, limits, b"")
        return None


def _proxied(
    client: socket.socket,
    address: Any,
    base: dict[str, Any],
    limits: Limits,
    tls: TLS | None,
) -> Steps:
    header, rest = yield from _read_header(client, address)
    if header.client is not None:
        base = base | {keys.PEER: address[0] if address else ""}
        address = header.client
    if header.secure:
        base = base | {"wsgi.url_scheme": "https", keys.HTTPS: "on"}
    if tls is not None:
        return (yield from tls.open(client, address, base, limits, rest))
    connection = Connection(client, address, base, limits)
    connection.protocol.receive(rest)
    connection.received = len(rest)
    connection.again = bool(rest)
    return connection


def _read_header(
    client: socket.socket, address: Any
) -> Generator[bool, None, tuple[ProxyHeader, bytes]]:
    """The PROXY header, and what has been read beyond."""
    data = b""
    header: ProxyHeader | None = None
    while header is None:
        try:
            block = client.recv(READ_SIZE)
        except BlockingIOError:
            yield False
            continue
        if not block:
            raise ConnectionAbortedError
        data += block
        try:
            header = read_proxy_header(data)
        except ValueError as error:
            log.warning("Closed a connection of %s (proxy_protocol): %s", address, error)
            raise ConnectionAbortedError from error
    return header, data[header.size :]
