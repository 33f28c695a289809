"""A worker as its supervisor sees it: a process, and what it has told."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import socket
import sys
import threading
from time import monotonic

from wsgikit.server.worker import FAILED, FULL, READY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NoReturn

    Run = Callable[[socket.socket, Iterable[int]], int]

log = logging.getLogger("wsgikit.server")

NEVER = float("inf")


class Process:
    """A process that was forked to ``run``.

    :param run: what it does, with its end of the contact and the signals that are to stay blocked;
        returns the exit status.
    :param signals: those that are held back until it takes them.
    :param close: called in it before: what of its parent's it must not keep open.
    :raises OSError: there can't be another process now.
    """

    def __init__(self, run: Run, signals: Iterable[int], close: Callable[[], object]) -> None:
        _flush()  # or the child would write it, too
        self.contact, contact = socket.socketpair()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        try:
            self.pid = os.fork() or _become(run, contact, blocked, (close, self.contact.close))
        except BaseException:
            self.contact.close()
            raise
        finally:
            contact.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        self.contact.setblocking(False)
        self.born = self.seen = monotonic()
        self.ready = self.full = False
        #: Its end of the contact is closed.
        self.silent = False
        #: When it has to be ready, and when it has to be over.
        self.ready_by = self.deadline = NEVER
        # The mark before what kept it from serving, and that, in its words.
        self._failed = self._told = b""

    def hear(self) -> None:
        """Take in what it has told."""
        while not self.silent:
            try:
                news = self.contact.recv(4096)
            except BlockingIOError:
                return
            self.silent = not news
            self.seen = monotonic()
            if not self._failed:
                signs, self._failed, news = news.partition(FAILED)
                if READY in signs:
                    self.ready, self.ready_by = True, NEVER
                self.full = self.full or FULL in signs
            self._told = (self._told + news)[:4096]  # nothing in a text is a sign

    # It was not reaped when it is sent a signal: the number is still its own.

    def stop(self, seconds: float) -> None:
        """Have it come to its end within ``seconds``."""
        self.ready_by, self.deadline = NEVER, monotonic() + seconds
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.ready_by = self.deadline = self.seen = NEVER
        os.kill(self.pid, signal.SIGKILL)

    def reap(self, *, wait: bool = False) -> str | None:
        """None while it runs; then what became of it, for a line in the log."""
        try:
            pid, status = os.waitpid(self.pid, 0 if wait else os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, 0  # the program has reaped it
        if pid == 0:
            return None
        self.hear()
        self.contact.close()
        code = os.waitstatus_to_exitcode(status)
        if self.failure:
            return f"could not start: {self.failure}"
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit status {code}"

    @property
    def failure(self) -> str:
        """Why it cannot serve, if it said so."""
        return self._told.partition(b"\n")[0].decode("utf-8", "replace")


def _become(
    run: Run,
    contact: socket.socket,
    blocked: Iterable[int],
    closers: Iterable[Callable[[], object]],
) -> NoReturn:
    """Be a process of its own, with what Python does at the end of one.

    The parent's threads are not here, its ``atexit`` functions are not to run here, and its calls
    are not to be returned to.
    """
    status = 1
    try:
        atexit._clear()
        for close in closers:
            close()
        status = run(contact, blocked)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    except BaseException:
        log.exception("Error in worker %d", os.getpid())
    finally:
        _flush()
        os._exit(status)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # pythonw.exe and daemons have none
            stream.flush()
