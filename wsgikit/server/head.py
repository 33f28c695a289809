"""The head of a request, read strictly: bytes in, a :class:`RequestHead` out, no I/O.

RFC 9112, sections 3 (request line), 5 (field syntax) and 6 (body length); RFC 9110, section 7.2
(Host). What two readers could understand in two ways is refused: a kept connection would carry the
difference into the next request.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from wsgikit.http.problem import HTTPError

MAX_FIELDS = 100

# RFC 9112 §3: request-line = method SP request-target SP HTTP-version. Bytes 80 to FF are no part
# of a target, but clients send them and no two readers differ about them.
REQUEST_LINE = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP/([0-9])\.([0-9])"
)
# RFC 9112 §5: field-line = field-name ":" OWS field-value OWS. No obs-fold, no space before ":".
FIELD_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)")
# RFC 9112 §3.2.2: absolute-form. https reaches us through a proxy that ended the TLS.
ABSOLUTE_FORM = re.compile(r"https?://([^/?#]+)([^#]*)", re.IGNORECASE)
# RFC 3986 §3.2.2: the letters of a host and a port; userinfo (@) has no place in Host.
HOST = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")
# More digits than these are no length of a body that anybody sends (and int() takes its time).
LENGTH = re.compile(r"[0-9]{1,18}")


class RequestHead(NamedTuple):
    """What a request's head says, and what it means for the connection."""

    method: str
    #: The request target as it was sent.
    target: str
    #: ``HTTP/1.0`` or ``HTTP/1.1``.
    version: str
    fields: list[tuple[str, str]]
    #: The path of the target, still percent-encoded, and what follows its ``?``.
    path: str
    query: str
    #: The authority of an absolute target, otherwise the Host field; None where there is neither.
    host: str | None
    #: The length of the body in bytes.
    length: int
    #: The client is ready to send another request on this connection.
    keep_alive: bool
    #: The client waits for ``100 Continue`` before it sends the body.
    expects_continue: bool

    def environ(self) -> dict[str, str]:
        """The environ keys that PEP 3333 derives from the head, and the raw target.

        ``PATH_INFO`` is percent-decoded, repeated fields are joined. Fields with an underscore in
        their name are left out: in an environ they would look like the field with a hyphen
        (``X_Forwarded_For``), which a proxy in front may have filtered.
        """
        environ = {
            "REQUEST_METHOD": self.method,
            "SERVER_PROTOCOL": self.version,
            "REQUEST_URI": self.target,
            "RAW_URI": self.target,
            "PATH_INFO": unquote_to_bytes(self.path.encode("latin-1")).decode("latin-1"),
            "QUERY_STRING": self.query,
        }
        for name, value in self.fields:
            if "_" in name:
                continue
            key = "HTTP_" + name.upper().replace("-", "_")
            if key in environ:
                value = environ[key] + ("; " if key == "HTTP_COOKIE" else ", ") + value
            environ[key] = value
        if self.host is not None:
            environ["HTTP_HOST"] = self.host
        if "HTTP_CONTENT_TYPE" in environ:
            environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE")
        if "HTTP_CONTENT_LENGTH" in environ:
            environ["CONTENT_LENGTH"] = str(self.length)
            del environ["HTTP_CONTENT_LENGTH"]
        return environ


def parse_head(data: bytes) -> RequestHead:
    """The request head in ``data``: its lines, each with its CRLF, without the empty line after.

    :raises HTTPError: 400 for what the grammar does not allow, 411 for a transfer coding (bodies
        need a Content-Length), 413 for an absurd length, 417 for an unknown expectation, 431 for
        more than :data:`MAX_FIELDS` fields, 505 for another major version than 1.
    """
    first, *lines = data.decode("latin-1").removesuffix("\r\n").split("\r\n")
    matched = REQUEST_LINE.fullmatch(first)
    if matched is None:
        raise HTTPError(400, "The request line is malformed.")
    method, target, major, minor = matched.groups()
    if major != "1":
        raise HTTPError(505, "This server speaks HTTP/1.1.")
    modern = minor != "0"
    fields = parse_fields(lines)

    def values(name: str) -> list[str]:
        return [value for key, value in fields if key.lower() == name]

    hosts = values("host")
    if len(hosts) > 1 or (modern and not hosts) or not all(map(HOST.fullmatch, hosts)):
        raise HTTPError(400, "A request has one well-formed Host field.")
    expected = modern and ",".join(values("expect")).lower()
    if expected and expected != "100-continue":
        raise HTTPError(417, "The only expectation that is met is 100-continue.")
    length = body_length(values("content-length"), values("transfer-encoding"))
    path, query, authority = split_target(method, target)
    options = [option.strip().lower() for option in ",".join(values("connection")).split(",")]
    return RequestHead(
        method=method,
        target=target,
        version="HTTP/1.1" if modern else "HTTP/1.0",
        fields=fields,
        path=path,
        query=query,
        host=authority or (hosts[0] if hosts else None),
        length=length,
        keep_alive="close" not in options and (modern or "keep-alive" in options),
        expects_continue=bool(expected and length),
    )


def parse_fields(lines: list[str]) -> list[tuple[str, str]]:
    """The fields of ``lines`` as (name, value), the value without the blanks around it."""
    if len(lines) > MAX_FIELDS:
        raise HTTPError(431, f"A request has at most {MAX_FIELDS} fields.")
    fields = []
    for line in lines:
        matched = FIELD_LINE.fullmatch(line)
        if matched is None:
            raise HTTPError(400, "A header field is malformed.")
        fields.append((matched[1], matched[2].strip(" \t")))
    return fields


def body_length(lengths: list[str], codings: list[str]) -> int:
    """The length of the body (RFC 9112 §6.3); who says it in two ways is refused."""
    if codings and lengths:
        raise HTTPError(400, "A request has Content-Length or Transfer-Encoding, not both.")
    if codings:
        raise HTTPError(411, "Transfer-Encoding is not decoded: send a Content-Length.")
    if not lengths:
        return 0
    if len(lengths) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
        raise HTTPError(400, "Content-Length is one decimal number.")
    if not LENGTH.fullmatch(lengths[0]):
        raise HTTPError(413, "The Content-Length is absurd.")
    return int(lengths[0])


def split_target(method: str, target: str) -> tuple[str, str, str]:
    """The path, query and authority ("" unless in absolute form) of a target (RFC 9112 §3.2)."""
    authority = ""
    if target == "*" and method == "OPTIONS":
        target = "/"
    elif not target.startswith("/"):
        matched = ABSOLUTE_FORM.fullmatch(target)
        if matched is None or not HOST.fullmatch(matched[1]):
            raise HTTPError(400, "The request target is malformed.")
        authority, target = matched.groups()
    path, _, query = target.partition("?")
    return path or "/", query, authority
