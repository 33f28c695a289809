"""A client's reading of answers: what came over the line, and whether it came to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True)
class Answer:
    """A response, interim ones as well; names of its fields are in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes = b""


class Closed(Exception):
    """The connection ended before the first byte of an answer."""


class Cut(Exception):
    """The connection ended in the middle of an answer."""


def read_line(stream: IO[bytes]) -> str:
    line = stream.readline(65536)
    if not line.endswith(b"\r\n"):
        raise Cut(f"in the line {line!r}")
    return line[:-2].decode("latin-1")


def read_exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise Cut(f"{size - len(data)} bytes before the end")
    return data


def read_answer(stream: IO[bytes], method: str = "GET") -> Answer:
    """The next answer on a connection.

    :raises Closed: there is none.
    :raises Cut: it is not all there.
    :raises OSError: the connection was reset, or nothing comes.
    """
    first = stream.readline(65536)
    if not first:
        raise Closed
    if not first.endswith(b"\r\n"):
        raise Cut(f"in the line {first!r}")
    status = int(first.split(b" ")[1])
    fields: dict[str, str] = {}
    while line := read_line(stream):
        name, value = line.split(": ", 1)
        fields[name.lower()] = value
    if status < 200 or status in (204, 304) or method == "HEAD":
        return Answer(status, fields)
    if fields.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(read_line(stream), 16):
            body += read_exactly(stream, size)
            read_line(stream)
        read_line(stream)
        return Answer(status, fields, body)
    if "content-length" in fields:
        return Answer(status, fields, read_exactly(stream, int(fields["content-length"])))
    return Answer(status, fields, stream.read())
