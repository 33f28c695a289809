from __future__ import annotations

import gc
import sys
from http.client import HTTPConnection
from urllib.parse import quote, unquote_to_bytes
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Converter, HTTPError, Response, Router
from wsgikit.testing import serving


def view(request, **params):
    return "view"


def say(text):
    return lambda request, **params: f"{text} {params}" if params else text


def client(app):
    return TestApp(validator(app))


def ask(app, path, method="GET", **environ):
    """(status, fields, body) for a PATH_INFO that no proper client would send."""
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "SCRIPT_NAME": "", **environ}
    setup_testing_defaults(environ)
    started = []
    body = app(environ, lambda status, headers, exc_info=None: started.append((status, headers)))
    content = b"".join(body)
    ((status, headers),) = started
    return int(status[:3]), dict(headers), content.decode()


def status(app, path, method="GET", **environ):
    return ask(app, path, method, **environ)[0]


# Paths and parameters


def test_the_options_are_checked():
    with pytest.raises(ValueError, match="trailing_slash is 'strict' or 'redirect', not 'yes'"):
        Router(trailing_slash="yes")


def test_a_router_without_routes_knows_no_path():
    assert client(Router()).get("/", status=404).text == "404 Not Found\n"


def test_static_paths_are_found_as_they_are():
    router = Router()
    for path in ("/", "/a", "/a/", "/a/b", "/é"):
        router.get(path)(say(path))
    browser = client(router)
    for path in ("/", "/a", "/a/", "/a/b"):
        assert browser.get(path).text == path
    assert browser.get("/%C3%A9").text == "/é"
    for path in ("/b", "/a/b/", "/a//b", "/A", "/%C3%A8"):
        browser.get(path, status=404)


def test_the_bytes_of_a_path_are_no_other_text():
    router = Router()
    router.get("/Ã©")(say("two letters"))
    assert status(router, "/Ã©") == 404  # the bytes of "é"
    assert ask(router, "/Ã©".encode().decode("latin-1"))[2] == "two letters"


def test_views_get_values():
    router = Router()

    @router.get("/users/{id:int}/posts/{slug}")
    def post(request, id, slug):
        assert request.params == {"id": id, "slug": slug}
        assert request.environ["wsgiorg.routing_args"] == ((), {"id": id, "slug": slug})
        assert request.environ["wsgikit.route"] is router.routes[0]
        return [id, slug]

    browser = client(router)
    assert browser.get("/users/7/posts/red").json == [7, "red"]
    assert browser.get("/users/-7/posts/%C3%A9%2B%20").json == [-7, "é+ "]
    for path in ("/users/x/posts/red", "/users/7/posts/", "/users/7/posts", "/users//posts/a"):
        browser.get(path, status=404)
    browser.get("/users/7/posts/red/more", status=404)


def test_parameters_stand_beside_those_of_another_router():
    inner = Router()
    inner.get("/t/x")(lambda request, **params: params)
    inner.get("/t/{b:int}")(lambda request, **params: params)
    inner.get("/t/{b}")(lambda request, **params: params)
    outer = Router()
    outer.add("/{a}/{b}", inner)
    browser = client(outer)
    assert browser.get("/t/x").json == {"a": "t", "b": "x"}
    assert browser.get("/t/7").json == {"a": "t", "b": 7}
    assert browser.get("/t/%C3%A9").json == {"a": "t", "b": "é"}


def test_one_place_may_have_two_names():
    router = Router()
    router.get("/users/{id}")(say("user"))
    router.get("/users/{user}/posts/{id}")(say("post"))
    router.get("/{id:int}/{id_}/{x}")(say("long"))
    router.get("/{n:int}/{id}")(say("short"))
    router.delete("/users/{name}")(say("gone"))
    browser = client(router)
    assert browser.get("/users/ann").text == "user {'id': 'ann'}"
    assert browser.get("/users/ann/posts/b").text == "post {'user': 'ann', 'id': 'b'}"
    assert browser.get("/users/%C3%A9/posts/b").text == "post {'user': 'é', 'id': 'b'}"
    assert browser.delete("/users/ann").text == "gone {'name': 'ann'}"
    assert browser.get("/7/a").text == "short {'n': 7, 'id': 'a'}"
    assert browser.get("/7/a/b").text == "long {'id': 7, 'id_': 'a', 'x': 'b'}"


def test_two_values_of_one_name_in_the_tree_are_both_kept():
    router = Router()
    router.get("/{a}")(say("one"))
    router.get("/{b}/{a}")(say("two"))
    router.get("/{c}/{a}/{b}")(say("three"))
    assert client(router).get("/x/y").text == "two {'b': 'x', 'a': 'y'}"
    assert client(router).get("/x/y/z").text == "three {'c': 'x', 'a': 'y', 'b': 'z'}"


def test_a_way_that_ends_nowhere_leaves_no_value_behind():
    router = Router()
    router.get("/{n:int}/a/{x}")(say("int"))
    router.get("/{d:date}/b")(say("date"))
    router.get("/{text}/b")(say("str"))
    router.get("/7/c")(say("static"))
    browser = client(router)
    assert browser.get("/7/b").text == "str {'text': '7'}"
    assert browser.get("/7/a/z").text == "int {'n': 7, 'x': 'z'}"
    assert browser.get("/2025-01-31/b").text == "date {'d': datetime.date(2025, 1, 31)}"
    browser.get("/7/a", status=404)


@pytest.mark.parametrize("wide", ["/{n:int}/a", "/{s}/a", "/{p:path}", "/*"])
@pytest.mark.parametrize("narrow", ["/7/b/c", "/{n:int}/b/c", "/{s}/b/c"])
@pytest.mark.parametrize("wide_first", [True, False])
def test_where_one_way_ends_another_is_tried(narrow, wide, wide_first):
    router = Router()
    for template in (wide, narrow) if wide_first else (narrow, wide):
        if template == "/*":
            router.mount("/", Response("wide"))
        else:
            router.get(template)(lambda request, template=template, **params: template)
    browser = client(router)
    assert browser.get("/7/a").text in (wide, "wide")
    assert browser.get("/7/b/c").text == narrow
    if wide in ("/{p:path}", "/*"):
        assert browser.get("/7/b/d").text in (wide, "wide")
        assert browser.get("/7/b").text in (wide, "wide")
        assert browser.get("/7").text in (wide, "wide")


def test_a_route_without_the_method_is_passed_over():
    router = Router()
    router.post("/a/b")(say("static"))
    router.get("/a/{x}")(say("str"))
    router.delete("/{p:path}")(say("path"))
    browser = client(router)
    assert browser.get("/a/b").text == "str {'x': 'b'}"
    assert browser.post("/a/b").text == "static"
    assert browser.delete("/a/b").text == "path {'p': 'a/b'}"
    refused = browser.put("/a/b", status=405)
    assert refused.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, POST"


def test_path_takes_all_that_is_left():
    router = Router()
    router.get("/x/{p:path}")(lambda request, p: p)
    browser = client(router)
    for path in ("a", "a/b", "a//b", "a/", "é/ü", "..."):
        assert browser.get(f"/x/{quote(path)}").text == path
    for path in ("/x", "/x/", "/x//a", "/x/../a", "/x/a/../b", "/x/a/."):
        assert status(router, path) == 404


@pytest.mark.parametrize("segment", ["", ".", ".."])
@pytest.mark.parametrize("kind", ["str", "path", "any"])
def test_no_parameter_takes_dots_that_lead_elsewhere(segment, kind):
    router = Router(converters=[Converter("any", ".*")])
    router.get(f"/{{x:{kind}}}")(say("found"))
    assert status(router, f"/{segment}") == 404
    router = Router(converters=[Converter("any", ".*")])
    router.get(f"/é/{{x:{kind}}}")(say("found"))
    assert status(router, f"/Ã©/{segment}") == 404
    assert status(router, "/Ã©/x") == 200


def test_a_converter_of_ones_own():
    router = Router(converters=[Converter("hex", "[0-9a-f]+", lambda s: int(s, 16), "{:x}".format)])
    router.get("/{n:hex}", name="n")(lambda request, n: [n])
    router.get("/{s}")(say("other"))
    browser = client(router)
    assert browser.get("/ff").json == [255]
    assert browser.get("/FF").text == "other {'s': 'FF'}"
    assert router.url("n", n=255) == "/ff"


def test_a_converter_is_any_object_with_its_three_names():
    class Reversed:
        name = "reversed"

        def parse(self, text):
            return text[::-1]

        def format(self, value):
            return value[::-1]

    router = Router(converters=[Reversed()])
    router.get("/{x:reversed}", name="x")(lambda request, x: x)
    assert client(router).get("/abc").text == "cba"
    assert router.url("x", x="cba") == "/abc"
    with pytest.raises(ValueError, match="is not one segment"):
        router.url("x", x="a/b")


def test_what_a_converter_raises_beside_value_error_passes_on():
    router = Router(converters=[Converter("key", ".+", {}.__getitem__)])
    router.get("/{x:key}")(view)
    with pytest.raises(KeyError):
        status(router, "/a")


@pytest.mark.parametrize(
    "text", ["9" * 5000, "-" + "9" * 5000, "+1", "1_0", "Ù£", "Â²", "1.5", "--1"]
)
def test_what_is_no_int_is_not_found(text):
    router = Router()
    router.get("/{n:int}")(say("int"))
    assert status(router, f"/{text}") == 404
    router.get("/{s}")(say("str"))
    assert ask(router, f"/{text}")[2].startswith("str")


# Methods


def test_head_comes_with_get():
    closed = []

    class Body(list):
        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
        return Body([b"body"])

    router = Router()
    router.add("/app", app)
    router.get("/view/{x}")(lambda request, x: x)
    browser = client(router)
    for path in ("/app", "/view/four"):
        answer = browser.head(path)
        assert (answer.body, answer.headers["Content-Length"]) == (b"", "4")
    assert closed == [True]


@pytest.mark.parametrize("head_first", [True, False])
def test_a_head_of_its_own_wins(head_first):
    router = Router()
    definitions = [
        lambda: router.route("/a", methods=["HEAD"])(lambda r: Response(headers={"X-Own": "1"})),
        lambda: router.get("/a")(view),
    ]
    for define in definitions if head_first else reversed(definitions):
        define()
    browser = client(router)
    assert "X-Own" in browser.head("/a").headers
    assert browser.get("/a").text == "view"
    with pytest.raises(ValueError, match="matches the same paths"):
        router.route("/a", methods=["HEAD"])(view)


def test_post_brings_no_head():
    router = Router()
    router.post("/a")(view)
    assert client(router).head("/a", status=405).headers["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("path", ["/a", "/7", "/%C3%A9"])
def test_options_and_405_tell_what_is_there(path):
    router = Router()
    router.route("/a", methods=["GET", "PUT"])(view)
    router.route("/{n:int}", methods=["GET", "PUT"])(view)
    router.route("/é", methods=["GET", "PUT"])(view)
    browser = client(router)
    options = browser.options(path)
    assert options.status_int == 204
    assert options.headers["Allow"] == "GET, HEAD, OPTIONS, PUT"
    refused = browser.post(path, status=405)
    assert refused.headers["Allow"] == "GET, HEAD, OPTIONS, PUT"
    assert "POST" in refused.text


def test_options_of_ones_own_win():
    router = Router()
    router.route("/a", methods=["OPTIONS"])(say("own"))
    assert client(router).options("/a").text == "own"


def test_options_of_an_unknown_path_are_not_found():
    client(Router()).options("/a", status=404)


def test_options_of_the_whole():
    router = Router()
    router.get("/a")(view)
    router.post("/{b}")(view)
    code, headers, _ = ask(router, "*", "OPTIONS")
    assert (code, headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert status(router, "*") == 400


def test_methods_are_case_sensitive_and_any_name_gets_a_405():
    router = Router()
    router.get("/a")(view)
    assert status(router, "/a", "get") == 405
    long = ask(router, "/a", "X" * 10**5)
    assert long[0] == 405
    assert len(long[2]) < 200


def test_an_error_that_a_view_raises_is_answered():
    router = Router()

    @router.get("/{x}")
    def gone(request, x):
        raise HTTPError(410)

    assert client(router).get("/a", status=410).text == "410 Gone\n"


# Hostile paths


@pytest.fixture
def full():
    router = Router()
    router.get("/")(say("root"))
    router.get("/a")(say("a"))
    router.get("/a/{n:int}/b")(say("int"))
    router.get("/{s}")(say("str"))
    router.get("/{s}/{t}/c")(say("two"))
    router.get("/x/{p:path}")(say("path"))
    router.mount("/m", Response("mount"))
    return router


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", 200),
        ("/" * 10**5, 404),
        ("/x" + "/" * 10**5, 404),
        ("/x/a" + "/" * 10**5, 200),
        ("/m" + "/" * 10**5, 200),
        ("/" + "a" * 10**6, 200),
        ("/a/" + "9" * 10**6 + "/b", 404),
        ("/a" * 10**5, 404),
        ("/\x00", 200),
        ("/\x7f\r\n", 200),
        ("/\xff", 400),
        ("/\xc3", 400),
        ("/m/\xff", 400),
        ("/a/7/\xff", 400),
        ("/\xed\xa0\x80", 400),  # a surrogate in UTF-8
        ("/\xc0\xaf", 400),  # a slash in too many bytes
        ("/\ud800", 400),  # not of PEP 3333
        ("/日", 400),
        ("a", 400),
        ("xa/7/b", 400),
        ("Xm", 400),
        ("?", 400),
        ("example.com:443", 400),
    ],
    ids=range(23),
)
def test_hostile_paths_get_an_answer(full, path, expected):
    assert status(full, path) == expected


@given(
    st.text(max_size=40) | st.text("/.a7x\xc3\xa9", max_size=12), st.sampled_from(["GET", "PUT"])
)
def test_any_path_gets_an_answer(path, method):
    for policy in ("strict", "redirect"):
        router = Router(trailing_slash=policy)
        router.get("/a/")(view)
        router.get("/{n:int}/{s}/")(view)
        router.get("/x/{p:path}")(view)
        router.mount("/7/m", Response("m"))
        code, headers, _ = ask(router, path, method)
        assert code in (200, 308, 400, 404, 405)
        if code == 308:
            assert headers["Location"][:2] not in ("//", "/\\")
            assert headers["Location"].startswith("/")


# Mounts


def where(environ, start_response):
    """Answers where it believes to be."""
    return Response.json([environ["SCRIPT_NAME"], environ["PATH_INFO"]])(environ, start_response)


@pytest.mark.parametrize(
    ("prefix", "path", "script", "rest"),
    [
        ("/m", "/m", "/m", ""),
        ("/m", "/m/", "/m", "/"),
        ("/m/", "/m", "/m", ""),
        ("/m/", "/m/a/b/", "/m", "/a/b/"),
        ("/m/n", "/m/n//x", "/m/n", "//x"),
        ("/", "/", "", "/"),
        ("/", "/a", "", "/a"),
        ("/é", "/Ã©/Ã¼", "/Ã©", "/Ã¼"),
        ("/a b", "/a b/c d", "/a b", "/c d"),
    ],
)
def test_a_mount_moves_its_prefix(prefix, path, script, rest):
    router = Router()
    router.mount(prefix, where)
    assert ask(router, path) == (200, *ask(Response.json([script, rest]), "/")[1:])
    assert (
        ask(router, path, SCRIPT_NAME="/top")[2]
        == ask(Response.json([f"/top{script}", rest]), "/")[2]
    )


@pytest.mark.parametrize("path", ["/mm", "/M", "/", "//m", "/n/m", "/m%2fa"])
def test_a_mount_takes_whole_segments(path):
    router = Router()
    router.mount("/m", where)
    assert status(router, path) == 404


def test_an_absent_path_info_is_the_root():
    router = Router()
    router.mount("/", Response("mounted"))
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/app"}
    assert b"".join(router(environ, lambda *args: print)) == b"mounted"
    assert environ == {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "",
        "wsgikit.route": router.routes[0],
    }


def test_a_mount_answers_all_methods():
    router = Router()
    router.mount("/m", lambda e, s: Response(e["REQUEST_METHOD"])(e, s))
    browser = client(router)
    assert browser.delete("/m/a").text == "DELETE"
    assert browser.options("/m/a").text == "OPTIONS"


def test_routes_win_over_a_mount_and_long_prefixes_over_short_ones():
    router = Router()
    router.mount("/", Response("/"))
    router.mount("/a", Response("/a"))
    router.mount("/a/b", Response("/a/b"))
    router.get("/a/b/c")(say("static"))
    router.get("/a/{x}")(say("str"))
    router.get("/a/b/p/{p:path}")(say("path"))
    browser = client(router)
    answers = {
        "/": "/",
        "/x/y": "/",
        "/a": "/a",
        "/a/": "/a",
        "/a/x/y": "/a",
        "/a/x": "str {'x': 'x'}",
        "/a/b": "/a/b",
        "/a/b/": "/a/b",
        "/a/b/c": "static",
        "/a/b/p/q": "path {'p': 'q'}",
        "/a/b/p/": "/a/b",
    }
    assert {path: browser.get(path).text for path in answers} == answers
    assert browser.post("/a/b/c", status=405).headers["Allow"] == "GET, HEAD, OPTIONS"


def test_url_for_goes_through_nested_mounts():
    inner = Router()
    inner.get("/", name="top")(lambda request: request.url_for("item", n=7))
    inner.get("/é/{n:int}", name="item")(lambda request, n: request.url_for("top"))
    middle = Router()
    middle.mount("/in ner", inner)
    outer = Router()
    outer.mount("/ü", middle)
    browser = client(outer)
    assert browser.get("/%C3%BC/in%20ner/").text == "/%C3%BC/in%20ner/%C3%A9/7"
    assert browser.get("/%C3%BC/in%20ner").text == "/%C3%BC/in%20ner/%C3%A9/7"
    assert browser.get("/%C3%BC/in%20ner/%C3%A9/7").text == "/%C3%BC/in%20ner/"
    under = TestApp(validator(outer), extra_environ={"SCRIPT_NAME": "/app"})
    assert under.get("/%C3%BC/in%20ner/").text == "/app/%C3%BC/in%20ner/%C3%A9/7"


def test_url_of_a_mount():
    router = Router()
    router.mount("/é/files/", Response("files"), name="files")
    router.mount("/", Response("all"), name="all")
    assert router.url("files") == "/%C3%A9/files/"
    assert router.url("files", path="css/a b.css") == "/%C3%A9/files/css/a%20b.css"
    assert router.url("all") == "/"
    assert router.url("all", path="x") == "/x"
    with pytest.raises(ValueError, match="has no parameter 'file'"):
        router.url("files", file="a")
    with pytest.raises(ValueError, match="is not the rest of a path"):
        router.url("files", path="../secret")


def test_url_of_an_unknown_name():
    with pytest.raises(LookupError, match="no route has the name 'home'"):
        Router().url("home")


def test_a_parameter_may_have_any_name():
    router = Router()
    router.get("/{name}/{self}", name="x")(view)
    assert router.url("x", name="a", self="b") == "/a/b"


# The trailing slash


@pytest.fixture
def sloppy():
    router = Router(trailing_slash="redirect")
    router.get("/a")(say("a"))
    router.get("/b/")(say("b"))
    router.post("/é/{s}/")(say("é"))
    router.get("/both")(say("both"))
    router.get("/both/")(say("both/"))
    router.get("/p/{p:path}")(lambda request, p: p)
    router.get("/{x}/{y}/")(view)
    router.mount("/m", where)
    return router


def test_strict_is_the_default():
    router = Router()
    router.get("/a")(view)
    router.get("/b/")(view)
    client(router).get("/a/", status=404)
    client(router).get("/b", status=404)


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/a/", "/a"),
        ("/b", "/b/"),
        ("/b?x=1&y=%2F", "/b/?x=1&y=%2F"),
        ("/%C3%A9/%20%5C", "/%C3%A9/%20%5C/"),
        ("/x/y", "/x/y/"),
        ("/x/evil.com", "/x/evil.com/"),
    ],
)
def test_the_other_slash_is_redirected_to(sloppy, path, location):
    browser = client(sloppy)
    for method in ("GET", "POST"):
        answer = browser.request(path, method=method)
        assert (answer.status_int, answer.headers["Location"]) == (308, location)
    assert browser.request(path, method="PUT").headers["Location"] == location
    under = TestApp(sloppy, extra_environ={"SCRIPT_NAME": "/ap p"})
    assert under.get(path).headers["Location"] == f"/ap%20p{location}"


def test_where_both_are_there_none_is_redirected(sloppy):
    browser = client(sloppy)
    assert browser.get("/both").text == "both"
    assert browser.get("/both/").text == "both/"
    assert browser.get("/p/x/").text == "x/"
    assert browser.post("/both/", status=405).headers["Allow"] == "GET, HEAD, OPTIONS"


def test_mounts_are_not_redirected(sloppy):
    browser = client(sloppy)
    assert browser.get("/m").json == ["/m", ""]
    assert browser.get("/m/").json == ["/m", "/"]
    inner = Router(trailing_slash="redirect")
    inner.get("/")(say("home"))
    inner.get("/a/")(view)
    outer = Router(trailing_slash="redirect")
    outer.mount("/in", inner)
    assert client(outer).get("/in").text == "home"
    assert client(outer).get("/in/a?q").headers["Location"] == "/in/a/?q"
    client(outer).get("/in/b", status=404)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.com/",
        "//evil.com",
        "///evil.com/",
        "//a/",
        "//a",
        "/\\evil.com/",
        "/\\evil.com",
        "/\\/evil.com/x",
        "/.//evil.com/",
        "/..//evil.com",
        "https://evil.com/",
        "/p//evil.com/",
        "/",
        "",
    ],
)
def test_no_redirect_leaves_the_site(sloppy, path):
    code, headers, _ = ask(sloppy, path)
    assert code in (400, 404)
    assert "Location" not in headers


def test_a_backslash_is_encoded(sloppy):
    sloppy.get("/{x}/")(view)
    assert ask(sloppy, "/\\evil.com")[1]["Location"] == "/%5Cevil.com/"


@pytest.mark.parametrize("script", ["/", "//evil.com", "//"])
def test_no_redirect_below_a_script_name_with_two_slashes(sloppy, script):
    code, headers, _ = ask(sloppy, "/a/", SCRIPT_NAME=script)
    assert (code, "Location" in headers) == (404, False)


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("next=/x?y", "next=/x?y"),
        ("p=C:\\x", "p=C:%5Cx"),
        ("q=\xc3\xa9", "q=%C3%A9"),
        ("q=\xff", "q=%FF"),
        ("a=1\r\nX-Evil: 1", "a=1%0D%0AX-Evil:%201"),
        ("a[]=%5B", "a[]=%5B"),
    ],
)
def test_the_query_is_kept_and_made_safe(sloppy, query, kept):
    code, headers, _ = ask(sloppy, "/a/", QUERY_STRING=query)
    assert (code, headers["Location"]) == (308, f"/a?{kept}")


# url() and back

OWN = Converter("hex", "[0-9a-f]+", lambda text: int(text, 16), "{:x}".format)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
SPECIAL = st.sampled_from(
    [
        ":@;,",
        "%",
        "%41",
        "?",
        "#",
        "a b",
        "+",
        "...",
        ".a",
        "a.",
        "é",
        "日本",
        "\\",
        "~",
        "&=",
        "\x00",
    ]
    + ["x" * 10**5, "-", "%2F", "e\u0301", "\U0001f600"]
)
SEGMENTS = (
    (TEXT | SPECIAL)
    .map(lambda text: text.replace("/", ""))
    .filter(lambda text: text not in ("", ".", ".."))
)
VALUES = {
    "str": SEGMENTS,
    "int": st.integers() | st.sampled_from([0, -1, 10**4000]),
    "float": st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1e300, 5e-324]),
    "uuid": st.uuids(),
    "date": st.dates(),
    "hex": st.integers(0),
    "path": st.lists(SEGMENTS | st.just(""), min_size=1, max_size=4)
    .map("/".join)
    .filter(lambda text: text and text[0] != "/"),
}
LITERALS = SEGMENTS.map(lambda text: "".join(char for char in text if char not in "{}?#%")).filter(
    lambda text: text not in ("", ".", "..")
)


@st.composite
def routes(draw):
    """A template and values for its parameters."""
    kinds = draw(
        st.lists(st.sampled_from(["literal", *sorted(set(VALUES) - {"path"})]), max_size=5)
    )
    if not kinds or draw(st.booleans()):
        kinds.append("path")
    template, values = "", {}
    for index, kind in enumerate(kinds):
        if kind == "literal":
            template += "/" + draw(LITERALS)
        else:
            template += f"/{{p{index}:{kind}}}"
            values[f"p{index}"] = draw(VALUES[kind])
    return template + "/" * draw(st.booleans() if kinds[-1] != "path" else st.just(False)), values


def served(url):
    """PATH_INFO, as a server makes it of a URL."""
    return unquote_to_bytes(url).decode("latin-1")


@given(routes(), st.sampled_from(["", "/in", "/é ü"]))
def test_url_leads_back_to_its_route_and_values(route, prefix):
    template, values = route
    router = Router(converters=[OWN])
    got = []
    router.get(template, name="it")(lambda request, **params: got.append(params))
    router.mount("/", Response("what no route matches"))
    url = router.url("it", **values)
    assert url.isascii()
    assert not url.startswith("//")
    outer = Router()
    outer.mount(prefix or "/", router, name="in")
    where = outer.url("in", path=served(url)[1:].encode("latin-1").decode()) if prefix else url
    for app, path in ((router, url), (outer, where)):
        assert status(app, served(path)) == 204
        assert got.pop() == values


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("/é ü/{s}", {"s": "a:@;,%?#+& \\é日/".removesuffix("/")}),
        ("/{n:int}/{f:float}/{s}/", {"n": -5, "f": 1e-7, "s": "..."}),
        ("/{p:path}", {"p": "a//b/%2F/ü/"}),
    ],
)
def test_url_leads_back_over_a_real_connection(template, values):
    got = []
    router = Router()

    @router.get(template, name="it")
    def it(request, **params):
        got.append(params)
        return request.url_for("it", **params)

    outer = Router()
    outer.mount("/mounted", router)
    with serving(outer) as server:
        connection = HTTPConnection(server.host, server.port)
        url = "/mounted" + router.url("it", **values)
        connection.request("GET", url)
        answer = connection.getresponse()
        assert (answer.status, answer.read().decode()) == (200, url)
        connection.close()
    assert got == [values]


# Which route it is: all of them tried, one by one

RANKS = {"str": 2, "path": 3}
NO_VALUE = ("", ".", "..")
PARTS = ["a", "b", "7", "{:int}", "{:float}", "{:str}"]
ENDS = ["", "{:path}"]


def matches(segments, path):
    """(rank of each segment, values), or None: how a path reads by these segments."""
    ranks, values = [], []
    for index, segment in enumerate(segments):
        kind = segment[2:-1] if segment.startswith("{") else ""
        if segment == "{mount}":
            return [*ranks, 4], values
        if index == len(path):
            return None
        text = path[index]
        if kind and text in NO_VALUE:
            return None
        if kind == "path":
            if {".", ".."} & set(path[index:]):
                return None
            return [*ranks, 3], [*values, "/".join(path[index:])]
        try:
            if kind:
                values.append({"int": int, "float": float, "str": str}[kind](text))
            if (kind == "float") != ("." in text) and kind in ("int", "float"):
                return None
        except ValueError:
            return None
        if not kind and text != segment:
            return None
        ranks.append(RANKS.get(kind, 1) if kind else 0)
    return (ranks, values) if len(segments) == len(path) else None


def slow(table, path, method):
    """What the router has to answer: (segments, values), or the methods that are allowed."""
    path = path.split("/")[1:]
    found = []
    for segments, methods in table:
        read = matches(segments, path)
        if read is not None:
            found.append((read[0], read[1], segments, methods))
    allowed = set()
    for _, values, segments, methods in sorted(found, key=lambda match: match[0]):
        if "{mount}" in segments:
            return ("405", sorted(allowed)) if allowed else (segments, [])
        if method in methods:
            return segments, values
        allowed |= methods
    return ("405", sorted(allowed)) if allowed else "404"


TEMPLATES = st.lists(st.sampled_from(PARTS), max_size=3).flatmap(
    lambda parts: st.sampled_from([*([parts] if parts else []), [*parts, ""], [*parts, "{:path}"]])
) | st.lists(st.sampled_from(["a", "b", "7"]), max_size=2).map(lambda parts: [*parts, "{mount}"])
TABLES = st.lists(
    st.tuples(TEMPLATES.map(tuple), st.sampled_from([{"GET"}, {"POST"}, {"GET", "POST"}])),
    max_size=12,
    unique_by=lambda row: row[0],
)
PATHS = st.lists(st.sampled_from(["a", "b", "7", "-7", "7.5", "c", "é", "", ".."]), max_size=4)


def defined(table, names):
    """A router of these routes, each of which answers by its segments and values."""
    router = Router()
    for segments, methods in table:
        if segments[-1] == "{mount}":
            router.mount("/" + "/".join(segments[:-1]), Response.json([segments, []]))
            continue
        text = ""
        for index, segment in enumerate(segments):
            name = f"{next(names)}{index}"
            text += "/" + segment.replace("{:", f"{{{name}:")

        def answer(request, *, segments=segments, **params):
            return [segments, list(params.values())]

        router.route(text, methods=sorted(methods))(answer)
    return router


@given(TABLES, st.lists(PATHS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_best_route_answers_whatever_the_order_of_definition(table, paths, random):
    names = iter(lambda: random.choice("xyz"), None)
    routers = []
    for _ in range(3):
        random.shuffle(table)
        routers.append(defined(table, names))
    paths += [[part.strip("{:}") for part in segments] for segments, _ in table]
    for path in ["/" + "/".join(parts) for parts in paths]:
        for method in ("GET", "POST"):
            expected = slow(table, path, method)
            for router in routers:
                code, headers, text = ask(router, path.encode().decode("latin-1"), method)
                if expected == "404":
                    assert code == 404
                elif expected[0] == "405":
                    assert code == 405
                    allowed = set(headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
                    assert sorted(allowed) == expected[1]
                else:
                    assert code == 200
                    assert text == ask(Response.json(expected), "/")[2]


# What it costs


def calls(app, path, method="GET"):
    """How many functions, also of C, an answer takes."""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": ""}
    counted = []
    gc.disable()  # which may call what has nothing to do with it
    sys.setprofile(lambda frame, event, arg: counted.append(event))
    try:
        list(app(environ, lambda *args: print))
    finally:
        sys.setprofile(None)
        gc.enable()
    return counted.count("call") + counted.count("c_call")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/r5", "GET"),
        ("/r5/7/items/red", "GET"),
        ("/r5/7/items/red", "HEAD"),
        ("/r5/7/items/red", "DELETE"),
        ("/r5/x/items", "GET"),
        ("/Ã©/7", "GET"),
        ("/nowhere", "GET"),
        ("/r5/7/items/red/more", "GET"),
        ("/r5/m/a/b", "GET"),
    ],
)
def test_the_cost_of_a_match_does_not_grow_with_the_routes(path, method):
    def router(count):
        made = Router()
        made.get("/é/{n:int}")(view)
        for number in range(count):
            made.get(f"/r{number}")(view)
            made.get(f"/r{number}/{{n:int}}/items/{{slug}}")(view)
            made.mount(f"/r{number}/m", Response("mount"))
        return made

    assert calls(router(10), path, method) == calls(router(1000), path, method)


class Segment(str):
    """Text that counts how often it is compared or looked up."""

    looked = 0

    def __hash__(self):
        Segment.looked += 1
        return str.__hash__(self)

    def __eq__(self, other):
        Segment.looked += 1
        return str.__eq__(self, other)


def test_a_search_looks_at_no_more_than_the_ways_that_fit():
    # Every way but the last of 2 * 2 * 2 ends nowhere, and thousands of others are not looked at.
    router = Router()
    for number in range(500):
        router.get(f"/a{number}/x/y/z")(view)
        router.get(f"/{{a}}/{{b}}/{{c}}/d{number}")(view)
    for first in ("a", "{a}"):
        for second in ("b", "{b}"):
            router.get(f"/{first}/{second}/c/nowhere")(view)
    segments = [Segment(text) for text in ("", "a", "b", "c", "d")]
    Segment.looked = 0
    assert list(router._root.search(segments)) == []
    assert Segment.looked < 100


def test_a_request_that_finds_nothing_is_not_searched_for_again():
    router = Router()
    router.get("/users/{id:int}")(view)
    router.get("/users/{id:int}/posts")(view)
    assert not any(node.hopes for node in (router._root, router._root.literal[""]))
    router.get("/{p:path}", name="late")(say("late"))
    assert client(router).get("/users/x").text == "late {'p': 'users/x'}"
    assert client(router).get("/users/7/posts/3").text == "late {'p': 'users/7/posts/3'}"


class Sub(Router):
    """A router with a constructor of its own."""

    def __init__(self, word):
        super().__init__(converters=[Converter("word", word)], trailing_slash="redirect")


def test_a_router_is_rebuilt_with_others_behind_its_routes():
    router = Sub("a+")
    router.get("/{x:word}", name="x")(say("get"))
    router.post("/{y:word}")(say("post"))
    router.group("/files", lambda app: app).get("/{path:path}")(say("file"))
    router.mount("/below", Response("below"), name="mounted")
    passed = []

    def noted(route):
        def answer(environ, start_response):
            passed.append(str(route))
            return route.application(environ, start_response)

        return answer

    made = router.rebuilt([noted(route) for route in router.routes])
    app = client(made)
    assert app.get("/aaa").text == "get {'x': 'aaa'}"
    assert app.head("/a").status_int == 200
    assert app.post("/a").text == "post {'y': 'a'}"
    assert app.get("/a/").status_int == 308
    assert app.get("/files/b/c").text == "file {'path': 'b/c'}"
    assert app.get("/below/b").text == "below"
    app.get("/b", status=404)
    assert made.url("x", x="aa") == "/aa"
    assert made.url("mounted", path="b") == "/below/b"
    assert [str(route) for route in made.routes] == [str(route) for route in router.routes]
    assert passed == [
        "GET /{x:word}",
        "GET /{x:word}",
        "POST /{y:word}",
        "GET /files/{path:path}",
        "/below/*",
    ]
    assert client(router).get("/a").text == "get {'x': 'a'}"
    assert len(passed) == 5


def test_the_router_is_an_application_like_any_other():
    router = Router()
    router.get("/{x}")(say("x"))
    inside = Router()
    inside.mount("/", validator(router))
    assert client(inside).get("/a").text == "x {'x': 'a'}"
