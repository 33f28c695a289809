from __future__ import annotations

import sys
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from tests.wrap.doubles import TEXT, Body, Server, answering, late, nothing
from wsgikit.wrap import without_body


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


def test_an_error_in_close_of_what_is_not_sent_passes():
    inner = Body(error_in_close=LookupError())
    with pytest.raises(LookupError):
        without_body(answering(inner))({}, nothing)
    assert inner.closed == 1
