"""A slow, strict reading of RFC 9112: what the fuzz tests of the protocol are held against.

It looks at one whole connection, byte by byte and rule by rule, and shares no code with the server.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Request:
    """What a request says: its line, its environ keys, its body, and whether another may follow."""

    method: bytes
    target: bytes
    path: bytes
    query: bytes
    fields: dict[str, bytes]
    body: bytes
    kept: bool


def read_request(reader: Reader) -> Request:
    while reader.data[reader.at : reader.at + 2] == b"\r\n":
        reader.at += 2
    parts = reader.line().split(b" ")
    require(len(parts) == 3, "method SP target SP version")
    method, target, version = parts
    require(method != b"" and only(method, TCHAR), "method")
    # Of what RFC 3986 leaves out of a target, clients send much; none of it separates anything.
    require(target != b"" and only(target, FIELD_VCHAR) and b"\t" not in target, "target")
    require(
        len(version) == 8
        and version[:5] == b"HTTP/"
        and version[5:6] == b"1"
        and version[6:7] == b"."
        and version[7:] in [bytes([digit]) for digit in DIGIT],
        "version",
    )
    lines = read_fields(reader)
    hosts = [value for name, value in lines if name == b"host"]
    require(len(hosts) == 1 or (version == b"HTTP/1.0" and not hosts), "one Host")
    require(all(is_host(host) for host in hosts), "uri-host [ : port ]")
    fields = environ_of(lines)
    path, authority = read_target(method, target)
    if authority is not None:
        fields["HTTP_HOST"] = authority
    path, _, query = path.partition(b"?")
    lengths = [value for name, value in lines if name == b"content-length"]
    codings = [value for name, value in lines if name == b"transfer-encoding"]
    require(not (lengths and codings), "one framing")
    body = b""
    if codings:
        require(version != b"HTTP/1.0", "a version that knows chunked")
        require([coding.lower() for coding in codings] == [b"chunked"], "chunked")
        body = read_chunks(reader)
    elif lengths:
        require(len(lengths) == 1 and lengths[0] != b"" and only(lengths[0], DIGIT), "length")
        body = reader.take(int(lengths[0]))
        fields["CONTENT_LENGTH"] = b"%d" % len(body)
    options = [option.strip(b" \t").lower() for option in joined(lines, b"connection").split(b",")]
    kept = b"close" not in options and (version != b"HTTP/1.0" or b"keep-alive" in options)
    return Request(method, target, unquoted(path), query, fields, body, kept)


def joined(lines: list[tuple[bytes, bytes]], name: bytes) -> bytes:
    return b",".join(value for each, value in lines if each == name)


def environ_of(lines: list[tuple[bytes, bytes]]) -> dict[str, bytes]:
    """PEP 3333's keys of the fields. Names with an underscore could pose as others: dropped."""
    environ: dict[str, bytes] = {}
    for name, value in lines:
        key = name.decode().upper().replace("-", "_")
        if b"_" in name:
            continue
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        if key in environ:
            value = environ[key] + (b"; " if key == "HTTP_COOKIE" else b", ") + value
        environ[key] = value
    return environ


def read_target(method: bytes, target: bytes) -> tuple[bytes, bytes | None]:
    """Path with query, and the authority of an absolute target (RFC 9112 §3.2)."""
    require(b"#" not in target, "no fragment")
    if target[:1] == b"/":
        return target, None
    if target == b"*":
        require(method == b"OPTIONS", "a method that is about the server")
        return b"/", None
    scheme, separator, rest = target.partition(b"://")
    require(separator != b"" and scheme.lower() in (b"http", b"https"), "a form of target")
    end = min((rest.index(byte) for byte in (b"/", b"?") if byte in rest), default=len(rest))
    authority, path = rest[:end], rest[end:]
    require(is_host(authority) and authority[:1] not in (b"", b":"), "an authority")
    return (path if path[:1] == b"/" else b"/" + path), authority


def is_host(text: bytes) -> bool:
    """RFC 9110 §7.2: uri-host [ ":" port ]."""
    if text[:1] == b"[":
        host, bracket, port = text[1:].partition(b"]")
        if not bracket or host == b"" or not only(host, HEX + b":."):
            return False
    else:
        host, colon, port = text.partition(b":")
        port = colon + port
        while host:
            if host[:1] == b"%":
                if len(host) < 3 or not only(host[1:3], HEX):
                    return False
                host = host[3:]
            elif host[0] in ALPHA + DIGIT + b"-._~!$&'()*+,;=":
                host = host[1:]
            else:
                return False
    return port == b"" or (port[:1] == b":" and only(port[1:], DIGIT))


def unquoted(path: bytes) -> bytes:
    """Percent-encoding undone; a percent sign that encodes nothing stands for itself."""
    done = bytearray()
    while path:
        if path[:1] == b"%" and len(path) >= 3 and only(path[1:3], HEX):
            done.append(int(path[1:3], 16))
            path = path[3:]
        else:
            done.append(path[0])
            path = path[1:]
    return bytes(done)


def read_chunks(reader: Reader) -> bytes:
    body = b""
    while True:
        line = Reader(reader.line() + b"\n")
        digits = taken(line, HEX)
        require(digits != b"", "chunk-size")
        while extension(line):
            pass
        require(line.data[line.at :] == b"\n", "chunk-ext")
        size = int(digits, 16)
        if not size:
            break
        body += reader.take(size)
        require(reader.take(2) == b"\r\n", "CRLF after a chunk")
    read_fields(reader)
    return body


def taken(line: Reader, allowed: bytes) -> bytes:
    start = line.at
    while line.data[line.at] in allowed:
        line.at += 1
    return line.data[start : line.at]


def extension(line: Reader) -> bool:
    """RFC 9112 §7.1.1: BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ]."""
    start = line.at
    taken(line, b" \t")
    if line.take(1) != b";":
        line.at = start
        return False
    taken(line, b" \t")
    require(taken(line, TCHAR) != b"", "chunk-ext-name")
    after = line.at
    taken(line, b" \t")
    if line.take(1) != b"=":
        line.at = after
        return True
    taken(line, b" \t")
    if line.data[line.at : line.at + 1] != b'"':
        require(taken(line, TCHAR) != b"", "token")
        return True
    line.at += 1
    while (byte := line.take(1)) != b'"':
        if byte == b"\\":
            byte = line.take(1)
        require(byte in [bytes([each]) for each in FIELD_VCHAR], "quoted-string")
    return True


def read_connection(data: bytes) -> tuple[list[Request], bool]:
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
