"""A SQLite database that the threads of many processes use at once, each process by one connection.

What it takes care of, so that who asks need not: the connection is opened at the first use, and
closed before each fork and when the process ends; one thread uses it at a time; where another
process is writing, one waits in short random pauses, for a bounded time; whatever goes wrong is a
:class:`~wsgikit.stores.protocol.StoreError`, and the next use begins with a new connection.
"""

from __future__ import annotations

import os
import random
import sqlite3
from threading import Lock
from time import monotonic, sleep
from weakref import finalize

from wsgikit.stores.forks import rest_at_forks
from wsgikit.stores.protocol import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")

__all__ = ["Database"]

# The pauses, in seconds, each of a random length up to the first, then up to the second. SQLite's
# own grow to 100 ms: where 8 processes wrote all the time, one waited a second for its turn, or did
# not get one at all. With these it waited 0.3 s; shorter ones cost all of them more than it gained.
SHORTEST, LONGEST = 0.001, 0.01

# The second is what a reader gets that lost a race for the newest state a hundred times.
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)


class Database:
    """A database file.

    :param path: the file. It is made if there is none, for its owner alone (mode 0600).
    :param busy_timeout: how many seconds to wait for other threads and processes.
    :param setup: SQL that each new connection begins with: settings, and tables if there are none.
    """

    def __init__(self, path: str, busy_timeout: float, setup: str) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._setup = setup
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        rest_at_forks(self)

    def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """What ``work(connection)`` returns: one statement, perhaps executed more than once."""
        deadline = monotonic() + self._busy_timeout
        if not self._lock.acquire(timeout=self._busy_timeout):
            raise self._busy()
        try:
            return self._try(work, deadline)
        finally:
            self._lock.release()

    def transact(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """What ``work(connection)`` returns, when all that it wrote is in the database.

        While it runs nobody else writes; if it raises, nothing is written. It may be called again.
        """

        def transaction(connection: sqlite3.Connection) -> Result:
            # Not the deferred kind: that reads first, and fails when it is too late to wait.
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

        return self.run(transaction)

    def close(self) -> None:
        """Close the connection of this process. The next use opens another."""
        with self._lock:
            self._disconnect()

    def before_fork(self) -> None:
        """For :mod:`wsgikit.stores.forks`: finish, and close, as a connection must not cross it."""
        self._lock.acquire()
        self._disconnect()

    def after_fork(self) -> None:
        """For :mod:`wsgikit.stores.forks`: each process opens a connection of its own."""
        self._lock.release()

    # What follows is called with the lock held.

    def _try(self, work: Callable[[sqlite3.Connection], Result], deadline: float) -> Result:
        pause = SHORTEST
        while True:
            try:
                return work(self._connected())
            except sqlite3.Error as error:
                # The low byte is what happened, the rest says more about it (sqlite.org/rescode).
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
                if code not in _BUSY:
                    self._disconnect()  # whatever it was, a new one may not have it
                    raise StoreError(f"{self._path}: {error}") from error
                if monotonic() >= deadline:
                    raise self._busy() from error
            sleep(random.uniform(0, pause))
            pause = min(pause * 1.5, LONGEST)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
            self._process = os.getpid()
            self._finalize = finalize(self, self._connection.close)
        elif self._process != os.getpid():
            # Not even to close it would be safe: locks are counted by process.
            raise StoreError(
                f"{self._path} was open during a fork that Python was not told of: let the server"
                " fork before the store is used"
            )
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        try:
            # Only to make it. To open and close one that is in use would end this process's locks.
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from error
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            connection.executescript(self._setup)
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._finalize()
            self._connection = None

    def _busy(self) -> StoreError:
        return StoreError(f"{self._path} was busy for {self._busy_timeout:g} s (busy_timeout)")
