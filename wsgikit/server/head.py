"""The head of a request, read strictly: bytes in, a :class:`RequestHead` out, no I/O.

RFC 9112, sections 3 (request line) and 6 (body length). What two readers could understand in two
ways is refused: a kept connection would carry the difference into the next request.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from wsgikit.http.grammar import is_token
from wsgikit.http.problem import HTTPError
from wsgikit.server.fields import HOST, read_fields
from wsgikit.server.limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from wsgikit.types import WSGIEnvironment

# RFC 9112 §3: request-line = method SP request-target SP HTTP-version. Bytes 80 to FF are no part
# of a target, but clients send them and no two readers differ about them.
REQUEST_LINE = re.compile(r"([^ ]+) ([\x21-\x7e\x80-\xff]+) HTTP/([0-9])\.([0-9])")
# RFC 9112 §3.2.2: absolute-form. https reaches us through a proxy that ended the TLS.
ABSOLUTE_FORM = re.compile(r"https?://([^/?#]+)([^#]*)", re.IGNORECASE)
# More digits than these are no length of a body that anybody sends (and int() takes its time).
LENGTH_DIGITS = 18

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"})


class RequestHead:
    """What a request's head says: as an environ, and for the connection."""

    __slots__ = ("chunked", "environ", "expects_continue", "keep_alive", "length", "line")

    def __init__(self, line: str, environ: WSGIEnvironment) -> None:
        #: The request line as it was sent.
        self.line = line
        #: The environ keys that PEP 3333 derives from a head, beside those of the base.
        self.environ = environ
        #: The length of the body in bytes; 0 also where it is chunked.
        self.length = 0
        self.chunked = False
        #: The client is ready to send another request on this connection.
        self.keep_alive = True
        #: The client waits for ``100 Continue`` before it sends the body.
        self.expects_continue = False


#: What a connection has between two requests.
NO_REQUEST = RequestHead("", {})


def parse_head(data: bytes, base: Mapping[str, object], limits: Limits) -> RequestHead:
    """The request head in ``data``: its lines with CRLF between them, none after the last.

    :param base: what each environ begins with; no keys that come from a request.
    :raises HTTPError: 400 for what the grammar does not allow, 413 and 431 for what ``limits`` do
        not, 417 for an unknown expectation, 501 for an unknown transfer coding and for CONNECT,
        505 for another major version than 1.
    """
    first, _, rest = data.partition(b"\r\n")
    line = first.decode("latin-1")
    matched = REQUEST_LINE.fullmatch(line)
    if matched is None:
        raise HTTPError(400, "The request line is malformed.")
    method, target, major, minor = matched.groups()
    if method not in _METHODS:
        check_method(method)
    if major != "1":
        raise HTTPError(505, "This server speaks HTTP/1.1.")
    modern = minor != "0"  # of a later minor version we speak what we know
    fields = read_fields(rest, limits.fields)
    environ: dict[str, Any] = {
        **base,
        **fields.environ,
        "REQUEST_METHOD": method,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "SERVER_PROTOCOL": "HTTP/1.1" if modern else "HTTP/1.0",
    }
    if modern and "HTTP_HOST" not in environ:
        raise HTTPError(400, "A request has a Host field.")
    if target[0] != "/" or "#" in target:
        target = origin_form(method, target, environ)
    path, _, environ["QUERY_STRING"] = target.partition("?")
    if "%" in path:
        path = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
    environ["PATH_INFO"] = path

    head = RequestHead(line, environ)
    head.keep_alive = not fields.closes and (modern or fields.keeps)
    if "HTTP_TRANSFER_ENCODING" in environ:
        check_coding(environ)
        head.chunked = True
    elif "CONTENT_LENGTH" in environ:
        head.length = body_length(environ["CONTENT_LENGTH"], limits.body_bytes)
        environ["CONTENT_LENGTH"] = str(head.length)
    if "HTTP_EXPECT" in environ and modern:
        if environ["HTTP_EXPECT"].lower() != "100-continue":
            raise HTTPError(417, "The only expectation that is met is 100-continue.")
        head.expects_continue = head.chunked or head.length > 0
    return head


def check_method(method: str) -> None:
    if method == "CONNECT":
        raise HTTPError(501, "This server is no proxy.")
    if not is_token(method):
        raise HTTPError(400, "The request line is malformed.")


def origin_form(method: str, target: str, environ: WSGIEnvironment) -> str:
    """The path and query of a target in another form (RFC 9112 §3.2).

    The authority of an absolute one takes the place of the Host field (§3.2.2).
    """
    if target == "*" and method == "OPTIONS":
        return "/"
    matched = ABSOLUTE_FORM.fullmatch(target)
    if matched is None or not HOST.fullmatch(matched[1]):
        raise HTTPError(400, "The request target is malformed.")
    environ["HTTP_HOST"], target = matched.groups()
    return target if target[:1] == "/" else "/" + target


def check_coding(environ: WSGIEnvironment) -> None:
    """Refuse a Transfer-Encoding that is not just ``chunked`` (RFC 9112 §6.1, §6.3)."""
    if "CONTENT_LENGTH" in environ:
        raise HTTPError(400, "A request has Content-Length or Transfer-Encoding, not both.")
    if environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        raise HTTPError(400, "HTTP/1.0 has no Transfer-Encoding.")
    coding = environ["HTTP_TRANSFER_ENCODING"].lower()
    if coding != "chunked":
        known = {"chunked", ""}.issuperset(part.strip(" \t") for part in coding.split(","))
        detail = "The only transfer coding that is decoded is chunked, once."
        raise HTTPError(400 if known else 501, detail)


def body_length(text: str, most: int) -> int:
    """The Content-Length in ``text`` (RFC 9110 §8.6)."""
    if not (text.isascii() and text.isdigit()):
        raise HTTPError(400, "Content-Length is one decimal number.")
    if len(text) > LENGTH_DIGITS or int(text) > most:
        raise HTTPError(413, f"A request body has at most {most} bytes (limits.body_bytes).")
    return int(text)
