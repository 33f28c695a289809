"""Requests counted and timed, by route, for Prometheus and the like (OpenMetrics 1.0)."""

from __future__ import annotations

from wsgikit.arguments import check_function
from wsgikit.compose import layer
from wsgikit.failures import LOG
from wsgikit.keys import ROUTE
from wsgikit.metrics import Metrics
from wsgikit.wrap import observe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment
    from wsgikit.wrap import Observed

__all__ = ["metrics", "route_template"]

#: What has to stand inside of this layer, and why.
ORDER = {
    "outside": {
        "errors": "a failure would be counted without the answer that the client got",
        "debugger": "a failure would be counted without the answer that the client got",
        "compress": "the bytes would not be those that are sent",
    }
}


def route_template(environ: WSGIEnvironment) -> str:
    """The template of the route that answered, ``/users/{id:int}``, below where it is mounted.

    Empty where no router of wsgikit had a route. For a mounted application that is none, it is
    where that is mounted: ``/shop/*``.
    """
    route = environ.get(ROUTE)
    if route is None:
        return ""
    root: str = environ.get("SCRIPT_NAME", "")
    if not route.methods:  # a mount: its prefix has moved there
        return f"{root}/*"
    return root + route.template.text  # type: ignore[no-any-return]


@layer
def metrics(
    app: WSGIApplication,
    *,
    into: Metrics,
    route: Callable[[WSGIEnvironment], str | None] = route_template,
) -> WSGIApplication:
    """Each request is counted and timed, from here until its response is over.

    :param into: what counts; as an application, it shows what was counted.
    :param route: the label by which requests are told apart, from the environ as the application
        leaves it; None is the empty one. It is called when the response is over, and must have few
        values: a path that clients choose is none. If it fails, or returns what is no text, that is
        logged, and the label is empty.

    A request that the application failed at counts as a 500 if nothing had been sent. Methods that
    are not usual are ``_OTHER``.
    """
    if not isinstance(into, Metrics):
        raise TypeError(f"into takes a Metrics, not {into!r}")
    check_function("route", route, "a function of an environ")
    began, ended = into.began, into.ended

    def done(observed: Observed, environ: WSGIEnvironment) -> None:
        try:
            label = route(environ)
            if label.__class__ is not str:
                label = _checked(label)
        except Exception:
            LOG.exception("route of metrics() failed")
            label = ""
        status = observed.status if observed.outcome != "failed" else str(observed.code)
        ended(id(environ), observed.method, label or "", status, observed.took, observed.sent or 0)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        began(id(environ))
        return observe(app, environ, start_response, done, environ)

    return answer


def _checked(label: object) -> str | None:
    """A label that is no plain ``str``: None, or a ``str`` of a kind of its own."""
    if label is not None and not isinstance(label, str):
        raise TypeError(f"route returned {label!r:.200}: it has to return a str, or None")
    return label
