"""The developer's page: what failed and where, on the developer's own machine and nowhere else."""

from __future__ import annotations

from wsgikit import http
from wsgikit.compose import layer
from wsgikit.debug.home import is_at_home
from wsgikit.debug.page import traceback_page, traceback_text
from wsgikit.debug.reproduce import Recording
from wsgikit.debug.style import PAGE_HEADERS
from wsgikit.failures import logged
from wsgikit.http.hosts import is_loopback
from wsgikit.http.problem import HTTPError
from wsgikit.response import Response
from wsgikit.wrap import guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["debugger"]

#: What has to stand outside of this layer, and why.
ORDER = {"inside": {"proxy_headers": "the peer would be the proxy, which may be on this machine"}}


def doubts(
    options: Mapping[str, Any], outside: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """What :func:`wsgikit.check` tells of options that are allowed and seldom meant."""
    hosts = outside.get("allowed_hosts", {}).get("hosts", ())
    if hosts and not any(is_loopback(host.removeprefix("*.")) for host in hosts):
        reason = (
            "allowed_hosts lets no name of this machine through, so nobody is ever shown a page"
        )
        yield reason, "leave it out, or add 'localhost' to hosts where it is wanted"


@layer
def debugger(app: WSGIApplication) -> WSGIApplication:
    """A failure shows a page with its traceback, the source, the local variables and the request.

    The page can be copied as text, as a curl command and as a test for WebTest; there is no
    console. Browsers get HTML, other clients the traceback as text, both with the status 500. The
    logger ``wsgikit.errors`` gets the traceback too.

    It is for the developer at this machine: the peer (REMOTE_ADDR) and the Host must be loopback
    addresses (``localhost``, ``*.localhost``, 127/8, ``::1``), no proxy may have forwarded the
    request, and no page of another site sent it (Origin). For all others the layer is not there: an
    error passes on to the layer outside, which should be ``errors``: ``stack(errors(), debugger(),
    app)``. So does an :class:`~wsgikit.HTTPError`, always, and an error after headers have been
    sent. Values that names call a secret are not shown: that helps, and is no promise.

    Replaces ``wsgi.input`` by a stream that keeps what is read, up to 64 KiB, to show it.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if not is_at_home(environ):
            return app(environ, start_response)
        environ["wsgi.input"] = body = Recording(environ["wsgi.input"])

        def rescue(error: Exception) -> WSGIApplication:
            if isinstance(error, HTTPError):
                raise error

            def show(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
                return _drawn(error, environ, body, answer)(environ, start_response)

            return logged(show, error)

        return guard(app, environ, start_response, rescue)

    return answer


def _drawn(
    error: Exception, environ: WSGIEnvironment, body: Recording, app: WSGIApplication
) -> Response:
    accepted = http.accept.MediaAccept(environ.get("HTTP_ACCEPT"))
    if accepted.best(("text/plain", "text/html")) == "text/html":
        text = traceback_page(error, environ, body, app)
        response = Response.html(text, 500, PAGE_HEADERS)
    else:
        response = Response(traceback_text(error), 500, PAGE_HEADERS)
    response.headers.vary("Accept")
    return response
