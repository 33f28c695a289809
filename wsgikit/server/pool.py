"""A fixed number of threads, and the tasks that wait for one of them."""

from __future__ import annotations

import logging
from queue import SimpleQueue
from threading import Lock, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("wsgikit.server")


class Pool:
    """Runs tasks, each on the next thread that is free.

    :param threads: how many tasks run side by side.
    """

    def __init__(self, threads: int) -> None:
        self._tasks: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._lock = Lock()
        #: Threads that nothing waits for; below 0, tasks that wait for a thread.
        self.free = threads
        self._threads = [
            Thread(target=self._work, name=f"wsgikit-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, task: Callable[[], object]) -> None:
        """Have ``task`` run; it must not raise."""
        with self._lock:
            self.free -= 1
        self._tasks.put(task)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except BaseException:
                log.exception("Error in the server")
            with self._lock:
                self.free += 1
            del task  # it holds a connection, and the next one may be long in coming

    def close(self) -> None:
        """End the threads, each after what it is doing."""
        for _ in self._threads:
            self._tasks.put(None)
