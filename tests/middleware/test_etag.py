from __future__ import annotations

import sys
from io import BytesIO
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Response, stack
from wsgikit.middleware import conditional, etag, head

TEXT = [("Content-Type", "text/plain")]


class Body:
    def __init__(self, *blocks):
        self.blocks, self.closed = iter(blocks), 0

    def __iter__(self):
        return self.blocks

    def close(self):
        self.closed += 1


def answering(body, headers=TEXT, status="200 OK"):
    def app(environ, start_response):
        start_response(status, headers)
        return body

    return app


def sized(size, *fields):
    return [*TEXT, ("Content-Length", str(size)), *fields]


def tag_of(app, method="GET"):
    given = []
    etag(app)({"REQUEST_METHOD": method}, lambda *response: given.append(dict(response[1])))
    return given[0].get("ETag")


CONTENT = {
    "list": lambda: answering([b"all is well"]),
    "list with a length": lambda: answering([b"all is well"], sized(11)),
    "tuple": lambda: answering((b"all ", b"is well")),
    "block": lambda: answering(Body(b"all is well"), sized(11)),
    "blocks": lambda: answering(Body(b"all ", b"", b"is well"), sized(11)),
}


@pytest.mark.parametrize("make", CONTENT.values(), ids=CONTENT)
def test_content_of_known_size_has_a_strong_tag(make):
    answer = TestApp(validator(etag(make()))).get("/")
    assert answer.headers["ETag"] == '"937b307407fbb5e9f97b6e795af0f158"'
    assert answer.body == b"all is well"


def test_other_content_has_another_tag():
    tags = {tag_of(answering([content])) for content in (b"", b"a", b"b", b"\0")}
    assert len(tags) == 4


@pytest.mark.parametrize(
    "fields",
    [
        [("Content-Type", "application/json")],
        [*TEXT, ("Content-Language", "de")],
        [*TEXT, ("Content-Encoding", "br")],
    ],
)
def test_the_same_octets_of_another_kind_have_another_tag(fields):
    assert tag_of(answering([b"[]"], fields)) != tag_of(answering([b"[]"]))


def test_other_fields_do_not_matter():
    fields = [("Set-Cookie", "a=1"), ("X-Request-ID", "1"), ("Date", "now")]
    for headers in ([*TEXT, *fields], [*fields, ("CONTENT-TYPE", "text/plain")]):
        assert tag_of(answering([b"[]"], headers)) == tag_of(answering([b"[]"]))


def test_the_order_of_fields_does_not_matter():
    fields = [*TEXT, ("Content-Language", "de")]
    assert tag_of(answering([b"a"], fields)) == tag_of(answering([b"a"], fields[::-1]))


def test_a_type_that_is_no_latin_1_is_the_servers_to_refuse():
    given = []
    app = etag(answering([b"a"], [("Content-Type", "\u20ac")]))
    app({"REQUEST_METHOD": "GET"}, lambda *response: given.append(response))
    assert [name for name, _ in given[0][1]] == ["Content-Type", "ETag"]


PASSED = {
    "a stream": lambda: answering(Body(b"a")),
    "a file": lambda: answering(FileWrapper(BytesIO(b"a")), sized(1)),
    "a tag of its own": lambda: answering([b"a"], sized(1, ("etag", 'W/"1"'))),
    "no-store": lambda: answering([b"a"], sized(1, ("Cache-Control", "private, no-store"))),
    "a length that is none": lambda: answering([b"a"], [("Content-Length", "x")]),
    "another status": lambda: answering([b"a"], status="404 Not Found"),
    "part": lambda: answering([b"a"], sized(1), "206 Partial Content"),
    "large": lambda: answering(Body(b"a" * 11), sized(11)),
    "large list": lambda: answering([b"a" * 11]),
    "very large": lambda: answering([b"a"], [("Content-Length", "9" * 5000)]),
}


@pytest.mark.parametrize("make", PASSED.values(), ids=PASSED)
def test_what_is_passed_on_as_it_is(make):
    app, given = make(), []
    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}

    def take(status, headers, exc_info=None):
        given.append((status, headers))

    plain = app(environ, take)
    assert etag(app, max_size=10)(environ, take) is plain
    assert given[0] == given[1]


def test_the_largest_size_is_an_option():
    for body, headers in (([b"a" * 10], TEXT), ([b"a" * 10], sized(10))):
        app = answering(body, headers)
        assert "ETag" in TestApp(etag(app, max_size=10)).get("/").headers
        assert "ETag" not in TestApp(etag(app, max_size=9)).get("/").headers


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_other_methods_pass(method):
    body = [] if method == "HEAD" else [b"a"]
    assert tag_of(answering(body), method) is None


def test_head_has_the_tag_of_get_inside_of_the_layer_head():
    app = stack(head(), etag(), answering([b"all is well"]))
    tags = [TestApp(app).request("/", method=method).headers["ETag"] for method in ("GET", "HEAD")]
    assert tags[0] == tags[1]


@pytest.mark.parametrize("length", [TEXT, sized(1)], ids=["", "length"])
def test_what_is_written_passes(length):
    def app(environ, start_response):
        start_response("200 OK", length)(b"a")
        return []

    answer = TestApp(validator(etag(app))).get("/")
    assert (answer.body, answer.headers.get("ETag")) == (b"a", None)


@pytest.mark.parametrize("headers", [TEXT, sized(2)], ids=["", "length"])
def test_a_late_start_is_served(headers):
    def app(environ, start_response):
        start_response("200 OK", headers)
        yield b"a"
        yield b"b"

    answer = TestApp(validator(etag(validator(app)))).get("/")
    assert (answer.body, "ETag" in answer.headers) == (b"ab", headers is not TEXT)


def test_the_body_is_closed_once():
    inner = Body(b"a", b"b")
    body = etag(answering(inner, sized(2)))({"REQUEST_METHOD": "GET"}, lambda *response: None)
    assert list(body) == [b"ab"]
    body.close()
    body.close()
    assert inner.closed == 1


def test_a_response_that_is_replaced_has_no_tag():
    def app(environ, start_response):
        start_response("200 OK", sized(1))
        try:
            raise LookupError
        except LookupError:
            start_response("503 Service Unavailable", TEXT, sys.exc_info())
        return [b"later"]

    answer = TestApp(validator(etag(app))).get("/", status=503)
    assert (answer.body, answer.headers.get("ETag")) == (b"later", None)


def test_with_conditional_it_makes_a_304():
    app = TestApp(stack(conditional(), etag(), Response.json({"all": "well"})))
    tag = app.get("/").headers["ETag"]
    assert app.get("/", headers={"If-None-Match": tag}).status_int == 304
    assert app.get("/", headers={"If-None-Match": '"other"'}).json == {"all": "well"}


@pytest.mark.parametrize("max_size", [-1, None, "1", 1.5, True])
def test_a_wrong_size_is_named(max_size):
    with pytest.raises(ValueError, match="max_size takes a number of bytes"):
        etag(answering([]), max_size=max_size)
