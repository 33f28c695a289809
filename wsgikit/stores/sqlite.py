"""A store in a SQLite file: shared by all processes of one machine, and there after a restart."""

from __future__ import annotations

import os
import sqlite3
from time import time

from wsgikit.arguments import check_clock, check_seconds, check_size
from wsgikit.stores.database import Database
from wsgikit.stores.eviction import LEAST, Eviction, minute
from wsgikit.stores.limits import (
    MAX_VALUE,
    added,
    check_counts,
    check_expires,
    check_value,
    key_bytes,
)
from wsgikit.stores.protocol import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

__all__ = ["SQLiteStore"]

# The name has the number of the layout: who changes that takes another one, and an old file does no
# harm. The times are before the value, which may go on for many pages; never is an infinity.
_SETUP = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS wsgikit_store_1 (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE,
        minute INTEGER NOT NULL,
        expires REAL NOT NULL,
        value BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS wsgikit_store_1_minute ON wsgikit_store_1 (minute);
"""
_FIND = "SELECT expires, value FROM wsgikit_store_1 WHERE key = ? AND expires > ?"
_DELETE = "DELETE FROM wsgikit_store_1 WHERE key = ? AND expires > ?"
# An UPDATE that does not name the minute leaves its index alone.
_RENEW = "UPDATE wsgikit_store_1 SET expires = ?, value = ? WHERE key = ? AND minute = ?"
_WRITE = """
    INSERT INTO wsgikit_store_1 (expires, value, key, minute) VALUES (?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE
    SET expires = excluded.expires, value = excluded.value, minute = excluded.minute
"""
_NEVER = float("inf")


class SQLiteStore(Store):
    """Keeps everything in one file, which all threads and processes of this machine may share.

    It is opened when it is first used, once in each process, and written in WAL mode: readers do
    not wait for a writer. What was written survives the end of a process at any moment, also by
    ``kill -9``; when the machine itself stops, the last moments may be lost, but nothing breaks
    (``PRAGMA synchronous = NORMAL``). A network file system does not do.

    :param path: the file; two more stand beside it while it is open, ``-wal`` and ``-shm``. A new
        one is for its owner alone (mode 0600). A relative path counts from the directory in which
        the store is made.
    :param max_bytes: how big the file grows, about. Then what would expire next makes room, and
        then what was written first. ``-wal`` has a few megabytes beside it.
    :param max_value: the most bytes of one value.
    :param busy_timeout: how many seconds a thread waits for others to finish their writing.
    :param clock: seconds since 1970, the same for all processes. It is the time of day, as the
        file outlives them all: where that is set, entries expire earlier or later by as much.
    :raises TypeError: when an option is not of its type.
    :raises ValueError: when the path is no file's, or an option is out of its range.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        max_bytes: int = 2**28,
        max_value: int = MAX_VALUE,
        busy_timeout: float = 5.0,
        clock: Callable[[], float] = time,
    ) -> None:
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"path takes a str or a path, not {path!r}")
        path = os.fspath(path)
        if path in ("", ":memory:") or "\0" in path:
            raise ValueError(f"path takes the name of a file, not {path!r}; or use MemoryStore")
        check_size("max_value", max_value, 1)
        check_clock(clock)
        check_size("max_bytes", max_bytes, 2 * max_value + LEAST)
        check_seconds("busy_timeout", busy_timeout)
        self._max_value = max_value
        self._clock = clock
        self._database = Database(os.path.abspath(path), busy_timeout, _SETUP)
        self._eviction = Eviction(max_bytes)

    def get(self, key: str) -> bytes | None:
        name = key_bytes(key)
        return self._database.run(lambda connection: _find(connection, name, self._clock())[1])

    def set(self, key: str, value: bytes, *, expires: float | None = None) -> None:
        name = key_bytes(key)
        check_value(value, self._max_value)
        check_expires(expires)

        def work(connection: sqlite3.Connection) -> None:
            now = self._clock()
            self._write(connection, name, value, _end(now, expires), now)

        self._database.transact(work)

    def delete(self, key: str) -> bool:
        name = key_bytes(key)
        return self._database.run(lambda connection: _delete(connection, name, self._clock()))

    def increment(
        self,
        key: str,
        by: int = 1,
        *,
        floor: int | None = None,
        ceiling: int | None = None,
        expires: float | None = None,
        renew: bool = True,
    ) -> int:
        name = key_bytes(key)
        check_counts(by, floor, ceiling)
        check_expires(expires)

        def work(connection: sqlite3.Connection) -> int:
            now = self._clock()
            end, found = _find(connection, name, now)
            count = added(key, found, by, floor)
            if ceiling is None or count <= ceiling:
                if renew or found is None:
                    end = _end(now, expires)
                self._write(connection, name, b"%d" % count, end, now)
            return count

        return self._database.transact(work)

    def compare_and_set(
        self,
        key: str,
        expected: bytes | None,
        value: bytes | None,
        *,
        expires: float | None = None,
    ) -> bool:
        name = key_bytes(key)
        if value is not None:
            check_value(value, self._max_value)
        check_expires(expires)

        def work(connection: sqlite3.Connection) -> bool:
            now = self._clock()
            if _find(connection, name, now)[1] != expected:
                return False
            if value is None:
                _delete(connection, name, now)
            else:
                self._write(connection, name, value, _end(now, expires), now)
            return True

        return self._database.transact(work)

    def close(self) -> None:
        """Close the file in this process. That happens at its end anyway; the next use opens it."""
        self._database.close()

    def _write(
        self, connection: sqlite3.Connection, name: bytes, value: bytes, end: float, now: float
    ) -> None:
        self._eviction.make_room(connection, len(value), now)
        row = (end, value, name, minute(end))
        if connection.execute(_RENEW, row).rowcount == 0:
            connection.execute(_WRITE, row)


def _find(connection: sqlite3.Connection, name: bytes, now: float) -> tuple[float, bytes | None]:
    """When it expires, and the value, None where there is none."""
    row: tuple[float, bytes] | None = connection.execute(_FIND, (name, now)).fetchone()
    return row or (_NEVER, None)


def _delete(connection: sqlite3.Connection, name: bytes, now: float) -> bool:
    return connection.execute(_DELETE, (name, now)).rowcount == 1


def _end(now: float, expires: float | None) -> float:
    return _NEVER if expires is None else now + expires
