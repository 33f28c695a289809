"""Clients of every kind. Each comes for one visit and checks what it gets."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TypeAlias

from tests.server.wire import Answer, Closed, Cut, read_answer

#: Connects; takes the size of the receive buffer that the system is to have.
Dial: TypeAlias = Callable[..., socket.socket]

SIZES = (0, 100, 10_000, 60_000, 200_000)
MEGABYTE = 1 << 20


class Wrong(Exception):
    """The server answered something else than it should."""


def right(condition: bool, what: object) -> None:
    if not condition:
        raise Wrong(what)


@contextmanager
def calling(dial: Dial) -> Iterator[tuple[socket.socket, IO[bytes]]]:
    with dial() as client, client.makefile("rb") as stream:
        yield client, stream


def request(path: str, *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    if body:
        fields = (*fields, f"Content-Length: {len(body)}")
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


def check(answer: Answer, status: int = 200, size: int | None = 13) -> None:
    right(answer.status == status, answer)
    right(size is None or len(answer.body) == size, (answer.status, len(answer.body), size))


def kept(dial: Dial) -> None:
    """Ten requests on one connection, with pauses."""
    with calling(dial) as (client, stream):
        for number in range(10):
            client.sendall(request("/nap" if number == 5 else "/hello"))
            check(read_answer(stream))
            time.sleep(0.02)


def fresh(dial: Dial) -> None:
    """A connection for one request."""
    with calling(dial) as (client, stream):
        client.sendall(request("/hello", "Connection: close"))
        answer = read_answer(stream)
        check(answer)
        right(answer.fields["connection"] == "close", answer.fields)
        right(stream.read() == b"", "more than one answer")


def old(dial: Dial) -> None:
    """HTTP/1.0."""
    with calling(dial) as (client, stream):
        client.sendall(b"GET /chunked HTTP/1.0\r\n\r\n")
        check(read_answer(stream), size=65536)


def head(dial: Dial) -> None:
    with calling(dial) as (client, stream):
        for path in ("/hello", "/chunked", "/file"):
            client.sendall(request(path, method="HEAD"))
            check(read_answer(stream, "HEAD"), size=0)


def pipelined(dial: Dial) -> None:
    """Twenty requests in one go, in pieces of any size."""
    bodies = [b"%d" % number * random.randrange(1, 300) for number in range(20)]
    data = b"".join(request("/echo", method="POST", body=body) for body in bodies)
    with calling(dial) as (client, stream):
        while data:
            size = random.randrange(1, 2000)
            client.sendall(data[:size])
            data = data[size:]
        right([read_answer(stream).body for _ in bodies] == bodies, "bodies in another order")


def posting(dial: Dial) -> None:
    with calling(dial) as (client, stream):
        for size in SIZES:
            body = random.randbytes(size)
            client.sendall(request("/echo", method="POST", body=body))
            right(read_answer(stream).body == body, f"not the body of {size} bytes")


def chunking(dial: Dial) -> None:
    """Bodies in chunks, with an extension and a trailer."""
    with calling(dial) as (client, stream):
        for size in SIZES:
            body, rest = random.randbytes(size), size
            client.sendall(request("/echo", "Transfer-Encoding: chunked", method="PUT"))
            while rest:
                count = min(rest, random.randrange(1, 50_000))
                block = body[size - rest :][:count]
                client.sendall(b"%x;n=v\r\n%b\r\n" % (count, block))
                rest -= count
            client.sendall(b"0\r\nX-Sum: 1\r\n\r\n")
            right(read_answer(stream).body == body, f"not the body of {size} bytes")


def expecting(dial: Dial) -> None:
    """Waits for 100 Continue."""
    with calling(dial) as (client, stream):
        client.sendall(request("/echo", "Expect: 100-continue", "Content-Length: 5", method="POST"))
        right(read_answer(stream).status == 100, "no 100 Continue")
        client.sendall(b"hello")
        right(read_answer(stream).body == b"hello", "not the body")


def hinted(dial: Dial) -> None:
    with calling(dial) as (client, stream):
        client.sendall(request("/hints"))
        right(read_answer(stream).status == 103, "no early hints")
        check(read_answer(stream))


def large(dial: Dial) -> None:
    with calling(dial) as (client, stream):
        for path, size in (("/large", MEGABYTE), ("/file", MEGABYTE), ("/chunked", 65536)):
            client.sendall(request(path))
            check(read_answer(stream), size=size)


def sleepy(dial: Dial) -> None:
    """An application that takes its time."""
    with calling(dial) as (client, stream):
        client.sendall(request("/sleep"))
        check(read_answer(stream))


def slow_head(dial: Dial) -> None:
    with calling(dial) as (client, stream):
        for byte in request("/hello"):
            client.sendall(bytes([byte]))
            time.sleep(0.03)
        check(read_answer(stream))


def slow_body(dial: Dial) -> None:
    with calling(dial) as (client, stream):
        body = random.randbytes(100)
        data = request("/echo", method="POST", body=body)
        client.sendall(data[:-100])
        for byte in body:
            client.sendall(bytes([byte]))
            time.sleep(0.01)
        right(read_answer(stream).body == body, "not the body")


def slow_reader(dial: Dial) -> None:
    with dial(65536) as client:
        client.sendall(request("/large", "Connection: close"))
        time.sleep(1)
        size = 0
        while data := client.recv(16384):
            size += len(data)
            time.sleep(0.02)
        right(size > MEGABYTE, f"cut at {size}")


def silent(dial: Dial) -> None:
    """Says nothing, until the server ends the connection."""
    with calling(dial) as (_, stream):
        right(stream.read() == b"", "an answer to nothing")


def stalled(dial: Dial) -> None:
    """Stops in the head, for good."""
    with calling(dial) as (client, stream):
        client.sendall(request("/hello")[:-2])
        stream.read()


def malformed(dial: Dial) -> None:
    data = random.choice(
        (
            b"GET / HTTP/1.1\n\n",
            b"GET / HTTP/1.1\r\n\r\n",
            request("/", "A : b"),
            request("/", "Content-Length: -1"),
            request("/", "Transfer-Encoding: chunked") + b"1" * 16 + b"\r\n",
            request("/" + "x" * 70_000),
        )
    )
    with calling(dial) as (client, stream):
        client.sendall(data)
        right(400 <= read_answer(stream).status < 500, data[:100])
        right(stream.read() == b"", "more after a refusal")


def leaving(dial: Dial) -> None:
    """Goes away, politely or not: in the head, in the body, in the answer."""
    data = random.choice(
        (
            b"",
            request("/hello")[:20],
            request("/echo", method="POST", body=b"x" * 200_000)[:-100_000],
            request("/sleep"),
            request("/large"),
            request("/file"),
        )
    )
    with dial() as client:
        client.sendall(data)
        if random.random() < 0.5:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def failing(dial: Dial) -> None:
    """The application fails; the connection goes on."""
    with calling(dial) as (client, stream):
        client.sendall(request("/fail") + request("/hello"))
        check(read_answer(stream), 500, None)
        check(read_answer(stream))


def cut(dial: Dial) -> None:
    """The application fails in the middle of its answer."""
    with calling(dial) as (client, stream):
        client.sendall(request("/cut"))
        try:
            answer = read_answer(stream)
        except (Cut, Closed, ConnectionError):
            return
        raise Wrong(f"it looks complete: {answer}")


#: Who comes, and how many visits each of them makes in a second.
GUESTS: dict[Callable[[Dial], None], float] = {
    kept: 8,
    fresh: 40,
    old: 3,
    head: 5,
    pipelined: 5,
    posting: 4,
    chunking: 3,
    expecting: 5,
    hinted: 5,
    large: 2,
    sleepy: 5,
    slow_head: 2,
    slow_body: 2,
    slow_reader: 2,
    silent: 1,
    stalled: 1,
    malformed: 5,
    leaving: 20,
    failing: 2,
    cut: 2,
}
