from __future__ import annotations

import sys
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Response, Router, stack
from wsgikit.middleware import cache_control, conditional

RULES = {
    "/api/*": "no-store",
    "/about": "max-age=10",
    "/f\xfcr/*": "max-age=20",
    "text/html": "no-cache",
    "image/*": "public, max-age=86400",
    "*": "max-age=60",
}


def answering(*fields, media="text/html; charset=utf-8", status="200 OK", body=(b"text",)):
    def app(environ, start_response):
        start_response(status, [*([("Content-Type", media)] if media else []), *fields])
        return body if environ["REQUEST_METHOD"] != "HEAD" else ()

    return app


def directives(app, path="/", method="GET", rules=RULES, **fields):
    """What Cache-Control says; None where it says nothing."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    layered = TestApp(validator(cache_control(validator(app), rules=rules)))
    answer = layered.request(path, method=method, headers=headers, expect_errors=True)
    assert len(answer.headers.getall("Cache-Control")) < 2
    return answer.headers.get("Cache-Control")


@pytest.mark.parametrize(
    ("path", "media", "says"),
    [
        ("/", "text/html", "no-cache"),
        ("/", "Text/HTML ; charset=utf-8", "no-cache"),
        ("/", "image/png", "public, max-age=86400"),
        ("/", "text/plain", "max-age=60"),
        ("/api/users", "text/html", "no-store"),
        ("/api/", "image/png", "no-store"),
        ("/api", "image/png", "public, max-age=86400"),
        ("/about", "text/html", "max-age=10"),
        ("/about/", "text/html", "no-cache"),
        ("/f%C3%BCr/alle", "text/html", "max-age=20"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_first_rule_that_fits_counts(path, media, says, method):
    assert directives(answering(media=media), path, method) == says


def test_without_a_rule_nothing_is_said():
    assert directives(answering(), rules={}) is None
    assert directives(answering(), rules={"image/*": "public"}) is None
    assert directives(answering(), rules={"/a": "public"}) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_left_alone(method):
    assert directives(answering(), method=method) is None


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("200 OK", "no-cache"),
        ("203 Non-Authoritative Information", "no-cache"),
        ("206 Partial Content", "no-cache"),
        ("301 Moved Permanently", None),
        ("404 Not Found", None),
        ("500 Internal Server Error", None),
    ],
)
def test_errors_and_redirects_say_for_themselves(status, says):
    assert directives(answering(status=status)) == says


@pytest.mark.parametrize(
    ("own", "rule", "says"),
    [
        ("max-age=5", "public, max-age=60", "max-age=5, public"),
        ("private", "public, max-age=60, s-maxage=600", "private, max-age=60"),
        ("no-store", "public, max-age=60", "no-store"),
        ("No-Cache", "max-age=60, must-revalidate", "No-Cache, must-revalidate"),
        ('no-cache="set-cookie"', "public", 'no-cache="set-cookie", public'),
        ("", "public", "public"),
        ("max-age=5", "no-store", "max-age=5"),
    ],
)
def test_the_application_knows_better(own, rule, says):
    assert directives(answering(("Cache-Control", own)), rules={"*": rule}) == says


def test_several_lines_become_one():
    app = answering(("Cache-Control", "private"), ("X-A", "1"), ("cache-control", "max-age=5"))
    given = []
    layered = cache_control(app, rules={"*": "no-transform"})
    layered({"REQUEST_METHOD": "GET"}, lambda *response: given.append(response[1]))
    assert given[0][1:] == [("X-A", "1"), ("Cache-Control", "private, max-age=5, no-transform")]


def test_an_expires_counts_as_max_age():
    expires = ("Expires", "Sun, 06 Nov 1994 08:49:37 GMT")
    assert directives(answering(expires), rules={"*": "public, max-age=60"}) == "public"
    assert directives(answering(expires), rules={"*": "max-age=60"}) is None


PERSONAL = {
    "Authorization": (answering(), {"Authorization": "Bearer a"}),
    "Set-Cookie": (answering(("set-cookie", "a=1")), {}),
}


@pytest.mark.parametrize(("app", "fields"), PERSONAL.values(), ids=PERSONAL)
@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("public, max-age=60", "private, max-age=60"),
        ("s-maxage=600, max-age=60, proxy-revalidate", "private, max-age=60"),
        ("private, max-age=60", "private, max-age=60"),
        ("no-cache", "private, no-cache"),
        ("no-store", "no-store"),
    ],
)
def test_what_is_of_one_person_is_private(app, fields, rule, says):
    assert directives(app, rules={"*": rule}, **fields) == says


def test_the_application_may_share_what_is_of_one_person():
    app = answering(("Cache-Control", "public"))
    says = directives(app, rules={"*": "public, max-age=60"}, Authorization="Bearer a")
    assert says == "public, max-age=60"


@pytest.mark.parametrize(
    ("path", "rules", "says"),
    [
        ("/api/a", RULES, "no-store"),
        ("/", RULES, None),
        ("/", {"*": "no-cache"}, "no-cache"),
        ("/", {"*": "no-cache", "text/html": "no-store"}, "no-cache"),
    ],
)
def test_a_304_without_a_type_gets_what_its_path_says(path, rules, says):
    app = answering(media="", status="304 Not Modified", body=())
    assert directives(app, path, rules=rules) == says


def test_a_304_with_a_type_gets_what_that_says():
    given = []
    app = cache_control(answering(status="304 Not Modified", body=()), rules=RULES)
    app({"REQUEST_METHOD": "GET"}, lambda *response: given.append(dict(response[1])))
    assert given[0]["Cache-Control"] == "no-cache"


def test_a_200_without_a_type_has_none():
    environ, given = {"REQUEST_METHOD": "GET"}, []
    app = cache_control(answering(media=""), rules={"image/*": "public", "*": "no-cache"})
    app(environ, lambda *response: given.append(response))
    assert given == [("200 OK", [("Cache-Control", "no-cache")], None)]


def test_inside_of_conditional_a_304_has_what_the_200_has():
    app = stack(conditional(), cache_control(rules=RULES), answering(("ETag", '"a"')))
    for asked in ('"a"', '"b"'):
        answer = TestApp(app).get("/", headers={"If-None-Match": asked})
        assert answer.headers["Cache-Control"] == "no-cache"


def test_the_path_is_that_of_the_layer():
    # An inner router moves what it has matched to SCRIPT_NAME.
    inner, outer = Router(), Router()

    @inner.get("/users")
    def users(request):
        return Response("text")

    outer.mount("/api", inner)
    app = cache_control(outer, rules={"/api/*": "no-store"})
    assert TestApp(app).get("/api/users").headers["Cache-Control"] == "no-store"


def test_the_body_is_not_touched():
    body = [b"text"]
    app = cache_control(answering(body=body), rules=RULES)
    assert app({"REQUEST_METHOD": "GET"}, lambda *response: None) is body


def test_a_response_that_is_replaced_is_judged_again():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            raise LookupError
        except LookupError:
            start_response("503 No", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"later"]

    assert directives(app) is None


@given(
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])),
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])),
)
def test_any_field_of_an_application_is_passed(own, media):
    given = []
    app = answering(("Cache-Control", own), media=media)
    layered = cache_control(app, rules=RULES)
    layered({"REQUEST_METHOD": "GET"}, lambda *response: given.append(dict(response[1])))
    assert given[0]["Cache-Control"].startswith(own)


@pytest.mark.parametrize(
    ("rules", "error", "says"),
    [
        (["*"], TypeError, "rules maps paths and media types to directives"),
        ({"*": None}, TypeError, "rules maps text to text, not '.' to None"),
        ({404: "no-store"}, TypeError, "rules maps text to text, not 404"),
        ({"": "public"}, ValueError, "rules takes paths, media types .* not ''"),
        ({"html": "public"}, ValueError, "not 'html'"),
        ({"text/html;a=b": "public"}, ValueError, "not 'text/html;a=b'"),
        ({"*/json": "public"}, ValueError, "not './json'"),
        ({"**": "public"}, ValueError, "rules takes"),
        ({"/a/*/b": "public"}, ValueError, "rules takes"),
        ({"/*/*": "public"}, ValueError, "rules takes"),
        ({"image/p*": "public", "image/p*g": "public"}, ValueError, "not 'image/p.g'"),
        ({"*": ""}, ValueError, "Cache-Control takes directives"),
        ({"*": "max-age"}, ValueError, "max-age takes a number of seconds"),
        ({"*": "private, public"}, ValueError, "either public or private"),
    ],
    ids=str,
)
def test_a_wrong_rule_is_named(rules, error, says):
    with pytest.raises(error, match=says):
        cache_control(answering(), rules=rules)


def test_rules_are_needed():
    with pytest.raises(TypeError, match="needs the option 'rules'"):
        cache_control(answering())


def test_any_number_of_types_is_told_rightly():
    def app(environ, start_response):
        return answering(media=environ["PATH_INFO"][1:])(environ, start_response)

    browser = TestApp(cache_control(app, rules=RULES))
    for number in range(250):
        answer = browser.get(f"/text/x-{number}")
        assert answer.headers["Cache-Control"] == "max-age=60"
        assert browser.get("/text/html").headers["Cache-Control"] == "no-cache"
