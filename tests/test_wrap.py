from __future__ import annotations

import sys
from io import BytesIO
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit.wrap import (
    Replaced,
    add_headers,
    attempt,
    close,
    closers,
    guard,
    is_file,
    no_content,
    on_close,
    on_start,
    without_body,
)

TEXT = [("Content-Type", "text/plain")]


class Server(SimpleHandler):
    """The standard library's server without its socket; keeps what it logs and what it sends."""

    http_version = "1.1"
    origin_server = False
    error_body = b"the server's own page"

    def __init__(self, method="GET"):
        base = {"REQUEST_METHOD": method, "QUERY_STRING": ""}
        setup_testing_defaults(base)
        self.out, self.errors, self.saw_file = BytesIO(), [], False
        super().__init__(base["wsgi.input"], self.out, base["wsgi.errors"], base, False, False)

    def log_exception(self, exc_info):
        self.errors.append(exc_info[1])

    def sendfile(self):
        self.saw_file = True
        return False

    def serve(self, app):
        self.run(app)
        head, _, self.sent = self.out.getvalue().partition(b"\r\n\r\n")
        self.line, *fields = head.decode("latin-1").split("\r\n")
        self.fields = [tuple(field.split(": ", 1)) for field in fields]
        return self


class Body:
    """Blocks, a close() that counts, and errors on demand: an exception stands among the blocks."""

    def __init__(self, *blocks, error_in_close=None):
        self.blocks, self.error_in_close = iter(blocks), error_in_close
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        block = next(self.blocks)
        if isinstance(block, BaseException):
            raise block
        return block() if callable(block) else block

    def close(self):
        self.closed += 1
        if self.error_in_close is not None:
            raise self.error_in_close


def answering(body, status="200 OK", headers=TEXT):
    def app(environ, start_response):
        start_response(status, headers)
        return body

    return app


def late(body, status="200 OK", headers=TEXT):
    """Starts its response when the first block is asked for."""

    def app(environ, start_response):
        def blocks():
            start_response(status, headers)
            for block in body:  # noqa: UP028 - ``yield from`` would close the body as well
                yield block

        return Replaced(blocks(), *closers(body))

    return app


def failing(error):
    def app(environ, start_response):
        raise error

    return app


def nothing(status, headers, exc_info=None):
    """A start_response for those who look at the body only."""


# on_start


def test_on_start_edits_status_and_headers():
    def app(environ, start_response):
        def edit(status, headers):
            headers.append(("X-Was", status))
            return "201 Created", headers

        return answering([b"text"])(environ, on_start(start_response, edit))

    answer = Server().serve(validator(app))
    assert (answer.line, answer.sent) == ("Status: 201 Created", b"text")
    assert ("X-Was", "200 OK") in answer.fields


def test_on_start_leaves_the_applications_own_list_alone():
    own = [("A", "1")]

    def edit(status, headers):
        headers.clear()
        return status, headers

    on_start(nothing, edit)("200 OK", own)
    assert own == [("A", "1")]


def test_on_start_returns_write():
    def app(environ, start_response):
        write = on_start(start_response, lambda status, headers: (status, headers))("200 OK", TEXT)
        write(b"written, ")
        return [b"returned"]

    assert Server().serve(validator(app)).sent == b"written, returned"


def replacing(blocks=()):
    """Starts with 200, sends ``blocks``, fails, and tries to say 503 instead."""

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        yield from blocks
        try:
            raise LookupError("lost")
        except LookupError:
            start_response("503 Service Unavailable", TEXT, sys.exc_info())
        yield b"replaced"

    return app


def started_through(how, app):
    return lambda environ, start_response: app(environ, how(start_response))


EDITS = {
    "on_start": lambda start: on_start(start, lambda s, h: (s, [*h, ("X-Edited", "1")])),
    "add_headers": lambda start: add_headers(start, [("X-Edited", "1")]),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_response_that_is_replaced_is_edited_again(edit):
    answer = Server().serve(validator(started_through(edit, replacing())))
    assert (answer.line, answer.sent) == ("Status: 503 Service Unavailable", b"replaced")
    assert answer.fields.count(("X-Edited", "1")) == 1


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_error_after_the_headers_are_sent_is_raised_again(edit):
    answer = Server().serve(validator(started_through(edit, replacing([b"sent"]))))
    assert (answer.line, answer.sent) == ("Status: 200 OK", b"sent")
    assert [str(error) for error in answer.errors] == ["lost"]


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_late_start_is_edited(edit):
    answer = Server().serve(validator(started_through(edit, late([b"a", b"b"]))))
    assert answer.sent == b"ab"
    assert ("X-Edited", "1") in answer.fields


def test_an_error_of_edit_reaches_the_application():
    def edit(status, headers):
        raise ValueError("edit")

    with pytest.raises(ValueError, match="edit"):
        on_start(nothing, edit)("200 OK", [])


# add_headers


def test_add_headers_appends_and_keeps_what_is_there():
    def app(environ, start_response):
        return answering([])(environ, add_headers(start_response, [("A", "2"), ("B", "3")]))

    headers = TestApp(app).get("/", status=200).headers
    assert headers.getall("A") == ["2"]
    own = [("A", "1")]
    given = []
    add_headers(lambda *args: given.append(args), (("A", "2"),))("200 OK", own)
    assert given == [("200 OK", [("A", "1"), ("A", "2")], None)]
    assert own == [("A", "1")]


# Replaced


def test_replaced_iterates_blocks_and_closes_in_order():
    calls = []
    body = Replaced([b"a", b"b"], lambda: calls.append(1), lambda: calls.append(2))
    assert list(body) == [b"a", b"b"]
    assert calls == []
    body.close()
    assert calls == [1, 2]


def test_replaced_closes_once():
    inner = Body()
    body = Replaced(inner, inner.close)
    body.close()
    body.close()
    assert inner.closed == 1


def test_replaced_closes_what_was_never_iterated():
    def blocks():
        raise AssertionError("never")
        yield

    inner = Body()
    Replaced(blocks(), inner.close).close()
    assert inner.closed == 1


class Falsy(Exception):
    def __bool__(self):
        return False


@pytest.mark.parametrize("first", [LookupError("first"), KeyboardInterrupt(), Falsy()], ids=repr)
def test_all_closers_run_and_the_first_failure_is_raised(first):
    one, two, three = (Body(error_in_close=error) for error in (first, ValueError("second"), None))
    body = Replaced((), one.close, two.close, three.close)
    with pytest.raises(type(first)) as raised:
        body.close()
    assert raised.value is first
    assert [one.closed, two.closed, three.closed] == [1, 1, 1]
    body.close()
    assert [one.closed, two.closed, three.closed] == [1, 1, 1]


def test_closing_while_closing_is_no_second_time():
    calls = []

    def again():
        calls.append(1)
        body.close()

    body = Replaced((), again)
    body.close()
    assert calls == [1]


# close, closers


def test_close_closes_what_can_be_closed():
    body = Body()
    close(body)
    assert body.closed == 1
    for other in ([b""], (), None):
        close(other)


def test_closers_are_those_there_are():
    one, two = Body(), Body()
    assert closers(one, [], two, None) == [one.close, two.close]
    two.close = None
    assert closers(two) == []


def test_an_error_in_close_is_not_hidden():
    with pytest.raises(LookupError):
        close(Body(error_in_close=LookupError()))


# on_close and wsgi.file_wrapper


def test_the_hook_comes_after_the_bodys_close_and_once():
    calls = []
    inner = Body(b"a")
    body = on_close(inner, lambda: calls.append(inner.closed), {})
    assert list(body) == [b"a"]
    assert calls == []
    body.close()
    body.close()
    assert (calls, inner.closed) == ([1], 1)


@pytest.mark.parametrize("body", [[b"a"], (b"a",), iter([b"a"])], ids=["list", "tuple", "iterator"])
def test_the_hook_of_a_body_without_close(body):
    calls = []
    replaced = on_close(body, lambda: calls.append(1), {})
    assert list(replaced) == [b"a"]
    replaced.close()
    assert calls == [1]


def test_the_hook_is_called_for_a_body_that_fails_to_close():
    calls = []
    body = on_close(Body(error_in_close=LookupError()), lambda: calls.append(1), {})
    with pytest.raises(LookupError):
        body.close()
    assert calls == [1]


def test_a_generator_that_is_closed_before_its_first_block_runs_the_hook():
    calls = []
    on_close((block for block in [b"a"]), lambda: calls.append(1), {}).close()
    assert calls == [1]


class CountingFile(BytesIO):
    closings = 0

    def close(self):
        self.closings += 1
        super().close()


def hooked(app, calls):
    def outer(environ, start_response):
        return on_close(app(environ, start_response), lambda: calls.append(1), environ)

    return outer


def test_a_file_stays_recognisable_and_is_closed_once():
    file, calls = CountingFile(b"file"), []

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return environ["wsgi.file_wrapper"](file)

    answer = Server().serve(hooked(hooked(app, calls), calls))
    assert answer.saw_file
    assert answer.sent == b"file"
    assert (file.closings, calls) == (1, [1, 1])


def test_an_extended_close_leaves_no_cycle_behind():
    class Watched(FileWrapper):
        def __del__(self):
            gone.append(1)

    gone = []
    environ = {"wsgi.file_wrapper": Watched}
    body = on_close(Watched(BytesIO()), lambda: None, environ)
    body.close()
    del body
    assert gone == [1]


def test_a_function_that_gives_the_file_back_as_that_of_uwsgi():
    # uWSGI compares what comes back with what it gave, and looks up its close() then.
    file, calls = CountingFile(b"file"), []
    environ = {"wsgi.file_wrapper": lambda file, block_size=0: file}
    body = on_close(environ["wsgi.file_wrapper"](file), lambda: calls.append(1), environ)
    assert body is file
    assert guard(answering(body), environ, nothing, None) is file
    body.close()
    assert (file.closings, calls) == (1, [1])


def test_a_function_that_makes_wrappers():
    environ = {"wsgi.file_wrapper": lambda file, block_size=8192: FileWrapper(file, block_size)}
    body = environ["wsgi.file_wrapper"](BytesIO())
    assert is_file(body, environ)
    assert on_close(body, lambda: None, environ) is body


@pytest.mark.parametrize(
    "body", [[b"a"], (), iter(()), Body()], ids=lambda body: type(body).__name__
)
@pytest.mark.parametrize(
    "wrapper", [FileWrapper, lambda file, size: file, None], ids=["class", "function", "none"]
)
def test_what_is_no_file(body, wrapper):
    assert not is_file(body, {"wsgi.file_wrapper": wrapper})
    assert not is_file(body, {})


def test_a_file_is_no_body_of_a_server_without_wrapper():
    assert not is_file(BytesIO(), {})
    assert not is_file(BytesIO(), {"wsgi.file_wrapper": FileWrapper})


class Sealed:
    """As a class in C: no attribute of it can be set."""

    __slots__ = ("file",)

    def __init__(self, file, block_size=8192):
        self.file = file

    def __iter__(self):
        return iter(lambda: self.file.read(2), b"")

    def close(self):
        self.file.close()


def test_a_file_whose_close_cannot_be_set_is_sent_block_by_block():
    file, calls = CountingFile(b"file"), []
    body = on_close(Sealed(file), lambda: calls.append(1), {"wsgi.file_wrapper": Sealed})
    assert list(body) == [b"fi", b"le"]
    body.close()
    assert (file.closings, calls) == (1, [1])


def test_an_error_in_iteration_passes_and_the_body_is_closed():
    inner, calls = Body(b"a", LookupError("lost")), []
    answer = Server().serve(validator(hooked(validator(answering(inner)), calls)))
    assert (answer.sent, inner.closed, calls) == (b"a", 1, [1])
    assert [type(error) for error in answer.errors] == [LookupError]


# without_body


def test_head_has_the_fields_and_no_content():
    inner = Body(b"text")
    app = without_body(answering(inner, headers=[*TEXT, ("Content-Length", "4")]))
    answer = TestApp(app).head("/")
    assert answer.content_length == 4
    assert (answer.body, inner.closed) == (b"", 1)


@pytest.mark.parametrize("make", [answering, late])
def test_without_body_closes_what_it_does_not_send(make):
    inner = Body(b"a", AssertionError("only the first block may be asked for"))
    answer = Server("HEAD").serve(validator(without_body(validator(make(inner)))))
    assert (answer.line, answer.sent, inner.closed) == ("Status: 200 OK", b"", 1)


def test_without_body_adds_no_length():
    # A server adds Content-Length: 0 to an empty list, which would be a lie about GET.
    fields = Server("HEAD").serve(without_body(answering([b"text"]))).fields
    assert "Content-Length" not in dict(fields)


def test_without_body_swallows_what_is_written():
    def app(environ, start_response):
        start_response("200 OK", TEXT)(b"written")
        return []

    assert Server("HEAD").serve(validator(without_body(validator(app)))).sent == b""


def test_without_body_lets_a_response_be_replaced_after_write():
    def app(environ, start_response):
        start_response("200 OK", TEXT)(b"nobody has seen this")
        try:
            raise LookupError
        except LookupError:
            start_response("503 Service Unavailable", TEXT, sys.exc_info())
        return []

    answer = Server("HEAD").serve(validator(without_body(app)))
    assert answer.line == "Status: 503 Service Unavailable"


@pytest.mark.parametrize("error", [LookupError("late"), KeyboardInterrupt()], ids=repr)
def test_an_error_before_a_late_start_closes_the_body(error):
    inner = Body(error)
    with pytest.raises(type(error)):
        without_body(lambda environ, start_response: inner)({}, nothing)
    assert inner.closed == 1


@pytest.mark.parametrize("blocks", [(), (b"a",)], ids=["empty", "one block"])
def test_an_application_that_never_starts_is_named(blocks):
    inner = Body(*blocks)

    def forgetful(environ, start_response):
        return inner

    with pytest.raises(RuntimeError, match=r"forgetful.*did not call start_response"):
        without_body(forgetful)({}, nothing)
    assert inner.closed == 1


def test_an_error_in_close_of_what_is_not_sent_passes():
    inner = Body(error_in_close=LookupError())
    with pytest.raises(LookupError):
        without_body(answering(inner))({}, nothing)
    assert inner.closed == 1


def test_no_content_is_a_fresh_body_each_time():
    assert list(no_content()) == list(no_content()) == [b""]


# attempt


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


def replaced_in_the_call(first, second, write=b""):
    def app(environ, start_response):
        written = start_response(first, TEXT)
        if write:
            written(write)
        try:
            raise LookupError("lost")
        except LookupError:
            start_response(second, TEXT, sys.exc_info())
        return [b"replaced"]

    return app


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


# guard


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


def started_then_failing(environ, start_response):
    start_response("200 OK", [*TEXT, ("X-Of", "the first")])
    raise LookupError("lost")


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
