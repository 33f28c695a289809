"""The listening socket: a thread for each connection, and a stop that lets requests complete.

A subclass of :class:`wsgiref.simple_server.WSGIServer` with :class:`socketserver.ThreadingMixIn`.
"""

from __future__ import annotations

import logging
import os
import socket
from socketserver import TCPServer, ThreadingMixIn
from threading import Condition, Thread
from wsgiref.simple_server import WSGIServer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

log = logging.getLogger("wsgikit.server")


class Server(ThreadingMixIn, WSGIServer):
    """Serves a WSGI application: as ``WSGIServer``, with threads, and usable in one.

    :param server_address: ``(host, port)``: port 0 takes a free one, a host with a colon is IPv6.
    :param RequestHandlerClass: what handles a connection: ``wsgikit.server.RequestHandler``.
    :raises OSError: the address can't be listened on; the message names it.
    :raises ValueError: the port is none.

    As a context manager it stops at the end. Attributes that may be set before it serves are
    ``connection_timeout`` and ``stop_timeout``, both in seconds.
    """

    #: Seconds that a client may be silent, within a request or between two.
    connection_timeout = 30.0
    #: Seconds that a stop waits for running requests; then their connections are cut.
    stop_timeout = 30.0

    request_queue_size = 1024
    # Elsewhere the option lets two servers share a port, and each gets some of the connections.
    allow_reuse_address = os.name == "posix"
    allow_reuse_port = False
    # A request that outlives the stop must not keep the process. server_close waits in their place.
    daemon_threads = True

    def __init__(
        self,
        server_address: tuple[str, int],
        RequestHandlerClass: Callable[..., object],
        bind_and_activate: bool = True,
    ) -> None:
        host, port = server_address
        if not isinstance(port, int) or not 0 <= port <= 65535:
            raise ValueError(f"port takes a number from 0 to 65535, not {port!r}")
        #: True once it is to stop: no connection is kept for another request.
        self.stopping = False
        self._connections: dict[socket.socket, bool] = {}  # the open ones: is it between requests?
        self._change = Condition()
        self._thread: Thread | None = None
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__(server_address, RequestHandlerClass, bind_and_activate)  # type: ignore[arg-type]
        except OSError as error:
            reason = f"cannot listen on {_authority(host, port)}: {error.strerror}"
            raise OSError(error.errno, reason) from error

    def server_bind(self) -> None:
        TCPServer.server_bind(self)
        # HTTPServer would ask the DNS for the host's name, which takes seconds where there is none.
        self.server_name, self.server_port = self.host, self.port
        self.setup_environ()

    def setup_environ(self) -> None:
        self.base_environ = {
            "SERVER_NAME": self.server_name,
            "SERVER_PORT": str(self.server_port),
            "SCRIPT_NAME": "",
            "GATEWAY_INTERFACE": "CGI/1.1",
        }

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return str(self.server_address[0])

    @property
    def port(self) -> int:
        """The port that it listens on, also where 0 was asked for."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where a client on this machine finds it: ``http://127.0.0.1:8000``."""
        loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}
        return f"http://{_authority(loopback.get(self.host, self.host), self.port)}"

    def start(self) -> Self:
        """Serve in a thread until :meth:`stop`; returns itself."""
        self._thread = Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop what :meth:`start` started, then as :meth:`server_close`. Harmless when repeated."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
            self._thread = None
        self.server_close()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def server_close(self) -> None:
        """Listen no more, close idle connections, wait ``stop_timeout`` for running requests."""
        super().server_close()
        with self._change:
            self.stopping = True
            for connection, idle in self._connections.items():
                if idle:
                    _end(connection, socket.SHUT_RD)
            self._change.wait_for(lambda: not self._connections, self.stop_timeout)
            if self._connections:
                log.warning(
                    "Stopped with %d requests unfinished after %g s (stop_timeout)",
                    len(self._connections),
                    self.stop_timeout,
                )
            for connection in self._connections:
                _end(connection, socket.SHUT_RDWR)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        with self._change:
            self._connections[request] = False
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        with self._change:
            super().shutdown_request(request)
            self._connections.pop(request, None)
            self._change.notify_all()

    def mark(self, connection: socket.socket, *, idle: bool) -> None:
        """Tell that ``connection`` waits for a request, or has one: a stop closes who waits."""
        with self._change:
            self._connections[connection] = idle
            if idle and self.stopping:
                _end(connection, socket.SHUT_RD)

    def handle_error(self, request: object, client_address: object) -> None:
        log.exception("Error on the connection of %s", client_address)


def _end(connection: socket.socket, how: int) -> None:
    """Wake who waits on ``connection``; a request that has arrived is still read."""
    try:
        connection.shutdown(how)
    except OSError:
        pass  # the client was quicker


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
