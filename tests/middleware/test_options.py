from __future__ import annotations

from wsgiref.validate import validator

import pytest
from bottle import Bottle
from webtest import TestApp

from wsgikit import Response, Router, stack
from wsgikit.middleware import cors, options


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def refusing(status, *allow):
    return Response("refused", status, [("Allow", value) for value in allow])


@pytest.mark.parametrize(
    ("app", "allow"),
    [
        (refusing(405, "GET, HEAD"), "GET, HEAD, OPTIONS"),
        (refusing(405, "GET", "PUT,,HEAD"), "GET, PUT, HEAD, OPTIONS"),
        (refusing(501, "OPTIONS, GET"), "OPTIONS, GET"),
        (refusing(405), "GET, POST, OPTIONS"),
        (refusing(501), "GET, POST, OPTIONS"),
    ],
)
def test_where_the_application_refuses_the_methods_are_named(app, allow):
    answer = checked(options(methods=["GET", "POST"]), app).options("/", status=204)
    assert answer.headers["Allow"] == allow
    assert answer.body == b""


@pytest.mark.parametrize("status", [405, 501])
def test_where_nothing_is_known_the_refusal_stays(status):
    assert checked(options(), refusing(status)).options("/", status=status).text == "refused"


@pytest.mark.parametrize("status", [200, 404, 403, 500])
def test_other_answers_stay(status):
    app = checked(options(methods=["GET"]), Response("own", status))
    assert app.options("/", status=status).text == "own"


def test_other_methods_are_not_touched():
    assert checked(options(methods=["GET"]), refusing(405)).get("/", status=405).text == "refused"


def test_bottle_does_not_know_options():
    bottle = Bottle()
    bottle.get("/")(lambda: "here")
    app = TestApp(options(bottle), lint=False)
    answer = app.options("/", status=204)
    assert "GET" in answer.headers["Allow"]
    app.options("/none", status=404)


def test_routers_of_wsgikit_know_it():
    router = Router()
    router.get("/")(lambda request: "here")
    app = checked(cors(origins=["https://app.example"]), options(), router)
    assert app.options("/", status=204).headers["Allow"] == "GET, HEAD, OPTIONS"


def test_refusal_is_closed_and_unseen():
    closed = []

    class Body(list):
        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("405 No", [("Content-Type", "text/plain"), ("Allow", "GET")])
        return Body([b"refused"])

    assert checked(options(), app).options("/", status=204).body == b""
    assert closed == [True]


@pytest.mark.parametrize(
    ("methods", "kind"), [("GET", TypeError), (["G T"], ValueError), ([""], ValueError)]
)
def test_the_option_is_checked_when_the_layer_is_put_on(methods, kind):
    with pytest.raises(kind, match="methods takes"):
        options(Response(""), methods=methods)
