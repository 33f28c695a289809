from __future__ import annotations

import gc
from contextvars import ContextVar
from io import BytesIO
from threading import Thread
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit.context import within
from wsgikit.wrap import observe

TEXT = [("Content-Type", "text/plain")]

name: ContextVar[str | None] = ContextVar("name", default=None)


def named(app, value="inner"):
    def outer(environ, start_response):
        return within(name, value, app, environ, start_response)

    return outer


def nothing(status, headers, exc_info=None):
    """A start_response that nobody looks at."""


def streaming(environ, start_response):
    start_response("200 OK", TEXT)
    yield f"{name.get()} ".encode()
    yield f"{name.get()}".encode()


def test_the_call_has_the_value():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return [str(name.get()).encode()]

    assert TestApp(validator(named(validator(app)))).get("/").text == "inner"
    assert name.get() is None


def test_each_block_has_the_value():
    assert TestApp(validator(named(validator(streaming)))).get("/").text == "inner inner"
    assert name.get() is None


def test_close_has_the_value_and_what_comes_after_has_not():
    class Body:
        def __iter__(self):
            return iter([b"a"])

        def close(self):
            seen.append(name.get())

    seen = []
    body = named(lambda environ, start_response: Body())({}, nothing)
    list(body)
    body.close()
    body.close()
    assert (seen, name.get()) == (["inner"], None)


@pytest.mark.parametrize("body", [[b"a"], (b"a",)], ids=["list", "tuple"])
def test_a_body_without_code_is_returned_as_it_is(body):
    assert named(lambda environ, start_response: body)({}, nothing) is body
    assert name.get() is None


class File(BytesIO):
    def close(self):
        self.closed_by = name.get()
        super().close()


def test_a_file_stays_recognisable():
    file = File(b"file")
    environ = {"wsgi.file_wrapper": FileWrapper}
    body = FileWrapper(file)
    assert named(lambda environ, start_response: body)(environ, nothing) is body
    assert name.get() is None
    body.close()
    assert file.closed_by == "inner"
    assert name.get() is None


def test_servers_may_take_blocks_and_close_in_other_threads():
    def in_a_thread(function, *args):
        def work():
            results.append(function(*args))
            left.append(name.get())

        thread = Thread(target=work)
        thread.start()
        thread.join()
        return results.pop()

    results, left = [], []
    body = in_a_thread(named(streaming), {}, nothing)
    blocks = in_a_thread(iter, body)
    assert in_a_thread(next, blocks) == b"inner "
    assert next(blocks) == b"inner"
    assert in_a_thread(next, blocks, None) is None
    in_a_thread(body.close)
    assert left == [None] * 5
    assert name.get() is None


def test_bodies_may_be_taken_in_turn():
    one, other = named(streaming, "one")({}, nothing), named(streaming, "other")({}, nothing)
    pairs = list(zip(one, other, strict=True))
    assert pairs == [(b"one ", b"other "), (b"one", b"other")]
    one.close()
    other.close()
    assert name.get() is None


def test_an_error_in_a_block_passes():
    def blocks():
        yield b"a"
        raise LookupError(name.get())

    body = named(lambda environ, start_response: blocks())({}, nothing)
    with pytest.raises(LookupError, match="inner"):
        list(body)
    body.close()
    assert name.get() is None


def test_an_error_in_close_leaves_no_value_behind():
    class Body(list):
        def close(self):
            raise LookupError(name.get())

    body = named(lambda environ, start_response: Body())({}, nothing)
    with pytest.raises(LookupError, match="inner"):
        body.close()
    assert name.get() is None


@pytest.mark.parametrize("error", [LookupError(), KeyboardInterrupt()], ids=repr)
def test_an_error_leaves_no_value_behind(error):
    def app(environ, start_response):
        assert name.get() == "inner"
        raise error

    with pytest.raises(type(error)):
        named(app)({}, nothing)
    assert name.get() is None


def test_what_was_there_before_comes_back():
    app = named(named(streaming), "outer")
    token = name.set("outside")
    try:
        body = app({}, nothing)
        assert list(body) == [b"inner ", b"inner"]
        body.close()
        assert name.get() == "outside"
    finally:
        name.reset(token)


def watched(app, told):
    def outer(environ, start_response):
        return observe(
            app, environ, start_response, lambda seen, key: told.append((key, name.get())), "it"
        )

    return outer


GET = {"REQUEST_METHOD": "GET"}


def test_what_is_told_at_the_end_of_a_list_is_told_within():
    told = []
    app = named(named(watched(lambda environ, start_response: [b"a"], told)), "outer")
    body = app(GET, nothing)
    assert len(body) == 1  # still a list for the server
    assert list(body) == [b"a"]
    body.close()
    body.close()
    assert told == [("it", "inner")]
    assert name.get() is None


def test_who_watches_from_outside_is_told_outside():
    told = []
    inner = named(watched(lambda environ, start_response: [b"a"], told))
    body = watched(inner, told)(GET, nothing)
    assert list(body) == [b"a"]
    body.close()
    body.close()
    assert told == [("it", "inner"), ("it", None)]


def test_an_error_at_the_end_of_a_list_passes():
    def fail(seen, fact):
        raise LookupError(name.get())

    app = lambda environ, start_response: observe(  # noqa: E731
        lambda environ, start_response: [], environ, start_response, fail, None
    )
    with pytest.raises(LookupError, match="inner"):
        named(app)(GET, nothing).close()
    assert name.get() is None


def test_no_circle_of_references_is_left():
    class Value(str):
        def __del__(self):
            gone.append(1)

    gone = []
    body = named(watched(lambda environ, start_response: [b"a"], []), Value("x"))(GET, nothing)
    list(body)
    body.close()
    gc.disable()
    try:
        del body
        assert gone == [1]
    finally:
        gc.enable()
