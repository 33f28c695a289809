"""The application that all servers run: a path for each scenario."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

HELLO = b"Hello, World!"
MEGABYTE = b"x" * (1 << 20)
PIECES = [b"y" * 4096] * 16

FILE = tempfile.NamedTemporaryFile()  # noqa: SIM115
FILE.write(MEGABYTE)
FILE.flush()


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    headers = [("Content-Type", "text/plain")]
    if path == "/sleep":
        time.sleep(0.01)
    elif path == "/nap":
        time.sleep(0.002)
    if path == "/post":
        size = len(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        body = [b"%d" % size]
    elif path == "/large":
        body = [MEGABYTE]
    elif path == "/chunked":
        start_response("200 OK", headers)
        return iter(PIECES)
    elif path == "/file":
        start_response("200 OK", [*headers, ("Content-Length", str(len(MEGABYTE)))])
        return environ["wsgi.file_wrapper"](open(FILE.name, "rb"))
    else:
        body = [HELLO]
    start_response("200 OK", [*headers, ("Content-Length", str(len(body[0])))])
    return body
