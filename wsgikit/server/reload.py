"""For development: run the program in a child, and start it anew when a file of it has changed.

The sockets that listen are this process's. They stay open from one child to the next, so a browser
that asks meanwhile waits for its answer. Files are looked at, by their times and sizes, which works
on every system and every file system.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from time import monotonic, sleep, time_ns

from wsgikit.server.signals import SignalQueue, ends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

log = logging.getLogger("wsgikit.server")

#: Tells the child, in its environment, the descriptors that it inherits: the contact and what
#: listens.
VARIABLE = "WSGIKIT_RELOADED"
#: Seconds between two looks.
INTERVAL = 0.25
#: Seconds without a change after which a change is complete.
SETTLED = 0.1
#: Seconds that running requests have to complete when a file has changed.
STOP = 2.0
#: Seconds beyond for what a program does at its end.
GRACE = 2.0
#: What the child is told when they have all of ``stop_timeout``.
COMPLETE = b"c"


class Reloader:
    """Runs the program that this is, again and again, until a signal ends it.

    :param listening: the sockets that it serves.
    :param stop_timeout: seconds that running requests have to complete when a signal ends it.
    """

    def __init__(self, listening: Collection[socket.socket], stop_timeout: float) -> None:
        self._listening = listening
        self._stop_timeout = stop_timeout
        self._files = Files()

    def run(self, ready: Callable[[], object]) -> None:
        """Serve.

        :param ready: called once, when it serves for the first time.
        """
        with SignalQueue(ends()) as self._signals:
            again = True
            while again:
                self._files.know()
                with Child(self._listening) as child:
                    again, ready = self._follow(child, ready)
                    again = self._end(child, again)

    def _follow(
        self, child: Child, ready: Callable[[], object]
    ) -> tuple[bool, Callable[[], object]]:
        """Look after one child: whether there is to be another, and what its readiness calls."""
        while True:
            self._files.add(child.files(), child.born)
            if child.ready:
                ready()
                ready = _nothing
            if self._signals.pending():
                return False, ready
            status = child.process.poll()
            if status == 0:
                return False, ready  # it has come to its end by itself
            if status is not None:
                log.error("The program has failed: waiting for a change")
                return self._wait(), ready
            if self._changed():
                return True, ready

    def _end(self, child: Child, again: bool) -> bool:
        """Have a child come to its end; whether there is to be another."""
        seconds = self._stop_timeout
        if again or not child.ready:
            seconds = min(STOP, seconds)
        child.stop(complete=not again)
        deadline = monotonic() + seconds + GRACE
        while not child.ended():
            for _ in self._signals.pending():
                if not again:
                    child.process.kill()  # the second one waits for nothing
                again = False
            if deadline <= monotonic():
                log.error("The program does not come to its end: killed")
                child.process.kill()
        return again

    def _wait(self) -> bool:
        """Wait for a change, with nothing to serve; False for a signal."""
        self._files.add_neighbours()  # what failed may be new, and known to nobody
        while not self._signals.pending():
            if self._changed():
                return True
            sleep(INTERVAL)
        return False

    def _changed(self) -> bool:
        path = self._files.changed()
        if path is None:
            return False
        log.info("%s has changed: starting anew", os.path.relpath(path))
        while self._files.changed():  # there may be more to be saved
            self._files.know()
            sleep(SETTLED)
        return True


class Child:
    """The program, in a process that inherits what listens."""

    def __init__(self, listening: Iterable[socket.socket]) -> None:
        self._contact, contact = socket.socketpair()
        self._contact.settimeout(INTERVAL)
        self._told = b""
        #: The time, as files have it.
        self.born = time_ns()
        #: It serves.
        self.ready = False
        with contact:
            inherited = (contact, *listening)
            for each in inherited:
                each.set_inheritable(True)
            numbers = ",".join(str(each.fileno()) for each in inherited)
            self.process = subprocess.Popen(
                [sys.executable, *sys.orig_argv[1:]],
                env=os.environ | {VARIABLE: numbers},
                close_fds=False,
            )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *exception: object) -> None:
        self._contact.close()
        self.process.kill()
        self.process.wait()

    def stop(self, *, complete: bool) -> None:
        """Have it come to its end: it takes note when the contact has one.

        :param complete: its running requests have ``stop_timeout``.
        """
        try:
            if complete:
                self._contact.sendall(COMPLETE)
            self._contact.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it was quicker

    def ended(self) -> bool:
        """Wait a moment: whether it has come to its end."""
        try:
            self.process.wait(INTERVAL)
        except subprocess.TimeoutExpired:
            return False
        return True

    def files(self) -> list[str]:
        """Wait a moment: the files that it has told meanwhile. An empty name is its readiness."""
        try:
            news = self._contact.recv(65536)
        except (TimeoutError, ConnectionError):
            return []
        if not news:
            sleep(INTERVAL)  # it is about to end
        *lines, self._told = (self._told + news).split(b"\n")
        self.ready = self.ready or b"" in lines
        return [os.fsdecode(line) for line in lines if line]


class Files:
    """Files, and what was known of them last."""

    def __init__(self) -> None:
        self._versions: dict[str, tuple[int, int] | None] = {}

    def add(self, paths: Iterable[str], since: float = float("inf")) -> None:
        """Look at these as well, from now on.

        :param since: when they were read at the earliest: what is younger may have changed by now.
        """
        for path in paths:
            if path not in self._versions:
                version = _version(path)
                young = version is not None and version[0] > since
                self._versions[path] = None if young else version

    def add_neighbours(self) -> None:
        """Look at all modules in the same folders as well."""
        for folder in {os.path.dirname(path) for path in self._versions} | {os.getcwd()}:
            try:
                with os.scandir(folder) as entries:
                    self.add(entry.path for entry in entries if entry.name.endswith(".py"))
            except OSError:
                pass  # a zip file, or gone

    def know(self) -> None:
        """Take what there is now for known."""
        for path in self._versions:
            self._versions[path] = _version(path)

    def changed(self) -> str | None:
        """One that is not what it was."""
        for path, known in self._versions.items():
            if _version(path) != known:
                return path
        return None


def _version(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _nothing() -> None:
    """There is nobody to be told any more."""
