from __future__ import annotations

import logging
import math
from time import monotonic, sleep
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import HTTPError, Request, Response, layer, stack
from wsgikit.keys import DEADLINE
from wsgikit.middleware import deadline, errors
from wsgikit.middleware.deadline import remaining


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def wait_until_over(environ):
    while monotonic() < environ[DEADLINE]:
        sleep(0.001)


def times_out(environ, start_response):
    wait_until_over(environ)
    raise TimeoutError("the database did not answer")


def test_deadline_is_told():
    seen = []

    @Request.application
    def view(request):
        seen.append((monotonic(), request.environ[DEADLINE], remaining(request.environ)))

    checked(deadline(seconds=60), view).get("/")
    ((now, end, left),) = seen
    assert 0 < end - now <= 60
    assert 0 < left <= end - now


def test_without_a_deadline_there_is_any_time():
    assert remaining({}) == math.inf


def test_view_that_looks_at_the_clock_in_vain_is_a_503():
    @Request.application
    def view(request):
        wait_until_over(request.environ)
        return f"{remaining(request.environ)}"

    answer = checked(deadline(seconds=0.01), view).get("/", status=503)
    assert "longer than a request may take" in answer.text


@pytest.mark.parametrize("late", [False, True], ids=["call", "body"])
def test_any_application_that_looks_at_the_clock_in_vain_is_a_503(late, caplog):
    def blocks(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        wait_until_over(environ)
        yield f"{remaining(environ)}".encode()

    def app(environ, start_response):
        return blocks(environ, start_response) if late else list(blocks(environ, start_response))

    answer = checked(deadline(seconds=0.01), app).get("/", status=503)
    assert "longer than a request may take" in answer.text
    assert answer.headers["Retry-After"] == "5"
    assert not caplog.records


def test_timeout_that_comes_out_when_the_time_is_over_is_a_503(caplog):
    answer = checked(deadline(seconds=0.01), times_out).get("/a", status=503)
    assert "longer than a request may take" in answer.text
    (record,) = caplog.records
    assert record.getMessage() == "GET /a was not answered in time"
    assert "the database did not answer" in caplog.text


def test_timeout_in_the_middle_is_a_503_as_long_as_nothing_was_sent(caplog):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        wait_until_over(environ)
        raise TimeoutError
        yield b""

    checked(deadline(seconds=0.01), app).get("/", status=503)
    assert caplog.records[0].levelno == logging.ERROR


@pytest.mark.parametrize(
    "error", [TimeoutError("early"), ValueError("other"), HTTPError(503, "own")], ids=repr
)
def test_other_failures_pass(error):
    def app(environ, start_response):
        raise error

    with pytest.raises(type(error), match=str(error)):
        checked(deadline(seconds=60), app).get("/")


def test_an_answer_that_comes_late_is_heard():
    @Request.application
    def view(request):
        wait_until_over(request.environ)
        return "at last"

    assert checked(deadline(seconds=0.01), view).get("/").text == "at last"


def test_errors_outside_draw_it():
    handlers = {503: lambda request, error: "sorry"}
    app = checked(errors(handlers=handlers), deadline(seconds=0.01), times_out)
    assert app.get("/", status=503).text == "sorry"


@pytest.mark.parametrize(
    ("outer", "inner", "expected"), [(60, 600, 60), (600, 60, 60)], ids=["outer", "inner"]
)
def test_of_two_the_earlier_counts(outer, inner, expected):
    @Request.application
    def view(request):
        return f"{remaining(request.environ):.0f}"

    app = checked(deadline(seconds=outer), deadline(seconds=inner), view)
    assert int(app.get("/").text) in (expected - 1, expected)


def test_what_is_over_before_it_begins_is_not_begun():
    @layer
    def late(app):
        def answer(environ, start_response):
            environ[DEADLINE] = monotonic() - 1
            return app(environ, start_response)

        return answer

    def never(environ, start_response):
        raise AssertionError("the application was called")

    checked(late(), deadline(seconds=60), never).get("/", status=503)


@pytest.mark.parametrize("seconds", [0, -1, math.inf, math.nan, "5", None])
def test_the_option_is_checked_when_the_layer_is_put_on(seconds):
    with pytest.raises(ValueError, match="seconds takes a positive number"):
        deadline(Response(""), seconds=seconds)
