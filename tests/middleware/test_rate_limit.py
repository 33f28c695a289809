from __future__ import annotations

from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Response, stack
from wsgikit.middleware import cors, errors, rate_limit
from wsgikit.stores import MemoryStore, SQLiteStore, StoreError

HOUR = {"requests": 2, "seconds": 3600}


def checked(*parts, address="192.0.2.7"):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    environ = {"REMOTE_ADDR": address}
    return TestApp(validator(stack(*layers, validator(app))), extra_environ=environ)


def limited(app=None, **options):
    layer = rate_limit(**{"store": MemoryStore(), **HOUR, **options})
    return checked(layer, app or Response("data"))


class Broken(MemoryStore):
    """A store that cannot be reached."""

    def increment(self, key, by=1, **options):
        raise StoreError("gone")


def test_responses_tell_how_the_client_stands():
    app = limited()
    answer = app.get("/")
    assert answer.text == "data"
    assert answer.headers["RateLimit-Policy"] == '"default";q=2;w=3600'
    assert answer.headers["RateLimit"] == '"default";r=1;t=1800'
    assert "Retry-After" not in answer.headers
    assert app.get("/").headers["RateLimit"] == '"default";r=0;t=1800'


def test_one_too_many_is_a_429_and_the_application_is_not_called():
    calls = []

    def app(environ, start_response):
        calls.append(1)
        return Response("data")(environ, start_response)

    client = limited(app)
    client.get("/")
    client.post("/", "body")
    answer = client.get("/", status=429)
    assert calls == [1, 1]
    assert "More than 2 requests in 3600 seconds" in answer.text
    assert answer.headers["Retry-After"] == "1800"
    assert answer.headers["RateLimit-Policy"] == '"default";q=2;w=3600'
    assert answer.headers["RateLimit"] == '"default";r=0;t=1800'


def test_problem_details():
    client = limited()
    for _ in range(2):
        client.get("/")
    answer = client.get("/", headers={"Accept": "application/json"}, status=429)
    assert answer.content_type == "application/problem+json"
    assert answer.json["violated-policies"] == ["default"]


def test_whatever_the_status():
    client = limited(Response("no", 404))
    assert "RateLimit" in client.get("/", status=404).headers
    client.get("/", status=404)
    client.get("/", status=429)


def test_each_address_counts_for_itself():
    client = limited()
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
        for status in (200, 200, 429):
            client.get("/", extra_environ={"REMOTE_ADDR": address}, status=status)
    # of the same network as the last one
    client.get("/", extra_environ={"REMOTE_ADDR": "2001:db8::2"}, status=429)
    client.get("/", extra_environ={"REMOTE_ADDR": "2001:db8:0:1::2"})


def test_a_key_of_ones_own():
    client = limited(key=lambda environ: environ.get("HTTP_X_API_KEY"))
    for key in ("a", "b" * 1000):
        for status in (200, 200, 429):
            client.get("/", headers={"X-API-Key": key}, status=status)
    for _ in range(4):
        assert "RateLimit" not in client.get("/").headers


def test_the_safelist_is_not_limited():
    client = limited(safelist=["192.0.2.0/24"])
    for _ in range(4):
        assert "RateLimit" not in client.get("/").headers
    for status in (200, 200, 429):
        client.get("/", extra_environ={"REMOTE_ADDR": "198.51.100.1"}, status=status)


def test_several_limits():
    store = MemoryStore()
    day = rate_limit(store=store, name="day", requests=3, seconds=86400)
    hour = rate_limit(store=store, name="hour", requests=2, seconds=3600)
    client = checked(day, hour, Response("data"))
    answer = client.get("/")
    assert answer.headers.getall("RateLimit") == ['"hour";r=1;t=1800', '"day";r=2;t=28800']
    client.get("/")
    assert client.get("/", status=429).headers.getall("RateLimit-Policy") == [
        '"hour";q=2;w=3600',
        '"day";q=3;w=86400',
    ]
    answer = client.get("/", status=429)
    assert answer.headers.getall("RateLimit-Policy") == ['"day";q=3;w=86400']


def test_cors_outside_lets_scripts_read_the_refusal():
    limit = rate_limit(store=MemoryStore(), requests=1, seconds=60)
    client = checked(
        cors(origins=["https://app.example"], expose=["RateLimit"]), limit, Response("data")
    )
    origin = {"Origin": "https://app.example"}
    client.get("/", headers=origin)
    answer = client.get("/", headers=origin, status=429)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"


def test_errors_outside_draw_it():
    handlers = {429: lambda request, error: f"slowly, {error.status}"}
    limit = rate_limit(store=MemoryStore(), requests=1, seconds=60)
    client = checked(errors(handlers=handlers), limit, Response("data"))
    client.get("/")
    assert client.get("/", status=429).text == "slowly, 429"


def test_when_the_store_fails_requests_pass(caplog):
    client = limited(store=Broken())
    for _ in range(4):
        answer = client.get("/")
        assert answer.text == "data"
        assert "RateLimit" not in answer.headers
    (record,) = caplog.records
    message = "rate_limit 'default': requests pass without a limit, as the store has failed: gone"
    assert (record.name, record.getMessage()) == ("wsgikit.stores", message)


def test_when_the_store_fails_requests_are_refused_if_that_is_wanted(caplog):
    client = limited(store=Broken(), fail_open=False)
    answer = client.get("/", status=503)
    assert answer.headers["Retry-After"] == "5"
    assert "requests get a 503" in caplog.text


def test_a_file_that_is_no_store_is_a_store_that_fails(tmp_path, caplog):
    (tmp_path / "store").write_bytes(b"no database" * 1000)
    client = limited(store=SQLiteStore(tmp_path / "store"), fail_open=False)
    client.get("/", status=503)
    assert "file is not a database" in caplog.text


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"requests": 0}, ValueError, "requests takes at least 1"),
        ({"store": None}, TypeError, "store takes a store"),
        ({"name": "a b"}, ValueError, "name takes a token"),
        ({"key": "REMOTE_ADDR"}, TypeError, "key takes a function"),
        ({"safelist": ["all"]}, ValueError, "safelist takes networks"),
    ],
    ids=["requests", "store", "name", "key", "safelist"],
)
def test_options_are_checked_when_the_layer_is_put_on(options, error, message):
    with pytest.raises(error, match=message):
        limited(**options)
