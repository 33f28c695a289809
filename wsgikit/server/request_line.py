"""The first line of a request: bytes in, its part of an environ out, strictly.

RFC 9112, section 3. What is read here depends on nothing but the bytes, and clients ask for the
same again and again, so it is remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from wsgikit.http.grammar import is_token
from wsgikit.http.problem import HTTPError
from wsgikit.server.fields import is_host

# RFC 9112 §3: request-line = method SP request-target SP HTTP-version. Bytes 80 to FF are no part
# of a target, but clients send them and no two readers differ about them.
REQUEST_LINE = re.compile(r"([^ ]+) ([\x21-\x7e\x80-\xff]+) HTTP/([0-9])\.([0-9])")
# RFC 9112 §3.2.2: absolute-form. https reaches us through a proxy that ended the TLS. An empty host
# is refused (RFC 9110 §4.2.1).
ABSOLUTE_FORM = re.compile(r"https?://([^/?#:][^/?#]*)([^#]*)", re.IGNORECASE)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"})

#: Longer lines, and more of them, are not remembered: clients choose them.
REMEMBERED = 512
LONGEST = 512


class RequestLine:
    """What the first line of a request says. Shared between requests: not to be changed."""

    __slots__ = ("environ", "modern", "text")

    def __init__(self, text: str, modern: bool, environ: dict[str, str]) -> None:
        #: The line as it was sent.
        self.text = text
        #: The client speaks HTTP/1.1, or a later minor version of it.
        self.modern = modern
        #: Its environ keys. ``HTTP_HOST`` is among them where the target has an authority, which
        #: then takes the place of the Host field (RFC 9112 §3.2.2).
        self.environ = environ


def read_request_line(data: bytes) -> RequestLine:
    """The request line in ``data``, without its CRLF.

    :raises HTTPError: 400 for what is none, 501 for CONNECT, 505 for another major version than 1.
    """
    return _remembered(data) if len(data) <= LONGEST else _read(data)


def _read(data: bytes) -> RequestLine:
    text = data.decode("latin-1")
    matched = REQUEST_LINE.fullmatch(text)
    if matched is None:
        raise HTTPError(400, "The request line is malformed.")
    method, target, major, minor = matched.groups()
    if method not in _METHODS:
        _check_method(method)
    if major != "1":
        raise HTTPError(505, "This server speaks HTTP/1.1.")
    modern = minor != "0"  # of a later minor version we speak what we know
    environ = {
        "REQUEST_METHOD": method,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "SERVER_PROTOCOL": "HTTP/1.1" if modern else "HTTP/1.0",
    }
    if target[0] != "/" or "#" in target:
        target = _origin_form(method, target, environ)
    path, _, environ["QUERY_STRING"] = target.partition("?")
    if "%" in path:
        path = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
    environ["PATH_INFO"] = path
    return RequestLine(text, modern, environ)


_remembered = lru_cache(REMEMBERED)(_read)


def _check_method(method: str) -> None:
    if method == "CONNECT":
        raise HTTPError(501, "This server is no proxy.")
    if not is_token(method):
        raise HTTPError(400, "The request line is malformed.")


def _origin_form(method: str, target: str, environ: dict[str, str]) -> str:
    """The path and query of a target in another form (RFC 9112 §3.2)."""
    if target == "*" and method == "OPTIONS":
        return "/"
    matched = ABSOLUTE_FORM.fullmatch(target)
    if matched is None or not is_host(matched[1]):
        raise HTTPError(400, "The request target is malformed.")
    environ["HTTP_HOST"], target = matched.groups()
    return target if target[:1] == "/" else "/" + target
