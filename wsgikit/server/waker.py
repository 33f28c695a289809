"""What ends the wait of a loop that has nothing to do: another thread, or a signal."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from threading import Event, current_thread, main_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: What wakes the loop; other bytes are the numbers of signals.
WAKE = b"\0"


class Waker:
    """A socket that the loop watches beside those of its clients.

    The loop calls :meth:`heard` when there is something to read, any thread :meth:`wake`.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        # For signals: whoever takes it out closes it. Their thread is not the one that closes the
        # others, and a number that is closed may be a client's by then.
        self._spare = [self._writer.dup()]
        self._closed = False
        # Nobody need say again what the loop has not heard yet.
        self._said = False
        #: A signal has arrived, or the end.
        self.news = Event()

    def fileno(self) -> int:
        return self._reader.fileno()

    def wake(self) -> None:
        """End the wait, from any thread."""
        if not self._said:
            self._said = True
            try:
                self._writer.send(WAKE)
            except OSError:
                pass  # the loop has ended

    def heard(self) -> None:
        """The loop is awake."""
        if self._reader.recv(16).strip(WAKE):
            self.news.set()
        self._said = False

    @contextmanager
    def told_of_signals(self) -> Iterator[None]:
        """Have signals wake the loop, which then sets :attr:`news`, while the main thread waits.

        A handler runs in the main thread and nowhere else. A signal that comes just before that
        thread begins to wait does not end the wait: it would be noticed when something else does.
        """
        writer = self._taken() if current_thread() is main_thread() else None
        if writer is None:
            yield
            return
        previous = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(previous)
            self._spare.append(writer)
            if self._closed:
                self._close_spare()

    def _taken(self) -> socket.socket | None:
        try:
            return self._spare.pop()
        except IndexError:
            return None  # it is closed

    def _close_spare(self) -> None:
        if (spare := self._taken()) is not None:
            spare.close()

    def close(self) -> None:
        self._closed = True
        self._reader.close()
        self._writer.close()
        self._close_spare()
