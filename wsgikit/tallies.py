"""Counts that several processes keep together in a store, each sending now and then what it has.

All is one value: what is read is from one moment, and a process adds everything that it has counted
in one step. A step that may have failed is tried again under the same number, and the value tells
which number of each process was the last: nothing is added twice, nothing is lost.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
from threading import Event, Lock, Thread
from time import sleep, time
from weakref import WeakSet, finalize

from wsgikit.stores.protocol import update

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from wsgikit.stores.protocol import Store

    #: Method, route and status.
    Key: TypeAlias = tuple[str, str, int]
    #: How many in each bucket and above the last, the nanoseconds, the bytes.
    Series: TypeAlias = dict[Key, list[int]]
    #: Of each process the number of its last step, its requests in flight, and when that was.
    Processes: TypeAlias = dict[str, tuple[int, int, float]]

__all__ = ["Tallies"]

LOG = logging.getLogger("wsgikit.metrics")

#: After so many seconds without a sign, a process is gone, and its requests with it.
GONE = 60.0


class Tallies:
    """Series of counts in a store, under ``key``.

    :param interval: how many seconds after a :meth:`note` at the latest they are sent.
    :param bounds: what the buckets are; counts in the store with others are thrown away.
    :param limited: ``limited(series, key)``: the key to use for a key, so that the series of all
        processes together stay below their limit.
    :param taken: returns what was counted since it was asked before, and how many are in flight.
    """

    def __init__(
        self,
        store: Store,
        key: str,
        interval: float,
        bounds: Sequence[int],
        limited: Callable[[Series, Key], Key],
        taken: Callable[[], tuple[Series, int]],
    ) -> None:
        self._store = store
        self._key = key
        self._interval = interval
        self._bounds = [*bounds]
        self._limited = limited
        self._taken = taken
        self.reset()
        _all.add(self)

    def reset(self) -> None:
        """Begin anew: in a child process, which is another one and has none of the threads."""
        self._process = os.urandom(8).hex()
        self._number = 0
        # What was taken and is not known to be in the store, and how many were in flight.
        self._batch: tuple[Series, int] | None = None
        self._told = 0
        self._failed = False
        self._flushing = Lock()
        self._starting = Lock()
        self._something = Event()
        self._thread: Thread | None = None

    def note(self) -> None:
        """There is something to send."""
        if not self._something.is_set():
            self._something.set()
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = Thread(target=self._run, name="metrics", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # there are too many: the next request may have more luck
                    self._something.clear()
                else:
                    self._thread = thread

    def _run(self) -> None:
        while True:
            self._something.wait()
            sleep(self._interval)
            self.try_flush()

    def try_flush(self) -> None:
        """Send, and log a failure instead of raising it, once until it works again."""
        try:
            self.flush()
            self._failed = False
        except Exception:
            if not self._failed:
                LOG.exception("Metrics could not be added up in the store; they will be")
            self._failed = True

    def flush(self) -> None:
        """Send what there is.

        :raises StoreError: when the store has failed; the same is sent again the next time.
        """
        with self._flushing:
            self._something.clear()
            if self._batch is not None:
                self._send(*self._batch)
            series, in_flight = self._taken()
            if series or in_flight or self._told:
                self._number += 1
                self._batch = series, in_flight
                self._send(series, in_flight)

    def _send(self, batch: Series, in_flight: int) -> None:
        def change(found: bytes | None) -> bytes | None:
            series, processes = self._parse(found)
            if self._process in processes and processes[self._process][0] >= self._number:
                return found  # what seemed to fail did not
            for key, values in batch.items():
                key = self._limited(series, key)
                sums = series.get(key, [0] * len(values))
                series[key] = [one + other for one, other in zip(sums, values, strict=True)]
            processes[self._process] = self._number, in_flight, time()
            return self._written(series, processes)

        try:
            update(self._store, self._key, change)
        except BaseException:
            self._something.set()
            raise
        self._batch = None
        self._told = in_flight
        if in_flight:  # a sign of life is due, also if nothing else happens
            self._something.set()

    def read(self) -> tuple[Series, int]:
        """The sums of all processes, and their requests in flight.

        :raises StoreError: when the store has failed.
        """
        self.flush()
        series, processes = self._parse(self._store.get(self._key))
        return series, sum(in_flight for _, in_flight, _ in processes.values())

    def _parse(self, found: bytes | None) -> tuple[Series, Processes]:
        """What is in the store, without the processes that are gone; nothing if it is not ours."""
        if found is None:
            return {}, {}
        try:
            state = json.loads(found)
            if state["bounds"] != self._bounds:
                return {}, {}
            series = {(key[0], key[1], key[2]): values for *key, values in state["series"]}
            since = time() - GONE
            alive = {name: last for name, last in state["processes"].items() if last[2] > since}
        except (ValueError, LookupError, TypeError, AttributeError):
            return {}, {}
        return series, alive

    def _written(self, series: Series, processes: Processes) -> bytes:
        state = {
            "bounds": self._bounds,
            "series": [[*key, values] for key, values in series.items()],
            "processes": processes,
        }
        return json.dumps(state, separators=(",", ":")).encode()


_all: WeakSet[Tallies] = WeakSet()

# At exit, what was registered last is called first. Stores have weakref.finalize close their
# connections, which registers itself with its first use: so that comes now, and ours after it.
finalize(_all, id, None)


@atexit.register
def _at_exit() -> None:
    for tallies in [*_all]:
        if tallies._something.is_set():
            tallies.try_flush()
