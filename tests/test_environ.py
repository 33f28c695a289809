from __future__ import annotations

from io import BytesIO
from string import printable
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.util import request_uri
from wsgiref.validate import InputWrapper

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit import HTTPError, environ
from wsgikit.environ import EnvironHeaders, read_body, stream_body
from wsgikit.http.problem import MissingField
from wsgikit.keys import INPUT_TERMINATED

NATIVE = st.text(st.characters(max_codepoint=255))
SERVER = {"wsgi.url_scheme": "http", "SERVER_NAME": "localhost", "SERVER_PORT": "80"}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_and_native_are_inverse(value):
    assert environ.text(environ.native(value)) == value
    assert environ.native(value).encode("latin-1") == value.encode("utf-8")


@pytest.mark.parametrize("native", ["\xff", "\u20ac", "\ud800", "\xc3"], ids=ascii)
def test_text_takes_what_is_no_utf_8(native):
    environ.text(native).encode("utf-8")


# --- URLs


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"HTTP_HOST": "example.com:8000"}, "example.com:8000", id="Host"),
        pytest.param({}, "localhost", id="server"),
        pytest.param({"HTTP_HOST": ""}, "localhost", id="empty Host"),
        pytest.param({"SERVER_PORT": "8000"}, "localhost:8000", id="port"),
        pytest.param({"SERVER_PORT": "443"}, "localhost:443", id="port of the other scheme"),
        pytest.param(
            {"SERVER_PORT": "443", "wsgi.url_scheme": "https"}, "localhost", id="port of https"
        ),
        pytest.param({"SERVER_NAME": "::1", "SERVER_PORT": "8000"}, "[::1]:8000", id="IPv6"),
        pytest.param({"SERVER_NAME": "[::1]"}, "[::1]", id="IPv6 in brackets"),
    ],
)
def test_host(given, expected):
    assert environ.host({**SERVER, **given}) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, "/", id="nothing"),
        pytest.param({"PATH_INFO": "/a b"}, "/a%20b", id="space"),
        pytest.param({"SCRIPT_NAME": "/root", "PATH_INFO": ""}, "/root", id="mount itself"),
        pytest.param({"SCRIPT_NAME": "/r\xc3\xb6", "PATH_INFO": "/x"}, "/r%C3%B6/x", id="UTF-8"),
        pytest.param({"PATH_INFO": "/\xff%2F"}, "/%FF%252F", id="octets that are no UTF-8"),
        pytest.param({"PATH_INFO": "/a?b#c;d=1"}, "/a%3Fb%23c;d=1", id="delimiters"),
        pytest.param(
            {"PATH_INFO": "/", "QUERY_STRING": "a=%41&b[]=?"}, "/?a=%41&b[]=?", id="query"
        ),
        pytest.param(
            {"QUERY_STRING": 'q=\xc3\xb6 "<\\#'}, "/?q=%C3%B6%20%22%3C%5C%23", id="raw query"
        ),
    ],
)
def test_path_url(given, expected):
    assert environ.path_url(given) == expected


def test_root_url():
    assert environ.root_url({}) == ""
    assert environ.root_url({"SCRIPT_NAME": "/\xc3\xb6"}) == "/%C3%B6"


def test_url():
    given = {**SERVER, "HTTP_HOST": "[::1]:80", "PATH_INFO": "/a", "QUERY_STRING": "b"}
    assert environ.url(given) == "http://[::1]:80/a?b"


def test_a_hostile_host_stays_in_its_place():
    url = environ.url({**SERVER, "HTTP_HOST": 'user@evil/?#"<\\\r\n\xe9', "PATH_INFO": "/a"})
    assert urlsplit(url).path == "/a"
    assert urlsplit(url).username is None
    assert set(url) <= set(printable) - set('"<\\\r\n ')


@given(NATIVE, NATIVE, NATIVE)
def test_urls_are_ascii_and_lose_nothing(path, query, host):
    given = {**SERVER, "PATH_INFO": f"/{path}", "QUERY_STRING": query, "HTTP_HOST": host}
    url = environ.url(given)
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    encoded = environ.path_url(given).partition("?")[0]
    assert unquote_to_bytes(encoded) == f"/{path}".encode("latin-1")


@given(st.text(st.sampled_from("ab/.~-_:;=,")))
def test_urls_of_usual_paths_are_those_of_wsgiref(path):
    given = {**SERVER, "SCRIPT_NAME": "/root", "PATH_INFO": f"/{path}", "QUERY_STRING": "a=b&c"}
    assert unquote_to_bytes(environ.url(given)) == unquote_to_bytes(request_uri(given))


def test_shift():
    given = {"PATH_INFO": "/a/b"}
    environ.shift(given, "/a")
    assert given == {"SCRIPT_NAME": "/a", "PATH_INFO": "/b"}


def test_shift_without_a_path():
    given = {}
    environ.shift(given, "")
    assert given == {"SCRIPT_NAME": "", "PATH_INFO": ""}


# --- Content-Length and the body


@pytest.mark.parametrize(
    ("text", "length"), [("0", 0), ("12", 12), ("007", 7), ("9" * 18, 10**18 - 1), ("", None)]
)
def test_content_length(text, length):
    assert environ.content_length({"CONTENT_LENGTH": text}) == length


def test_no_content_length():
    assert environ.content_length({}) is None


@pytest.mark.parametrize(
    "text",
    ["-1", "+1", " 1", "1 ", "1, 1", "1_0", "0x10", "1e3", "1.0", "\xb2", "\u0661", "a", "9" * 19],
    ids=ascii,
)
def test_a_content_length_that_is_no_number(text):
    with pytest.raises(HTTPError, match=r"400 .*Content-Length is not a number") as caught:
        environ.content_length({"CONTENT_LENGTH": text})
    assert len(str(caught.value)) < 200


class Dribble(BytesIO):
    """A connection that gives less than it is asked for, and counts what it gave."""

    given = 0

    def read(self, size=-1):
        assert size >= 0
        block = super().read(min(size, 3))
        self.given += len(block)
        return block


def with_body(data, length=None, stream=Dribble, **more):
    given = {"wsgi.input": InputWrapper(stream(data)), **more}
    return given if length is None else given | {"CONTENT_LENGTH": str(length)}


def chunked(data):
    """As a server gives a body that came in chunks."""
    return with_body(data, **{INPUT_TERMINATED: True})


def test_a_body_is_read_to_its_length_only():
    stream = Dribble(b"0123456789next request")
    given = {"wsgi.input": stream, "CONTENT_LENGTH": "10"}
    assert read_body(given, 100) == b"0123456789"
    assert stream.given == 10


def test_a_large_body_is_read_whole():
    data = bytes(range(256)) * 1000
    assert read_body(with_body(data, len(data), BytesIO), len(data)) == data


@pytest.mark.parametrize("length", [None, "", 0], ids=repr)
def test_without_a_length_there_is_no_body(length):
    stream = Dribble(b"the next request")
    given = {"wsgi.input": stream}
    if length is not None:
        given["CONTENT_LENGTH"] = str(length)
    assert read_body(given, 100) == b""
    assert stream.given == 0


@pytest.mark.parametrize("size", [0, 1, 99, 100])
def test_a_chunked_body_is_read_to_its_end(size):
    assert read_body(chunked(b"x" * size), 100) == b"x" * size


@pytest.mark.parametrize("make", [chunked, lambda data: with_body(data, len(data))])
def test_a_body_is_read_once_and_kept_for_all(make):
    given = make(b"0123456789")
    assert read_body(given, 10) == b"0123456789"
    assert read_body(given, 100) == b"0123456789"
    with pytest.raises(HTTPError, match=r"413 .*larger than the 9 bytes taken here \(max_size\)"):
        read_body(given, 9)
    assert given["wsgi.input"].read() == b"0123456789"
    given["wsgi.input"].close()  # as an io.TextIOWrapper around it does in the end
    assert read_body(given, 10) == b"0123456789"


@pytest.mark.parametrize("make", [chunked, lambda data: with_body(data, len(data))])
def test_a_body_that_was_refused_may_be_read_with_a_larger_limit(make):
    given = make(b"0123456789" * 10_000)
    for limit in (0, 7, 99_999):
        with pytest.raises(HTTPError, match=r"413 .*larger than the"):
            read_body(given, limit)
    assert read_body(given, 100_000) == b"0123456789" * 10_000


def test_a_body_that_was_refused_may_be_read_by_others():
    given = chunked(b"one\ntwo\nthree")
    with pytest.raises(HTTPError):
        read_body(given, 5)
    assert given["wsgi.input"].readline() == b"one\n"
    assert list(given["wsgi.input"]) == [b"two\n", b"three"]


def test_a_body_that_is_announced_too_large_is_not_read():
    stream = Dribble(b"x" * 100)
    with pytest.raises(HTTPError, match="413 "):
        read_body({"wsgi.input": stream, "CONTENT_LENGTH": "100"}, 99)
    assert stream.given == 0


def test_a_body_shorter_than_announced():
    given = with_body(b"12345", 10)
    for _ in range(2):
        with pytest.raises(HTTPError, match=r"400 .*ended .* bytes before its Content-Length"):
            read_body(given, 100)


def test_a_body_that_breaks_off():
    class Broken:
        def read(self, size):
            raise ConnectionResetError("gone")

    with pytest.raises(HTTPError, match=r"400 .*broke off") as caught:
        read_body({"wsgi.input": Broken(), "CONTENT_LENGTH": "10"}, 100)
    assert isinstance(caught.value.__cause__, ConnectionResetError)


def test_an_input_that_a_layer_replaced_is_read_anew():
    given = with_body(b"packed", 6)
    assert read_body(given, 100) == b"packed"
    given.update({"wsgi.input": BytesIO(b"unpacked"), "CONTENT_LENGTH": "8"})
    assert read_body(given, 100) == b"unpacked"


# --- bodies that are streamed


@pytest.mark.parametrize("more", [{"CONTENT_LENGTH": "600000"}, {INPUT_TERMINATED: True}])
def test_a_body_in_blocks(more):
    given = with_body(b"x" * 600_000, stream=BytesIO, **more)
    blocks = [*stream_body(given, 600_000)]
    assert [len(block) for block in blocks] == [262_144, 262_144, 75_712]
    with pytest.raises(RuntimeError, match="streamed"):
        read_body(given, 600_000)
    with pytest.raises(RuntimeError, match="streamed"):
        given["wsgi.input"].readline()


def test_a_body_of_no_length_that_nobody_ends_is_none():
    assert [*stream_body({"wsgi.input": BytesIO(b"abc")}, 100)] == []


def test_a_stream_has_a_limit_or_none():
    with pytest.raises(HTTPError, match=r"413 .*max_size"):
        stream_body(with_body(b"12345", 5), 4)
    with pytest.raises(HTTPError, match=r"413 .*max_size"):
        [*stream_body(chunked(b"12345"), 4)]
    assert b"".join(stream_body(with_body(b"12345", 5), None)) == b"12345"
    assert b"".join(stream_body(chunked(b"12345"), None)) == b"12345"


def test_a_stream_shorter_than_announced():
    blocks = stream_body(with_body(b"12345", 10), 100)
    assert next(blocks) + next(blocks) == b"12345"
    with pytest.raises(HTTPError, match=r"400 .*ended 5 bytes before its Content-Length"):
        next(blocks)


def test_a_stream_that_breaks_off():
    class Broken:
        def read(self, size):
            raise ConnectionResetError("gone")

    with pytest.raises(HTTPError, match=r"400 .*broke off"):
        [*stream_body({"wsgi.input": Broken(), "CONTENT_LENGTH": "10"}, 100)]


def test_a_body_that_was_kept_is_streamed_from_there():
    given = with_body(b"12345", 5)
    assert read_body(given, 100) == b"12345"
    for _ in range(2):
        assert [*stream_body(given, 5)] == [b"12345"]
    with pytest.raises(HTTPError, match=r"413 .*max_size"):
        [*stream_body(given, 4)]
    assert read_body(given, 100) == b"12345"


# --- header fields

FIELDS = {
    "REQUEST_METHOD": "GET",
    "CONTENT_TYPE": "text/plain",
    "CONTENT_LENGTH": "",
    "HTTP_CONTENT_LENGTH": "12",
    "HTTP_X_REQUEST_ID": "abc",
    "HTTP_ACCEPT_ENCODING": "",
    "wsgi.input": BytesIO(),
}


@pytest.mark.parametrize("name", ["X-Request-ID", "x-request-id", "X_Request_Id"])
def test_a_field_by_its_name(name):
    headers = EnvironHeaders(FIELDS)
    assert headers[name] == headers.get(name) == headers.get(name, "other") == "abc"
    assert name in headers


@pytest.mark.parametrize("name", ["X-Other", "Content-Length", "Request-Method", "", "wsgi.input"])
def test_a_field_that_is_missing(name):
    headers = EnvironHeaders(FIELDS)
    assert headers.get(name) is None
    assert headers.get(name, "other") == "other"
    assert name not in headers
    with pytest.raises(MissingField, match=f"400 .*The header field '{name}' is missing"):
        headers[name]


def test_an_empty_field_is_there():
    assert EnvironHeaders(FIELDS)["Accept-Encoding"] == ""


def test_what_is_no_name_is_no_field():
    assert 12 not in EnvironHeaders(FIELDS)


def test_headers_as_a_mapping():
    headers = EnvironHeaders(FIELDS)
    expected = {"Content-Type": "text/plain", "X-Request-Id": "abc", "Accept-Encoding": ""}
    assert dict(headers) == dict(headers.items()) == expected
    assert list(headers) == headers.keys() == list(expected)
    assert len(headers) == 3
    assert repr(headers) == f"EnvironHeaders({list(expected.items())!r})"


def test_the_environ_may_be_changed_while_its_headers_are_looked_at():
    given = {"HTTP_A": "1", "HTTP_B": "2"}
    for name in EnvironHeaders(given):
        given[f"my.{name}"] = "new"
    assert given["my.B"] == "new"


@given(st.dictionaries(NATIVE | NATIVE.map("HTTP_{}".format), NATIVE))
def test_headers_take_any_environ(given):
    headers = EnvironHeaders(given)
    assert len(headers) == len(list(headers)) == len(headers.items())
    repr(headers)
