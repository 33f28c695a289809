from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from wsgikit.stores import SQLiteStore
from wsgikit.stores.eviction import LEAST

MAX_BYTES = 2**19


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def opened(path, clock) -> Iterator[Callable[..., SQLiteStore]]:
    stores: list[SQLiteStore] = []

    def opened(**options: int) -> SQLiteStore:
        stores.append(SQLiteStore(path, clock=clock, **options))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def entries(store: SQLiteStore) -> int:
    query = "SELECT count(*) FROM wsgikit_store_1"
    (count,) = store._database.run(lambda connection: connection.execute(query).fetchone())
    return count


def test_what_has_expired_is_deleted_a_little_at_each_write(opened, clock) -> None:
    store = opened()
    for number in range(1000):
        store.set(f"{number}", b"", expires=10)
    store.set("kept", b"")
    clock.now += 70  # to the minute
    counts = []
    for _ in range(300):
        store.set("key", b"")
        counts.append(entries(store))
    assert counts[-1] == 2
    assert max(before - after for before, after in pairwise(counts)) <= 64


def test_processes_that_write_once_delete_as_well(opened, clock) -> None:
    store = opened()
    for number in range(1000):
        store.set(f"{number}", b"", expires=10)
    clock.now += 70  # to the minute
    for _ in range(100):
        another = opened()
        another.set("key", b"")
        another.close()
    assert entries(store) < 100


@pytest.mark.parametrize(
    "size",
    [
        lambda chance: 10,
        lambda chance: chance.randrange(300),
        lambda chance: 3000,
        lambda chance: chance.choice([10, 10, 10, 10, 10, 10, 10, 10, 10, 2**16]),
        lambda chance: 2**17,
    ],
    ids=["small", "a bit", "nearly pages", "mixed", "large"],
)
@pytest.mark.parametrize("fresh", [True, False], ids=["fresh keys", "old keys"])
def test_the_file_grows_to_its_limit_and_no_further(opened, path, size, fresh) -> None:
    store = opened(max_bytes=MAX_BYTES, max_value=2**17)
    chance = random.Random(1)
    written = number = 0
    largest = 0
    while written < 5 * MAX_BYTES and number < 15_000:
        number += 1
        name = f"{number}" if fresh else f"{chance.randrange(20_000)}"
        value = bytes(size(chance))
        store.set(name, value, expires=1000 * chance.random())
        assert store.get(name) == value
        written += len(value) + 150
        largest = max(largest, path.stat().st_size)
    store.close()
    assert 0.7 * MAX_BYTES < path.stat().st_size <= 1.02 * MAX_BYTES
    assert largest <= 1.02 * MAX_BYTES


def test_what_would_expire_next_makes_room(opened) -> None:
    store = opened(max_bytes=MAX_BYTES, max_value=1000)
    for number in range(150):
        store.set(f"for ever {number}", bytes(100))
        store.set(f"long {number}", bytes(100), expires=100_000)
    for number in range(5_000):
        store.set(f"short {number}", bytes(100), expires=10)
    for number in range(150):
        assert store.get(f"for ever {number}") == bytes(100)
        assert store.get(f"long {number}") == bytes(100)
    assert store.get("short 4999") is not None
    for number in range(5_000):
        store.set(f"for ever {number}", bytes(100))
    assert store.get("short 4999") is None
    assert store.get("long 149") is None
    assert store.get("for ever 0") is None
    assert store.get("for ever 4999") is not None


def test_the_least_size_has_room_for_the_largest_value(opened) -> None:
    store = opened(max_bytes=LEAST + 2 * 10_000, max_value=10_000)
    for number in range(300):
        store.set(f"{number}", bytes(10_000))
        assert store.get(f"{number}") is not None


def test_an_empty_table_is_not_looked_at_for_ever(opened, path) -> None:
    """Others may have filled the file: there is nothing of ours to delete."""
    store = opened(max_bytes=LEAST + 2, max_value=1)
    fill = "CREATE TABLE others AS SELECT zeroblob(500000)"
    store._database.run(lambda connection: connection.execute(fill).fetchall())
    for number in range(100):
        store.set(f"{number}", b"x")
        assert store.get(f"{number}") == b"x"
    assert entries(store) < 100
