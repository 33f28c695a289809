"""A request as a server hands it over, and what a right answer to it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from sys import stderr
from typing import Any
from wsgiref.types import WSGIApplication

#: What a server puts into every environ; the client is ``curl``.
ENVIRON: Mapping[str, Any] = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/",
    "QUERY_STRING": "",
    "CONTENT_TYPE": "",
    "CONTENT_LENGTH": "",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "benchmark",
    "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_PORT": "50000",
    "HTTP_HOST": "localhost:8000",
    "HTTP_USER_AGENT": "curl/8.5.0",
    "HTTP_ACCEPT": "*/*",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


@dataclass(frozen=True)
class Exchange:
    """A request and its answer: the status always, ``media`` and ``body`` where given.

    ``body`` is the bytes themselves, or a function that tells whether bytes are right.
    """

    path: str
    status: int = 200
    media: str = ""
    body: bytes | Callable[[bytes], bool] = b""
    environ: Mapping[str, str] = field(default_factory=dict)
    sent: bytes = b""

    def fresh(self) -> dict[str, Any]:
        """Return an environ that no application has touched."""
        return {**ENVIRON, "PATH_INFO": self.path, **self.environ, "wsgi.input": BytesIO(self.sent)}

    def complaint(self, application: WSGIApplication) -> str:
        """Return what is wrong with the application's answer, empty if nothing is."""
        status, headers, body = answer(application, self.fresh())
        if int(status[:3]) != self.status:
            return f"status {status}, not {self.status}"
        if self.media:
            media = headers.get("content-type", "").partition(";")[0].strip().lower()
            if media != self.media:
                return f"Content-Type {media or 'missing'}, not {self.media}"
            if headers.get("content-length") != str(len(body)):
                return f"Content-Length {headers.get('content-length')}, not {len(body)}"
        right = self.body(body) if callable(self.body) else body == (self.body or body)
        return "" if right else f"wrong body {body[:80]!r}"


def answer(
    application: WSGIApplication, environ: dict[str, Any]
) -> tuple[str, dict[str, str], bytes]:
    """Call an application once; return its status, headers by lowercase name, and body."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = status, {name.lower(): value for name, value in headers}
        return started.append

    body = application(environ, start_response)
    content = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return started[0], started[1], content


def check(application: WSGIApplication, exchanges: Iterable[Exchange]) -> str:
    """Return the first complaint about an application, a failure of its own among them."""
    for exchange in exchanges:
        try:
            complaint = exchange.complaint(application)
        except Exception as error:  # a peer may fail in any way: it is told, and not timed
            complaint = f"{type(error).__name__}: {error}"
        if complaint:
            method = exchange.environ.get("REQUEST_METHOD", "GET")
            return f"{method} {exchange.path}: {complaint}"
    return ""
