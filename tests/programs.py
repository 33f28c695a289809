"""Programs that the tests start, each in a process of its own, and ask as others would."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from http.client import HTTPConnection
from threading import Condition, Thread
from time import monotonic, sleep

# Machines that do other things as well are slow at times.
PATIENCE = 30


class Program:
    """A program that serves, in a process of its own; what it prints, on stdout and stderr alike.

    Each line is waited for, with a deadline, and only after those that were waited for before.
    """

    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-W", "error", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **options,
        )
        self.pid = self.process.pid
        self.lines = []
        self._read = 0
        self._more = Condition()
        self._reader = Thread(target=self._follow)
        self._reader.start()

    def _follow(self):
        for line in self.process.stdout:
            with self._more:
                self.lines.append(line.rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self.lines.append(None)
            self._more.notify_all()

    def line(self, pattern):
        """Wait for a line in which ``pattern`` is found; the match."""
        deadline = monotonic() + PATIENCE
        with self._more:
            while True:
                while self._read < len(self.lines) and self.lines[self._read] is not None:
                    found = re.search(pattern, self.lines[self._read])
                    self._read += 1
                    if found:
                        return found
                ended = self.lines[-1:] == [None]
                if ended or not self._more.wait(deadline - monotonic()):
                    raise AssertionError(f"no {pattern!r} in {self.lines}")

    def listening(self):
        """Wait until it says that it listens; then it has a ``port``."""
        self.port = int(self.line(r"Serving on http://[^ ]+:(\d+)")[1])
        return self

    def connect(self):
        return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def get(self, path="/"):
        """What it answers, on a connection of its own."""
        connection = self.connect()
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def until(self, condition):
        """Wait until something is true."""
        deadline = monotonic() + PATIENCE
        while not condition():
            assert monotonic() < deadline, self.lines
            sleep(0.01)

    def refuses(self):
        """Wait until nobody listens any more."""
        self.until(lambda: not self._accepts())

    def _accepts(self):
        try:
            self.get()
        except ConnectionError:
            return False
        return True

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self):
        """Wait for its end, and that of all that share its output: the exit status."""
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive(), self.lines
        return self.process.wait(PATIENCE)

    def printed(self, pattern):
        """All matches in what has been printed so far."""
        return [found for line in self.lines if line and (found := re.search(pattern, line))]

    def end(self):
        """End it, if need be by force: gently first, or it would tell nothing of its coverage."""
        self.process.terminate()
        self._reader.join(20)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.ended()
        self.process.stdout.close()
