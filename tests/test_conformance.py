from __future__ import annotations

import sys
from io import BytesIO, StringIO
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.conformance import (
    body_fault,
    call_fault,
    content_length,
    environ_fault,
    headers_fault,
    start_fault,
    status_fault,
)


def environ_with(**changes):
    """An environ as servers make them, with some keys changed; None takes one out."""
    environ = {}
    setup_testing_defaults(environ)
    for name, value in changes.items():
        key = name.replace("wsgi_", "wsgi.")
        environ[key] = value
        if value is None:
            del environ[key]
    return environ


def start_response(status, headers, exc_info=None):
    raise NotImplementedError


class Dict(dict):
    pass


class Str(str):
    pass


# environ


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"PATH_INFO": "", "SCRIPT_NAME": ""},
        {"PATH_INFO": None, "SCRIPT_NAME": "/app"},
        {"SCRIPT_NAME": None, "PATH_INFO": "/"},
        {"PATH_INFO": "*", "REQUEST_METHOD": "OPTIONS"},
        {"REQUEST_METHOD": "PURGE"},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "12"},
        {"HTTP_X": "\xff"},
        {"HTTP_X": ""},
        {"wsgi_url_scheme": "https"},
    ],
    ids=str,
)
def test_an_environ_that_is_one(changes):
    assert environ_fault(environ_with(**changes)) is None


ENVIRONS = {
    "no method": ({"REQUEST_METHOD": None}, "environ has no REQUEST_METHOD"),
    "no input": ({"wsgi_input": None}, "environ has no wsgi.input"),
    "empty method": ({"REQUEST_METHOD": ""}, "REQUEST_METHOD is empty"),
    "a number": ({"SERVER_PORT": 80}, "SERVER_PORT is a str of Latin-1 characters, not 80"),
    "unicode": ({"PATH_INFO": "/€"}, "PATH_INFO is a str of Latin-1 characters, not '/€'"),
    "a subclass": ({"PATH_INFO": Str("/")}, "PATH_INFO is a str of Latin-1 characters, not '/'"),
    "HTTP_CONTENT_TYPE": ({"HTTP_CONTENT_TYPE": ""}, "it is called CONTENT_TYPE"),
    "HTTP_CONTENT_LENGTH": ({"HTTP_CONTENT_LENGTH": ""}, "it is called CONTENT_LENGTH"),
    "text as input": ({"wsgi_input": "text"}, "wsgi.input has no method read"),
    "errors": ({"wsgi_errors": object()}, "wsgi.errors has no method flush"),
    "version": ({"wsgi_version": "1.0"}, "wsgi.version is a tuple, not '1.0'"),
    "scheme": ({"wsgi_url_scheme": "ftp"}, "wsgi.url_scheme is http or https, not 'ftp'"),
    "length": ({"CONTENT_LENGTH": "-1"}, "CONTENT_LENGTH is a number or empty, not '-1'"),
    "other digits": ({"CONTENT_LENGTH": "²"}, "CONTENT_LENGTH is a number or empty, not '²'"),
    "script": ({"SCRIPT_NAME": "app"}, "SCRIPT_NAME is empty or begins with a slash"),
    "a slash alone": ({"SCRIPT_NAME": "/"}, "and is not one alone, not '/'"),
    "path": ({"PATH_INFO": "app"}, "PATH_INFO is empty or begins with a slash, not 'app'"),
    "no path": (
        {"PATH_INFO": None, "SCRIPT_NAME": None},
        "environ has neither SCRIPT_NAME nor PATH_INFO",
    ),
}


@pytest.mark.parametrize(("changes", "fault"), ENVIRONS.values(), ids=ENVIRONS)
def test_an_environ_that_is_none(changes, fault):
    assert fault in environ_fault(environ_with(**changes))


def test_an_environ_is_a_dict_of_str():
    assert environ_fault(Dict(environ_with())) == "environ is a dict, not Dict"
    assert environ_fault(environ_with() | {1: ""}) == "the keys of environ are str, not 1"


def test_how_an_application_is_called():
    environ = environ_with(wsgi_input=BytesIO(), wsgi_errors=StringIO())
    assert call_fault((environ, start_response), {}) is None
    wrong = "an application is called with (environ, start_response), by position"
    assert call_fault((environ,), {}) == wrong
    assert call_fault((environ, start_response), {"option": 1}) == wrong
    assert call_fault((environ, None), {}) == "start_response is a function, not None"
    assert call_fault(([], start_response), {}) == "environ is a dict, not list"


# start_response


def exc_info():
    try:
        raise ValueError("of an application")
    except ValueError:
        return sys.exc_info()


def test_how_start_response_is_called():
    fields = [("Content-Type", "text/plain")]
    for args in [(), (None,), (exc_info(),)]:
        assert start_fault(("200 OK", fields, *args), {}) is None
    wrong = "start_response is called with (status, headers[, exc_info]), by position"
    assert start_fault(("200 OK",), {}) == wrong
    assert start_fault(("200 OK", fields, None, None), {}) == wrong
    assert start_fault(("200 OK", fields), {"exc_info": None}) == wrong
    for no_info in (ValueError(), (1, 2)):
        fault = start_fault(("200 OK", fields, no_info), {})
        assert fault == f"exc_info is what sys.exc_info() returns, not {no_info!r}"
    assert start_fault(("200", fields), {}) == "a status is a str such as '200 OK', not '200'"
    assert start_fault(("200 OK", ()), {}) == "headers are a list, not tuple"


@pytest.mark.parametrize("status", ["200 OK", "299 ", "999 Odd but a status", "404 Pas trouv\xe9"])
def test_a_status_that_is_one(status):
    assert status_fault(status) is None


@pytest.mark.parametrize(
    "status",
    ["", "200", "2000 OK", "OK", "099 Low", "²00 OK", "200 OK\r\n", "200 €", b"200 OK", 200],
    ids=repr,
)
def test_a_status_that_is_none(status):
    assert status_fault(status) == f"a status is a str such as '200 OK', not {status!r}"


def test_subclasses_of_str_are_no_native_strings():
    assert status_fault(Str("200 OK"))
    assert headers_fault([(Str("X-A"), "a")])
    assert headers_fault([("X-A", Str("a"))])


FIELDS = {
    "a list": (["X-A", "a"], "a field is a tuple (name, value), not ['X-A', 'a']"),
    "three": (("X-A", "a", "b"), "a field is a tuple (name, value), not ('X-A', 'a', 'b')"),
    "bytes": ((b"X-A", "a"), "the name and the value of a field are str, not"),
    "a number": (("Content-Length", 5), "the name and the value of a field are str, not"),
    "a name that is none": (("X A", "a"), "a field name takes letters, digits"),
    "a line break": (("X-A", "a\r\nX-B: b"), "X-A"),
    "Connection": (("Connection", "close"), "the field Connection is the server's affair"),
    "Status": (("status", "200 OK"), "the field status is the server's affair"),
    "a length": (("Content-Length", "5 bytes"), "Content-Length is a number, not '5 bytes'"),
}


@pytest.mark.parametrize(("field", "fault"), FIELDS.values(), ids=FIELDS)
def test_a_field_that_is_none(field, fault):
    assert fault in headers_fault([("Content-Type", "text/plain"), field])


def test_fields_that_are_some():
    assert headers_fault([]) is None
    fields = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("content-length", "5"), ("X", "")]
    assert headers_fault(fields) is None


def test_the_length_among_fields():
    assert content_length([("Content-Type", "a/b"), ("content-length", "5")]) == 5
    assert content_length([("Content-Type", "a/b")]) is None
    assert content_length([("Content-Length", "9" * 5000)]) == 10**18 - 1


# bodies


@pytest.mark.parametrize("body", [[], (), iter([b""]), BytesIO(), {b"a"}], ids=repr)
def test_a_body_that_is_one(body):
    assert body_fault(body) is None


def test_a_body_by_index():
    class Blocks:
        def __getitem__(self, index):
            raise NotImplementedError

    assert body_fault(Blocks()) is None


def test_a_body_that_is_none():
    assert body_fault(b"text") == "the body is an iterable of bytes, not bytes: [b'...'] is one"
    assert body_fault("text") == "the body is an iterable of bytes, not str: [b'...'] is one"
    assert body_fault(None) == "the body is an iterable of bytes, not None"


# anything at all

values = st.none() | st.integers() | st.text(max_size=9) | st.binary(max_size=9)
pairs = st.tuples(values, values)
anything = values | pairs | st.lists(values | pairs, max_size=3)


@given(anything, anything)
def test_no_call_is_too_odd_for_a_sentence(one, other):
    for fault in (
        call_fault((one, other), {}),
        call_fault((environ_with(HTTP_X=one), start_response), {}),
        start_fault(("200 OK", one, other), {}),
        headers_fault([one, other]),
        status_fault(one),
        body_fault(one),
    ):
        assert fault is None or isinstance(fault, str)
