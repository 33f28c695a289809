"""An environ for a request that somebody writes down: ``GET /hello``."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from wsgikit.http.grammar import check_name, check_value, is_token
from wsgikit.http.hosts import split_host
from wsgikit.keys import FILE_WRAPPER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from wsgikit.types import WSGIEnvironment

__all__ = ["environ_of"]

# The machine that asks, and is asked unless another host is named.
_HERE = "127.0.0.1"
# RFC 9112 §3.2: the origin form of a target, or the absolute one.
_REQUEST = re.compile(
    r"(?P<method>\S+) (?:(?P<scheme>https?)://(?P<host>[^/?#\s]+)(?![^/?])|(?=/))"
    r"(?P<path>/[^?#\s]*)?(?:\?(?P<query>[^#\s]*))?"
)
# Of RFC 3875: their keys have no prefix.
_WITHOUT_HTTP = ("CONTENT_TYPE", "CONTENT_LENGTH")


def environ_of(request: str, headers: Collection[tuple[str, str]] = ()) -> WSGIEnvironment:
    """The environ that a server would make of a request, without its input and its errors.

    :param request: a method and a path, perhaps with a query, or with a whole address:
        ``"GET /hello?name=Ada"``, ``"HEAD https://example.com/"``. It comes from this machine and
        by HTTP/1.1, and asks this machine unless it names another host.
    :param headers: its header fields, whose values are Latin-1. Of several with one name, the
        values are put in one list, as servers do.
    :raises ValueError: for what is no such request or header field.
    """
    asked = _REQUEST.fullmatch(request)
    host = split_host(asked["host"] or _HERE) if asked else None
    if asked is None or host is None or not is_token(asked["method"]):
        raise ValueError(f"request takes a method and a path, such as 'GET /', not {request!r}")
    scheme = asked["scheme"] or "http"
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": asked["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(asked["path"] or "/").decode("latin-1"),
        "QUERY_STRING": (asked["query"] or "").encode().decode("latin-1"),
        "SERVER_NAME": host[0],
        "SERVER_PORT": host[1] or ("443" if scheme == "https" else "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": _HERE,
        "HTTP_HOST": asked["host"] or _HERE,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        FILE_WRAPPER: FileWrapper,
    }
    fields: dict[str, list[str]] = {}
    for name, value in headers:
        check_value(value, check_name(name))
        key = name.upper().replace("-", "_")
        fields.setdefault(key if key in _WITHOUT_HTTP else f"HTTP_{key}", []).append(value)
    for key, values in fields.items():
        environ[key] = ("; " if key == "HTTP_COOKIE" else ", ").join(values)
    return environ
