"""``serve(app)`` and ``make_server``: an application on an address, until a signal ends it."""

from __future__ import annotations

import logging
import signal
from contextlib import contextmanager
from threading import current_thread, main_thread

from wsgikit.server.handler import RequestHandler
from wsgikit.server.limits import Limits
from wsgikit.server.threaded import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any

    from wsgikit.types import WSGIApplication


def make_server(
    host: str,
    port: int,
    app: WSGIApplication,
    server_class: type[Server] = Server,
    handler_class: type[RequestHandler] = RequestHandler,
    *,
    bind: Collection[str] = (),
    unix_mode: int = 0o600,
    limits: Limits | None = None,
    threads: int = Server.threads,
) -> Server:
    """A server that listens and does not serve yet: :func:`wsgiref.simple_server.make_server`.

    :param host: the address or name to listen on; ``""`` is every IPv4 address of the machine.
    :param port: the port; 0 takes a free one, which ``server.port`` then tells.
    :param app: any WSGI callable.
    :param bind: what to listen on in place of ``host`` and ``port``: see
        :mod:`wsgikit.server.addresses`.
    :param unix_mode: the permissions of Unix sockets that it makes: who may write can connect.
    :param limits: what clients may take of it.
    :param threads: calls of the application that run side by side.
    :returns: the server, a context manager: ``serve_forever`` serves here, ``start`` in a thread.
    :raises TypeError: ``app`` is not callable.
    :raises ValueError: an option is out of its range.
    :raises OSError: an address can't be listened on; the message names it.
    """
    if not callable(app):
        raise TypeError(f"app takes a WSGI callable, not {app!r}")
    if type(threads) is not int or threads < 1:
        raise ValueError(f"threads takes a whole number from 1 on, not {threads!r}")
    # A class of somebody else's may know no more than a stock one.
    options: dict[str, Any] = {"bind": bind, "unix_mode": unix_mode} if bind else {}
    server = server_class((host, port), handler_class, **options)
    server.set_app(app)
    server.threads = threads
    if limits is not None:
        server.limits = limits
    return server


def serve(
    app: WSGIApplication,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    bind: Collection[str] = (),
    unix_mode: int = 0o600,
    timeout: float | None = None,
    stop_timeout: float = 30.0,
    ready: Callable[[str], object] | None = None,
    limits: Limits | None = None,
    threads: int = Server.threads,
) -> None:
    """Serve ``app`` over HTTP until SIGINT (Ctrl+C) or SIGTERM; running requests complete first.

    The address is printed, then each request is logged to ``wsgikit.access`` and each failure to
    ``wsgikit.server``: on stderr, unless the program has configured :mod:`logging` itself. A second
    signal does not wait for the running requests.

    :param app: any WSGI callable.
    :param host: the address or name to listen on; ``""`` is every IPv4 address of the machine.
    :param port: the port; 0 takes a free one.
    :param bind: what to listen on in place of ``host`` and ``port``, as in
        ``["127.0.0.1:8000", "unix:/run/app.sock"]``: see :mod:`wsgikit.server.addresses`.
    :param unix_mode: the permissions of Unix sockets that it makes: who may write can connect.
    :param timeout: seconds that a client may be silent before its connection is closed: sets the
        limits ``idle``, ``head_time``, ``body_time`` and ``write_stall``.
    :param stop_timeout: seconds that a stop waits for running requests before it cuts them.
    :param ready: called with the address, of several the first, as soon as clients can connect.
    :param limits: what clients may take of the server.
    :param threads: calls of the application that run side by side.
    :raises TypeError: ``app`` is not callable.
    :raises ValueError: an option is out of its range.
    :raises OSError: an address can't be listened on; the message names it.

    Outside of the main thread no signal reaches it: use ``make_server`` and its ``start`` there.
    """
    for name, seconds in (("timeout", timeout), ("stop_timeout", stop_timeout)):
        if seconds is not None and not 0 < seconds < float("inf"):
            raise ValueError(f"{name} takes a positive number of seconds, not {seconds!r}")
    with (
        make_server(
            host, port, app, bind=bind, unix_mode=unix_mode, limits=limits, threads=threads
        ) as server,
        stopped_by_signals(server),
    ):
        server.stop_timeout = stop_timeout
        if timeout is not None:
            server.connection_timeout = timeout
        log_to_stderr()
        urls = " and ".join(listener.url for listener in server.listeners)
        print(f"Serving on {urls} (Ctrl+C stops)", flush=True)
        if ready is not None:
            ready(server.url)
        server.serve_forever()


@contextmanager
def stopped_by_signals(server: Server) -> Iterator[None]:
    """Let SIGINT and SIGTERM shut ``server`` down; the second one does what it did before."""
    previous: dict[int, signal._HANDLER] = {}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def stop(number: int, frame: object) -> None:
        restore()
        server.begin_shutdown()

    if current_thread() is main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        restore()


def log_to_stderr() -> None:
    """Give wsgikit's loggers a plain handler, unless somebody has configured logging."""
    logger = logging.getLogger("wsgikit")
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
