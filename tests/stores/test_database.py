from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from wsgikit.stores import StoreError, database
from wsgikit.stores.database import Database

SETUP = "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (x)"


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "file")


@pytest.fixture
def base(path: str) -> Iterator[Database]:
    base = Database(path, 5.0, SETUP)
    yield base
    base.close()


@pytest.fixture
def other(path: str, base: Database) -> Iterator[sqlite3.Connection]:
    """A connection as another process has it."""
    base.run(lambda connection: None)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    yield other
    other.close()


def add(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO t VALUES (1)")


def count(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("SELECT count(*) FROM t").fetchone()
    return found


def test_the_file_is_made_at_the_first_use_and_for_its_owner_alone(base, path) -> None:
    assert not Path(path).exists()
    base.transact(add)
    for name in (path, f"{path}-wal", f"{path}-shm"):
        assert stat.S_IMODE(Path(name).stat().st_mode) == 0o600


def test_the_mode_of_a_file_that_is_there_is_left(base, path) -> None:
    Path(path).touch()
    Path(path).chmod(0o660)
    base.transact(add)
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o660


def test_what_raises_has_written_nothing(base) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        add(connection)
        raise LookupError

    base.transact(add)
    with pytest.raises(LookupError):
        base.transact(fail)
    assert base.run(count) == 1
    base.transact(add)
    assert base.run(count) == 2


def test_one_who_reads_does_not_wait(base, other) -> None:
    other.execute("BEGIN IMMEDIATE")
    add(other)
    assert base.run(count) == 0
    other.execute("COMMIT")
    assert base.run(count) == 1


def test_one_who_writes_waits_for_the_other(base, other, monkeypatch) -> None:
    pauses = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 30:
            other.execute("COMMIT")

    monkeypatch.setattr(database, "sleep", sleep)
    other.execute("BEGIN IMMEDIATE")
    add(other)
    base.transact(add)
    assert base.run(count) == 2
    assert len(pauses) == 30
    assert max(pauses) <= database.LONGEST
    assert pauses[0] <= database.SHORTEST


def test_the_waiting_has_an_end(path, other) -> None:
    base = Database(path, 0.05, SETUP)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"file was busy for 0.05 s \(busy_timeout\)") as caught:
        base.transact(add)
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    other.execute("COMMIT")
    base.transact(add)
    base.close()


def test_one_may_not_wait_at_all(path, other) -> None:
    base = Database(path, 0, SETUP)
    base.transact(add)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="busy for 0 s"):
        base.transact(add)
    base.close()


def test_the_waiting_for_another_thread_has_an_end(path) -> None:
    base = Database(path, 0.05, SETUP)
    begun, over = Event(), Event()

    def linger(connection: sqlite3.Connection) -> None:
        begun.set()
        over.wait()

    thread = Thread(target=base.run, args=(linger,))
    thread.start()
    begun.wait()
    with pytest.raises(StoreError, match=r"busy for 0.05 s"):
        base.run(count)
    over.set()
    thread.join()
    assert base.run(count) == 0
    base.close()


def test_a_directory_that_is_not_there_is_a_store_error(tmp_path) -> None:
    base = Database(str(tmp_path / "none" / "file"), 5.0, SETUP)
    with pytest.raises(StoreError, match="none/file: No such file or directory"):
        base.run(count)
    (tmp_path / "none").mkdir()
    assert base.run(count) == 0
    base.close()


def test_a_directory_is_no_file(tmp_path) -> None:
    base = Database(str(tmp_path), 5.0, SETUP)
    with pytest.raises(StoreError, match="unable to open database file"):
        base.run(count)


def test_a_file_of_another_kind_is_a_store_error_and_left_alone(base, path) -> None:
    Path(path).write_bytes(b"Something else, for sure. " * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        base.run(count)
    assert Path(path).read_bytes().startswith(b"Something else")
    Path(path).unlink()
    assert base.run(count) == 0


def test_a_statement_that_fails_is_a_store_error(base) -> None:
    with pytest.raises(StoreError, match="no such table: none") as caught:
        base.transact(lambda connection: connection.execute("DELETE FROM none"))
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    with pytest.raises(StoreError, match="Incorrect number of bindings"):  # without a code
        base.run(lambda connection: connection.execute("SELECT ?"))


def test_a_transaction_that_sqlite_has_ended_itself_is_no_other_error(base) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise LookupError

    with pytest.raises(LookupError):
        base.transact(fail)


def test_a_failed_setup_closes_the_connection(path) -> None:
    with pytest.raises(StoreError, match="syntax error"):
        Database(path, 5.0, "SETUP").run(count)


def test_it_is_opened_again_after_it_was_closed(base) -> None:
    base.transact(add)
    base.close()
    base.close()
    assert base.run(count) == 1


def test_nothing_is_left_open(python, tmp_path) -> None:
    """Neither at the end of the process nor when nobody has the database any more."""
    assert python(FORGET, tmp_path / "file") == "1\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file"]


FORGET = """
import gc, sys
from wsgikit.stores.database import Database
def use():
    base = Database(sys.argv[1], 5, "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (x)")
    base.transact(lambda connection: connection.execute("INSERT INTO t VALUES (1)"))
    return base
use()
gc.collect()
kept = use()
print(1)
"""


def test_connections_do_not_cross_a_fork(python, tmp_path) -> None:
    """Children of children use it at once, while threads of their parents do."""
    assert python(FORKS, tmp_path / "file", forks=True) == "[('ok',)] 520\n"


# 21 families, in each a thread that writes 20 rows; 5 of them have children and write 20 more.
FORKS = """
import os, sys, threading
from wsgikit.stores.database import Database
base = Database(sys.argv[1], 60, "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (x)")
def work(times):
    for _ in range(times):
        base.transact(lambda connection: connection.execute("INSERT INTO t VALUES (1)"))
def family(depth):
    thread = threading.Thread(target=work, args=(20,))
    thread.start()
    children = []
    for _ in range(4 if depth else 0):
        work(5)
        child = os.fork()
        if child == 0:
            family(depth - 1)
            os._exit(0)
        children.append(child)
    thread.join()
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
family(2)
check = base.run(lambda connection: connection.execute("PRAGMA integrity_check").fetchall())
(rows,) = base.run(lambda connection: connection.execute("SELECT count(*) FROM t").fetchone())
print(check, rows)
"""


def test_a_fork_that_python_was_not_told_of_is_noticed(python, tmp_path) -> None:
    printed = python(UNTOLD, tmp_path / "file")
    assert "file was open during a fork that Python was not told of" in printed


def test_a_connection_of_another_process_is_not_used(base, monkeypatch) -> None:
    base.transact(add)
    monkeypatch.setattr(database.os, "getpid", lambda: -1)
    with pytest.raises(StoreError, match="let the server fork before the store is used"):
        base.run(count)
    monkeypatch.undo()
    assert base.run(count) == 1


UNTOLD = """
import ctypes, os, sys
from wsgikit.stores import StoreError
from wsgikit.stores.database import Database
base = Database(sys.argv[1], 5, "CREATE TABLE IF NOT EXISTS t (x)")
base.run(lambda connection: None)
child = ctypes.PyDLL(None).fork()
if child == 0:
    try:
        base.run(lambda connection: None)
    except StoreError as error:
        os.write(1, str(error).encode())
    os._exit(0)
os.waitpid(child, 0)
base.run(lambda connection: None)
"""
