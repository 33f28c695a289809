from __future__ import annotations

import json
import logging
import re
import time
from io import BytesIO, StringIO
from types import SimpleNamespace
from urllib.request import urlopen
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Router, stack
from wsgikit.access import Access, as_json, combined
from wsgikit.keys import LOGGED
from wsgikit.middleware import access_log, errors, request_id, trace_context
from wsgikit.testing import serving

TEXT = [("Content-Type", "text/plain")]
CLIENT = {"REMOTE_ADDR": "192.0.2.7", "SERVER_PROTOCOL": "HTTP/1.1"}

LINE = re.compile(
    r"(?P<client>\S+) - (?P<user>\S+) \[(?P<time>[^]]+)\]"
    r' "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}|-) (?P<bytes>\d+|-)'
    r' "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"'
    r" (?P<seconds>\d+\.\d{6}) (?P<outcome>\w+)"
)


def hello(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"hello"]


@pytest.fixture
def lines(caplog):
    """The lines that were logged."""
    caplog.set_level(logging.INFO, "wsgikit.access")
    return SimpleNamespace(
        all=lambda: [r.getMessage() for r in caplog.records if r.name == "wsgikit.access"],
        last=lambda: caplog.records[-1].getMessage(),
    )


def checked(*parts):
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))), extra_environ=CLIENT)


def asked(app=hello, environ=(), **options):
    """The line of one request of a client that sends what no server would let through."""
    written = []
    inner = options.pop("format", combined)
    logging.getLogger("tests.access").setLevel(logging.INFO)

    def format(access):
        written.append(inner(access))
        return None

    app = access_log(app, format=format, logger="tests.access", **options)
    full = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", **CLIENT, **dict(environ)}
    body = app(full, lambda status, headers, exc_info=None: lambda block: None)
    list(body)
    body.close()
    (line,) = written
    return line


# The combined format


def test_a_request_is_a_line(lines):
    fields = {"Referer": "http://a.example/b", "User-Agent": "curl/8"}
    checked(access_log(), hello).get("/a%20b?c=d", headers=fields)
    (line,) = lines.all()
    found = LINE.fullmatch(line).groupdict()
    assert 0 < float(found.pop("seconds")) < 60
    moment = time.strptime(found.pop("time"), "%d/%b/%Y:%H:%M:%S %z")
    assert (
        abs(time.time() - time.mktime(moment) + moment.tm_gmtoff - time.localtime().tm_gmtoff) < 60
    )
    assert found == {
        "client": "192.0.2.7",
        "user": "-",
        "request": "GET /a%20b?c=d HTTP/1.1",
        "status": "200",
        "bytes": "5",
        "referer": "http://a.example/b",
        "agent": "curl/8",
        "outcome": "complete",
    }


def test_it_is_logged_once_the_response_is_over(lines):
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        yield b"a"
        assert lines.all() == []
        yield b"b"

    assert checked(access_log(), app).get("/").text == "ab"
    assert '" 200 2 "' in lines.last()


def test_the_user_whom_the_application_found():
    def app(environ, start_response):
        environ["REMOTE_USER"] = "Ada L"
        return hello(environ, start_response)

    assert LINE.fullmatch(asked(app))["user"] == r"Ada\x20L"


# What came of it


def outcome_of(app, **environ):
    found = LINE.fullmatch(asked(app, environ))
    return found["status"], found["bytes"], found["outcome"]


def test_bytes_of_write_count():
    def app(environ, start_response):
        start_response("200 OK", TEXT)(b"written, ")
        return [b"returned"]

    assert outcome_of(app) == ("200", "17", "complete")


def test_head_has_no_bytes():
    assert outcome_of(hello, REQUEST_METHOD="HEAD") == ("200", "0", "complete")


@pytest.mark.parametrize(
    ("fields", "bytes_"), [([("Content-Length", "4")], "4"), ([], "-")], ids=["told", "not"]
)
def test_a_file_stays_recognisable_and_its_length_is_what_it_tells(fields, bytes_, lines):
    def app(environ, start_response):
        start_response("200 OK", [*TEXT, *fields])
        return FileWrapper(BytesIO(b"file"))

    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
    body = access_log(app)(environ, lambda status, headers, exc_info=None: None)
    assert type(body) is FileWrapper
    body.close()
    found = LINE.fullmatch(lines.last())
    assert (found["bytes"], found["outcome"]) == (bytes_, "complete")


def test_a_body_that_was_broken_off(lines):
    closed = []

    class Body:
        def __iter__(self):
            yield from (b"a", b"b", b"c")

        def close(self):
            closed.append(1)

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return Body()

    environ = {"REQUEST_METHOD": "GET"}
    body = access_log(app)(environ, lambda status, headers, exc_info=None: None)
    next(iter(body))
    body.close()
    found = LINE.fullmatch(lines.last())
    assert (found["status"], found["bytes"], found["outcome"]) == ("200", "1", "aborted")
    assert closed == [1]


def failing(*blocks):
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        yield from blocks
        raise LookupError

    return app


@pytest.mark.parametrize(("blocks", "status"), [((), "500"), ((b"a",), "200")])
def test_an_application_that_failed(blocks, status, lines):
    with pytest.raises(LookupError):
        TestApp(access_log(failing(*blocks))).get("/")
    found = LINE.fullmatch(lines.last())
    assert (found["status"], found["outcome"]) == (status, "failed")


def test_the_answer_to_a_failure_is_what_the_client_got(lines):
    checked(access_log(), errors(), failing()).get("/", status=500)
    found = LINE.fullmatch(lines.all()[0])
    assert (found["status"], found["outcome"]) == ("500", "complete")


def test_a_status_that_is_none():
    def app(environ, start_response):
        start_response("fine", TEXT)
        return []

    assert outcome_of(app) == ("-", "0", "complete")


# The path


def test_a_router_moves_the_path_about_and_the_line_has_it_all(lines):
    inner, outer = Router(), Router()
    inner.get("/c")(lambda request: "text")
    outer.mount("/b", inner)
    app = TestApp(access_log(outer), extra_environ={"SCRIPT_NAME": "/a"})
    app.get("/a/b/c?d=e")
    assert '"GET /a/b/c?d=e HTTP/1.0"' in lines.last()


def test_an_application_that_changes_its_environ_changes_no_line(lines):
    def app(environ, start_response):
        environ.update(REQUEST_METHOD="DELETE", PATH_INFO="/other", QUERY_STRING="x")
        return hello(environ, start_response)

    checked(access_log(), app).get("/a?b")
    assert '"GET /a?b HTTP/1.1"' in lines.last()


@pytest.mark.parametrize("key", ["REQUEST_URI", "RAW_URI"])
def test_a_target_that_the_server_has_kept_is_told_as_it_came(key):
    line = asked(environ={key: "/a%2Fb/%2e%2e?c=%41", "PATH_INFO": "/a/b/.."})
    assert LINE.fullmatch(line)["request"] == "GET /a%2Fb/%2e%2e?c=%41 HTTP/1.1"


# JSON


def test_json(lines):
    fields = {
        "User-Agent": "Ada\xc3\xa9",  # the bytes of é in UTF-8
        "Referer": "http://a.example/?token=x",
        "X-Request-ID": "it",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    router = Router()
    router.get("/items/{id}")(lambda request, id: "text")
    app = checked(access_log(format=as_json), request_id(), trace_context(), router)
    app.get("/items/3?a=b", headers=fields)
    line = lines.last()
    assert line.isascii()
    found = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found.pop("time"))
    assert 0 < found.pop("seconds") < 60
    assert found == {
        "client": "192.0.2.7",
        "user": None,
        "method": "GET",
        "target": "/items/3?a=b",
        "protocol": "HTTP/1.1",
        "host": "localhost:80",
        "route": "GET /items/{id}",
        "status": 200,
        "bytes": 4,
        "outcome": "complete",
        "referer": "http://a.example/?token=[redacted]",
        "user_agent": "Ada\xe9",
        "request_id": "it",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }


# Formats of one's own, and options


def test_a_format_of_ones_own_cannot_break_the_line(lines):
    def format(access):
        return f"{access.get('HTTP_USER_AGENT')} \u20ac \ud800"

    app = access_log(hello, format=format)
    environ = {"REQUEST_METHOD": "GET", "HTTP_USER_AGENT": "a\nforged\x1b[2J\u2028"}
    body = app(environ, lambda status, headers, exc_info=None: None)
    list(body)
    body.close()
    assert lines.last() == r"a\nforged\x1b[2J\u2028 € \ud800"


def test_a_format_may_leave_a_request_out(lines):
    def format(access: Access) -> str | None:
        return None if access.target == "/health" else f"{access.status} {access.target}"

    app = checked(access_log(format=format), hello)
    app.get("/health")
    app.get("/a")
    assert lines.all() == ["200 /a"]


def test_percent_signs_are_no_format(lines):
    checked(access_log(format=lambda access: "100% of %s"), hello).get("/")
    assert lines.last() == "100% of %s"


@pytest.mark.parametrize("wrong", [lambda access: 1 / 0, lambda access: 42], ids=["raises", "int"])
def test_a_format_that_fails_is_told_and_the_response_is_none_the_worse(wrong, caplog):
    caplog.set_level(logging.INFO, "wsgikit.access")
    assert checked(access_log(format=wrong), hello).get("/").text == "hello"
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == (
        "wsgikit.errors",
        "access_log could not write its line",
    )


def test_another_logger(caplog):
    caplog.set_level(logging.INFO, "shop.visits")
    checked(access_log(logger="shop.visits"), hello).get("/")
    assert [record.name for record in caplog.records] == ["shop.visits"]


def test_a_logger_that_is_off_costs_nothing(caplog):
    caplog.set_level(logging.WARNING, "wsgikit.access")
    body = [b"text"]
    environ = {}
    assert access_log(lambda environ, start_response: body)(environ, None) is body
    assert environ == {}
    assert caplog.records == []


def test_the_server_is_told_that_there_will_be_a_line(lines):
    def app(environ, start_response):
        assert environ[LOGGED] is True
        return hello(environ, start_response)

    checked(access_log(), app).get("/")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"format": "combined"}, "format takes a function"), ({"secret": ["a"]}, "secret takes a")],
)
def test_options_are_checked(options, message):
    with pytest.raises(TypeError, match=message):
        access_log(hello, **options)


# Servers


def test_over_a_connection(lines):
    with serving(access_log(hello)) as server, urlopen(f"{server.url}/a?token=1") as answer:
        assert answer.read() == b"hello"
    line = next(line for line in lines.all() if "redacted" in line)
    found = LINE.fullmatch(line)
    assert (found["client"], found["request"]) == ("127.0.0.1", "GET /a?token=[redacted] HTTP/1.1")
    assert (found["status"], found["bytes"], found["outcome"]) == ("200", "5", "complete")


def test_a_client_that_goes_away_is_told_under_the_stock_server(lines):
    class Gone(BytesIO):
        def write(self, data):
            raise BrokenPipeError

    environ = {"REQUEST_METHOD": "GET", "SERVER_NAME": "a", "SERVER_PORT": "80", **CLIENT}
    handler = SimpleHandler(BytesIO(), Gone(), StringIO(), environ, False, False)
    handler.run(access_log(hello))
    assert lines.last().endswith(" aborted")
