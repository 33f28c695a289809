"""``serve(app)`` and ``make_server``: an application on an address, until a signal ends it."""

from __future__ import annotations

import logging
import os
from threading import current_thread, main_thread

from wsgikit.server.console import log_to_stderr
from wsgikit.server.handler import RequestHandler
from wsgikit.server.limits import Limits
from wsgikit.server.reload import Reloader
from wsgikit.server.reloaded import Reloaded, is_reloaded
from wsgikit.server.server import Server
from wsgikit.server.signals import reloaded_by_signals, stopped_by_signals
from wsgikit.server.supervisor import Supervisor
from wsgikit.server.worker import Workers

log = logging.getLogger("wsgikit.server")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from wsgikit.server.tls import TLS
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
    proxy_protocol: Collection[str] = (),
    tls: TLS | None = None,
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
    :param proxy_protocol: the networks of proxies that begin each connection with a PROXY header:
        see :mod:`wsgikit.server.proxy_protocol`.
    :param tls: certificates, to speak HTTPS.
    :param limits: what clients may take of it.
    :param threads: calls of the application that run side by side, but for those that wait for a
        slow client; 1: one after another, whatever happens, so that a slow client in a large body
        or a long answer holds up all others, as long as its limits last.
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
    if proxy_protocol:
        options["proxy_protocol"] = proxy_protocol
    if tls is not None:
        options["tls"] = tls
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
    proxy_protocol: Collection[str] = (),
    tls: TLS | None = None,
    timeout: float | None = None,
    stop_timeout: float = 30.0,
    ready: Callable[[str], object] | None = None,
    limits: Limits | None = None,
    threads: int = Server.threads,
    workers: int = 0,
    worker_requests: int | None = None,
    worker_timeout: float = 30.0,
    on_worker_start: Callable[[Server], object] | None = None,
    on_worker_stop: Callable[[Server], object] | None = None,
    reload: bool = False,
) -> None:
    """Serve ``app`` over HTTP until SIGINT (Ctrl+C) or SIGTERM; running requests complete first.

    SIGHUP ends it as well, where there are neither ``workers`` nor ``tls`` and the program has left
    it as it was.

    The address is printed, then each request is logged to ``wsgikit.access`` and each failure to
    ``wsgikit.server``: on stderr, unless the program has configured :mod:`logging` itself. A second
    signal does not wait for the running requests.

    :param app: any WSGI callable.
    :param host: the address or name to listen on; ``""`` is every IPv4 address of the machine.
    :param port: the port; 0 takes a free one.
    :param bind: what to listen on in place of ``host`` and ``port``, as in
        ``["127.0.0.1:8000", "unix:/run/app.sock"]``: see :mod:`wsgikit.server.addresses`.
    :param unix_mode: the permissions of Unix sockets that it makes: who may write can connect.
    :param proxy_protocol: the networks of proxies that begin each connection with a PROXY header,
        as in ``["10.0.0.0/8"]``: see :mod:`wsgikit.server.proxy_protocol`.
    :param tls: certificates, to speak HTTPS, as in ``TLS("cert.pem", "key.pem")``. SIGHUP has them
        read anew.
    :param timeout: seconds that a client may be silent before its connection is closed: sets the
        limits ``idle``, ``head_time``, ``body_time`` and ``write_stall``.
    :param stop_timeout: seconds that a stop waits for running requests before it cuts them.
    :param ready: called with the address, of several the first, as soon as clients can connect.
    :param limits: what clients may take of the server.
    :param threads: calls of the application that run side by side, in each process.
    :param workers: processes that serve, watched by this one, which then does not serve itself; 0:
        this one serves. Where the system cannot fork, one process serves, and the log tells it.
    :param worker_requests: calls of the application after which a worker is replaced, up to a tenth
        more for each, so that not all are replaced at once.
    :param worker_timeout: seconds without a sign of life of its loop after which a worker is killed
        and replaced. A slow call of the application is no silence. Ten times as long it may take to
        be ready: what it imports, and ``on_worker_start``.
    :param on_worker_start: called with its server in each process that serves, before it does. If
        it raises, the worker does not serve.
    :param on_worker_stop: called with its server after its last request.
    :param reload: for development: run the program in a child, and start it anew when one of its
        modules has changed. ``ready`` is called in this process, and only once.
    :raises TypeError: ``app`` or a hook is not callable.
    :raises ValueError: an option is out of its range.
    :raises OSError: an address can't be listened on; the message names it.
    :raises WorkerError: the first worker cannot serve.

    With workers, SIGHUP replaces them one by one: the new one is ready before the old one is told
    to stop. What ``on_worker_start`` does is done anew, and may set another application with
    ``server.set_app``. Where it fails, the old workers go on. A worker that crashes is replaced.

    Outside of the main thread no signal reaches it: use ``make_server`` and its ``start`` there.
    """
    for name, seconds in (("timeout", timeout), ("stop_timeout", stop_timeout)):
        if seconds is not None and not 0 < seconds < float("inf"):
            raise ValueError(f"{name} takes a positive number of seconds, not {seconds!r}")
    processes = Workers(
        workers=workers,
        worker_requests=worker_requests,
        worker_timeout=worker_timeout,
        on_worker_start=on_worker_start,
        on_worker_stop=on_worker_stop,
    )
    if reload and workers:
        raise ValueError("reload goes without workers: SIGHUP replaces those")
    reloaded = Reloaded() if reload and is_reloaded() else None
    if reloaded is not None:
        bind = reloaded.bind
    with make_server(
        host,
        port,
        app,
        bind=bind,
        unix_mode=unix_mode,
        proxy_protocol=proxy_protocol,
        tls=tls,
        limits=limits,
        threads=threads,
    ) as server:
        server.stop_timeout = stop_timeout
        if timeout is not None:
            server.connection_timeout = timeout
        log_to_stderr()

        def called() -> None:
            if ready is not None:
                ready(server.url)

        def listening() -> None:
            urls = " and ".join(listener.url for listener in server.listeners)
            if any(listener.host in ("0.0.0.0", "::") for listener in server.listeners):
                urls += ", and on the other addresses of this machine"
            print(f"Serving on {urls} (Ctrl+C stops)", flush=True)
            if reloaded is not None:
                reloaded.serves(server)
            else:
                called()

        if reload and reloaded is None:
            _in_main_thread("starts programs")
            Reloader([listener.socket for listener in server.listeners], stop_timeout).run(called)
            return
        if workers and _can_fork():
            Supervisor(server, processes).run(listening)
            return
        with stopped_by_signals(server), reloaded_by_signals(server):
            processes.started(server)
            listening()
            server.serve_forever()
            processes.stopped(server)


def _can_fork() -> bool:
    if not hasattr(os, "fork"):
        log.warning("This system cannot fork: one process serves, without workers")
        return False
    _in_main_thread("starts workers")
    return True


def _in_main_thread(what: str) -> None:
    if current_thread() is not main_thread():
        raise RuntimeError(f"serve {what} in the main thread only: signals come there")
