"""Which application answers which host (RFC 9110 §7.2, §7.4; RFC 3986 §3.2.2)."""

from __future__ import annotations

from wsgikit.errors import answer_error
from wsgikit.http.hosts import host_name, host_pattern, wildcards
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["hosts"]


def hosts(
    table: Mapping[str, WSGIApplication], *, default: WSGIApplication | None = None
) -> WSGIApplication:
    """Pass each request to the application of the host that it is for.

    :param table: applications by host: ``"example.com"``, ``"[::1]"``, or ``"*.example.com"`` for
        all below ``example.com``, at any depth, but not itself. Names have no port; letters that
        are not ASCII are written as ``xn--``.
    :param default: answers for all other hosts; without it they get a 421.
    :raises ValueError: for a host that is none, and for two that are the same.
    :raises TypeError: for an application that cannot be called.

    An exact host wins over a wildcard, a longer wildcard over a shorter one. Case, the port, and a
    dot at the end make no difference. A Host field that is missing or malformed is a 400, but a
    client of HTTP/1.0, which has no such field, gets to ``default``. The cost of a choice does not
    grow with the table::

        app = hosts({"example.com": site, "*.example.com": tenants})
    """
    apps: dict[str, WSGIApplication] = {}
    patterns: dict[str, str] = {}
    for pattern, app in table.items():
        key = host_pattern(pattern)
        if key is None:
            raise ValueError(
                "table takes hosts without a port, such as 'example.com', '*.example.com' and"
                f" '[::1]', not {pattern!r}"
            )
        if key in patterns:
            raise ValueError(f"table has one host twice: {patterns[key]!r} and {pattern!r}")
        if not callable(app):
            raise TypeError(f"table takes a WSGI application for {pattern!r}, not {app!r}")
        patterns[key] = pattern
        apps[key] = app
    if default is not None and not callable(default):
        raise TypeError(f"default takes a WSGI application or None, not {default!r}")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        field = environ.get("HTTP_HOST", "")
        name = host_name(field)
        if name is not None:
            app = apps.get(name) or find(name) or default or misdirected
        elif not field and default is not None and environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
            app = default
        else:
            app = malformed
        return app(environ, start_response)

    def find(name: str) -> WSGIApplication | None:
        return next((apps[key] for key in wildcards(name) if key in apps), None)

    def rebuilt(others: list[WSGIApplication]) -> WSGIApplication:
        return hosts(
            dict(zip(patterns.values(), others, strict=False)),
            default=None if default is None else others[-1],
        )

    parts = [(pattern, table[pattern]) for pattern in patterns.values()]
    if default is not None:
        parts.append(("default", default))
    answer.__qualname__ = "hosts"
    answer.described = lambda: ({}, parts)  # type: ignore[attr-defined]
    answer.rebuilt = rebuilt  # type: ignore[attr-defined]
    return answer


def misdirected(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """What answers for a host that is not here: 421, as RFC 9110 §7.4 has it."""
    error = HTTPError(421, "This server does not answer for that host.")
    return answer_error(error, environ, start_response)


def malformed(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """What answers without a Host to go by: 400, as RFC 9112 §3.2 has it."""
    error = HTTPError(400, "The Host field is missing or malformed.")
    return answer_error(error, environ, start_response)
