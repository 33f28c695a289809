from __future__ import annotations

import sys
from wsgiref.validate import validator

import pytest

from tests.wrap.doubles import (
    TEXT,
    Body,
    CountingFile,
    Server,
    answering,
    failing,
    late,
    nothing,
    replaced_in_the_call,
    replacing,
)
from wsgikit.wrap import attempt, guard, prefer


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


# prefer


def preferring(*apps, accept=lambda status, headers: status[:1] == "2"):
    """Answers as the first application whose response is accepted, or as the last."""
    first, *others = apps
    if not others:
        return first

    def app(environ, start_response):
        other = preferring(*others, accept=accept)
        return prefer(first, environ, start_response, accept, lambda start: other(environ, start))

    return app


def rescued(app, *blocks):
    """``app``, with a response of 500 in its place where it fails."""

    def rescue(error):
        return answering(Body(*blocks), "500 Internal Server Error")

    return lambda environ, start_response: guard(app, environ, start_response, rescue)


@pytest.mark.parametrize("make", [answering, late])
def test_what_is_preferred_streams(make):
    taken = []

    def block(text):
        return lambda: taken.append(text) or text

    inner = Body(block(b"a"), block(b"b"))
    body = prefer(make(inner), {}, nothing, lambda status, headers: True, None)
    assert taken == ([] if make is answering else [b"a"])
    blocks = iter(body)
    assert (next(blocks), taken[-1:]) == (b"a", [b"a"])
    assert list(blocks) == [b"b"]
    body.close()
    assert inner.closed == 1


@pytest.mark.parametrize("body", [[b"a"], (b"a",)], ids=["list", "tuple"])
def test_what_cannot_fail_is_not_touched(body):
    assert prefer(answering(body), {}, nothing, lambda *response: True, None) is body


def test_a_file_that_is_preferred_stays_one():
    file = CountingFile(b"file")
    app = preferring(
        lambda environ, start: answering(environ["wsgi.file_wrapper"](file))(None, start),
        answering([b"other"]),
    )
    answer = Server().serve(app)
    assert (answer.saw_file, answer.sent, file.closings) == (True, b"file", 1)


def test_what_is_refused_is_closed_before_the_other_one_answers():
    inner = Body(b"a", AssertionError("nobody asks for this"))

    def other(environ, start_response):
        assert inner.closed == 1
        return answering([b"other"])(environ, start_response)

    app = preferring(validator(answering(inner, "404 Not Found")), validator(other))
    answer = Server().serve(validator(app))
    assert (answer.line, answer.sent, inner.closed) == ("Status: 200 OK", b"other", 1)


UNAVAILABLE = "503 Service Unavailable"
# What is made of a body that fails at its first block, and how often that is closed.
LATE_FAILURES = {
    "in the call": (lambda inner: replaced_in_the_call("200 OK", UNAVAILABLE), 0),
    "at a late start": (lambda inner: replacing(), 0),
    "at the first block": (lambda inner: rescued(answering(inner), b"page"), 1),
    "and is answered without content": (lambda inner: rescued(answering(inner)), 1),
    "after a late start": (lambda inner: rescued(late(inner), b"page"), 1),
    "in its rescue as well": (
        lambda inner: rescued(rescued(answering(inner), LookupError()), b"page"),
        1,
    ),
}


@pytest.mark.parametrize("make", [answering, late])
@pytest.mark.parametrize(("fails", "closed"), LATE_FAILURES.values(), ids=LATE_FAILURES)
def test_what_fails_before_its_first_block_is_passed_over(fails, closed, make):
    inner, other = Body(LookupError("lost")), Body(b"ot", b"her")
    app = preferring(validator(fails(inner)), validator(make(other)))
    answer = Server().serve(validator(app))
    assert (answer.line, answer.sent, answer.errors) == ("Status: 200 OK", b"other", [])
    assert (inner.closed, other.closed) == (closed, 1)


def test_the_other_one_starts_with_the_error():
    started = []

    def start_response(status, headers, exc_info=None):
        started.append((status, exc_info and exc_info[0]))

    inner = Body(LookupError("lost"))
    app = preferring(rescued(answering(inner)), answering(Body(b"other"), "201 Created"))
    assert list(app({}, start_response)) == [b"other"]
    assert started == [("200 OK", None), ("201 Created", LookupError)]


def test_a_replacement_that_is_accepted_is_sent():
    app = preferring(
        validator(rescued(answering(Body(LookupError())), b"page")),
        failing(AssertionError()),
        accept=lambda status, headers: True,
    )
    answer = Server().serve(validator(app))
    assert (answer.line, answer.sent) == ("Status: 500 Internal Server Error", b"page")


def test_what_replaces_a_refused_replacement_counts():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        for status in ("503 Service Unavailable", "202 Accepted"):
            try:
                raise LookupError
            except LookupError:
                start_response(status, TEXT, sys.exc_info())
        return Body(b"own")

    answer = Server().serve(validator(preferring(app, failing(AssertionError()))))
    assert (answer.line, answer.sent) == ("Status: 202 Accepted", b"own")


SENT = {
    "a block": lambda inner: rescued(answering(inner), b"page"),
    "by write()": lambda inner: rescued(
        replaced_in_the_call("200 OK", UNAVAILABLE, b"written"), b"page"
    ),
}


@pytest.mark.parametrize("sends", SENT.values(), ids=SENT)
def test_what_was_sent_breaks_off(sends):
    inner = Body(b"sent", LookupError("lost"))
    app = preferring(validator(sends(inner)), failing(AssertionError()))
    answer = Server().serve(validator(app))
    assert answer.line == "Status: 200 OK"
    assert [type(error) for error in answer.errors] == [LookupError]
    assert b"page" not in answer.sent


def test_a_refused_replacement_that_was_written_cannot_be_replaced():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        for status in ("503 Service Unavailable", "202 Accepted"):
            try:
                raise LookupError("lost")
            except LookupError:
                start_response(status, TEXT, sys.exc_info())(b"unseen")
        return []

    with pytest.raises(LookupError, match="lost"):
        preferring(app, answering([]))({}, nothing)


def test_bodies_are_closed_once_at_whatever_moment():
    inner, other = Body(LookupError()), Body(b"a", b"b")
    app = preferring(rescued(answering(inner)), answering(other))
    app({}, nothing).close()
    assert (inner.closed, other.closed) == (1, 0)
    inner = Body(LookupError())
    body = preferring(rescued(answering(inner)), answering(other))({}, nothing)
    assert next(iter(body)) == b"a"
    assert (inner.closed, other.closed) == (1, 0)
    body.close()
    body.close()
    assert (inner.closed, other.closed) == (1, 1)


def test_an_error_of_what_is_preferred_passes():
    inner = Body(LookupError("lost"))
    body = prefer(answering(inner), {}, nothing, lambda *response: True, None)
    with pytest.raises(LookupError, match="lost"):
        list(body)
    body.close()
    assert inner.closed == 1


def test_uwsgi_starts_the_other_one():
    starts = []

    def start_response(status, headers, exc_info=None):  # as C code does
        starts.append(status)
        if exc_info:
            raise SystemError("returned a result with an exception set") from exc_info[1]

    app = preferring(rescued(answering(Body(LookupError()))), answering([b"other"], "201 Created"))
    assert list(app({"uwsgi.version": b"2.0"}, start_response)) == [b"other"]
    assert starts == ["200 OK", "201 Created"]
