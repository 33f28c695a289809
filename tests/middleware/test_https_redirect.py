from __future__ import annotations

from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Response, stack
from wsgikit.middleware import https_redirect, proxy_headers


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def location(**environ):
    """Where a request is sent, or the status that it gets instead."""
    base = {"REQUEST_METHOD": "GET", "HTTP_HOST": "example.com", "wsgi.url_scheme": "http"}
    started = []
    https_redirect(Response(""))({**base, **environ}, lambda *start: started.extend(start))
    return dict(started[1]).get("Location", int(started[0][:3]))


def test_http_is_redirected_to_the_same_address():
    app = checked(https_redirect(), Response("safe"))
    answer = app.get("/a%20b/c?x=1&y=%2F", headers={"Host": "Example.com:80"}, status=308)
    assert answer.headers["Location"] == "https://example.com/a%20b/c?x=1&y=%2F"
    assert app.post("/", "body", status=308).headers["Location"] == "https://localhost/"


def test_https_passes():
    app = checked(https_redirect(), Response("safe"))
    assert app.get("/", extra_environ={"wsgi.url_scheme": "https"}).text == "safe"


def test_another_port_and_status():
    app = checked(https_redirect(port=8443, status=307), Response("safe"))
    answer = app.get("/", headers={"Host": "example.com:8080"}, status=307)
    assert answer.headers["Location"] == "https://example.com:8443/"


def test_behind_a_proxy_the_scheme_is_what_it_reports():
    app = checked(proxy_headers(hops=1), https_redirect(), Response("safe"))
    assert app.get("/", headers={"X-Forwarded-Proto": "https"}).text == "safe"
    app.get("/", headers={"X-Forwarded-Proto": "http"}, status=308)


@pytest.mark.parametrize(
    ("environ", "target"),
    [
        ({"HTTP_HOST": "[::1]:80"}, "https://[::1]"),
        ({"PATH_INFO": "//evil.example/"}, "https://example.com//evil.example/"),
        ({"PATH_INFO": "/\\evil.example"}, "https://example.com/%5Cevil.example"),
        ({"PATH_INFO": "/a\r\nb"}, "https://example.com/a%0D%0Ab"),
        ({"PATH_INFO": "*", "REQUEST_METHOD": "OPTIONS"}, "https://example.com/"),
        ({"PATH_INFO": "/b\xc3\xbccher"}, "https://example.com/b%C3%BCcher"),
        ({"SCRIPT_NAME": "/app", "PATH_INFO": "/x"}, "https://example.com/app/x"),
        ({"QUERY_STRING": "a=\xff\\\n"}, "https://example.com/?a=%FF%5C%0A"),
    ],
)
def test_address_is_percent_encoded_and_keeps_its_host(environ, target):
    assert location(**environ).removesuffix("/") == target.removesuffix("/")


@pytest.mark.parametrize("host", ["", "evil.example/", "a@b", "a:b", "a\r\nb", "example.com, b"])
def test_a_host_that_is_none_is_a_bad_request(host):
    assert location(HTTP_HOST=host) == 400


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_no_path_leaves_the_host(path, query):
    target = location(PATH_INFO=path, QUERY_STRING=query)
    assert target.isascii()
    assert target.isprintable()
    assert target.startswith("https://example.com/")


@pytest.mark.parametrize(
    "options",
    [
        {"port": 0},
        {"port": 65536},
        {"port": "443"},
        {"port": True},
        {"status": 303},
        {"status": 200},
    ],
    ids=str,
)
def test_options_are_checked_when_the_layer_is_put_on(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} takes"):
        https_redirect(Response(""), **options)
