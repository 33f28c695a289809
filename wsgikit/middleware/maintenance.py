"""Closed for a while: a 503 with Retry-After as long as a file stands (RFC 9110 §15.6.4)."""

from __future__ import annotations

import os
from stat import S_ISREG
from time import monotonic

from wsgikit.arguments import check_clock, check_path, check_seconds, check_texts
from wsgikit.clients import Clients, client_address
from wsgikit.compose import layer
from wsgikit.environ import native
from wsgikit.errors import answer_error
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["maintenance"]

#: What has to stand outside of this layer, and what inside, and why.
ORDER = {
    "inside": {
        "proxy_headers": "the safelist would be compared with the address of the proxy",
        "access_log": "what is refused would not be logged",
        "metrics": "what is refused would not be counted",
    },
    "outside": {
        "cache": "what is kept would be sent all the same, or the 503 be kept",
        "sessions": "the store may be what is being worked on",
    },
}

#: What is told where the file says nothing.
CLOSED = "This site is being worked on. It will be back soon."

# Bytes of the file that are read.
_MOST = 2000


@layer
def maintenance(
    app: WSGIApplication,
    *,
    file: str | os.PathLike[str],
    retry_after: int = 300,
    safelist: Collection[str] = (),
    paths: Collection[str] = (),
    interval: float = 1.0,
    clock: Callable[[], float] = monotonic,
) -> WSGIApplication:
    """While ``file`` stands, every request is answered by a 503; no restart, and no code of yours.

    :param file: what closes the site by being there: ``touch closed`` closes it, ``rm closed``
        opens it. What it says, plain text in UTF-8 of up to 2000 bytes, is shown to people.
    :param retry_after: in how many seconds clients, and search engines, may come again.
    :param safelist: networks whose clients get through: ``"203.0.113.7"``, ``"10.0.0.0/8"``.
    :param paths: paths that stay open: ``"/health"``, or ``"/static/*"`` for all that begin so.
    :param interval: after how many seconds the file is looked for again.
    :param clock: the seconds that pass, as :func:`time.monotonic` tells them.
    :raises TypeError: for an option of another type.
    :raises ValueError: for seconds below 0, no name of a file, and for what is no network or path.

    The answer is drawn as that of every error is: a page, a problem document or text, as the client
    prefers. A file that cannot be looked for, for lack of a right, is none.
    """
    name = check_path("file", file, "the path of a file")
    if type(retry_after) is not int:
        raise TypeError(f"retry_after takes whole seconds, not {retry_after!r}")
    check_seconds("retry_after", retry_after)
    check_seconds("interval", interval)
    check_clock(clock)
    paths = check_texts("paths", paths, "paths")
    for path in paths:
        if path[:1] != "/" or "*" in path.removesuffix("*"):
            raise ValueError(f"paths takes '/path' and '/path/*', not {path!r}")
    exact = frozenset([native(path) for path in paths if path[-1] != "*"])
    starts = tuple([native(path[:-1]) for path in paths if path[-1] == "*"])
    clients = Clients(client_address, safelist)
    headers = [("Retry-After", str(retry_after)), ("Cache-Control", "no-store")]
    due = clock()
    version: object = None
    closed: HTTPError | None = None

    def look() -> None:
        """Find out what the site is closed with, if it is. Of many at once, all may look."""
        nonlocal due, version, closed
        due = clock() + interval
        try:
            status = os.stat(name)
        except OSError:
            closed = version = None
            return
        found = (status.st_ino, status.st_mtime_ns, status.st_size)
        if found != version:
            told = _text(name) if S_ISREG(status.st_mode) else ""
            closed = HTTPError(503, told or CLOSED, headers=headers)
            version = found

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if clock() >= due:
            look()
        error = closed
        if error is not None:
            path = environ.get("PATH_INFO", "")
            open_ = path in exact or (starts and path.startswith(starts))
            if not open_ and clients.key(environ) is not None:
                return answer_error(error, environ, start_response)
        return app(environ, start_response)

    return answer


def _text(name: str) -> str:
    try:
        with open(name, "rb") as file:
            return file.read(_MOST).decode("utf-8", "replace").strip()
    except OSError:  # it stands, and that is what counts
        return ""
