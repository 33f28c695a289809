from __future__ import annotations

import threading
import time
from threading import Event

from wsgikit.server.pool import Pool


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def counting():
    """A function that says how many threads are new: those of other tests may be at their end."""
    before = set(threading.enumerate())
    return lambda: len(set(threading.enumerate()) - before)


class Waiting:
    """A task that stands aside until it is told to go on."""

    def __init__(self, pool):
        self.pool = pool
        self.aside, self.release, self.done = Event(), Event(), Event()

    def __call__(self):
        with self.pool.aside():
            self.aside.set()
            assert self.release.wait(10)
        self.done.set()


def test_an_error_in_a_task_is_told_and_ends_no_thread(caplog):
    done = Event()
    pool = Pool(1)
    pool.put(lambda: 1 / 0)
    pool.put(done.set)
    assert done.wait(10)
    pool.close()
    assert "ZeroDivisionError" in caplog.text


def test_who_stands_aside_keeps_nobody_from_a_thread():
    pool = Pool(1, spare=2)
    waiting = [Waiting(pool) for _ in range(2)]
    for task in waiting:
        pool.put(task)
        assert task.aside.wait(10)
    assert pool.free == 1
    done = Event()
    pool.put(done.set)
    assert done.wait(10)
    for task in waiting:
        task.release.set()
        assert task.done.wait(10)
    until(lambda: pool.free == 1)
    pool.close()


def test_threads_that_are_too_many_end():
    threads = counting()
    pool = Pool(1, spare=3)
    waiting = [Waiting(pool) for _ in range(3)]
    for task in waiting:
        pool.put(task)
        assert task.aside.wait(10)
    assert threads() == 4
    for task in waiting:
        task.release.set()
    until(lambda: threads() == 1)
    done = Event()
    pool.put(done.set)
    assert done.wait(10)
    pool.close()
    until(lambda: threads() == 0)


def test_no_more_stand_aside_than_may():
    pool = Pool(1, spare=1)
    first, second, third = Waiting(pool), Waiting(pool), Event()
    for task in (first, second):
        pool.put(task)
        assert task.aside.wait(10)
    pool.put(third.set)
    assert pool.free == -1
    assert not third.wait(0.05)
    first.release.set()
    second.release.set()
    assert third.wait(10)
    pool.close()


def test_after_the_end_nobody_is_replaced():
    threads = counting()
    pool = Pool(1, spare=1)
    begun, go_on, done = Event(), Event(), Event()

    def task():
        begun.set()
        assert go_on.wait(10)
        with pool.aside():
            done.set()

    pool.put(task)
    assert begun.wait(10)
    pool.close()
    go_on.set()
    assert done.wait(10)
    until(lambda: threads() == 0)


def test_a_system_without_more_threads(monkeypatch, caplog):
    pool = Pool(1, spare=1)
    task = Waiting(pool)

    def fail(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    pool.put(task)
    assert task.aside.wait(10)
    assert pool.free == 0
    assert "Cannot start another thread: 0 wait for clients" in caplog.messages
    task.release.set()
    assert task.done.wait(10)
    pool.close()
