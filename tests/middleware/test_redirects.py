from __future__ import annotations

from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Response, check, stack
from wsgikit.converters import BUILT_IN
from wsgikit.middleware import cors, redirects

TABLE = {
    "/old": "/new",
    "/café": "/coffee shop",
    "/blog/{slug}": "/posts/{slug}",
    "/blog/first": "/posts/1",
    "/n/{id:int}": "/number/{id}",
    "/n/{name}": "/name/{name}",
    "/docs/{rest:path}": "https://docs.example/v2/{rest}",
    "/home": "https://example.org",
    "/search": "/find?lang=en",
    "/part": "/whole#part",
    "/swap/{a}/{b}": "/{b}/{a}/",
    "/gone/{what}": "/sorry",
    "/at/{when:date}": "/on/{when}",
    "/tag/{name}": "/search?tag={name}&also={name}#{name}",
    "/day/{when:date}/{rest:path}": "https://days.example?on={when}&at={rest}",
    "/note/{n:int}": "/notes#n{n}",
}


def sent(path, query="", script="", table=TABLE, **options):
    """Where a request is sent, or None where the application gets it."""
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": script,
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
    }
    started = []
    app = redirects(Response("here"), table=table, **options)
    app(environ, lambda status, headers: started.append((status, dict(headers).get("Location"))))
    ((status, location),) = started
    assert (location is None) == status.startswith("200")
    return location


SENT = {
    "/": None,
    "": None,
    "/old": "/new",
    "/old/": None,
    "/OLD": None,
    "/café": "/coffee%20shop",
    "/blog/a": "/posts/a",
    "/blog/a b?": "/posts/a%20b%3F",
    "/blog/first": "/posts/1",
    "/blog/": None,
    "/blog/..": None,
    "/blog/a/b": None,
    "/blog": None,
    "/n/7": "/number/7",
    "/n/x": "/name/x",
    "/docs/a/b": "https://docs.example/v2/a/b",
    "/docs/../a": None,
    "/docs//evil.example": None,
    "/docs/": None,
    "/home": "https://example.org/",
    "/part": "/whole#part",
    "/swap/1/2": "/2/1/",
    "/swap/1/2/3": None,
    "/swap/1": None,
    "/gone/x": "/sorry",
    "/at/2025-01-31": "/on/2025-01-31",
    "/at/2025-1-31": None,
    "//old": None,
    "/tag/tea": "/search?tag=tea&also=tea#tea",
    "/tag/a&b=c#d e+f%?é{name}": "/search?tag={0}&also={0}#{0}".format(
        "a%26b%3Dc%23d%20e%2Bf%25%3F%C3%A9%7Bname%7D"
    ),
    "/day/2025-01-31/a/b": "https://days.example/?on=2025-01-31&at=a%2Fb",
    "/note/-7": "/notes#n-7",
}


@pytest.mark.parametrize(
    ("path", "there"),
    [("/old", "/new"), ("/café", "/coffee%20shop"), ("/new", None), ("/cafés", None), ("", None)],
)
def test_a_table_without_parameters(path, there):
    assert sent(path, table={"/old": "/new", "/café": "/coffee shop"}) == there


@pytest.mark.parametrize(("path", "there"), SENT.items())
def test_where_a_path_leads(path, there):
    assert sent(path) == there


def test_the_query_goes_along():
    assert sent("/old", "a=1&b=%20") == "/new?a=1&b=%20"
    assert sent("/search", "a=1") == "/find?lang=en"
    assert sent("/part", "a=1") == "/whole?a=1#part"
    assert sent("/note/7", "{n}=1") == "/notes?%7Bn%7D=1#n7"
    assert sent("/tag/a", "b=1") == "/search?tag=a&also=a#a"
    assert sent("/home", "a=\xe9") == "https://example.org/?a=%E9"


def test_paths_are_below_where_the_application_is_mounted():
    assert sent("/old", script="/app") == "/app/new"
    assert sent("/docs/a", script="/app") == "https://docs.example/v2/a"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_over_the_wire(status):
    app = TestApp(validator(stack(redirects(table=TABLE, status=status), validator(Response("a")))))
    answer = app.post("/old?x=1", status=status)
    assert answer.headers["Location"] == "/new?x=1"
    assert app.head("/old").status_code == status
    assert app.get("/other").text == "a"


segments = st.text(max_size=20)


@given(st.lists(segments, max_size=4).map("/".join), st.text(max_size=10))
def test_what_a_client_sends_is_no_host(rest, query):
    query = query.encode("utf-8", "replace").decode("latin-1")
    path = f"/r/{rest}".encode("utf-8", "replace").decode()
    table = {"/r/{rest:path}": "/{rest}", "/s/{a}": "/{a}"}
    for where in (path, path.replace("/r/", "/s/", 1)):
        there = sent(where, query, table=table)
        assert there is None or (there[0] == "/" and there[1:2] not in ("/", "\\"))
        assert there is None or there.isascii()


WRONG = {
    "no path": {"old": "/new"},
    "no new path": {"/old": "new"},
    "empty": {"/old": ""},
    "another host by a slash": {"/old": "//evil.example"},
    "another scheme": {"/old": "ftp://a.example"},
    "no host": {"/old": "https:///a"},
    "a user": {"/old": "https://a@b.example/"},
    "a parameter that is not there": {"/old/{a}": "/new/{b}"},
    "a parameter in a query that is not there": {"/old/{a}": "/new?b={b}"},
    "a parameter in a fragment that is not there": {"/old": "/new#{b}"},
    "braces without a name": {"/old/{a}": "/new?{}"},
    "one brace": {"/old/{a}": "/new?a={a"},
    "a converter in a query": {"/old/{a:int}": "/new?a={a:int}"},
    "a parameter in a host": {"/old/{a}": "https://{a}.example/"},
    "a parameter in a host, alone": {"/old/{a}": "https://{a}"},
    "no converter": {"/old/{a:what}": "/new/{a}"},
    "written encoded": {"/a%20b": "/new"},
    "a backslash in the query": {"/old": "/new?\\a"},
    "itself": {"/old": "/old"},
    "a circle": {"/a": "/b", "/b": "/c", "/c": "/a"},
    "a pattern that fits again": {"/{rest:path}": "/new/{rest}"},
    "a circle over a pattern": {"/a": "/b/1", "/b/{n:int}": "/a"},
    "a pattern to a path that it fits": {"/{lang}": "/en"},
}


@pytest.mark.parametrize("table", WRONG.values(), ids=WRONG)
def test_a_table_that_is_wrong(table):
    with pytest.raises(ValueError, match="table"):
        redirects(table=table)(Response(""))


def test_chains_that_end_are_allowed():
    table = {"/a": "/b", "/b": "/c?x", "/d/{x}": "/b", "/é": "/a", "/e/{d:date}": "/e/{d}"}
    assert sent("/a", table=table) == "/b"
    assert "date" in BUILT_IN  # such a pattern is not tried: the last one is a circle of its author


def test_options_of_another_type():
    for table in (["/a"], {"/a": 1}, {1: "/a"}):
        with pytest.raises(TypeError, match="table"):
            redirects(table=table)(Response(""))
    with pytest.raises(ValueError, match="status"):
        redirects(table={}, status=300)(Response(""))


def test_its_place():
    assert (
        check(stack(cors(origins=["https://a.example"]), redirects(table={}), Response(""))) == []
    )
    assert (
        check(stack(redirects(table={}), cors(origins=["https://a.example"]), Response(""))) != []
    )
