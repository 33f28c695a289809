"""An application whose errors are answered."""

from __future__ import annotations

import sys

from wsgikit.keys import SESSION, UWSGI
from wsgikit.wrap.body import Replaced, close, closers, is_file
from wsgikit.wrap.started import Started, restarting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["guard"]


def guard(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    rescue: Callable[[Exception], WSGIApplication],
) -> Body:
    """Answer as ``app`` does, and as the application ``rescue(error)`` does where ``app`` raises.

    Errors are caught in the call and while the body is iterated, as long as nothing has been sent;
    the rescue is started with ``exc_info``, so that a server which has sent headers raises the
    error again and breaks the connection, as PEP 3333 has it. So the rescue may ask for the session
    for the first time, as if nothing had started. The body is not touched where it
    cannot fail (a list, a file for the server).

    uWSGI is spared ``exc_info`` where nothing was started: it would start the response, and raise.
    """
    if UWSGI in environ:
        start_response = Started(start_response)
    try:
        body = app(environ, start_response)
    except Exception as error:
        return _rescued(environ, start_response, rescue(error))
    if body.__class__ is list or body.__class__ is tuple or is_file(body, environ):
        return body
    blocks = _guarded(body, environ, start_response, rescue)
    return Replaced(blocks, blocks.close, *closers(body))


def _guarded(
    body: Body,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    rescue: Callable[[Exception], WSGIApplication],
) -> Generator[bytes]:
    try:
        for block in body:  # not ``yield from``: that would close ``body`` a second time
            yield block
    except Exception as error:
        # All of it in here: wsgiref's start_response raises the error that is being handled.
        rescued = _rescued(environ, start_response, rescue(error))
        try:
            for block in rescued:
                yield block
        finally:
            close(rescued)


def _rescued(
    environ: WSGIEnvironment, start_response: StartResponse, rescue: WSGIApplication
) -> Body:
    opening = environ.get(SESSION)
    if opening is not None:
        opening[1] = False  # the rescue may ask for it: its response starts anew, or never
    return rescue(environ, restarting(start_response, sys.exc_info()))
