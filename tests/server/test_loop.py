from __future__ import annotations

import errno
import io
import logging
import os
import select
import socket
import struct
import time
from http.client import HTTPConnection
from threading import Event, Thread

import pytest

from tests.server.wire import Cut, read_answer
from wsgikit.access import as_json
from wsgikit.middleware import access_log
from wsgikit.server import RequestHandler, Server, loop, make_server, outbox, sockets
from wsgikit.server.body import Disconnected
from wsgikit.server.connection import Connection
from wsgikit.server.limits import Limits
from wsgikit.server.outbox import Outbox
from wsgikit.testing import serving

HEAD_BYTES = Limits().head_bytes


# Each test with each way of watching sockets and of calling the application.
pytestmark = pytest.mark.usefixtures("ways")


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


def answered(client):
    """The body of the next response, by its Content-Length."""
    with client.makefile("rb", buffering=0) as stream:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.read(1)
        length = int(head.partition(b"Content-Length: ")[2].split()[0])
        body = b""
        while len(body) < length:
            body += stream.read(length - len(body))
        return body


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


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
    size = 1_000_000
    head = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size
    with serving(hello) as server:
        answer = exchange(server, head + b"x" * size)
    assert answer.endswith(b"/a")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_client_that_never_ends_is_left_after_a_moment(monkeypatch):
    monkeypatch.setattr(sockets, "LINGER", 0.05)
    with serving(hello) as server, dial(server) as client:
        client.sendall(
            b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n" + b"x" * 99999
        )
        assert everything(client).endswith(b"/a")
        server.stop()  # returns: no thread is left with the client


@pytest.mark.parametrize(
    ("field", "later", "requests"),
    [
        (b"Connection: close\r\n", b"\r\n", 10),
        (b"", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 1),
    ],
    ids=["a line end", "another request"],
)
def test_a_last_answer_is_not_cut_where_the_client_has_sent_more(field, later, requests):
    called, release = Event(), Event()

    def app(environ, start_response):
        called.set()
        assert release.wait(10)
        start_response("200 OK", [])
        return [b"x" * 400_000]

    limits = Limits(requests=requests)
    with make_server("127.0.0.1", 0, app, limits=limits).start() as server:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
            client.settimeout(10)
            client.connect((server.host, server.port))
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n" + field + b"\r\n")
            assert called.wait(10)
            client.sendall(later)
            release.set()
            # What the server does when it has sent all that it can is done before this reads.
            until(lambda: not any(c.busy for c in server._loop.sockets.connections.values()))
            assert len(everything(client).partition(b"\r\n\r\n")[2]) == 400_000


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


def test_who_is_asked_late_has_all_the_time_for_a_body():
    def app(environ, start_response):
        for connection in server._loop.sockets.connections.values():
            connection.began -= 1000
        return echo(environ, start_response)

    with serving(app) as server, dial(server) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
            b"Connection: close\r\n\r\n"
        )
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
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
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            b"400",
            id="chunk",
        ),
        pytest.param(b"GET /" + b"x" * HEAD_BYTES, b"414", id="long line"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"x" * HEAD_BYTES, b"431", id="long head"
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
    assert not caplog.records


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


def test_a_silent_client_is_left(caplog):
    with serving(hello) as server:
        server.connection_timeout = 0.05
        assert exchange(server, b"") == b""
    assert not caplog.records


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"GET / HTTP/1.1\r\nHost", b"limits.head_time"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nx", b"limits.body_time"),
        (
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999\r\n\r\n" + b"x" * 70_000,
            b"limits.body_rate",
        ),
    ],
    ids=["half a head", "half a body", "half a large body"],
)
def test_a_client_that_stalls_in_a_request_is_told_and_left(data, named, caplog):
    limits = Limits(head_time=0.1, body_time=0.1, body_rate=1e9)
    with make_server("127.0.0.1", 0, echo, limits=limits).start() as server:
        answer = exchange(server, data)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert named in answer
    assert not caplog.records


@pytest.mark.parametrize("size", [5_000, 500_000], ids=["small", "large"])
def test_what_came_quickly_is_no_credit_for_a_silence(size):
    limits = Limits(body_time=0.2, body_rate=1)
    with make_server("127.0.0.1", 0, echo, limits=limits).start() as server:
        head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (2 * size)
        assert exchange(server, head + b"x" * size).startswith(b"HTTP/1.1 408 ")


def test_a_body_in_very_small_chunks():
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n"
    with serving(echo) as server, dial(server) as client:
        for _ in range(2):
            client.sendall(head + body)
            assert answered(client) == b"x" * 20_000
        client.sendall(head + body + head + body)
        assert answered(client) == b"x" * 20_000
        assert answered(client) == b"x" * 20_000


@pytest.mark.parametrize(
    ("first", "byte", "status"),
    [(b"GET /", b"x", b"HTTP/1.1 408"), (b"", b"\r\n", b"")],
    ids=["in a head", "before one"],
)
def test_a_client_does_not_win_time_by_sending_a_little(first, byte, status):
    limits = Limits(head_time=0.2, idle=0.2)
    with make_server("127.0.0.1", 0, hello, limits=limits).start() as server:
        with dial(server) as client:
            client.sendall(first)
            began = time.monotonic()
            try:
                while not select.select([client], [], [], 0.01)[0]:
                    client.sendall(byte)
                    assert time.monotonic() - began < 10
                assert client.recv(12) == status
            except ConnectionError:
                assert not status  # closed, and what came then was reset


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
    assert (seen["wsgi.url_scheme"], seen["wsgi.multithread"]) == ("http", server.threads > 1)


def test_a_request_is_one_readable_line(caplog):
    caplog.set_level(logging.INFO, "wsgikit.access")
    with serving(hello) as server:
        exchange(server, b"GET /a HTTP/1.0\r\n\r\n")
    (record,) = caplog.records
    assert record.getMessage().startswith('127.0.0.1 "GET /a HTTP/1.0" 200 2 ')
    assert record.getMessage().endswith(" ms")


def test_a_request_that_the_application_logs_has_no_second_line(caplog):
    caplog.set_level(logging.INFO, "wsgikit.access")
    with serving(access_log(hello, format=as_json)) as server:
        exchange(server, b"GET /a HTTP/1.0\r\n\r\n")
    (record,) = caplog.records
    assert record.getMessage().startswith("{")


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


@pytest.mark.parametrize("length", [None, "9"], ids=["no length", "length"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("rest", [b"", b"GET"], ids=["alone", "with more"])
def test_an_answer_that_broke_off_does_not_look_complete(version, length, rest, caplog):
    go_on = Event()

    def app(environ, start_response):
        start_response("200 OK", [] if length is None else [("Content-Length", length)])
        yield b"half"
        assert go_on.wait(10)
        raise LookupError("told once")

    with serving(app) as server, dial(server) as client, client.makefile("rb") as stream:
        client.sendall(f"GET / HTTP/{version}\r\nHost: h\r\n\r\n".encode() + rest)
        assert client.recv(4, socket.MSG_PEEK) == b"HTTP"
        go_on.set()
        with pytest.raises((Cut, ConnectionResetError)):
            read_answer(stream)
    assert [record.exc_info[0] for record in caplog.records] == [LookupError]


def test_a_failure_after_the_end_of_a_body_leaves_it_whole(caplog):
    class Body:
        def __iter__(self):
            yield b"whole"

        def close(self):
            raise LookupError("told once")

    def app(environ, start_response):
        start_response("200 OK", [])
        return Body()

    with serving(app) as server:
        assert exchange(server, b"GET / HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nwhole")
    assert [record.exc_info[0] for record in caplog.records] == [LookupError]


def test_a_large_body_is_read_as_it_comes():
    body = bytes(range(256)) * 8000
    with serving(echo) as server, dial(server) as client:
        for head, data in (
            (b"Content-Length: %d" % len(body), body),
            (b"Transfer-Encoding: chunked", b"1F4000\r\n" + body + b"\r\n0\r\n\r\n"),
        ):
            client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n\r\n" + data)
            assert answered(client) == body


def test_a_small_chunked_body_has_a_length():
    def app(environ, start_response):
        start_response("200 OK", [])
        return [environ["CONTENT_LENGTH"].encode(), environ["wsgi.input"].read()]

    with serving(app) as server:
        answer = exchange(
            server,
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
        )
    assert answer.endswith(b"\r\n\r\n5abcde")


def test_a_malformed_chunk_in_a_large_body_is_told_to_the_application(caplog):
    with serving(echo) as server:
        answer = exchange(
            server,
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"20000\r\n" + b"x" * 0x20000 + b"oops",
        )
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Connection: close\r\n" in answer
    assert not caplog.records


def test_bodies_that_stall_hold_no_thread():
    with serving(hello) as server:
        stalled = [dial(server) for _ in range(30)]
        for client in stalled:
            client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\nx")
        assert exchange(server, b"GET /quick HTTP/1.0\r\n\r\n").endswith(b"/quick")
        for client in stalled:
            client.close()


BLOCK = b"z" * 12_000_000  # more than the buffers of two sockets hold


def blocks(environ, start_response):
    """Much in one block, in several, from a generator, or little."""
    start_response("200 OK", [])
    path = environ["PATH_INFO"]
    return {"/one": [BLOCK], "/two": [BLOCK, BLOCK]}.get(path) or (
        iter([BLOCK, BLOCK]) if path == "/iter" else [b"little"]
    )


@pytest.mark.parametrize("path", ["/one", "/two", "/iter"])
def test_a_slow_reader_gets_all(path):
    with serving(blocks) as server, dial(server) as client:
        client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        time.sleep(0.05)
        body = everything(client).partition(b"\r\n\r\n")[2]
    assert body == (BLOCK if path == "/one" else BLOCK * 2)


def test_a_reader_of_much_lets_others_have_their_turn(monkeypatch):
    monkeypatch.setattr(outbox, "TURN", 1)
    with serving(blocks) as server, dial(server) as client:
        client.sendall(b"GET /one HTTP/1.1\r\nHost: h\r\n\r\n")
        assert exchange(server, b"GET / HTTP/1.0\r\n\r\n").endswith(b"little")
        assert answered(client) == BLOCK


def test_slow_readers_hold_no_thread():
    with serving(blocks) as server:
        slow = [dial(server) for _ in range(12)]
        for client in slow:
            client.sendall(b"GET /one HTTP/1.1\r\nHost: h\r\n\r\n")
        assert exchange(server, b"GET / HTTP/1.0\r\n\r\n").endswith(b"little")
        for client in slow:
            assert answered(client) == BLOCK
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert answered(client) == b"little"
            client.close()


@pytest.mark.parametrize("path", ["/one", "/iter"])
def test_a_reader_that_takes_nothing_is_left(path):
    limits = Limits(write_stall=0.05)
    with (
        make_server("127.0.0.1", 0, blocks, limits=limits).start() as server,
        dial(server) as client,
    ):
        until(lambda: server._loop.sockets.connections)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        until(lambda: not server._loop.sockets.connections)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("size", [0, 1000, 12_000_000])
def test_a_file(tmp_path, method, size):
    path = tmp_path / "file"
    path.write_bytes(b"-" + b"f" * size)

    def app(environ, start_response):
        start_response("200 OK", [])
        file = path.open("rb")
        file.read(1)
        return environ["wsgi.file_wrapper"](file)

    request = f"{method} / HTTP/1.1\r\nHost: h\r\n\r\n".encode()
    with serving(app) as server, dial(server) as client:
        client.sendall(request)
        time.sleep(0.02)
        head = client.recv(17, socket.MSG_PEEK)
        assert head == b"HTTP/1.1 200 OK\r\n"
        if method == "GET":
            assert answered(client) == b"f" * size
            client.sendall(request)
            assert answered(client) == b"f" * size
        else:
            answer = client.recv(1000)
            assert b"Content-Length: %d\r\n" % size in answer or not size
            assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("file", "length", "sent"),
    [
        (io.BytesIO(b"abc"), "3", b"abc"),
        (io.BytesIO(b"abc" * 10_000), "3", b"abc"),
        (io.BytesIO(b"abc" * 10_000), "8192", b"abc" * 2730 + b"ab"),
        ("file", "2", b"ab"),
        ("file", "4", b"abc"),
    ],
    ids=["no real file", "no real, longer", "no real, a block", "longer", "shorter than said"],
)
def test_a_file_that_the_system_does_not_send(tmp_path, file, length, sent, caplog):
    (tmp_path / "file").write_bytes(b"abc")

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", length)])
        opened = (tmp_path / file).open("rb") if file == "file" else io.BytesIO(file.getvalue())
        return environ["wsgi.file_wrapper"](opened)

    with serving(app) as server:
        answer = exchange(server, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n" + sent)
    assert len(caplog.records) == (length == "4")


def test_of_a_file_no_more_is_sent_than_was_said(tmp_path, caplog):
    (tmp_path / "file").write_bytes(bytes(range(256)) * 4000)

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "400000")])
        file = (tmp_path / "file").open("rb")
        file.seek(256 * 1000 + 10)
        return environ["wsgi.file_wrapper"](file)

    expected = (bytes(range(256)) * 4000)[256 * 1000 + 10 :][:400_000]
    with serving(app) as server, dial(server) as client:
        for _ in range(2):
            client.sendall(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
            assert answered(client) == expected
    assert not caplog.records


@pytest.mark.parametrize("name", ["/proc/version", os.devnull])
def test_a_file_that_has_no_size_is_read(name):
    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](open(name, "rb"))

    with serving(app) as server, open(name, "rb") as file:
        answer = exchange(server, b"GET / HTTP/1.0\r\n\r\n")
        assert answer.partition(b"\r\n\r\n")[2] == file.read()


def test_a_file_that_becomes_shorter_is_cut(tmp_path, caplog):
    path = tmp_path / "file"
    path.write_bytes(b"f" * 12_000_000)

    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    with serving(app) as server, dial(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        client.recv(10)
        os.truncate(path, 10)
        assert len(everything(client)) < 12_000_000
    (told,) = [record.message for record in caplog.records]
    assert told.endswith("bytes of a file could not be sent: it has become shorter")


def test_early_hints_come_first():
    def app(environ, start_response):
        environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
        start_response("200 OK", [])
        yield b"a"
        environ["wsgi.early_hints"]([("Link", "</too-late>")])

    with serving(app) as server:
        answer = exchange(server, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    hints, link, _ = answer.split(b"\r\n", 2)
    assert (hints, link) == (b"HTTP/1.1 103 Early Hints", b"Link: </a.css>; rel=preload")
    assert b"too-late" not in answer


def test_many_pipelined_requests():
    with serving(hello) as server, dial(server) as client:
        request = b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n"
        stream = b"".join(request % number for number in range(3000))
        sender = Thread(target=client.sendall, args=(stream,))
        sender.start()
        with client.makefile("rb") as reader:
            for number in range(3000):
                head = b"".join(iter(reader.readline, b"\r\n"))
                length = int(head.partition(b"Content-Length: ")[2].split()[0])
                assert reader.read(length) == b"/%d" % number
        sender.join()


def test_a_connection_ends_after_its_last_request():
    limits = Limits(requests=2)
    with (
        make_server("127.0.0.1", 0, hello, limits=limits).start() as server,
        dial(server) as client,
    ):
        request = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
        client.sendall(request * 3)
        answer = everything(client)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(b"Connection: close") == 1


def test_who_is_too_many_is_told_to_come_again():
    release, called = Event(), Event()

    def app(environ, start_response):
        called.set()
        assert release.wait(10)
        return hello(environ, start_response)

    request = b"GET /a HTTP/1.0\r\n\r\n"
    with make_server("127.0.0.1", 0, app, threads=1, limits=Limits(queue=1)).start() as server:
        first, second = dial(server), dial(server)
        first.sendall(request)
        assert called.wait(10)
        second.sendall(request)
        until(lambda: server._loop.pool.free == -1)
        answer = exchange(server, request)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in answer
        assert b"limits.queue" in answer
        release.set()
        for client in (first, second):
            assert everything(client).endswith(b"/a")
            client.close()


def test_connections_over_the_limit_wait():
    with make_server("127.0.0.1", 0, hello, limits=Limits(connections=2)).start() as server:
        held = [dial(server), dial(server)]
        until(lambda: len(server._loop.sockets.connections) == 2)
        with dial(server) as third:
            third.sendall(b"GET /a HTTP/1.0\r\n\r\n")
            third.settimeout(0.05)
            with pytest.raises(TimeoutError):
                third.recv(1)
            third.settimeout(10)
            held.pop().close()
            assert everything(third).endswith(b"/a")
        held.pop().close()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ECONNABORTED])
def test_an_accept_that_fails_is_tried_again(number, caplog, monkeypatch):
    monkeypatch.setattr(sockets, "RETRY", 0.01)

    class Full(Server):
        failures = [number] * 3

        def get_request(self):
            if self.failures:
                raise OSError(self.failures.pop(), "no")
            return super().get_request()

    with make_server("127.0.0.1", 0, hello, Full).start() as server:
        assert exchange(server, b"GET /a HTTP/1.0\r\n\r\n").endswith(b"/a")
    told = ["Cannot accept connections: no"] if number == errno.EMFILE else []
    assert caplog.messages == told


def test_a_client_that_is_not_wanted():
    class Closed(Server):
        def verify_request(self, request, client_address):
            return False

    with make_server("127.0.0.1", 0, hello, Closed).start() as server:
        assert exchange(server, b"") == b""


@pytest.mark.parametrize("method", ["verify_request", "process_request"])
def test_an_error_while_a_client_is_let_in_concerns_it_alone(method, caplog):
    failures = [LookupError("told once")]

    def fail_once(server, request, client_address):
        if failures:
            raise failures.pop()
        return getattr(Server, method)(server, request, client_address)

    picky = type("Picky", (Server,), {method: fail_once})
    with make_server("127.0.0.1", 0, hello, picky).start() as server:
        assert exchange(server, b"") == b""
        assert exchange(server, b"GET /a HTTP/1.0\r\n\r\n").endswith(b"/a")
    assert "LookupError: told once" in caplog.text


def test_a_client_that_resets(caplog):
    with serving(hello) as server:
        for data in (b"", b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"):
            with dial(server) as client:
                client.sendall(data)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: not server._loop.sockets.connections)
    assert not caplog.records


def test_a_call_that_takes_long_holds_up_nobody():
    release = Event()

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/long":
            assert release.wait(10)
        return hello(environ, start_response)

    with make_server("127.0.0.1", 0, app, threads=2).start() as server, dial(server) as client:
        client.sendall(b"GET /long HTTP/1.1\r\nHost: h\r\n\r\n")
        client.sendall(b"GET /after HTTP/1.1\r\nHost: h\r\n\r\n")
        for _ in range(20):
            assert exchange(server, b"GET /quick HTTP/1.0\r\n\r\n").endswith(b"/quick")
        release.set()
        assert answered(client) == b"/long"
        assert answered(client) == b"/after"


def test_a_request_that_comes_while_it_stops_is_answered():
    with serving(hello) as server, dial(server) as client:
        client.sendall(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        assert answered(client) == b"/a"
        server.begin_shutdown()
        client.sendall(b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = everything(client)
    assert answer.endswith(b"/b")
    assert b"\r\nConnection: close\r\n" in answer


def test_an_error_in_the_handler_ends_the_connection(caplog):
    class Broken(RequestHandler):
        def get_environ(self):
            raise LookupError("broken")

    with make_server("127.0.0.1", 0, hello, handler_class=Broken).start() as server:
        assert exchange(server, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n") == b""
    assert "LookupError: broken" in caplog.text


def test_a_handler_adds_to_the_environ():
    class Adding(RequestHandler):
        def get_environ(self):
            parts = f"/{self.command} {self.path} {self.request_version}"
            return super().get_environ() | {"PATH_INFO": parts}

    with make_server("127.0.0.1", 0, hello, handler_class=Adding).start() as server:
        assert exchange(server, b"GET /a HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\n/GET /a HTTP/1.0")


def test_half_a_connection_is_enough_to_be_answered():
    with serving(hello) as server, dial(server) as client:
        client.sendall(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        assert everything(client).endswith(b"/a")


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_client_that_leaves_in_a_large_body_is_no_error(reset, caplog):
    gone = Event()

    def app(environ, start_response):
        with pytest.raises(ConnectionError):
            environ["wsgi.input"].read()
        gone.set()
        return hello(environ, start_response)

    with serving(app) as server:
        with dial(server) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n")
            client.sendall(b"x" * 100_000)
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert gone.wait(10)
    assert not caplog.records


def test_a_head_in_many_pieces():
    with serving(hello) as server, dial(server) as client:
        for piece in (b"\r", b"\n", b"GE", b"T /a HT", b"TP/1.0\r\n", b"\r\n"):
            client.sendall(piece)
            time.sleep(0.01)
        assert everything(client).endswith(b"/a")


def test_a_large_answer_to_a_body_that_was_not_read():
    with serving(blocks) as server, dial(server) as client:
        client.sendall(b"POST /one HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n")
        client.sendall(b"x" * 100_000)
        time.sleep(0.05)
        answer = everything(client)
    assert answer.endswith(BLOCK)
    assert b"\r\nConnection: close\r\n" in answer[:500]


def test_an_error_in_the_server_ends_one_connection(monkeypatch, caplog):
    def broken(error, line):
        raise LookupError("broken")

    with serving(hello) as server:
        monkeypatch.setattr(loop, "refusal", broken)
        assert exchange(server, b"odd\r\n\r\n") == b""
        assert exchange(server, b"GET /a HTTP/1.0\r\n\r\n").endswith(b"/a")
    assert "LookupError: broken" in caplog.text


def test_an_error_in_the_server_after_an_answer_ends_one_connection(monkeypatch, caplog):
    release = Event()

    def app(environ, start_response):
        assert release.wait(10)
        return hello(environ, start_response)

    def broken(connection):
        monkeypatch.undo()
        raise LookupError("broken")

    with serving(app) as server, dial(server) as client:
        client.sendall(b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        until(lambda: server._loop.sockets.connections)
        monkeypatch.setattr(server._loop, "_finish", broken)
        release.set()
        assert everything(client).endswith(b"/a")
        assert exchange(server, b"GET /a HTTP/1.0\r\n\r\n").endswith(b"/a")
    assert "LookupError: broken" in caplog.text


def test_a_refusal_that_nobody_reads(monkeypatch, caplog):
    def closed(outbox, *blocks):
        raise Disconnected

    with serving(hello) as server:
        monkeypatch.setattr(Outbox, "send", closed)
        assert exchange(server, b"odd\r\n\r\n") == b""
    assert not caplog.records


def test_a_connection_that_was_just_given_back_is_not_set_aside():
    with serving(hello) as server, dial(server):
        until(lambda: server._loop.sockets.connections)
        (connection,) = server._loop.sockets.connections.values()
        assert not server._loop._set_aside(connection)


def test_what_is_given_back_at_the_end_is_closed():
    with make_server("127.0.0.1", 0, hello) as server:
        ending = loop.Loop(server)
        client, other = socket.socketpair()
        connection = Connection(client, "", {}, Limits())
        ending._returned.append(connection)
        ending._end()
        assert client.fileno() == -1
        other.close()


def test_a_stop_with_connections_over_the_limit():
    with make_server("127.0.0.1", 0, hello, limits=Limits(connections=1)).start() as server:
        with dial(server) as first:
            until(lambda: server._loop.sockets.connections)
            with dial(server):
                server.stop()
                assert everything(first) == b""


def test_a_stop_leaves_who_is_in_the_middle_of_a_head():
    with serving(hello) as server, dial(server) as client:
        server.stop_timeout = 0.05
        client.sendall(b"GET /")
        until(lambda: any(c.began for c in server._loop.sockets.connections.values()))
        server.stop()
        assert everything(client) == b""


def test_a_socket_that_is_not_connected_any_more():
    with serving(hello) as server:
        gone = Connection(socket.socket(), "", {}, Limits())
        server._loop.sockets.connections[gone.fd] = gone
        server._loop.sockets.linger(gone)
        assert gone.socket.fileno() == -1
        server._loop.sockets.close(gone)
        assert server._loop._serve(gone)  # it may still stand among those to be looked at


def test_a_loop_that_fails_ends_the_server(monkeypatch, caplog):
    with serving(hello) as server:
        monkeypatch.setattr(server._loop.sockets, "wait", lambda now: 1 / 0)
        server._loop.sockets.waker.wake()
        assert server._loop.over.wait(10)
        with pytest.raises(ConnectionRefusedError):
            dial(server)
        until(lambda: "ZeroDivisionError" in caplog.text)


def test_a_client_that_always_has_more_does_not_keep_the_loop_to_itself():
    end = Event()

    def flood(client):
        try:
            while not end.is_set():
                client.sendall(b"x" * 1_000_000)
        except OSError:
            pass  # cut, after a while

    with serving(hello) as server:
        clients = [dial(server) for _ in range(2)]
        for client in clients:
            client.sendall(b"odd\r\n\r\n")  # refused, and then read to the end
        threads = [Thread(target=flood, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for _ in range(10):
            assert exchange(server, b"GET /a HTTP/1.0\r\n\r\n").endswith(b"/a")
        end.set()
        for thread, client in zip(threads, clients, strict=True):
            client.close()
            thread.join()


def test_a_slow_reader_that_leaves_is_no_error(caplog):
    with serving(blocks) as server:
        with dial(server) as client:
            client.sendall(b"GET /one HTTP/1.1\r\nHost: h\r\n\r\n")
            client.recv(10)
            until(lambda: any(c.writing for c in server._loop.sockets.connections.values()))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: not server._loop.sockets.connections)
    assert not caplog.records


def test_at_a_stop_who_has_just_been_answered_may_ask_once_more(monkeypatch):
    monkeypatch.setattr(sockets, "RECENT", 30.0)
    request = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
    with serving(hello) as server, dial(server) as client:
        client.sendall(request)
        assert client.recv(1000).endswith(b"/a")
        stop = Thread(target=server.stop)
        stop.start()
        until(lambda: not server._loop.sockets._listeners)
        time.sleep(3 * sockets.LAST_LOOK)
        client.sendall(request)
        answer = everything(client)
        stop.join()
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"/a")


def test_at_a_stop_a_running_request_is_told_to_be_the_last():
    called, go = Event(), Event()

    def app(environ, start_response):
        called.set()
        assert go.wait(10)
        return hello(environ, start_response)

    with serving(app) as server, dial(server) as client:
        client.sendall(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        assert called.wait(10)
        server.begin_shutdown()
        until(lambda: not server._loop.sockets._listeners)
        until(lambda: all(c.last for c in server._loop.sockets.connections.values()))
        go.set()
        answer = everything(client)
    assert b"\r\nConnection: close\r\n" in answer


def test_a_server_that_shares_its_sockets_takes_clients_one_by_one_and_leaves_none():
    with make_server("127.0.0.1", 0, hello) as server:
        server.base_environ["wsgi.multiprocess"] = True
        server.start()
        clients = [dial(server) for _ in range(20)]
        for client in clients:
            client.sendall(b"GET /a HTTP/1.0\r\n\r\n")
        for client in clients:
            assert everything(client).endswith(b"/a")
            client.close()


def test_a_client_that_sends_nothing_but_line_ends_is_left():
    def flood(client):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            client.sendall(b"\r\n" * 20_000)

    with make_server("127.0.0.1", 0, hello, limits=Limits(idle=0.2)).start() as server:
        with dial(server) as client, pytest.raises(ConnectionError):
            flood(client)


def test_what_has_waited_in_vain_is_not_called_after_the_end():
    called, release = Event(), Event()
    calls = []

    def app(environ, start_response):
        calls.append(environ["PATH_INFO"])
        called.set()
        assert release.wait(10)
        return hello(environ, start_response)

    with make_server("127.0.0.1", 0, app, threads=1).start() as server:
        server.stop_timeout = 0.05
        clients = [dial(server) for _ in range(4)]
        clients[0].sendall(b"GET /0 HTTP/1.1\r\nHost: h\r\n\r\n")
        assert called.wait(10)
        for client in clients[1:]:
            client.sendall(b"GET /waits HTTP/1.1\r\nHost: h\r\n\r\n")
        until(lambda: server._loop.pool.free == -3)
        server.stop()
        release.set()
        for client in clients:
            assert everything(client) == b""
            client.close()
    assert calls == ["/0"]


def test_who_writes_after_the_end_of_a_response_is_told():
    kept = []

    def app(environ, start_response):
        kept.append(start_response("200 OK", []))
        return {"/list": [b"list"], "/some": iter([b"so", b"me"])}[environ["PATH_INFO"]]

    with serving(app) as server, dial(server) as client:
        for path in (b"/list", b"/some"):
            client.sendall(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % path)
            with client.makefile("rb") as stream:
                assert read_answer(stream).body == path[1:]
            until(lambda: not any(c.busy for c in server._loop.sockets.connections.values()))
            with pytest.raises(RuntimeError, match="after the end of the response"):
                kept.pop()(b"HTTP/1.1 200 OK\r\n\r\n")
        client.sendall(b"GET /list HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert everything(client).startswith(b"HTTP/1.1 200 OK\r\n")


def test_limits_of_months():
    limits = Limits(idle=1e9, head_time=1e9, body_time=1e9, write_stall=1e9)
    with make_server("127.0.0.1", 0, hello, limits=limits).start() as server:
        with dial(server) as client:
            client.sendall(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
            assert answered(client) == b"/a"
            client.sendall(b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n")
            assert answered(client) == b"/b"


def test_a_body_without_framing_that_is_cut_does_not_look_complete():
    limits = Limits(write_stall=0.05)
    with make_server("127.0.0.1", 0, blocks, limits=limits).start() as server:
        with dial(server) as client:
            until(lambda: server._loop.sockets.connections)
            client.sendall(b"GET /iter HTTP/1.0\r\n\r\n")
            until(lambda: not server._loop.sockets.connections)
            with pytest.raises(ConnectionResetError):
                everything(client)
