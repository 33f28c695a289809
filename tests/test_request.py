from __future__ import annotations

import functools
import json
from io import BytesIO
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import HTTPError, Request, Response, Router
from wsgikit.http.problem import MissingField
from wsgikit.keys import DRAW_ERROR, INPUT_TERMINATED, ROUTING_ARGS
from wsgikit.request import MAX_BODY

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def request(body=b"", content_type=None, /, **environ):
    """A request with a body of known length."""
    given = {
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
    }
    if content_type is not None:
        given["CONTENT_TYPE"] = content_type
    return Request(given | environ)


def answer(view, method="GET", path="/", **environ):
    """What a view answers, seen by wsgiref's validator and by WebTest's."""
    app = TestApp(validator(Request.application(view)), environ)
    return app.request(path, method=method, status="*")


def refused(status, detail=""):
    return pytest.raises(HTTPError, match=f"^{status} .*{detail}")


# --- what the environ says


def test_what_may_be_absent_is_empty():
    bare = Request({"REQUEST_METHOD": "GET", "wsgi.input": BytesIO()})
    assert bare.path == bare.root_path == bare.query_string == ""
    assert dict(bare.query) == bare.cookies == bare.params == bare.state == {}
    assert bare.media_type is bare.content_length is bare.client is None
    assert bare.body == b""
    assert bare.text == ""
    assert len(bare.headers) == 0
    assert bare.accept.best(["text/html"]) == "text/html"
    assert bare.accept_language.best(["de"]) == "de"
    assert bare.accept_encoding.best(["gzip", "identity"]) == "identity"


def test_method_scheme_and_client():
    given = request(REQUEST_METHOD="put", REMOTE_ADDR="::1")
    assert (given.method, given.scheme, given.client) == ("put", "http", "::1")


def test_path_and_url():
    given = request(SCRIPT_NAME="/\xc3\xbc", PATH_INFO="/\xe6\xb0\xb4 \xff", QUERY_STRING="a=%41")
    assert given.root_path == "/ü"
    assert given.path == "/水 \ufffd"
    assert given.query_string == "a=%41"
    assert given.host == "localhost"
    assert given.url == "http://localhost/%C3%BC/%E6%B0%B4%20%FF?a=%41"


def test_query():
    given = request(QUERY_STRING="a=1&b=%C3%BC&a=2")
    assert given.query["a"] == "1"
    assert given.query["b"] == "ü"
    assert given.query.get_all("a") == ["1", "2"]
    assert given.query is given.query


def test_too_many_fields_in_a_query():
    with refused(400, "max_fields"):
        _ = request(QUERY_STRING="&" * 1000).query


def test_headers():
    given = request(HTTP_X_NAME="a")
    assert given.headers["x-name"] == "a"
    assert given.headers is given.headers


def test_cookies():
    given = request(HTTP_COOKIE='a=1; b="2"; \x00=; c')
    assert given.cookies == {"a": "1", "b": "2"}
    assert given.cookies["a"] == "1"
    assert given.cookies.get("z") is None
    assert given.cookies is given.cookies


@pytest.mark.parametrize(
    ("what", "read"),
    [
        ("field", lambda given: given.query["q"]),
        ("field", lambda given: given.form()["q"]),
        ("header field", lambda given: given.headers["q"]),
        ("cookie", lambda given: given.cookies["q"]),
    ],
    ids=["query", "form", "headers", "cookies"],
)
def test_what_the_client_did_not_send_is_its_mistake(what, read):
    with pytest.raises(MissingField, match=f"The {what} 'q' is missing"):
        read(request(b"", FORM))
    assert answer(read, CONTENT_TYPE=FORM).status == "400 Bad Request"


def test_negotiation():
    given = request(
        HTTP_ACCEPT="text/html;q=0.5, application/json",
        HTTP_ACCEPT_LANGUAGE="de-CH, en;q=0.5",
        HTTP_ACCEPT_ENCODING="gzip",
    )
    assert given.accept.best(["text/html", "application/json"]) == "application/json"
    assert given.accept_language.best(["en", "de"]) == "de"
    assert given.accept_encoding.best(["br", "gzip"]) == "gzip"
    assert given.accept is given.accept


def test_media_type():
    media = request(b"", "Text/HTML; Charset=UTF-8").media_type
    assert (media.essence, media.charset) == ("text/html", "utf-8")
    assert request(b"", "html").media_type is None


def test_params():
    assert request(**{ROUTING_ARGS: ((), {"id": 5})}).params == {"id": 5}


def test_state_is_shared_by_all_requests_of_an_environ():
    first = request()
    first.state["user"] = "me"
    assert Request(first.environ).state == {"user": "me"}


def test_repr():
    given = request(PATH_INFO="/a b", QUERY_STRING="\xff")
    assert repr(given) == "<Request GET /a%20b?%FF>"
    assert repr(Request({})) == "<Request - />"


def test_the_documentation_of_an_attribute_is_found_on_the_class():
    assert Request.query.__doc__.startswith("The query string's parameters")


# --- url_for


def test_url_for_names_the_mount():
    router, outer = Router(), Router()

    @router.get("/users/{id:int}", name="user")
    def user(request, id):
        return request.url_for("user", id=id + 1)

    outer.mount("/ü b", router)
    app = TestApp(validator(outer), {"SCRIPT_NAME": "/root"})
    assert app.get("/%C3%BC%20b/users/1").text == "/root/%C3%BC%20b/users/2"


def test_url_for_without_a_router():
    with pytest.raises(LookupError, match="Router"):
        request().url_for("user")


def test_a_nonce_without_a_policy():
    with pytest.raises(LookupError, match="security_headers"):
        _ = request().csp_nonce


# --- the body


def test_the_body_is_read_once_for_all():
    given = request(b"0123456789")
    assert given.body == given.read(10) == given.text.encode() == b"0123456789"
    assert Request(given.environ).body == b"0123456789"
    with refused(413, "max_size"):
        given.read(9)
    assert given.environ["wsgi.input"].read() == b"0123456789"


def test_a_body_is_limited_unless_said_otherwise():
    given = request(b"x" * (MAX_BODY + 1))
    for read in (given.read, given.json, given.form, lambda: given.body, lambda: given.text):
        given.environ["CONTENT_TYPE"] = FORM if read == given.form else JSON
        with refused(413, f"{MAX_BODY} bytes"):
            read()
    assert len(given.read(MAX_BODY + 1)) == MAX_BODY + 1


def test_a_layer_may_read_a_form_before_its_view():
    def view(request):
        return request.form()["a"] + request.headers["X-Seen"]

    app = Request.application(view)

    def layer(environ, start_response):
        environ["HTTP_X_SEEN"] = Request(environ).form()["a"]
        return app(environ, start_response)

    assert TestApp(validator(layer)).post("/", {"a": "1"}).text == "11"


def test_a_chunked_body():
    given = request(b"chunks", **{INPUT_TERMINATED: True})
    del given.environ["CONTENT_LENGTH"]
    with refused(413):
        given.read(5)
    assert given.read(6) == b"chunks"


# --- text


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        (None, "ü".encode(), "ü"),
        ("text/plain", "ü".encode(), "ü"),
        ("text/plain; charset=UTF-8", "ü".encode(), "ü"),
        ('text/plain; charset="latin-1"', b"\xfc", "ü"),
        ("text/plain; charset=windows-1252", b"\x80", "€"),
        ("text/plain; charset=utf-16", "ü".encode("utf-16"), "ü"),
        ("rubbish; charset=zip", b"a", "a"),
    ],
)
def test_text(content_type, body, text):
    assert request(body, content_type).text == text


@pytest.mark.parametrize(
    "charset",
    ["zip", "idna", "utf-7", "unknown", "rot13", "unicode_escape", '""', "x" * 9999]
    + ["raw-unicode-escape", "punycode", "hex", "mbcs", "undefined", "\xfc"],
)
def test_a_charset_that_is_not_taken(charset):
    with refused(415, "is not read here") as caught:
        _ = request(b"a", f"text/plain; charset={charset}").text
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("charset", ["utf-8", "ascii", "utf-16", "utf-16le", "cp1252"])
def test_text_that_is_not_of_its_charset(charset):
    with refused(400, f"The body is not {charset}"):
        _ = request(b"\x81\xff\xd8", f"text/plain; charset={charset}").text


# --- json


@pytest.mark.parametrize(
    "content_type",
    [
        JSON,
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/ld+json",
        "a/b+json",
    ],
)
def test_json(content_type):
    body = b'\xef\xbb\xbf{"a": ["\xc3\xbc", 1.5, null]}'
    assert request(body, content_type).json() == {"a": ["ü", 1.5, None]}


@pytest.mark.parametrize("body", [b'{"a": 1, "a": 1}', b'[{"": {"\\u0061": 1, "a": 2}}]'])
def test_a_name_twice_in_json(body):
    with refused(400, "two members of one name"):
        request(body, JSON).json()


def test_a_name_twice_in_json_where_that_is_taken():
    assert request(b'{"a": 1, "a": 2}', JSON).json(unique_names=False) == {"a": 2}


def test_json_has_a_depth():
    given = request(b"[[[]]]", JSON)
    with refused(400, "max_depth=2"):
        given.json(max_depth=2)
    assert given.json(max_depth=3) == [[[]]]


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", FORM, "application/jsonx", "application/xml+jsonp", "json", "+json"],
)
def test_json_of_another_type(content_type):
    with refused(415, "application/json"):
        request(b"{}", content_type).json()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"[Infinity]",
        b"1e999",
        b"9" * 10_000,
        b"[" * 300,
        b"[" * 300 + b"]" * 300,
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'"\\ud800"',
        b'"\xff"',
        '"ü"'.encode("utf-16"),
        b"[1] 2",
        b"\0",
    ],
    ids=lambda body: repr(body[:9]),
)
def test_what_is_no_json(body):
    with refused(400, "JSON"):
        request(body, JSON).json()


def test_json_has_a_limit_of_its_own():
    given = request(b"[12345]", JSON)
    with refused(413, "6 bytes"):
        given.json(6)
    assert given.json(max_size=7) == [12345]


# --- form


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=latin-1", f" {FORM.upper()} ;"])
def test_form(content_type):
    given = request(b"a=%C3%BC+b&c=\xc3\xbc&a=2", content_type)
    assert given.form().items() == [("a", "ü b"), ("c", "ü"), ("a", "2")]
    assert given.form() is given.form()


@pytest.mark.parametrize("content_type", [None, "", "multipart/mixed", JSON, FORM + "x"])
def test_a_form_of_another_type(content_type):
    with refused(415, FORM):
        request(b"a=1", content_type).form()


def test_a_form_has_limits_of_its_own():
    given = request(b"a=1&b=2", FORM)
    with refused(413, "6 bytes"):
        given.form(6)
    with refused(413, "max_fields=1 "):
        given.form(max_fields=1)
    with refused(413, "max_memory=6 bytes"):
        given.form(max_memory=6)
    assert len(given.form(max_size=7, max_fields=2)) == 2


# --- views


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize(
    ("result", "status", "content_type", "body"),
    [
        ("ü\ud800", 200, "text/plain; charset=utf-8", "ü?".encode()),
        ("", 200, "text/plain; charset=utf-8", b""),
        ({"a": "ü"}, 200, JSON, b'{"a":"\\u00fc"}'),
        ([], 200, JSON, b"[]"),
        (b"b", 200, "application/octet-stream", b"b"),
        (None, 204, None, b""),
        (Response.html("<p>", 201), 201, "text/html; charset=utf-8", b"<p>"),
        (Response.redirect("/"), 303, "text/plain; charset=utf-8", b""),
        (Request.application(lambda request: "inner"), 200, "text/plain; charset=utf-8", b"inner"),
    ],
    ids=["str", "empty", "dict", "list", "bytes", "None", "html", "redirect", "application"],
)
def test_what_a_view_returns(method, result, status, content_type, body):
    response = answer(lambda request: result, method)
    assert response.status_int == status
    assert response.headers.get("Content-Type") == content_type
    assert response.body == (b"" if method == "HEAD" else body)
    expected = None if status == 204 else str(len(body))
    assert response.headers.get("Content-Length") == expected


@pytest.mark.parametrize(
    ("result", "error"),
    [(12, TypeError), (Request, TypeError), ({"a": float("nan")}, ValueError), ([b""], TypeError)],
    ids=repr,
)
def test_what_no_view_returns(result, error):
    with pytest.raises(error):
        answer(lambda request: result)


def test_a_view_gets_its_path_parameters():
    response = answer(lambda request, a, b: f"{a}{b}", **{ROUTING_ARGS: ((), {"a": 1, "b": "2"})})
    assert response.text == "12"


def fail(request):
    raise HTTPError(418, "No coffee.", headers={"X-Pot": "tea"})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_error_is_answered_where_it_was_raised(method):
    response = answer(fail, method, HTTP_ACCEPT=JSON)
    assert response.status_int == 418
    assert response.headers["X-Pot"] == "tea"
    assert method == "HEAD" or response.json["detail"] == "No coffee."


def test_an_error_is_drawn_as_the_environ_says():
    def draw(error, environ, start_response):
        return Response(f"drawn {error.status}", 499)(environ, start_response)

    response = answer(fail, **{DRAW_ERROR: draw})
    assert (response.status_int, response.text) == (499, "drawn 418")


def test_what_is_no_http_error_passes():
    def broken(request):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        answer(broken)


def test_an_application_is_named_like_its_view():
    def view(request):
        """What it does."""
        return ""

    app = Request.application(view)
    assert app.__wrapped__ is view
    assert (app.__name__, app.__module__, app.__doc__) == ("view", __name__, "What it does.")
    assert app.__qualname__ == view.__qualname__


class View:
    def __call__(self, request):
        return "called"


@pytest.mark.parametrize(
    ("view", "name"), [(View(), "View"), (functools.partial(View()), "partial")]
)
def test_any_callable_is_a_view(view, name):
    assert Request.application(view).__name__ == name
    assert answer(view).text == "called"


def test_one_application_answers_many_times():
    app = TestApp(validator(Request.application(lambda request: request.query["q"])))
    assert [app.get("/", {"q": text}).text for text in "abc"] == ["a", "b", "c"]


# --- whatever a client sends

NATIVE = st.text(st.characters(max_codepoint=255), max_size=50)
LIKELY = st.sampled_from(
    [
        "application/json",
        FORM,
        "multipart/form-data; boundary=b",
        '--b\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n1\r\n--b--',
        "text/plain; charset=utf-16",
        "a=b; c",
        "*/*;q=0",
        "12",
        "-1",
        "gzip",
    ]
    + ["[::1]:80", "%zz%ff=&+", '{"a": [1]}', "//evil", "en;q=x", '"', ","]
)
TEXT = NATIVE | LIKELY
CLIENTS = st.fixed_dictionaries(
    {"REQUEST_METHOD": TEXT},
    optional=dict.fromkeys(
        ["SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_HOST"]
        + ["HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT_ENCODING", "HTTP_COOKIE"]
        + ["HTTP_X_OTHER", "REMOTE_ADDR"],
        TEXT,
    ),
)
# The last two need a layer around the application.
OTHERS = {"environ", "application", "url_for", "session", "csp_nonce"}
ATTRIBUTES = [name for name in vars(Request) if not name.startswith("_") and name not in OTHERS]


@given(CLIENTS, st.binary(max_size=50) | LIKELY.map(str.encode), st.booleans())
def test_whatever_a_client_sends_is_answered_by_a_4xx_at_worst(client, body, terminated):
    given = request(body, **client, **{INPUT_TERMINATED: terminated})
    assert repr(given).startswith("<Request ")
    for name in ATTRIBUTES:
        try:
            value = getattr(given, name)
            if name in ("read", "json", "form"):
                value = value()
            elif name == "stream_parts":
                value = [part.read() for part in request(body, **client).stream_parts()]
        except HTTPError as error:
            assert 400 <= error.status < 500, name  # noqa: PT017 - one attribute of many
        else:
            repr(value)
    assert given.url.isascii()


@given(CLIENTS, st.binary(max_size=50))
def test_whatever_a_client_sends_gets_a_valid_answer(client, body):
    def view(request):
        parts = [request.query.items(), request.cookies, request.headers.items(), request.url]
        parts += [request.accept.best(["text/html"]), request.path, request.form().items()]
        return json.loads(json.dumps(parts))

    environ = {"QUERY_STRING": "", "wsgi.input": BytesIO(body)} | client
    if environ["REQUEST_METHOD"] not in ("HEAD", "POST"):
        environ["REQUEST_METHOD"] = "GET"
    setup_testing_defaults(environ)
    if environ.get("PATH_INFO", "/")[:1] != "/":
        environ["PATH_INFO"] = "/" + environ["PATH_INFO"]
    started = []
    app = Request.application(view)
    body = app(environ, lambda status, headers: started.append((status, headers)))
    assert all(type(block) is bytes for block in body)
    ((status, headers),) = started
    assert status[:1] in "24"
    assert dict(headers)["Content-Length"].isdigit()
