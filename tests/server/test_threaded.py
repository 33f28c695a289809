from __future__ import annotations

import socket
from http.client import HTTPConnection
from socketserver import BaseRequestHandler
from threading import Event, Thread

import pytest

from wsgikit.server.connection import RequestHandler
from wsgikit.server.run import make_server
from wsgikit.server.threaded import Server, _end


class Slow:
    """An application that says when it was called and answers when it is told to."""

    def __init__(self):
        self.called, self.release = Event(), Event()

    def __call__(self, environ, start_response):
        self.called.set()
        self.release.wait(10)
        start_response("200 OK", [])
        return [b"done"]


def hello(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]


def connect_until_refused(server):
    while True:
        socket.create_connection((server.host, server.port), timeout=10).close()


def request(server):
    client = HTTPConnection(server.host, server.port, timeout=10)
    client.request("GET", "/")
    return client


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (("127.0.0.1", 80), "http://127.0.0.1:80"),
        (("0.0.0.0", 80), "http://127.0.0.1:80"),
        (("::1", 80, 0, 0), "http://[::1]:80"),
        (("::", 80, 0, 0), "http://[::1]:80"),
    ],
    ids=["v4", "every v4", "v6", "every v6"],
)
def test_the_url_is_one_that_a_client_can_open(address, url):
    server = Server(("127.0.0.1", 0), RequestHandler, bind_and_activate=False)
    server.server_address = address
    assert server.url == url
    server.stop()


def test_a_host_with_a_colon_is_ipv6():
    server = Server(("::1", 0), RequestHandler, bind_and_activate=False)
    assert server.socket.family == socket.AF_INET6
    server.stop()


def test_port_0_is_told_right():
    with make_server("127.0.0.1", 0, hello) as server:
        assert server.port == server.socket.getsockname()[1] != 0
        assert server.url == f"http://127.0.0.1:{server.port}"


def test_a_taken_port_is_one_clear_error():
    with make_server("127.0.0.1", 0, hello) as server:
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{server.port}: ") as raised:
            make_server("127.0.0.1", server.port, hello)
    assert raised.value.errno
    assert "in use" in raised.value.strerror


@pytest.mark.parametrize("port", [-1, 65536, "80", None])
def test_a_port_that_is_none(port):
    with pytest.raises(ValueError, match="port takes a number from 0 to 65535"):
        make_server("127.0.0.1", port, hello)


def test_a_stop_lets_the_running_request_complete():
    app = Slow()
    server = make_server("127.0.0.1", 0, app).start()
    client = request(server)
    assert app.called.wait(10)
    stopping = Thread(target=server.stop)
    stopping.start()
    with pytest.raises(ConnectionError):  # nothing new is taken: it is stopping
        connect_until_refused(server)
    assert stopping.is_alive()
    app.release.set()
    assert client.getresponse().read() == b"done"
    stopping.join(10)
    assert not stopping.is_alive()
    client.close()


def test_a_stop_does_not_wait_for_idle_connections():
    with make_server("127.0.0.1", 0, hello).start() as server:
        client = request(server)
        client.getresponse().read()
        server.stop()
        assert client.sock.recv(1) == b""
        client.close()


def test_a_stop_cuts_what_outlives_its_patience(caplog):
    app = Slow()
    with make_server("127.0.0.1", 0, app).start() as server:
        server.stop_timeout = 0.05
        client = request(server)
        assert app.called.wait(10)
        server.stop()
        assert client.sock.recv(1) == b""
        client.close()
        assert "1 requests unfinished after 0.05 s (stop_timeout)" in caplog.text
        app.release.set()
        server.stop_timeout = 10


def test_requests_run_side_by_side():
    app = Slow()
    with make_server("127.0.0.1", 0, app).start() as server:
        first = request(server)
        assert app.called.wait(10)
        app.called.clear()
        second = request(server)
        assert app.called.wait(10)
        app.release.set()
        assert [client.getresponse().read() for client in (first, second)] == [b"done"] * 2
        first.close()
        second.close()


def test_an_error_of_the_handler_is_logged(caplog):
    class Broken(BaseRequestHandler):
        def handle(self):
            raise LookupError("broken")

    with Server(("127.0.0.1", 0), Broken).start() as server:
        with socket.create_connection((server.host, server.port), timeout=10) as client:
            assert client.recv(1) == b""
    assert "LookupError: broken" in caplog.text


def test_ending_a_connection_that_is_gone():
    gone = socket.socket()
    gone.close()
    _end(gone, socket.SHUT_RD)
