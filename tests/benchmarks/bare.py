"""What every hand-written application needs: refusals, and an answer with its two headers."""

from __future__ import annotations

from wsgiref.types import StartResponse, WSGIEnvironment

TEXT = "text/plain; charset=utf-8"


def refuse(start_response: StartResponse, status: str, *extra: tuple[str, str]) -> list[bytes]:
    """Answer with the status as text."""
    body = status.encode()
    length = str(len(body))
    start_response(status, [("Content-Type", TEXT), ("Content-Length", length), *extra])
    return [body]


def missing(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer 404."""
    return refuse(start_response, "404 Not Found")
