from __future__ import annotations

import json
from threading import Event, Thread
from time import time

import pytest

import wsgikit.tallies
from tests.test_metrics import Broken
from wsgikit.stores import MemoryStore, StoreError
from wsgikit.tallies import GONE, Tallies

KEY = ("GET", "/", 200)
SOON, NEVER = 0.01, 3600


class Process:
    """What counts, without a server around it."""

    def __init__(self, store, interval=NEVER, bounds=(10,)):
        self.series, self.in_flight = {}, 0
        self.tallies = Tallies(store, "metrics", interval, bounds, self.limited, self.take)

    def limited(self, series, key):
        return key if key in series or len(series) < 2 else ("_OTHER", "_OTHER", 0)

    def take(self):
        series, self.series = self.series, {}
        return series, self.in_flight

    def count(self, *values, key=KEY):
        self.series[key] = [*values]
        return self


def test_counts_are_added():
    store = MemoryStore()
    one, other = Process(store), Process(store)
    one.count(1, 0, 5, 9).tallies.flush()
    one.count(1, 2, 3, 4).tallies.flush()
    other.count(0, 1, 1, 1).tallies.flush()
    assert other.tallies.read() == one.tallies.read() == ({KEY: [2, 3, 9, 14]}, 0)


def test_nothing_is_written_where_there_is_nothing():
    store = MemoryStore()
    Process(store).tallies.flush()
    assert store.get("metrics") is None


def test_all_processes_together_keep_the_limit():
    store = MemoryStore()
    keys = [("GET", f"/{number}", 200) for number in range(4)]
    for key in keys:
        Process(store).count(1, 0, 1, 1, key=key).tallies.flush()
    series = Process(store).tallies.read()[0]
    assert series == {
        keys[0]: [1, 0, 1, 1],
        keys[1]: [1, 0, 1, 1],
        ("_OTHER", "_OTHER", 0): [2, 0, 2, 2],
    }


def test_a_write_that_seemed_to_fail_is_not_added_twice():
    store = Broken()
    process = Process(store).count(1, 0, 1, 1)
    store.works, store.writes = False, True
    for _ in range(3):
        with pytest.raises(StoreError):
            process.tallies.flush()
    store.works = True
    assert process.tallies.read() == ({KEY: [1, 0, 1, 1]}, 0)
    process.count(1, 0, 1, 1)
    assert process.tallies.read() == ({KEY: [2, 0, 2, 2]}, 0)


def test_a_write_that_failed_is_made_up_for():
    store = Broken()
    process = Process(store).count(1, 0, 1, 1)
    store.works = False
    with pytest.raises(StoreError):
        process.tallies.flush()
    process.count(1, 0, 1, 1)
    with pytest.raises(StoreError):
        process.tallies.flush()
    store.works = True
    assert process.tallies.read() == ({KEY: [2, 0, 2, 2]}, 0)


@pytest.mark.parametrize(
    "found",
    [
        b"",
        b"\xff",
        b"7",
        b"null",
        b"[]",
        b"{}",
        b'{"bounds":[10],"series":7}',
        b'{"bounds":[10],"series":[[1]],"processes":{}}',
        b'{"bounds":[10],"series":[[["a"],1,2,[3]]],"processes":{}}',
        b'{"bounds":[10],"series":[],"processes":[]}',
        b'{"bounds":[10],"series":[],"processes":{"a":7}}',
        b'{"bounds":[20],"series":[["GET","/",200,[9,9,9,9]]],"processes":{}}',
    ],
)
def test_what_is_not_ours_is_replaced(found):
    store = MemoryStore()
    store.set("metrics", found)
    assert Process(store).count(1, 0, 1, 1).tallies.read() == ({KEY: [1, 0, 1, 1]}, 0)


def test_requests_in_flight_are_those_of_all_processes():
    store = MemoryStore()
    one, other = Process(store), Process(store)
    one.in_flight, other.in_flight = 2, 3
    other.tallies.flush()
    assert one.tallies.read()[1] == 5
    other.in_flight = 0
    other.tallies.flush()
    assert one.tallies.read()[1] == 2


def test_a_process_that_is_gone_has_no_requests_in_flight():
    store = MemoryStore()
    gone = Process(store)
    gone.in_flight = 7
    gone.tallies.flush()
    state = json.loads(store.get("metrics"))
    (last,) = state["processes"].values()
    last[2] = time() - GONE - 1
    store.set("metrics", json.dumps(state).encode())
    here = Process(store).count(1, 0, 1, 1)
    assert here.tallies.read() == ({KEY: [1, 0, 1, 1]}, 0)
    assert len(json.loads(store.get("metrics"))["processes"]) == 1


# The thread


class Watched(MemoryStore):
    """Says when something was written."""

    def __init__(self):
        super().__init__()
        self.written = Event()

    def compare_and_set(self, *args, **options):
        done = super().compare_and_set(*args, **options)
        self.written.set()
        return done


def test_what_is_noted_is_sent_soon():
    store = Watched()
    process = Process(store, SOON).count(1, 0, 1, 1)
    process.tallies.note()
    assert store.written.wait(30)
    store.written.clear()
    process.count(1, 0, 1, 1)
    process.tallies.note()
    assert store.written.wait(30)
    assert Process(store).tallies.read() == ({KEY: [2, 0, 2, 2]}, 0)
    assert process.tallies._thread.daemon


def test_while_requests_run_there_are_signs_of_life():
    store = Watched()
    process = Process(store, SOON)
    process.in_flight = 1
    process.tallies.note()
    for _ in range(3):
        assert store.written.wait(30)
        store.written.clear()
    process.in_flight = 0


def test_a_store_that_fails_is_logged_once_until_it_works(caplog):
    store = Broken()
    process = Process(store).count(1, 0, 1, 1)
    store.works = False
    process.tallies.try_flush()
    process.tallies.try_flush()
    assert caplog.messages == ["Metrics could not be added up in the store; they will be"]
    store.works = True
    process.tallies.try_flush()
    store.works = False
    process.count(1, 0, 1, 1).tallies.try_flush()
    assert len(caplog.messages) == 2


def test_notes_of_many_threads_start_one():
    process = Process(MemoryStore())
    started = []

    def work():
        process.tallies._start()
        started.append(process.tallies._thread)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(started)) == 1


def test_where_no_thread_can_be_started_the_next_request_tries_again(monkeypatch):
    class Refused(Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    store = Watched()
    process = Process(store, SOON).count(1, 0, 1, 1)
    with monkeypatch.context() as patch:
        patch.setattr(wsgikit.tallies, "Thread", Refused)
        process.tallies.note()
    assert process.tallies._thread is None
    process.tallies.note()
    assert store.written.wait(30)


def test_at_the_end_of_the_process_what_was_noted_is_sent():
    store = MemoryStore()
    noted, idle = Process(store).count(1, 0, 1, 1), Process(MemoryStore()).count(1, 0, 1, 1)
    noted.tallies._something.set()
    wsgikit.tallies._at_exit()
    assert Process(store).tallies.read() == ({KEY: [1, 0, 1, 1]}, 0)
    assert idle.series
