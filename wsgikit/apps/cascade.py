"""Applications tried one after the other until one has an answer."""

from __future__ import annotations

from wsgikit.arguments import check_list
from wsgikit.wrap import prefer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["cascade"]

_STATUSES = (404, 405)


def cascade(*apps: WSGIApplication, statuses: Iterable[int] = _STATUSES) -> WSGIApplication:
    """Answer as the first of ``apps`` does whose status is none of ``statuses``; else as the last.

    :param apps: one application or more, in the order in which they are asked.
    :param statuses: the status codes that pass a request on to the next.
    :raises TypeError: without an application, for one that cannot be called, and for what is no
        list of statuses.
    :raises ValueError: for a status that is none.

    Each but the last gets a copy of the environ, so that what it changes there (a mount shifts
    PATH_INFO) is unknown to the next and to the layers around. Of a response that is passed over,
    nobody sees anything, and its body is closed; one that counts is streamed as it comes. What
    becomes an error before its first block is passed over, too, if ``statuses`` has it. A request
    body is there once: what one application has read, the next does not find. Put those first that
    answer before they read, as ``static`` does::

        app = cascade(static("public"), router)
    """
    for app in apps:
        if not callable(app):
            raise TypeError(f"cascade() takes WSGI applications, not {app!r}")
    if not apps:
        raise TypeError("cascade() takes at least one application")
    statuses = check_list("statuses", statuses, "status codes")
    passed_on = frozenset(map(_code, statuses))
    *attempts, last = apps

    def counts(status: str, headers: HeaderList) -> bool:
        return status[:3] not in passed_on

    def alone(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        return last(environ, start_response)

    answer = last if attempts else alone
    for app in reversed(attempts):
        answer = _either(app, answer, counts)
    options: dict[str, object] = {}
    if passed_on != frozenset(map(str, _STATUSES)):
        options["statuses"] = tuple(sorted(map(int, passed_on)))
    parts = [(str(number), app) for number, app in enumerate(apps, 1)]
    answer.__qualname__ = "cascade"
    answer.described = lambda: (options, parts)  # type: ignore[attr-defined]
    answer.rebuilt = lambda apps: cascade(*apps, statuses=statuses)  # type: ignore[attr-defined]
    return answer


def _either(
    app: WSGIApplication, other: WSGIApplication, counts: Callable[[str, HeaderList], bool]
) -> WSGIApplication:
    """Answer as ``app`` does where its response counts, else as ``other`` does."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        return prefer(
            app, environ.copy(), start_response, counts, lambda start: other(environ, start)
        )

    return answer


def _code(status: int) -> str:
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise ValueError(f"statuses takes status codes from 100 to 599, not {status!r}")
    return f"{status:d}"
