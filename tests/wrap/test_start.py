from __future__ import annotations

from wsgiref.validate import validator

import pytest
from webtest import TestApp

from tests.wrap.doubles import TEXT, Server, answering, late, nothing, replacing
from wsgikit.wrap import add_headers, add_unless, later, on_each_start, on_start, put_header


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


def test_later_is_intercepted_until_a_response_has_started():
    def app(environ, start_response):
        state = [start_response, False]
        start = later(state)
        state[0] = on_start(state[0], lambda status, headers: ("201 Created", headers))
        assert state[1] is False
        write = start("200 OK", TEXT)
        assert state[1] is True
        write(b"written")
        return []

    answer = Server().serve(validator(app))
    assert (answer.line, answer.sent) == ("Status: 201 Created", b"written")


def test_later_has_not_started_what_could_not_be_started():
    def refuse(status, headers, exc_info=None):
        raise ZeroDivisionError

    state = [refuse, False]
    with pytest.raises(ZeroDivisionError):
        later(state)("200 OK", TEXT)
    assert state[1] is False


def started_through(how, app):
    return lambda environ, start_response: app(environ, how(start_response))


EDITS = {
    "on_start": lambda start: on_start(start, lambda s, h: (s, [*h, ("X-Edited", "1")])),
    "add_headers": lambda start: add_headers(start, [("X-Edited", "1")]),
    "on_each_start": on_each_start(lambda s, h: (s, [*h, ("X-Edited", "1")])),
    "put_header": lambda start: put_header("X-Edited")((start, "1")),
    "add_unless": add_unless(["x-own"], [("X-Edited", "1")], lambda s, h: (s, h)),
    "later": lambda start: later([EDITS["on_start"](start), False]),
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


@pytest.mark.parametrize(
    "name", ["X-Id", "ETag", "Content-Type"], ids=["seldom", "usual", "in-each-response"]
)
def test_put_header_replaces_all_of_that_name(name):
    own = [("Content-Length", "0"), (name.lower(), "1"), ("Date", "now"), (name, "2")]
    before = own.copy()
    given = []
    start = put_header(name)((lambda *args: given.append(args), "new"))
    start("200 OK", own)
    start("200 OK", [("Server", "x")])
    assert given == [
        ("200 OK", [("Content-Length", "0"), ("Date", "now"), (name, "new")], None),
        ("200 OK", [("Server", "x"), (name, "new")], None),
    ]
    assert own == before
