from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.problem import HTTPError
from wsgikit.server.request_line import LONGEST, read_request_line


@pytest.mark.parametrize(
    ("method", "target", "path", "query", "authority"),
    [
        pytest.param("GET", "/a/b?c=d?e", "/a/b", "c=d?e", None, id="origin"),
        pytest.param("OPTIONS", "*", "/", "", None, id="asterisk"),
        pytest.param("GET", "http://x:1/p?q", "/p", "q", "x:1", id="absolute"),
        pytest.param("GET", "HTTPS://x", "/", "", "x", id="absolute without path"),
        pytest.param("GET", "http://x?q", "/", "q", "x", id="absolute with query only"),
        pytest.param("GET", "//x/p", "//x/p", "", None, id="two slashes are a path"),
        pytest.param("GET", "/?", "/", "", None, id="empty query"),
        pytest.param("BREW", "/%C3%A9%2f%zz", "/\xc3\xa9/%zz", "", None, id="percent codes"),
        pytest.param("GET", "/\xc3\xa9", "/\xc3\xa9", "", None, id="raw bytes stay bytes"),
    ],
)
def test_targets(method, target, path, query, authority):
    line = read_request_line(f"{method} {target} HTTP/1.1".encode("latin-1"))
    expected = {
        "REQUEST_METHOD": method,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    assert line.environ == expected | ({"HTTP_HOST": authority} if authority else {})
    assert line.text == f"{method} {target} HTTP/1.1"


@pytest.mark.parametrize(
    ("version", "protocol"), [("1.0", "HTTP/1.0"), ("1.1", "HTTP/1.1"), ("1.9", "HTTP/1.1")]
)
def test_versions(version, protocol):
    line = read_request_line(f"GET / HTTP/{version}".encode())
    assert (line.environ["SERVER_PROTOCOL"], line.modern) == (protocol, protocol == "HTTP/1.1")


@pytest.mark.parametrize(
    ("status", "data"),
    [
        pytest.param(400, b"", id="nothing"),
        pytest.param(400, b"GET /", id="HTTP/0.9"),
        pytest.param(400, b"GET  / HTTP/1.1", id="two spaces"),
        pytest.param(400, b"GET / HTTP/1.1 ", id="space at the end"),
        pytest.param(400, b" GET / HTTP/1.1", id="space before"),
        pytest.param(400, b"GET /\t HTTP/1.1", id="tab"),
        pytest.param(400, b"GET /a\nb HTTP/1.1", id="LF"),
        pytest.param(400, b"GET / HTTP/1.1\r", id="CR"),
        pytest.param(400, b"G\x00T / HTTP/1.1", id="NUL"),
        pytest.param(400, b"G{T / HTTP/1.1", id="method that is no token"),
        pytest.param(400, b"GET / http/1.1", id="version in lower case"),
        pytest.param(400, b"GET / HTTP/1.\xb2", id="version that is no digit"),
        pytest.param(505, b"GET / HTTP/2.0", id="HTTP/2"),
        pytest.param(505, b"GET / HTTP/0.9", id="older"),
        pytest.param(501, b"CONNECT h:443 HTTP/1.1", id="CONNECT"),
        pytest.param(400, b"GET x HTTP/1.1", id="relative target"),
        pytest.param(400, b"GET * HTTP/1.1", id="asterisk for GET"),
        pytest.param(400, b"GET h:443 HTTP/1.1", id="authority form"),
        pytest.param(400, b"GET /a#b HTTP/1.1", id="fragment"),
        pytest.param(400, b"GET http://h/#b HTTP/1.1", id="absolute with a fragment"),
        pytest.param(400, b"GET http://a@b/ HTTP/1.1", id="absolute with userinfo"),
        pytest.param(400, b"GET http:///p HTTP/1.1", id="absolute without authority"),
        pytest.param(400, b"GET ftp://h/ HTTP/1.1", id="another scheme"),
    ],
)
def test_refused(status, data):
    for _ in range(2):  # what was refused is not remembered as if it were fine
        with pytest.raises(HTTPError) as raised:
            read_request_line(data)
        assert raised.value.status == status


@given(st.binary() | st.binary().map(lambda target: b"GET /" + target + b" HTTP/1.1"))
def test_no_bytes_raise_anything_else(data):
    try:
        assert read_request_line(data).environ["PATH_INFO"].startswith("/")
    except HTTPError:
        pass


def test_long_lines_are_read_too():
    target = "/" + "a" * LONGEST
    assert read_request_line(f"GET {target} HTTP/1.1".encode()).environ["PATH_INFO"] == target
