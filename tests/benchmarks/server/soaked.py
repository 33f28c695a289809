"""The server of a soak: ``python -m tests.benchmarks.server.soaked PORT``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from tests.benchmarks.server import application
from wsgikit.server import Limits, make_server
from wsgikit.server.run import stopped_by_signals

#: Short enough that slow clients meet them, and that all is quiet soon after the last one left.
LIMITS = Limits(idle=3, head_time=8, body_time=8, write_stall=8, requests=1000)


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/echo":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return [environ["wsgi.input"].read()]
    if path == "/hints":
        environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload; as=style")])
    elif path == "/fail":
        raise LookupError("a failure that is meant")
    elif path == "/cut":
        return cut(start_response)
    return application.app(environ, start_response)


def cut(start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"half"
    raise LookupError("a failure that is meant")


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]), app, limits=LIMITS) as server:
        with stopped_by_signals(server):
            server.serve_forever()
    application.FILE.close()
