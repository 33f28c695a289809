"""The servers: ``python -m tests.benchmarks.server.contestants NAME PORT`` runs one of them."""

from __future__ import annotations

import select
import socket
import sys
import threading

from tests.benchmarks.server.application import HELLO, app

THREADS = 8
HOST = "127.0.0.1"


def wsgikit(port: int) -> None:
    from wsgikit.server import Limits, make_server

    limits = Limits(connections=18000, idle=600, head_time=600, body_time=600, write_stall=600)
    make_server(HOST, port, app, limits=limits, threads=THREADS).serve_forever()


def waitress(port: int) -> None:
    from waitress import serve

    serve(app, host=HOST, port=port, threads=THREADS, connection_limit=18000, _quiet=True)


def cheroot(port: int) -> None:
    from cheroot.wsgi import Server

    Server((HOST, port), app, numthreads=THREADS, request_queue_size=1024).start()


def gunicorn(port: int) -> None:
    from gunicorn.app.base import BaseApplication

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            self.cfg.set("bind", f"{HOST}:{port}")
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("threads", THREADS)
            self.cfg.set("worker_connections", 18000)
            self.cfg.set("loglevel", "critical")

        def load(self) -> object:
            return app

    Application().run()


def granian(port: int) -> None:
    """The protocol in Rust: what a compiled server makes of the same application."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        f"{app.__module__}:{app.__name__}",
        address=HOST,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        log_enabled=False,
    ).serve()


def bare(port: int) -> None:
    """No HTTP at all: what one thread can do with sockets, the limit of the others."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n" % len(HELLO)
    answer += b"Server: bare\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n\r\n" + HELLO
    listener = socket.create_server((HOST, port), backlog=1024)
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    clients = {}
    while True:
        for fd, _ in poll.poll():
            client = clients.get(fd)
            if client is None:
                client, _ = listener.accept()
                client.setblocking(False)
                clients[client.fileno()] = client
                poll.register(client.fileno(), select.EPOLLIN)
                continue
            try:
                data = client.recv(65536)
            except OSError:
                data = b""
            if data.endswith(b"\r\n\r\n"):
                client.send(answer)
            if not data or b"Connection: close" in data:
                del clients[fd]
                client.close()


CONTESTANTS = {
    each.__name__: each for each in (wsgikit, waitress, cheroot, gunicorn, granian, bare)
}
#: Those whose rate is no goal of a server in Python.
BEYOND = {"granian", "bare"}

if __name__ == "__main__":
    threading.current_thread().name = sys.argv[1]
    CONTESTANTS[sys.argv[1]](int(sys.argv[2]))
