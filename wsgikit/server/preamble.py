"""What the server says of itself in each response, and the responses that are all its own.

RFC 9110, sections 6.6.1 (Date) and 10.2.4 (Server).
"""

from __future__ import annotations

from time import time

from wsgikit.http.dates import format_date
from wsgikit.http.problem import HTTPError
from wsgikit.http.status import status_line

SOFTWARE = "wsgikit"
#: The field that says so.
SERVER = b"Server: wsgikit\r\n"

_date = (0, b"")


def date() -> bytes:
    """The Date field of now; made once a second."""
    global _date
    second, line = _date
    now = int(time())
    if now != second:
        line = f"Date: {format_date(now)}\r\n".encode()
        _date = now, line
    return line


def refusal(error: HTTPError) -> bytes:
    """The response to what is no request; the connection ends with it."""
    body = f"{status_line(error.status)[4:]}\n{error.detail}\n".encode()
    fields = [
        *error.headers,
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    lines = "".join([f"{name}: {value}\r\n" for name, value in fields])
    line = f"HTTP/1.1 {status_line(error.status)}\r\n".encode()
    return b"".join((line, SERVER, date(), lines.encode("latin-1"), b"\r\n", body))
