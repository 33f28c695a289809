"""The server: the sockets that it listens on, and the loop that serves them.

A subclass of :class:`wsgiref.simple_server.WSGIServer`.
"""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import replace
from socketserver import BaseServer
from wsgiref.simple_server import WSGIServer

from wsgikit.server.addresses import TcpAddress, parse_binds
from wsgikit.server.handler import BASE_ENVIRON, RequestHandler
from wsgikit.server.limits import Limits
from wsgikit.server.listeners import open_listeners
from wsgikit.server.loop import Loop
from wsgikit.server.opening import Opener
from wsgikit.server.poller import best_poller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any, Self

    from wsgikit.server.tls import TLS

log = logging.getLogger("wsgikit.server")


class Server(WSGIServer):
    """Serves a WSGI application: as ``WSGIServer``, with threads, and usable in one.

    :param server_address: ``(host, port)``: port 0 takes a free one, a host with a colon is IPv6.
    :param RequestHandlerClass: what answers a request: ``wsgikit.server.RequestHandler``. A handler
        of another kind has each connection, and a thread, for itself.
    :param bind: what to listen on in place of ``server_address``: see
        :mod:`wsgikit.server.addresses`.
    :param unix_mode: the permissions of Unix sockets that it makes: who may write can connect.
    :param proxy_protocol: the networks of proxies that begin each connection with a PROXY header:
        see :mod:`wsgikit.server.proxy_protocol`.
    :param tls: certificates, to speak HTTPS.
    :raises OSError: an address can't be listened on; the message names it.
    :raises ValueError: an option is out of its range.

    As a context manager it stops at the end. It serves once: what was stopped is not started again.
    Attributes that may be set before it serves are ``limits``, ``threads``, ``stop_timeout`` and
    ``connection_timeout``.
    """

    #: What clients may take of it.
    limits = Limits()
    #: Calls of the application that run side by side.
    threads = 8
    #: Seconds that a stop waits for running requests; then their connections are cut.
    stop_timeout = 30.0
    #: Makes what waits for all sockets.
    new_poller = staticmethod(best_poller)

    request_queue_size = 1024
    # Elsewhere the option lets two servers share a port, and each gets some of the connections.
    allow_reuse_address = os.name == "posix"
    allow_reuse_port = False

    def __init__(
        self,
        server_address: tuple[str, int],
        RequestHandlerClass: type[Any],
        bind_and_activate: bool = True,
        *,
        bind: Collection[str] = (),
        unix_mode: int = 0o600,
        proxy_protocol: Collection[str] = (),
        tls: TLS | None = None,
    ) -> None:
        host, port = server_address
        if not isinstance(port, int) or not 0 <= port <= 65535:
            raise ValueError(f"port takes a number from 0 to 65535, not {port!r}")
        if type(unix_mode) is not int or not 0 <= unix_mode <= 0o777:
            raise ValueError(f"unix_mode takes permissions such as 0o660, not {unix_mode!r}")
        #: What its connections begin with, unless that is a request.
        self.opener = Opener(proxy_protocol, tls) if proxy_protocol or tls else None
        if self.opener and not issubclass(RequestHandlerClass, RequestHandler):
            raise TypeError("tls and proxy_protocol go with wsgikit.server.RequestHandler alone")
        self._tls = tls
        self._loop: Loop | None = None
        #: True once it is to stop: no connection is kept for another request.
        self.stopping = False
        addresses = parse_binds(bind) or (TcpAddress(host, port),)
        #: What it listens on. The first is the one that a stock server would have.
        self.listeners = open_listeners(addresses, unix_mode)
        for listener in self.listeners:
            listener.secure = tls is not None
        #: The one whose client :meth:`get_request` takes.
        self.listener = self.listeners[0]
        self.socket = self.listener.socket
        # TCPServer would open a socket of its own.
        BaseServer.__init__(self, server_address, RequestHandlerClass)
        if bind_and_activate:
            try:
                self.server_bind()
                self.server_activate()
            except BaseException:
                self.server_close()
                raise

    def server_bind(self) -> None:
        for listener in self.listeners:
            listener.bind(reuse=self.allow_reuse_address)
        self.server_address = self.socket.getsockname()
        # HTTPServer would ask the DNS for the host's name, which takes seconds where there is none.
        self.server_name, self.server_port = self.host, self.port
        self.setup_environ()

    def server_activate(self) -> None:
        for listener in self.listeners:
            listener.listen(self.request_queue_size)

    def server_close(self) -> None:
        for listener in self.listeners:
            listener.close()

    def get_request(self) -> tuple[socket.socket, Any]:
        return self.listener.accept()

    def setup_environ(self) -> None:
        self.base_environ = BASE_ENVIRON | {
            "SERVER_NAME": self.server_name,
            "SERVER_PORT": str(self.server_port),
        }

    @property
    def host(self) -> str:
        """The address that it listens on, of several the first."""
        return self.listeners[0].host

    @property
    def port(self) -> int:
        """The port that it listens on, also where 0 was asked for."""
        return self.listeners[0].port

    @property
    def url(self) -> str:
        """Where a client on this machine finds it, of several places the first.

        ``http://127.0.0.1:8000``, or ``unix:/run/app.sock``.
        """
        return self.listeners[0].url

    @property
    def secure(self) -> bool:
        """It speaks HTTPS."""
        return self._tls is not None

    @property
    def connection_timeout(self) -> float:
        """Seconds that a client may be silent, within a request or between two: four limits."""
        return self.limits.idle

    @connection_timeout.setter
    def connection_timeout(self, seconds: float) -> None:
        self.limits = replace(
            self.limits, idle=seconds, head_time=seconds, body_time=seconds, write_stall=seconds
        )

    def start(self) -> Self:
        """Serve in threads of its own until :meth:`stop`; returns itself."""
        self._begin()
        return self

    def _begin(self) -> None:
        if self._loop is not None:
            raise RuntimeError("a server serves once")
        self.base_environ["wsgi.multithread"] = self.threads > 1
        self._loop = loop = Loop(self)
        loop.start()
        if self.stopping:  # a signal may come early
            loop.stop(self.stop_timeout)

    def stop(self) -> None:
        """Stop as :meth:`shutdown`, then close. Harmless when repeated."""
        self.shutdown()
        self.server_close()

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve until :meth:`shutdown`; ``poll_interval`` is of no meaning: nothing is polled."""
        self._begin()
        self.wait()

    def wait(self) -> None:
        """Wait for the end of a server that was started; signal handlers run meanwhile.

        What they raise ends the server at once.
        """
        loop = self._loop
        if loop is None:
            raise RuntimeError("the server was not started")
        try:
            with loop.sockets.waker.told_of_signals():
                while not loop.over.is_set():
                    loop.sockets.waker.news.wait()
                    loop.sockets.waker.news.clear()
        except BaseException:
            loop.stop(0)
            raise

    def turns(self) -> bool:
        """Whether its loop has gone round since this was last asked: for a watch over it."""
        return self._loop is None or self._loop.turns()

    def reload_certificates(self) -> None:
        """Read the files of ``tls`` anew, for new connections: see :meth:`TLS.reload`.

        Without ``tls``, nothing happens. It may be called from any thread, and where the server has
        been forked, in each process.
        """
        if self._tls is not None:
            self._tls.reload()

    def begin_shutdown(self) -> None:
        """Begin to stop, and return at once: for signal handlers."""
        self.stopping = True
        if self._loop is not None:
            self._loop.stop(self.stop_timeout)

    def shutdown(self) -> None:
        """Listen no more, close idle connections, wait ``stop_timeout`` for running requests.

        They are answered and their connections closed. What runs longer is cut.
        """
        if not self.stopping:
            self.begin_shutdown()
        if self._loop is not None:
            self._loop.over.wait()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._loop is None:  # handle_request: the caller's thread is all there is
            if self.opener:
                raise RuntimeError("handle_request goes without tls and proxy_protocol")
            super().process_request(request, client_address)
        else:
            self._loop.sockets.add(request, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        log.exception("Error on the connection of %s", client_address)
