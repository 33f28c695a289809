"""Telling a failure once: in the log where we could answer it, else by the server that gets it.

PEP 3333, "Error Handling": where headers have been sent already, ``start_response`` raises the
error again. It then reaches the server, which logs it and breaks the connection.
"""

from __future__ import annotations

import logging

from wsgikit.environ import text
from wsgikit.http.query import PATH_SAFE, percent_encode
from wsgikit.wrap import attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import (
        Body,
        HeaderList,
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

__all__ = ["logged", "request_line"]

LOG = logging.getLogger("wsgikit.errors")

# A path may be as long as the server lets it; a line in a log should not.
_LONGEST = 500


def request_line(environ: WSGIEnvironment) -> str:
    """Method and path for a log: one line of ASCII, whatever the client sent.

    The query stays out: it is where secrets are put by mistake.
    """
    method = ascii(environ.get("REQUEST_METHOD", "-"))[1:-1]
    path = text(environ.get("SCRIPT_NAME", "")) + text(environ.get("PATH_INFO", ""))
    encoded = percent_encode(path[:_LONGEST], PATH_SAFE)
    return f"{method[:40]} {encoded[:_LONGEST] or '/'}"


def logged(app: WSGIApplication, error: Exception, what: str = "failed") -> WSGIApplication:
    """Answer as ``app`` does, then log ``error`` with its traceback, the request and ``what``.

    Nothing is logged where the response cannot start any more: then the error is raised again, and
    the server tells it. The logger is ``wsgikit.errors``, the level ERROR.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        line = request_line(environ)
        # An attempt is over when the response has started, also if ``app`` is late with that.
        body = attempt(app, environ, start_response, _any)
        LOG.error("%s %s", line, what, exc_info=error)
        return () if body is None else body

    return answer


def _any(status: str, headers: HeaderList) -> bool:
    return True
