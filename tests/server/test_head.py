from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.problem import HTTPError
from wsgikit.server import head
from wsgikit.server.fields import EnvironKeys
from wsgikit.server.limits import Limits

LIMITS = Limits(body_bytes=1000)


def get(target: str = "/", *fields: str, version: str = "1.1", method: str = "GET") -> bytes:
    lines = [f"{method} {target} HTTP/{version}", "Host: h", *fields]
    return "".join(line + "\r\n" for line in lines).encode("latin-1")


def parse_head(data, base=(), limits=LIMITS):
    return head.parse_head(data.removesuffix(b"\r\n"), dict(base), limits)


def test_a_plain_request():
    head = parse_head(get("/a?b=c"))
    assert head.line == "GET /a?b=c HTTP/1.1"
    assert (head.length, head.chunked) == (0, False)
    assert (head.keep_alive, head.expects_continue) == (True, False)


def test_the_base_is_in_each_environ_and_stays_as_it_is():
    base = {"wsgi.version": (1, 0)}
    assert parse_head(get(), base).environ["wsgi.version"] == (1, 0)
    assert base == {"wsgi.version": (1, 0)}


def test_the_environ_of_a_request():
    fields = ("Content-Type: text/plain", "Content-Length:  3", "X-A: \t1 ", "x-a: 2")
    assert parse_head(get("/%C3%A9%2f?q=%20", *fields)).environ == {
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


def test_the_authority_of_a_target_takes_the_place_of_the_host():
    # RFC 9112 §3.2.2; but a request without a Host field stays malformed (§3.2).
    assert parse_head(get("http://x:1/p")).environ["HTTP_HOST"] == "x:1"
    with pytest.raises(HTTPError, match="has a Host"):
        parse_head(b"GET http://x:1/p HTTP/1.1\r\n")


def test_an_http_1_0_request_needs_no_host():
    assert "HTTP_HOST" not in parse_head(b"GET / HTTP/1.0\r\n").environ


def test_repeated_cookies_are_one_cookie_field():
    environ = parse_head(get("/", "Cookie: a=1", "Cookie: b=2")).environ
    assert environ["HTTP_COOKIE"] == "a=1; b=2"


def test_a_field_with_an_underscore_does_not_pose_as_another():
    environ = parse_head(get("/", "X_Real_IP: 6.6.6.6")).environ
    assert not [key for key in environ if "REAL" in key]


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "close", False),
        ("1.1", "foo, Close", False),
        ("1.2", "", True),
        ("1.1", "keep-alive", True),
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
        pytest.param(400, get("/#b"), id="request line"),
        pytest.param(400, b"GET / HTTP/1.1\r\n", id="no Host"),
        pytest.param(400, get("/", "Host: h"), id="two Hosts"),
        pytest.param(400, b"GET / HTTP/1.0\r\nHost: a b\r\n", id="Host with a space"),
        pytest.param(400, b"GET / HTTP/1.1\r\nHost: a@b\r\n", id="Host with userinfo"),
        pytest.param(400, b"GET / HTTP/1.1\r\nHost: [::1\r\n", id="open bracket in Host"),
        pytest.param(400, b"GET / HTTP/1.1\r\nHost: h:port\r\n", id="port that is no number"),
        pytest.param(400, b"GET / HTTP/1.1\r\nHost: h:65536\r\n", id="port that is none"),
        pytest.param(400, b"GET / HTTP/1.1\r\nHost: [::::]\r\n", id="address that is none"),
        pytest.param(400, get("http://[1::2::3]/"), id="address in the target that is none"),
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
        pytest.param(413, get("/", "Content-Length: 1001"), id="body over the limit"),
        pytest.param(501, get("/", "Transfer-Encoding: gzip, chunked"), id="another coding"),
        pytest.param(501, get("/", "Transfer-Encoding: identity"), id="identity"),
        pytest.param(400, get("/", "Transfer-Encoding: chunked, chunked"), id="chunked twice"),
        pytest.param(400, get("/", "Transfer-Encoding:"), id="empty coding"),
        pytest.param(
            400, get("/", *["Transfer-Encoding: chunked"] * 2), id="two Transfer-Encodings"
        ),
        pytest.param(
            400, get("/", "Transfer-Encoding: chunked", version="1.0"), id="chunked HTTP/1.0"
        ),
        pytest.param(400, get("/", *["Content-Type: a/b"] * 2), id="two Content-Types"),
        pytest.param(
            400, get("/", "Transfer-Encoding: chunked", "Content-Length: 1"), id="TE and length"
        ),
        pytest.param(417, get("/", "Expect: tea"), id="expectation"),
        pytest.param(431, get("/", *["A: b"] * LIMITS.fields), id="too many fields"),
    ],
)
def test_refused(status, data):
    with pytest.raises(HTTPError) as raised:
        parse_head(data)
    assert raised.value.status == status


@given(st.binary() | st.binary().map(lambda tail: get("/", "A: b") + tail))
def test_no_bytes_raise_anything_else(data):
    try:
        environ = parse_head(data).environ
    except HTTPError:
        return
    assert environ["PATH_INFO"].startswith("/")


def test_a_chunked_request():
    head = parse_head(get("/", "Transfer-Encoding: Chunked", "Expect: 100-continue"))
    assert (head.chunked, head.length, head.expects_continue) == (True, 0, True)


def test_a_length_is_told_plainly():
    head = parse_head(get("/", "Content-Length: 007"))
    assert (head.length, head.environ["CONTENT_LENGTH"]) == (7, "7")


def test_what_clients_name_is_not_kept_for_ever():
    keys = EnvironKeys()
    for number in range(EnvironKeys.ROOM + 10):
        assert keys[f"X-{number}"] == f"HTTP_X_{number}"
    assert keys["Y" * 65] == "HTTP_" + "Y" * 65
    assert len(keys) == EnvironKeys.ROOM


@pytest.mark.parametrize("blank", [" ", "\t", "x\x01"])
def test_refusing_is_linear(blank):
    with pytest.raises(HTTPError):
        parse_head(get("/", "A:" + blank * 1_000_000 + "\x00"))
