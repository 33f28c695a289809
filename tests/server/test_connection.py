from __future__ import annotations

import logging
import socket
from http.client import HTTPConnection
from threading import Event

import pytest

from wsgikit.server import connection
from wsgikit.testing import serving


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode("latin-1")]


def echo(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def dial(server):
    return socket.create_connection((server.host, server.port), timeout=10)


def everything(client):
    """What the server sends until it closes."""
    with client.makefile("rb") as stream:
        return stream.read()


def exchange(server, data):
    with dial(server) as client:
        client.sendall(data)
        return everything(client)


def test_a_connection_serves_several_requests():
    with serving(hello) as server:
        client = HTTPConnection(server.host, server.port, timeout=10)
        for path in ("/a", "/b"):
            client.request("GET", path)
            opened = client.sock
            response = client.getresponse()
            assert (response.version, response.read()) == (11, path.encode())
            assert client.sock is opened is not None
        client.close()


def test_pipelined_requests_are_answered_in_order():
    with serving(echo) as server:
        answer = exchange(
            server,
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none"
            b"\r\nPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntwo",
        )
    first, second = answer.split(b"HTTP/1.1 200 OK")[1:]
    assert first.endswith(b"\r\n\r\none")
    assert b"Connection" not in first
    assert second.endswith(b"\r\n\r\ntwo")
    assert b"Connection: close" in second


def test_http_1_0_gets_one_answer():
    with serving(hello) as server:
        answer = exchange(server, b"GET /x HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"Connection: close\r\n\r\n/x")


def test_a_body_that_the_application_left_is_no_request():
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
    with serving(hello) as server:
        answer = exchange(
            server,
            b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b"
            b"GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % (len(smuggled), smuggled),
        )
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"/smuggled" not in answer


def test_a_client_that_still_sends_gets_the_answer_and_the_end():
    size = connection.MAX_DRAIN + 1
    head = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size
    with serving(hello) as server:
        answer = exchange(server, head + b"x" * size)
    assert answer.endswith(b"/a")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_client_that_never_ends_is_left_after_a_moment(monkeypatch):
    monkeypatch.setattr(connection, "LINGER", 0.05)
    with serving(hello) as server, dial(server) as client:
        client.sendall(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n")
        assert everything(client).endswith(b"/a")
        server.stop()  # returns: no thread is left with the client


def test_the_body_is_asked_for_when_it_is_read():
    with serving(echo) as server, dial(server) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
            b"Connection: close\r\n\r\n"
        )
        interim = client.recv(100)
        assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ok")
        assert everything(client).endswith(b"\r\n\r\nok")


def test_a_body_that_nobody_reads_is_not_asked_for():
    with serving(hello) as server, dial(server) as client:
        client.sendall(
            b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        client.shutdown(socket.SHUT_WR)
        answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"/a")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\n\n", b"400", id="bare LF"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\n bad\r\n\r\n", b"400", id="obs-fold"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"411",
            id="chunked",
        ),
        pytest.param(b"GET /" + b"x" * connection.MAX_HEAD, b"414", id="long line"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"x" * connection.MAX_HEAD, b"431", id="long head"
        ),
    ],
)
def test_a_malformed_request_is_refused_and_ends_the_connection(data, status):
    with serving(hello) as server:
        answer = exchange(server, data + b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in answer
    assert b"\r\nServer: wsgikit\r\n" in answer


@pytest.mark.parametrize("data", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: h\r\n"])
def test_a_client_that_leaves_in_the_head_is_no_request(data, caplog):
    caplog.set_level(logging.INFO, "wsgikit")
    with serving(hello) as server, dial(server) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        assert everything(client) == b""
    assert not caplog.records


def test_a_client_that_leaves_in_the_body_is_no_error(caplog):
    caplog.set_level(logging.INFO, "wsgikit")
    with serving(echo) as server:
        with dial(server) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nx")
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b""
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert '"POST / HTTP/1.1" - 0 ' in caplog.text


def test_a_client_that_leaves_while_it_is_answered_is_no_error(caplog):
    closed = Event()

    class Endless:
        def __iter__(self):
            return self

        def __next__(self):
            return b"x" * 65536

        def close(self):
            closed.set()

    def app(environ, start_response):
        start_response("200 OK", [])
        return Endless()

    with serving(app) as server:
        with dial(server) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            client.recv(10)
        assert closed.wait(10)
    assert not caplog.records


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\nHost"], ids=["idle", "half a head"])
def test_a_silent_client_is_left(data, caplog):
    with serving(hello) as server:
        server.connection_timeout = 0.05
        assert exchange(server, data) == b""
    assert not caplog.records


def test_a_client_that_stalls_in_the_body_is_left():
    with serving(echo) as server:
        server.connection_timeout = 0.05
        answer = exchange(server, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nx")
    assert answer == b""


def test_the_environ_tells_both_ends_of_the_connection():
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        return hello(environ, start_response)

    with serving(app) as server, dial(server) as client:
        host, port = client.getsockname()
        client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        everything(client)
    assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == (host, str(port))
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"]) == (server.host, str(server.port))
    assert (seen["SCRIPT_NAME"], seen["SERVER_SOFTWARE"]) == ("", "wsgikit")
    assert (seen["wsgi.url_scheme"], seen["wsgi.multithread"]) == ("http", True)


def test_a_request_is_one_readable_line(caplog):
    caplog.set_level(logging.INFO, "wsgikit.access")
    with serving(hello) as server:
        exchange(server, b"GET /a HTTP/1.0\r\n\r\n")
    (record,) = caplog.records
    assert record.getMessage().startswith('127.0.0.1 "GET /a HTTP/1.0" 200 2 ')
    assert record.getMessage().endswith(" ms")


@pytest.mark.parametrize(
    ("line", "logged"),
    [
        (b'GET /" HTTP/1.0', r"GET /\" HTTP/1.0"),
        (b"GET /\x1b[31m\x9b HTTP/1.0", r"GET /\x1b[31m\x9b HTTP/1.0"),
        (b"GET /\\n HTTP/1.0", r"GET /\\n HTTP/1.0"),
        (b"GET /\rX HTTP/1.0", r"GET /\rX HTTP/1.0"),
    ],
    ids=["quote", "escape", "backslash", "CR"],
)
def test_a_request_writes_no_line_but_its_own(line, logged, caplog):
    caplog.set_level(logging.INFO, "wsgikit.access")
    with serving(hello) as server:
        exchange(server, line + b"\r\n\r\n")
    (record,) = caplog.records
    assert f'"{logged}" ' in record.getMessage()
