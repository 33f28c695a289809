"""A number of threads, and the tasks that wait for one of them."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Lock, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger("wsgikit.server")


class Pool:
    """Runs tasks, each on the next thread that is free.

    :param threads: how many tasks run side by side.
    :param spare: how many more may stand :meth:`aside`.
    """

    def __init__(self, threads: int, spare: int = 0) -> None:
        self._tasks: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._lock = Lock()
        #: Threads that nothing waits for; below 0, tasks that wait for a thread.
        self.free = threads
        self._size, self._spare = threads, spare
        self._alive = self._aside = 0
        self._closed = False
        for _ in range(threads):
            self._start()

    def _start(self) -> None:
        name = f"wsgikit-{self._alive}"
        Thread(target=self._work, name=name, daemon=True).start()
        self._alive += 1

    def put(self, task: Callable[[], object]) -> None:
        """Have ``task`` run; it must not raise."""
        with self._lock:
            self.free -= 1
        self._tasks.put(task)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let another thread take the place of this one, while it waits for who may never come."""
        replaced = False
        with self._lock:
            if self._aside < self._spare and not self._closed:
                try:
                    if self._alive - self._aside <= self._size:
                        self._start()
                    replaced = True
                except RuntimeError:  # the system has no more threads
                    log.warning("Cannot start another thread: %d wait for clients", self._aside)
            if replaced:
                self._aside += 1
                self.free += 1
        try:
            yield
        finally:
            if replaced:
                with self._lock:
                    self._aside -= 1
                    self.free -= 1

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except BaseException:
                log.exception("Error in the server")
            del task  # it holds a connection, and the next one may be long in coming
            with self._lock:
                self.free += 1
                if self._alive - self._aside > self._size:  # it took the place of one that is back
                    self._alive -= 1
                    return

    def close(self) -> None:
        """End the threads, each after what it is doing."""
        with self._lock:
            self._closed = True
            for _ in range(self._alive):
                self._tasks.put(None)
