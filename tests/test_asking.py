from __future__ import annotations

from io import BytesIO, StringIO
from wsgiref.validate import check_environ

import pytest

from wsgikit.asking import environ_of


def test_a_path_on_this_machine():
    environ = environ_of("GET /hello/Ada?name=B%20C")
    assert environ["REQUEST_METHOD"] == "GET"
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("", "/hello/Ada")
    assert environ["QUERY_STRING"] == "name=B%20C"
    assert environ["HTTP_HOST"] == environ["SERVER_NAME"] == environ["REMOTE_ADDR"] == "127.0.0.1"
    assert (environ["wsgi.url_scheme"], environ["SERVER_PORT"]) == ("http", "80")


@pytest.mark.parametrize(
    ("request_", "host", "name", "port", "path", "query"),
    [
        ("GET http://a.example", "a.example", "a.example", "80", "/", ""),
        ("GET https://a.example/", "a.example", "a.example", "443", "/", ""),
        ("HEAD https://A.example:8443/x", "A.example:8443", "a.example", "8443", "/x", ""),
        ("GET https://a.example?b=c", "a.example", "a.example", "443", "/", "b=c"),
        ("GET http://[::1]:80/?", "[::1]:80", "[::1]", "80", "/", ""),
    ],
)
def test_an_address(request_, host, name, port, path, query):
    environ = environ_of(request_)
    assert environ["HTTP_HOST"] == host
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == (name, port)
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (path, query)


@pytest.mark.parametrize(
    ("path", "info"),
    [("/caf%C3%A9", "/caf\xc3\xa9"), ("/café", "/caf\xc3\xa9"), ("/%ff", "/\xff"), ("/a%", "/a%")],
    ids=["encoded", "as typed", "a byte", "a lone percent sign"],
)
def test_a_path_is_bytes_in_latin_1(path, info):
    assert environ_of(f"GET {path}")["PATH_INFO"] == info


def test_fields_become_keys():
    environ = environ_of(
        "POST /",
        [
            ("Host", "a.example"),
            ("content-type", "text/plain"),
            ("Accept", "text/html"),
            ("accept", "text/plain"),
            ("Cookie", "a=1"),
            ("Cookie", "b=2"),
        ],
    )
    assert environ["HTTP_HOST"] == "a.example"
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert "HTTP_CONTENT_TYPE" not in environ
    assert environ["HTTP_ACCEPT"] == "text/html, text/plain"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"


def test_it_is_an_environ():
    environ = environ_of("GET /a?b", [("X-A", "b")])
    check_environ({**environ, "wsgi.input": BytesIO(), "wsgi.errors": StringIO()})


@pytest.mark.parametrize(
    "request_",
    [
        "",
        "GET",
        "GET ",
        " /",
        "GET a",
        "GET  /",
        "GET /a b",
        "GET /\n",
        "GET /#a",
        "G(T /",
        "GET ftp://a.example/",
        "GET http:///",
        "GET http://a b/",
        "GET http://a.example:99999/",
        "GET http://a.example#b",
        "GET ?a",
    ],
)
def test_what_is_no_request(request_):
    with pytest.raises(ValueError, match="request takes a method and a path, such as 'GET /', not"):
        environ_of(request_)


@pytest.mark.parametrize("field", [("A b", "c"), ("", "c"), ("A", "b\nc"), ("A", "\u20ac")])
def test_what_is_no_header_field(field):
    with pytest.raises(ValueError, match=r"the value of A|a field name"):
        environ_of("GET /", [field])
