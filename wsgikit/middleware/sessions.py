"""Sessions: what a site keeps for each of its visitors, from one request to the next."""

from __future__ import annotations

from time import time

from wsgikit.arguments import check_clock
from wsgikit.compose import layer
from wsgikit.keys import SESSION
from wsgikit.sessions.cookie import SessionCookie
from wsgikit.sessions.kept import Life
from wsgikit.sessions.opening import Sessions
from wsgikit.sessions.signed import SignedSessions
from wsgikit.sessions.stored import StoredSessions
from wsgikit.stores.limits import check_store
from wsgikit.wrap import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from wsgikit.http.cookies import SameSite
    from wsgikit.stores.protocol import Store
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["sessions"]

#: What has to stand outside of this layer, and why.
ORDER = {
    "inside": {
        "errors": "a session that cannot be saved would be answered by the server alone",
        "proxy_headers": "what came to the proxy by https would get a cookie that is not for https",
        "cache": "what is of one person would be kept for others, as it would not say so yet",
        "cache_control": "its rules would not see what is of one person",
    }
}

DAY = 24 * 60 * 60


def doubts(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What :func:`wsgikit.check` tells of options that are allowed and seldom meant."""
    if not options["secure"]:
        yield "whoever can listen to the network can take over a session", "serve https"


@layer
def sessions(
    app: WSGIApplication,
    *,
    keys: Sequence[str | bytes] = (),
    store: Store | None = None,
    idle: float = 7 * DAY,
    absolute: float = 30 * DAY,
    name: str = "session",
    secure: bool = True,
    same_site: SameSite = "Lax",
    clock: Callable[[], float] = time,
) -> WSGIApplication:
    """Each visitor has a :class:`~wsgikit.sessions.session.Session`: ``request.session``.

    :param keys: secrets with which the session is signed and given to the client, the newest first,
        as in :class:`~wsgikit.signing.Signer`: the first signs, all verify. It can be read by its
        holder, holds about 2,900 bytes of JSON, and cannot be taken back: a copy of the cookie is
        good until it expires, also after a sign-out.
    :param store: instead, where sessions are kept (:mod:`wsgikit.stores.protocol`). The client gets
        a random id; what is ended is over.
    :param idle: seconds after which a session is over that no request has used.
    :param absolute: seconds after which it is over in any case, counted from its beginning or its
        last :meth:`~wsgikit.sessions.session.Session.rotate`.
    :param name: the cookie's name. By https it is ``__Host-`` and this, which a browser takes from
        this host alone, by https, for all of its paths.
    :param secure: whether the cookie is for https alone. For development it is not, where the
        request is by http from this machine for this machine (``localhost``, 127.0.0.1), which the
        log tells once. False: it never is, and never has the prefix.
    :param same_site: ``"Lax"``: links from other sites bring the cookie, their forms and scripts do
        not. ``"Strict"``: links do not bring it either. ``"None"``: it comes along always.
    :param clock: seconds since 1970, for tests.
    :raises ValueError: when there are neither ``keys`` nor a ``store``, or both, and for what an
        option does not take.
    :raises TypeError: for an option of another type.

    A request that does not ask for its session costs as good as nothing: nothing is read, and its
    response is left alone. One that does has ``Vary: Cookie`` and ``Cache-Control: private``. The
    session is saved when the response starts, unless that is a 500; to ask for one afterwards, that
    was not asked for before, is a :class:`RuntimeError`. A cookie that is forged,
    damaged, expired or unknown counts as none; an id is never one that a client has thought of.

    Reads HTTP_COOKIE and ``wsgi.url_scheme``, and writes ``wsgikit.session``.

    RFC 6265bis, section 4.1.3 (prefixes) and 5.6 (sizes); RFC 9111, section 5.2.2.7 (private).
    """
    check_clock(clock)
    if isinstance(keys, str | bytes) or not hasattr(keys, "__iter__"):
        raise TypeError("keys takes a list of secrets, not one")
    if store is not None:
        check_store(store)
    if bool(keys) == (store is not None):
        raise ValueError("sessions() takes either keys, for signed cookies, or a store")
    life = Life(idle, absolute)
    cookie = SessionCookie(name, secure, same_site)
    kept_by = (
        SignedSessions(keys, name, life, clock)
        if store is None
        else StoredSessions(store, name, life, clock)
    )
    kept = Sessions(kept_by, cookie, life, clock)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        environ[SESSION] = opening = [start_response, False, kept, None]
        return app(environ, later(opening))

    return answer
