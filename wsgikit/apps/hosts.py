"""Which application answers which host (RFC 9110 §7.2, §7.4; RFC 3986 §3.2.2)."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address

from wsgikit.errors import answer_error
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["hosts"]

# RFC 1035 §2.3.4: octets of a name, as text without the dot at its end, and of a label.
_NAME_LENGTH, _LABEL_LENGTH = 253, 63
# The underscore is no letter of host names, but there are such names, and they are asked for.
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


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
    exact: dict[str, WSGIApplication] = {}
    below: dict[str, WSGIApplication] = {}
    patterns: dict[str, str] = {}
    for pattern, app in table.items():
        wild = pattern.startswith("*.")
        name = _host_name(pattern[2:] if wild else pattern)
        # An address has nothing below it, and a port is not part of a host.
        if name is None or (wild and name[0] == "[") or (":" in pattern and pattern[-1] != "]"):
            raise ValueError(
                "table takes hosts without a port, such as 'example.com', '*.example.com' and"
                f" '[::1]', not {pattern!r}"
            )
        key = f"*.{name}" if wild else name
        if key in patterns:
            raise ValueError(f"table has one host twice: {patterns[key]!r} and {pattern!r}")
        if not callable(app):
            raise TypeError(f"table takes a WSGI application for {pattern!r}, not {app!r}")
        patterns[key] = pattern
        (below if wild else exact)[name] = app
    if default is not None and not callable(default):
        raise TypeError(f"default takes a WSGI application or None, not {default!r}")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        field = environ.get("HTTP_HOST", "")
        name = _host_name(field)
        if name is not None:
            app = exact.get(name) or find(name) or default or misdirected
        elif not field and default is not None and environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
            app = default
        else:
            app = malformed
        return app(environ, start_response)

    def find(name: str) -> WSGIApplication | None:
        while name:
            name = name.partition(".")[2]
            if name in below:
                return below[name]
        return None

    parts = [(pattern, table[pattern]) for pattern in patterns.values()]
    if default is not None:
        parts.append(("default", default))
    answer.__qualname__ = "hosts"
    answer.described = lambda: ({}, parts)  # type: ignore[attr-defined]
    return answer


def misdirected(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """What answers for a host that is not here: 421, as RFC 9110 §7.4 has it."""
    error = HTTPError(421, "This server does not answer for that host.")
    return answer_error(error, environ, start_response)


def malformed(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """What answers without a Host to go by: 400, as RFC 9112 §3.2 has it."""
    error = HTTPError(400, "The Host field is missing or malformed.")
    return answer_error(error, environ, start_response)


def _host_name(authority: str) -> str | None:
    """The host of ``host[:port]`` in one spelling, or None where it is malformed."""
    if len(authority) > _NAME_LENGTH + len(".:65535"):
        return None
    if authority[:1] == "[":
        host, bracket, port = authority[1:].partition("]")
        if not bracket or port[:1] not in ("", ":") or not _is_port(port[1:]) or "%" in host:
            return None
        try:
            return f"[{IPv6Address(host)}]"
        except AddressValueError:
            return None
    host, _, port = authority.lower().partition(":")
    host = host.removesuffix(".")
    if not _is_port(port) or len(host) > _NAME_LENGTH:
        return None
    labels = host.split(".")
    if all(0 < len(label) <= _LABEL_LENGTH and _LABEL.issuperset(label) for label in labels):
        return host
    return None


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and int(text) <= 65535)
