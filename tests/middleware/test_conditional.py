from __future__ import annotations

import sys
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Response, Router, stack
from wsgikit.middleware import conditional, errors, head

# In the seconds of a minute: before, the very second, after.
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
THEN = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"


class Body:
    def __init__(self, *blocks):
        self.blocks, self.closed, self.asked = iter(blocks), 0, 0

    def __iter__(self):
        return self

    def __next__(self):
        self.asked += 1
        return next(self.blocks)

    def close(self):
        self.closed += 1


def answering(*fields, body=(b"text",), status="200 OK"):
    def app(environ, start_response):
        headers = [("Content-Type", "text/plain"), *fields]
        start_response(status, headers)
        return body if environ["REQUEST_METHOD"] != "HEAD" else []

    return app


def ask(app, method="GET", **conditions):
    headers = {name.replace("_", "-"): value for name, value in conditions.items()}
    return TestApp(app).request("/", method=method, headers=headers, expect_errors=True)


STRONG, WEAK = ("ETag", '"a"'), ("ETag", 'W/"a"')
DATED = ("Last-Modified", THEN)

# RFC 9110: the clause, the response's fields, the request's conditions, the status.
MATRIX = [
    ("13.1.2", [STRONG], {"If_None_Match": '"a"'}, 304),
    ("13.1.2 list", [STRONG], {"If_None_Match": '"b", "a", "c"'}, 304),
    ("13.1.2 other", [STRONG], {"If_None_Match": '"b"'}, 200),
    ("13.1.2 any", [STRONG], {"If_None_Match": "*"}, 304),
    ("13.1.2 any, no tag", [], {"If_None_Match": "*"}, 304),
    ("13.1.2 weak", [WEAK], {"If_None_Match": '"a"'}, 304),
    ("13.1.2 weakly", [STRONG], {"If_None_Match": 'W/"a"'}, 304),
    ("13.1.2 no tag", [], {"If_None_Match": '"a"'}, 200),
    ("13.1.2 malformed", [STRONG], {"If_None_Match": "a"}, 200),
    ("8.8.3 malformed tag", [("ETag", "a")], {"If_None_Match": '"a"'}, 200),
    ("13.1.3 same", [DATED], {"If_Modified_Since": THEN}, 304),
    ("13.1.3 later", [DATED], {"If_Modified_Since": LATER}, 304),
    ("13.1.3 earlier", [DATED], {"If_Modified_Since": EARLIER}, 200),
    ("13.1.3 no date", [], {"If_Modified_Since": THEN}, 200),
    ("13.1.3 malformed", [DATED], {"If_Modified_Since": "yesterday"}, 200),
    ("8.8.2 malformed date", [("Last-Modified", "now")], {"If_Modified_Since": THEN}, 200),
    ("13.1.1", [STRONG], {"If_Match": '"a"'}, 200),
    ("13.1.1 any", [STRONG], {"If_Match": "*"}, 200),
    ("13.1.1 other", [STRONG], {"If_Match": '"b"'}, 412),
    ("13.1.1 weak", [WEAK], {"If_Match": 'W/"a"'}, 412),
    ("13.1.1 weakly", [STRONG], {"If_Match": 'W/"a"'}, 412),
    ("13.1.1 no tag", [DATED], {"If_Match": '"a"'}, 412),
    ("13.1.4 same", [DATED], {"If_Unmodified_Since": THEN}, 200),
    ("13.1.4 earlier", [DATED], {"If_Unmodified_Since": EARLIER}, 412),
    ("13.1.4 malformed", [DATED], {"If_Unmodified_Since": "x"}, 200),
    ("13.2.2 1", [STRONG, DATED], {"If_Match": '"a"', "If_Unmodified_Since": EARLIER}, 200),
    ("13.2.2 3", [STRONG, DATED], {"If_None_Match": '"b"', "If_Modified_Since": THEN}, 200),
    (
        "13.2.2 3, date",
        [STRONG, DATED],
        {"If_None_Match": '"a"', "If_Modified_Since": EARLIER},
        304,
    ),
    ("13.2.2 1 before 3", [STRONG], {"If_Match": '"b"', "If_None_Match": '"a"'}, 412),
    ("13.2.2 1 and 3", [STRONG], {"If_Match": '"a"', "If_None_Match": '"a"'}, 304),
    ("13.2.2 2 and 4", [DATED], {"If_Unmodified_Since": THEN, "If_Modified_Since": THEN}, 304),
    ("none", [STRONG, DATED], {}, 200),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("fields", "conditions", "status"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX]
)
def test_the_matrix_of_conditions(fields, conditions, status, method):
    app = stack(errors(), validator, conditional(), validator, answering(*fields))
    answer = ask(app, method, **conditions)
    assert answer.status_int == status
    assert answer.body == (b"text" if (status, method) == (200, "GET") else answer.body)
    if status == 304:
        assert answer.body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_pass(method):
    answer = ask(conditional(answering(STRONG)), method, If_None_Match="*", If_Match='"b"')
    assert answer.status_int == 200


@pytest.mark.parametrize("status", ["301 Moved", "404 Not Found", "503 Unavailable", "412 No"])
def test_what_is_no_success_passes(status):
    app = conditional(answering(STRONG, status=status))
    assert ask(app, If_None_Match='"a"').status == status


@pytest.mark.parametrize("status", ["203 Non-Authoritative Information", "206 Partial Content"])
def test_other_successes_are_compared(status):
    assert ask(conditional(answering(STRONG, status=status)), If_None_Match="*").status_int == 304


FIELDS = [
    ("Content-Type", "text/html"),
    ("Content-Length", "4"),
    ("Content-Language", "de"),
    ("Content-Encoding", "br"),
    ("Accept-Ranges", "bytes"),
    ("Content-Disposition", "inline"),
    ("Repr-Digest", "sha-256=:abc=:"),
    ("X-Content-Type-Options", "nosniff"),
]
KEPT = [
    ("Cache-Control", "no-cache"),
    ("Content-Location", "/a"),
    ("Content-Security-Policy", "default-src 'self'"),
    ("Date", THEN),
    ("Expires", LATER),
    ("Set-Cookie", "a=1"),
    ("Set-Cookie", "b=2"),
    ("Vary", "Accept"),
    ("X-Own", "1"),
]


@pytest.mark.parametrize(
    ("validators", "kept"),
    [([STRONG, DATED], [STRONG]), ([DATED], [DATED])],
    ids=["tag", "date"],
)
def test_a_304_has_the_fields_that_it_must_have(validators, kept):
    given = []

    def app(environ, start_response):
        start_response("200 OK", [*FIELDS, *KEPT, *validators])
        return [b"text"]

    environ = {"REQUEST_METHOD": "GET", "HTTP_IF_MODIFIED_SINCE": THEN}
    if STRONG in kept:
        environ["HTTP_IF_NONE_MATCH"] = '"a"'
    conditional(app)(environ, lambda *response: given.append(response))
    assert given == [("304 Not Modified", [*KEPT, *kept])]


def test_the_content_of_a_304_is_not_asked_for():
    inner = Body(b"text")
    assert ask(conditional(answering(STRONG, body=inner)), If_None_Match='"a"').status_int == 304
    assert (inner.asked, inner.closed) == (0, 1)


def test_a_412_is_drawn_as_errors_are():
    inner = Body(b"text")
    app = stack(errors(), conditional(), answering(STRONG, body=inner))
    answer = TestApp(app).get("/", headers={"If-Match": '"b"', "Accept": "text/html"}, status=412)
    assert (answer.content_type, inner.closed) == ("text/html", 1)
    assert "not the version" in answer.text


@pytest.mark.parametrize(
    ("fields", "vary"),
    [
        ([], "Accept"),
        ([("Vary", "Cookie")], "Accept, Cookie"),
        (
            [("vary", "Accept-Language, accept"), ("Vary", "Cookie")],
            "Accept, Accept-Language, Cookie",
        ),
        ([("Vary", "*")], "*"),
    ],
    ids=["none", "one", "two lines", "anything"],
)
def test_a_412_depends_on_what_the_response_in_its_place_does(fields, vary):
    answer = ask(conditional(answering(STRONG, *fields)), If_Match='"b"')
    assert (answer.status_int, answer.headers.getall("Vary")) == (412, [vary])


@pytest.mark.parametrize("conditions", [{}, {"If_None_Match": '"b"'}], ids=["none", "false"])
def test_what_passes_streams(conditions):
    inner = Body(b"a", b"b")
    environ = {"REQUEST_METHOD": "GET"}
    environ |= {f"HTTP_{name.upper()}": value for name, value in conditions.items()}
    body = conditional(answering(STRONG, body=inner))(environ, lambda *response: None)
    assert body is inner
    assert inner.asked == 0


@pytest.mark.parametrize(("asked", "status"), [('"a"', 304), ('"b"', 200)])
def test_a_late_start_is_compared(asked, status):
    closed = []

    def app(environ, start_response):
        try:
            start_response("200 OK", [("Content-Type", "text/plain"), STRONG])
            yield b"a"
            yield b"b"
        finally:
            closed.append(1)

    answer = ask(validator(conditional(validator(app))), If_None_Match=asked)
    assert (answer.status_int, answer.body) == (status, b"ab" if status == 200 else b"")
    assert closed == [1]


def test_a_response_that_is_replaced_is_judged_again():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), STRONG])
        try:
            raise LookupError
        except LookupError:
            start_response("503 No", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"later"]

    answer = ask(validator(conditional(app)), If_None_Match='"a"')
    assert (answer.status_int, answer.body) == (503, b"later")


def test_what_is_written_to_a_304_is_not_sent():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), STRONG])(b"text")
        return []

    answer = ask(validator(conditional(app)), If_None_Match='"a"')
    assert (answer.status_int, answer.body) == (304, b"")


def test_the_conditions_are_those_of_the_client():
    # An inner application may change its environ.
    def app(environ, start_response):
        del environ["HTTP_IF_NONE_MATCH"]
        environ["REQUEST_METHOD"] = "POST"
        return answering(STRONG)(environ, start_response)

    assert ask(conditional(app), If_None_Match='"a"').status_int == 304


def test_inside_and_outside_of_head():
    for layers in ((head(), conditional()), (conditional(), head())):
        assert ask(stack(*layers, answering(STRONG)), "HEAD", If_None_Match="*").status_int == 304


def test_responses_of_views():
    router = Router()

    @router.get("/")
    def home(request):
        return Response("text", headers={"ETag": '"a"'})

    app = conditional(router)
    assert ask(app, If_None_Match='"a"').status_int == 304
    assert ask(app, If_Match='"b"').status_int == 412


texts = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]))


@given(texts, texts, texts)
def test_any_condition_is_answered(none_match, match, since):
    conditions = {"If_None_Match": none_match, "If_Match": match, "If_Modified_Since": since}
    answer = ask(conditional(answering(STRONG, DATED)), **conditions)
    assert answer.status_int in (200, 304, 412)
