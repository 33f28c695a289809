from __future__ import annotations

from wsgiref.validate import validator

import pytest

from tests.wrap.doubles import (
    TEXT,
    Body,
    Server,
    answering,
    failing,
    late,
    nothing,
    replaced_in_the_call,
)
from wsgikit.wrap import attempt


def first_of(*apps, accept=lambda status, headers: not status.startswith("404")):
    """Answers as the first application whose response is accepted, or by 410."""

    def app(environ, start_response):
        for part in apps:
            body = attempt(part, environ, start_response, accept)
            if body is not None:
                return body
        start_response("410 Gone", TEXT)
        return [b"none"]

    return app


@pytest.mark.parametrize("make", [answering, late])
def test_an_accepted_response_streams(make):
    taken = []

    def block(text):
        return lambda: taken.append(text) or text

    inner = Body(block(b"a"), block(b"b"))
    body = attempt(make(inner), {}, nothing, lambda status, headers: True)
    assert taken == ([] if make is answering else [b"a"])
    assert list(body) == [b"a", b"b"]
    body.close()
    assert inner.closed == 1


@pytest.mark.parametrize("make", [answering, late])
def test_a_refused_response_is_closed_and_unseen(make):
    inner = Body(b"a", AssertionError("nobody asks for this"))
    app = first_of(validator(make(inner, "404 Not Found")), validator(answering([b"second"])))
    answer = Server().serve(validator(app))
    assert (answer.line, answer.sent, inner.closed) == ("Status: 200 OK", b"second", 1)


def test_all_are_refused():
    inner = Body()
    answer = Server().serve(validator(first_of(answering(inner, "404 Not Found"))))
    assert (answer.line, inner.closed) == ("Status: 410 Gone", 1)


def test_accept_sees_the_status_and_the_fields():
    seen = []
    attempt(answering([]), {}, nothing, lambda *response: seen.append(response))
    assert seen == [("200 OK", TEXT)]


def test_what_a_refused_application_writes_is_unseen():
    def app(environ, start_response):
        start_response("404 Not Found", TEXT)(b"not here")
        return []

    assert Server().serve(validator(first_of(app, answering([b"here"])))).sent == b"here"


def test_what_an_accepted_application_writes_is_sent():
    def app(environ, start_response):
        start_response("200 OK", TEXT)(b"written")
        return []

    assert Server().serve(validator(first_of(app))).sent == b"written"


REPLACED = {
    "accepted then accepted": ("200 OK", "503 Service Unavailable", "503 Service Unavailable"),
    "accepted then refused": ("200 OK", "404 Not Found", "404 Not Found"),
    "refused then accepted": (
        "404 Not Found",
        "503 Service Unavailable",
        "503 Service Unavailable",
    ),
    "refused then refused": ("404 Not Found", "404 Not Found", "410 Gone"),
}


@pytest.mark.parametrize(("first", "second", "line"), REPLACED.values(), ids=REPLACED)
def test_an_attempt_that_replaces_its_response(first, second, line):
    answer = Server().serve(validator(first_of(validator(replaced_in_the_call(first, second)))))
    assert answer.line == f"Status: {line}"


def test_a_refused_response_that_was_written_cannot_be_replaced():
    app = replaced_in_the_call("404 Not Found", "503 Service Unavailable", b"written")
    with pytest.raises(LookupError, match="lost"):
        first_of(app)({}, nothing)


def test_an_error_of_an_attempt_passes():
    with pytest.raises(LookupError):
        attempt(failing(LookupError()), {}, nothing, lambda status, headers: True)
