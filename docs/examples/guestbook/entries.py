"""What the guestbook keeps: people and entries in one SQLite file, pictures beside it."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time

from wsgikit.forms import Upload

SCHEMA = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS people (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        password TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS entries (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL REFERENCES people,
        written REAL NOT NULL,
        text TEXT NOT NULL,
        picture TEXT NOT NULL,
        shows TEXT NOT NULL
    );
"""

MAX_ID = 2**63 - 1  # SQLite's largest number

# What a file is, by its first bytes: neither its name nor what the browser says of it counts.
KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif"}


@dataclass(frozen=True)
class Entry:
    id: int
    name: str
    written: float
    text: str
    picture: str
    shows: str


class Guestbook:
    """The people and the entries in a folder.

    SQLite is opened anew for each request: that takes a tenth of a millisecond, and is right for
    threads and for workers.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # hashes are for nobody else
        self.pictures = folder / "pictures"
        self.pictures.mkdir(exist_ok=True)
        self._path = folder / "guestbook.db"
        with self._database() as database:
            database.executescript(SCHEMA)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=10)
        try:
            with database:
                yield database
        finally:
            database.close()

    def account(self, name: str) -> tuple[str, str] | tuple[None, None]:
        """A name as it was registered, and the hash of its password."""
        with self._database() as database:
            query = "SELECT name, password FROM people WHERE name = ?"
            row = database.execute(query, (name,)).fetchone()
        return row or (None, None)

    def register(self, name: str, password: str) -> bool:
        """Keep a name with the hash of its password; False where somebody has it already."""
        try:
            with self._database() as database:
                database.execute("INSERT INTO people VALUES (?, ?)", (name, password))
        except sqlite3.IntegrityError:
            return False
        return True

    def write(self, name: str, text: str, picture: str, shows: str) -> None:
        """Add an entry."""
        row = (name, time(), text, picture, shows)
        with self._database() as database:
            database.execute(
                "INSERT INTO entries (name, written, text, picture, shows) VALUES (?, ?, ?, ?, ?)",
                row,
            )

    def read(self, before: int | None = None, many: int = 20) -> list[Entry]:
        """The latest entries, or the latest before that one."""
        with self._database() as database:
            rows = database.execute(
                "SELECT id, name, written, text, picture, shows FROM entries"
                " WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?",
                (before, before, many),
            ).fetchall()
        return [Entry(*row) for row in rows]

    def delete(self, id: int, name: str) -> bool:
        """Remove an entry that somebody has written; False where they have not."""
        if id > MAX_ID:
            return False
        with self._database() as database:
            row = database.execute(
                "DELETE FROM entries WHERE id = ? AND name = ? RETURNING picture", (id, name)
            ).fetchone()
        if row and row[0]:
            (self.pictures / row[0]).unlink(missing_ok=True)
        return row is not None

    def keep(self, upload: Upload) -> str:
        """The name under which a picture is kept: one of ours; empty for what is no picture."""
        with upload.open() as file:
            head = file.read(12)
        suffix = next((kind for mark, kind in KINDS.items() if head.startswith(mark)), "")
        if head[:4] == b"RIFF" and head[8:] == b"WEBP":
            suffix = "webp"
        if not suffix:
            return ""
        name = f"{secrets.token_hex(16)}.{suffix}"
        upload.save(self.pictures / name)
        return name
