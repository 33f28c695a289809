"""The cookie of a session: its name, and what browsers are told of it, by where it is sent."""

from __future__ import annotations

import logging

from wsgikit.debug.home import is_at_home
from wsgikit.environ import host
from wsgikit.http.cookies import expire_cookie, format_cookie, parse_cookies
from wsgikit.http.grammar import is_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.http.cookies import SameSite
    from wsgikit.types import WSGIEnvironment

__all__ = ["MAX_NAME", "SessionCookie"]

#: The most characters of a cookie's name.
MAX_NAME = 50

LOG = logging.getLogger("wsgikit.sessions")

_HOST = "__Host-"


class SessionCookie:
    """What is told about the cookie, and once in the log where that is less than it could be.

    :param name: the name, without the prefix.
    :param secure: whether browsers send it by https alone: named ``__Host-`` then, so that they
        take it from no other host and by no http.
    :param same_site: when it is sent along for other sites, as in
        :func:`~wsgikit.http.cookies.format_cookie`.
    :raises ValueError: for what is no such name, and no such option.
    :raises TypeError: for a ``secure`` that is no ``bool``.
    """

    __slots__ = ("_name", "_same_site", "_secure", "_untold")

    def __init__(self, name: str, secure: bool, same_site: SameSite) -> None:
        if not isinstance(name, str) or not is_token(name) or len(name) > MAX_NAME:
            raise ValueError(f"name takes up to {MAX_NAME} letters, digits and -_., not {name!r}")
        if not isinstance(secure, bool):
            raise TypeError(f"secure takes a bool, not {secure!r}")
        if same_site not in ("Strict", "Lax", "None") or (same_site == "None" and not secure):
            raise ValueError(
                f'same_site takes "Lax", "Strict", or "None" with secure=True, not {same_site!r}'
            )
        if name.lower().startswith(("__host-", "__secure-")):
            raise ValueError(f"name takes a name without its prefix, not {name!r}")
        self._name = name
        self._secure = secure
        self._same_site = same_site
        # What there is to tell: taken out when it is told.
        self._untold = {"home": _HOME, "http": _HTTP} if secure else {}

    def is_secure(self, environ: WSGIEnvironment) -> bool:
        """Whether the cookie of this request is one for https: all are, but for development."""
        if environ["wsgi.url_scheme"] == "https" or not self._secure:
            return self._secure
        home = is_at_home(environ)
        # Of several threads, one gets it.
        text = self._untold.pop("home" if home else "http", None)
        if text is not None:
            LOG.warning(text, host(environ)[:100])
        return not home

    def value(self, environ: WSGIEnvironment, secure: bool) -> str | None:
        """What the client has brought; None where it has nothing."""
        field = environ.get("HTTP_COOKIE")
        return parse_cookies(field).get(self._named(secure)) if field else None

    def set(self, value: str, seconds: float, secure: bool) -> str:
        """The Set-Cookie that has the client keep a value for so long."""
        return format_cookie(
            self._named(secure),
            value,
            max_age=int(seconds),
            secure=secure,
            http_only=True,
            same_site=self._own_same_site(secure),
        )

    def forget(self, secure: bool) -> str:
        """The Set-Cookie that has the client forget it."""
        return expire_cookie(
            self._named(secure),
            secure=secure,
            http_only=True,
            same_site=self._own_same_site(secure),
        )

    def _named(self, secure: bool) -> str:
        return _HOST + self._name if secure else self._name

    def _own_same_site(self, secure: bool) -> SameSite:
        return self._same_site if secure or self._same_site != "None" else "Lax"


_HOME = (
    "the session's cookie is a plain one, not Secure, as %a is asked for by http on this machine:"
    " for development only"
)
_HTTP = (
    "the session's cookie is for https, and %a is asked for by http: browsers will not keep it."
    " Serve https, or put proxy_headers() around sessions() behind a proxy that does,"
    " or say secure=False"
)
