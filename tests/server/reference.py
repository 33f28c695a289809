"""A slow, strict reading of RFC 9112: what the fuzz tests of the protocol are held against.

It looks at one whole connection, byte by byte and rule by rule, and shares no code with the server.
"""

from __future__ import annotations

ALPHA = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGIT = b"0123456789"
TCHAR = b"!#$%&'*+-.^_`|~" + DIGIT + ALPHA
HEX = DIGIT + b"ABCDEFabcdef"
FIELD_VCHAR = bytes([9, *range(32, 127), *range(128, 256)])


class Refused(Exception):
    """What is read is no request."""


class Cut(Exception):
    """The connection ended too early to tell."""


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise Cut
        self.at += count
        return self.data[self.at - count : self.at]

    def line(self) -> bytes:
        """A line without its CRLF; any other CR or LF is refused."""
        line = bytearray()
        while True:
            byte = self.take(1)
            if byte == b"\r":
                if self.take(1) != b"\n":
                    raise Refused("CR without LF")
                return bytes(line)
            if byte == b"\n":
                raise Refused("LF without CR")
            line += byte


def require(condition: bool, what: str) -> None:
    if not condition:
        raise Refused(what)


def only(text: bytes, allowed: bytes) -> bool:
    return all(byte in allowed for byte in text)


def read_fields(reader: Reader) -> list[tuple[bytes, bytes]]:
    fields = []
    while line := reader.line():
        require(b":" in line, "a colon")
        name, value = line[: line.index(b":")], line[line.index(b":") + 1 :]
        require(name != b"" and only(name, TCHAR), "field-name")
        require(only(value, FIELD_VCHAR), "field-value")
        fields.append((name.lower(), value.strip(b" \t")))
    return fields


def read_request(reader: Reader) -> tuple[bytes, bytes, bytes]:
    """The next request's method, target and body."""
    while reader.data[reader.at : reader.at + 2] == b"\r\n":
        reader.at += 2
    parts = reader.line().split(b" ")
    require(len(parts) == 3, "method SP target SP version")
    method, target, version = parts
    require(method != b"" and only(method, TCHAR), "method")
    require(target != b"" and only(target, FIELD_VCHAR) and b"\t" not in target, "target")
    require(
        len(version) == 8
        and version[:5] == b"HTTP/"
        and version[5:6] == b"1"
        and version[6:7] == b"."
        and version[7:] in [bytes([digit]) for digit in DIGIT],
        "version",
    )
    fields = read_fields(reader)
    hosts = [value for name, value in fields if name == b"host"]
    require(len(hosts) == 1 or (version == b"HTTP/1.0" and not hosts), "one Host")
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value for name, value in fields if name == b"transfer-encoding"]
    require(not (lengths and codings), "one framing")
    if codings:
        require(version != b"HTTP/1.0", "a version that knows chunked")
        require([coding.lower() for coding in codings] == [b"chunked"], "chunked")
        return method, target, read_chunks(reader)
    if lengths:
        require(len(lengths) == 1 and lengths[0] != b"" and only(lengths[0], DIGIT), "length")
        return method, target, reader.take(int(lengths[0]))
    return method, target, b""


def read_chunks(reader: Reader) -> bytes:
    body = b""
    while True:
        line = reader.line()
        digits = line.split(b";")[0]
        require(only(line, FIELD_VCHAR), "chunk-ext")
        if b";" in line:
            digits = digits.rstrip(b" \t")
        require(digits != b"" and only(digits, HEX), "chunk-size")
        size = int(digits, 16)
        if not size:
            break
        body += reader.take(size)
        require(reader.take(2) == b"\r\n", "CRLF after a chunk")
    read_fields(reader)
    return body


def read_connection(data: bytes) -> tuple[list[tuple[bytes, bytes, bytes]], bool]:
    """The requests in ``data``, and whether what follows them is to be refused."""
    reader = Reader(data)
    requests = []
    while True:
        try:
            requests.append(read_request(reader))
        except Refused:
            return requests, True
        except Cut:
            return requests, False
