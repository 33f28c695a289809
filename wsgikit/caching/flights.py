"""One flight for a miss: of many that want the same, one asks the application, the others wait.

The threads of one process wait for each other; processes that share a store look there now and
then. Nobody waits for what turned out not to be kept: that is remembered for a while, so that
requests for it do not stand in line.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from threading import Event, Lock
from time import monotonic, sleep

from wsgikit.stores.forks import rest_at_forks
from wsgikit.stores.protocol import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.stores.protocol import Store

__all__ = ["Flight", "Flights"]

#: The longest that a request waits for another one, in seconds; then it asks by itself.
PATIENCE = 10.0
#: How often one request waits: for what turned out to be another variant, and for its own.
TURNS = 2
#: After how many seconds a process that has said nothing is taken for dead.
LEASE = 30.0
#: How often another process's flight is looked after, in seconds.
LOOK = 0.02
#: For how long it is remembered that something is not kept, in seconds, and of how many keys.
PASSED, MOST_PASSED = 60.0, 4096


class Flight:
    """A request to the application that others may wait for."""

    __slots__ = ("_flights", "_key", "_leased", "landed")

    def __init__(self, flights: Flights, key: str) -> None:
        self._flights = flights
        self._key = key
        self._leased = False
        self.landed = Event()

    def lease(self) -> bool:
        """Tell other processes; whether none of them is on the same way already."""
        self._leased = self._flights.lease(self._key)
        return self._leased

    def land(self) -> None:
        """It is over: those who wait go on. A second call does nothing."""
        if not self.landed.is_set():
            self._flights.land(self._key, self, self._leased)


class Flights:
    """The flights of one process, over a store that other processes may share."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._process = os.getpid()
        self._under_way: dict[str, Flight] = {}
        self._passed: OrderedDict[str, float] = OrderedDict()
        rest_at_forks(self)

    def begin(self, key: str) -> Flight | None:
        """A new flight; None where one is under way in this process."""
        with self._lock:
            if key in self._under_way:
                return None
            flight = self._under_way[key] = Flight(self, key)
            return flight

    def wait(self, key: str, patience: float = PATIENCE) -> None:
        """Wait until the flight of this process for ``key`` has landed, or for so many seconds."""
        with self._lock:
            flight = self._under_way.get(key)
        if flight is not None:
            flight.landed.wait(max(0.0, patience))

    def wait_elsewhere(self, key: str, patience: float = PATIENCE) -> None:
        """Wait until the flight of another process for ``key`` has landed."""
        end = monotonic() + patience
        while monotonic() < end:
            sleep(LOOK)
            try:
                if self._store.get(_leased(key)) is None:
                    return
            except StoreError:
                return

    def passes(self, key: str) -> bool:
        """Whether the last response was none to be kept, so that there is nothing to wait for."""
        return self._passed.get(key, 0.0) > monotonic()

    def passed(self, key: str, kept: bool) -> None:
        """Remember whether a response was kept."""
        if kept and key not in self._passed:
            return
        with self._lock:
            self._passed.pop(key, None)
            if not kept:
                self._passed[key] = monotonic() + PASSED
                while len(self._passed) > MOST_PASSED:
                    self._passed.popitem(last=False)

    def lease(self, key: str) -> bool:
        """For :class:`Flight`: whether this process is the one that flies."""
        try:
            return self._store.increment(_leased(key), ceiling=1, expires=LEASE, renew=False) <= 1
        except StoreError:
            return True

    def land(self, key: str, flight: Flight, leased: bool) -> None:
        """For :class:`Flight`: the end of it."""
        with self._lock:
            if self._under_way.get(key) is flight:
                del self._under_way[key]
        flight.landed.set()
        if leased:
            try:
                self._store.delete(_leased(key))
            except StoreError:
                pass  # it expires

    def before_fork(self) -> None:
        """For :mod:`wsgikit.stores.forks`."""
        self._lock.acquire()

    def after_fork(self) -> None:
        """For :mod:`wsgikit.stores.forks`: nobody in the child will land what its parent began."""
        if os.getpid() != self._process:
            self._process = os.getpid()
            self._under_way.clear()
        self._lock.release()


def _leased(key: str) -> str:
    return f"{key}:flight"
