from __future__ import annotations

import time
from threading import Event
from urllib.request import urlopen

import pytest

from wsgikit.server import inline
from wsgikit.server.inline import GAIN, LONGEST, SAVINGS, SHORTEST, Account, Inline
from wsgikit.testing import serving


@pytest.fixture
def watch():
    taken = Event()
    watch = Inline(taken.set)
    watch.taken = taken
    yield watch
    watch.close()


@pytest.fixture
def unwatched(monkeypatch):
    """One whose monitor does not look by itself: what is held up for a moment is not taken."""
    monkeypatch.setattr(Inline, "_monitor", lambda self: None)
    taken = []
    unwatched = Inline(lambda: taken.append(1))
    unwatched.taken = taken
    return unwatched


def asleep(watch):
    end = time.monotonic() + 10
    while not watch._asleep:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_quick_call_stays_with_its_thread(unwatched):
    assert unwatched.end(unwatched.begin(), "/", 0.0)


def test_a_call_that_is_stuck_loses_the_loop(watch):
    call = watch.begin()
    assert watch.taken.wait(10)
    assert not watch.end(call, "/", 10.0)


def test_the_next_call_is_not_taken_for_the_one_that_was_stuck(unwatched):
    stuck = unwatched.begin()
    unwatched._take(stuck)
    following = unwatched.begin()
    unwatched._take(stuck)
    assert not unwatched.end(stuck, "/", 10.0)
    assert unwatched.end(following, "/", 0.0)
    assert unwatched.taken == [1]


def test_what_was_slow_goes_to_a_worker_for_a_moment(watch):
    now = time.monotonic()
    assert watch.suits("/report", now)
    watch.end(watch.begin(), "/report", 0.01)
    assert not watch.suits("/report", now)
    assert watch.suits("/", now)
    later = time.monotonic() + inline.KNOWN
    assert watch.suits("/report", later)
    assert watch.suits("/report", now)  # what it was is forgotten


def test_nothing_is_called_in_the_loop_during_a_pause(watch):
    watch.account.resumes = 10.0
    assert (watch.suits("/", 9.9), watch.suits("/", 10.0)) == (False, True)


def test_what_was_quick_is_not_noted(unwatched):
    unwatched.end(unwatched.begin(), "/", inline.TICK / 2)
    assert not unwatched._slow


def test_only_so_many_slow_paths_are_known(watch):
    for number in range(2 * inline.MOST_KNOWN):
        watch.end(watch.begin(), f"/{number}", 0.01)
        assert len(watch._slow) <= inline.MOST_KNOWN


def test_the_monitor_sleeps_when_nothing_is_called_and_wakes_up(watch):
    for _ in range(2):
        asleep(watch)
        watch.taken.clear()
        watch.begin()
        assert watch.taken.wait(10)


def test_a_call_that_has_just_ended_is_not_taken(unwatched):
    call = unwatched.begin()
    unwatched.end(call, "/", 0.0)
    unwatched._take(call)
    assert not unwatched.taken


def test_a_call_that_begins_while_the_monitor_falls_asleep_is_watched(watch):
    looked = Event()

    class Racing:
        """A call is counted between the monitor's two looks, after which it does not sleep."""

        reads = iter([0, 0, 1])

        @property
        def calls(self):
            if (count := next(self.reads, None)) is None:
                looked.set()
                return 1
            return count

    asleep(watch)
    watch.account = Racing()
    watch._wake.set()
    assert looked.wait(10)
    asleep(watch)


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(inline, "monotonic", lambda: now[0])
    return now


def test_a_slow_call_now_and_then_is_no_matter(clock):
    account = Account()
    for _ in range(10):
        account.calls += int(SAVINGS / GAIN)
        account.charge(SAVINGS)
    assert account.resumes == 0


def test_slow_calls_pause_inline_running(clock):
    account = Account()
    account.charge(2 * SAVINGS)
    assert account.resumes == clock[0] + SHORTEST


def test_the_pause_doubles_while_calls_stay_slow(clock):
    account = Account()
    pauses = []
    for _ in range(12):
        account.charge(2 * SAVINGS)
        pauses.append(account.resumes - clock[0])
        clock[0] = account.resumes
    assert pauses[:3] == pytest.approx([SHORTEST, 2 * SHORTEST, 4 * SHORTEST])
    assert pauses[-1] == pytest.approx(LONGEST)
    clock[0] += 10 * LONGEST  # quick for a long time
    account.charge(2 * SAVINGS)
    assert account.resumes == pytest.approx(clock[0] + SHORTEST)


def test_a_server_notes_what_held_it_up():
    def app(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            time.sleep(4 * inline.TICK)
        start_response("200 OK", [])
        return [b""]

    with serving(app) as server:
        for path in ("/slow", "/slow"):
            urlopen(server.url + path).close()
        assert list(server._loop._inline._slow) == ["/slow"]
