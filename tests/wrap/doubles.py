"""A server, bodies and applications that behave in all the ways PEP 3333 leaves open."""

from __future__ import annotations

import sys
from io import BytesIO
from wsgiref.handlers import SimpleHandler
from wsgiref.util import setup_testing_defaults

from wsgikit.wrap import Replaced, closers

TEXT = [("Content-Type", "text/plain")]


class Server(SimpleHandler):
    """The standard library's server without its socket; keeps what it logs and what it sends."""

    http_version = "1.1"
    origin_server = False
    error_body = b"the server's own page"

    def __init__(self, method="GET"):
        base = {"REQUEST_METHOD": method, "QUERY_STRING": ""}
        setup_testing_defaults(base)
        self.out, self.errors, self.saw_file = BytesIO(), [], False
        super().__init__(base["wsgi.input"], self.out, base["wsgi.errors"], base, False, False)

    def log_exception(self, exc_info):
        self.errors.append(exc_info[1])

    def sendfile(self):
        self.saw_file = True
        return False

    def serve(self, app):
        self.run(app)
        head, _, self.sent = self.out.getvalue().partition(b"\r\n\r\n")
        self.line, *fields = head.decode("latin-1").split("\r\n")
        self.fields = [tuple(field.split(": ", 1)) for field in fields]
        return self


class Body:
    """Blocks, a close() that counts, and errors on demand: an exception stands among the blocks."""

    def __init__(self, *blocks, error_in_close=None):
        self.blocks, self.error_in_close = iter(blocks), error_in_close
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        block = next(self.blocks)
        if isinstance(block, BaseException):
            raise block
        return block() if callable(block) else block

    def close(self):
        self.closed += 1
        if self.error_in_close is not None:
            raise self.error_in_close


def answering(body, status="200 OK", headers=TEXT):
    def app(environ, start_response):
        start_response(status, [*headers])  # wsgiref adds to a list that it is given
        return body

    return app


def late(body, status="200 OK", headers=TEXT):
    """Starts its response when the first block is asked for."""

    def app(environ, start_response):
        def blocks():
            start_response(status, headers)
            for block in body:  # noqa: UP028 - ``yield from`` would close the body as well
                yield block

        return Replaced(blocks(), *closers(body))

    return app


def failing(error):
    def app(environ, start_response):
        raise error

    return app


def nothing(status, headers, exc_info=None):
    """A start_response for those who look at the body only."""


def replacing(blocks=()):
    """Starts with 200, sends ``blocks``, fails, and tries to say 503 instead."""

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        yield from blocks
        try:
            raise LookupError("lost")
        except LookupError:
            start_response("503 Service Unavailable", TEXT, sys.exc_info())
        yield b"replaced"

    return app


class CountingFile(BytesIO):
    closings = 0

    def close(self):
        self.closings += 1
        super().close()


def replaced_in_the_call(first, second, write=b""):
    def app(environ, start_response):
        written = start_response(first, TEXT)
        if write:
            written(write)
        try:
            raise LookupError("lost")
        except LookupError:
            start_response(second, TEXT, sys.exc_info())
        return [b"replaced"]

    return app


def started_then_failing(environ, start_response):
    start_response("200 OK", [*TEXT, ("X-Of", "the first")])
    raise LookupError("lost")


def written(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"written, ")
    write(b"")
    return [b"returned"]
