from __future__ import annotations

import io

import pytest

from wsgikit.server.body import Disconnected, RequestBody


def body(data: bytes, length: int) -> tuple[RequestBody, io.BufferedReader]:
    raw = RequestBody(io.BytesIO(data), length)
    return raw, io.BufferedReader(raw)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        pytest.param(lambda stream: stream.read(), b"a\nbc", id="read"),
        pytest.param(lambda stream: stream.read(99), b"a\nbc", id="read more"),
        pytest.param(lambda stream: stream.read(-1), b"a\nbc", id="read to the end"),
        pytest.param(lambda stream: stream.read(1), b"a", id="read less"),
        pytest.param(lambda stream: stream.readline(), b"a\n", id="readline"),
        pytest.param(lambda stream: stream.readline(1), b"a", id="readline with a size"),
        pytest.param(lambda stream: stream.readlines(), [b"a\n", b"bc"], id="readlines"),
        pytest.param(lambda stream: stream.readlines(1), [b"a\n"], id="readlines with a hint"),
        pytest.param(list, [b"a\n", b"bc"], id="iteration"),
    ],
)
def test_reading_ends_with_the_body(read, expected):
    _, stream = body(b"a\nbcGET / HTTP/1.1", 4)
    assert read(stream) == expected


def test_after_the_end_there_is_nothing():
    _, stream = body(b"abGET", 2)
    assert (stream.read(), stream.read(), stream.readline()) == (b"ab", b"", b"")


def test_a_body_that_is_cut_short_does_not_look_complete():
    _, stream = body(b"ab", 3)
    with pytest.raises(Disconnected):
        stream.read()


def test_the_error_of_a_connection_is_a_disconnection():
    class Broken(io.BytesIO):
        def readinto1(self, buffer):
            raise TimeoutError

    with pytest.raises(Disconnected):
        RequestBody(Broken(), 1).readinto(bytearray(1))


def test_asks_once_before_the_first_read():
    raw, stream = body(b"abcd", 4)
    asked = []
    raw.ask = lambda: asked.append(raw.remaining)
    stream.read(2)
    stream.read()
    assert asked == [4]


def test_drain_leaves_the_connection_at_the_next_request():
    source = io.BytesIO(b"x" * 100_000 + b"next")
    raw = RequestBody(source, 100_000)
    raw.readinto(bytearray(10))
    assert raw.drain(100_000)
    assert source.read() == b"next"


def test_drain_after_the_application_closed_its_input():
    raw, stream = body(b"ab", 2)
    stream.close()
    assert raw.drain(2)


def test_drain_does_not_read_more_than_its_limit():
    raw, _ = body(b"abc", 3)
    assert not raw.drain(2)
    assert raw.remaining == 3


def test_drain_does_not_wait_for_what_was_not_asked_for():
    raw, _ = body(b"", 3)
    raw.ask = lambda: None
    assert not raw.drain(9)
