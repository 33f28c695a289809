"""A new version for some of the visitors, and the same one for each of them every time."""

from __future__ import annotations

from random import random

from wsgikit.arguments import check_function, check_token
from wsgikit.compose import layer
from wsgikit.http.cookies import format_cookie, parse_cookies
from wsgikit.http.headers import Headers
from wsgikit.wrap import on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["canary"]


@layer
def canary(
    app: WSGIApplication,
    *,
    to: WSGIApplication,
    share: float,
    cookie: str = "canary",
    max_age: int = 30 * 24 * 60 * 60,
    draw: Callable[[], float] = random,
) -> WSGIApplication:
    """Some visitors get the application ``to``: a new version, or the B of A and B.

    :param to: what they get.
    :param share: how many of those who come for the first time, from 0 to 1.
    :param cookie: the name of the cookie by which a visitor gets the same one the next time.
    :param max_age: for how long, in seconds.
    :param draw: gives a number from 0 to below 1 for each new visitor.
    :raises TypeError: for what is no application, and for a ``draw`` that is no function.
    :raises ValueError: for a share, an age or a name that is none.

    The cookie says ``new-0.1`` or ``old-0.1``: which one, and of which share. When the share grows,
    those who had the old one are drawn again, in such a way that as many as it says have the new
    one; when it falls, all are. It is not signed: whoever wants to see the new one sets the cookie
    by hand, and whom that must not be possible for needs a lock, not a canary.

    Each response has ``Vary: Cookie``, and one that sets the cookie ``Cache-Control: private``
    where it has no Cache-Control of its own.
    """
    check_function("to", to, "a WSGI application")
    check_function("draw", draw, "a function that gives a number")
    check_token("cookie", cookie, "the name of a cookie")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ValueError(f"share takes a number from 0 to 1, not {share!r}")
    if type(max_age) is not int or max_age < 0:
        raise ValueError(f"max_age takes a number of seconds, not {max_age!r}")
    set_new = format_cookie(cookie, f"new-{float(share)}", max_age=max_age, http_only=True)
    set_old = format_cookie(cookie, f"old-{float(share)}", max_age=max_age, http_only=True)

    def chosen(environ: WSGIEnvironment) -> tuple[bool, bool]:
        """Whether a visitor gets the new one, and whether that is to be told by a cookie."""
        told = parse_cookies(environ.get("HTTP_COOKIE", "")).get(cookie, "")
        kind, _, before = told.partition("-")
        try:
            known = float(before)
        except ValueError:
            known = -1.0
        if kind not in ("new", "old") or not 0 <= known <= share:
            return draw() < share, True
        if kind == "new":
            return True, known != share
        if known == share:
            return False, False
        # Of those who had the old one, so many that the share is right again.
        return draw() < (share - known) / (1 - known), True

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        new, told = chosen(environ)

        def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
            fields = Headers.view(headers)
            fields.vary("Cookie")
            if told:
                fields.add("Set-Cookie", set_new if new else set_old)
                fields.setdefault("Cache-Control", "private")
            return status, headers

        return (to if new else app)(environ, on_start(start_response, edit))

    return answer
