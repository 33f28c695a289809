from __future__ import annotations

import sys
from functools import partial
from io import BytesIO
from threading import Event, Thread
from urllib.request import urlopen
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Request, Router, stack
from wsgikit.keys import ON_CLOSE
from wsgikit.middleware import errors, on_close
from wsgikit.middleware.on_close import after_response
from wsgikit.testing import serving

TEXT = [("Content-Type", "text/plain")]


def checked(*parts):
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def leaving(*hooks, body=(b"text",)):
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        for hook in hooks:
            after_response(environ, hook)
        return body

    return app


def nothing(status, headers, exc_info=None):
    """A start_response that nobody looks at."""


@pytest.mark.parametrize("body", [[b"text"], (b"text",), iter([b"text"])], ids=type)
def test_what_is_left_is_done_in_order_after_the_response(body):
    done = []
    app = leaving(lambda: done.append(1), lambda: done.append(2), body=body)
    answer = on_close(app)({}, nothing)
    assert list(answer) == [b"text"]
    assert done == []
    answer.close()
    answer.close()
    assert done == [1, 2]


def test_it_is_done_after_the_bodys_own_close():
    class Body:
        def __iter__(self):
            return iter([b"text"])

        def close(self):
            done.append("close")

    done = []
    assert checked(on_close(), leaving(lambda: done.append("left"), body=Body())).get("/")
    assert done == ["close", "left"]


def test_a_view_leaves_work():
    done = []
    router = Router()

    @router.get("/")
    def view(request: Request) -> str:
        after_response(request.environ, lambda: done.append(request.path))
        return "text"

    assert checked(on_close(), errors(), router).get("/").text == "text"
    assert done == ["/"]


def test_while_the_body_is_made_and_closed_there_is_still_time():
    class Body:
        def __init__(self, environ):
            self.environ = environ

        def __iter__(self):
            after_response(self.environ, lambda: done.append("block"))
            yield b"text"

        def close(self):
            after_response(self.environ, lambda: done.append("close"))

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return Body(environ)

    done = []
    checked(on_close(), app).get("/")
    assert done == ["block", "close"]


def test_work_may_leave_work():
    def app(environ, start_response):
        def first():
            done.append("first")
            after_response(environ, lambda: done.append("second"))

        return leaving(first)(environ, start_response)

    done = []
    checked(on_close(), app).get("/")
    assert done == ["first", "second"]


def test_what_fails_is_logged_and_the_others_are_done(caplog):
    def fails():
        raise LookupError("lost")

    done = []
    app = leaving(fails, lambda: done.append(1))
    assert checked(on_close(), app).get("/a?token=1").text == "text"
    assert done == [1]
    (record,) = caplog.records
    place = "test_what_fails_is_logged_and_the_others_are_done.fails"
    assert record.getMessage() == f"GET /a failed in {place}, after the response"
    assert record.name == "wsgikit.errors"
    assert "LookupError: lost" in caplog.text


def test_an_exit_passes_when_the_others_are_done():
    done = []
    body = on_close(leaving(sys.exit, lambda: done.append(1)))({}, nothing)
    with pytest.raises(SystemExit):
        body.close()
    assert done == [1]


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
def test_what_is_left_before_a_failure_is_done(error):
    def app(environ, start_response):
        leaving(lambda: done.append(1))(environ, start_response)
        raise error

    done = []
    with pytest.raises(error):
        on_close(app)({}, nothing)
    assert done == [1]


def test_what_is_left_before_a_failure_in_the_body_is_done():
    def blocks():
        yield b"a"
        raise LookupError

    done = []
    with pytest.raises(LookupError):
        checked(on_close(), leaving(lambda: done.append(1), body=blocks())).get("/")
    assert done == [1]


@pytest.mark.parametrize("body", [[b"a"], (b"a",)], ids=["list", "tuple"])
def test_where_nothing_is_left_the_body_stays_what_it_is(body):
    environ = {}
    assert on_close(leaving(body=body))(environ, nothing) is body
    # Whoever comes too late shall know it.
    with pytest.raises(LookupError, match=r"needs the layer on_close\(\)"):
        after_response(environ, print)


def test_a_file_stays_recognisable():
    done = []
    file = FileWrapper(BytesIO(b"file"))
    environ = {"wsgi.file_wrapper": FileWrapper}
    assert on_close(leaving(lambda: done.append(1), body=file))(environ, nothing) is file
    file.close()
    assert done == [1]


@pytest.mark.parametrize("first", [(), (lambda: None,)], ids=["nothing else", "something else"])
def test_a_thread_that_is_late_has_its_work_done_at_once(first, caplog):
    def app(environ, start_response):
        hooks = environ[ON_CLOSE]

        def work():
            over.wait(30)
            hooks.append(lambda: done.append(1))
            hooks.append(lambda: 1 / 0)

        threads.append(Thread(target=work))
        threads[0].start()
        return leaving(*first)(environ, start_response)

    done, threads, over = [], [], Event()
    checked(on_close(), app).get("/")
    assert done == []
    over.set()
    threads[0].join()
    assert done == [1]
    assert caplog.messages[0].startswith("- failed in ")


def test_threads_lose_nothing_and_do_nothing_twice():
    def app(environ, start_response):
        hooks = environ[ON_CLOSE]

        def work(number):
            for index in range(200):
                hooks.append(partial(done.append, (number, index)))

        threads.extend(Thread(target=work, args=(number,)) for number in range(4))
        for thread in threads:
            thread.start()
        return leaving(lambda: None)(environ, start_response)

    done, threads = [], []
    checked(on_close(), app).get("/")
    for thread in threads:
        thread.join()
    assert len(done) == 800


def test_of_two_layers_the_outer_one_counts():
    done = []
    checked(on_close(), on_close(), leaving(lambda: done.append(1))).get("/")
    assert done == [1]


def test_without_the_layer_nothing_is_lost_silently():
    with pytest.raises(LookupError, match=r"needs the layer on_close\(\)"):
        TestApp(leaving(print)).get("/")


def test_what_cannot_be_called_is_refused_where_it_is_left():
    with pytest.raises(TypeError, match="functions without arguments, not 42"):
        TestApp(on_close(leaving(42))).get("/")


def test_the_client_need_not_wait():
    def app(environ, start_response):
        start_response("200 OK", [*TEXT, ("Content-Length", "4")])
        after_response(environ, slow)
        return [b"text"]

    def slow():
        assert read.wait(30)
        done.set()

    read, done = Event(), Event()
    with serving(on_close(app)) as server, urlopen(server.url) as answer:
        assert answer.read() == b"text"
        assert not done.is_set()
        read.set()
        assert done.wait(30)
