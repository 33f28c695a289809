"""Errors answered: pages of one's own by status, answers for exceptions, 500 for failures."""

from __future__ import annotations

from wsgikit.arguments import check_mapping
from wsgikit.compose import layer
from wsgikit.errors import draw_error
from wsgikit.failures import logged
from wsgikit.http.problem import HTTPError
from wsgikit.http.status import status_line
from wsgikit.keys import DRAW_ERROR
from wsgikit.request import Request
from wsgikit.response import Response, to_application
from wsgikit.wrap import guard, on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

    Handler: TypeAlias = Callable[..., object]
    Draw: TypeAlias = Callable[[HTTPError, WSGIEnvironment, StartResponse], Body]

__all__ = ["errors"]

#: What has to stand inside of this layer, and why.
ORDER = {"outside": {"debugger": "this layer would answer failures before they could be shown"}}

# What a client may know of a failure: that there was one.
FAILED = "The server could not finish this request. The failure has been logged."


@layer
def errors(
    app: WSGIApplication,
    *,
    handlers: Mapping[int | type[Exception], Handler] | None = None,
) -> WSGIApplication:
    """Every error gets an answer, and every failure is logged, once.

    An :class:`~wsgikit.HTTPError` is answered by its status, wherever it was answered (a view, the
    router's 404 and 405, a file that is not there) or if an application let it pass. Any other
    :class:`Exception` is a failure: the client gets a 500 without details, the logger
    ``wsgikit.errors`` the traceback with method and path. Where headers have been sent already, the
    error passes on to the server, which logs it and breaks the connection (PEP 3333).

    :param handlers: what answers instead of the built-in page, ``handler(request, error)`` by
        status (400 to 599) or by class of exception. It returns what a view may return.

        By class, the nearest class of the exception wins. Such a handler says that the exception is
        none of a failure: it is not logged. By status, the handler is given an
        :class:`~wsgikit.HTTPError`, for a failure one of 500 with the exception as ``__cause__``.
        :class:`~wsgikit.HTTPError` as the class stands for all statuses without a handler.

        An answer to an HTTPError gets its status unless the handler's response says another one
        than 200, and with the status the error's own header fields (``Allow``, ``Retry-After``).
        For other exceptions a response keeps its status, and text or data gets a 500.

        A handler may raise an HTTPError: one for a class (``raise HTTPError(404) from error``) gets
        it answered by status, one for a status gets it drawn as if there were no handlers. Whatever
        else it raises is logged, and the error drawn as if there were no handlers.

    Of two such layers the inner one answers. Writes ``wsgikit.draw_error`` to the environ.

    Raises :class:`TypeError` or :class:`ValueError` that names ``handlers`` when these are no such
    mapping, and for :class:`Exception` as a class, which would hide every failure: use 500.
    """
    known = _checked({} if handlers is None else handlers)

    def by_class(error: Exception, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        classes = type(error).__mro__
        general = HTTPError if isinstance(error, HTTPError) else Exception
        for kind in classes[: classes.index(general)]:
            if kind in known:
                return _handled(known[kind], error, by_status, environ, start_response)
        if isinstance(error, HTTPError):
            return by_status(error, environ, start_response)
        failure = HTTPError(500, FAILED)
        failure.__cause__ = error
        return logged(_bound(by_status, failure), error)(environ, start_response)

    def by_status(
        error: HTTPError, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Body:
        handler = known.get(error.status) or known.get(HTTPError)
        if handler is None:
            return draw_error(error, environ, start_response)
        return _handled(handler, error, draw_error, environ, start_response)

    def rescue(error: Exception) -> WSGIApplication:
        return lambda environ, start_response: by_class(error, environ, start_response)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        environ[DRAW_ERROR] = by_class
        return guard(app, environ, start_response, rescue)

    return answer


def _checked(handlers: object) -> dict[object, Handler]:
    known: dict[object, Handler] = {}
    for key, handler in check_mapping("handlers", handlers, "statuses and classes to functions"):
        if isinstance(key, int) and not isinstance(key, bool):
            if not 400 <= key <= 599:
                raise ValueError(f"handlers: a status of errors is 400 to 599, not {key}")
        elif not (isinstance(key, type) and issubclass(key, Exception)):
            raise TypeError(f"handlers: {key!r} is neither a status nor a class of Exception")
        elif key is Exception:
            raise ValueError("handlers: Exception would hide every failure; handle the status 500")
        if not callable(handler):
            raise TypeError(f"handlers: {handler!r} is no function (request, error)")
        known[key] = handler
    return known


def _bound(draw: Draw, error: HTTPError) -> WSGIApplication:
    return lambda environ, start_response: draw(error, environ, start_response)


def _handled(
    handler: Handler,
    error: Exception,
    otherwise: Draw,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Body:
    """Answer as ``handler`` says; what goes wrong in that is never handled by it again."""

    def ask(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        environ[DRAW_ERROR] = otherwise
        result = handler(Request(environ), error)
        if isinstance(error, HTTPError):
            start_response = _with_status(start_response, error)
        elif not callable(result):
            start_response = _with_status(start_response, HTTPError(500))
        app = Response("") if result is None else to_application(result)
        return app(environ, start_response)

    def rescue(raised: Exception) -> WSGIApplication:
        if isinstance(raised, HTTPError):
            return _bound(otherwise, raised)
        drawn = error if isinstance(error, HTTPError) else HTTPError(500, FAILED)
        name = getattr(handler, "__qualname__", repr(handler))
        return logged(_bound(draw_error, drawn), raised, f"failed in the error handler {name}")

    return guard(ask, environ, start_response, rescue)


def _with_status(start_response: StartResponse, error: HTTPError) -> StartResponse:
    """Start a response of 200 with the status of ``error``; with that go the error's fields."""
    line = status_line(error.status)

    def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
        if status[:3] == "200":
            status = line
        if status[:3] == line[:3]:
            present = {name.lower() for name, _ in headers}
            headers += [field for field in error.headers if field[0].lower() not in present]
        return status, headers

    return on_start(start_response, edit)
