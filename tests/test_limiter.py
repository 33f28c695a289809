from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from threading import Barrier, Thread
from time import monotonic, sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit import HTTPError
from wsgikit.limiter import MAX_SECONDS, Limiter
from wsgikit.stores import MemoryStore
from wsgikit.stores.limits import MAX_COUNT

NOW = 1_700_000_000.0


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def limiter(clock, **options):
    return Limiter(MemoryStore(clock=clock), clock=clock, **{"seconds": 1, **options})


def told(taken):
    return taken.wait, taken.left, taken.window


def test_a_burst_passes_and_then_one_at_a_time(clock):
    limit = limiter(clock, requests=3, seconds=30)
    assert [told(limit.take("a")) for _ in range(5)] == [
        (0, 2, 10),
        (0, 1, 10),
        (0, 0, 10),
        (10, 0, 10),
        (10, 0, 10),
    ]
    clock.now += 4
    assert told(limit.take("a")) == (6, 0, 6)
    clock.now += 6
    assert told(limit.take("a")) == (0, 0, 10)
    assert told(limit.take("a")) == (10, 0, 10)
    clock.now += 25
    assert told(limit.take("a")) == (0, 1, 5)
    clock.now += 3600
    assert told(limit.take("a")) == (0, 2, 10)


def test_one_key_is_not_another(clock):
    limit = limiter(clock, requests=1)
    assert not limit.take("a").wait
    assert not limit.take("b").wait
    assert limit.take("a").wait == 1


def test_limits_of_other_names_count_for_themselves(clock):
    store = MemoryStore()
    one, other = (Limiter(store, requests=1, seconds=9, name=name) for name in ("one", "other"))
    assert not one.take("a").wait
    assert not other.take("a").wait
    assert one.take("a").wait


def test_no_burst(clock):
    limit = limiter(clock, requests=10, seconds=1, burst=1)
    for _ in range(5):
        assert told(limit.take("a")) == (0, 0, 1)
        assert told(limit.take("a")) == (0.1, 0, 1)
        clock.now += 0.1000001


def test_a_burst_that_is_larger(clock):
    limit = limiter(clock, requests=1, seconds=60, burst=5)
    assert [limit.take("a").wait for _ in range(7)] == [0, 0, 0, 0, 0, 60, 60]


def test_forgotten(clock):
    limit = limiter(clock, requests=1, seconds=60)
    limit.take("a")
    limit.forget("a")
    limit.forget("b")
    assert not limit.take("a").wait


def test_check_raises_what_a_client_should_be_told(clock):
    limit = limiter(clock, requests=2, seconds=60, name="sign-in")
    limit.check("ann")
    limit.check("ann")
    clock.now += 0.5
    with pytest.raises(HTTPError) as caught:
        limit.check("ann")
    error = caught.value
    assert error.status == 429
    assert error.detail == "More than 2 requests in 60 seconds (sign-in). Try again in 30 s."
    assert dict(error.headers) == {
        "Retry-After": "30",
        "RateLimit-Policy": '"sign-in";q=2;w=60',
        "RateLimit": '"sign-in";r=0;t=30',
    }
    assert error.problem()["type"].endswith("#quota-exceeded")
    assert error.problem()["violated-policies"] == ["sign-in"]


@pytest.mark.parametrize("key", ["", "a" * 1000, "ü" * 300, "\udcff", "a:b", "\0"], ids=range(6))
def test_a_key_may_be_any_text(clock, key):
    limit = limiter(clock, requests=1)
    assert not limit.take(key).wait
    assert limit.take(key).wait
    assert not limit.take(key + "x").wait


def test_a_clock_that_is_set_back_costs_a_burst_at_most():
    times = Clock()
    store = MemoryStore()  # its clock is not set
    limit = Limiter(store, requests=10, seconds=1, clock=times)
    for _ in range(10):
        limit.take("a")
    times.now -= 86400
    assert limit.take("a").wait > 86400
    deadline = monotonic() + 20
    while limit.take("a").wait:
        assert monotonic() < deadline
        sleep(0.01)


def test_of_many_threads_exactly_as_many_pass():
    store = MemoryStore()
    passed, together = [], Barrier(8)

    def ask():
        limit = Limiter(store, requests=100, seconds=1000, clock=lambda: NOW)
        together.wait()
        for _ in range(50):
            if not limit.take("a").wait:
                passed.append(1)

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 100


PROCESS = """
import sys
from threading import Thread
from wsgikit.limiter import Limiter
from wsgikit.stores import SQLiteStore
limit = Limiter(SQLiteStore(sys.argv[1], busy_timeout=60), requests=100, seconds=1000,
                clock=lambda: 1_700_000_000)
passed = []
def ask():
    for _ in range(40):
        if not limit.take("a").wait:
            passed.append(1)
threads = [Thread(target=ask) for _ in range(3)]
sys.stdin.read()
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(passed))
"""


def test_of_many_processes_with_threads_exactly_as_many_pass(tmp_path):
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", PROCESS, str(tmp_path / "store")]
    pipe = subprocess.PIPE
    run = Path(__file__).parents[1]
    processes = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=run) for _ in range(4)
    ]
    for process in processes:
        process.stdin.close()
    passed = []
    for process in processes:
        passed.append(int(process.stdout.read()))
        process.stdout.close()
        assert process.wait() == 0
    assert sum(passed) == 100


@given(
    requests=st.integers(1, 20),
    seconds=st.integers(1, 60),
    burst=st.none() | st.integers(1, 30),
    steps=st.lists(st.tuples(st.integers(0, 40_000_000), st.integers(1, 15)), max_size=20),
)
def test_it_is_a_leaky_bucket(requests, seconds, burst, steps):
    """Against another form of the same: a bucket that leaks evenly, in exact numbers."""
    now = 1_700_000_000_000_000
    limit = Limiter(
        MemoryStore(clock=lambda: now / 1e6),
        requests=requests,
        seconds=seconds,
        burst=burst,
        clock=lambda: Fraction(now, 1_000_000),
    )
    room = burst or requests
    interval = -(-seconds * 1_000_000 // requests)
    level, last = Fraction(0), now
    for later, times in steps:
        now += later
        level = max(Fraction(0), level - Fraction(now - last, interval))
        last = now
        for _ in range(times):
            taken = limit.take("a")
            if level + 1 <= room:
                level += 1
                assert (taken.wait, taken.left) == (0, room - level // 1 - (level % 1 > 0))
            else:
                wait = (level + 1 - room) * interval
                assert round(taken.wait * 1_000_000) == wait
                assert taken.left == 0
                assert taken.window == -(-wait // 1_000_000)
            assert taken.window >= 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"requests": 0}, ValueError, "requests takes at least 1"),
        ({"requests": 1.5}, TypeError, "requests takes an int"),
        ({"requests": True}, TypeError, "requests takes an int"),
        ({"requests": 1_000_001}, ValueError, "requests takes up to 1000000 a second"),
        ({"requests": 1, "seconds": 0}, ValueError, "seconds takes at least 1"),
        ({"requests": 1, "seconds": 0.5}, TypeError, "seconds takes an int"),
        ({"requests": 1, "seconds": MAX_SECONDS + 1}, ValueError, "seconds takes up to"),
        ({"requests": 1, "burst": 0}, ValueError, "burst takes at least 1"),
        ({"requests": 1, "burst": "2"}, TypeError, "burst takes an int"),
        ({"requests": 1, "burst": MAX_SECONDS + 1}, ValueError, "burst takes what comes back"),
        ({"requests": 1, "name": ""}, ValueError, "name takes a token"),
        ({"requests": 1, "name": "a:b"}, ValueError, "name takes a token"),
        ({"requests": 1, "name": "a" * 61}, ValueError, "name takes a token"),
        ({"requests": 1, "name": None}, ValueError, "name takes a token"),
    ],
    ids=range(14),
)
def test_options_are_checked(clock, options, error, message):
    with pytest.raises(error, match=message):
        limiter(clock, **options)


def test_a_store_is_needed():
    with pytest.raises(TypeError, match="store takes a store"):
        Limiter({}, requests=1, seconds=1)


def test_the_longest_limit_can_be_counted():
    limit = Limiter(MemoryStore(), requests=1, seconds=MAX_SECONDS)
    assert not limit.take("a").wait
    assert limit.take("a").wait > MAX_SECONDS - 60
    assert NOW * 1e6 + 2 * MAX_SECONDS * 1e6 < MAX_COUNT
