from __future__ import annotations

import os
from pathlib import Path

import pytest

from wsgikit.stores import SQLiteStore, StoreError


def fill(store: SQLiteStore, numbers: range, size: int) -> None:
    for number in numbers:
        store.set(f"{number}", bytes(size))


def test_what_was_written_is_there_after_a_restart(tmp_path) -> None:
    for expected in (1, 2, 3):
        store = SQLiteStore(tmp_path / "store")
        assert store.increment("key", expires=1000) == expected
        store.close()
    assert [each.name for each in tmp_path.iterdir()] == ["store"]


def test_a_path_counts_from_where_the_store_was_made(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SQLiteStore("store")
    monkeypatch.chdir("/")
    store.set("key", b"value")
    assert (tmp_path / "store").exists()
    store.close()


def test_nothing_is_made_before_it_is_used(tmp_path) -> None:
    SQLiteStore(tmp_path / "store")
    assert [*tmp_path.iterdir()] == []


def test_its_clock_is_the_time_of_day(tmp_path) -> None:
    store = SQLiteStore(tmp_path / "store")
    store.set("key", b"value", expires=1000)
    assert store.get("key") == b"value"
    store.close()


def test_the_file_of_another_program_is_shared(tmp_path) -> None:
    """The table has a name of its own: the store may be in the application's database."""
    store = SQLiteStore(tmp_path / "store")
    store._database.run(lambda connection: connection.execute("CREATE TABLE entries (x)"))
    store.set("key", b"value")
    assert store.get("key") == b"value"
    store.close()


@pytest.mark.parametrize(
    ("path", "options", "error", "message"),
    [
        ("", {}, ValueError, "path takes the name of a file, not ''"),
        (":memory:", {}, ValueError, "path takes the name of a file, .* or use MemoryStore"),
        ("a\0b", {}, ValueError, "path takes the name of a file"),
        (b"store", {}, TypeError, "path takes a str or a path, not b'store'"),
        (None, {}, TypeError, "path takes a str or a path, not None"),
        ("store", {"max_value": 0}, ValueError, "max_value takes at least 1 bytes"),
        ("store", {"max_bytes": 2**21}, ValueError, "max_bytes takes at least 2359296 bytes"),
        ("store", {"busy_timeout": "5"}, TypeError, "busy_timeout takes a number of seconds"),
        ("store", {"busy_timeout": True}, TypeError, "busy_timeout takes a number of seconds"),
        ("store", {"busy_timeout": -1}, ValueError, "busy_timeout takes seconds from 0 on"),
        ("store", {"busy_timeout": float("inf")}, ValueError, "busy_timeout takes seconds"),
    ],
    ids=range(11),
)
def test_options_are_checked(path, options, error, message) -> None:
    with pytest.raises(error, match=message):
        SQLiteStore(path, **options)


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.get("key"),
        lambda store: store.set("key", b""),
        lambda store: store.delete("key"),
        lambda store: store.increment("key"),
        lambda store: store.compare_and_set("key", None, b""),
    ],
    ids=["get", "set", "delete", "increment", "compare_and_set"],
)
def test_a_store_that_is_down_is_a_store_error(ask, tmp_path) -> None:
    store = SQLiteStore(tmp_path / "none" / "store")
    with pytest.raises(StoreError, match="No such file or directory"):
        ask(store)


def test_a_damaged_file_is_a_store_error_until_it_is_taken_away(tmp_path) -> None:
    path = tmp_path / "store"
    store = SQLiteStore(path)
    fill(store, range(200), 1000)
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(60 * 4096))
    with pytest.raises(StoreError, match=r"malformed|not a database"):
        fill(store, range(200), 1000)
    path.unlink()
    store.set("key", b"value")
    assert store.get("key") == b"value"
    store.close()


def test_a_full_disk_is_a_store_error_and_breaks_nothing(tmp_path) -> None:
    store = SQLiteStore(tmp_path / "store")
    fill(store, range(20), 4000)
    pages = store._database.run(lambda connection: connection.execute("PRAGMA page_count"))
    (count,) = pages.fetchone()
    limit = f"PRAGMA max_page_count = {count + 3}"
    store._database.run(lambda connection: connection.execute(limit).fetchone())
    with pytest.raises(StoreError, match="full"):
        fill(store, range(20, 40), 4000)
    assert all(store.get(f"{number}") == bytes(4000) for number in range(20))
    store.close()


def test_processes_share_one_file_exactly(python, tmp_path) -> None:
    printed = python(PROCESSES, tmp_path / "store", forks=True)
    assert printed == "100 of 1600 through, 1600 counted, 80 of 80 listed\n"


PROCESSES = """
import os, sys, threading
from wsgikit.stores import SQLiteStore, update

store = SQLiteStore(sys.argv[1], busy_timeout=60)
store.get("ceiling")                          # open before the fork
reader, writer = os.pipe()

def work(thread):
    for turn in range(200):
        if store.increment("ceiling", ceiling=100, expires=600) <= 100:
            os.write(writer, b".")
        store.increment("counter")
        if turn % 20 == 0:
            mark = b"%d.%d.%d " % (os.getpid(), thread, turn)
            update(store, "list", lambda found: (found or b"") + mark)

children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        os._exit(0)
    children.append(child)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
os.close(writer)
listed = set(store.get("list").split())
print(len(os.read(reader, 10000)), "of 1600 through,", store.get("counter").decode(), "counted,",
      len(listed), "of 80 listed")
"""


def test_no_increment_is_lost_when_processes_are_killed(python, tmp_path) -> None:
    rounds = 150
    printed = python(CRASHES, tmp_path / "store", rounds, forks=True)
    kills, confirmed, counted, check = printed.split()
    assert check == "ok"
    assert int(kills) == 2 * rounds
    # What was confirmed is there. What was killed before it could be may be, once for each kill.
    assert int(confirmed) <= int(counted) <= int(confirmed) + int(kills)
    assert int(confirmed) > 10 * rounds


# Two children count, and tell of each increment in a pipe. After a random time, in which they are
# somewhere in the middle of one, both are killed: twice the rounds, many thousand increments.
CRASHES = """
import os, random, signal, sys, time
from wsgikit.stores import SQLiteStore

store = SQLiteStore(sys.argv[1], busy_timeout=60)
store.set("counter", b"0")
kills = confirmed = 0
for round in range(int(sys.argv[2])):
    reader, writer = os.pipe()
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            while True:
                store.increment("counter", expires=600)
                os.write(writer, b".")
                store.set(f"other{random.random()}", bytes(3000), expires=600)
        children.append(child)
    os.close(writer)
    confirmed += len(os.read(reader, 1))       # they are at work
    time.sleep(random.uniform(0, 0.01))
    for child in children:
        os.kill(child, signal.SIGKILL)
        kills += os.waitpid(child, 0)[1] == signal.SIGKILL
    while told := os.read(reader, 65536):
        confirmed += len(told)
    os.close(reader)
    if round % 10 == 0:
        store.increment("counter", 0)          # and the parent opens it in between
query = "PRAGMA integrity_check"
check = store._database.run(lambda connection: connection.execute(query).fetchone())
print(kills, confirmed, store.get("counter").decode(), *check)
"""


def test_the_documented_files_are_all_there_are(tmp_path) -> None:
    store = SQLiteStore(tmp_path / "store")
    store.set("key", b"value")
    assert {each.name for each in Path(tmp_path).iterdir()} == {"store", "store-wal", "store-shm"}
    store.close()
