"""A store in the memory of one process: the quickest, and gone when the process is."""

from __future__ import annotations

from collections import OrderedDict
from heapq import heapify, heappop, heappush
from threading import Lock
from time import monotonic

from wsgikit.arguments import check_clock, check_size
from wsgikit.stores.forks import rest_at_forks
from wsgikit.stores.limits import (
    MAX_KEY,
    MAX_VALUE,
    added,
    check_counts,
    check_expires,
    check_value,
    key_bytes,
)
from wsgikit.stores.protocol import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MemoryStore"]

#: Bytes that an entry takes beside its value and twice its key, at most, as measured.
OVERHEAD = 512
#: How many expired entries a write looks at and drops: more than it can add.
SWEPT = 8

_NEVER = float("inf")


class MemoryStore(Store):
    """Keeps everything in a dict; all threads of one process share it, each process has its own.

    After a fork the child has a copy. So this is the store of a server with one process, and of
    tests; for several processes there are the others.

    :param max_bytes: how much memory it takes: values, keys, and what Python needs to hold them.
        Above that, what would expire next makes room, and then what was written first.
    :param max_value: the most bytes of one value.
    :param clock: seconds, always forward. It is the monotonic one, so that setting the clock does
        not end or lengthen anything; on Linux it stands still while the machine sleeps.
    :raises TypeError: when an option is no ``int``.
    :raises ValueError: when ``max_bytes`` has no room for a value of ``max_value``.
    """

    def __init__(
        self,
        *,
        max_bytes: int = 2**26,
        max_value: int = MAX_VALUE,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        check_size("max_value", max_value, 1)
        check_clock(clock)
        check_size("max_bytes", max_bytes, max_value + 2 * MAX_KEY + OVERHEAD)
        self._max_bytes = max_bytes
        self._max_value = max_value
        self._clock = clock
        self._lock = Lock()
        self._size = 0
        # When it expires and the value, by key, in the order of writing.
        self._entries: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        # What expires, the next first; also what was written again since, until it comes up.
        self._expiring: list[tuple[float, bytes]] = []
        rest_at_forks(self)

    def get(self, key: str) -> bytes | None:
        name = key_bytes(key)
        with self._lock:
            return self._find(name, self._clock())[1]

    def set(self, key: str, value: bytes, *, expires: float | None = None) -> None:
        name = key_bytes(key)
        check_value(value, self._max_value)
        check_expires(expires)
        with self._lock:
            now = self._clock()
            self._write(name, value, _end(now, expires), now)

    def delete(self, key: str) -> bool:
        name = key_bytes(key)
        with self._lock:
            found = self._find(name, self._clock())[1] is not None
            self._drop(name)
            return found

    def increment(
        self,
        key: str,
        by: int = 1,
        *,
        floor: int | None = None,
        ceiling: int | None = None,
        expires: float | None = None,
        renew: bool = True,
    ) -> int:
        name = key_bytes(key)
        check_counts(by, floor, ceiling)
        check_expires(expires)
        with self._lock:
            now = self._clock()
            end, found = self._find(name, now)
            count = added(key, found, by, floor)
            if ceiling is None or count <= ceiling:
                if renew or found is None:
                    end = _end(now, expires)
                self._write(name, b"%d" % count, end, now)
            return count

    def compare_and_set(
        self,
        key: str,
        expected: bytes | None,
        value: bytes | None,
        *,
        expires: float | None = None,
    ) -> bool:
        name = key_bytes(key)
        if value is not None:
            check_value(value, self._max_value)
        check_expires(expires)
        with self._lock:
            now = self._clock()
            if self._find(name, now)[1] != expected:
                return False
            if value is None:
                self._drop(name)
            else:
                self._write(name, value, _end(now, expires), now)
            return True

    def before_fork(self) -> None:
        """For :mod:`wsgikit.stores.forks`: wait until no thread is at work."""
        self._lock.acquire()

    def after_fork(self) -> None:
        """For :mod:`wsgikit.stores.forks`: let them go on."""
        self._lock.release()

    # What follows is called with the lock held.

    def _find(self, name: bytes, now: float) -> tuple[float, bytes | None]:
        """When it expires, and the value, None where there is none."""
        entry = self._entries.get(name)
        return (_NEVER, None) if entry is None or entry[0] <= now else entry

    def _write(self, name: bytes, value: bytes, end: float, now: float) -> None:
        self._drop(name)
        self._sweep(now)
        self._size += _size(name, value)
        # Room is made before the entry is there: it may be what would expire next itself.
        while self._size > self._max_bytes:
            if self._expiring:
                self._drop_next()
            else:
                self._drop(next(iter(self._entries)))
        self._entries[name] = (end, value)
        if end != _NEVER:
            heappush(self._expiring, (end, name))
            if len(self._expiring) > 2 * len(self._entries) + SWEPT:
                self._expiring = [
                    (end, name) for name, (end, _) in self._entries.items() if end != _NEVER
                ]
                heapify(self._expiring)

    def _sweep(self, now: float) -> None:
        for _ in range(SWEPT):
            if not self._expiring or self._expiring[0][0] > now:
                break
            self._drop_next()

    def _drop_next(self) -> None:
        end, name = heappop(self._expiring)
        if name in self._entries and self._entries[name][0] == end:
            self._drop(name)

    def _drop(self, name: bytes) -> None:
        entry = self._entries.pop(name, None)
        if entry is not None:
            self._size -= _size(name, entry[1])


def _end(now: float, expires: float | None) -> float:
    return _NEVER if expires is None else now + expires


def _size(name: bytes, value: bytes) -> int:
    return OVERHEAD + 2 * len(name) + len(value)
