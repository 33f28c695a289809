from __future__ import annotations

from io import BytesIO
from wsgiref.validate import validator

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import HTTPError, Request, Response, layer, stack
from wsgikit.middleware import body_limit, errors


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def chunked(body, **environ):
    """The environ of a request whose length was not told."""
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": None,
        **environ,
    }


def answered(app, environ):
    """The status and the body of a response."""
    started = []

    def start_response(status, headers, exc_info=None):
        started[:] = [int(status[:3])]
        return lambda block: None

    body = app(environ, start_response)
    content = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return started[0], content


@Request.application
def echo(request):
    return Response(request.body)


def never(environ, start_response):
    raise AssertionError("the application was called")


# Where the length is told


def test_a_body_of_the_limit_passes():
    assert checked(body_limit(max_size=5), echo).post("/", b"12345").body == b"12345"
    assert checked(body_limit(max_size=0), echo).get("/").body == b""


def test_a_larger_one_is_refused_before_it_is_read():
    answer = checked(body_limit(max_size=5), never).post("/", b"123456", status=413)
    assert "5 bytes taken here (max_size)" in answer.text


@pytest.mark.parametrize("length", ["x", "-1", "1.5", "+1", "1" * 30, "\xb2"])
def test_a_length_that_is_none_is_a_bad_request(length):
    environ = chunked(b"", CONTENT_LENGTH=length)
    del environ["HTTP_TRANSFER_ENCODING"]
    assert answered(body_limit(never, max_size=5), environ)[0] == 400


def test_refusals_are_errors_like_any():
    handlers = {413: lambda request, error: "too much"}
    app = checked(errors(handlers=handlers), body_limit(max_size=5), never)
    assert app.post("/", b"123456", status=413).text == "too much"


# Where it is not


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "3"},  # the coding says how long the body is, whatever stands here
        {"REQUEST_METHOD": "GET"},
        {"HTTP_TRANSFER_ENCODING": "gzip, chunked"},
        {"SERVER_PROTOCOL": "HTTP/2"},
    ],
    ids=str,
)
def test_a_body_that_turns_out_larger_is_refused(environ):
    app = body_limit(reading(READERS["read"]), max_size=5)
    status, body = answered(app, chunked(b"123456", **environ))
    assert status == 413
    assert b"5 bytes taken here (max_size)" in body


def test_with_validators_around_it_and_inside():
    @layer
    def untold(app):
        def answer(environ, start_response):
            del environ["CONTENT_LENGTH"]
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
            environ["wsgi.input_terminated"] = True
            return app(environ, start_response)

        return answer

    app = checked(untold(), body_limit(max_size=5), echo)
    assert app.post("/", b"12345").body == b"12345"
    assert "(max_size)" in app.post("/", b"123456", status=413).text


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_body_without_any_field_that_tells_of_it_is_limited_too(method):
    environ = chunked(b"123456", REQUEST_METHOD=method, SERVER_PROTOCOL="HTTP/2")
    del environ["HTTP_TRANSFER_ENCODING"]
    assert answered(body_limit(echo, max_size=5), environ)[0] == 413


def test_a_body_of_the_limit_passes_without_its_length():
    assert answered(body_limit(echo, max_size=5), chunked(b"12345")) == (200, b"12345")
    assert answered(body_limit(echo, max_size=0), chunked(b"")) == (200, b"")


def test_no_body_nothing_to_do():
    def app(environ, start_response):
        assert type(environ["wsgi.input"]) is BytesIO
        return Response("")(environ, start_response)

    environ = chunked(b"", REQUEST_METHOD="GET")
    del environ["HTTP_TRANSFER_ENCODING"]
    assert answered(body_limit(app, max_size=5), environ)[0] == 200


def reading(read):
    """An application that reads with ``read`` and answers what it got."""

    def app(environ, start_response):
        blocks = [*read(environ["wsgi.input"])]
        return Response(b"|".join(blocks))(environ, start_response)

    return app


READERS = {
    "read": lambda stream: [stream.read()],
    "read all": lambda stream: [stream.read(-1)],
    "read None": lambda stream: [stream.read(None)],
    "read some": lambda stream: iter(lambda: stream.read(2), b""),
    "read much": lambda stream: [stream.read(1_000_000), stream.read(1_000_000)],
    "readline": lambda stream: iter(stream.readline, b""),
    "readline some": lambda stream: iter(lambda: stream.readline(2), b""),
    "readlines": lambda stream: stream.readlines(),
    "readlines some": lambda stream: iter(lambda: b"".join(stream.readlines(2)), b""),
    "iter": iter,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("body", [b"", b"a", b"a\nb\nc", b"\n\n\n\n\n", b"abcde"], ids=repr)
def test_every_way_to_read_gives_what_there_is(read, body):
    expected = answered(reading(read), chunked(body))
    assert answered(body_limit(reading(read), max_size=5), chunked(body)) == expected


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("body", [b"a\nb\nc\n", b"\n" * 6, b"abcdef", b"abcde\n" * 9], ids=repr)
def test_every_way_to_read_ends_at_the_limit(read, body):
    assert answered(body_limit(reading(read), max_size=5), chunked(body))[0] == 413


@given(st.binary(max_size=20), st.lists(st.integers(-1, 8), min_size=1, max_size=9))
def test_whatever_is_read_is_what_was_sent(body, sizes):
    def app(environ, start_response):
        stream = environ["wsgi.input"]
        got = b"".join([stream.read(size) for size in sizes])
        assert body.startswith(got)
        assert len(got) <= 10
        return Response("")(environ, start_response)

    reads_all = -1 in sizes or sum(sizes) > 10
    status, _ = answered(body_limit(app, max_size=10), chunked(body))
    assert status == (413 if reads_all and len(body) > 10 else 200)


# What the application makes of it


def test_an_application_that_goes_on_is_refused_all_the_same():
    def app(environ, start_response):
        stream = environ["wsgi.input"]
        for _ in range(2):
            with pytest.raises(HTTPError):
                stream.read()
        return Response("all is well")(environ, start_response)

    assert answered(body_limit(app, max_size=5), chunked(b"123456"))[0] == 413


def test_an_error_of_its_own_is_replaced_and_a_refusal_stays():
    def failing(status):
        def app(environ, start_response):
            try:
                environ["wsgi.input"].read()
            except HTTPError:
                return Response("own", status)(environ, start_response)

        return app

    assert answered(body_limit(failing(500), max_size=5), chunked(b"123456"))[0] == 413
    assert answered(body_limit(failing(400), max_size=5), chunked(b"123456")) == (400, b"own")


def test_other_failures_pass():
    with pytest.raises(AssertionError, match="was called"):
        answered(body_limit(never, max_size=5), chunked(b"123456"))


def test_a_response_that_has_started_is_not_replaced():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read()]

    with pytest.raises(HTTPError):
        answered(body_limit(app, max_size=5), chunked(b"123456"))


def test_flask():
    flask = Flask("limited")

    @flask.post("/")
    def view():
        return request.get_data()

    app = body_limit(flask, max_size=5)
    assert answered(app, chunked(b"12345")) == (200, b"12345")
    assert answered(app, chunked(b"123456"))[0] == 413


@pytest.mark.parametrize("max_size", [-1, "5", 1.5, None, True])
def test_the_option_is_checked_when_the_layer_is_put_on(max_size):
    with pytest.raises(ValueError, match="max_size takes a number of bytes"):
        body_limit(Response(""), max_size=max_size)
