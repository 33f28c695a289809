"""A time by which a request should be answered, for those who wait inside to look at."""

from __future__ import annotations

from time import monotonic

from wsgikit.compose import layer
from wsgikit.errors import answer_error
from wsgikit.failures import logged
from wsgikit.http.problem import HTTPError
from wsgikit.keys import DEADLINE
from wsgikit.wrap import guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["deadline", "remaining"]

#: What has to stand outside of this layer, and why.
ORDER = {
    "inside": {
        "errors": "it would answer a TimeoutError by a 500 before this layer sees it",
        "debugger": "it would answer a TimeoutError by its page before this layer sees it",
    }
}


@layer
def deadline(app: WSGIApplication, *, seconds: float) -> WSGIApplication:
    """A request that is not answered in time gets a 503, from those inside who look at the clock.

    :param seconds: how long a request may take, from here on.
    :raises ValueError: for what is no positive number of seconds.

    It is cooperative: nobody is interrupted, and who is late but does answer is heard. A view asks
    :func:`remaining` where it is about to wait, or passes it on as a timeout. What that raises when
    the time is over is answered by a 503 with Retry-After, wherever it comes out. If a
    :class:`TimeoutError` comes out of the application then, the answer is the same, and the logger
    ``wsgikit.errors`` gets the traceback.

    Writes ``wsgikit.deadline``. One that is there already (of an outer layer, or of a server that
    knows how long the request has waited) stays if it is earlier; if it is over, the application is
    not called.
    """
    if not isinstance(seconds, (int, float)) or not 0 < seconds < float("inf"):
        raise ValueError(f"seconds takes a positive number of seconds, not {seconds!r}")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        now = monotonic()
        end = now + seconds
        outer = environ.get(DEADLINE)
        if outer is not None and outer < end:
            if outer <= now:
                return _late(environ, start_response)
            end = outer
        environ[DEADLINE] = end

        def rescue(error: Exception) -> WSGIApplication:
            if isinstance(error, _Late):
                return _late
            if not isinstance(error, TimeoutError) or monotonic() < end:
                raise error
            return logged(_late, error, "was not answered in time")

        return guard(app, environ, start_response, rescue)

    return answer


def remaining(environ: WSGIEnvironment) -> float:
    """How many seconds are left until the request's deadline; infinity where there is none.

    For a timeout: ``connection.settimeout(min(5, remaining(request.environ)))``.

    :raises HTTPError: 503 with Retry-After, when none are left.
    """
    left: float = environ.get(DEADLINE, float("inf")) - monotonic()
    if left <= 0:
        raise _Late()
    return left


def _late(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    return answer_error(_Late(), environ, start_response)


class _Late(HTTPError):
    """The time is over. The layer tells it from errors that are the application's own."""

    def __init__(self) -> None:
        detail = "This took longer than a request may take. Try again later."
        super().__init__(503, detail, headers=[("Retry-After", "5")])
