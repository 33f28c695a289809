from __future__ import annotations

import sys
from io import BytesIO
from itertools import islice
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit.wrap import (
    Replaced,
    Transformer,
    add_headers,
    add_unless,
    attempt,
    close,
    closers,
    guard,
    is_file,
    no_content,
    observe,
    on_close,
    on_start,
    transform,
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
        start_response(status, [*headers])  # wsgiref adds to a list that it is given
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
    "add_unless": add_unless(["x-own"], [("X-Edited", "1")], lambda s, h: (s, h)),
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


# add_unless


@pytest.mark.parametrize("name", ["x-own", "X-Own", "X-OWN"])
def test_add_unless_has_those_edited_that_have_the_field(name):
    def edit(status, headers):
        return "203 Edited", [*headers, ("X-Seen", "1")]

    around = add_unless(["x-own", "vary"], [("X-Added", "1")], edit)
    given = []
    start = around(lambda *args: given.append(args))
    start("200 OK", [("Content-Type", "text/plain"), (name, "1")])
    start("200 OK", [("Vary", "Accept")])
    start("200 OK", [("Content-Type", "text/plain"), ("X-Other", "1")])
    assert given == [
        ("203 Edited", [("Content-Type", "text/plain"), (name, "1"), ("X-Seen", "1")], None),
        ("203 Edited", [("Vary", "Accept"), ("X-Seen", "1")], None),
        (
            "200 OK",
            [("Content-Type", "text/plain"), ("X-Other", "1"), ("X-Added", "1")],
            None,
        ),
    ]


def test_add_unless_leaves_the_applications_own_list_alone():
    def edit(status, headers):
        headers.clear()
        return status, headers

    for own in ([("A", "1")], [("B", "1")]):
        before = own.copy()
        add_unless(["a"], [("X-Added", "1")], edit)(nothing)("200 OK", own)
        assert own == before


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


def test_a_first_hook_comes_before_the_bodys_close():
    calls = []
    file = CountingFile(b"file")
    environ = {"wsgi.file_wrapper": FileWrapper}
    for inner, closings in (FileWrapper(file), lambda: file.closings), (Body(), lambda: 0):
        body = on_close(
            inner,
            lambda: calls.append("last"),
            environ,
            lambda closings=closings: calls.append(closings()),
        )
        body.close()
    assert calls == [0, "last", 0, "last"]


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


# observe


class Watch(list):
    """What observe() told, as a layer; ``seen`` is the only one there should be."""

    def __call__(self, app):
        def outer(environ, start_response):
            return observe(app, environ, start_response, self.note, ("fact", 2))

        return outer

    def note(self, observed, facts):
        assert facts == ("fact", 2)
        self.append(observed)

    @property
    def seen(self):
        (observed,) = self
        return observed


def written(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"written, ")
    write(b"")
    return [b"returned"]


TWO = [b"a", b"bc"]
WHOLE = {
    "list": (answering(TWO), 3),
    "empty list": (answering([]), 0),
    "tuple": (answering((b"abc",)), 3),
    "iterator": (answering(iter(TWO)), 3),
    "iterable": (answering(Body(*TWO)), 3),
    "late": (late(TWO), 3),
    "write": (written, 17),
    "no content": (answering(no_content()), 0),
}


@pytest.mark.parametrize(("app", "length"), WHOLE.values(), ids=WHOLE)
def test_observe_tells_status_fields_and_length_of_a_whole_response(app, length):
    watch = Watch()
    answer = Server().serve(validator(watch(validator(app))))
    assert answer.line == "Status: 200 OK"
    seen = watch.seen
    assert (seen.status, seen.code, seen.outcome) == ("200 OK", 200, "complete")
    assert ("Content-Type", "text/plain") in seen.headers
    assert seen.sent == len(answer.sent) == length
    assert 0 < seen.took < 60 * 10**9
    assert seen.began > 0


def test_observe_closes_the_body_first_and_tells_once():
    inner, calls = Body(b"a"), []
    app = answering(inner)
    note = lambda observed, facts: calls.append(inner.closed)  # noqa: E731
    body = observe(app, {"REQUEST_METHOD": "GET"}, nothing, note, None)
    assert list(body) == [b"a"]
    assert calls == []
    body.close()
    body.close()
    assert calls == [1]


def test_observe_tells_the_end_of_a_list_once():
    watch = Watch()
    body = watch(answering([b"a"]))({"REQUEST_METHOD": "GET"}, nothing)
    list(body)
    body.close()
    body.close()
    assert watch.seen.sent == 1


@pytest.mark.parametrize("body", [[b"text"], (b"text",)], ids=["list", "tuple"])
def test_observe_lets_the_server_see_that_there_is_one_block(body):
    answer = Server().serve(Watch()(answering(body)))
    assert dict(answer.fields)["Content-Length"] == "4"


def test_observe_asks_for_no_block_before_the_server_does():
    taken = []
    blocks = (taken.append(text) or text for text in (b"a", b"b"))
    body = Watch()(answering(blocks))({"REQUEST_METHOD": "GET"}, nothing)
    assert taken == []
    next(iter(body))
    assert taken == [b"a"]


@pytest.mark.parametrize(
    ("fields", "length"),
    [([("content-length", "4")], 4), ([("Content-Length", "all")], None), ([], None)],
    ids=["announced", "malformed", "unknown"],
)
def test_observe_leaves_a_file_to_the_server(fields, length):
    def app(environ, start_response):
        start_response("200 OK", TEXT + fields)
        return environ["wsgi.file_wrapper"](file)

    file, watch = CountingFile(b"file"), Watch()
    taken = []

    def start_response(status, headers, exc_info=None):
        taken.append(status)

    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
    body = watch(app)(environ, start_response)
    assert type(body) is FileWrapper
    assert watch == []
    body.close()
    assert (watch.seen.sent, watch.seen.outcome) == (length, "complete")
    assert file.closings == 1


def test_observe_leaves_a_file_recognisable():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return environ["wsgi.file_wrapper"](CountingFile(b"file"))

    watch = Watch()
    assert Server().serve(watch(app)).saw_file
    assert watch.seen.outcome == "complete"


def test_observe_tells_that_nothing_is_sent_for_head():
    watch = Watch()
    Server("HEAD").serve(watch(answering([b"text"])))
    assert (watch.seen.sent, watch.seen.outcome) == (0, "complete")


def ask(app, *, blocks=None, error=None, method="GET"):
    """Take so many blocks, or all, and close; while an error is handled, if there is one."""

    def start_response(status, headers, exc_info=None):
        return [].append

    body = app({"REQUEST_METHOD": method}, start_response)
    try:
        for _ in islice(body, blocks):
            pass
        if error is not None:
            raise error
    except BrokenPipeError:
        body.close()
    except BaseException:
        body.close()
        raise
    else:
        body.close()


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "304 Not Modified"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_server_need_not_take_content_that_it_will_not_send(status, method):
    watch = Watch()
    ask(watch(answering(Body(b"", b""), status)), blocks=1, method=method)
    bodiless = method == "HEAD" or status != "200 OK"
    assert watch.seen.outcome == ("complete" if bodiless else "aborted")


@pytest.mark.parametrize("make", [list, Body, iter], ids=["list", "iterable", "iterator"])
def test_a_server_may_stop_at_the_announced_length(make):
    watch = Watch()
    fields = [*TEXT, ("Content-Length", "3")]
    body = Body(*TWO, b"") if make is Body else make([*TWO, b""])
    ask(watch(answering(body, headers=fields)), blocks=2)
    assert (watch.seen.sent, watch.seen.outcome) == (3, "complete")


@pytest.mark.parametrize("blocks", [0, 1])
@pytest.mark.parametrize("make", [list, tuple, iter])
def test_a_body_that_was_broken_off_is_told(make, blocks):
    watch = Watch()
    ask(watch(answering(make(TWO))), blocks=blocks)
    assert (watch.seen.sent, watch.seen.outcome) == (blocks, "aborted")


def test_a_body_that_nobody_iterates_is_told():
    watch = Watch()
    watch(answering(TWO))({"REQUEST_METHOD": "GET"}, nothing).close()
    assert (watch.seen.sent, watch.seen.outcome) == (0, "aborted")


@pytest.mark.parametrize("make", [list, iter])
def test_a_server_that_cannot_send_closes_while_it_handles_the_error(make):
    watch = Watch()
    ask(watch(answering(make(TWO))), error=BrokenPipeError())
    assert watch.seen.outcome == "aborted"


def test_a_file_that_cannot_be_sent_is_told():
    watch = Watch()
    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
    app = answering(FileWrapper(BytesIO(b"file")), headers=[*TEXT, ("Content-Length", "4")])
    body = watch(app)(environ, nothing)
    try:
        raise BrokenPipeError
    except BrokenPipeError:
        body.close()
    assert watch.seen.outcome == "aborted"


def test_a_client_that_goes_away_is_told_under_the_stock_server():
    class Cut(BytesIO):
        def write(self, data):
            if b"second" in data:
                raise BrokenPipeError
            return super().write(data)

    watch, server = Watch(), Server()
    server.stdout = Cut()
    server.run(watch(answering([b"first", b"second", b"third"])))
    assert (watch.seen.sent, watch.seen.outcome) == (11, "aborted")


FAILING = {
    "call": (failing(LookupError()), 500),
    "call, after start_response": (started_then_failing, 500),
    "before a late start": (lambda environ, start_response: Body(LookupError()), 500),
    "first block": (answering(Body(LookupError())), 500),
    "after an empty block": (answering(Body(b"", LookupError())), 500),
    "after a block": (answering(Body(b"a", LookupError())), 200),
    "no exception": (failing(KeyboardInterrupt()), 500),
    "no exception, iterated": (answering(Body(KeyboardInterrupt())), 500),
}


@pytest.mark.parametrize(("app", "code"), FAILING.values(), ids=FAILING)
def test_a_failure_of_the_application_is_told_and_passes(app, code):
    watch = Watch()
    with pytest.raises((LookupError, KeyboardInterrupt)):
        ask(watch(app))
    assert (watch.seen.code, watch.seen.outcome) == (code, "failed")


def test_a_failure_after_write_has_the_status_that_was_sent():
    def app(environ, start_response):
        start_response("200 OK", TEXT)(b"sent")
        raise LookupError

    watch = Watch()
    with pytest.raises(LookupError):
        ask(watch(app))
    assert (watch.seen.code, watch.seen.sent) == (200, 4)


@pytest.mark.parametrize("blocks", [(), (b"sent",)], ids=["before", "after"])
def test_observe_sees_the_status_that_the_client_gets(blocks):
    watch = Watch()
    Server().serve(watch(replacing(blocks)))
    assert watch.seen.status == ("200 OK" if blocks else "503 Service Unavailable")


def test_a_status_that_is_none_has_no_code():
    watch = Watch()
    ask(watch(answering([], status="all is well")))
    assert watch.seen.code == 0


def test_a_generator_that_is_left_alone_tells_nothing_bad():
    watch = Watch()
    body = watch(answering(iter(TWO)))({"REQUEST_METHOD": "GET"}, nothing)
    blocks = iter(body)
    next(blocks)
    blocks.close()
    body.close()
    assert watch.seen.outcome == "aborted"


# transform


class Marked(Transformer):
    """Whole content in angle brackets; blocks in square ones, and a full stop at the end."""

    def __init__(self, headers, waits=False, streams=True):
        self.headers, self.waits, self.streams = headers, waits, streams

    def whole(self, content):
        self.headers[:] = [field for field in self.headers if field[0] != "Content-Length"]
        self.headers += [("Content-Length", str(len(content) + 2)), ("X-Whole", "1")]
        return b"<%b>" % content

    def stream(self):
        if self.streams:
            self.headers[:] = [field for field in self.headers if field[0] != "Content-Length"]
            self.headers.append(("X-Stream", "1"))
        return self.streams

    def feed(self, block):
        assert block
        return b"[%b]" % block

    def finish(self):
        return b"."


class Kept(Transformer):
    """Leaves everything as it is."""

    def whole(self, content):
        return content


def marked(app, **options):
    """``app`` with all its responses transformed but those with an X-Plain."""

    def begin(status, headers):
        return None if ("X-Plain", "1") in headers else Marked(headers, **options)

    return lambda environ, start_response: transform(app, environ, start_response, begin)


def sized(length):
    return [*TEXT, ("Content-Length", str(length))]


def known(answer):
    return "X-Whole" in dict(answer.fields)


@pytest.mark.parametrize("body", [[b"ab"], (b"a", b"b"), [b"", b"ab"]], ids=repr)
@pytest.mark.parametrize("headers", [TEXT, sized(2)], ids=["", "length"])
def test_a_list_is_transformed_as_a_whole(body, headers):
    answer = Server().serve(validator(marked(answering(body, headers=headers))))
    assert (answer.sent, known(answer)) == (b"<ab>", True)
    assert dict(answer.fields)["Content-Length"] == "4"


def test_no_blocks_are_whole_too():
    assert Server().serve(marked(answering([]))).sent == b"<>"


@pytest.mark.parametrize("make", [answering, late])
def test_a_first_block_of_the_announced_length_is_the_whole(make):
    inner = Body(b"ab", b"")
    answer = Server().serve(validator(marked(validator(make(inner, headers=sized(2))))))
    assert (answer.sent, known(answer), inner.closed) == (b"<ab>", True, 1)
    assert dict(answer.fields)["Content-Length"] == "4"


@pytest.mark.parametrize("make", [answering, late])
@pytest.mark.parametrize("headers", [TEXT, sized(2)], ids=["", "length"])
def test_blocks_are_transformed_one_by_one(make, headers):
    inner = Body(b"a", b"", b"b")
    answer = Server().serve(validator(marked(validator(make(inner, headers=headers)))))
    assert (answer.sent, known(answer), inner.closed) == (b"[a][b].", False, 1)
    assert ("X-Stream", "1") in answer.fields
    assert "Content-Length" not in dict(answer.fields)


def test_a_block_comes_out_before_the_next_is_asked_for():
    asked = []

    def block(text):
        return lambda: asked.append(text) or text

    body = marked(answering(Body(block(b"a"), block(b""), block(b"b"))))({}, nothing)
    assert asked == []
    blocks = iter(body)
    assert (next(blocks), asked) == (b"[a]", [b"a"])
    assert (next(blocks), asked) == (b"", [b"a", b""])  # PEP 3333: a block for each block
    assert (next(blocks), next(blocks), asked) == (b"[b]", b".", [b"a", b"", b"b"])


def test_nothing_more_is_asked_for_before_the_whole_is_sent():
    after = []
    inner = Body(b"ab", lambda: after.append(1) or b"")
    blocks = iter(marked(answering(inner, headers=sized(2)))({}, nothing))
    assert (next(blocks), after) == (b"<ab>", [])
    assert (list(blocks), after) == ([b""], [1])


def test_a_transformer_that_waits_gets_the_whole():
    inner = Body(b"a", b"", b"b")
    app = marked(validator(answering(inner, headers=sized(2))), waits=True)
    answer = Server().serve(validator(app))
    assert (answer.sent, known(answer), inner.closed) == (b"<ab>", True, 1)


def test_a_transformer_that_waits_does_not_wait_for_a_stream():
    inner = Body(b"a", AssertionError("nobody asks for this"))
    blocks = iter(marked(answering(inner), waits=True)({}, nothing))
    assert next(blocks) == b"[a]"


NOT_CHANGED = {
    "list": lambda environ: [b"ab"],
    "blocks": lambda environ: Body(b"a", b"b"),
    "file": lambda environ: environ["wsgi.file_wrapper"](CountingFile(b"ab")),
}


@pytest.mark.parametrize("make", NOT_CHANGED.values(), ids=NOT_CHANGED)
@pytest.mark.parametrize("headers", [TEXT, sized(2)], ids=["", "length"])
def test_a_response_that_is_let_through_keeps_its_body(make, headers):
    environ = {"wsgi.file_wrapper": FileWrapper}
    body = make(environ)
    app = marked(answering(body, headers=[*headers, ("X-Plain", "1")]))
    assert app(environ, nothing) is body


@pytest.mark.parametrize("make", NOT_CHANGED.values(), ids=NOT_CHANGED)
def test_a_body_that_is_not_changed_is_kept(make):
    environ = {"wsgi.file_wrapper": FileWrapper}
    body = make(environ)
    kept = transform(answering(body), environ, nothing, lambda status, headers: Kept())
    assert kept is body


def test_content_that_is_not_changed_is_sent_as_it_came():
    inner = Body(b"a", b"b")
    app = marked(answering(inner, headers=sized(3)), streams=False, waits=True)
    body = app({}, nothing)
    assert list(body) == [b"a", b"b"]  # and too short, as the server will find
    body.close()
    assert inner.closed == 1


def test_a_file_is_transformed_in_blocks():
    file = CountingFile(b"file")
    app = marked(lambda environ, start: answering(environ["wsgi.file_wrapper"](file))(None, start))
    answer = Server().serve(app)
    assert (answer.sent, answer.saw_file, file.closings) == (b"[file].", False, 1)


def test_a_file_that_is_not_wrapped_is_not_cut_into_lines():
    file = CountingFile(b"a\nb\n")
    environ = {"wsgi.file_wrapper": lambda file, block_size=0: file}
    body = marked(answering(file))(environ, nothing)
    assert list(body) == [b"[a\nb\n]", b"."]
    body.close()
    assert file.closings == 1


def test_begin_gets_a_list_of_its_own():
    own = [*TEXT]
    seen = []

    def begin(status, headers):
        seen.append((status, [*headers]))
        headers.append(("X-Seen", "1"))

    given = []
    body = [b"ab"]
    app = answering(body, headers=own)
    assert transform(app, {}, lambda *response: given.append(response), begin) is body
    assert (seen, own) == ([("200 OK", TEXT)], TEXT)
    assert given == [("200 OK", [*TEXT, ("X-Seen", "1")], None)]


@pytest.mark.parametrize("headers", [TEXT, sized(5)], ids=["", "length"])
def test_what_is_written_is_transformed(headers):
    inner = Body(b"d", b"", b"e")

    def app(environ, start_response):
        write = start_response("200 OK", headers)
        for block in (b"", b"ab", b"", b"c"):
            write(block)
        return inner

    answer = Server().serve(validator(marked(app)))
    assert (answer.sent, inner.closed) == (b"[ab][c][d][e].", 1)
    assert answer.errors == []


@pytest.mark.parametrize(
    ("headers", "options"),
    [([*TEXT, ("X-Plain", "1")], {}), (TEXT, {"streams": False})],
    ids=["passed", "left alone"],
)
def test_what_is_written_and_not_transformed(headers, options):
    body = [b"c"]

    def app(environ, start_response):
        start_response("200 OK", headers)(b"ab")
        return body

    assert marked(app, **options)({}, lambda *response: nothing_written) is body
    assert Server().serve(marked(app, **options)).sent == b"abc"


def nothing_written(block):
    """A write() for those who look at the body only."""


ENDINGS = {
    "list, shorter": lambda: [b"a"],
    "list, longer": lambda: [b"abc"],
    "blocks, shorter": lambda: Body(b"a"),
    "blocks, longer": lambda: Body(b"a", b"bc"),
    "blocks, much longer": lambda: Body(b"abc"),
    "the whole and more": lambda: Body(b"ab", b"c"),
}


@pytest.mark.parametrize("waits", [False, True], ids=["", "waits"])
@pytest.mark.parametrize("make", ENDINGS.values(), ids=ENDINGS)
def test_content_of_another_length_does_not_come_out_as_complete(make, waits):
    answer = Server().serve(marked(answering(make(), headers=sized(2)), waits=waits))
    assert [str(error) for error in answer.errors] == [
        "the body is shorter or longer than its Content-Length"
    ]
    assert not answer.sent.endswith(b".")


@pytest.mark.parametrize("length", ["-1", "a", "\u0662", "", "9" * 5000], ids=ascii)
def test_a_length_that_is_none_says_nothing(length):
    app = marked(answering(Body(b"a"), headers=[("Content-Length", length)]))
    assert list(app({}, nothing)) == [b"[a]", b"."]


def test_a_held_response_may_be_replaced_in_the_call():
    app = marked(replaced_in_the_call("200 OK", "503 Service Unavailable"))
    answer = Server().serve(validator(app))
    assert (answer.line, answer.sent) == ("Status: 503 Service Unavailable", b"<replaced>")


def test_a_response_may_be_replaced_before_its_first_block():
    answer = Server().serve(validator(marked(replacing())))
    assert (answer.line, answer.sent) == ("Status: 503 Service Unavailable", b"[replaced].")


REPLACEMENTS = {
    "transformed": (TEXT, b"[replaced]."),
    "of a length": (sized(8), b"<replaced>"),
    "of a length, in blocks": (sized(9), b"[replaced]"),
    "let through": ([*TEXT, ("X-Plain", "1")], b"replaced"),
}


@pytest.mark.parametrize(("headers", "sent"), REPLACEMENTS.values(), ids=REPLACEMENTS)
@pytest.mark.parametrize("waits", [False, True], ids=["", "waits"])
def test_a_response_may_be_replaced_while_it_is_waited_for(headers, sent, waits):
    def blocks(start_response):
        try:
            raise LookupError
        except LookupError:
            start_response("503 Service Unavailable", headers, sys.exc_info())
        yield b"replaced"
        yield b""

    def app(environ, start_response):
        start_response("200 OK", sized(2))
        return blocks(start_response)

    answer = Server().serve(marked(app, waits=waits))
    assert (answer.line, answer.sent) == ("Status: 503 Service Unavailable", sent)
    assert bool(answer.errors) == (b"." not in sent and b"[" in sent)


def test_a_response_that_has_content_is_not_replaced_while_it_is_waited_for():
    def app(environ, start_response):
        start_response("200 OK", sized(3))
        return replacing([b"a"])(environ, lambda *given: len(given) == 3 and start_response(*given))

    answer = Server().serve(marked(app, waits=True))
    assert [str(error) for error in answer.errors] == ["lost"]


def test_a_started_response_is_replaced_as_it_is():
    # The application replaces its response where the server has not sent anything yet.
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return replacing([b""])(environ, lambda *given: len(given) == 3 and start_response(*given))

    given = []
    body = marked(app)({}, lambda *response: given.append(response))
    assert list(body) == [b"", b"replaced"]
    assert [status for status, *_ in given] == ["200 OK", "503 Service Unavailable"]
    assert given[1][1] == TEXT
    assert isinstance(given[1][2][1], LookupError)


def test_an_error_after_transformed_content_breaks_the_response():
    answer = Server().serve(validator(marked(replacing([b"sent"]))))
    assert (answer.line, answer.sent) == ("Status: 200 OK", b"[sent]")
    assert [str(error) for error in answer.errors] == ["lost"]


def test_a_refused_replacement_leaves_the_transformer():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        yield b"a"
        try:
            raise LookupError
        except LookupError:
            with pytest.raises(LookupError):
                start_response("503 Service Unavailable", TEXT, sys.exc_info())
        yield b"b"

    assert Server().serve(validator(marked(app))).sent == b"[a][b]."


def test_a_response_that_was_let_through_is_replaced_as_it_is():
    def app(environ, start_response):
        start_response("200 OK", [("X-Plain", "1")])
        return replacing()(environ, lambda *given: len(given) == 3 and start_response(*given))

    assert Server().serve(marked(app)).sent == b"replaced"


def test_a_response_without_content_may_be_replaced_late():
    def app(environ, start_response):
        start_response("200 OK", sized(0))
        yield b""
        try:
            raise LookupError
        except LookupError:
            start_response("503 Service Unavailable", TEXT, sys.exc_info())
        yield b"replaced"

    assert list(transform(app, {}, nothing, lambda *response: Kept())) == [b"", b"replaced"]


def test_start_response_twice_is_refused():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        start_response("200 OK", TEXT)

    with pytest.raises(RuntimeError, match="twice"):
        marked(app)({}, nothing)


def test_exc_info_without_an_error_replaces_what_is_held():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        start_response("201 Created", TEXT, (None, None, None))
        return [b"a"]

    assert Server().serve(marked(app)).line == "Status: 201 Created"


@pytest.mark.parametrize("waits", [False, True], ids=["", "waits"])
@pytest.mark.parametrize("headers", [TEXT, sized(9)], ids=["", "length"])
@pytest.mark.parametrize("make", [answering, late])
@pytest.mark.parametrize("blocks", [0, 1], ids=["at once", "later"])
def test_an_error_in_iteration_ends_a_transformed_response(make, headers, waits, blocks):
    inner = Body(*[b"a"] * blocks, LookupError("lost"))
    answer = Server().serve(marked(validator(make(inner, headers=headers)), waits=waits))
    assert [str(error) for error in answer.errors] == ["lost"]
    assert not answer.sent.endswith(b".")
    assert inner.closed == 1


def test_an_error_in_the_call_passes_and_the_held_response_is_gone():
    given = []
    with pytest.raises(LookupError):
        marked(started_then_failing)({}, lambda *response: given.append(response))
    assert given == []


@pytest.mark.parametrize("make", [answering, late])
@pytest.mark.parametrize("headers", [TEXT, sized(2)], ids=["", "length"])
@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_a_transformed_body_that_is_broken_off_is_closed(make, headers, blocks):
    inner = Body(b"a", b"b")
    body = marked(make(inner, headers=headers))({}, nothing)
    assert len([*islice(body, blocks)]) == blocks
    body.close()
    body.close()
    assert inner.closed == 1


@pytest.mark.parametrize("headers", [TEXT, sized(1)], ids=["", "length"])
@pytest.mark.parametrize("where", ["begin", "whole", "stream", "start_response"])
def test_an_error_of_a_transformer_closes_the_body(where, headers):
    def fail(*arguments):
        raise LookupError(where)

    class Failing(Kept):
        whole = fail if where == "whole" else Kept.whole
        stream = fail if where == "stream" else Kept.stream

    inner = Body(b"ab" if where == "stream" else b"a")
    begin = fail if where == "begin" else lambda status, headers: Failing()
    start_response = fail if where == "start_response" else nothing
    app = answering(inner, headers=sized(1) if where == "whole" else headers)
    with pytest.raises(LookupError, match=where):
        transform(app, {}, start_response, begin)
    assert inner.closed == (where != "begin")  # it was not there yet


@pytest.mark.parametrize("call", ["whole", "feed", "finish"])
def test_a_transformer_has_to_say_what_it_makes(call):
    with pytest.raises(NotImplementedError):
        getattr(Transformer(), call)(*[b""] * (call != "finish"))


def test_transforms_stand_in_each_other():
    inner = Body(b"a", b"b")
    answer = Server().serve(validator(marked(validator(marked(validator(answering(inner)))))))
    assert (answer.sent, inner.closed) == (b"[[a]][[b]][.].", 1)


def test_a_status_of_any_text_has_its_code():
    for number in range(700):
        watch = Watch()
        ask(watch(answering([], status=f"{200 + number % 3} because {number}")))
        assert watch.seen.code == 200 + number % 3
    watch = Watch()
    ask(watch(answering([], status="404 " + "a" * 10**6)))
    assert watch.seen.code == 404


@pytest.mark.parametrize("blocks", [None, 0, 1, 2])
@pytest.mark.parametrize("make", [list, tuple, iter])
def test_observers_stand_in_each_other(make, blocks):
    inner, outer = Watch(), Watch()
    body = outer(inner(answering(make(TWO))))({"REQUEST_METHOD": "GET"}, nothing)
    for _ in islice(body, blocks):
        assert inner == outer == []
    body.close()
    body.close()
    assert (inner.seen.sent, inner.seen.outcome) == (outer.seen.sent, outer.seen.outcome)
    assert inner.seen.sent == (3 if blocks is None else (0, 1, 3)[blocks])
    assert inner.seen.status == outer.seen.status == "200 OK"
    assert inner.seen.took <= outer.seen.took


def test_observers_in_each_other_count_what_is_written_once():
    inner, outer = Watch(), Watch()
    assert Server().serve(validator(outer(inner(validator(written))))).sent == b"written, returned"
    assert inner.seen.sent == outer.seen.sent == 17


def test_a_list_stays_one_behind_two_observers():
    answer = Server().serve(Watch()(Watch()(answering([b"text"]))))
    assert dict(answer.fields)["Content-Length"] == "4"


def test_an_inner_observer_that_fails_hides_nothing_from_the_outer_one():
    def fail(seen, fact):
        raise LookupError

    def inner(environ, start_response):
        return observe(answering([b"a"]), environ, start_response, fail, None)

    outer = Watch()
    body = outer(inner)({"REQUEST_METHOD": "GET"}, nothing)
    list(body)
    with pytest.raises(LookupError):
        body.close()
    assert outer.seen.sent == 1


def test_hooks_of_an_observed_list_come_after_its_end():
    watch, calls = Watch(), []
    body = watch(answering([b"a"]))({"REQUEST_METHOD": "GET"}, nothing)
    for number in range(2):
        note = lambda number=number: calls.append((number, len(watch)))  # noqa: E731
        assert on_close(body, note, {}, note) is body
    assert list(body) == [b"a"]
    body.close()
    body.close()
    assert calls == [(1, 0), (0, 0), (0, 1), (1, 1)]
    assert watch.seen.outcome == "complete"
