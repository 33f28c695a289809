from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit.metrics import BUCKETS, Metrics
from wsgikit.stores import MemoryStore, SQLiteStore, StoreError

MS = 1_000_000
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;"
    "q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


def note(into, method="GET", route="/", status=200, took=MS, sent=1):
    into.began(1)
    into.ended(1, method, route, f"{status} Told", took, sent)


def shown(into, accept=PROMETHEUS):
    return TestApp(into).get("/", headers={"Accept": accept})


class Broken(MemoryStore):
    """Fails while ``works`` is False: before it has written, or after that."""

    works, writes = True, False

    def get(self, key):
        if not self.works and not self.writes:
            raise StoreError("down")
        return super().get(key)

    def compare_and_set(self, *args, **options):
        done = super().compare_and_set(*args, **options)
        if not self.works:
            raise StoreError("the answer was lost")
        return done


# What is shown


def test_the_last_bucket_may_be_named():
    named, unnamed = Metrics(buckets=(0.1, float("inf"))), Metrics(buckets=(0.1,))
    for into in (named, unnamed):
        note(into, took=50 * MS)
        note(into, took=500 * MS)
    assert shown(named).text == shown(unnamed).text


def test_the_page():
    into = Metrics(buckets=[0.1, 0.5, 1])
    note(into, took=50 * MS, sent=10)
    note(into, took=100 * MS, sent=20)
    note(into, "POST", "/form", 303, took=700 * MS, sent=0)
    note(into, status=500, took=2500 * MS, sent=3)
    into.began(2)
    page = shown(into)
    assert page.headers["Content-Type"] == (
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    )
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Vary"] == "Accept"
    assert page.body.decode().splitlines() == [
        "# TYPE http_server_requests counter",
        "# HELP http_server_requests Requests that were answered.",
        'http_server_requests_total{method="GET",route="/",status="200"} 2',
        'http_server_requests_total{method="GET",route="/",status="500"} 1',
        'http_server_requests_total{method="POST",route="/form",status="303"} 1',
        "# TYPE http_server_request_duration_seconds histogram",
        "# UNIT http_server_request_duration_seconds seconds",
        "# HELP http_server_request_duration_seconds"
        " Time from a request to the end of its response.",
        'http_server_request_duration_seconds_bucket{method="GET",route="/",le="0.1"} 2',
        'http_server_request_duration_seconds_bucket{method="GET",route="/",le="0.5"} 2',
        'http_server_request_duration_seconds_bucket{method="GET",route="/",le="1.0"} 2',
        'http_server_request_duration_seconds_bucket{method="GET",route="/",le="+Inf"} 3',
        'http_server_request_duration_seconds_count{method="GET",route="/"} 3',
        'http_server_request_duration_seconds_sum{method="GET",route="/"} 2.65',
        'http_server_request_duration_seconds_bucket{method="POST",route="/form",le="0.1"} 0',
        'http_server_request_duration_seconds_bucket{method="POST",route="/form",le="0.5"} 0',
        'http_server_request_duration_seconds_bucket{method="POST",route="/form",le="1.0"} 1',
        'http_server_request_duration_seconds_bucket{method="POST",route="/form",le="+Inf"} 1',
        'http_server_request_duration_seconds_count{method="POST",route="/form"} 1',
        'http_server_request_duration_seconds_sum{method="POST",route="/form"} 0.7',
        "# TYPE http_server_response_bytes counter",
        "# UNIT http_server_response_bytes bytes",
        "# HELP http_server_response_bytes Content of responses, as it was handed to the server.",
        'http_server_response_bytes_total{method="GET",route="/"} 33',
        'http_server_response_bytes_total{method="POST",route="/form"} 0',
        "# TYPE http_server_requests_in_flight gauge",
        "# HELP http_server_requests_in_flight Requests that are being answered.",
        "http_server_requests_in_flight 1",
        "# EOF",
    ]


@pytest.mark.parametrize("accept", ["", "*/*", "text/html,*/*;q=0.8", "text/plain"])
def test_others_get_the_older_format(accept):
    into = Metrics()
    note(into)
    page = shown(into, accept)
    assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE http_server_requests_total counter\n" in page
    assert "# EOF" not in page


def test_reading_changes_nothing():
    into = Metrics()
    note(into)
    assert shown(into).body == shown(into).body


def test_a_label_is_any_text():
    into = Metrics()
    note(into, route='a"b\\c\nd\ud800é')
    assert 'route="a\\"b\\\\c\\nd?é"' in shown(into).body.decode()


# Buckets and limits


@given(st.lists(st.integers(0, 20_000 * MS), min_size=1, max_size=50))
def test_each_duration_is_in_its_bucket(durations):
    into = Metrics()
    for took in durations:
        note(into, took=took)
    ((*counts, total, _),) = into.read()[0].values()
    assert total == sum(durations)
    reached = 0
    for bound, count in zip(BUCKETS, counts, strict=False):
        reached += count
        assert reached == sum(took <= round(bound * 1e9) for took in durations)
    assert sum(counts) == len(durations)


def test_what_is_kept_apart_is_limited():
    into = Metrics(max_series=3)
    for number in range(1000):
        note(into, route=f"/{number}", status=200 + number % 2)
    series = into.read()[0]
    assert {key: sum(values[:-2]) for key, values in series.items()} == {
        ("GET", "/0", 200): 1,
        ("GET", "/1", 201): 1,
        ("GET", "/2", 200): 1,
        ("_OTHER", "_OTHER", 200): 498,
        ("_OTHER", "_OTHER", 201): 499,
    }


def test_odd_statuses_beyond_the_limit_are_one():
    into = Metrics(max_series=1)
    for status in (200, 7, "none", -1):
        note(into, status=status)
    assert list(into.read()[0]) == [("GET", "/", 200), ("_OTHER", "_OTHER", 0)]


def test_a_route_is_no_novel():
    into = Metrics()
    note(into, route="a" * 10**6)
    note(into, route="a" * 10**6)
    ((_, route, _),) = into.read()[0]
    assert route == "a" * 200


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"buckets": []}, "buckets takes ascending numbers"),
        ({"buckets": [1, 0.5]}, "buckets takes ascending numbers"),
        ({"buckets": [1, 1]}, "buckets takes ascending numbers"),
        ({"buckets": [0, 1]}, "buckets takes ascending numbers"),
        ({"buckets": [float("inf")]}, "buckets takes ascending numbers"),
        ({"buckets": [float("inf"), 1]}, "buckets takes ascending numbers"),
        ({"buckets": [float("nan")]}, "buckets takes ascending numbers"),
        ({"buckets": ["1"]}, "buckets takes ascending numbers"),
        ({"buckets": None}, "buckets takes ascending numbers"),
        ({"key": ""}, "key takes 1 to"),
        ({"max_series": 0}, "max_series takes a number"),
        ({"max_series": 1.5}, "max_series takes a number"),
        ({"interval": 0}, "interval takes seconds"),
        ({"interval": "1"}, "interval takes seconds"),
        ({"interval": 10**6}, "interval takes seconds"),
    ],
    ids=str,
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        Metrics(**options)


# Processes


def test_without_a_store_a_flush_does_nothing():
    into = Metrics()
    note(into)
    into.flush()
    assert len(into.read()[0]) == 1


def test_processes_that_share_a_store_show_the_sums_of_all():
    store = MemoryStore()
    one, other = Metrics(store=store), Metrics(store=store)
    for into in (one, other, other):
        note(into, took=7, sent=2)
    note(one, status=404)
    other.began(2)
    other.flush()
    page = shown(one).body.decode()
    assert 'requests_total{method="GET",route="/",status="200"} 3\n' in page
    assert 'requests_total{method="GET",route="/",status="404"} 1\n' in page
    assert 'response_bytes_total{method="GET",route="/"} 7\n' in page
    assert "requests_in_flight 1\n" in page
    assert shown(other).body.decode() == page


def test_a_store_that_cannot_be_reached_is_a_503_and_nothing_is_lost():
    store = Broken()
    into = Metrics(store=store)
    note(into)
    store.works = False
    assert "store of the metrics cannot be reached" in TestApp(into).get("/", status=503)
    note(into)
    TestApp(into).get("/", status=503)
    store.works = True
    assert 'status="200"} 2\n' in shown(into)


def test_a_child_process_begins_at_nothing():
    store = MemoryStore()
    for into in Metrics(), Metrics(store=store):
        note(into)
        into.before_fork()
        into.after_fork()
        assert len(into._ended) == 1
        into._process = -1  # what it would be in a child
        into.after_fork()
        assert into.read() == ({}, 0)


def test_a_child_may_end_a_request_of_its_parent():
    into = Metrics()
    into.ended(1, "GET", "/", "200 OK", 1, 1)
    assert into.read()[1] == 0


WORKER = """
import sys
from wsgikit.metrics import Metrics
from wsgikit.middleware import metrics
from wsgikit.stores import SQLiteStore
into = Metrics(store=SQLiteStore(sys.argv[1]), interval=float(sys.argv[2]))
def hello(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]
app = metrics(hello, into=into)
for number in range(300):
    body = app({"REQUEST_METHOD": "GET"}, lambda status, headers, exc_info=None: None)
    list(body)
    body.close()
    if number == 100:
        into.flush()
"""


def test_workers_that_come_and_go_are_all_counted(tmp_path):
    path = str(tmp_path / "store")
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", WORKER, path]
    intervals = ["0.01", "0.02", "3600"]  # the last one sends at its end what it has by then
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment = {**os.environ, "PYTHONPATH": root}
    workers = [
        subprocess.Popen([*command, interval], env=environment, stderr=subprocess.PIPE, text=True)
        for interval in intervals
    ]
    assert [worker.communicate()[1] for worker in workers] == ["", "", ""]
    series, in_flight = Metrics(store=SQLiteStore(path)).read()
    ((key, values),) = series.items()
    assert key == ("GET", "", 200)
    assert (sum(values[:-2]), values[-1], in_flight) == (900, 4500, 0)
