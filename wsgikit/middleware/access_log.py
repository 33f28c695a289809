"""One line in the log for each request: who asked for what, what came of it, how long it took."""

from __future__ import annotations

import logging

from wsgikit.access import Access, combined, one_line
from wsgikit.arguments import check_function
from wsgikit.compose import layer
from wsgikit.debug.redaction import is_secret
from wsgikit.failures import LOG
from wsgikit.keys import LOGGED
from wsgikit.wrap import observe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment
    from wsgikit.wrap import Observed

__all__ = ["access_log"]

#: What has to stand inside of this layer, and what outside, and why.
ORDER = {
    "inside": {"proxy_headers": "the log would have the proxy's address in place of the client's"},
    "outside": {
        "errors": "a failure would pass without the answer that the client got",
        "debugger": "a failure would pass without the answer that the client got",
        "compress": "the bytes would not be those that are sent",
    },
}


@layer
def access_log(
    app: WSGIApplication,
    *,
    format: Callable[[Access], str | None] = combined,
    logger: str = "wsgikit.access",
    secret: Callable[[str], bool] = is_secret,
) -> WSGIApplication:
    """Each request is one line in the log, written when its response is over.

    :param format: writes the line: :func:`wsgikit.access.combined`, :func:`wsgikit.access.as_json`,
        or any function of an :class:`~wsgikit.access.Access`. None is no line: for health checks,
        say.
    :param logger: the name of the logger; the level is INFO. Where that is not enabled, nothing is
        done.
    :param secret: tells of a parameter in a query whether its value is to be hidden, by its name:
        :func:`wsgikit.debug.redaction.is_secret`. The Referer's query is treated alike. Secrets in
        a path cannot be known.

    A body that was broken off, as the client went away, is told from a complete one and from one
    that the application has failed at. What clients send cannot begin a line of its own or leave
    its quotes, and no control character gets through whatever the format is. Should the format
    itself fail, the logger ``wsgikit.errors`` is told, and the response is none the worse.

    Writes ``wsgikit.logged``, for servers that would write a line of their own.
    """
    check_function("format", format, "a function of an Access, such as combined")
    check_function("secret", secret, "a function of a name")
    log = logging.getLogger(logger)
    info = logging.INFO

    def done(observed: Observed, facts: tuple[WSGIEnvironment, str, str]) -> None:
        environ, path, query = facts
        try:
            line = format(Access(observed, environ, observed.method, path, query, secret))
            if line is not None:
                log.info("%s", one_line(line))
        except Exception:
            LOG.exception("access_log could not write its line")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if not log.isEnabledFor(info):
            return app(environ, start_response)
        environ[LOGGED] = True
        # Routers move the path about, and other layers change what they like.
        facts = (
            environ,
            environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
        )
        return observe(app, environ, start_response, done, facts)

    return answer
