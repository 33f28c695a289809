"""The handler on files that block: in stock servers, and as CPython tests wsgiref's own classes.

After ``test.test_wsgiref.IntegrationTests``; their requests end lines with LF, which is refused.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import socket
import wsgiref.simple_server
from contextlib import contextmanager
from http.client import HTTPConnection
from socketserver import BaseServer, ThreadingMixIn
from threading import Event, Thread, get_ident
from urllib.request import urlopen
from wsgiref.validate import validator

import pytest

from wsgikit.server import RequestHandler, Server, make_server


class MockServer(Server):
    """Has no socket."""

    def __init__(self, address, handler):
        BaseServer.__init__(self, address, handler)
        self.server_bind()

    def server_bind(self):
        self.server_name, self.server_port = self.server_address
        self.setup_environ()


class MockHandler(RequestHandler):
    def setup(self):
        self.rfile, self.wfile = self.request

    def finish(self):
        pass


def run_amock(app, data=b"GET / HTTP/1.0\r\n\r\n", out=None):
    server = make_server("", 80, app, MockServer, MockHandler)
    out = out or io.BytesIO()
    server.finish_request((io.BufferedReader(io.BytesIO(data)), out), ("127.0.0.1", 8888))
    return out.getvalue()


def hello(environ, start_response):
    headers = [("Content-Type", "text/plain"), ("Date", "Mon, 05 Jun 2006 18:49:54 GMT")]
    start_response("200 OK", headers)
    return [b"Hello, world!"]


@pytest.mark.parametrize("wrap", [lambda app: app, validator], ids=["plain", "validated"])
def test_plain_hello(wrap):
    head, _, body = run_amock(wrap(hello)).partition(b"\r\n\r\n")
    assert body == b"Hello, world!"
    assert head.split(b"\r\n")[:4] == [
        b"HTTP/1.1 200 OK",
        b"Content-Type: text/plain",
        b"Date: Mon, 05 Jun 2006 18:49:54 GMT",
        b"Server: wsgikit",
    ]


def test_environ():
    def app(environ, start_response):
        start_response("200 OK", [])
        keys = ("HTTP_X_TEST_HEADER", "QUERY_STRING", "PATH_INFO", "REMOTE_ADDR", "REMOTE_PORT")
        return [";".join(environ[key] for key in keys).encode()]

    out = run_amock(
        app,
        b"GET /p%61th/?query=test HTTP/1.0\r\nX-Test-Header: Python test \r\n"
        b"X-Test-Header: Python test 2\r\nContent-Length: 0\r\n\r\n",
    )
    assert out.endswith(b"\r\nPython test, Python test 2;query=test;/path/;127.0.0.1;8888")


def test_a_client_without_an_address(caplog):
    caplog.set_level(logging.INFO, "wsgikit.access")
    server = make_server("", 80, hello, MockServer, MockHandler)
    files = (io.BufferedReader(io.BytesIO(b"GET / HTTP/1.0\r\n\r\n")), io.BytesIO())
    server.finish_request(files, "")
    assert caplog.messages[0].startswith('- "GET / HTTP/1.0" 200 13 ')


def test_request_length():
    assert run_amock(hello, b"GET /" + b"x" * 65537 + b" HTTP/1.0\r\n\r\n").startswith(
        b"HTTP/1.1 414 "
    )


def test_cp1252_url():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode("latin1")]

    out = run_amock(validator(app), b"GET /\x80%80 HTTP/1.0\r\n\r\n")
    assert out.endswith(b"\r\n\r\n/\x80\x80")


def test_validation_errors():
    def reads_all(environ, start_response):
        environ["wsgi.input"].read()  # the validator wants a size
        return hello(environ, start_response)

    out = run_amock(validator(reads_all))
    assert out.endswith(b"A server error occurred.  Please contact the administrator.")


def test_interrupted_write():
    size = 16 * 1024 * 1024

    def app(environ, start_response):
        start_response("200 OK", [])
        return [bytes(size)]

    interrupted = Event()
    original = signal.signal(signal.SIGUSR1, lambda number, frame: interrupted.set())
    received = []
    with make_server("127.0.0.1", 0, app) as server:
        main = get_ident()

        def run_client():
            client = HTTPConnection(server.host, server.port, timeout=10)
            client.request("GET", "/")
            with client.getresponse() as response:
                response.read(100)
                while not interrupted.is_set():
                    signal.pthread_kill(main, signal.SIGUSR1)
                    interrupted.wait(0.1)
                received.append(len(response.read()))
            client.close()

        client = Thread(target=run_client)
        client.start()
        server.handle_request()
        client.join()
    signal.signal(signal.SIGUSR1, original)
    assert received == [size - 100]


class Threading(ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    pass


def told(environ, start_response):
    start_response("200 OK", [])
    size = int(environ.get("CONTENT_LENGTH", 0))
    body = environ["wsgi.input"].read(size)
    return [b"%s %d " % (str(environ["wsgi.multithread"]).encode(), size), body]


@contextmanager
def stock(server_class):
    """A stock server with our handler, serving in a thread."""
    with wsgiref.simple_server.make_server(
        "127.0.0.1", 0, told, server_class, RequestHandler
    ) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("server_class", "multithread"),
    [(wsgiref.simple_server.WSGIServer, b"False"), (Threading, b"True")],
)
def test_in_a_stock_server(server_class, multithread):
    with stock(server_class) as (host, port):
        with urlopen(f"http://{host}:{port}/", data=b"body") as response:
            assert response.read() == multithread + b" 4 body"


def test_a_stock_server_waits_for_the_body_and_asks_for_it():
    with stock(Threading) as address, socket.create_connection(address, timeout=10) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        with client.makefile("rb") as stream:
            answer = stream.read()
        assert answer.endswith(b"\r\n\r\nTrue 3 abc")
        assert b"Connection: close\r\n" in answer


class Silent(io.RawIOBase):
    """A client that says nothing more."""

    def __init__(self, first):
        self.first = [first]

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self.first:
            raise TimeoutError
        data = self.first.pop()
        buffer[: len(data)] = data
        return len(data)


POST = b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\na"


@pytest.mark.parametrize(
    "rfile",
    [io.BytesIO(), io.BytesIO(POST), Silent(POST), Silent(POST[:9])],
    ids=["nothing", "half a body", "silent in the body", "silent in the head"],
)
def test_a_client_that_leaves_is_no_error(rfile, caplog):
    out = io.BytesIO()
    server = make_server("", 80, told, MockServer, MockHandler)
    server.finish_request((io.BufferedReader(rfile), out), ("127.0.0.1", 8888))
    assert out.getvalue() == b""
    assert not caplog.records


def test_a_client_that_does_not_read_is_no_error(caplog):
    class Closed(io.BytesIO):
        def write(self, data):
            raise BrokenPipeError

    assert run_amock(hello, out=Closed()) == b""
    assert not caplog.records


def test_messages_of_the_stock_handler_are_for_debugging(caplog):
    caplog.set_level(logging.DEBUG, "wsgikit.server")

    class Chatty(MockHandler):
        def handle(self):
            self.log_message("%s by %s", "said", self.version_string())

    server = make_server("", 80, hello, MockServer, Chatty)
    server.finish_request((io.BytesIO(), io.BytesIO()), ("127.0.0.1", 8888))
    assert caplog.messages == ["said by wsgikit"]


def test_a_file_is_read(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(os.urandom(100_000))

    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    assert run_amock(app).partition(b"\r\n\r\n")[2] == path.read_bytes()


def test_an_answer_that_broke_off_is_left_to_the_stock_server(caplog):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"half"
        raise LookupError("told once")

    assert run_amock(app).endswith(b"\r\n\r\nhalf")
    assert "LookupError: told once" in caplog.text
