from __future__ import annotations

import io
import sys
from wsgiref.validate import validator

import pytest

from wsgikit.http.problem import HTTPError
from wsgikit.server.blocking import BlockingChannel
from wsgikit.server.handler import BASE_ENVIRON
from wsgikit.server.head import RequestHead
from wsgikit.server.limits import Limits
from wsgikit.server.writer import ResponseWriter


class Connection(io.RawIOBase):
    """Keeps what is written, one item a write."""

    def __init__(self):
        self.sent = []

    def writable(self):
        return True

    def write(self, data):
        self.sent.append(bytes(data))
        return len(data)


def answer(app, method="GET", version="HTTP/1.1", *, keep_alive=True, wfile=None):
    """What ``app`` puts on the connection: (head lines without Date, body, writer)."""
    environ = BASE_ENVIRON | {
        "REQUEST_METHOD": method,
        "SERVER_PROTOCOL": version,
        "REQUEST_URI": "/",
        "PATH_INFO": "/",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "h",
        "SERVER_PORT": "80",
    }
    wfile = wfile or Connection()
    channel = BlockingChannel(io.BytesIO(), wfile, {}, Limits())
    channel.head = RequestHead(f"{method} / {version}", environ)
    channel.keep = keep_alive
    writer = ResponseWriter(channel, environ, sys.stderr)
    writer.run(app)
    head, _, body = b"".join(wfile.sent).partition(b"\r\n\r\n")
    lines = [line for line in head.decode("latin-1").split("\r\n") if line[:5] != "Date:"]
    return lines, body, writer


def answering(*blocks, status="200 OK", headers=()):
    def app(environ, start_response):
        start_response(status, list(headers))
        return list(blocks)

    return app


def streaming(*blocks, headers=()):
    def app(environ, start_response):
        start_response("200 OK", list(headers))
        yield from blocks

    return app


def test_one_block_gets_its_length():
    lines, body, writer = answer(answering(b"hello"))
    assert lines == ["HTTP/1.1 200 OK", "Server: wsgikit", "Content-Length: 5"]
    assert (body, writer.channel.keep, writer.bytes_sent) == (b"hello", True, 5)


def test_head_and_first_block_are_one_write():
    wfile = Connection()
    answer(answering(b"hello"), wfile=wfile)
    assert len(wfile.sent) == 1


@pytest.mark.parametrize("blocks", [(), (b"",), (b"", b"")], ids=["none", "one", "two"])
def test_an_empty_body_has_length_0(blocks):
    lines, body, _ = answer(answering(*blocks))
    assert "Content-Length: 0" in lines
    assert body == b""


def test_a_stream_is_chunked_to_http_1_1():
    lines, body, writer = answer(streaming(b"a", b"", b"b" * 17))
    assert lines[-1] == "Transfer-Encoding: chunked"
    assert body == b"1\r\na\r\n11\r\n" + b"b" * 17 + b"\r\n0\r\n\r\n"
    assert writer.channel.keep
    assert writer.bytes_sent == 18


def test_a_stream_to_http_1_0_ends_with_the_connection():
    lines, body, writer = answer(streaming(b"a", b"b"), version="HTTP/1.0")
    assert lines[-1] == "Connection: close"
    assert (body, writer.channel.keep) == (b"ab", False)


def test_an_http_1_0_connection_that_is_kept_says_so():
    lines, _, writer = answer(answering(b"a"), version="HTTP/1.0")
    assert lines[-1] == "Connection: keep-alive"
    assert writer.channel.keep


def test_a_connection_that_is_not_kept_says_so():
    lines, _, _ = answer(answering(b"a"), keep_alive=False)
    assert lines[-1] == "Connection: close"


@pytest.mark.parametrize(
    ("method", "status", "blocks", "headers", "length"),
    [
        pytest.param("HEAD", "200 OK", (b"abc",), (), "3", id="HEAD with a body"),
        pytest.param("HEAD", "200 OK", (), (), None, id="HEAD without"),
        pytest.param("HEAD", "200 OK", (), [("Content-Length", "7")], "7", id="HEAD with length"),
        pytest.param("GET", "204 No Content", (b"x",), [("Content-Length", "1")], None, id="204"),
        pytest.param("GET", "304 Not Modified", (b"x",), (), None, id="304"),
        pytest.param("GET", "205 Reset Content", (b"x",), [("Content-Length", "1")], "0", id="205"),
        pytest.param("HEAD", "205 Reset Content", (), (), "0", id="205 for HEAD"),
    ],
)
def test_responses_without_a_body(method, status, blocks, headers, length):
    lines, body, writer = answer(answering(*blocks, status=status, headers=headers), method)
    assert (body, writer.channel.keep) == (b"", True)
    lengths = [line[16:] for line in lines if line.startswith("Content-Length")]
    assert lengths == ([] if length is None else [length])
    assert not any(line.startswith("Transfer-Encoding") for line in lines)


def test_head_does_not_exhaust_an_endless_body():
    def app(environ, start_response):
        start_response("200 OK", [])
        while True:
            yield b"tick"

    assert answer(app, "HEAD")[1] == b""


def test_the_blocks_of_write_come_first():
    def app(environ, start_response):
        write = start_response("200 OK", [])
        write(b"a")
        return [b"b"]

    assert answer(app)[1] == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"


def test_a_body_longer_than_its_length_is_cut(caplog):
    _, body, writer = answer(streaming(b"ab", b"cd", headers=[("Content-Length", "3")]))
    assert (body, writer.channel.keep) == (b"abc", False)
    assert "longer than its Content-Length" in caplog.text


def test_a_body_shorter_than_its_length_ends_the_connection(caplog):
    _, body, writer = answer(answering(b"ab", headers=[("Content-Length", "3")]))
    assert (body, writer.channel.keep) == (b"ab", False)
    assert "1 bytes shorter than its Content-Length" in caplog.text


def test_an_error_before_the_head_is_a_500(caplog):
    def app(environ, start_response):
        environ.clear()
        start_response("200 OK", [("X-Secret", "1")])
        raise LookupError("nope")

    lines, body, writer = answer(app)
    assert lines[0] == "HTTP/1.1 500 Internal Server Error"
    assert "X-Secret: 1" not in lines
    assert writer.channel.keep
    assert b"nope" not in body
    assert "Error in the application at GET /" in caplog.text
    assert "LookupError: nope" in caplog.text


def test_an_error_after_the_head_cuts_the_body(caplog):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        sys.exit("done")

    _, body, writer = answer(app)
    assert (body, writer.channel.keep) == (b"1\r\na\r\n", False)
    assert "SystemExit" in caplog.text


def test_exc_info_replaces_what_was_not_sent():
    def app(environ, start_response):
        start_response("200 OK", [("X-A", "1")])
        try:
            raise LookupError
        except LookupError:
            start_response("503 Busy", [("X-B", "2")], sys.exc_info())
        return [b"busy"]

    lines, _, _ = answer(app)
    assert lines == ["HTTP/1.1 503 Busy", "X-B: 2", "Server: wsgikit", "Content-Length: 4"]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        pytest.param("200 OK\r\nX: 1", [], id="status with a line break"),
        pytest.param("100 Continue", [], id="interim status"),
        pytest.param("OK", [], id="no status code"),
        pytest.param("200 OK", [("A", "b\r\nX: 1")], id="value with a line break"),
        pytest.param("200 OK", [("A b", "c")], id="name that is no token"),
        pytest.param("200 OK", [("Connection", "close")], id="hop-by-hop"),
        pytest.param("200 OK", [("Content-Length", "-1")], id="negative length"),
        pytest.param("200 OK", [("Content-Length", "\xb2")], id="length in superscript"),
        pytest.param("200 OK", [("Content-Length", "1")] * 2, id="two lengths"),
    ],
)
def test_what_would_break_the_response_is_a_500(status, headers):
    lines, _, _ = answer(answering(b"x", status=status, headers=headers))
    assert lines[0] == "HTTP/1.1 500 Internal Server Error"


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(lambda environ, start_response: [], id="no start_response, no body"),
        pytest.param(lambda environ, start_response: [b"x"], id="no start_response"),
        pytest.param(answering("text"), id="text"),
        pytest.param(lambda environ, start_response: None, id="None"),
        pytest.param(None, id="no application"),
    ],
)
def test_what_is_no_application_is_a_500(app, caplog):
    assert answer(app)[0][0] == "HTTP/1.1 500 Internal Server Error"


class Body(list):
    closed = 0
    error = None

    def close(self):
        self.closed += 1
        if self.error:
            raise self.error


@pytest.mark.parametrize("blocks", [[b"a"], ["text"], []], ids=["sent", "failing", "empty"])
def test_the_body_is_closed_once(blocks):
    result = Body(blocks)

    def app(environ, start_response):
        start_response("200 OK", [])
        return result

    answer(app)
    assert result.closed == 1


def test_an_error_in_close_is_no_second_response(caplog):
    result = Body([b"a"])
    result.error = LookupError("in close")

    def app(environ, start_response):
        start_response("200 OK", [])
        return result

    lines, body, writer = answer(app)
    assert lines[0] == "HTTP/1.1 200 OK"
    assert (body, writer.channel.keep, result.closed) == (b"a", False, 1)
    assert "in close" in caplog.text


def test_an_own_connection_error_of_the_application_is_its_error():
    def app(environ, start_response):
        raise BrokenPipeError("of the database")

    assert answer(app)[0][0] == "HTTP/1.1 500 Internal Server Error"


def test_a_client_that_left_is_no_error(caplog):
    class Left(Connection):
        def write(self, data):
            raise BrokenPipeError

    result = Body([b"a", b"b"])

    def app(environ, start_response):
        start_response("200 OK", [])
        return result

    _, _, writer = answer(app, wfile=Left())
    assert (writer.channel.keep, result.closed) == (False, 1)
    assert not caplog.records


def test_the_body_of_a_file_wrapper_is_sent_and_closed():
    file = io.BytesIO(b"x" * 20_000)

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "20000")])
        return environ["wsgi.file_wrapper"](file)

    assert answer(app)[1] == b"x" * 20_000
    assert file.closed


def test_a_valid_application_sees_a_valid_server():
    headers = [("Content-Type", "text/plain")]
    lines, body, _ = answer(validator(answering(b"a", headers=headers)))
    assert lines[0] == "HTTP/1.1 200 OK"
    assert body == b"1\r\na\r\n0\r\n\r\n"


def test_the_environment_of_the_process_is_not_the_requests(monkeypatch):
    monkeypatch.setenv("HTTP_X_INJECTED", "1")
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        return answering(b"")(environ, start_response)

    answer(app)
    assert "PATH" not in seen
    assert "HTTP_X_INJECTED" not in seen


def test_exc_info_after_the_head_is_raised(caplog):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        try:
            raise LookupError("late")
        except LookupError:
            start_response("500 Late", [], sys.exc_info())

    lines, body, writer = answer(app)
    assert (lines[0], body, writer.channel.keep) == ("HTTP/1.1 200 OK", b"1\r\na\r\n", False)
    assert "LookupError: late" in caplog.text


def test_start_response_is_called_once(caplog):
    def app(environ, start_response):
        start_response("200 OK", [])
        return answering(b"a")(environ, start_response)

    assert answer(app)[0][0] == "HTTP/1.1 500 Internal Server Error"
    assert "start_response was called before" in caplog.text


def test_a_client_that_left_before_the_error_is_no_second_error(caplog):
    class Left(Connection):
        def write(self, data):
            raise BrokenPipeError

    def app(environ, start_response):
        raise LookupError("told once")

    assert not answer(app, wfile=Left())[2].channel.keep
    assert len(caplog.records) == 1


def test_date_and_server_of_the_application_take_the_place_of_ours():
    headers = [("DATE", "Mon, 23 Nov 2026 12:00:00 GMT"), ("server", "mine")]
    wfile = Connection()
    answer(answering(b"a", headers=headers), wfile=wfile)
    head = b"".join(wfile.sent)
    assert head.count(b"Date: ") == head.count(b"Server: ") == 1
    assert b"\r\nServer: mine\r\n" in head


def test_an_http_error_is_answered_and_not_logged(caplog):
    def app(environ, start_response):
        raise HTTPError(422, "no")

    lines, body, _ = answer(app)
    assert (lines[0], body) == ("HTTP/1.1 422 Unprocessable Content", b"no\n")
    assert not caplog.records


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ([("Allow", "GET")], ["Content-Type: text/plain; charset=utf-8", "Allow: GET"]),
        ([("content-type", "text/x")], ["content-type: text/x"]),
    ],
    ids=["more", "another type"],
)
def test_an_http_error_has_its_fields(headers, fields):
    def app(environ, start_response):
        raise HTTPError(405, "no ünd no", headers=headers)

    lines, body, _ = answer(app)
    assert lines[0] == "HTTP/1.1 405 Method Not Allowed"
    assert [line for line in lines if line.lower().startswith(("content-type", "allow"))] == fields
    assert body == "no ünd no\n".encode()


def test_an_http_error_that_comes_too_late_is_told(caplog):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        raise HTTPError(503, "no")

    _, body, writer = answer(app)
    assert body == b"1\r\na\r\n"
    assert not writer.channel.keep
    assert caplog.messages == [
        "The response to GET / HTTP/1.1 breaks off: 503 Service Unavailable: no"
    ]


def test_a_list_of_blocks_is_one_body_of_known_length():
    wfile = Connection()
    lines, body, _ = answer(answering(b"a", b"", b"bc"), wfile=wfile)
    assert "Content-Length: 3" in lines
    assert (body, len(wfile.sent)) == (b"abc", 1)
