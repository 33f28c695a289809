"""Whether the loop calls the application itself, and the watch over the call that it runs.

To hand a request to another thread costs more than most requests do: two hand-overs of the
interpreter lock. So the loop runs quick calls itself. A call that takes long would hold up all
others: a monitor finds it and lets another thread go on with the loop, while the one that is stuck
becomes a worker (as Go's scheduler retakes a processor from a goroutine that blocks).

Inline running has to earn its keep. Each quick call earns what a hand-over would have cost, a slow
one costs the time for which the loop stood still. Who is overdrawn pauses, and twice as long when
it was overdrawn again soon.

What was slow is likely to be slow again: for a moment, calls for its path go to a worker at once,
and the quick ones beside them stay in the loop.
"""

from __future__ import annotations

from threading import Event, Lock, Thread
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds between two looks of the monitor: a call that it sees twice is stuck.
TICK = 0.005
#: Seconds from which on a call is slow.
SLOW = 0.0005
#: Seconds that one quick call earns.
GAIN = 0.00005
#: Seconds that can be saved up, and with which inline running begins.
SAVINGS = 0.02
#: Seconds for which a path is known to be slow, and how many paths are.
KNOWN, MOST_KNOWN = 1.0, 1000
#: Seconds of a pause.
SHORTEST, LONGEST = 0.05, 6.4


class Account:
    """What inline running has earned and cost."""

    __slots__ = ("_balance", "_counted", "_pause", "calls", "resumes")

    def __init__(self) -> None:
        self.calls = 0
        self._balance, self._counted = SAVINGS, 0
        self._pause = SHORTEST
        #: When inline running is worth trying again (or was).
        self.resumes = 0.0

    def charge(self, seconds: float) -> None:
        """Pay for a slow call."""
        earned = (self.calls - self._counted) * GAIN
        self._counted = self.calls
        self._balance = min(self._balance + earned, SAVINGS) - seconds
        if self._balance < 0:
            now = monotonic()
            soon = now - self.resumes < 4 * self._pause
            self._pause = min(2 * self._pause, LONGEST) if soon else SHORTEST
            self.resumes = now + self._pause
            self._balance = SAVINGS / 2


class Inline:
    """Decides and watches.

    :param retake: called when a call is stuck: lets another thread go on with the loop.
    """

    def __init__(self, retake: Callable[[], object]) -> None:
        self._retake = retake
        self._lock = Lock()
        self.account = Account()
        self._running = 0  # the number of the call under way
        # Paths whose last call here was slow, and until when that counts.
        self._slow: dict[str, float] = {}
        self._asleep = False
        self._wake = Event()
        self._closed = False
        self._thread = Thread(target=self._monitor, name="wsgikit-monitor", daemon=True)
        self._thread.start()

    def suits(self, path: str, now: float) -> bool:
        """Whether a call for ``path`` is to be made here, as far as is known."""
        if self.account.resumes > now:
            return False
        if not self._slow:
            return True
        until = self._slow.get(path)
        if until is not None and until <= now:
            self._slow.pop(path, None)
            until = None
        return until is None

    def _note(self, path: str) -> None:
        """Remember that a call for ``path`` has held up others."""
        if len(self._slow) >= MOST_KNOWN:
            self._slow.clear()
        self._slow[path] = monotonic() + KNOWN

    def begin(self) -> int:
        """The loop calls an application: the number of the call."""
        self.account.calls += 1
        self._running = self.account.calls
        if self._asleep:
            self._wake.set()
        return self._running

    def end(self, call: int, path: str, seconds: float) -> bool:
        """The call is over; whether the loop still belongs to the thread that made it."""
        if seconds > TICK:
            self._note(path)
        with self._lock:
            if self._running != call:
                return False
            self._running = 0
            if seconds > SLOW:
                self.account.charge(seconds)
        return True

    def _monitor(self) -> None:
        """Look every few milliseconds, as long as the loop calls anything at all."""
        while not self._closed:
            seen, calls = self._running, self.account.calls
            sleep(TICK)
            if seen and seen == self._running:
                self._take(seen)
            elif calls == self.account.calls:
                self._asleep = True
                sleep(TICK)  # without the GIL, what two threads write is not seen at once
                if calls == self.account.calls:  # still: begin() looks the other way round
                    self._wake.wait()
                self._asleep = False
                self._wake.clear()

    def _take(self, call: int) -> None:
        with self._lock:
            if self._running != call:
                return
            self._running = 0
            self.account.charge(TICK)
        self._retake()

    def close(self) -> None:
        """End the monitor."""
        self._closed = True
        self._wake.set()
        self._thread.join()
