from __future__ import annotations

from io import BytesIO
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from tests.wrap.doubles import TEXT, Body, CountingFile, Server, answering, nothing
from wsgikit.wrap import Replaced, close, closers, guard, is_file, no_content, on_close
from wsgikit.wrap.body import Extended


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


def test_no_content_is_a_fresh_body_each_time():
    assert list(no_content()) == list(no_content()) == [b""]


def test_a_body_that_others_may_extend_has_to_say_how_it_ends():
    with pytest.raises(NotImplementedError):
        Extended().close()
