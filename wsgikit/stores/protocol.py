"""What a store can do, whichever it is: the few things that sessions, limits and caches need.

Keys are text, values bytes, and whatever was written may expire. There are five operations, and
each is atomic: of several at once, by any threads and processes that share the store, one comes
after the other, and none sees half of another.

``get``, ``set``, ``delete``
    for what has one writer at a time, or where the last one wins: a cached response.
``increment``
    for what many count together: requests, failed sign-ins, what a limit has left.
``compare_and_set``
    for what many change in their own ways, so that nobody's change is lost: a session, a table.

There is no listing of keys. On Redis that would walk through everything that a server holds, each
time. What has to be found together is kept together, in one value that :func:`update` changes.

A store is not the place of what must never be lost: each one is bounded, and when it is full, what
would expire next makes room.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol
else:
    Protocol = object  # typing would take ten times as long to load as the stores

__all__ = ["Store", "StoreError", "update"]

#: How often :func:`update` tries: a change is only tried again because another one got through.
ATTEMPTS = 1000


class StoreError(Exception):
    """The store cannot be reached, is too busy, or has failed; the cause is what its library said.

    It may pass by itself. What comes of a write is unknown: it was done, or it was not. A layer
    that can do without the store catches this; else the client gets a 500.
    """


class Store(Protocol):
    """What each store can do; whoever wants a ``store`` takes any object with these methods.

    For all of them: ``key`` takes a text of 1 to 250 bytes in UTF-8, and long ones, or those that a
    client could make long, are best hashed. ``expires`` takes seconds from now, above 0, up to
    2**31; None is never. An argument that is not so raises :class:`TypeError` or
    :class:`ValueError`, and every failure of the store itself :class:`StoreError`.
    """

    def get(self, key: str) -> bytes | None:
        """The value of ``key``; None when there is none or it has expired."""

    def set(self, key: str, value: bytes, *, expires: float | None = None) -> None:
        """Write the value of ``key``, whatever was there.

        :param value: as long as the store's ``max_value`` allows.
        :param expires: seconds until it is gone, from now on.
        """

    def delete(self, key: str) -> bool:
        """Take the value of ``key`` away; whether there was one.

        Of many that delete a key at once, one is told True: a token that is good for one use is a
        key that was deleted.
        """

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
        """Add to the counter ``key``, unless that passes the ceiling; the sum, in either case.

        A key without a value counts as 0. The value of a counter is its decimal digits, so that
        ``get`` and ``set`` work on it as well.

        :param by: what is added; below 0, it is taken away.
        :param floor: what the counter counts as at least, before ``by`` is added.
        :param ceiling: the highest sum. A sum above is returned, but nothing is written.
        :param expires: seconds until the counter is gone, from now on.
        :param renew: whether this begins anew with each addition. If not, the first one sets when
            the counter expires: it counts what happens within a period.
        :raises ValueError: when the value is no integer, or a number not from -2**53 + 1 to
            2**53 - 1, which is what every backend can count exactly.

        With a floor and a ceiling, this is a rate limit in one step. GCRA keeps the time at which
        the next request would be due if all came evenly, and lets a request through that is not
        more than a burst too early: it is at least now, each request adds an interval, and it may
        not pass now and the burst. What the returned sum has above the ceiling is the time to wait.
        """

    def compare_and_set(
        self,
        key: str,
        expected: bytes | None,
        value: bytes | None,
        *,
        expires: float | None = None,
    ) -> bool:
        """Write the value of ``key`` if it is ``expected``; whether it was.

        :param expected: the value that was read before; None if there was none.
        :param value: what is to be there; None to delete it.
        :param expires: seconds until it is gone, from now on.
        """


def update(
    store: Store,
    key: str,
    change: Callable[[bytes | None], bytes | None],
    *,
    expires: float | None = None,
) -> bytes | None:
    """Change a value by a function, so that no change of others is lost; the new value.

    :param change: is given the value, None if there is none, and returns the new one, None to
        delete it. When somebody else was quicker, it is called again with what they wrote.
    :param expires: seconds until the new value is gone, from now on.
    :raises StoreError: when others were quicker :data:`ATTEMPTS` times in a row, or the store
        failed.
    """
    for _ in range(ATTEMPTS):
        found = store.get(key)
        value = change(found)
        if store.compare_and_set(key, found, value, expires=expires):
            return value
    raise StoreError(f"{key!r} is changed by others all the time: tried {ATTEMPTS} times")
