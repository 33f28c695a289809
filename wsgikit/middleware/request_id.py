"""An id for each request: in the response, in the environ, and in every line of the log."""

from __future__ import annotations

import logging
import os
import re
from contextvars import ContextVar

from wsgikit.arguments import check_function, check_token
from wsgikit.compose import layer
from wsgikit.context import within
from wsgikit.keys import REQUEST_ID
from wsgikit.wrap import put_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["RequestIdFilter", "current_id", "request_id"]

#: What has to stand inside of this layer, and why.
ORDER = {
    "outside": {
        "access_log": "its lines would lack the id",
        "errors": "what it logs would lack the id",
    }
}

#: The id of the request that is being answered here and now; None outside of one.
current_id: ContextVar[str | None] = ContextVar("wsgikit.request_id", default=None)

# As UUIDs, ULIDs, Base64 and the ids of usual proxies are written: nothing that a log or a page
# would take for more than text.
_ID = re.compile("[A-Za-z0-9._~:@=+/-]{1,128}")


def new_id() -> str:
    """128 random bits, in hexadecimal."""
    return os.urandom(16).hex()


@layer
def request_id(
    app: WSGIApplication,
    *,
    header: str = "X-Request-ID",
    inbound: bool = True,
    make: Callable[[], str] = new_id,
) -> WSGIApplication:
    """Each request has an id, which the response tells in a header field.

    :param header: the name of the field, in the request and in the response. One that the
        application sets itself is replaced.
    :param inbound: whether an id that comes with the request is kept. A proxy in front may have
        given one, and logged it. Clients may choose what they like as well: an id is no secret and
        no proof of anything. One that is longer than 128 characters or has others than letters,
        digits and ``._~:@=+/-`` is not kept.
    :param make: returns a new id of such characters; by default 32 random hexadecimal digits.
    :raises ValueError: for a ``header`` that is no name of a field.
    :raises TypeError: for a ``make`` that is no function.

    The id is ``wsgikit.request_id`` in the environ, and in the place of the field that came; while
    the request is answered, :data:`current_id` has it, for :class:`RequestIdFilter` and for
    whatever asks other services. Of two such layers the outer one decides.
    """
    check_token("header", header, "the name of a field")
    check_function("make", make, "a function that returns an id")
    key = f"HTTP_{header.upper().replace('-', '_')}"
    new = make if make is new_id else _checked(make)
    put = put_header(header)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if REQUEST_ID in environ:
            return app(environ, start_response)
        given = environ.get(key)
        if given is None or not inbound or _ID.fullmatch(given) is None:
            environ[key] = given = new()  # others inside may look there
        environ[REQUEST_ID] = given
        return within(current_id, given, app, environ, put((start_response, given)))

    return answer


def _checked(make: Callable[[], str]) -> Callable[[], str]:
    def made() -> str:
        given = make()
        if not isinstance(given, str) or _ID.fullmatch(given) is None:
            raise ValueError(f"make of request_id() returned {given!r:.200}")
        return given

    return made


class RequestIdFilter(logging.Filter):
    """Gives each log record a ``request_id``, ``-`` outside of a request, for a format to name.

    It belongs on a handler: a logger asks its filters only for what is logged by its own name.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_id.get() or "-"
        return True
