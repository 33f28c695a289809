"""The clients of a loop that can't be served yet."""

from __future__ import annotations

import logging
from time import monotonic

from wsgikit.server.connection import Connection
from wsgikit.server.opening import Opening
from wsgikit.server.poller import Poller

log = logging.getLogger("wsgikit.server")

#: Seconds of one turn of the loop that go into opening connections: those that are open go on. A
#: TLS handshake takes a millisecond or two of computing, and a thousand may come at once.
SLICE = 0.002
#: Seconds that a stop leaves to those that are being opened: a request may follow.
LAST_LOOK = 1.0


class Openings:
    """Waits for what they need, and gives the connections that come of it."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._openings: dict[int, Opening] = {}
        #: Those that may go on, in the order in which they came.
        self.arrived: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._openings)

    def add(self, opening: Opening) -> None:
        """Open a connection; what it needs may be there already."""
        fd = opening.socket.fileno()
        self._openings[fd] = opening
        self.arrived[fd] = None

    def tell(self, fd: int) -> bool:
        """There is news of a socket; whether it is one of these."""
        if fd not in self._openings:
            return False
        self.arrived[fd] = None
        return True

    def go_on(self) -> list[Connection]:
        """Go on with those that may, for a moment: the connections that are open now."""
        opened = []
        end = monotonic() + SLICE
        while self.arrived:
            fd = next(iter(self.arrived))
            del self.arrived[fd]
            connection = self._step(fd, self._openings[fd])
            if connection is not None:
                opened.append(connection)
            if monotonic() > end:
                break
        return opened

    def _step(self, fd: int, opening: Opening) -> Connection | None:
        try:
            writing = next(opening.steps)
        except StopIteration as end:
            self._forget(fd, opening)
            connection: Connection = end.value
            return connection
        except OSError as error:
            log.debug("A connection was not opened: %s", error)
            self._close(fd, opening)
            return None
        except Exception:
            log.exception("Error in the server at the beginning of a connection")
            self._close(fd, opening)
            return None
        if opening.writing != writing:
            if opening.writing is not None:
                self._poller.forget(fd)
            self._poller.watch(fd, write=writing)
            opening.writing = writing
        return None

    def sweep(self, now: float, stopping: bool) -> float:
        """Close whose time is over; when that of the next one is."""
        soonest = float("inf")
        for fd, opening in list(self._openings.items()):
            if stopping:
                opening.deadline = min(opening.deadline, now + LAST_LOOK)
            if opening.deadline <= now:
                self._close(fd, opening)
            else:
                soonest = min(soonest, opening.deadline)
        return soonest

    def close_all(self) -> None:
        for fd, opening in list(self._openings.items()):
            self._close(fd, opening)

    def _close(self, fd: int, opening: Opening) -> None:
        self._forget(fd, opening)
        opening.steps.close()
        opening.socket.close()

    def _forget(self, fd: int, opening: Opening) -> None:
        del self._openings[fd]
        self.arrived.pop(fd, None)
        if opening.writing is not None:
            self._poller.forget(fd)
