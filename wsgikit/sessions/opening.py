"""When a session is opened, when it is saved, and what a response says that has used one."""

from __future__ import annotations

from wsgikit.http.cache_control import parse_cache_control
from wsgikit.http.grammar import split_list
from wsgikit.http.headers import Headers
from wsgikit.keys import SESSION
from wsgikit.sessions.session import Session
from wsgikit.wrap import on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.sessions.cookie import SessionCookie
    from wsgikit.sessions.kept import Kept, Life
    from wsgikit.sessions.signed import SignedSessions
    from wsgikit.sessions.stored import StoredSessions
    from wsgikit.types import HeaderList, WSGIEnvironment

    Edit = Callable[[str, HeaderList], tuple[str, HeaderList]]

__all__ = ["Sessions", "open_session"]

# What lets caches keep a response for others.
_SHARED = frozenset(["public", "s-maxage", "proxy-revalidate"])


class Sessions:
    """The sessions of a layer: what finds them, what saves them, and their cookie."""

    __slots__ = ("_clock", "_cookie", "_kept_by", "_life")

    def __init__(
        self,
        kept_by: SignedSessions | StoredSessions,
        cookie: SessionCookie,
        life: Life,
        clock: Callable[[], float],
    ) -> None:
        self._kept_by = kept_by
        self._cookie = cookie
        self._life = life
        self._clock = clock

    def open(self, environ: WSGIEnvironment) -> tuple[Session, Edit]:
        """The session of a request, and what to do with its response: ``edit(status, headers)``.

        The session is saved when a response starts that is no 500, once; its cookie goes with every
        response that is started, should one replace another.
        """
        secure = self._cookie.is_secure(environ)
        value = self._cookie.value(environ, secure)
        found = self._kept_by.find(value) if value else None
        kept, data = found or (None, {})
        session = Session(data)
        session.created = self._clock() if kept is None else kept.created
        session.is_new = kept is None
        session.cleared = session.renamed = False
        fields: HeaderList | None = None

        def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
            nonlocal fields
            if fields is None and status[:3] != "500":
                fields = []  # tried once: what answers a failure of this shall not fail as well
                field = self._saved(session, kept, secure)
                if field is not None:
                    fields.append(("Set-Cookie", field))
            session.seal()
            _be_personal(headers)
            headers += fields or ()
            return status, headers

        return session, edit

    def _saved(self, session: Session, kept: Kept | None, secure: bool) -> str | None:
        """Save a session; the Set-Cookie to send, if there is something to tell the client."""
        text = session.to_json()
        keeper = self._kept_by
        now = self._clock()
        created = session.created
        value: str | None = None
        if session.renamed or kept is None:
            created = now
            # What is gone by now was ended by another request, or has got its other id there. The
            # cookie may be one of that already, and is left alone.
            if kept is not None and not keeper.end(kept) and not session.cleared:
                return None
            if session:
                value = keeper.begin(text, session, created)
            elif kept is not None:
                value = ""
        elif text != kept.text:
            value = keeper.change(kept, text, session)
        elif kept.outdated or self._life.is_due(kept.seen, now):
            value = keeper.renew(kept)
        if value is None:
            return None
        if not value:
            return self._cookie.forget(secure)
        return self._cookie.set(value, self._life.left(created, now), secure)


def open_session(environ: WSGIEnvironment) -> Session:
    """The session of a request, the same one each time it is asked for.

    The layer has left what it takes in the environ: ``[start_response, started, sessions, None]``,
    the first two for :data:`wsgikit.wrap.start.later`, the session in the place of None once it was
    opened.

    :raises RuntimeError: when the response has started without it: neither could caches be told
        whose it is, nor could a change be saved.
    """
    opening = environ[SESSION]
    session: Session | None = opening[3]
    if session is None:
        if opening[1]:
            raise RuntimeError(
                "the session is asked for too late, as the response has started: ask for"
                " request.session before that; a streamed body may go on reading it"
            )
        session, edit = opening[2].open(environ)
        opening[0] = on_start(opening[0], edit)
        opening[3] = session
    return session


def _be_personal(headers: HeaderList) -> None:
    """Say that a response depends on the cookie, and that it is for one person's cache alone."""
    fields = Headers.view(headers)
    fields.vary("Cookie")
    own = ", ".join(fields.get_all("Cache-Control"))
    if not own:
        fields["Cache-Control"] = "private"
        return
    known = parse_cache_control(own)
    if "no-store" in known:
        return
    kept = [item for item in split_list(own) if _name(item) not in _SHARED | {"private"}]
    fields["Cache-Control"] = ", ".join(["private", *kept])


def _name(item: str) -> str:
    return item.partition("=")[0].strip().lower()
