from __future__ import annotations

import logging
import re
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import stack
from wsgikit.keys import REQUEST_ID
from wsgikit.middleware import errors, request_id
from wsgikit.middleware.request_id import RequestIdFilter, current_id

TEXT = [("Content-Type", "text/plain")]


def told(environ, start_response):
    """Answers with the id as the application finds it."""
    start_response("200 OK", TEXT)
    assert environ[REQUEST_ID] == current_id.get()
    return [environ[REQUEST_ID].encode()]


def checked(*parts):
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def test_each_request_gets_an_id_that_the_response_tells():
    app = checked(request_id(), told)
    first, second = app.get("/"), app.get("/")
    assert re.fullmatch("[0-9a-f]{32}", first.text)
    assert first.headers.getall("X-Request-ID") == [first.text]
    assert first.text != second.text
    assert current_id.get() is None


def test_one_that_the_application_tells_is_replaced():
    def app(environ, start_response):
        start_response("200 OK", [*TEXT, ("x-request-id", "app"), ("X-Request-ID", "other")])
        return [environ[REQUEST_ID].encode()]

    answer = checked(request_id(), app).get("/")
    assert answer.headers.getall("X-Request-ID") == [answer.text]


@pytest.mark.parametrize(
    "given_id",
    [
        "a",
        "8f14e45f-ceea-467f-ab3e-0c1b2d3e4f5a",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "a+b/c=",
        "x" * 128,
    ],
)
def test_an_id_that_comes_is_kept(given_id):
    answer = checked(request_id(), told).get("/", headers={"X-Request-ID": given_id})
    assert answer.text == answer.headers["X-Request-ID"] == given_id


@pytest.mark.parametrize(
    "given_id",
    ["", " ", "a b", "a,b", "x" * 129, "a\nb", 'a"b', "a%0ab", "\xe9", "a\x1b[31m", "<b>", "a\n"],
    ids=ascii,
)
def test_an_id_that_is_odd_is_not_kept(given_id):
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        return told(environ, start_response)

    environ = {"HTTP_X_REQUEST_ID": given_id}
    answer = TestApp(request_id(app)).get("/", extra_environ=environ)
    assert re.fullmatch("[0-9a-f]{32}", answer.text)
    assert seen["HTTP_X_REQUEST_ID"] == answer.text  # nobody inside finds the odd one


@given(st.text())
def test_whatever_comes_the_response_is_sound(text):
    sent = []
    app = request_id(told)
    app({"HTTP_X_REQUEST_ID": text}, lambda status, headers, exc_info=None: sent.extend(headers))
    assert re.fullmatch("[A-Za-z0-9._~:@=+/-]{1,128}", dict(sent)["X-Request-ID"])


def test_ids_that_come_may_be_ignored():
    answer = checked(request_id(inbound=False), told).get("/", headers={"X-Request-ID": "theirs"})
    assert answer.text != "theirs"


def test_another_field():
    app = checked(request_id(header="X-Correlation-ID"), told)
    answer = app.get("/", headers={"X-Correlation-ID": "theirs", "X-Request-ID": "other"})
    assert answer.headers["X-Correlation-ID"] == answer.text == "theirs"
    assert "X-Request-ID" not in answer.headers


def test_another_maker():
    numbers = iter(["1", "2"])
    app = checked(request_id(make=lambda: f"web-{next(numbers)}"), told)
    assert [app.get("/").text, app.get("/").text] == ["web-1", "web-2"]


def test_a_maker_of_odd_ids_is_told():
    with pytest.raises(ValueError, match=r"make of request_id\(\) returned 'a b'"):
        TestApp(request_id(told, make=lambda: "a b")).get("/")


@pytest.mark.parametrize("header", ["", "X Request", "X-Id:"])
def test_a_header_that_is_none(header):
    with pytest.raises(ValueError, match="header takes the name of a field"):
        request_id(told, header=header)


def test_of_two_layers_the_outer_one_decides():
    answer = checked(request_id(), request_id(make=lambda: "inner"), told).get("/")
    assert answer.headers.getall("X-Request-ID") == [answer.text]
    assert answer.text != "inner"


def test_the_id_is_there_while_the_body_is_made_and_closed():
    class Body:
        def __iter__(self):
            yield f"{current_id.get()} ".encode()
            yield f"{current_id.get()}".encode()

        def close(self):
            seen.append(current_id.get())

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return Body()

    seen = []
    answer = checked(request_id(make=lambda: "it"), app).get("/")
    assert answer.text == "it it"
    assert seen == ["it"]
    assert current_id.get() is None


def test_what_is_logged_has_the_id(caplog):
    def app(environ, start_response):
        logging.getLogger("shop").warning("in the view")
        raise LookupError

    caplog.handler.addFilter(RequestIdFilter())
    checked(request_id(make=lambda: "it"), errors(), app).get("/", status=500)
    logging.getLogger("shop").warning("outside")
    assert [(record.name, record.request_id) for record in caplog.records] == [
        ("shop", "it"),
        ("wsgikit.errors", "it"),
        ("shop", "-"),
    ]


def test_the_filter_is_for_a_format():
    handler = logging.Handler()
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter("%(request_id)s %(message)s"))
    lines = []
    handler.emit = lambda record: lines.append(handler.format(record))
    token = current_id.set("it")
    try:
        handler.handle(logging.makeLogRecord({"msg": "said"}))
    finally:
        current_id.reset(token)
    assert lines == ["it said"]
