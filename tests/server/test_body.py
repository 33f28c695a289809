from __future__ import annotations

import pytest

from wsgikit.server.body import Disconnected, open_body
from wsgikit.server.limits import Limits
from wsgikit.server.protocol import Protocol


def body(*pieces, framing="Content-Length: 4"):
    """``wsgi.input`` of a body that arrives in ``pieces``; the first is here already."""
    protocol = Protocol({}, Limits())
    head = f"POST / HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n".encode()
    rest = list(pieces[1:])
    protocol.receive(head + b"".join(pieces[:1]))
    protocol.next_request()

    def receive():
        if not rest:
            raise Disconnected
        protocol.receive(rest.pop(0))

    return open_body(protocol, protocol.read(), receive), protocol


WAYS = [
    pytest.param(lambda stream: stream.read(), b"a\nbc", id="read"),
    pytest.param(lambda stream: stream.read(99), b"a\nbc", id="read more"),
    pytest.param(lambda stream: stream.read(-1), b"a\nbc", id="read to the end"),
    pytest.param(lambda stream: stream.read(1), b"a", id="read less"),
    pytest.param(lambda stream: stream.readline(), b"a\n", id="readline"),
    pytest.param(lambda stream: stream.readline(1), b"a", id="readline with a size"),
    pytest.param(lambda stream: stream.readlines(), [b"a\n", b"bc"], id="readlines"),
    pytest.param(lambda stream: stream.readlines(1), [b"a\n"], id="readlines with a hint"),
    pytest.param(list, [b"a\n", b"bc"], id="iteration"),
]


@pytest.mark.parametrize(
    "pieces",
    [(b"a\nbcGET / HTTP/1.1",), (b"", b"a\nbcGET"), (b"a", b"\n", b"b", b"cGET")],
    ids=["here", "to come", "in pieces"],
)
@pytest.mark.parametrize(("read", "expected"), WAYS)
def test_reading_ends_with_the_body(read, expected, pieces):
    assert read(body(*pieces)[0]) == expected


@pytest.mark.parametrize(("read", "expected"), WAYS)
def test_chunks_are_no_part_of_the_body(read, expected):
    pieces = (b"1\r\na\r", b"\n", b"3\r\n\nbc\r\n0\r\n", b"A: b\r\n", b"\r\nGET")
    assert read(body(*pieces, framing="Transfer-Encoding: chunked")[0]) == expected


def test_what_follows_is_left():
    stream, protocol = body(b"abcd", b"GET")
    assert (stream.read(), stream.read(), stream.readline()) == (b"abcd", b"", b"")
    assert protocol.complete


@pytest.mark.parametrize("read", [lambda stream: stream.read(), lambda stream: stream.read(4)])
def test_a_body_that_is_cut_short_does_not_look_complete(read):
    with pytest.raises(Disconnected):
        read(body(b"ab")[0])
