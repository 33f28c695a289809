"""Wait until a response has started, whenever its application starts it."""

from __future__ import annotations

from itertools import chain

from wsgikit.wrap.body import Replaced, close, closers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import OptExcInfo

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Started", "restarting", "run", "settled"]


class Started:
    """A ``start_response`` that remembers whether it was called."""

    __slots__ = ("called", "start_response")

    def __init__(self, start_response: StartResponse) -> None:
        self.start_response = start_response
        self.called = False

    def __call__(
        self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        self.called = True
        return self.start_response(status, headers, exc_info)

    def require(self, app: WSGIApplication) -> None:
        """Raise :class:`RuntimeError` if it was not called, and name ``app``."""
        if not self.called:
            raise RuntimeError(f"{app!r} did not call start_response before its first block")


def run(app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """Call ``app`` and come back when its response has started.

    An application may wait with ``start_response`` until its first block is asked for; that block
    is then taken here and given back in front of the others.
    """
    return settled(app, environ, Started(start_response))


def settled(app: WSGIApplication, environ: WSGIEnvironment, started: Started) -> Body:
    """As :func:`run`, with a ``start_response`` that the caller looks into afterwards."""
    body = app(environ, started)
    if started.called:
        return body
    try:
        blocks = iter(body)
        first = next(blocks, None)
        started.require(app)
    except BaseException:
        close(body)
        raise
    return Replaced(() if first is None else chain((first,), blocks), *closers(body))


def restarting(start_response: StartResponse, failure: OptExcInfo) -> StartResponse:
    """A ``start_response`` for what takes the place of a response that ``failure`` has ended.

    With uWSGI, ``start_response`` has to be a :class:`Started`: there, ``exc_info`` raises what it
    is even where it replaces a response.
    """

    def start(
        status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        if isinstance(start_response, Started):
            return _started(start_response, status, headers, exc_info or failure)
        return start_response(status, headers, exc_info or failure)

    return start


def _started(
    start_response: Started, status: str, headers: HeaderList, exc_info: OptExcInfo
) -> Callable[[bytes], object]:
    """Start a response with a server that takes ``exc_info`` for what it has to raise."""
    if not start_response.called:
        return start_response(status, headers)
    try:
        return start_response(status, headers, exc_info)
    except SystemError as error:
        # What C code raises for it that returns a result and an error: the response has started.
        if error.__cause__ is not exc_info[1]:
            raise
        return lambda block: start_response(status, headers)(block)
