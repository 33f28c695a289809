from __future__ import annotations

import subprocess
import sys
from threading import Barrier, Lock, Thread

import pytest

from tests.stores.conftest import CHECKOUT
from wsgikit.stores import MemoryStore, StoreError
from wsgikit.stores.protocol import ATTEMPTS
from wsgikit.stores.semaphore import Semaphore


def semaphore(kept, clock, places=2, lease=60.0):
    return Semaphore(kept.store, "places:", places, lease, clock)


def test_so_many_places_and_no_more(kept, clock) -> None:
    places = semaphore(kept, clock)
    one, two = places.acquire("a"), places.acquire("a")
    assert one
    assert two
    assert places.acquire("a") is None
    assert places.acquire("b")
    places.release("a", one)
    assert places.acquire("a")
    assert places.acquire("a") is None


def test_a_place_is_given_back_once(kept, clock) -> None:
    places = semaphore(kept, clock)
    one, two = places.acquire("a"), places.acquire("a")
    for _ in range(3):
        places.release("a", one)
    assert places.acquire("a")
    assert places.acquire("a") is None
    places.release("a", two)
    places.release("never", one)


def test_when_all_are_given_back_nothing_is_left(kept, clock) -> None:
    places = semaphore(kept, clock)
    places.release("a", places.acquire("a"))
    assert kept.store.get("places:a") is None


def test_a_place_that_is_not_given_back_is_free_again_in_time(kept, clock) -> None:
    """Also where others are taken and given back all the time, each of which renews the value."""
    places = semaphore(kept, clock)
    lost = places.acquire("a")
    for _ in range(5):
        now = clock.now
        kept.advance(10)
        clock.now = now + 10  # which Redis has not done
        places.release("a", places.acquire("a"))
    assert places.acquire("a")
    assert places.acquire("a") is None
    clock.now += 10
    assert places.acquire("a")
    places.release("a", lost)  # too late: somebody else has it
    assert places.acquire("a") is None


def test_a_clock_that_was_set_back_takes_no_places(clock) -> None:
    places = Semaphore(MemoryStore(), "places:", 1, 60.0, clock)
    places.acquire("a")
    clock.now -= 50  # as the clocks of two machines may differ
    assert places.acquire("a") is None
    clock.now -= 50
    assert places.acquire("a")


def test_of_many_threads_no_more_than_the_places_are_in(kept, clock) -> None:
    places = semaphore(kept, clock, places=3)
    lock, together, inside, most, served = Lock(), Barrier(8), [0], [0], [0]

    def work() -> None:
        together.wait()
        for _ in range(30):
            place = places.acquire("a")
            if place is None:
                continue
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                served[0] += 1
            with lock:
                inside[0] -= 1
            places.release("a", place)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served[0] > 0
    assert most[0] <= 3
    assert kept.store.get("places:a") is None


KILLED = """
import os, signal, sys
from wsgikit.stores import SQLiteStore
from wsgikit.stores.semaphore import Semaphore
places = Semaphore(SQLiteStore(sys.argv[1]), "places:", 1, 60, lambda: float(sys.argv[2]))
print(places.acquire("a") is not None, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_loses_its_place_in_time(tmp_path) -> None:
    def run(now: int) -> tuple[str, int]:
        command = [sys.executable, "-c", KILLED, str(tmp_path / "store"), str(now)]
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        return done.stdout.strip(), done.returncode

    assert run(1_000_000) == ("True", -9)
    assert run(1_000_030) == ("False", -9)
    assert run(1_000_060) == ("True", -9)


class Contested(MemoryStore):
    """Somebody else is always quicker."""

    def compare_and_set(self, *arguments, **options):
        return False


def test_it_gives_up_where_others_are_always_quicker() -> None:
    store = Contested()
    places = Semaphore(store, "places:", 1, 60.0)
    with pytest.raises(StoreError, match=f"changed by others all the time: tried {ATTEMPTS}"):
        places.acquire("a")
    place = bytes(16)
    store.set("places:a", place)
    with pytest.raises(StoreError, match="changed by others all the time"):
        places.release("a", place)
