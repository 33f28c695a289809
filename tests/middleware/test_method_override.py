from __future__ import annotations

from io import BytesIO
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Request, Response, Router, stack
from wsgikit.keys import ORIGINAL_METHOD
from wsgikit.middleware import errors, method_override


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


@Request.application
def method(request):
    return f"{request.method} was {request.environ.get(ORIGINAL_METHOD)}"


FORM = "application/x-www-form-urlencoded"


def test_form():
    app = checked(method_override(), method)
    assert app.post("/", {"_method": "DELETE", "a": "b"}).text == "DELETE was POST"
    assert app.post("/", {"a": "b"}).text == "POST was None"
    assert app.post("/", {"_method": ""}).text == "POST was None"
    assert app.post("/", {"_method": "patch"}).text == "PATCH was POST"


def test_form_can_be_read_by_others():
    router = Router()

    @router.put("/")
    def view(request):
        return dict(request.form().items())

    answer = checked(method_override(), router).post("/", {"_method": "PUT", "a": "b"})
    assert answer.json == {"_method": "PUT", "a": "b"}


def test_query():
    app = checked(method_override(), method)
    assert app.post("/?a=b&_method=PUT").text == "PUT was POST"
    assert app.post("/?_method=PUT", {"_method": "DELETE"}).text == "PUT was POST"
    assert app.post("/?x_method=PUT").text == "POST was None"
    upload = app.post("/?_method=PUT", upload_files=[("a", "a.txt", b"a")])
    assert upload.text == "PUT was POST"


def test_header():
    app = checked(method_override(), method)
    headers = {"X-HTTP-Method-Override": "Patch"}
    assert app.post("/?_method=PUT", headers=headers).text == "PATCH was POST"
    app = checked(method_override(header="X-Method"), method)
    assert app.post("/", headers=headers).text == "POST was None"
    assert app.post("/", headers={"X-Method": "PUT"}).text == "PUT was POST"


def test_what_is_turned_off_is_not_read():
    app = checked(method_override(header=None, field=None), method)
    headers = {"X-HTTP-Method-Override": "PUT"}
    assert app.post("/?_method=PUT", {"_method": "PUT"}, headers=headers).text == "POST was None"


@pytest.mark.parametrize("verb", ["get", "put", "delete", "options"])
def test_only_a_post_is_overridden(verb):
    app = checked(method_override(), method)
    answer = getattr(app, verb)("/?_method=PATCH", headers={"X-HTTP-Method-Override": "PATCH"})
    assert answer.text == f"{verb.upper()} was None"


@pytest.mark.parametrize("named", ["GET", "HEAD", "TRACE", "POST", "X", "PUT, DELETE", "P\xdcT"])
def test_another_method_is_a_bad_request(named):
    app = checked(errors(), method_override(), method)
    assert "PUT, PATCH, DELETE" in app.post("/", {"_method": named}, status=400).text


def test_methods_of_ones_own():
    app = TestApp(method_override(method, methods=["PURGE"]), lint=False)
    assert app.post("/?_method=PURGE").text == "PURGE was POST"
    app.post("/?_method=PUT", status=400)


def test_a_long_form_is_not_read():
    app = checked(method_override(max_size=20), method)
    assert app.post("/", "_method=PUT&a=123456", content_type=FORM).text == "PUT was POST"
    assert app.post("/", "_method=PUT&a=1234567", content_type=FORM).text == "POST was None"


def test_other_bodies_are_not_read():
    app = checked(method_override(), method)
    assert app.post("/", "_method=PUT", content_type="text/plain").text == "POST was None"
    answer = app.post("/", {"_method": "PUT"}, upload_files=[("a", "a.txt", b"a")])
    assert answer.text == "POST was None"


def test_a_form_without_a_length_is_not_read():
    app = method_override(method)
    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": FORM}
    assert app(environ, lambda *start: None) == (b"POST was None",)


@pytest.mark.parametrize("length", ["99", "x"])
def test_a_body_that_breaks_off_is_a_bad_request(length):
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": FORM,
        "CONTENT_LENGTH": length,
        "wsgi.input": BytesIO(b"_method=PUT"),
    }
    started = []
    method_override(method)(environ, lambda status, headers: started.append(status[:3]))
    assert started == ["400"]


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_any_text_has_an_answer(query, header):
    environ = {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": f"_method={query}",
        "HTTP_X_HTTP_METHOD_OVERRIDE": header,
    }
    started = []
    method_override(method)(environ, lambda status, headers: started.append(int(status[:3])))
    assert started in ([200], [400])


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"methods": "PUT"}, TypeError, "methods takes a list"),
        ({"methods": ["GET"]}, ValueError, "methods takes methods that change"),
        ({"methods": ["put"]}, ValueError, "methods takes methods that change"),
        ({"methods": ["P T"]}, ValueError, "methods takes methods that change"),
        ({"header": "X:"}, ValueError, "header takes the name"),
    ],
)
def test_options_are_checked_when_the_layer_is_put_on(options, kind, message):
    with pytest.raises(kind, match=message):
        method_override(Response(""), **options)
