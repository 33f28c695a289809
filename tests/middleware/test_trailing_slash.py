from __future__ import annotations

from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Request, Response, stack
from wsgikit.middleware import trailing_slash


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


@Request.application
def path(request):
    return request.path


def sent(path, script="", query="", **options):
    """Where a request is sent, or None where the application gets it."""
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": script,
        "PATH_INFO": path,
        "QUERY_STRING": query,
    }
    started = []
    app = trailing_slash(Response("here"), **options)
    app(environ, lambda status, headers: started.append(dict(headers).get("Location")))
    return started[0]


REMOVED = {
    "/": None,
    "": None,
    "/a": None,
    "/a/": "/a",
    "/a//": "/a",
    "/a/b/": "/a/b",
    "/a.txt/": "/a.txt",
    "//": None,
    "//evil.example/": None,
    "///evil.example/": None,
    "/\\evil.example/": "/%5Cevil.example",
    "/\t/evil.example/": "/%09/evil.example",
    "/a\r\nb/": "/a%0D%0Ab",
    "/b\xc3\xbccher/": "/b%C3%BCcher",
    "*": None,
    "http://evil.example/": None,  # so wsgiref reads "GET http://evil.example/ HTTP/1.1"
    "a/": None,
}
APPENDED = {
    "/": None,
    "": None,
    "/a": "/a/",
    "/a/": None,
    "/a/b": "/a/b/",
    "/a/b.txt": None,
    "/a.b/c": "/a.b/c/",
    "//evil.example/a": None,
    "/b\xc3\xbccher": "/b%C3%BCcher/",
    "*": None,
}


@pytest.mark.parametrize(("path", "there"), REMOVED.items(), ids=map(ascii, REMOVED))
def test_slash_is_removed(path, there):
    assert sent(path) == there


@pytest.mark.parametrize(("path", "there"), APPENDED.items(), ids=map(ascii, APPENDED))
def test_slash_is_appended(path, there):
    assert sent(path, end="append") == there


def test_redirect_keeps_method_query_and_mount():
    app = checked(trailing_slash(), path)
    answer = app.post("/a/?b=c%20d", status=308)
    assert answer.headers["Location"] == "/a?b=c%20d"
    assert sent("/a/", script="/app", query="x=1") == "/app/a?x=1"
    assert sent("/", script="/app") is None
    assert sent("", script="/app", end="append") is None


def test_without_a_redirect_both_addresses_work():
    app = checked(trailing_slash(redirect=False), path)
    assert [app.get(asked).text for asked in ("/a", "/a/")] == ["/a", "/a"]
    app = checked(trailing_slash(end="append", redirect=False), path)
    assert [app.get(asked).text for asked in ("/a", "/a/", "/a.txt")] == ["/a/", "/a/", "/a.txt"]


@given(
    st.text(st.characters(max_codepoint=255), max_size=20), st.sampled_from(["remove", "append"])
)
def test_no_redirect_leaves_the_site_or_leads_to_another(path, end):
    there = sent(f"/{path}", end=end)
    if there is not None:
        assert there.isascii()
        assert there.isprintable()
        assert there[0] == "/"
        assert there[1:2] not in ("/", "\\")
        assert (there[-1] == "/") == (end == "append")


@given(st.text(st.characters(max_codepoint=255), max_size=20))
def test_what_is_no_path_passes(path):
    if path[:1] != "/":
        assert sent(path) is None
        assert sent(path, end="append") is None


def test_the_option_is_checked_when_the_layer_is_put_on():
    with pytest.raises(ValueError, match="end takes 'remove' or 'append'"):
        trailing_slash(Response(""), end="strip")
