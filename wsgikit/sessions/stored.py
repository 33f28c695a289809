"""Sessions in a store: the client has a random id, and what is kept can be ended here."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from hashlib import sha256
from time import time

from wsgikit.http.jsontext import dumps
from wsgikit.sessions.kept import Kept, decoded
from wsgikit.stores.protocol import update

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wsgikit.sessions.kept import Life
    from wsgikit.stores.protocol import Store

__all__ = ["StoredSessions"]

# 256 random bits, in base64url.
_ID_BYTES, _ID_LENGTH = 32, 43


class StoredSessions:
    """Keeps sessions in a store, under the hash of their id: who reads the store can use none.

    :param store: where they are kept.
    :param name: the cookie's name: sessions of another one are others.
    :param life: how long sessions live.
    :param clock: seconds since 1970.
    """

    __slots__ = ("_clock", "_life", "_prefix", "_store")

    def __init__(
        self, store: Store, name: str, life: Life, clock: Callable[[], float] = time
    ) -> None:
        self._store = store
        self._prefix = f"session:{name}:"
        self._life = life
        self._clock = clock

    def find(self, value: str) -> tuple[Kept, dict[str, Any]] | None:
        """The session of an id; None for an id that was not given out here, or is over."""
        if len(value) != _ID_LENGTH:
            return None
        key = self._key(value)
        raw = self._store.get(key)
        if raw is None:
            return None
        created, seen, text = raw.decode().split(" ", 2)
        data = decoded(text)
        if data is None or self._life.is_over(int(created), int(seen), self._clock()):
            return None
        return Kept(text, int(created), int(seen), value, raw, key), data

    def begin(self, text: str, data: dict[str, Any], created: float) -> str:
        """The id of a session that is new or has rotated: random, never one that came."""
        value = urlsafe_b64encode(os.urandom(_ID_BYTES)).rstrip(b"=").decode("ascii")
        raw = _raw(int(created), self._clock(), text)
        self._store.set(self._key(value), raw, expires=self._left(created))
        return value

    def change(self, kept: Kept, text: str, data: dict[str, Any]) -> str | None:
        """Write other content; the id, empty where nothing is left, None where it has ended.

        What another request has ended meanwhile stays so. Names that this request has not changed
        keep what others have written to them since. To one that several have changed, the last
        writes.
        """
        if self._write(kept, text if data else None):
            return kept.value if data else ""
        before = decoded(kept.text) or {}
        changed = {
            name: value
            for name, value in data.items()
            if name not in before or dumps(before[name]) != dumps(value)
        }
        removed = before.keys() - data.keys()
        ended = False

        def merged(found: bytes | None) -> bytes | None:
            nonlocal ended
            ended = found is None
            if found is None:
                return None
            created, _, theirs = found.decode().split(" ", 2)
            there = {**(decoded(theirs) or {}), **changed}
            for name in removed:
                there.pop(name, None)
            return _raw(int(created), self._clock(), dumps(there)) if there else None

        left = self._left(kept.created)
        value = update(self._store, kept.key, merged, expires=left)
        if ended:
            return None
        return kept.value if value else ""

    def renew(self, kept: Kept) -> str | None:
        """Let a session go on as it is; None where another request has changed or ended it."""
        return kept.value if self._write(kept, kept.text) else None

    def end(self, kept: Kept) -> bool:
        """Forget the session: its id is worth nothing from now on, whoever has a copy.

        False where another request has done so.
        """
        return self._store.delete(kept.key)

    def _write(self, kept: Kept, text: str | None) -> bool:
        """Write over what was found, unless it is another one by now; None takes it away."""
        raw = None if text is None else _raw(kept.created, self._clock(), text)
        left = self._left(kept.created)
        return self._store.compare_and_set(kept.key, kept.raw, raw, expires=left)

    def _left(self, created: float) -> float:
        return max(1, self._life.left(created, self._clock()))

    def _key(self, value: str) -> str:
        return self._prefix + sha256(value.encode()).hexdigest()


def _raw(created: int, seen: float, text: str) -> bytes:
    return b"%d %d %b" % (created, seen, text.encode())
