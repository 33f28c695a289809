from __future__ import annotations

from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Request, Response, Router, describe
from wsgikit.apps import cascade


class Body:
    """A body that knows whether it was iterated and how often it was closed."""

    def __init__(self):
        self.iterated = self.closed = 0

    def __iter__(self):
        self.iterated += 1
        yield b"blocks"

    def close(self):
        self.closed += 1


@pytest.mark.parametrize(
    ("statuses", "answer"),
    [
        ((200, 201), 200),
        ((404, 200), 200),
        ((405, 404, 200), 200),
        ((500, 200), 500),
        ((403, 200), 403),
        ((302, 404), 302),
        ((404, 405), 405),
        ((404, 404), 404),
        ((404,), 404),
    ],
)
def test_the_first_that_has_an_answer(statuses, answer):
    apps = [validator(Response(f"{at}", status)) for at, status in enumerate(statuses)]
    app = TestApp(validator(cascade(*apps)))
    response = app.get("/", status=answer)
    first = len(statuses) - 1 if answer in (404, 405) else statuses.index(answer)
    assert response.text == f"{first}"


def test_other_statuses_pass_on():
    app = TestApp(cascade(Response("a", 403), Response("b", 404), statuses=[403]))
    assert app.get("/", status=404).text == "b"


def test_a_response_passed_over_is_closed_and_not_seen():
    refused, sent = Body(), Body()

    def first(environ, start_response):
        write = start_response("404 Not Found", [("X-First", "yes")])
        write(b"unseen")
        return refused

    def second(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return sent

    response = TestApp(validator(cascade(first, second))).get("/")
    assert response.body == b"blocks"
    assert "X-First" not in response.headers
    assert (refused.iterated, refused.closed) == (0, 1)
    assert (sent.iterated, sent.closed) == (1, 1)


def test_a_response_that_starts_late():
    def late(environ, start_response):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        yield b"late"

    assert TestApp(cascade(late, Response("next"))).get("/").text == "next"
    assert TestApp(cascade(Response("", 404), late)).get("/", status=404).text == "late"


def test_what_an_attempt_does_to_its_environ_stays_there():
    def vandal(environ, start_response):
        environ["PATH_INFO"] = "/elsewhere"
        environ["SCRIPT_NAME"] = "/shifted"
        environ["left.behind"] = True
        return Response("", 404)(environ, start_response)

    seen = []

    def last(environ, start_response):
        seen.append(environ)
        return Response(environ["PATH_INFO"])(environ, start_response)

    environ = TestApp(cascade(vandal, vandal, last)).get("/here").request.environ
    assert seen[0]["PATH_INFO"] == "/here"
    assert seen[0]["SCRIPT_NAME"] == ""
    assert "left.behind" not in seen[0]
    assert environ["PATH_INFO"] == "/here"


def test_the_last_gets_the_environ_itself():
    given, seen = {"REQUEST_METHOD": "GET"}, []

    def last(environ, start_response):
        seen.append(environ)
        return Response("")(environ, start_response)

    cascade(Response("", 404), last)(given, lambda *_: None)
    assert seen[0] is given


def test_a_body_is_read_once():
    @Request.application
    def reads(request):
        return Response(request.body, 404)

    def last(environ, start_response):
        return Response(environ["wsgi.input"].read(4))(environ, start_response)

    assert TestApp(cascade(reads, last), lint=False).post("/", b"body").body == b""


def test_an_error_is_no_answer_to_pass_on():
    def fails(environ, start_response):
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        TestApp(cascade(fails, Response("next"))).get("/")


def test_routers_one_after_the_other():
    old, new = Router(), Router()
    old.get("/old")(lambda request: "old")
    new.get("/new")(lambda request: "new")
    new.post("/old")(lambda request: "posted")
    app = TestApp(validator(cascade(old, new)))
    assert app.get("/old").text == "old"
    assert app.get("/new").text == "new"
    assert app.post("/old").text == "posted"
    app.get("/none", status=404)


def test_without_applications():
    with pytest.raises(TypeError, match="at least one application"):
        cascade()


def test_what_is_no_application():
    with pytest.raises(TypeError, match="WSGI applications, not 'text'"):
        cascade(Response("a"), "text")


@pytest.mark.parametrize("status", [99, 600, "404", 404.0, None])
def test_statuses_that_are_none(status):
    with pytest.raises(ValueError, match="statuses takes status codes"):
        cascade(Response("a"), statuses=[status])


def test_described():
    app = cascade(Router(), Response("a"))
    assert str(describe(app)) == "cascade\n├─ 1  Router\n└─ 2  Response"
    assert describe(cascade(Router(), statuses=[410, 404])).options == {"statuses": (404, 410)}


def test_rebuilt():
    app = cascade(Response("a", status=410), Response("b"), statuses=iter([410]))
    assert TestApp(app.rebuilt([Response("c", status=410), Response("d")])).get("/").text == "d"
    assert TestApp(app).get("/").text == "b"
