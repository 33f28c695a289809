"""How the table of a :class:`~wsgikit.stores.sqlite.SQLiteStore` is kept small, bit by bit.

What has expired is deleted by those who write, some at a time. When the file is full, so is what
would expire next. Both is found by an index; as that costs a page more at each change, it has the
minute only, and a counter that is renewed many times a minute leaves it alone.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

__all__ = ["LEAST", "Eviction", "minute"]

#: Bytes of a file that has room for the tables, and for what is written between two looks.
LEAST = 2**18

_NEVER = 2**62
# After how many writes to look (of a page, or less of larger values), and how many expired entries
# are then deleted: more than may have come.
_WRITES, _SWEPT = 16, 64
_PAGE = 4096
_ENTRY = 100  # bytes of an entry beside its value, about
_NEXT = "SELECT id, length(value) FROM wsgikit_store_1 ORDER BY minute, id LIMIT 256"
_DELETE = "DELETE FROM wsgikit_store_1 WHERE id = ?"
_SWEEP = """
    DELETE FROM wsgikit_store_1 WHERE id IN (
        SELECT id FROM wsgikit_store_1 WHERE minute < ? ORDER BY minute LIMIT ?
    )
"""


def minute(end: float) -> int:
    """The minute in which something expires, as the index has it."""
    return _NEVER if end == float("inf") else int(end // 60)


class Eviction:
    """Keeps a file about as small as ``max_bytes``."""

    __slots__ = ("_due", "_max_bytes")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._due = 0  # how many bytes may be written before the next look

    def make_room(self, connection: sqlite3.Connection, size: int, now: float) -> None:
        """Make room for a value of ``size`` bytes. Mostly there is some left from the last time."""
        self._due -= max(size, _PAGE)
        if self._due >= 0:
            return
        self._due = _WRITES * _PAGE
        connection.execute(_SWEEP, (minute(now), _SWEPT))
        coming = size + _WRITES * _PAGE
        if self._used(connection) + coming > self._max_bytes:
            self._evict(connection, 2 * coming)

    def _used(self, connection: sqlite3.Connection) -> int:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        return int(page * (pages - free))

    def _evict(self, connection: sqlite3.Connection, size: int) -> None:
        """Delete about so many bytes of entries. It has pages free when most on them are gone."""
        while size > 0:
            entries = connection.execute(_NEXT).fetchall()
            if not entries:
                break
            gone = []
            for id, length in entries:
                gone.append((id,))
                size -= length + _ENTRY
                if size <= 0:
                    break
            connection.executemany(_DELETE, gone)
