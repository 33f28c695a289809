"""No forged requests: what other sites' pages send is refused, without tokens in forms.

Fetch Metadata (W3C), section 2.3 (Sec-Fetch-Site); RFC 6454, section 7 (Origin). The scheme is that
of CrossOriginProtection in Go's net/http, since version 1.25.
"""

from __future__ import annotations

from wsgikit.arguments import check_texts
from wsgikit.compose import layer
from wsgikit.environ import host, native
from wsgikit.errors import answer_error
from wsgikit.http.grammar import is_token
from wsgikit.http.hosts import split_host
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["csrf"]

#: What has to stand outside of this layer, and why.
ORDER = {
    "inside": {
        "proxy_headers": "it would compare Origin with the host and scheme of the proxy's request",
    }
}

# They change nothing (RFC 9110, section 9.2.1), and may so be caused by anybody.
_SAFE = frozenset(["GET", "HEAD", "OPTIONS"])
_SITE = "HTTP_SEC_FETCH_SITE"
_ORIGIN = "HTTP_ORIGIN"
# "none": no page has caused it, but a person, by the address bar or a bookmark.
_OWN = frozenset(["same-origin", "none"])
_PORTS = {"http": "80", "https": "443"}
_DOTS = {".", ".."}


@layer
def csrf(
    app: WSGIApplication, *, trusted: Collection[str] = (), exempt: Collection[str] = ()
) -> WSGIApplication:
    """What changes something is taken from pages of this site alone; else it is a 403.

    :param trusted: origins of other sites whose pages may send it too, as browsers spell them:
        ``"https://app.example"``; and this site's own, where a proxy in front changes Host.
    :param exempt: paths that take it from anywhere: ``"/hooks/payment"``, ``"/hooks/*"`` for all
        that begin so. For what is no matter of cookies: calls that are signed, reports of browsers.
        A path with ``.`` or ``..`` in it is never exempt.
    :raises ValueError: for what is no origin, and no such path.
    :raises TypeError: for what is no list of text, as one ``str``.

    GET, HEAD and OPTIONS pass: views of these must change nothing. All others pass

    1. if browsers say by ``Sec-Fetch-Site`` that the page is of this very origin, or that no page
       has caused them. A subdomain, or the same host by http, is another origin.
    2. Where there is no such field (browsers of before 2023; and all of them on sites by http that
       are not on the same machine): if ``Origin`` names the Host that was asked for. A page by http
       is none of a site by https.
    3. Where there is neither field: so do programs, and browsers of before 2020. They pass, as a
       program acts for nobody else; for the browsers, a cookie with SameSite is what is left.

    Paths are as this layer finds them: PATH_INFO. Reads HTTP_ORIGIN, HTTP_HOST,
    HTTP_SEC_FETCH_SITE and ``wsgi.url_scheme``.
    """
    trusted = check_texts("trusted", trusted, "origins")
    origins = frozenset(map(_checked_origin, trusted))
    exempt = check_texts("exempt", exempt, "paths")
    paths = frozenset(native(_checked_path(path)) for path in exempt)
    exact = frozenset(path for path in paths if not path.endswith("*"))
    starts = tuple(path[:-1] for path in paths if path.endswith("*"))

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if environ["REQUEST_METHOD"] in _SAFE:
            return app(environ, start_response)
        site = environ.get(_SITE)
        passes = site in _OWN if site else _ORIGIN not in environ
        if passes or permitted(environ):
            return app(environ, start_response)
        return _refuse(environ, start_response)

    def permitted(environ: WSGIEnvironment) -> bool:
        origin = environ.get(_ORIGIN)
        if origin is not None and not environ.get(_SITE) and _is_own(origin, environ):
            return True
        if origin in origins:
            return True
        path: str = environ.get("PATH_INFO", "")
        known = path in exact or path.startswith(starts)
        # "/hooks/..%2Faccount" is still one segment to a browser, and may be two to the application
        return known and _DOTS.isdisjoint(path.replace("\\", "/").split("/"))

    return answer


def _is_own(origin: str, environ: WSGIEnvironment) -> bool:
    """Whether an origin is the one that was asked for."""
    scheme, _, authority = origin.partition("://")
    usual = _PORTS.get(scheme)
    if usual is None or (scheme == "http" and environ["wsgi.url_scheme"] == "https"):
        return False
    theirs, ours = split_host(authority), split_host(host(environ))
    # The scheme of ours may be http where a proxy has not told of https: theirs counts.
    return (
        theirs is not None
        and ours is not None
        and ((theirs[0], theirs[1] or usual) == (ours[0], ours[1] or usual))
    )


def _refuse(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    site = environ.get(_SITE)
    said = f"Sec-Fetch-Site: {site}" if site else f"Origin: {environ['HTTP_ORIGIN']}"
    error = HTTPError(
        403,
        f"This was sent by a page of another site ({ascii(said)[1:-1]:.200}), which may not change"
        " anything here. Sites that may are named in trusted of csrf().",
    )
    return answer_error(error, environ, start_response)


def _checked_origin(origin: str) -> str:
    scheme, _, authority = origin.partition("://")
    name, port = split_host(authority) or ("", "")
    spelled = f"{scheme}://{name}{port and ':'}{port}"
    sound = is_token(scheme) and scheme.islower() and name
    if not sound or spelled != origin or (port and port == _PORTS.get(scheme)):
        raise ValueError(
            "trusted takes origins as browsers spell them, such as 'https://app.example:8443',"
            f" not {origin!r}"
        )
    return origin


def _checked_path(path: str) -> str:
    if path[:1] != "/" or "*" in path[:-1]:
        raise ValueError(f"exempt takes paths such as '/hook' and '/hooks/*', not {path!r}")
    if path.endswith("*") and not path.endswith("/*"):
        raise ValueError(f"exempt takes '/*' at the end of a path, not {path!r}")
    return path
