"""Where other servers were seen to fail: each trap over a real connection.

A connection that was refused or cut ends; on one that is kept, the next answer is the next answer.
"""

from __future__ import annotations

import socket
import sys
import time
from contextlib import ExitStack
from threading import Event

import pytest

from tests.server.wire import Closed, Cut, read_answer
from wsgikit.server import make_server
from wsgikit.testing import serving

pytestmark = pytest.mark.usefixtures("ways")


def told(environ, start_response):
    """Answers with what it was asked."""
    keys = ("REQUEST_METHOD", "PATH_INFO", "HTTP_HOST", "HTTP_COOKIE")
    body = " ".join(environ.get(key, "-") for key in keys).encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body, environ["wsgi.input"].read()]


def dial(server):
    return socket.create_connection((server.host, server.port), timeout=10)


def answers(server, data, *methods):
    """What the server answers until it ends the connection; fails where it does not."""
    with dial(server) as client, client.makefile("rb") as stream:
        client.sendall(data)
        found = []
        methods = iter(methods)
        while True:
            try:
                found.append(read_answer(stream, next(methods, "GET")))
            except Closed:
                return found


def get(path="/", *fields, host="h", method="GET", version="1.1", body=b""):
    lines = [f"{method} {path} HTTP/{version}", *fields, "", ""]
    if host is not None:
        lines.insert(1, f"Host: {host}")
    return "\r\n".join(lines).encode("latin-1") + body


LAST = get("/last", "Connection: close")


def assert_refused(found, status):
    """One answer, which ends the connection."""
    (answer,) = found
    assert (answer.status, answer.fields["connection"]) == (status, "close")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(get(host=None), id="none"),
        pytest.param(get("http://h/", host=None), id="none beside an absolute target"),
        pytest.param(get("/", "Host: h"), id="two"),
        pytest.param(get(host="a b"), id="space"),
        pytest.param(get(host="a/b"), id="slash"),
        pytest.param(get(host="a?b"), id="question mark"),
        pytest.param(get(host="user@h"), id="userinfo"),
        pytest.param(get(host="h:port"), id="port that is no number"),
        pytest.param(get(host="h:1:2"), id="two ports"),
        pytest.param(get(host="[::1"), id="open bracket"),
        pytest.param(get(host="[h]"), id="name in brackets"),
        pytest.param(get(host="a%zz"), id="percent that encodes nothing"),
        pytest.param(get(host="\xe9"), id="no ASCII"),
        pytest.param(get(host="a b", version="1.0"), id="malformed under HTTP/1.0"),
    ],
)
def test_a_missing_or_malformed_host_is_refused(data):
    with serving(told) as server:
        assert_refused(answers(server, data + LAST), 400)


def test_the_authority_of_an_absolute_target_takes_the_place_of_the_host():
    with serving(told) as server:
        first, second = answers(server, get("http://there:8/p?q", host="here") + LAST)
        assert (first.body, second.body) == (b"GET /p there:8 -", b"GET /last h -")


@pytest.mark.parametrize("target", ["http:///p", "http://:80/p", "http://u@h/", "ftp://h/", "h:1"])
def test_an_absolute_target_without_a_proper_authority_is_refused(target):
    with serving(told) as server:
        assert_refused(answers(server, get(target) + LAST), 400)


@pytest.mark.parametrize(
    "fields",
    [["Connection: foo, Close"], ["Connection: foo", "Connection: CLOSE"], ["Connection:\tclose "]],
    ids=["in a list", "in a second field", "between blanks"],
)
def test_connection_close_is_obeyed_wherever_it_stands(fields):
    with serving(told) as server:
        (answer,) = answers(server, get("/a", *fields) + LAST)
        assert (answer.body, answer.fields["connection"]) == (b"GET /a h -", "close")


SMUGGLED = get("/smuggled")


@pytest.mark.parametrize(
    "fields",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Transfer-Encoding: chunked", "Content-Length: 0"],
    ],
    ids=["length first", "coding first", "length 0"],
)
def test_a_length_with_chunked_is_refused_and_ends_the_connection(fields):
    with serving(told) as server:
        data = get("/", *fields, method="POST", body=b"0\r\n\r\n" + SMUGGLED)
        assert_refused(answers(server, data), 400)


def test_chunked_under_http_1_0_is_refused_and_ends_the_connection():
    fields = ("Transfer-Encoding: chunked", "Connection: keep-alive")
    with serving(told) as server:
        data = get("/", *fields, method="POST", version="1.0", body=b"0\r\n\r\n" + SMUGGLED)
        assert_refused(answers(server, data), 400)


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_http_1_0_gets_no_chunks(connection):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"ab"
        yield b"cd"

    with serving(app) as server:
        data = get("/", f"Connection: {connection}", version="1.0")
        (answer,) = answers(server, data)
        assert "transfer-encoding" not in answer.fields
        assert (answer.body, answer.fields["connection"]) == (b"abcd", "close")


def test_repeated_cookie_fields_are_joined_with_a_semicolon():
    with serving(told) as server:
        (answer,) = answers(server, get("/", "Cookie: a=1", "Connection: close", "cookie: b=2"))
        assert answer.body == b"GET / h a=1; b=2"


def test_continue_is_sent_when_the_application_reads_and_not_before():
    called, read = Event(), Event()

    def app(environ, start_response):
        called.set()
        assert read.wait(10)
        return told(environ, start_response)

    with serving(app) as server, dial(server) as client, client.makefile("rb") as stream:
        client.sendall(get("/", "Content-Length: 2", "Expect: 100-continue", method="POST"))
        assert called.wait(10)
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        read.set()
        assert read_answer(stream).status == 100
        client.sendall(b"ok")
        assert read_answer(stream).body.endswith(b"ok")


def test_continue_is_still_sent_after_early_hints():
    def app(environ, start_response):
        environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
        return told(environ, start_response)

    with serving(app) as server, dial(server) as client, client.makefile("rb") as stream:
        client.sendall(get("/", "Content-Length: 2", "Expect: 100-continue", method="POST"))
        assert [read_answer(stream).status for _ in range(2)] == [103, 100]
        client.sendall(b"ok")
        assert read_answer(stream).body.endswith(b"ok")


def as_list(start_response, path):
    start_response("200 OK", [])
    return [b"body"]


def as_generator(start_response, path):
    start_response("200 OK", [])
    yield b"bo"
    yield b"dy"


def as_written(start_response, path):
    start_response("200 OK", [])(b"body")
    return []


def with_length(start_response, path):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"body"]


@pytest.mark.parametrize("body", [as_list, as_generator, as_written, with_length])
def test_head_has_no_body_whatever_the_application_gives(body):
    def app(environ, start_response):
        return body(start_response, environ["PATH_INFO"])

    with serving(app) as server:
        data = get(method="HEAD") + get() + get(method="HEAD") + LAST
        found = answers(server, data, "HEAD", "GET", "HEAD", "GET")
    assert [answer.body for answer in found] == [b"", b"body", b"", b"body"]


def test_a_refused_head_has_no_body():
    with serving(told) as server, dial(server) as client, client.makefile("rb") as stream:
        client.sendall(get("/", "Content-Length: x", method="HEAD"))
        answer = read_answer(stream, "HEAD")
        assert answer.status == 400
        assert int(answer.fields["content-length"]) > 0
        assert stream.read() == b""


def test_exc_info_replaces_the_fields_that_stood_there_before():
    def app(environ, start_response):
        start_response("200 OK", [("X-Old", "1"), ("Set-Cookie", "secret=1")])
        try:
            raise LookupError
        except LookupError:
            start_response("503 Busy", [("X-New", "2")], sys.exc_info())
        return [b"busy"]

    with serving(app) as server:
        (answer,) = answers(server, LAST)
    assert (answer.status, answer.body, answer.fields["x-new"]) == (503, b"busy", "2")
    assert not {"x-old", "set-cookie"} & set(answer.fields)


def test_an_empty_first_block_sends_no_head():
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b""
        try:
            raise LookupError
        except LookupError:
            start_response("503 Busy", [], sys.exc_info())
        yield b"busy"

    with serving(app) as server:
        (answer,) = answers(server, LAST)
    assert (answer.status, answer.body) == (503, b"busy")


@pytest.mark.parametrize("kind", ["list", "generator", "write", "file", "nothing"])
def test_too_few_bytes_end_the_connection_and_nothing_fills_them(kind, tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"short")

    def app(environ, start_response):
        write = start_response("200 OK", [("Content-Length", "100")])
        if kind == "write":
            write(b"short")
        if kind == "file":
            return environ["wsgi.file_wrapper"]((tmp_path / "file").open("rb"))
        body = [] if kind in ("write", "nothing") else [b"short"]
        return iter(body) if kind == "generator" else body

    with serving(app) as server, dial(server) as client, client.makefile("rb") as stream:
        client.sendall(get() + get())
        with pytest.raises(Cut, match="100" if kind == "nothing" else "95"):
            read_answer(stream)
    assert "shorter than its Content-Length" in caplog.text


def test_too_many_bytes_are_not_taken_for_the_next_answer(caplog):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "3")])
        return [b"abcHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"]

    with serving(app) as server:
        (answer,) = answers(server, get() + get())
    assert answer.body == b"abc"
    assert "longer than its Content-Length" in caplog.text


@pytest.mark.parametrize(
    "lengths",
    [["4", "5"], ["4", "4"], ["-1"], ["4, 4"], ["+4"], ["0x4"], ["4 4"], [""], ["٤"]],
    ids=["contradictory", "twice", "negative", "list", "sign", "hex", "two", "empty", "Arabic"],
)
def test_an_odd_length_of_the_application_is_its_error_and_not_sent(lengths, caplog):
    def app(environ, start_response):
        if environ["PATH_INFO"] == "/last":
            return told(environ, start_response)
        start_response("200 OK", [("Content-Length", length) for length in lengths])
        return [b"body"]

    with serving(app) as server:
        first, last = answers(server, get() + LAST)
    assert (first.status, last.body) == (500, b"GET /last h -")
    assert "Content-Length is one decimal number" in caplog.text


@pytest.mark.parametrize("size", ["10000000000000000", "FFFFFFFFFFFFFFFF", "7fffffffffffffff"])
def test_a_chunk_of_two_to_the_64_is_refused(size):
    data = get("/", "Transfer-Encoding: chunked", method="POST", body=f"{size}\r\n".encode())
    with serving(told) as server:
        assert_refused(answers(server, data + b"x" * 1000), 400 if len(size) > 15 else 413)


BLOCK = b"z" * 1_000_000


def much(environ, start_response):
    """A stream that no buffer holds, but for the quick."""
    if environ["PATH_INFO"] != "/stall":
        return told(environ, start_response)
    environ["wsgi.input"].read()
    start_response("200 OK", [])
    return iter([BLOCK] * 20)


@pytest.mark.parametrize(
    "stalled",
    [
        pytest.param(get("/stall")[:-2], id="in the head"),
        pytest.param(
            get("/stall", "Content-Length: 60000", method="POST", body=b"x"), id="in a body"
        ),
        pytest.param(
            get("/stall", "Content-Length: 200000", method="POST", body=b"x" * 100_000),
            id="in a large body",
        ),
        pytest.param(
            get("/stall", "Content-Length: 9", "Expect: 100-continue", method="POST"),
            id="after 100 Continue",
        ),
        pytest.param(get("/stall"), id="in a long answer"),
    ],
)
def test_thirty_clients_that_stall_hold_up_nobody(stalled):
    with (
        make_server("127.0.0.1", 0, much, threads=8) as server,
        ExitStack() as clients,
    ):
        server.stop_timeout = 0.1
        server.start()
        for _ in range(30):
            clients.enter_context(dial(server)).sendall(stalled)
        time.sleep(0.2)
        began = time.monotonic()
        for _ in range(5):
            assert answers(server, LAST)[0].body == b"GET /last h -"
        assert time.monotonic() - began < 5
