"""Sessions in signed cookies: the client keeps them, nothing is kept here."""

from __future__ import annotations

from time import time

from wsgikit.http.cookies import MAX_SIZE
from wsgikit.sessions.kept import Kept, decoded
from wsgikit.signing import BadSignature, Signer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from wsgikit.sessions.kept import Life

__all__ = ["SignedSessions"]


class SignedSessions:
    """Reads and writes the whole session as the cookie's value, signed and not encrypted.

    :param keys: the secrets, the newest first, as :class:`~wsgikit.signing.Signer` takes them.
    :param name: the cookie's name: what is signed for one is nothing for another.
    :param life: how long sessions live.
    :param clock: seconds since 1970.
    """

    __slots__ = ("_clock", "_life", "_signer")

    def __init__(
        self,
        keys: Sequence[str | bytes],
        name: str,
        life: Life,
        clock: Callable[[], float] = time,
    ) -> None:
        self._life = life
        self._clock = clock
        self._signer = Signer(*keys, purpose=f"session {name}", clock=clock)

    def find(self, value: str) -> tuple[Kept, dict[str, Any]] | None:
        """The session of a cookie; None for one that is forged, too old or damaged."""
        try:
            signed = self._signer.read(value, max_age=self._life.idle)
        except BadSignature:
            return None
        created, _, text = signed.value.decode().partition(" ")
        data = decoded(text)
        if data is None or self._life.is_over(int(created), signed.signed_at, self._clock()):
            return None
        kept = Kept(text, int(created), signed.signed_at, value, outdated=signed.outdated)
        return kept, data

    def begin(self, text: str, data: dict[str, Any], created: float) -> str:
        """The cookie's value of a session that is new or has rotated.

        :raises ValueError: when a browser would not keep so much.
        """
        value = self._signer.sign(b"%d %b" % (created, text.encode()))
        if len(value) > MAX_SIZE - 64:  # the longest name
            most = (MAX_SIZE - 64) * 3 // 4 - 60
            raise ValueError(
                f"the session has {len(text)} bytes of JSON, and a cookie holds about {most}:"
                " keep less in it, or give sessions() a store"
            )
        return value

    def change(self, kept: Kept, text: str, data: dict[str, Any]) -> str | None:
        """The cookie's value of a session that goes on with other content; empty with none."""
        return self.begin(text, data, kept.created) if data else ""

    def renew(self, kept: Kept) -> str | None:
        """The cookie's value of a session that goes on as it is."""
        return self.begin(kept.text, {}, kept.created)

    def end(self, kept: Kept) -> bool:
        """True, and nothing else: whoever has a copy of the cookie can use it until it expires."""
        return True
