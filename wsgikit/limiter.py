"""So many requests in a time, counted in a store: for the layer ``rate_limit``, and for views.

It is the generic cell rate algorithm (GCRA, ITU-T I.371): of each key the store has the time at
which its next request would be due if all came evenly. A request may come a burst earlier, and each
one moves that time on. That is one increment of a store: there is no moment between the look and
the count in which another thread, process or machine could get through.

What a client is told is as draft-ietf-httpapi-ratelimit-headers-11 has it, in the structured fields
of RFC 9651.
"""

from __future__ import annotations

from time import time

from wsgikit.arguments import check_clock
from wsgikit.http.problem import HTTPError
from wsgikit.http.structured import format_item
from wsgikit.stores.limits import check_name, check_store, key_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.stores.protocol import Store
    from wsgikit.types import HeaderList

__all__ = ["Limiter", "Taken"]

# Times are whole microseconds since 1970: exact in every store until the year 2255.
_SECOND = 1_000_000

#: The most seconds of a limit, and of a burst: a year.
MAX_SECONDS = 366 * 86400

_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"


class Taken:
    """What became of a request."""

    __slots__ = ("left", "wait", "window")

    #: Seconds until it may come again; 0 where it may pass.
    wait: float
    #: How many more may come now.
    left: int
    #: Whole seconds, at least one, in which no more than those may come: then there is another.
    window: int


class Limiter:
    """Lets through ``requests`` of each key in ``seconds``: one each ``seconds / requests``.

    :param store: where it is counted, and by whom together: the threads of a process, the
        processes of a machine, or all machines, whose clocks should agree.
    :param requests: how many.
    :param seconds: in how many, up to a year.
    :param burst: how many may come at once, when none have come for long; as many as ``requests``
        if it is None. 1 lets through only what comes evenly.
    :param name: tells limits in one store apart, and what clients are told of them: a token of up
        to 60 characters.
    :param clock: seconds since 1970, the same for all who share the store.
    :raises TypeError: for a store or numbers that are none.
    :raises ValueError: for numbers out of range, and for a name that is no token.

    Bursts come on top of the even flow: after a rest, up to ``burst + requests`` may pass in the
    first ``seconds``. A request that is refused does not count.
    """

    def __init__(
        self,
        store: Store,
        *,
        requests: int,
        seconds: int,
        burst: int | None = None,
        name: str = "default",
        clock: Callable[[], float] = time,
    ) -> None:
        check_store(store)
        check_name(name)
        check_clock(clock)
        burst = requests if burst is None else burst
        for option, number in ("requests", requests), ("seconds", seconds), ("burst", burst):
            if not isinstance(number, int) or isinstance(number, bool):
                raise TypeError(f"{option} takes an int, not {number!r}")
            if number < 1:
                raise ValueError(f"{option} takes at least 1, not {number}")
        if seconds > MAX_SECONDS:
            raise ValueError(f"seconds takes up to {MAX_SECONDS}, a year, not {seconds}")
        if requests > seconds * _SECOND:
            raise ValueError(f"requests takes up to {_SECOND} a second, not {requests}")
        # Rounded up: never more than was asked for.
        self._interval = -(-seconds * _SECOND // requests)
        self._burst = burst * self._interval
        if self._burst > MAX_SECONDS * _SECOND:
            raise ValueError(f"burst takes what comes back within a year, not {burst}")
        self._store = store
        self._clock = clock
        self._prefix = f"rate:{name}:"
        self._expires = self._burst / _SECOND
        self._name = name
        self._item = format_item(name)
        self._policy = ("RateLimit-Policy", format_item(name, {"q": requests, "w": seconds}))
        self._most = f"More than {requests} requests in {seconds} seconds ({name})."

    def take(self, key: str) -> Taken:
        """Count a request of ``key``, unless it has to wait.

        :param key: who it is; of any length.
        :raises StoreError: when the store has failed.
        """
        latest = int(self._clock() * _SECOND) + self._burst
        due = self._store.increment(
            key_for(self._prefix, key),
            self._interval,
            floor=latest - self._burst,
            ceiling=latest,
            expires=self._expires,
        )
        spare = latest - due
        taken = Taken()
        if spare < 0:
            taken.left = 0
            taken.wait = -spare / _SECOND
            taken.window = -(spare // _SECOND)
        else:
            taken.left = spare // self._interval
            taken.wait = 0.0
            taken.window = -((spare % self._interval - self._interval) // _SECOND)
        return taken

    def check(self, key: str) -> None:
        """Count a request of ``key``; for a view that limits something by itself.

        :raises HTTPError: 429 with Retry-After, when it has to wait.
        :raises StoreError: when the store has failed.
        """
        taken = self.take(key)
        if taken.wait:
            raise self.error(taken)

    def forget(self, key: str) -> None:
        """Begin anew with ``key``: whoever has signed in may mistype again.

        :raises StoreError: when the store has failed.
        """
        self._store.delete(key_for(self._prefix, key))

    def fields(self, taken: Taken) -> HeaderList:
        """``RateLimit-Policy`` and ``RateLimit``, the fields that tell a client how it stands."""
        return [
            self._policy,
            ("RateLimit", f"{self._item};r={taken.left};t={taken.window}"),
        ]

    def error(self, taken: Taken) -> HTTPError:
        """The answer to a request that has to wait: 429, with those fields and Retry-After."""
        return HTTPError(
            429,
            f"{self._most} Try again in {taken.window} s.",
            headers=[("Retry-After", str(taken.window)), *self.fields(taken)],
            type=_EXCEEDED,
            extensions={"violated-policies": [self._name]},
        )
