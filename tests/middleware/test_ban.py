from __future__ import annotations

import sys
from threading import Barrier, Thread
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import HTTPError, Request, Response, Router, stack, when
from wsgikit.middleware import ban, errors
from wsgikit.stores import MemoryStore, StoreError

NUMBERS = {"offences": 3, "seconds": 60, "duration": 600}


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@Request.application
def view(request):
    """Answers with the status that the path names."""
    status = int(request.path[1:4])
    if status >= 400:
        raise HTTPError(status)
    return Response("" if status in (204, 304) else "data", status)


def guarded(app=view, **options):
    """A client of a stack, with validators around it and around its application."""
    layer = ban(**{"store": MemoryStore(), **NUMBERS, **options})
    environ = {"REMOTE_ADDR": "192.0.2.7"}
    return TestApp(validator(stack(layer, validator(app))), extra_environ=environ)


def test_so_many_offences_and_nothing_is_answered_any_more(caplog):
    client = guarded()
    for status in (404, 401, 200, 403):
        client.get(f"/{status}", status=status)
    answer = client.get("/200", status=429)
    assert answer.headers["Retry-After"] == "600"
    assert "Too much of what you sent was refused." in answer.text
    (record,) = caplog.records
    message = "ban 'default': '192.0.2.7' is banned for 600 s"
    assert (record.name, record.levelname) == ("wsgikit.ban", "WARNING")
    assert record.getMessage() == message


def test_problem_details():
    client = guarded(offences=1)
    client.get("/404", status=404)
    answer = client.get("/200", headers={"Accept": "application/json"}, status=429)
    assert answer.json["type"].endswith("#abnormal-usage-detected")
    assert answer.json["violated-policies"] == ["default"]


@pytest.mark.parametrize("status", [200, 204, 304, 400, 405, 410, 429, 500, 503])
def test_other_answers_are_no_offence(status):
    client = guarded(offences=1)
    for _ in range(3):
        client.get(f"/{status}", status=status)


def test_others_are_not_banned():
    client = guarded(offences=1)
    client.get("/404", status=404)
    client.get("/200", extra_environ={"REMOTE_ADDR": "192.0.2.8"})
    client.get("/404", extra_environ={"REMOTE_ADDR": "2001:db8::1"}, status=404)
    client.get("/200", extra_environ={"REMOTE_ADDR": "2001:db8::2"}, status=429)


def test_who_is_never_banned():
    client = guarded(offences=1, safelist=["192.0.2.0/24"])
    for _ in range(3):
        client.get("/404", status=404)
    client = guarded(offences=1, key=lambda environ: environ.get("REMOTE_USER"))
    for _ in range(3):
        client.get("/404", status=404)


def test_offences_count_within_their_time_and_a_ban_ends():
    clock = Clock()
    client = guarded(store=MemoryStore(clock=clock))
    for _ in range(2):
        client.get("/404", status=404)
    clock.now += 61
    for _ in range(3):
        client.get("/404", status=404)
    client.get("/200", status=429)
    clock.now += 599
    client.get("/404", status=429)
    clock.now += 2
    for _ in range(3):  # and it begins anew
        client.get("/404", status=404)
    client.get("/200", status=429)


def test_a_predicate_sees_status_and_path():
    seen = []

    def is_offence(status, path):
        seen.append((status, path))
        return path.endswith(".php")

    router = Router()
    router.mount("/in", view)
    client = guarded(router, is_offence=is_offence, offences=1)
    client.get("/in/404/%C3%BC", status=404)
    client.get("/in/200")
    client.get("/in/200/a.php")
    client.get("/in/200", status=429)
    assert seen == [(404, "/in/404/ü"), (200, "/in/200"), (200, "/in/200/a.php")]


def test_a_part_of_a_site():
    layer = ban(store=MemoryStore(), **{**NUMBERS, "offences": 1})
    sign_in = when(lambda environ: environ["PATH_INFO"] == "/403", layer)
    client = TestApp(validator(stack(sign_in, validator(view))))
    client.get("/404", status=404)
    client.get("/403", status=403)
    client.get("/403", status=429)
    client.get("/200")


def test_a_response_that_is_replaced_counts_once():
    def app(environ, start_response):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        try:
            raise ValueError
        except ValueError:
            headers = [("Content-Type", "text/plain")]
            start_response("404 Not Found", headers, sys.exc_info())
        return [b""]

    store = MemoryStore()
    client = guarded(app, store=store)
    client.get("/", status=404)
    assert store.get("offences:default:192.0.2.7") == b"1"


def test_errors_outside_draw_it():
    handlers = {429: lambda request, error: "begone"}
    layer = ban(store=MemoryStore(), **{**NUMBERS, "offences": 1})
    client = TestApp(validator(stack(errors(handlers=handlers), layer, validator(view))))
    client.get("/404", status=404)
    assert client.get("/200", status=429).text == "begone"


def test_no_offence_of_many_threads_is_lost():
    store = MemoryStore()
    app = ban(view, store=store, offences=201, seconds=60, duration=60)
    together = Barrier(8)

    def ask(times):
        together.wait()
        for _ in range(times):
            environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/404", "REMOTE_ADDR": "192.0.2.7"}
            app(environ, lambda status, headers, exc_info=None: None)

    threads = [Thread(target=ask, args=(25,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("offences:default:192.0.2.7") == b"200"
    assert store.get("banned:default:192.0.2.7") is None


def test_a_clock_that_was_set_does_not_show():
    store = MemoryStore()
    client = guarded(store=store)
    for until, left in ((b"9999999999", "600"), (b"1", "1")):
        store.set("banned:default:192.0.2.7", until)
        assert client.get("/200", status=429).headers["Retry-After"] == left


class Broken(MemoryStore):
    """A store that cannot be reached, for these operations."""

    def __init__(self, *broken):
        super().__init__()
        for name in broken:
            setattr(self, name, self.fail)

    def fail(self, *arguments, **options):
        raise StoreError("gone")


@pytest.mark.parametrize("broken", [["get"], ["increment"], ["set"], ["get", "increment"]])
def test_when_the_store_fails_nobody_is_banned(broken, caplog):
    client = guarded(store=Broken(*broken), offences=1)
    for _ in range(3):
        if client.get("/404", status="*").status_int == 429:
            assert broken == ["get"]
    messages = {record.getMessage() for record in caplog.records if record.name != "wsgikit.ban"}
    assert messages == {"ban 'default': nobody is banned, as the store has failed: gone"}


def test_when_the_store_fails_requests_are_refused_if_that_is_wanted(caplog):
    client = guarded(store=Broken("get"), fail_open=False)
    assert client.get("/200", status=503).headers["Retry-After"] == "5"
    assert "requests get a 503" in caplog.text


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"store": None}, TypeError, "store takes a store"),
        ({"offences": 0}, ValueError, "offences takes a number"),
        ({"seconds": 1.5}, ValueError, "seconds takes a number"),
        ({"duration": True}, ValueError, "duration takes a number"),
        ({"is_offence": 404}, TypeError, "is_offence takes a function"),
        ({"name": ""}, ValueError, "name takes a token"),
        ({"safelist": "10.0.0.0/8"}, TypeError, "safelist takes a list"),
    ],
    ids=range(7),
)
def test_options_are_checked_when_the_layer_is_put_on(options, error, message):
    with pytest.raises(error, match=message):
        guarded(**options)
