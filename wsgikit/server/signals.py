"""Signals: what ends a server, and a queue of them for who waits for other things as well."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from threading import current_thread, main_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

    from wsgikit.server.server import Server

    Handlers = dict[int, signal._HANDLER]

#: What is to end a program.
ENDS = (signal.SIGINT, signal.SIGTERM)


def ends() -> tuple[int, ...]:
    """The same, for one that SIGHUP would end as well: a terminal sends it when it is closed.

    Where the program does something else at it, or nothing (``nohup``), that is left alone.
    """
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None or signal.getsignal(hangup) != signal.SIG_DFL:
        return ENDS
    return (*ENDS, hangup)


@contextmanager
def stopped_by_signals(server: Server) -> Iterator[None]:
    """Let SIGINT and SIGTERM shut ``server`` down; the second one does what it did before.

    So does SIGHUP where it would end the program and has no other meaning.
    """
    previous: Handlers = {}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def stop(number: int, frame: object) -> None:
        restore()
        server.begin_shutdown()

    if current_thread() is main_thread():
        for number in ENDS if server.secure else ends():
            previous[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        restore()


@contextmanager
def reloaded_by_signals(server: Server) -> Iterator[None]:
    """Let SIGHUP have ``server`` read its certificates anew; where it has none, leave it alone."""
    if not server.secure or current_thread() is not main_thread() or not hasattr(signal, "SIGHUP"):
        yield
        return
    previous = signal.signal(signal.SIGHUP, lambda number, frame: server.reload_certificates())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, previous)


class SignalQueue:
    """Signals in the order in which they came, to be waited for as for a socket.

    :param numbers: the signals; what they did before they do again after the ``with`` block.
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = tuple(numbers)

    def __enter__(self) -> Self:
        self._come, self._put = socket.socketpair()
        self._come.setblocking(False)
        self._put.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._put.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _queued) for number in self.numbers}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._close(self._wakeup)

    def forget(self) -> None:
        """Leave it to the parent, in a child that sets handlers of its own."""
        self._close(-1)

    def _close(self, wakeup: int) -> None:
        signal.set_wakeup_fd(wakeup)
        self._come.close()
        self._put.close()

    def fileno(self) -> int:
        """The descriptor that can be read when one has come."""
        return self._come.fileno()

    def pending(self) -> bytes:
        """The numbers of those that have come."""
        try:
            return self._come.recv(1024)
        except BlockingIOError:
            return b""


def _queued(number: int, frame: object) -> None:
    """The number stands in the queue already: the interpreter has put it there."""
