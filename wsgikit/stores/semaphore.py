"""Places that are taken and given back, counted in a store: a semaphore for all who share it.

All places of a key are one value: for each that is taken, the time at which it is free again
whatever happens, and a random number that only its holder has. Whoever takes one writes the value
anew if nobody else did in between. A counter would be less, but of a process that was killed it
would never know; here each place has its own end.
"""

from __future__ import annotations

import os
from time import time

from wsgikit.stores.limits import key_for
from wsgikit.stores.protocol import ATTEMPTS, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.stores.protocol import Store

__all__ = ["MAX_PLACES", "Semaphore"]

#: The most places of a key: what is written for each of them takes 16 bytes.
MAX_PLACES = 10_000

_SIZE, _RANDOM = 16, 8
_SECOND = 1_000_000


class Semaphore:
    """``places`` for each key; each is held until it is given back, or its time is over.

    :param prefix: what its keys in the store begin with.
    :param lease: after how many seconds a place is free again that was not given back.
    :param clock: seconds since 1970, for all who share the store about the same.
    """

    def __init__(
        self,
        store: Store,
        prefix: str,
        places: int,
        lease: float,
        clock: Callable[[], float] = time,
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._places = places
        self._lease = lease
        self._clock = clock

    def acquire(self, key: str) -> bytes | None:
        """Take a place: what to give it back with; None when all are taken.

        :raises StoreError: when the store has failed.
        """
        key = key_for(self._prefix, key)
        number = os.urandom(_RANDOM)
        for _ in range(ATTEMPTS):
            now = int(self._clock() * _SECOND)
            found = self._store.get(key)
            taken = found or b""
            if len(taken) >= self._places * _SIZE:
                taken = self._alive(taken, now)
                if len(taken) >= self._places * _SIZE:
                    return None
            place = (now + int(self._lease * _SECOND)).to_bytes(_SIZE - _RANDOM) + number
            if self._store.compare_and_set(key, found, taken + place, expires=self._lease):
                return place
        raise _too_busy(key)

    def release(self, key: str, place: bytes) -> None:
        """Give a place back; nothing happens if its time is over and somebody else has it.

        :raises StoreError: when the store has failed.
        """
        key = key_for(self._prefix, key)
        for _ in range(ATTEMPTS):
            found = self._store.get(key)
            at = -1 if found is None else found.find(place)
            if found is None or at < 0:
                return
            rest = found[:at] + found[at + _SIZE :]
            if self._store.compare_and_set(key, found, rest or None, expires=self._lease):
                return
        raise _too_busy(key)

    def _alive(self, taken: bytes, now: int) -> bytes:
        """The places whose time is not over. What is far ahead is of a clock that was set back."""
        places = [taken[at : at + _SIZE] for at in range(0, len(taken), _SIZE)]
        latest = now + 2 * int(self._lease * _SECOND)
        return b"".join(
            [place for place in places if now < int.from_bytes(place[: _SIZE - _RANDOM]) <= latest]
        )


def _too_busy(key: str) -> StoreError:
    return StoreError(f"{key!r} is changed by others all the time: tried {ATTEMPTS} times")
