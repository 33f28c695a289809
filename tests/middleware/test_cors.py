from __future__ import annotations

from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import HTTPError, Request, Response, stack
from wsgikit.middleware import cors, errors

APP = "https://app.example"
PREFLIGHT = {"Origin": APP, "Access-Control-Request-Method": "PUT"}


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def granted(answer):
    """What a response says of CORS, by the end of the names of its fields."""
    prefix = "Access-Control-"
    fields = answer.headers.items()
    return {name[len(prefix) :]: value for name, value in fields if name.startswith(prefix)}


def never(environ, start_response):
    raise AssertionError("the application was called")


# Responses


def test_response_to_an_origin_names_it():
    app = checked(cors(origins=[APP, "http://other.example:8000"]), Response("data"))
    answer = app.get("/", headers={"Origin": APP})
    assert granted(answer) == {"Allow-Origin": APP}
    assert answer.headers["Vary"] == "Origin"
    answer = app.get("/", headers={"Origin": "http://other.example:8000"})
    assert granted(answer) == {"Allow-Origin": "http://other.example:8000"}


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "https://APP.example",
        f"{APP}, https://evil.example",
        f"{APP}/",
        "",
    ],
)
def test_response_to_others_is_the_same_and_says_only_that_it_varies(origin):
    app = checked(cors(origins=[APP]), Response("data"))
    answer = app.get("/", headers={} if origin is None else {"Origin": origin})
    assert (answer.text, granted(answer), answer.headers["Vary"]) == ("data", {}, "Origin")


def test_any_origin():
    app = checked(cors(origins=["*"]), Response("data"))
    for headers in ({}, {"Origin": APP}, {"Origin": "null"}):
        answer = app.get("/", headers=headers)
        assert granted(answer) == {"Allow-Origin": "*"}
        assert "Vary" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "is_one"),
    [
        ("https://a.example.com", True),
        ("https://a.b.example.com", True),
        ("https://example.com", False),
        ("http://a.example.com", False),
        ("https://a.example.com:8443", False),
        ("https://a.example.org:8443", True),
        ("https://a.example.org", False),
        ("https://a.example.com.evil.example", False),
        ("https://evil.example/a.example.com", False),
        ("https://evil@a.example.com", False),
        ("https://*.example.com", False),
        ("https://.example.com", False),
        ("https://", False),
        ("null", False),
    ],
)
def test_origins_below_a_name(origin, is_one):
    allowed = ["https://*.example.com", "https://*.example.org:8443", APP]
    app = checked(cors(origins=allowed), Response("data"))
    for _ in range(2):
        answer = app.get("/", headers={"Origin": origin})
        assert granted(answer) == ({"Allow-Origin": origin} if is_one else {})
    assert granted(app.get("/", headers={"Origin": APP})) == {"Allow-Origin": APP}


def test_only_so_many_origins_are_remembered():
    app = cors(Response("data"), origins=["https://*.example.com", APP])
    for number in range(1500):
        started = []
        environ = {"REQUEST_METHOD": "GET", "HTTP_ORIGIN": f"https://{number}.example.com"}
        app(environ, lambda status, headers, exc_info=None, to=started: to.extend(headers))
        assert ("Access-Control-Allow-Origin", environ["HTTP_ORIGIN"]) in started


def test_credentials_and_exposed_fields():
    app = checked(
        cors(origins=[APP], credentials=True, expose=["ETag", "X-Total"]), Response("data")
    )
    assert granted(app.get("/", headers={"Origin": APP})) == {
        "Allow-Origin": APP,
        "Allow-Credentials": "true",
        "Expose-Headers": "ETag, X-Total",
    }
    assert granted(app.get("/")) == {}


@pytest.mark.parametrize("status", [200, 201, 206, 304, 400, 401, 403, 404, 429, 500, 503])
def test_whatever_the_status(status):
    line = f"{status} Whatever"

    def app(environ, start_response):
        start_response(line, [] if status == 304 else [("Content-Type", "text/plain")])
        return [b""]

    answer = checked(cors(origins=[APP]), app).get("/", headers={"Origin": APP}, status=status)
    assert granted(answer) == {"Allow-Origin": APP}
    assert answer.headers["Vary"] == "Origin"


def test_errors_and_failures_inside(caplog):
    @Request.application
    def view(request):
        raise HTTPError(404) if request.path == "/none" else ValueError

    app = checked(cors(origins=[APP]), errors(), view)
    for path, status in (("/none", 404), ("/fails", 500)):
        answer = app.get(path, headers={"Origin": APP}, status=status)
        assert granted(answer) == {"Allow-Origin": APP}
        assert answer.headers.getall("Vary") == ["Accept, Origin"]


@pytest.mark.parametrize(
    ("own", "vary"),
    [
        (["Accept"], "Accept, Origin"),
        (["Accept", "Cookie"], "Accept, Cookie, Origin"),
        (["accept, ORIGIN"], "accept, ORIGIN"),
        (["*"], "*"),
    ],
)
@pytest.mark.parametrize("headers", [{"Origin": APP}, {}], ids=["origin", "none"])
def test_vary_is_kept(own, vary, headers):
    response = Response("data", headers=[("vary", value) for value in own])
    answer = checked(cors(origins=[APP]), response).get("/", headers=headers)
    assert answer.headers.getall("Vary") == [vary]


def test_what_the_application_grants_itself_stays():
    own = Response("data", headers={"access-control-allow-origin": "*", "Vary": "Accept"})
    answer = checked(cors(origins=[APP], credentials=True), own).get("/", headers={"Origin": APP})
    assert answer.headers.getall("Access-Control-Allow-Origin") == ["*"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize("credentials", [False, True])
def test_credentials_that_the_application_grants_to_no_origin_do_not_count(credentials):
    own = Response("data", headers={"access-control-allow-credentials": "true"})
    layer = cors(origins=[APP], credentials=credentials)
    answer = checked(layer, own).get("/", headers={"Origin": APP})
    assert answer.headers.getall("Access-Control-Allow-Origin") == [APP]
    given = answer.headers.getall("Access-Control-Allow-Credentials")
    assert given == (["true"] if credentials else [])


# A function that knows the origins


def test_a_function_may_know_the_origins():
    asked, tenants = [], {APP}

    def is_allowed(origin):
        asked.append(origin)
        return origin in tenants

    app = checked(cors(is_allowed=is_allowed, credentials=True, methods=["PUT"]), Response("data"))
    answer = app.get("/", headers={"Origin": APP})
    assert granted(answer) == {"Allow-Origin": APP, "Allow-Credentials": "true"}
    assert answer.headers["Vary"] == "Origin"
    assert granted(app.options("/", headers=PREFLIGHT))["Allow-Methods"] == "PUT"
    for origin in (f"{APP}.evil.example", "null"):
        answer = app.get("/", headers={"Origin": origin})
        assert granted(answer) == {}
        assert answer.headers["Vary"] == "Origin"
    assert app.get("/").headers["Vary"] == "Origin"
    assert asked == [APP, APP, f"{APP}.evil.example", "null"]
    tenants.clear()  # what was allowed once is asked for again
    assert granted(app.get("/", headers={"Origin": APP})) == {}
    app.options("/", headers=PREFLIGHT, status=403)


@pytest.mark.parametrize(
    "origin",
    ["", " ", " https://a", "https://a b", "https://\xe9", "https://a\tb", "https://" + "a" * 300],
    ids=ascii,
)
def test_what_no_browser_sends_is_not_asked_for(origin):
    app = cors(Response("data"), is_allowed=lambda origin: True)
    started = []
    app(
        {"REQUEST_METHOD": "GET", "HTTP_ORIGIN": origin},
        lambda status, headers, exc_info=None: started.extend(headers),
    )
    assert "Access-Control-Allow-Origin" not in dict(started)


def test_many_origins_of_a_function_are_answered():
    app = checked(cors(is_allowed=lambda origin: True), Response("data"))
    for number in range(1200):  # more than are remembered
        origin = f"https://a{number}.example"
        assert granted(app.get("/", headers={"Origin": origin})) == {"Allow-Origin": origin}


# Preflights


def test_preflight_is_answered_here():
    allows = cors(
        origins=[APP],
        methods=["PUT", "DELETE"],
        headers=["X-Token", "Content-Type"],
        expose=["ETag"],
        credentials=True,
        max_age=3600,
    )
    answer = checked(allows, never).options("/", headers=PREFLIGHT, status=204)
    assert granted(answer) == {
        "Allow-Origin": APP,
        "Allow-Credentials": "true",
        "Allow-Methods": "PUT, DELETE",
        "Allow-Headers": "X-Token, Content-Type",
        "Max-Age": "3600",
    }
    assert answer.headers["Vary"] == "Origin"
    assert answer.body == b""


def test_preflight_of_any_origin():
    answer = checked(cors(origins=["*"], headers=["*"]), never).options("/", headers=PREFLIGHT)
    assert granted(answer) == {
        "Allow-Origin": "*",
        "Allow-Methods": "GET, HEAD, POST",
        "Allow-Headers": "*",
        "Max-Age": "600",
    }


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_preflight_of_another_origin_is_forbidden(origin):
    answer = checked(cors(origins=[APP]), never).options(
        "/", headers={**PREFLIGHT, "Origin": origin}, status=403
    )
    assert granted(answer) == {}
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": APP}, {"Access-Control-Request-Method": "PUT"}],
    ids=["neither", "no method", "no origin"],
)
def test_other_options_are_for_the_application(headers):
    app = checked(cors(origins=[APP]), Response("of the application"))
    assert app.options("/", headers=headers).text == "of the application"


def test_private_network():
    asks = {**PREFLIGHT, "Access-Control-Request-Private-Network": "true"}
    allows = checked(cors(origins=[APP], private_network=True), never)
    assert granted(allows.options("/", headers=asks))["Allow-Private-Network"] == "true"
    assert "Allow-Private-Network" not in granted(allows.options("/", headers=PREFLIGHT))
    answer = checked(cors(origins=[APP]), never).options("/", headers=asks)
    assert "Allow-Private-Network" not in granted(answer)


@given(st.text(st.characters(max_codepoint=255)) | st.text("htps:/*.exampl[]0", max_size=40))
def test_any_origin_text_has_an_answer_and_only_what_was_allowed_comes_back(origin):
    app = cors(Response(""), origins=[APP, "https://*.example"])
    for method in ("GET", "OPTIONS"):
        started = []
        environ = {
            "REQUEST_METHOD": method,
            "HTTP_ORIGIN": origin,
            "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT",
        }
        app(environ, lambda status, headers, exc_info=None, to=started: to.extend(headers))
        value = dict(started).get("Access-Control-Allow-Origin")
        assert value is None or (value == origin and origin.startswith("https://"))


# Options


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"origins": APP}, TypeError, "origins takes a list"),
        ({}, ValueError, "either origins, one or more, or is_allowed"),
        ({"origins": []}, ValueError, "either origins, one or more, or is_allowed"),
        ({"origins": [APP], "is_allowed": len}, ValueError, "either origins"),
        ({"origins": len}, TypeError, "origins takes a list of origins"),
        ({"is_allowed": [APP]}, TypeError, "is_allowed takes a function"),
        ({"origins": ["*", APP]}, ValueError, r"origins takes .* alone"),
        ({"origins": ["*"], "credentials": True}, ValueError, "without credentials"),
        ({"origins": ["null"]}, ValueError, "as browsers spell them"),
        ({"origins": ["app.example"]}, ValueError, "as browsers spell them"),
        ({"origins": ["https://app.example/"]}, ValueError, "as browsers spell them"),
        ({"origins": ["https://app.example:443"]}, ValueError, "as browsers spell them"),
        ({"origins": ["http://app.example:80"]}, ValueError, "as browsers spell them"),
        ({"origins": ["https://App.example"]}, ValueError, "as browsers spell them"),
        ({"origins": ["HTTPS://app.example"]}, ValueError, "as browsers spell them"),
        ({"origins": ["https://app.example."]}, ValueError, "as browsers spell them"),
        ({"origins": ["https://*"]}, ValueError, "as browsers spell them"),
        ({"origins": ["https://a.*.example"]}, ValueError, "as browsers spell them"),
        ({"origins": ["https://*.[::1]"]}, ValueError, "as browsers spell them"),
        ({"origins": ["*://app.example"]}, ValueError, "as browsers spell them"),
        ({"origins": ["https://"]}, ValueError, "as browsers spell them"),
        ({"origins": [APP], "methods": "PUT"}, TypeError, "methods takes a list"),
        ({"origins": [APP], "methods": ["P T"]}, ValueError, "methods takes names"),
        ({"origins": [APP], "headers": ["X:"]}, ValueError, "headers takes names"),
        ({"origins": [APP], "expose": [""]}, ValueError, "expose takes names"),
        (
            {"origins": [APP], "headers": ["*"], "credentials": True},
            ValueError,
            r"headers takes no '\*' with credentials",
        ),
        ({"origins": [APP], "max_age": -1}, ValueError, "max_age takes a number"),
        ({"origins": [APP], "max_age": "5"}, ValueError, "max_age takes a number"),
    ],
)
def test_options_are_checked_when_the_layer_is_put_on(options, kind, message):
    with pytest.raises(kind, match=message):
        cors(Response(""), **options)


@pytest.mark.parametrize(
    "origin", ["http://localhost:5173", "https://[::1]:8000", "capacitor://localhost", "app-1://x"]
)
def test_origins_of_other_kinds(origin):
    answer = checked(cors(origins=[origin]), Response("")).get("/", headers={"Origin": origin})
    assert granted(answer) == {"Allow-Origin": origin}
