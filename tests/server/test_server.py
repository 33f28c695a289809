from __future__ import annotations

import signal
import socket
import time
from http.client import HTTPConnection
from socketserver import BaseRequestHandler
from threading import Event, Thread

import pytest

from wsgikit.server import Limits, sockets
from wsgikit.server.handler import RequestHandler
from wsgikit.server.run import make_server
from wsgikit.server.server import Server


class Slow:
    """An application that says when it was called and answers when it is told to."""

    def __init__(self):
        self.called, self.release = Event(), Event()

    def __call__(self, environ, start_response):
        self.called.set()
        assert self.release.wait(10)
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
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("::", "http://[::1]:80"),
    ],
    ids=["v4", "every v4", "v6", "every v6"],
)
def test_the_url_is_one_that_a_client_can_open(host, url):
    server = Server((host, 80), RequestHandler, bind_and_activate=False)
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
        assert "(stop_timeout is 0.05 s)" in caplog.text
        app.release.set()
        server.stop_timeout = 10


def test_requests_run_side_by_side():
    app = Slow()
    with make_server("127.0.0.1", 0, app, threads=2).start() as server:
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


class Waiting(BaseRequestHandler):
    """A handler of another kind: waits for its client."""

    def handle(self):
        self.request.sendall(b"hello")
        self.request.recv(1)
        self.request.sendall(b"bye")


def test_a_stop_ends_a_handler_that_waits_for_its_client():
    with Server(("127.0.0.1", 0), Waiting).start() as server:
        with socket.create_connection((server.host, server.port), timeout=10) as client:
            assert client.recv(5) == b"hello"
            server.stop()
            assert client.recv(5) == b"bye"


def test_a_stop_cuts_a_handler_that_outlives_its_patience(caplog):
    release, ended = Event(), Event()

    class Stubborn(BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"hello")
            assert release.wait(10)
            ended.set()

    with Server(("127.0.0.1", 0), Stubborn).start() as server:
        server.stop_timeout = 0.05
        with socket.create_connection((server.host, server.port), timeout=10) as client:
            assert client.recv(5) == b"hello"
            server.stop()
            assert client.recv(5) == b""
        release.set()
        assert ended.wait(10)
    assert "1 requests unfinished" in caplog.text


def test_connections_of_other_handlers_count_by_the_limit():
    with Server(("127.0.0.1", 0), Waiting) as server:
        server.limits = Limits(connections=1)
        server.start()
        with socket.create_connection((server.host, server.port), timeout=10) as first:
            assert first.recv(5) == b"hello"
            with socket.create_connection((server.host, server.port), timeout=10) as second:
                second.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    second.recv(5)
                second.settimeout(10)
                first.sendall(b".")
                assert second.recv(5) == b"hello"
                second.sendall(b".")


def test_other_handlers_that_have_waited_in_vain_are_not_called():
    release, begun = Event(), []

    class Stubborn(BaseRequestHandler):
        def handle(self):
            begun.append(self)
            self.request.sendall(b"hello")
            assert release.wait(10)

    with Server(("127.0.0.1", 0), Stubborn) as server:
        server.threads, server.stop_timeout = 1, 0.05
        server.start()
        address = (server.host, server.port)
        with (
            socket.create_connection(address, timeout=10) as first,
            socket.create_connection(address, timeout=10) as second,
        ):
            assert first.recv(5) == b"hello"
            end = time.monotonic() + 10
            while len(server._loop.sockets._guests) < 2:
                assert time.monotonic() < end
                time.sleep(0.005)
            server.stop()
            release.set()
            assert second.recv(5) == b""
    assert len(begun) == 1


def test_shutting_a_socket_that_is_gone():
    gone = socket.socket()
    gone.close()
    sockets._shut(gone, socket.SHUT_RD)


def test_who_was_not_started_has_no_end_to_wait_for():
    with make_server("127.0.0.1", 0, hello) as server, pytest.raises(RuntimeError, match="started"):
        server.wait()


def test_a_server_serves_once():
    with make_server("127.0.0.1", 0, hello).start() as server:
        with pytest.raises(RuntimeError, match="a server serves once"):
            server.start()


def test_the_timeout_is_four_limits():
    with make_server("127.0.0.1", 0, hello) as server:
        server.connection_timeout = 3
        assert server.connection_timeout == 3
        assert server.limits == Limits(idle=3, head_time=3, body_time=3, write_stall=3)


def test_serving_in_a_thread_of_the_caller():
    with make_server("127.0.0.1", 0, hello) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        client = request(server)
        assert client.getresponse().read() == b"hello"
        client.close()
        server.shutdown()
        thread.join(10)
        assert not thread.is_alive()


def test_a_signal_that_does_not_end_the_wait_is_news():
    with make_server("127.0.0.1", 0, hello).start() as server:
        with server._loop.sockets.waker.told_of_signals():
            previous = signal.signal(signal.SIGUSR1, lambda number, frame: None)
            signal.raise_signal(signal.SIGUSR1)
            assert server._loop.sockets.waker.news.wait(10)
            signal.signal(signal.SIGUSR1, previous)


def test_where_the_system_cannot_be_told_to_hold_little(monkeypatch):
    monkeypatch.delattr(socket, "TCP_NOTSENT_LOWAT", raising=False)
    with make_server("127.0.0.1", 0, hello).start() as server:
        client = request(server)
        assert client.getresponse().read() == b"hello"
        client.close()


def test_to_wait_for_what_has_ended_is_to_return():
    server = make_server("127.0.0.1", 0, hello).start()
    server.shutdown()
    for _ in range(2):
        server.wait()
    server.server_close()
    assert signal.set_wakeup_fd(-1) == -1


def test_the_end_may_come_before_the_wait_and_in_it():
    with make_server("127.0.0.1", 0, hello).start() as server:
        waker = server._loop.sockets.waker
        with waker.told_of_signals():
            server.shutdown()
            assert signal.set_wakeup_fd(-1) != -1  # it is nobody else's number meanwhile
        server.wait()
