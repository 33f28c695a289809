from __future__ import annotations

from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Response, stack
from wsgikit.middleware import head


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def get_only(environ, start_response):
    if environ["REQUEST_METHOD"] != "GET":
        return Response("GET only", 405)(environ, start_response)
    return Response("content", headers={"X-Own": "1"})(environ, start_response)


def test_head_is_answered_as_get_without_the_content():
    app = checked(head(), get_only)
    answer = app.head("/")
    assert answer.body == b""
    assert (answer.headers["X-Own"], answer.headers["Content-Length"]) == ("1", "7")
    assert app.get("/").text == "content"
    app.post("/", status=405)


def test_those_outside_still_see_head():
    methods = []

    def outside(app):
        def answer(environ, start_response):
            body = app(environ, start_response)
            methods.append(environ["REQUEST_METHOD"])
            return body

        return answer

    checked(outside, head(), get_only).head("/")
    assert methods == ["HEAD"]


def test_also_when_the_application_fails():
    def app(environ, start_response):
        raise ValueError("it failed")

    environ = {"REQUEST_METHOD": "HEAD"}
    with pytest.raises(ValueError, match="it failed"):
        head(app)(environ, None)
    assert environ["REQUEST_METHOD"] == "HEAD"


def test_body_is_closed():
    closed = []

    class Body(list):
        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Body([b"content"])

    checked(head(), app).head("/")
    assert closed == [True]
