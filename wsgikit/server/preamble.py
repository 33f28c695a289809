"""What the server says of itself in each response, and the responses that are all its own.

RFC 9110, sections 6.6.1 (Date) and 10.2.4 (Server).
"""

from __future__ import annotations

from time import time

from wsgikit.http.dates import format_date
from wsgikit.http.problem import HTTPError
from wsgikit.http.status import status_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

SOFTWARE = "wsgikit"
#: The field that says so.
SERVER = b"Server: wsgikit\r\n"

_made = (0, b"")


def server_and_date(sets: Collection[str] = ()) -> bytes:
    """The Server field and the Date field of now, made once a second.

    :param sets: those that are not to be there: ``"server"``, ``"date"``.
    """
    global _made
    second, lines = _made
    now = int(time())
    if now != second:
        lines = b"%bDate: %b\r\n" % (SERVER, format_date(now).encode())
        _made = now, lines
    if sets:
        server = b"" if "server" in sets else SERVER
        return server if "date" in sets else server + lines[len(SERVER) :]
    return lines


def refusal(error: HTTPError, line: str) -> bytes:
    """The response to what is no request; the connection ends with it.

    :param line: the request line, as far as there is one: HEAD gets no body.
    """
    body = f"{status_line(error.status)[4:]}\n{error.detail}\n".encode()
    fields = [
        *error.headers,
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    lines = "".join([f"{name}: {value}\r\n" for name, value in fields])
    status = f"HTTP/1.1 {status_line(error.status)}\r\n".encode()
    if line.startswith("HEAD "):
        body = b""
    return b"".join((status, server_and_date(), lines.encode("latin-1"), b"\r\n", body))
