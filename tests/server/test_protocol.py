from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.server.reading import LIMITS, read
from tests.server.reference import read_connection
from wsgikit.http.problem import HTTPError
from wsgikit.server.protocol import Protocol

GET = b"GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n"
SIZED = b"POST /s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n002;x=y\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"
)
OLD = b"GET /o HTTP/1.0\r\n\r\n"
ABSOLUTE = b"GET http://a%20b:80?c HTTP/1.1\r\nHost: [::1]:80\r\nConnection: x, Close\r\n\r\n"
SERVER = b"OPTIONS * HTTP/1.1\r\nhost:\r\nCookie: a=1\r\nX-A:1\r\nCOOKIE:\tb=2 \r\nx-a: 2\r\n\r\n"
EXTENDED = (
    b"POST /%C3%a9%/%%41 HTTP/1.1\r\nHost: h\r\nX_A: 1\r\nTransfer-Encoding: Chunked\r\n\r\n"
    b'4 ; a = "b\\";\xe9" ;c\r\nabcd\r\n00;d\t=e\r\nTrailer: x\r\n\r\n'
)
VALID = [GET, SIZED, CHUNKED, OLD, ABSOLUTE, SERVER, EXTENDED]
TAIL = b"PATCH /t HTTP/1.1\r\nHost:h\r\nX_Y: z\r\n"


def split(data, places):
    bounds = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:stop] for start, stop in pairwise(bounds)]


def bytewise(data):
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize("cut", [lambda data: [data], bytewise], ids=["whole", "byte by byte"])
def test_requests_come_one_after_another(cut):
    requests, error = read(cut(GET + SIZED + b"\r\n" + CHUNKED + OLD + TAIL))
    assert error is None
    assert [(each.method, each.target, each.body) for each in requests] == [
        (b"GET", b"/a?b", b""),
        (b"POST", b"/s", b"hello"),
        (b"PUT", b"/c", b"abcde"),
        (b"GET", b"/o", b""),
    ]


@given(st.lists(st.sampled_from([*VALID, TAIL + b"\r\n"])), st.data())
def test_where_the_bytes_are_split_makes_no_difference(messages, data):
    stream = b"".join(messages)
    places = data.draw(st.lists(st.integers(0, max(1, len(stream))), max_size=20))
    requests, error = read(split(stream, places))
    assert error is None
    assert len(requests) == len(messages)
    assert read([stream]) == (requests, None)
    assert read_connection(stream) == (requests, False)


# What smugglers send, in places where it hurts.
JUNK = st.sampled_from(
    [
        b"\r",
        b"\n",
        b"\r\n",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"0",
        b"-",
        b"+",
        b"_",
        b";",
        b"\x80",
        b"\x7f",
        b'"',
        b"\\",
        b"%",
        b"@",
        b"#",
        b"[",
        b"?",
        b"=",
        b",",
        b"/",
    ]
    + [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: x\r\n", b" folded\r\n"]
    + [b"Transfer-Encoding : chunked\r\n", b"Content-Length: 5, 5\r\n", b"0\r\n\r\n", b"HTTP/1.0"]
    + [b"Transfer-Encoding: xchunked\r\n", b"Content-Length:\r\n", GET, b"FFFFFFFFFFFFFFFFF\r\n"]
)
EDIT = st.tuples(st.integers(0, 1000), st.integers(0, 3), JUNK | st.binary(max_size=2))


def mutate(data, edits):
    for place, length, junk in edits:
        at = place % (len(data) + 1)
        data = data[:at] + junk + data[at + length :]
    return data


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(VALID), min_size=1, max_size=3),
    st.lists(EDIT, min_size=1, max_size=3),
    st.lists(st.integers(0, 1000), max_size=5),
)
@example([GET], [(0, 0, b"\n")], [])
def test_no_request_is_invented(messages, edits, places):
    """What the reference refuses is refused, and what it has not seen is not answered."""
    stream = mutate(b"".join(messages), edits)
    requests, error = read(split(stream, places))
    expected, _ = read_connection(stream)
    assert requests == expected[: len(requests)]
    if len(requests) < len(expected):
        assert error is not None  # we may be stricter, never more lenient


@settings(max_examples=400)
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_any_bytes_are_requests_or_refused(data, places):
    requests, _ = read(split(data, places))
    assert requests == read_connection(data)[0][: len(requests)]


def chunked(*lines):
    return b"PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
        line + b"\r\n" for line in lines
    )


@pytest.mark.parametrize("cut", [lambda data: [data], bytewise], ids=["whole", "byte by byte"])
@pytest.mark.parametrize(
    ("status", "data"),
    [
        pytest.param(400, b"GET / HTTP/1.1\n\n", id="bare LF"),
        pytest.param(400, b"\nGET", id="LF first"),
        pytest.param(414, b"GET /" + b"x" * 400, id="long line"),
        pytest.param(431, b"GET / HTTP/1.1\r\nA: " + b"x" * 400, id="long head"),
        pytest.param(
            431, b"GET / HTTP/1.1\r\nA: " + b"x" * 400 + b"\r\n\r\n", id="whole long head"
        ),
        pytest.param(431, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 9 + b"\r\n", id="many fields"),
        pytest.param(400, chunked(b""), id="no size"),
        pytest.param(400, chunked(b"g"), id="no digit"),
        pytest.param(400, chunked(b"+1"), id="sign"),
        pytest.param(400, chunked(b"0x1"), id="prefix"),
        pytest.param(400, chunked(b" 1"), id="space before"),
        pytest.param(400, chunked(b"1 "), id="space after"),
        pytest.param(400, chunked(b"1_0"), id="underscore"),
        pytest.param(400, chunked(b"1;\0"), id="NUL in an extension"),
        pytest.param(400, chunked(b"1;\rx"), id="CR in an extension"),
        pytest.param(400, chunked(b"1" * 16), id="2^64"),
        pytest.param(400, chunked(b"1;" + b"x" * 256), id="long extension"),
        pytest.param(400, chunked(b"1;"), id="extension without a name"),
        pytest.param(400, chunked(b"1;a "), id="space after an extension"),
        pytest.param(400, chunked(b"1;a=("), id="extension that is no token"),
        pytest.param(400, chunked(b'1;a="b'), id="open quotes"),
        pytest.param(400, chunked(b"1\nx"), id="LF after the size"),
        pytest.param(400, chunked(b"\n"), id="LF instead of the size"),
        pytest.param(400, chunked(b"1", b"ab"), id="longer than its size"),
        pytest.param(400, chunked(b"1", b"a\rb"), id="CR after a chunk"),
        pytest.param(413, chunked(b"65"), id="one chunk over the limit"),
        pytest.param(413, chunked(b"3", b"abc", b"62"), id="chunks over the limit"),
        pytest.param(400, chunked(b"0", b"A : b", b""), id="trailer"),
        pytest.param(400, chunked(b"0", b"A: \0", b""), id="NUL in a trailer"),
        pytest.param(431, chunked(b"0", b"A: " + b"x" * 400, b""), id="long trailer"),
        pytest.param(431, chunked(b"0", *[b"A: b"] * 9, b""), id="many trailers"),
    ],
)
def test_refused(status, data, cut):
    requests, error = read(cut(data))
    assert (requests, error.status) == ([], status)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("limits.head_bytes", b"GET /" + b"x" * 400),
        ("limits.fields", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 9 + b"\r\n"),
        ("limits.body_bytes", b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n"),
        ("limits.body_bytes", chunked(b"65")),
        ("limits.head_bytes", chunked(b"0", b"A: " + b"x" * 400)),
        ("limits.fields", chunked(b"0", *[b"A: b"] * 9, b"")),
    ],
)
def test_a_refusal_names_the_limit(name, data):
    assert name in read([data])[1].detail


def test_the_line_of_what_was_refused_is_told():
    protocol = Protocol({}, LIMITS)
    protocol.receive(GET + b"odd\r\n\r\n")
    protocol.next_request()
    assert protocol.line == "odd"


def test_something_is_pending_until_it_is_understood():
    protocol = Protocol({}, LIMITS)
    assert not protocol.pending
    protocol.receive(b"\r\nGE")
    assert protocol.next_request() is None
    assert protocol.pending
    protocol.receive(GET[2:])
    assert protocol.next_request()
    assert not protocol.pending


def test_empty_lines_are_no_beginning_of_a_request():
    # A connection that has sent nothing else is idle, and has all the time that idle ones have.
    protocol = Protocol({}, LIMITS)
    for byte in bytewise(b"\r\n" * 3):
        protocol.receive(byte)
        assert protocol.next_request() is None
    assert not protocol.pending
    protocol.receive(b"\r\n\r\nodd\r\n\r\n")
    with pytest.raises(HTTPError):
        protocol.next_request()
    assert protocol.line == "odd"


def test_nothing_that_was_understood_is_held_while_more_is_waited_for():
    protocol = Protocol({}, LIMITS)
    protocol.receive(GET + SIZED[:-1])
    assert protocol.next_request()
    assert protocol.pending
    assert protocol.next_request()
    assert protocol.read() == b"hell"
    assert not protocol.pending
    protocol.receive(b"o" + GET[:10])
    assert protocol.read() == b"o"
    assert protocol.next_request() is None
    assert protocol._data == GET[:10]
