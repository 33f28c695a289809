"""Sessions: what is kept for a client from one request to the next. They load on first use.

The layer is :func:`wsgikit.middleware.sessions`, the session itself
:class:`wsgikit.sessions.session.Session`.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.sessions.cookie import SessionCookie as SessionCookie
    from wsgikit.sessions.opening import open_session as open_session
    from wsgikit.sessions.session import Session as Session
    from wsgikit.sessions.signed import SignedSessions as SignedSessions
    from wsgikit.sessions.stored import StoredSessions as StoredSessions

_EXPORTS = {
    "Session": "session",
    "SessionCookie": "cookie",
    "SignedSessions": "signed",
    "StoredSessions": "stored",
    "open_session": "opening",
}

__all__ = list(_EXPORTS)

lazy(__name__, _EXPORTS)
