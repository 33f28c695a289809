from __future__ import annotations

import tracemalloc

import pytest

from wsgikit.stores import MemoryStore
from wsgikit.stores.memory import OVERHEAD


def small(entries: int, clock) -> MemoryStore:
    """A store for so many entries of a key of 1 byte and a value of 100."""
    each = OVERHEAD + 2 + 100
    return MemoryStore(max_bytes=entries * each + 500, max_value=100, clock=clock)


def kept(store: MemoryStore, keys: str) -> str:
    return "".join(key for key in keys if store.get(key) is not None)


def test_what_would_expire_next_makes_room(clock) -> None:
    store = small(4, clock)
    for key, expires in [("a", 30), ("b", None), ("c", 10), ("d", 20)]:
        store.set(key, bytes(100), expires=expires)
    assert kept(store, "abcd") == "abcd"
    store.set("e", bytes(100), expires=1)
    assert kept(store, "abcde") == "abde"
    store.set("f", bytes(100), expires=1)
    assert kept(store, "abdef") == "abdf"
    store.set("d", bytes(100), expires=40)
    store.set("g", bytes(100))
    assert kept(store, "abdg") == "abdg"
    store.set("h", bytes(100))
    assert kept(store, "abdgh") == "bdgh"


def test_then_what_was_written_first_makes_room(clock) -> None:
    store = small(3, clock)
    for key in "abc":
        store.set(key, bytes(100))
    store.set("a", bytes(100))
    store.set("d", bytes(100))
    assert kept(store, "abcd") == "acd"
    store.set("e", bytes(100), expires=1)
    store.set("f", bytes(100), expires=1)
    assert kept(store, "acdef") == "adf"


def test_what_has_expired_makes_room_before_it_is_needed(clock) -> None:
    store = MemoryStore(clock=clock)
    for number in range(1000):
        store.set(f"{number}", b"", expires=10)
    clock.now += 10
    for _ in range(150):  # each write drops a few
        store.set("key", b"")
    assert len(store._entries) == 1
    assert store._size == OVERHEAD + 2 * len("key")


def test_a_key_that_is_written_again_and_again_takes_no_more(clock) -> None:
    store = MemoryStore(clock=clock)
    for key in ("a", "b", "c"):
        store.set(key, b"0")
    for number in range(1000):
        store.increment("a", expires=1000 + number % 7)
    assert len(store._expiring) < 20
    assert store._size == 3 * (OVERHEAD + 2) + len(b"1000" + b"0" + b"0")


@pytest.mark.parametrize("expires", [None, 1000], ids=["for ever", "for a time"])
def test_it_takes_no_more_memory_than_it_may(expires: int | None) -> None:
    tracemalloc.start()
    store = MemoryStore(max_bytes=2**20, max_value=2**18)
    try:
        for number in range(6000):
            size = number % 50 if number % 500 else 2**18
            store.set(f"{number % 4000:0250}", bytes(size), expires=expires and expires + number)
            store.set(f"{number}", b"", expires=expires)
        used, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 1.1 * 2**20
    assert peak < 1.5 * 2**20
    assert len(store._entries) > 500


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_value": 0}, ValueError, "max_value takes at least 1 bytes, not 0"),
        ({"max_value": "1"}, TypeError, "max_value takes a number of bytes, not '1'"),
        ({"max_bytes": 2**20}, ValueError, "max_bytes takes at least 1049588 bytes, not 1048576"),
        ({"max_bytes": True}, TypeError, "max_bytes takes a number of bytes, not True"),
        ({"max_bytes": 1e9}, TypeError, "max_bytes takes a number of bytes"),
    ],
    ids=range(5),
)
def test_options_are_checked(options, error, message) -> None:
    with pytest.raises(error, match=message):
        MemoryStore(**options)


def test_max_value_is_an_option() -> None:
    store = MemoryStore(max_value=10)
    store.set("key", bytes(10))
    with pytest.raises(ValueError, match=r"value takes up to 10 bytes \(max_value\), not 11"):
        store.set("key", bytes(11))


def test_a_child_process_has_a_copy(python) -> None:
    assert python(FORK, forks=True) == "50 children\n"


FORK = """
import os, threading
from wsgikit.stores import MemoryStore

store = MemoryStore()
done = threading.Event()
def work():
    while not done.is_set():
        store.increment("counter", expires=60)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
children = 0
for _ in range(50):
    child = os.fork()
    if child == 0:
        # A lock that another thread held would be held for ever.
        store.set("child", b"x")
        before = int(store.get("counter") or 0)
        right = store.increment("counter") == before + 1 and store._size < 2000
        os._exit(0 if right else 1)
    children += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
done.set()
for thread in threads: thread.join()
print(children, "children") if store.get("child") is None else None
"""
