from __future__ import annotations

import re
from threading import Thread
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import HTTPError, Request, Router, stack
from wsgikit.keys import SERVER_TIMING
from wsgikit.middleware import errors, server_timing
from wsgikit.middleware.server_timing import span

TEXT = [("Content-Type", "text/plain")]


def hello(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"hello"]


def checked(*parts):
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def metrics(answer):
    """{name: (milliseconds, description)} of a response."""
    found = {}
    for item in answer.headers["Server-Timing"].split(", "):
        name, duration, description = re.fullmatch(
            r'([\w.-]+);dur=([0-9]+\.[0-9]{2})(?:;desc=(\w+|".*"))?', item
        ).groups()
        found[name] = float(duration), description
    return found


def test_the_response_tells_how_long_it_took():
    assert metrics(checked(server_timing(), hello).get("/")).keys() == {"total"}


def test_another_name_of_the_whole():
    assert metrics(checked(server_timing(total="app"), hello).get("/")).keys() == {"app"}


def test_spans_are_told_in_their_order_and_added_up():
    def app(environ, start_response):
        add = environ[SERVER_TIMING]
        add("db", 0.25, "two queries")
        add("render", 0.0001)
        add("db", 0.25)
        return hello(environ, start_response)

    answer = checked(server_timing(), app).get("/")
    found = metrics(answer)
    assert list(found) == ["total", "db", "render"]
    assert found["db"] == (500, '"two queries"')
    assert found["render"] == (0.1, None)


def test_a_block_is_timed():
    def app(environ, start_response):
        with span(environ, "db", "orders"):
            pass
        return hello(environ, start_response)

    (total, _), (spent, description) = metrics(checked(server_timing(), app).get("/")).values()
    assert 0 <= spent <= total
    assert description == "orders"


def test_a_block_that_fails_is_timed_too():
    router = Router()

    @router.get("/")
    def view(request: Request) -> str:
        with span(request.environ, "db"):
            raise HTTPError(404)

    answer = checked(server_timing(), errors(), router).get("/", status=404)
    assert list(metrics(answer)) == ["total", "db"]


def test_a_block_is_not_timed_without_the_layer():
    environ = {}
    with span(environ, "no token at all", "\n"):
        pass
    assert environ == {}


def test_the_applications_own_field_stays():
    def app(environ, start_response):
        start_response("200 OK", [*TEXT, ("Server-Timing", "cache;desc=hit")])
        return [b"hello"]

    first, second = checked(server_timing(), app).get("/").headers.getall("Server-Timing")
    assert first == "cache;desc=hit"
    assert second.startswith("total;dur=")


def test_of_two_layers_the_outer_one_tells():
    def app(environ, start_response):
        environ[SERVER_TIMING]("db", 1)
        return hello(environ, start_response)

    answer = checked(server_timing(total="outer"), server_timing(total="inner"), app).get("/")
    assert list(metrics(answer)) == ["outer", "db"]


def test_a_late_start_is_told_with_what_was_before_it():
    def app(environ, start_response):
        with span(environ, "first"):
            pass
        start_response("200 OK", TEXT)
        yield b"a"
        with span(environ, "second"):
            pass

    assert list(metrics(checked(server_timing(), app).get("/"))) == ["total", "first"]


def test_threads_add_together():
    def app(environ, start_response):
        def work():
            for _ in range(500):
                environ[SERVER_TIMING]("db", 0.001)

        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return hello(environ, start_response)

    assert metrics(checked(server_timing(), app).get("/"))["db"] == (2000, None)


def test_names_are_limited():
    def app(environ, start_response):
        for number in range(100):
            environ[SERVER_TIMING](f"n{number}", 1)
        return hello(environ, start_response)

    assert len(metrics(checked(server_timing(), app).get("/"))) == 50


@pytest.mark.parametrize("name", ["", "a b", "a,b", "a\r\nSet-Cookie: a=b", "\xe9"])
def test_a_name_that_is_no_token(name):
    def app(environ, start_response):
        with pytest.raises(ValueError, match="name of a span takes a token"):
            environ[SERVER_TIMING](name, 1)
        return hello(environ, start_response)

    assert list(metrics(checked(server_timing(), app).get("/"))) == ["total"]
    with pytest.raises(ValueError, match="total takes a token"):
        server_timing(hello, total=name)


def test_a_description_is_quoted_and_holds_no_controls():
    def app(environ, start_response):
        environ[SERVER_TIMING]("a", 1, 'say "hi"')
        with pytest.raises(ValueError, match="quoted string"):
            environ[SERVER_TIMING]("b", 1, "a\r\nSet-Cookie: a=b")
        return hello(environ, start_response)

    answer = checked(server_timing(), app).get("/")
    assert answer.headers["Server-Timing"].endswith(r';desc="say \"hi\""')
