from __future__ import annotations

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
    replacing,
    started_then_failing,
)
from wsgikit.wrap import guard


def rescued(app, seen=None):
    """``app`` with a guard that answers 500 and names the error."""

    def rescue(error):
        if seen is not None:
            seen.append(error)
        return answering([str(error).encode()], "500 Internal Server Error")

    return lambda environ, start_response: guard(app, environ, start_response, rescue)


def test_guard_passes_what_does_not_fail():
    inner = Body(b"a", b"b")
    answer = Server().serve(validator(rescued(validator(answering(inner)))))
    assert (answer.line, answer.sent, inner.closed) == ("Status: 200 OK", b"ab", 1)


@pytest.mark.parametrize("body", [[b"a"], (b"a",)], ids=["list", "tuple"])
def test_guard_does_not_touch_a_body_that_cannot_fail(body):
    assert guard(answering(body), {}, nothing, None) is body


def test_guard_leaves_a_file_recognisable():
    app = rescued(lambda environ, start: answering(environ["wsgi.file_wrapper"](file))(None, start))
    file = CountingFile(b"file")
    answer = Server().serve(app)
    assert (answer.saw_file, answer.sent, file.closings) == (True, b"file", 1)


BEFORE = {
    "in the call": failing(LookupError("lost")),
    "in the call, after start_response": started_then_failing,
    "at the first block": answering(Body(LookupError("lost"))),
    "before a late start": lambda environ, start_response: Body(LookupError("lost")),
    "after a late start": late(Body(LookupError("lost"))),
    "as the body is no iterable": answering(None),
}


@pytest.mark.parametrize("app", BEFORE.values(), ids=BEFORE)
def test_guard_answers_an_error_before_anything_is_sent(app):
    answer = Server().serve(validator(rescued(app)))
    assert answer.line == "Status: 500 Internal Server Error"
    assert answer.sent == b"lost" or b"NoneType" in answer.sent
    assert "X-Of" not in dict(answer.fields)
    assert answer.errors == []


def test_guard_breaks_the_response_after_something_is_sent():
    seen, inner = [], Body(b"sent", LookupError("lost"))
    answer = Server().serve(validator(rescued(validator(answering(inner)), seen)))
    assert (answer.line, answer.sent, inner.closed) == ("Status: 200 OK", b"sent", 1)
    assert seen == answer.errors
    assert isinstance(answer.errors[0], LookupError)


def test_guard_breaks_the_response_after_write():
    def app(environ, start_response):
        start_response("200 OK", TEXT)(b"sent")
        raise LookupError("lost")

    answer = Server().serve(validator(rescued(app)))
    assert (answer.line, answer.sent) == ("Status: 200 OK", b"sent")
    assert isinstance(answer.errors[0], LookupError)


@pytest.mark.parametrize("body", [(), [LookupError("lost")]], ids=["call", "iteration"])
def test_guard_closes_the_failed_body_and_the_rescue(body):
    inner, instead = Body(*body), Body(b"instead")

    def app(environ, start_response):
        if not body:
            raise LookupError("lost")
        return answering(inner)(environ, start_response)

    def outer(environ, start_response):
        return guard(app, environ, start_response, lambda error: answering(instead))

    answer = Server().serve(validator(outer))
    assert (answer.sent, instead.closed, inner.closed) == (b"instead", 1, len(body))


def test_guard_closes_a_rescue_that_is_broken_off():
    inner, instead = Body(LookupError()), Body(b"a", b"b")
    body = guard(answering(inner), {}, nothing, lambda error: answering(instead))
    assert next(iter(body)) == b"a"
    body.close()
    assert (inner.closed, instead.closed) == (1, 1)


def test_guard_closes_a_body_that_was_never_iterated():
    inner = Body(b"a")
    guard(answering(inner), {}, nothing, None).close()
    assert inner.closed == 1


def test_guard_closes_a_body_that_was_broken_off():
    inner = Body(b"a", b"b")
    body = guard(answering(inner), {}, nothing, None)
    assert next(iter(body)) == b"a"
    body.close()
    body.close()
    assert inner.closed == 1


def test_guard_closes_a_generator_once():
    calls = []

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        try:
            yield b"a"
        finally:
            calls.append(1)

    body = guard(app, {}, nothing, None)
    assert list(body) == [b"a"]
    body.close()
    assert calls == [1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("where", ["call", "iteration"])
def test_guard_answers_no_error_that_is_no_exception(error, where):
    inner = Body(error())
    app = failing(error()) if where == "call" else answering(inner)
    with pytest.raises(error):
        list(guard(app, {}, nothing, None))


def test_guard_does_not_hide_an_error_in_close():
    inner = Body(b"a", error_in_close=LookupError("closing"))
    answer = Server().serve(validator(rescued(answering(inner))))
    assert (answer.sent[:1], inner.closed) == (b"a", 1)  # wsgiref adds its own page, too late
    assert [str(error) for error in answer.errors] == ["closing"]


@pytest.mark.parametrize(
    "make", [failing, lambda error: answering(Body(error))], ids=["call", "body"]
)
def test_an_error_of_the_rescue_passes_with_its_cause(make):
    def outer(environ, start_response):
        return guard(make(LookupError()), environ, start_response, lambda e: failing(ValueError()))

    answer = Server().serve(outer)
    assert [type(error) for error in answer.errors] == [ValueError]
    assert isinstance(answer.errors[0].__context__, LookupError)


def test_a_rescue_may_start_late_and_write():
    def rescue(error):
        def app(environ, start_response):
            start_response("500 Internal Server Error", TEXT)(b"written, ")
            yield b"returned"

        return app

    def outer(environ, start_response):
        return guard(failing(LookupError()), environ, start_response, rescue)

    answer = Server().serve(validator(outer))
    assert (answer.line, answer.sent) == (
        "Status: 500 Internal Server Error",
        b"written, returned",
    )


def test_a_rescue_that_fails_itself_may_replace_its_response():
    def outer(environ, start_response):
        return guard(failing(LookupError()), environ, start_response, lambda error: replacing())

    answer = Server().serve(validator(outer))
    assert (answer.line, answer.sent) == ("Status: 503 Service Unavailable", b"replaced")


def test_a_rescue_with_an_error_of_its_own_hands_that_to_the_server():
    given = []

    def start_response(status, headers, exc_info=None):
        given.append((status[:3], exc_info and type(exc_info[1])))

    body = guard(failing(ValueError()), {}, start_response, lambda error: replacing())
    assert list(body) == [b"replaced"]
    assert given == [("200", ValueError), ("503", LookupError)]


def test_a_late_rescue_after_something_is_sent_breaks_the_response():
    def outer(environ, start_response):
        app = answering(Body(b"sent", KeyError("lost")))
        return guard(app, environ, start_response, lambda error: late([b"too late"]))

    answer = Server().serve(validator(outer))
    assert (answer.sent, [type(error) for error in answer.errors]) == (b"sent", [KeyError])


def test_guards_stand_in_each_other():
    seen = []
    app = rescued(validator(rescued(validator(failing(LookupError("lost"))), seen)), seen)
    answer = Server().serve(validator(app))
    assert (answer.sent, len(seen)) == (b"lost", 1)


class UWSGIServer:
    """Its start_response starts a response, and raises what it was told of, as C code does."""

    def __init__(self):
        self.starts, self.written = [], []

    def __call__(self, status, headers, exc_info=None):
        if self.written and exc_info:
            raise OSError("headers already sent")
        self.starts.append((status, exc_info))
        if exc_info:
            raise SystemError("returned a result with an exception set") from exc_info[1]
        return self.written.append

    def run(self, app):
        body = guard(app, {"uwsgi.version": b"2.0"}, self, rescue)
        self.written += body
        if hasattr(body, "close"):
            body.close()
        return b"".join(self.written)


def rescue(error):
    def answer(environ, start_response):
        start_response("500 Internal Server Error", [])
        return [b"rescued"]

    return answer


def test_uwsgi_is_not_told_of_a_failure_before_the_start():
    def app(environ, start_response):
        raise LookupError

    server = UWSGIServer()
    assert server.run(app) == b"rescued"
    assert server.starts == [("500 Internal Server Error", None)]


@pytest.mark.parametrize("lazy", [False, True], ids=["call", "body"])
def test_uwsgi_replaces_what_was_started(lazy):
    def app(environ, start_response):
        start_response("200 OK", [])
        raise LookupError

    def later(environ, start_response):
        yield from app(environ, start_response)

    server = UWSGIServer()
    assert server.run(later if lazy else app) == b"rescued"
    assert [status for status, _ in server.starts] == ["200 OK", "500 Internal Server Error"]


def test_uwsgi_raises_what_came_too_late():
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"sent"
        raise LookupError

    with pytest.raises(OSError, match="headers already sent"):
        UWSGIServer().run(app)


def test_a_rescue_may_write_under_uwsgi():
    def app(environ, start_response):
        start_response("200 OK", [])
        raise LookupError

    def writes(error):
        def answer(environ, start_response):
            start_response("500 Internal Server Error", [])(b"written")
            return []

        return answer

    server = UWSGIServer()
    guard(app, {"uwsgi.version": b"2.0"}, server, writes)
    assert server.written == [b"written"]


def test_another_system_error_is_not_taken_for_that_of_uwsgi():
    def app(environ, start_response):
        start_response("200 OK", [])
        raise LookupError

    def broken(status, headers, exc_info=None):
        if exc_info:
            raise SystemError("something else")

    with pytest.raises(SystemError, match="something else"):
        guard(app, {"uwsgi.version": b"2.0"}, broken, rescue)
