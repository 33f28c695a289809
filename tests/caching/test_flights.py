from __future__ import annotations

import os
import threading
import time

import pytest

from wsgikit.caching import flights as module
from wsgikit.caching.flights import Flights
from wsgikit.stores import MemoryStore, StoreError


def test_one_flies_and_the_others_wait():
    flights = Flights(MemoryStore())
    flight = flights.begin("key")
    assert flight.lease()
    assert flights.begin("key") is None
    assert flights.begin("other") is not None
    landed = []
    thread = threading.Thread(target=lambda: (flights.wait("key"), landed.append(1)))
    thread.start()
    assert landed == []
    flight.land()
    flight.land()
    thread.join(30)
    assert landed == [1]
    flights.wait("key")  # nobody flies: nothing to wait for
    assert flights.begin("key") is not None


def test_nobody_waits_longer_than_that():
    flights = Flights(MemoryStore())
    flights.begin("key")
    flights.wait("key", 0.01)
    flights.wait("key", -1)
    flights.wait_elsewhere("key", -1)


def test_processes_wait_for_each_other():
    store = MemoryStore()
    here, there = Flights(store), Flights(store)
    first, second = here.begin("key"), there.begin("key")
    assert first.lease()
    assert not second.lease()
    second.land()  # it has not leased: the other one goes on
    assert store.get("key:flight") == b"1"
    thread = threading.Thread(target=there.wait_elsewhere, args=("key",))
    thread.start()
    first.land()
    thread.join(30)
    assert not thread.is_alive()
    assert store.get("key:flight") is None


def test_a_process_that_died_is_not_waited_for_for_ever():
    now = [0.0]
    store = MemoryStore(clock=lambda: now[0])
    assert Flights(store).begin("key").lease()
    assert not Flights(store).begin("key").lease()
    now[0] += module.LEASE
    assert Flights(store).begin("key").lease()


def test_another_process_is_looked_after_until_it_has_landed():
    class Slow(MemoryStore):
        looks = 0

        def get(self, key):
            self.looks += 1
            return b"1" if self.looks < 3 else None

    store = Slow()
    Flights(store).wait_elsewhere("key")
    assert store.looks == 3


class Broken:
    def fail(self, *arguments, **options):
        raise StoreError("broken")

    get = increment = delete = fail


def test_without_a_store_each_process_flies_for_itself():
    flights = Flights(Broken())
    flight = flights.begin("key")
    assert flight.lease()
    flights.wait_elsewhere("key")
    flight.land()
    assert flights.begin("key") is not None


def test_what_was_not_kept_is_remembered_for_a_while(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    flights = Flights(MemoryStore())
    flights.passed("key", True)
    assert not flights.passes("key")
    flights.passed("key", False)
    assert flights.passes("key")
    now[0] += module.PASSED
    assert not flights.passes("key")
    flights.passed("key", False)
    flights.passed("key", True)
    assert not flights.passes("key")


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_PASSED", 10)
    flights = Flights(MemoryStore())
    for number in range(20):
        flights.passed(f"{number}", False)
    assert [flights.passes(f"{number}") for number in (9, 10, 19)] == [False, True, True]


def test_a_flight_that_a_fork_has_left_behind(monkeypatch):
    flights = Flights(MemoryStore())
    flight = flights.begin("key")
    monkeypatch.setattr(module.os, "getpid", lambda: -1)
    flights.before_fork()
    flights.after_fork()
    assert flights.begin("key") is not None
    flight.land()
    assert flights.begin("key") is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_child_does_not_wait_for_what_its_parent_began():
    flights = Flights(MemoryStore())
    flight = flights.begin("key")
    child = os.fork()
    if not child:
        began = time.monotonic()
        flights.wait("key")
        os._exit(0 if flights.begin("key") and time.monotonic() - began < 5 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert flights.begin("key") is None  # the parent's goes on
    flight.land()
