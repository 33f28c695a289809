from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.problem import HTTPError
from wsgikit.server.head import MAX_FIELDS, parse_head


def get(target: str = "/", *fields: str, version: str = "1.1", method: str = "GET") -> bytes:
    lines = [f"{method} {target} HTTP/{version}", "Host: h", *fields]
    return "".join(line + "\r\n" for line in lines).encode("latin-1")


def test_a_plain_request():
    head = parse_head(get("/a?b=c"))
    assert (head.method, head.target, head.version) == ("GET", "/a?b=c", "HTTP/1.1")
    assert (head.path, head.query, head.host) == ("/a", "b=c", "h")
    assert (head.length, head.keep_alive, head.expects_continue) == (0, True, False)


def test_the_environ_of_a_request():
    fields = ("Content-Type: text/plain", "Content-Length:  3", "X-A: \t1 ", "x-a: 2")
    assert parse_head(get("/%C3%A9%2f?q=%20", *fields)).environ() == {
        "REQUEST_METHOD": "GET",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REQUEST_URI": "/%C3%A9%2f?q=%20",
        "RAW_URI": "/%C3%A9%2f?q=%20",
        "PATH_INFO": "/\xc3\xa9/",
        "QUERY_STRING": "q=%20",
        "HTTP_HOST": "h",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "3",
        "HTTP_X_A": "1, 2",
    }


def test_an_http_1_0_request_needs_no_host():
    head = parse_head(b"GET / HTTP/1.0\r\n")
    assert head.host is None
    assert "HTTP_HOST" not in head.environ()


def test_repeated_cookies_are_one_cookie_field():
    environ = parse_head(get("/", "Cookie: a=1", "Cookie: b=2")).environ()
    assert environ["HTTP_COOKIE"] == "a=1; b=2"


def test_a_field_with_an_underscore_does_not_pose_as_another():
    environ = parse_head(get("/", "X_Real_IP: 6.6.6.6")).environ()
    assert not [key for key in environ if "REAL" in key]


def test_raw_bytes_in_the_path_stay_bytes():
    assert parse_head(get("/\xc3\xa9")).environ()["PATH_INFO"] == "/\xc3\xa9"


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        pytest.param("OPTIONS", "*", ("/", "", "h"), id="asterisk"),
        pytest.param("GET", "http://x:1/p?q", ("/p", "q", "x:1"), id="absolute"),
        pytest.param("GET", "HTTPS://x", ("/", "", "x"), id="absolute without path"),
        pytest.param("GET", "http://x?q", ("/", "q", "x"), id="absolute with query only"),
        pytest.param("GET", "//x/p", ("//x/p", "", "h"), id="two slashes are a path"),
        pytest.param("GET", "/?", ("/", "", "h"), id="empty query"),
    ],
)
def test_targets(method, target, expected):
    head = parse_head(get(target, method=method))
    assert (head.path, head.query, head.host) == expected


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "close", False),
        ("1.1", "foo, Close", False),
        ("1.2", "", True),
        ("1.0", "", False),
        ("1.0", "Keep-Alive", True),
        ("1.0", "keep-alive, close", False),
    ],
)
def test_persistence(version, connection, kept):
    assert parse_head(get("/", f"Connection: {connection}", version=version)).keep_alive is kept


@pytest.mark.parametrize(
    ("version", "length", "waits"), [("1.1", 1, True), ("1.1", 0, False), ("1.0", 1, False)]
)
def test_who_waits_for_continue(version, length, waits):
    fields = ("Expect: 100-Continue", f"Content-Length: {length}")
    assert parse_head(get("/", *fields, version=version)).expects_continue is waits


@pytest.mark.parametrize(
    ("status", "data"),
    [
        pytest.param(400, b"", id="nothing"),
        pytest.param(400, b"GET /\r\n", id="HTTP/0.9"),
        pytest.param(400, b"GET  / HTTP/1.1\r\nHost: h\r\n", id="two spaces"),
        pytest.param(400, b"GET / HTTP/1.1 \r\nHost: h\r\n", id="space at the end"),
        pytest.param(400, b"GET /\t HTTP/1.1\r\nHost: h\r\n", id="tab"),
        pytest.param(400, b"G\x00T / HTTP/1.1\r\nHost: h\r\n", id="method"),
        pytest.param(400, b"GET / http/1.1\r\nHost: h\r\n", id="version in lower case"),
        pytest.param(505, b"GET / HTTP/2.0\r\nHost: h\r\n", id="HTTP/2"),
        pytest.param(400, b"GET / HTTP/1.1\r\n", id="no Host"),
        pytest.param(400, get("/", "Host: h"), id="two Hosts"),
        pytest.param(400, b"GET / HTTP/1.0\r\nHost: a b\r\n", id="Host with a space"),
        pytest.param(400, b"GET / HTTP/1.1\r\nHost: a@b\r\n", id="Host with userinfo"),
        pytest.param(400, get("x"), id="relative target"),
        pytest.param(400, get("*"), id="asterisk for GET"),
        pytest.param(400, get("h:443", method="CONNECT"), id="authority form"),
        pytest.param(400, get("http://a@b/"), id="absolute with userinfo"),
        pytest.param(400, get("ftp://h/"), id="another scheme"),
        pytest.param(400, get("/", "no colon"), id="no colon"),
        pytest.param(400, get("/", "A : b"), id="space before the colon"),
        pytest.param(400, get("/", "A: b", " c"), id="obs-fold"),
        pytest.param(400, get("/", "A: b\rc"), id="bare CR"),
        pytest.param(400, get("/", "A: b\nc"), id="bare LF"),
        pytest.param(400, get("/", "A: \x00"), id="NUL"),
        pytest.param(400, get("/", ": b"), id="no name"),
        pytest.param(400, get("/", "Content-Length: 1", "Content-Length: 1"), id="two lengths"),
        pytest.param(400, get("/", "Content-Length: 1, 1"), id="list of lengths"),
        pytest.param(400, get("/", "Content-Length: +1"), id="signed length"),
        pytest.param(400, get("/", "Content-Length: -1"), id="negative length"),
        pytest.param(400, get("/", "Content-Length: \xb2"), id="superscript length"),
        pytest.param(400, get("/", "Content-Length:"), id="empty length"),
        pytest.param(413, get("/", "Content-Length: " + "9" * 5000), id="absurd length"),
        pytest.param(411, get("/", "Transfer-Encoding: chunked"), id="chunked"),
        pytest.param(
            400, get("/", "Transfer-Encoding: chunked", "Content-Length: 1"), id="TE and length"
        ),
        pytest.param(417, get("/", "Expect: tea"), id="expectation"),
        pytest.param(431, get("/", *["A: b"] * MAX_FIELDS), id="too many fields"),
    ],
)
def test_refused(status, data):
    with pytest.raises(HTTPError) as raised:
        parse_head(data)
    assert raised.value.status == status


@given(st.binary() | st.binary().map(lambda tail: get("/", "A: b") + tail))
def test_no_bytes_raise_anything_else(data):
    try:
        environ = parse_head(data).environ()
    except HTTPError:
        return
    assert environ["PATH_INFO"].startswith("/")


@given(st.integers(0, 3), st.binary(min_size=1, max_size=3))
def test_a_mutated_request_keeps_its_framing_or_is_refused(place, junk):
    lines = get("/", "Content-Length: 5").splitlines(keepends=True)
    lines.insert(place, junk + b"\r\n")
    try:
        assert parse_head(b"".join(lines)).length == 5
    except HTTPError:
        pass


@pytest.mark.parametrize("blank", [" ", "\t", "x\x01"])
def test_refusing_is_linear(blank):
    with pytest.raises(HTTPError):
        parse_head(get("/", "A:" + blank * 1_000_000 + "\x00"))
