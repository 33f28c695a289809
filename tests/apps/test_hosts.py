from __future__ import annotations

from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Response, describe
from wsgikit.apps import hosts

TABLE = {
    "example.com": Response("exact"),
    "*.example.com": Response("below"),
    "*.deep.example.com": Response("deep"),
    "www.deep.example.com": Response("www"),
    "Other.ORG.": Response("other"),
    "127.0.0.1": Response("v4"),
    "[::1]": Response("v6"),
    "[2001:DB8:0:0::1]": Response("long v6"),
    "localhost": Response("local"),
    "a_b.net": Response("underscore"),
    "xn--bcher-kva.example": Response("idn"),
}


def ask(app, host):
    environ = {
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": "server",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
    }
    if host is not None:
        environ["HTTP_HOST"] = host
    started = []
    body = app(environ, lambda status, headers: started.append(int(status[:3])))
    return started[0], b"".join(body).decode()


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("example.com", "exact"),
        ("EXAMPLE.com", "exact"),
        ("example.com:8000", "exact"),
        ("example.com:", "exact"),
        ("example.com.", "exact"),
        ("example.com.:80", "exact"),
        ("a.example.com", "below"),
        ("a.b.example.com", "below"),
        ("deep.example.com", "below"),
        ("a.deep.example.com", "deep"),
        ("a.b.deep.example.com:1", "deep"),
        ("www.deep.example.com", "www"),
        ("other.org", "other"),
        ("127.0.0.1:8000", "v4"),
        ("[::1]", "v6"),
        ("[::1]:8000", "v6"),
        ("[0:0:0:0:0:0:0:1]", "v6"),
        ("[2001:db8::1]", "long v6"),
        ("localhost", "local"),
        ("a_b.net", "underscore"),
        ("XN--bcher-kva.example", "idn"),
    ],
)
def test_the_application_of_a_host(host, answer):
    assert ask(hosts(TABLE), host) == (200, answer)


@pytest.mark.parametrize(
    "host", ["com", "example.org", "notexample.com", "example.com.evil.net", "[::2]", "1.2.3.4"]
)
def test_a_host_that_is_not_here(host):
    assert ask(hosts(TABLE), host)[0] == 421
    assert ask(hosts(TABLE, default=Response("default")), host) == (200, "default")


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        ":80",
        ".",
        "..",
        ".example.com",
        "example..com",
        "example.com..",
        "example.com:80:80",
        "example.com:x",
        "example.com:-1",
        "example.com:+80",
        "example.com:65536",
        "example.com:\xb2",
        "example.com/",
        "user@example.com",
        "example.com, example.org",
        "exa mple.com",
        " example.com",
        "example.com\x00",
        "*.example.com",
        "b\xfccher.example",
        "[::1",
        "[::1]x",
        "[::1]:x",
        "[::1%25eth0]",
        "[example.com]",
        "[]",
        "::1",
        "a" * 64 + ".example.com",
        "a." * 127 + "com",
        "a" * 10_000_000,
    ],
)
def test_a_host_that_is_none(host):
    assert ask(hosts(TABLE, default=Response("default")), host)[0] == 400


def test_the_longest_name():
    assert ask(hosts(TABLE), "a." * 120 + "example.com")[1] == "below"


@given(st.text())
def test_any_text_has_an_answer(host):
    assert ask(hosts(TABLE), host)[0] in (200, 400, 421)


def test_http_1_0_has_no_host():
    app = {"default": Response("default")}
    environ = {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.0"}
    started = []
    for options in (app, {}):
        hosts(TABLE, **options)(environ, lambda status, headers: started.append(status[:3]))
    assert started == ["200", "400"]


def test_as_an_application():
    app = TestApp(validator(hosts({"localhost": validator(Response("here"))})))
    assert app.get("/").text == "here"
    assert app.get("/", headers={"Host": "other"}, status=421).text.startswith("421 Misdirected")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "*.",
        "**.example.com",
        "a.*.com",
        "*example.com",
        "example.com:80",
        "*.example.com:80",
        "[::1]:80",
        "*.[::1]",
        "::1",
        "http://example.com",
        "example.com/",
        "bücher.example",
        "exa mple.com",
        "example..com",
    ],
)
def test_a_pattern_that_is_no_host(pattern):
    with pytest.raises(ValueError, match="table takes hosts") as raised:
        hosts({pattern: Response("")})
    assert repr(pattern) in str(raised.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("example.com", "Example.com."),
        ("*.example.com", "*.EXAMPLE.com"),
        ("[::1]", "[0:0::1]"),
    ],
)
def test_one_host_twice(first, second):
    with pytest.raises(ValueError, match="one host twice") as raised:
        hosts({first: Response(""), second: Response("")})
    assert first in str(raised.value)
    assert second in str(raised.value)


def test_what_is_no_application():
    with pytest.raises(TypeError, match=r"table takes a WSGI application for 'example\.com'"):
        hosts({"example.com": "text"})
    with pytest.raises(TypeError, match="default takes a WSGI application or None"):
        hosts({}, default="text")


def test_described():
    app = hosts({"example.com": Response(""), "*.Example.com": Response("")})
    assert str(describe(app)).splitlines() == [
        "hosts",
        "├─ example.com    Response",
        "└─ *.Example.com  Response",
    ]
    labels = [label for label, _ in describe(hosts({}, default=Response(""))).parts]
    assert labels == ["default"]


@pytest.mark.parametrize("default", [None, Response("default")], ids=["none", "default"])
def test_rebuilt(default):
    app = hosts(TABLE, default=default)
    _, parts = app.described()
    made = app.rebuilt([Response(f"new {label}") for label, _ in parts])
    for pattern in TABLE:
        host = pattern.replace("*", "any")
        assert ask(made, host) == (200, f"new {pattern}")
    assert ask(made, "other")[0] == (421 if default is None else 200)
    assert ask(app, "example.com") == (200, "exact")
