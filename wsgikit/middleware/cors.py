"""Which other sites' pages may read the responses: the CORS protocol.

Fetch §3.3 (CORS protocol); Private Network Access §3.1.
"""

from __future__ import annotations

from wsgikit.arguments import check_function, check_texts
from wsgikit.compose import layer
from wsgikit.errors import answer_error
from wsgikit.http.grammar import is_token
from wsgikit.http.headers import Headers
from wsgikit.http.hosts import split_host, wildcards
from wsgikit.http.problem import HTTPError
from wsgikit.response import Response
from wsgikit.wrap import add_unless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from typing import Any

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

    Around = Callable[[StartResponse], StartResponse]

__all__ = ["cors"]

_CREDENTIALS = "a preflight has no credentials, and what refuses it would break every request"

#: What has to stand inside of this layer, and why.
ORDER = {
    "outside": {
        "errors": "scripts could not read the errors, nor see that they are errors",
        "basic_auth": _CREDENTIALS,
        "bearer_auth": _CREDENTIALS,
        "csrf": "scripts could not read why they are refused",
        "rate_limit": "scripts could not read that there were too many requests",
        "ban": "scripts could not read that the client is banned",
        "body_limit": "scripts could not read that the body is too large",
        "concurrency": "scripts could not read that too much is under way",
        "deadline": "scripts could not read that it took too long",
        "cache": "the answer for one origin would be kept for another",
        "maintenance": "scripts could not read that it is maintenance",
    }
}

_ASKED_METHOD = "HTTP_ACCESS_CONTROL_REQUEST_METHOD"
_ALLOW_ORIGIN = "Access-Control-Allow-Origin"
_ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials"
_VARY = ("Vary", "Origin")
_PRIVATE = ("Access-Control-Allow-Private-Network", "true")
# How many origins are remembered with their fields, and how long they may be.
_MOST_KNOWN, _LONGEST = 1000, 300


def doubts(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What :func:`wsgikit.check` tells of options that are allowed and seldom meant."""
    for origin in options["origins"] if options["credentials"] else ():
        if "*" in origin:
            reason = (
                "one site below that name that is taken over can read what is its visitors' own"
            )
            yield reason, f"name each origin in place of {origin!r}"


@layer
def cors(
    app: WSGIApplication,
    *,
    origins: Collection[str] = (),
    is_allowed: Callable[[str], object] | None = None,
    methods: Collection[str] = ("GET", "HEAD", "POST"),
    headers: Collection[str] = (),
    expose: Collection[str] = (),
    credentials: bool = False,
    max_age: int = 600,
    private_network: bool = False,
) -> WSGIApplication:
    """Pages of the given origins may use this site by script, and read what it answers.

    :param origins: ``"https://app.example"``, ``"https://*.example.com"`` for all below, or ``"*"``
        alone for any: of pages that anybody may read.
    :param is_allowed: instead, ``is_allowed(origin)`` tells for each request whether its origin is
        one of them: for those that a database knows. Clients can send any text, and sandboxed pages
        send ``null``, so it has to compare all of it.
    :param methods: what they may send beside GET, HEAD and POST, which need no permission.
    :param headers: the fields that they may send beside those that need no permission; ``"*"`` for
        any but Authorization.
    :param expose: the fields that they may read beside those that anybody may; ``"*"`` for any.
    :param credentials: whether they may send cookies, and read what is answered to those. Not with
        ``"*"``.
    :param max_age: how many seconds browsers keep the answer to a preflight; they cap it, Chromium
        at 7200.
    :param private_network: whether pages of the public network may reach this in a private one.
    :raises ValueError: for what is no origin, method or field, for ``"*"`` with credentials, and
        for neither ``origins`` nor ``is_allowed``, or both.
    :raises TypeError: for an option of another type.

    A preflight is answered here: 204, and 403 for other origins. All other responses are those of
    the application, whatever their status, with what the origin may do; to other origins nothing is
    said, and their scripts cannot read them. It is no protection from their requests. A response
    that has an ``Access-Control-Allow-Origin`` of its own stays as it is.

    Unless the origins are ``"*"``, every response depends on Origin and says so in Vary.
    """
    methods = _names("methods", methods, credentials)
    headers = _names("headers", headers, credentials)
    expose = _names("expose", expose, credentials)
    origins = check_texts("origins", origins, "origins")
    if is_allowed is not None:
        check_function("is_allowed", is_allowed, "a function of an origin")
    if bool(origins) == (is_allowed is not None):
        raise ValueError("cors() takes either origins, one or more, or is_allowed")
    anybody = "*" in origins
    if anybody and (len(origins) > 1 or credentials):
        raise ValueError("origins takes '*' alone and without credentials")
    if type(max_age) is not int or max_age < 0:
        raise ValueError(f"max_age takes a number of seconds, not {max_age!r}")
    permitted = frozenset(() if anybody else map(_checked, origins))
    wild = any("*" in origin for origin in permitted)

    def grant(origin: str) -> tuple[Around, WSGIApplication]:
        """What is added to responses for ``origin``, and what answers its preflights."""
        fields = [(_ALLOW_ORIGIN, origin)]
        if credentials:
            fields.append((_ALLOW_CREDENTIALS, "true"))
        if not anybody:
            fields.append(_VARY)
        allow = [*fields, ("Access-Control-Allow-Methods", ", ".join(methods))]
        if headers:
            allow.append(("Access-Control-Allow-Headers", ", ".join(headers)))
        allow.append(("Access-Control-Max-Age", str(max_age)))
        if expose:
            fields.append(("Access-Control-Expose-Headers", ", ".join(expose)))
        public = Response(status=204, headers=allow)
        private = Response(status=204, headers=[*allow, _PRIVATE]) if private_network else public

        def preflight(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK") == "true"
            return (private if asked else public)(environ, start_response)

        return _adding(fields), preflight

    others = grant("*") if anybody else (_adding([_VARY]), _refuse)
    exact = {origin: grant(origin) for origin in permitted if "*" not in origin}
    known = exact.copy()

    def granted(origin: str) -> tuple[Around, WSGIApplication]:
        nonlocal known
        found = known.get(origin)
        if found is None:
            if len(known) >= _MOST_KNOWN:
                known = exact.copy()
            found = known[origin] = grant(origin)
        return found

    def find(origin: str) -> tuple[Around, WSGIApplication]:
        if not wild or permitted.isdisjoint(_patterns(origin)):
            return others
        return granted(origin)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            return app(environ, others[0](start_response))
        if is_allowed is None:
            around, preflight = known.get(origin) or find(origin)
        else:
            allowed = _could_be(origin) and is_allowed(origin)
            around, preflight = granted(origin) if allowed else others
        if environ["REQUEST_METHOD"] == "OPTIONS" and _ASKED_METHOD in environ:
            return preflight(environ, start_response)
        return app(environ, around(start_response))

    return answer


def _adding(fields: HeaderList) -> Around:
    def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
        kept = Headers.view(headers)
        if _ALLOW_ORIGIN not in kept:
            kept.pop(_ALLOW_CREDENTIALS, None)  # two make none; alone, it was no permission
            headers += fields
            kept.vary()  # makes one line of two
        return status, headers

    names = (_ALLOW_ORIGIN.lower(), _ALLOW_CREDENTIALS.lower(), "vary")
    return add_unless(names, fields, edit)


def _refuse(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """The answer to a preflight of another origin: Fetch advises the 403."""
    error = HTTPError(403, "Pages of that origin may not use this site.", headers=[_VARY])
    return answer_error(error, environ, start_response)


def _names(option: str, given: Collection[str], credentials: bool) -> tuple[str, ...]:
    names = check_texts(option, given, "names")
    for name in names:
        if not is_token(name):
            raise ValueError(f"{option} takes names, not {name!r}")
        if name == "*" and credentials:
            raise ValueError(f"{option} takes no '*' with credentials: it would be a name")
    return names


def _could_be(origin: str) -> bool:
    """Whether a browser could have sent this, which goes into a field of the response."""
    if not 0 < len(origin) <= _LONGEST or " " in origin:
        return False
    return origin.isascii() and origin.isprintable()


def _checked(origin: str) -> str:
    """An origin or a pattern of them, if it is spelled as browsers spell origins."""
    scheme, _, authority = origin.partition("://")
    star = "*." if authority[:2] == "*." else ""
    host, port = split_host(authority.removeprefix(star)) or ("", "")
    spelled = f"{scheme}://{star}{host}{port and ':'}{port}"
    usual = {"http": "80", "https": "443"}.get(scheme, "")
    sound = is_token(scheme) and scheme.islower() and host and not (star and host[0] == "[")
    if not sound or spelled != origin or (port and port == usual):
        raise ValueError(
            "origins takes origins as browsers spell them, such as 'https://app.example:8443' and"
            f" 'https://*.example.com', not {origin!r}"
        )
    return origin


def _patterns(origin: str) -> list[str]:
    """The patterns that an origin is of."""
    scheme, _, authority = origin.partition("://")
    host, port = split_host(authority) or ("", "")
    return [f"{scheme}://{wildcard}{port and ':'}{port}" for wildcard in wildcards(host)]
