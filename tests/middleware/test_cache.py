"""The shared cache, clause by clause; what RFC 9111 leaves open is as the page says it."""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from types import SimpleNamespace
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgikit import Response, check, stack
from wsgikit.caching.flights import Flights
from wsgikit.caching.shelf import url_key
from wsgikit.http.dates import format_date
from wsgikit.middleware import cache, compress, errors, security_headers
from wsgikit.stores import MemoryStore, SQLiteStore, StoreError

NOW = 1_700_000_000.0
DATE, LATER = format_date(NOW), format_date(NOW + 60)


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class Origin:
    """An application that answers with what was put up, one after the other, the last again."""

    def __init__(self, *answers):
        self.answers = deque(answers)
        self.seen = []

    def __call__(self, environ, start_response):
        self.seen.append(dict(environ))
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.popleft()
        if callable(answer):
            answer = answer(environ)
        if isinstance(answer, Exception):
            raise answer
        status, fields, *body = answer
        fields = [(name.replace("_", "-"), value) for name, value in fields]
        names = {name.lower() for name, _ in fields}
        if "content-type" not in names and status[:3] not in ("204", "304"):
            fields.append(("Content-Type", "text/plain"))
        content = body[0] if body else [f"answer {len(self.seen)}".encode()]
        if environ["REQUEST_METHOD"] == "HEAD":
            content = []
        elif status[:3] not in ("204", "304"):
            fields.append(("Content-Length", str(sum(map(len, content)))))
        start_response(status, fields)
        return content


def ok(*fields, **named):
    return ("200 OK", [*fields, *named.items()])


def request(**given):
    environ = {"SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", **given}
    environ.setdefault("HTTP_HOST", "site.example")
    setup_testing_defaults(environ)
    return environ


def unseen(status, headers, exc_info=None):
    return lambda block: None


def ask(app, path="/", method="GET", **fields):
    path, _, query = path.partition("?")
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    environ |= {
        name if name.isupper() and name in ("CONTENT_LENGTH", "REMOTE_USER") else f"HTTP_{name}": v
        for name, v in ((name.upper(), value) for name, value in fields.items())
    }
    environ = request(**environ)
    answer = SimpleNamespace(starts=0)

    def start_response(status, headers, exc_info=None):
        answer.status, answer.headers = int(status[:3]), list(headers)
        answer.starts += 1
        return lambda block: None

    body = validator(app)(environ, start_response)
    try:
        answer.body = b"".join(body)
    finally:
        body.close()
    answer.fields = {name.lower(): value for name, value in answer.headers}
    answer.told = answer.fields.get("cache-status", "").removeprefix("wsgikit; ")
    answer.hit = answer.told.startswith("hit")
    return answer


def cached(*answers, clock=None, **options):
    origin = Origin(*answers)
    app = stack(cache(clock=clock or Clock(), **options), validator(origin))
    app.origin = origin
    return app


# What is kept, and for how long (§3, §4.2). Each row: what the first response says, what the second
# request says, how many seconds later, and whether the store answers it.

TAG = ("ETag", '"1"')
FRESHNESS = {
    "nothing said": ([], {}, 0, False),
    "a validator is no lifetime, §4.2.2": ([TAG], {}, 0, False),
    "no guess from Last-Modified": ([("Last-Modified", format_date(NOW - 1e6))], {}, 0, False),
    "max-age": ([("Cache-Control", "max-age=60")], {}, 59, True),
    "max-age over": ([("Cache-Control", "max-age=60")], {}, 60, False),
    "max-age in capitals": ([("Cache-Control", "MAX-AGE=60")], {}, 0, True),
    "max-age quoted": ([("Cache-Control", 'max-age="60"')], {}, 0, True),
    "max-age of 0": ([("Cache-Control", "max-age=0")], {}, 0, False),
    "max-age with zeros before": ([("Cache-Control", "max-age=0060")], {}, 59, True),
    "max-age beyond all": ([("Cache-Control", "max-age=" + "9" * 40)], {}, 10**8, True),
    "max-age of 2**31": ([("Cache-Control", "max-age=2147483648")], {}, 100, True),
    "max-age below 0": ([("Cache-Control", "max-age=-60")], {}, 0, False),
    "max-age with a fraction": ([("Cache-Control", "max-age=60.5")], {}, 0, False),
    "max-age with letters": ([("Cache-Control", "max-age=60s")], {}, 0, False),
    "max-age in single quotes": ([("Cache-Control", "max-age='60'")], {}, 0, False),
    "max-age with a space before =": ([("Cache-Control", "max-age =60")], {}, 0, False),
    "max-age with a space after =": ([("Cache-Control", "max-age= 60")], {}, 0, False),
    "max-age within a string": ([("Cache-Control", 'ext="a, max-age=60"')], {}, 0, False),
    "of two max-age the first": ([("Cache-Control", "max-age=0, max-age=60")], {}, 0, False),
    "on two lines the first": (
        [("Cache-Control", "max-age=60"), ("Cache-Control", "max-age=0")],
        {},
        0,
        True,
    ),
    "other directives": ([("Cache-Control", "a, b=c, max-age=60, d")], {}, 0, True),
    "s-maxage before max-age": ([("Cache-Control", "max-age=60, s-maxage=1")], {}, 2, False),
    "s-maxage longer": ([("Cache-Control", "s-maxage=60, max-age=0")], {}, 2, True),
    "s-maxage that is none": ([("Cache-Control", "s-maxage=x, max-age=60")], {}, 0, False),
    "Expires": ([("Expires", format_date(NOW + 60))], {}, 59, True),
    "Expires over": ([("Expires", format_date(NOW + 60))], {}, 60, False),
    "Expires now": ([("Expires", DATE)], {}, 0, False),
    "Expires of 0": ([("Expires", "0")], {}, 0, False),
    "Expires without a comma": ([("Expires", LATER.replace(",", ""))], {}, 0, False),
    "Expires by asctime": ([("Expires", "Tue Nov 14 23:13:20 2033")], {}, 0, True),
    "Expires by RFC 850": ([("Expires", "Monday, 14-Nov-33 23:13:20 GMT")], {}, 0, True),
    "Expires twice": ([("Expires", format_date(NOW + 60))] * 2, {}, 0, False),
    "Expires against Date": (
        [("Expires", format_date(NOW + 3600)), ("Date", format_date(NOW + 3590))],
        {},
        11,
        False,
    ),
    "max-age before Expires": (
        [("Cache-Control", "max-age=60"), ("Expires", "0")],
        {},
        0,
        True,
    ),
    "max-age of 0 before Expires": (
        [("Cache-Control", "max-age=0"), ("Expires", format_date(NOW + 60))],
        {},
        0,
        False,
    ),
    "Age counts": ([("Cache-Control", "max-age=60"), ("Age", "30")], {}, 30, False),
    "Age counts, before": ([("Cache-Control", "max-age=60"), ("Age", "30")], {}, 29, True),
    "Age of 2**31": ([("Cache-Control", "max-age=60"), ("Age", "2147483648")], {}, 0, False),
    "Age that is none": ([("Cache-Control", "max-age=60"), ("Age", "old")], {}, 59, True),
    "Age below 0": ([("Cache-Control", "max-age=60"), ("Age", "-7200")], {}, 59, True),
    "Age with a fraction": ([("Cache-Control", "max-age=60"), ("Age", "7200.0")], {}, 59, True),
    "Age, the first member": ([("Cache-Control", "max-age=60"), ("Age", "0, 99")], {}, 0, True),
    "Age, the first line": (
        [("Cache-Control", "max-age=60"), ("Age", "99"), ("Age", "0")],
        {},
        0,
        False,
    ),
    "an old Date counts": (
        [("Cache-Control", "max-age=60"), ("Date", format_date(NOW - 61))],
        {},
        0,
        False,
    ),
    "a Date that is none": ([("Cache-Control", "max-age=60"), ("Date", "now")], {}, 59, True),
    "no-store": ([("Cache-Control", "no-store")], {}, 0, False),
    "no-store in capitals": ([("Cache-Control", "No-StOrE, max-age=60")], {}, 0, False),
    "no-store on another line": (
        [("Cache-Control", "max-age=60"), ("Cache-Control", "no-store")],
        {},
        0,
        False,
    ),
    "private": ([("Cache-Control", "private, max-age=60")], {}, 0, False),
    "private twice": ([("Cache-Control", 'private="a", private, max-age=60')], {}, 0, False),
    "no-cache": ([("Cache-Control", "no-cache, max-age=60"), TAG], {}, 0, False),
    "must-understand, understood": (
        [("Cache-Control", "no-store, must-understand, max-age=60")],
        {},
        0,
        True,
    ),
    "public alone": ([("Cache-Control", "public")], {}, 0, False),
    "immutable": (
        [("Cache-Control", "max-age=60, immutable")],
        {"cache_control": "max-age=0"},
        1,
        False,
    ),
    "Pragma in a response": (
        [("Cache-Control", "max-age=60"), ("Pragma", "no-cache")],
        {},
        0,
        True,
    ),
    "Pragma in a request": ([("Cache-Control", "max-age=60")], {"pragma": "no-cache"}, 0, True),
    "Vary: *": ([("Cache-Control", "max-age=60"), ("Vary", "*")], {}, 0, False),
    "Vary: a, *": ([("Cache-Control", "max-age=60"), ("Vary", "a, *")], {}, 0, False),
    "Vary: * on another line": (
        [("Cache-Control", "max-age=60"), ("Vary", "a"), ("Vary", ", *")],
        {},
        0,
        False,
    ),
    "a cookie is set": (
        [("Cache-Control", "public, max-age=60"), ("Set-Cookie", "a=b")],
        {},
        0,
        False,
    ),
    "an attachment": (
        [("Cache-Control", "max-age=60"), ("Content-Disposition", "attachment")],
        {},
        0,
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("said", "asked", "later", "hit"), FRESHNESS.values(), ids=FRESHNESS)
def test_what_answers_without_the_application(said, asked, later, hit):
    clock = Clock()
    app = cached(ok(*said), clock=clock)
    first = ask(app)
    clock.now += later
    second = ask(app, **asked)
    assert (second.hit, len(app.origin.seen)) == (hit, 1 if hit else 2)
    assert first.body == b"answer 1"
    assert second.body == (b"answer 1" if hit else b"answer 2")


STATUSES = [
    200,
    203,
    204,
    299,
    301,
    302,
    303,
    307,
    308,
    400,
    404,
    410,
    414,
    451,
    500,
    501,
    503,
    599,
]


@pytest.mark.parametrize("status", STATUSES)
def test_every_final_status_is_kept_that_says_for_how_long(status):
    body = [] if status == 204 else [b"body"]
    app = cached((f"{status} X", [("Cache-Control", "max-age=60")], body))
    first, second = ask(app), ask(app)
    assert (second.status, second.body, second.hit) == (status, first.body, True)
    assert ("content-length" in second.fields) == (status != 204)


def test_a_part_is_not_kept_and_neither_is_what_must_be_understood_and_is_not():
    fields = [("Cache-Control", "max-age=60"), ("Content-Range", "bytes 0-0/2")]
    app = cached(("206 Partial Content", fields, [b"a"]))
    assert not any([ask(app).hit, ask(app).hit])
    said = [("Cache-Control", "max-age=60, must-understand")]
    app = cached(("299 Strange", said))
    assert not any([ask(app).hit, ask(app).hit])


# Requests (§5.2.1)

ASKED = {
    "max-age, younger": ("max-age=20", 10, True),
    "max-age, older": ("max-age=5", 10, False),
    "max-age of 0": ("max-age=0", 1, False),
    "max-age that is none": ("max-age=x", 10, True),
    "min-fresh": ("min-fresh=40", 10, True),
    "min-fresh, not fresh enough": ("min-fresh=51", 10, False),
    "no-cache": ("no-cache", 10, False),
    "no-store": ("no-store", 10, False),
    "only-if-cached": ("only-if-cached", 10, True),
    "max-stale": ("max-stale", 1000, True),
    "max-stale, enough": ("max-stale=40", 100, True),
    "max-stale, too old": ("max-stale=39", 100, False),
    "max-stale that is none": ("max-stale=x", 100, False),
    "max-stale and max-age": ("max-age=5, max-stale=5", 10, True),
    "max-stale and max-age, too old": ("max-age=4, max-stale=5", 10, False),
    "max-stale and no-cache": ("max-stale, no-cache", 1000, False),
    "others": ("a, b=c", 10, True),
}


@pytest.mark.parametrize(("asked", "later", "hit"), ASKED.values(), ids=ASKED)
def test_what_a_request_asks_for(asked, later, hit):
    clock = Clock()
    app = cached(ok(TAG, Cache_Control="max-age=60"), clock=clock)
    ask(app)
    clock.now += later
    assert ask(app, cache_control=asked).hit is hit


@pytest.mark.parametrize("said", ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=60"])
def test_what_forbids_stale_answers_wins_over_max_stale(said):
    clock = Clock()
    app = cached(ok(TAG, Cache_Control=f"max-age=60, {said}"), clock=clock)
    ask(app)
    clock.now += 61
    assert not ask(app, cache_control="max-stale").hit


def test_only_if_cached_does_not_ask_the_application():
    app = cached(ok(Cache_Control="max-age=60"))
    assert ask(app, cache_control="only-if-cached").status == 504
    assert app.origin.seen == []


def test_no_store_in_a_request_keeps_nothing():
    app = cached(ok(Cache_Control="max-age=60"))
    assert ask(app, cache_control="no-store").told == "fwd=bypass"
    assert ask(app).told == "fwd=uri-miss; stored"


FOR_APPLICATION = {
    "If-Match": {"if_match": '"1"'},
    "If-Unmodified-Since": {"if_unmodified_since": DATE},
    "content": {"content_length": "4"},
    "content of no length": {"transfer_encoding": "chunked"},
    "another protocol": {"upgrade": "websocket"},
}


@pytest.mark.parametrize("fields", FOR_APPLICATION.values(), ids=FOR_APPLICATION)
def test_what_is_for_the_application_goes_there(fields):
    app = cached(ok(Cache_Control="max-age=60"))
    ask(app)
    assert ask(app, **fields).told == "fwd=bypass"
    assert len(app.origin.seen) == 2
    assert ask(app, content_length="0").hit


# What is told


def test_age_date_and_status_are_told():
    clock = Clock()
    app = cached(ok(Cache_Control="max-age=60", Expires=format_date(NOW + 60)), clock=clock)
    first = ask(app)
    assert (first.told, first.fields["date"]) == ("fwd=uri-miss; stored", DATE)
    assert "age" not in first.fields
    clock.now += 7.9
    second = ask(app)
    assert (second.told, second.fields["age"]) == ("hit; ttl=53", "7")
    assert second.fields["date"] == DATE
    assert second.fields["expires"] == format_date(NOW + 60)


def test_fields_of_one_hop_are_not_kept():
    said = {
        "Cache_Control": "max-age=60",
        "X_Own": "1",
        "Cache_Status": "inner; hit",
        "Proxy_Authentication_Info": "a",
    }
    app = cached(ok(**said))
    ask(app)
    fields = [name for name, _ in ask(app).headers]
    assert fields.count("Cache-Status") == 1
    assert "Proxy-Authentication-Info" not in fields
    assert "X-Own" in fields


@pytest.mark.parametrize("directive", ["private", "no-cache"])
def test_fields_that_are_named_are_not_kept(directive):
    said = f'max-age=60, {directive}="Set-Cookie, X-One"'
    app = cached(ok(("Set-Cookie", "a=b"), ("X-One", "1"), ("X-Two", "2"), Cache_Control=said))
    assert {"set-cookie", "x-one"} <= ask(app).fields.keys()
    again = ask(app)
    assert again.hit
    assert not {"set-cookie", "x-one"} & again.fields.keys()
    assert again.fields["x-two"] == "2"


# Whose responses are shared (§3.5)

OWNERS = {
    "Authorization": {"authorization": "Basic YTpi"},
    "REMOTE_USER": {"remote_user": "ann"},
}
SHARED = {"max-age=60": False, "max-age=60, public": True, "s-maxage=60": True}
SHARED |= {"max-age=60, must-revalidate": True, "max-age=60, private": False}


@pytest.mark.parametrize("owner", OWNERS.values(), ids=OWNERS)
@pytest.mark.parametrize(("said", "shared"), SHARED.items())
def test_a_response_to_somebody_is_kept_only_if_that_is_said(owner, said, shared):
    app = cached(ok(Cache_Control=said))
    ask(app, **owner)
    assert ask(app).hit is shared


@pytest.mark.parametrize(
    ("said", "kept"), [("no-cache", False), ("public, no-cache", True), ("max-age=60", True)]
)
def test_what_is_only_good_for_validation_is_not_kept_of_a_person(said, kept):
    app = cached(ok(TAG, Cache_Control=said))
    assert ("stored" in ask(app, cookie="session=ann").told) is kept


def test_a_page_with_a_nonce_is_not_kept():
    def page(environ):
        return ok(Cache_Control="max-age=60") + ([f"<{environ['wsgikit.csp_nonce']}>".encode()],)

    origin = Origin(page)
    layers = security_headers(csp="script-src 'nonce-{nonce}'"), cache()
    for around in (layers, layers[::-1]):
        app = stack(*around, origin)
        first, second = ask(app, "/page"), ask(app, "/page")
        assert not second.hit
        assert first.body != second.body


# Validation (§4.3)

STALE = {"Cache_Control": "max-age=60", "ETag": '"1"', "Last_Modified": format_date(NOW - 100)}
UNCHANGED = ("304 Not Modified", [("ETag", '"1"'), ("Cache-Control", "max-age=30"), ("X-New", "1")])


def later(app, clock, seconds, **fields):
    clock.now += seconds
    return ask(app, **fields)


def test_a_stale_response_is_validated_and_fresh_again():
    clock = Clock()
    app = cached(ok(("X-New", "0"), ("X-Old", "0"), **STALE), UNCHANGED, clock=clock)
    ask(app)
    again = later(app, clock, 61)
    seen = app.origin.seen[1]
    assert seen["HTTP_IF_NONE_MATCH"] == '"1"'
    assert seen["HTTP_IF_MODIFIED_SINCE"] == format_date(NOW - 100)
    assert (again.status, again.body) == (200, b"answer 1")
    assert again.told == "fwd=stale; fwd-status=304; stored"
    assert (again.fields["x-new"], again.fields["x-old"], again.fields["age"]) == ("1", "0", "0")
    assert again.fields["date"] == format_date(NOW + 61)
    assert later(app, clock, 29).hit
    assert not later(app, clock, 1).hit


def test_a_304_does_not_change_what_describes_the_octets():
    unchanged = [*UNCHANGED[1], ("Content-Encoding", "gzip"), ("Content-Length", "99")]
    clock = Clock()
    app = cached(ok(**STALE), ("304 Not Modified", unchanged), clock=clock)
    ask(app)
    again = later(app, clock, 61)
    assert again.fields["content-length"] == "8"
    assert "content-encoding" not in again.fields


def test_a_new_response_takes_the_place_of_a_stale_one():
    clock = Clock()
    app = cached(ok(**STALE), ok(Cache_Control="max-age=60"), clock=clock)
    ask(app)
    assert later(app, clock, 61).told == "fwd=stale; fwd-status=200; stored"
    assert later(app, clock, 1).body == b"answer 2"


def test_a_304_about_another_version_is_not_taken_for_ours():
    clock = Clock()
    other = ("304 Not Modified", [("ETag", '"2"')])
    app = cached(ok(**STALE), other, ok(Cache_Control="max-age=60"), clock=clock)
    ask(app)
    assert later(app, clock, 61).body == b"answer 3"
    assert "HTTP_IF_NONE_MATCH" not in app.origin.seen[2]
    assert ask(app).hit


def test_a_304_that_forbids_keeping_ends_it():
    clock = Clock()
    gone = ("304 Not Modified", [("ETag", '"1"'), ("Cache-Control", "no-store")])
    app = cached(ok(**STALE), gone, ok(**STALE), clock=clock)
    ask(app)
    again = later(app, clock, 61)
    assert (again.status, again.body, again.fields["cache-control"]) == (
        200,
        b"answer 1",
        "no-store",
    )
    assert ask(app).told == "fwd=uri-miss; stored"


def test_a_cookie_of_a_304_is_for_one_client():
    clock = Clock()
    unchanged = ("304 Not Modified", [*UNCHANGED[1], ("Set-Cookie", "a=b")])
    app = cached(ok(**STALE), unchanged, clock=clock)
    ask(app)
    assert later(app, clock, 61).fields["set-cookie"] == "a=b"
    again = ask(app)
    assert again.hit
    assert "set-cookie" not in again.fields


def test_no_cache_asks_each_time_and_sends_what_is_kept():
    app = cached(ok(TAG, Cache_Control="no-cache"), ("304 Not Modified", [TAG]))
    ask(app)
    for _ in range(2):
        again = ask(app)
        assert (again.status, again.body) == (200, b"answer 1")
        assert again.told == "fwd=stale; fwd-status=304"
    assert len(app.origin.seen) == 3


def test_what_has_no_validator_is_fetched_anew():
    clock = Clock()
    app = cached(ok(Cache_Control="max-age=60, stale-if-error=60"), clock=clock)
    ask(app)
    assert later(app, clock, 61).told == "fwd=stale; stored"
    assert "HTTP_IF_NONE_MATCH" not in app.origin.seen[1]


CONDITIONS = {
    "the tag": ({"if_none_match": '"1"'}, 304),
    "a weak one": ({"if_none_match": 'W/"1"'}, 304),
    "among others": ({"if_none_match": '"0", "1", "2"'}, 304),
    "any": ({"if_none_match": "*"}, 304),
    "another": ({"if_none_match": '"2"'}, 200),
    "no tag at all": ({"if_none_match": "1"}, 200),
    "a tag before a date": ({"if_none_match": '"2"', "if_modified_since": DATE}, 200),
    "the date": ({"if_modified_since": format_date(NOW - 100)}, 304),
    "a later date": ({"if_modified_since": DATE}, 304),
    "an earlier date": ({"if_modified_since": format_date(NOW - 101)}, 200),
    "a date that is none": ({"if_modified_since": "yesterday"}, 200),
}


@pytest.mark.parametrize("age", [1, 61], ids=["fresh", "validated"])
@pytest.mark.parametrize(("fields", "status"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions_of_a_client_are_answered_by_what_is_kept(fields, status, age):
    clock = Clock()
    app = cached(ok(**STALE), UNCHANGED, clock=clock)
    ask(app)
    answer = later(app, clock, age, **fields)
    assert answer.status == status
    assert answer.body == (b"" if status == 304 else b"answer 1")
    assert answer.fields["etag"] == '"1"'
    assert ("content-type" in answer.fields) == (status == 200)
    if age == 61:
        assert app.origin.seen[1]["HTTP_IF_NONE_MATCH"] == '"1"'


def test_if_modified_since_looks_at_the_date_where_there_is_no_other():
    app = cached(ok(Cache_Control="max-age=60"))
    ask(app)
    assert ask(app, if_modified_since=DATE).status == 304
    assert ask(app, if_modified_since=format_date(NOW - 1)).status == 200


def test_a_condition_on_what_is_not_kept_goes_to_the_application():
    app = cached(("304 Not Modified", [TAG]), ok(**STALE))
    assert ask(app, if_none_match='"1"').status == 304
    assert app.origin.seen[0]["HTTP_IF_NONE_MATCH"] == '"1"'
    assert ask(app).told == "fwd=uri-miss; stored"


# HEAD


def test_head_is_answered_by_what_get_has_left():
    app = cached(ok(Cache_Control="max-age=60"))
    assert ask(app, method="HEAD").told == "fwd=uri-miss"
    get = ask(app)
    assert get.told == "fwd=uri-miss; stored"
    head = ask(app, method="HEAD")
    assert (head.status, head.body, head.hit) == (200, b"", True)
    assert head.fields["content-length"] == "8"
    assert len(app.origin.seen) == 2


def test_head_validates_and_updates():
    clock = Clock()
    app = cached(ok(**STALE), UNCHANGED, clock=clock)
    ask(app)
    assert later(app, clock, 61, method="HEAD").status == 200
    assert app.origin.seen[1]["REQUEST_METHOD"] == "HEAD"
    assert ask(app).hit


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"ETag": '"1"', "Cache_Control": "max-age=60"}, "hit; ttl=60"),
        ({"ETag": '"2"', "Cache_Control": "max-age=60"}, "fwd=uri-miss; stored"),
        ({"Content_Length": "99"}, "fwd=uri-miss; stored"),
        ({"ETag": '"1"', "Cache_Control": "private"}, "fwd=stale; fwd-status=200; stored"),
    ],
    ids=["same", "another tag", "another length", "not to be kept"],
)
def test_head_tells_whether_what_is_kept_is_still_the_same(fields, told):
    clock = Clock()
    app = cached(ok(**STALE), ok(**fields), ok(**STALE), clock=clock)
    ask(app)
    later(app, clock, 61, method="HEAD")
    assert ask(app).told == told


# Ranges

RANGES = {
    "the first": ({"range": "bytes=0-2"}, 206, b"ans"),
    "from": ({"range": "bytes=5-"}, 206, b"r 1"),
    "the last": ({"range": "bytes=-1"}, 206, b"1"),
    "several: the whole": ({"range": "bytes=0-0,3-3"}, 200, b"answer 1"),
    "malformed": ({"range": "lines=1"}, 200, b"answer 1"),
    "beyond": ({"range": "bytes=99-"}, 416, None),
    "of this version": ({"range": "bytes=-1", "if_range": '"1"'}, 206, b"1"),
    "of another version": ({"range": "bytes=-1", "if_range": '"2"'}, 200, b"answer 1"),
}


@pytest.mark.parametrize(("fields", "status", "body"), RANGES.values(), ids=RANGES)
def test_a_part_of_what_is_kept(fields, status, body):
    app = cached(ok(TAG, Cache_Control="max-age=60"))
    ask(app)
    answer = ask(app, **fields)
    assert answer.status == status
    assert len(app.origin.seen) == 1
    if body is not None:
        assert answer.body == body
        assert answer.fields["content-length"] == str(len(body))
    assert ask(app, method="HEAD", **fields).status == 200


def test_a_range_of_what_is_stale_or_not_there_goes_to_the_application():
    clock = Clock()
    app = cached(ok(**STALE), clock=clock)
    ask(app)
    clock.now += 61
    ask(app, range="bytes=0-1", if_range='"1"')
    assert "HTTP_IF_NONE_MATCH" not in app.origin.seen[1]
    assert app.origin.seen[1]["HTTP_RANGE"] == "bytes=0-1"


# Vary (§4.1)


def varied(*names):
    def answer(environ):
        values = [environ.get(f"HTTP_{name.upper().replace('-', '_')}") for name in names]
        body = [repr(values).encode()]
        return ("200 OK", [("Cache-Control", "max-age=60"), ("Vary", ", ".join(names))], body)

    return answer


def test_each_variant_is_kept():
    app = cached(varied("Foo", "Bar"))
    requests = [{}, {"foo": "1"}, {"foo": "1", "bar": "2"}, {"foo": "2", "bar": "1"}, {"foo": ""}]
    answers = [ask(app, **fields).body for fields in requests]
    assert len(set(answers)) == 5
    for fields, body in zip(requests, answers, strict=True):
        again = ask(app, **fields, other="x")
        assert (again.body, again.hit) == (body, True)


SAME = {
    "order": ("accept_language", "en, de", "de, en"),
    "case": ("accept_language", "en, de", "EN, de"),
    "spaces": ("accept_encoding", "gzip,br", "gzip , \t br"),
    "a weight of 1": ("accept", "text/html;q=1.0", "text/html"),
    "zeros": ("accept_encoding", "gzip;q=0.50", "gzip; q=0.5"),
}


@pytest.mark.parametrize(("name", "one", "other"), SAME.values(), ids=SAME)
def test_what_means_the_same_is_the_same_variant(name, one, other):
    app = cached(varied(name.replace("_", "-")))
    ask(app, **{name: one})
    assert ask(app, **{name: other}).hit


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("accept_encoding", "gzip;q=0", "gzip"),
        ("accept_encoding", "gzip;q=0.0", "gzip"),
        ("accept_language", "de;q=0.5, en", "en;q=0.5, de"),
        ("user_agent", "a,b", "a, b"),
        ("cookie", "a=1,2", "a=1, 2"),
    ],
)
def test_what_does_not_is_another(name, one, other):
    app = cached(varied(name.replace("_", "-")))
    ask(app, **{name: one})
    assert ask(app, **{name: other}).told == "fwd=vary-miss; stored"


def test_a_response_that_depends_on_nothing_is_the_last_choice():
    def answer(environ):
        if "HTTP_FOO" in environ:
            return varied("Foo")(environ)
        return ("200 OK", [("Cache-Control", "max-age=60")], [b"plain"])

    app = cached(answer)
    assert ask(app, foo="1").told == "fwd=uri-miss; stored"
    assert ask(app).body == b"plain"
    assert ask(app, foo="1").body == b"['1']"
    assert ask(app, foo="2").body == b"plain"  # a resource that forgot its Vary


def test_many_different_lists_of_fields_are_bounded():
    def answer(environ):
        return ("200 OK", [("Cache-Control", "max-age=60"), ("Vary", environ["HTTP_SAY"])])

    app = cached(answer)
    for number in range(20):
        assert "stored" in ask(app, say=f"x-{number}", **{f"x_{number}": "1"}).told
    assert ask(app, x_19="1").hit
    assert not ask(app, say="x-0", x_0="1").hit


def test_what_depends_on_content_type_and_a_long_list():
    app = cached(varied("Content-Type", *[f"X-{number}" for number in range(300)]))
    assert "stored" in ask(app).told
    assert ask(app).hit


# Invalidation (§4.4)


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "FROB"])
@pytest.mark.parametrize("status", ["200 OK", "303 See Other"])
def test_a_change_makes_what_is_kept_invalid(method, status):
    app = cached(ok(Cache_Control="max-age=60"), (status, []), ok(Cache_Control="max-age=60"))
    ask(app)
    assert ask(app, method=method).told == "fwd=method"
    assert not ask(app).hit
    assert ask(app).hit


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error"])
def test_a_change_that_fails_does_not(status):
    app = cached(ok(Cache_Control="max-age=60"), (status, []))
    ask(app)
    ask(app, method="DELETE")
    assert ask(app).hit


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE"])
def test_what_changes_nothing_does_not(method):
    app = cached(ok(Cache_Control="max-age=60"))
    ask(app)
    assert "cache-status" not in ask(app, method=method).fields
    assert ask(app).hit


PLACES = {
    "/other?a=b": True,
    "http://site.example/other?a=b": True,
    "HTTP://SITE.example/other?a=b#part": True,
    "/oth%65r?a=b": True,
    "https://site.example/other?a=b": False,
    "http://elsewhere.example/other?a=b": False,
    "http://site.example.evil/other?a=b": False,
    "//site.example/other?a=b": True,
    "//elsewhere.example/other?a=b": False,
    "http://site.example:80/other?a=b": True,
    "http://site.example:/other?a=b": True,
    "http://site.example:8080/other?a=b": False,
    "http://site.example:x/other?a=b": False,
    "http://me@site.example/other?a=b": False,
    "https:/other?a=b": False,
    "http:/other?a=b": False,
    "other?a=b": True,
    "./other?a=b": True,
    "x/../other?a=b": True,
    "../../other?a=b": True,
    "x/other?a=b": False,
    "?a=b": False,
    "": False,
    "http://[/other?a=b": False,
}


@pytest.mark.parametrize("name", ["Location", "Content-Location"])
@pytest.mark.parametrize(("place", "gone"), PLACES.items())
def test_a_change_makes_what_it_names_invalid_too(name, place, gone):
    app = cached(ok(Cache_Control="max-age=60"), ("201 Created", [(name, place)]), ok())
    ask(app, "/other?a=b")
    ask(app, "/things", method="POST")
    assert ask(app, "/other?a=b").hit is not gone


def test_all_variants_are_invalid_and_stay_so():
    app = cached(varied("Foo"))
    for value in "123":
        ask(app, foo=value)
    app.origin.answers[0] = lambda environ: (
        varied("Foo")(environ) if environ["REQUEST_METHOD"] == "GET" else ("204 No Content", [], [])
    )
    ask(app, method="DELETE")
    assert "stored" in ask(app, foo="1").told
    assert not ask(app, foo="2").hit


def test_what_was_under_way_when_something_changed_is_not_kept():
    app = cached(ok(Cache_Control="max-age=60"))

    def overtaken(environ):
        app.origin.answers = deque([("204 No Content", [], [])])
        ask(app, method="PUT")
        app.origin.answers = deque([ok(Cache_Control="max-age=60")])
        return ("200 OK", [("Cache-Control", "max-age=60")], [b"old"])

    app.origin.answers = deque([overtaken])
    assert ask(app).told == "fwd=uri-miss"
    assert ask(app).told == "fwd=uri-miss; stored"


# Stale (RFC 5861)


def test_a_stale_answer_while_it_is_revalidated():
    clock = Clock()
    app = cached(ok(Cache_Control="max-age=60, stale-while-revalidate=30"), clock=clock)
    ask(app)
    stale = later(app, clock, 89)
    assert (stale.body, stale.told) == (
        b"answer 1",
        "hit; ttl=-29; detail=stale-while-revalidate",
    )
    assert ask(app).body == b"answer 2"
    assert later(app, clock, 90).told == "fwd=stale; stored"


def test_the_application_is_asked_when_the_response_is_over_and_once():
    clock = Clock()
    app = cached(
        ok(TAG, Cache_Control="max-age=60, stale-while-revalidate=30"),
        ("304 Not Modified", [TAG]),
        clock=clock,
    )
    ask(app)
    clock.now += 61
    environ = request(HTTP_RANGE="bytes=0-1")
    body = app(environ, unseen)
    assert list(body) == [b"an"]
    assert len(app.origin.seen) == 1
    body.close()
    body.close()
    assert len(app.origin.seen) == 2
    seen = app.origin.seen[1]
    assert (seen["HTTP_IF_NONE_MATCH"], seen["wsgi.input"].read(1)) == ('"1"', b"")
    assert "HTTP_RANGE" not in seen
    assert ask(app).told == "hit; ttl=60"


def test_of_several_stale_answers_one_has_the_application_asked():
    clock = Clock()
    app = cached(ok(Cache_Control="max-age=60, stale-while-revalidate=30"), clock=clock)
    ask(app)
    clock.now += 61
    bodies = [app(request(), unseen) for _ in range(3)]
    for body in bodies:
        assert list(body) == [b"answer 1"]
        body.close()
    assert len(app.origin.seen) == 2

    def overlapping(environ):
        assert ask(app).body == b"answer 2"  # stale, while it is being revalidated
        return ok(Cache_Control="max-age=60")

    app.origin.answers = deque([overlapping])
    clock.now += 61
    ask(app)
    assert len(app.origin.seen) == 3


def test_a_failed_revalidation_is_logged_and_nothing_else(caplog):
    clock = Clock()
    said = "max-age=60, stale-while-revalidate=30"
    app = cached(ok(Cache_Control=said), LookupError("lost"), ok(), clock=clock)
    ask(app)
    assert later(app, clock, 61).body == b"answer 1"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "failed to be revalidated" in caplog.text
    assert ask(app).body == b"answer 1"


@pytest.mark.parametrize("said", ["must-revalidate", "proxy-revalidate", "no-cache"])
def test_nothing_is_stale_where_that_is_forbidden(said):
    clock = Clock()
    allowed = "stale-while-revalidate=30, stale-if-error=30"
    broken = ("503 Service Unavailable", [])
    app = cached(ok(TAG, Cache_Control=f"max-age=60, {said}, {allowed}"), broken, clock=clock)
    ask(app)
    assert later(app, clock, 61).status == 503


ERRORS = ["500 X", "502 X", "503 X", "504 X"]


@pytest.mark.parametrize("status", ERRORS)
def test_a_stale_answer_stands_in_for_an_error(status):
    clock = Clock()
    said = "max-age=60, stale-if-error=30"
    app = cached(ok(TAG, Cache_Control=said), (status, []), clock=clock)
    ask(app)
    stale = later(app, clock, 61)
    assert (stale.status, stale.body, stale.starts) == (200, b"answer 1", 1)
    assert stale.told == f"fwd=stale; fwd-status={status[:3]}; detail=stale-if-error"
    assert later(app, clock, 30).status == int(status[:3])


@pytest.mark.parametrize("status", ["404 X", "501 X", "410 X"])
def test_other_statuses_are_answers(status):
    clock = Clock()
    app = cached(ok(Cache_Control="max-age=60, stale-if-error=30"), (status, []), clock=clock)
    ask(app)
    assert later(app, clock, 61).status == int(status[:3])


def test_an_error_does_not_stand_in_where_nothing_was_said_of_it():
    app = cached(ok(TAG, Cache_Control="max-age=60"), ("503 X", []))
    ask(app)
    assert ask(app, cache_control="no-cache").status == 503


def test_a_stale_answer_stands_in_for_a_failure_which_is_logged(caplog):
    clock = Clock()
    said = "max-age=60, stale-if-error=30"
    app = cached(ok(Cache_Control=said), LookupError("lost"), clock=clock)
    ask(app)
    stale = later(app, clock, 61)
    assert (stale.body, stale.told) == (b"answer 1", "fwd=stale; detail=stale-if-error")
    assert "an older response stood in" in caplog.text
    with pytest.raises(LookupError):
        later(app, clock, 30)


# Bodies


def bodies(*blocks, length=None, late=False, error=None, status="200 OK"):
    """An application with such a body, that counts how often it was closed."""

    class Body:
        closed = 0

        def __iter__(self):
            if late:
                self.start()
            yield from blocks
            if error is not None:
                raise error

        def close(self):
            Body.closed += 1

    def app(environ, start_response):
        app.calls += 1
        fields = [("Cache-Control", "max-age=60"), ("Content-Type", "text/plain")]
        fields += [] if length is None else [("Content-Length", str(length))]
        body = Body()
        body.start = lambda: start_response(status, fields)
        if not late:
            body.start()
        return body

    app.calls, app.body = 0, Body
    return app


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("length", [None, 4])
def test_blocks_are_kept_as_one(length, late):
    inner = bodies(b"ab", b"", b"cd", length=length, late=late)
    app = stack(cache(), validator(inner))
    first, second = ask(app), ask(app)
    assert first.body == second.body == b"abcd"
    assert (second.hit, inner.calls, inner.body.closed) == (True, 1, 1)
    assert second.fields["content-length"] == "4"


def test_a_stream_is_passed_on_as_it_comes():
    inner = bodies(b"a", b"b")
    app = stack(cache(), inner)
    environ = request()
    body = app(environ, unseen)
    blocks = iter(body)
    assert next(blocks) == b"a"
    assert ask(app).told == "fwd=uri-miss"  # nobody waits for a stream
    assert [*blocks] == [b"b", b""]
    body.close()
    assert ask(app).hit


@pytest.mark.parametrize(
    "inner",
    [
        bodies(b"ab", b"cd", length=4),
        bodies(b"a", b"b", b"c", b"d"),
        bodies(b"abcd", length=4),
    ],
    ids=["length", "stream", "one block"],
)
def test_what_is_larger_is_passed_on(inner):
    app = stack(cache(max_size=1), inner)
    assert ask(app).body == b"abcd"
    assert ask(app).told == "fwd=uri-miss"
    assert inner.calls == 2


def test_the_fields_count_as_well_and_so_does_what_the_store_takes():
    for options in ({"max_size": 30}, {"store": MemoryStore(max_value=30)}):
        app = cached(ok(Cache_Control="max-age=60"), **options)
        assert not any([ask(app).hit, ask(app).hit])


def test_what_breaks_off_is_not_kept():
    inner = bodies(b"ab", error=LookupError())
    app = stack(cache(), inner)
    with pytest.raises(LookupError):
        ask(app)
    inner = bodies(b"ab", length=3)
    app = stack(cache(), inner)
    with pytest.raises(ValueError, match="Content-Length"):
        ask(app)
    assert inner.body.closed == 1


def test_a_response_that_nobody_reads_to_its_end_is_not_kept():
    inner = bodies(b"a", b"b")
    app = stack(cache(), inner)
    environ = request()
    body = app(environ, unseen)
    next(iter(body))
    body.close()
    assert inner.body.closed == 1
    assert ask(app).told == "fwd=uri-miss"


def test_a_file_is_left_to_the_server(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"file")

    def app(environ, start_response):
        start_response("200 OK", [("Cache-Control", "max-age=60"), ("Content-Type", "text/plain")])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    environ = request(**{"wsgi.file_wrapper": FileWrapper})
    body = stack(cache(), app)(environ, unseen)
    assert isinstance(body, FileWrapper)
    body.close()


@pytest.mark.parametrize("value", ["a\nX-Evil: 1", "a\rb", "\u20ac"], ids=ascii)
def test_fields_that_no_message_can_have_are_not_kept(value):
    def app(environ, start_response):
        start_response("200 OK", [("Cache-Control", "max-age=60"), ("X-Value", value)])
        return [b"a"]

    layered = stack(cache(), app)
    environ = request()
    given = []
    for _ in range(2):
        layered(dict(environ), lambda *response: given.append(response))
    assert all("hit" not in dict(fields)["Cache-Status"] for _, fields, _ in given)


def test_a_replaced_response_is_the_one_that_counts():
    def app(environ, start_response):
        start_response("200 OK", [("Cache-Control", "max-age=60"), ("Content-Type", "text/plain")])
        try:
            raise LookupError
        except LookupError:
            start_response("500 X", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"failed"]

    layered = stack(cache(), validator(app))
    assert (ask(layered).status, ask(layered).told) == (500, "fwd=uri-miss")


# Keys

DIFFERENT = [
    {"path": "/a"},
    {"path": "/b"},
    {"path": "/a?"},
    {"path": "/a?b"},
    {"path": "/a?c"},
    {"path": "/A"},
    {"path": "/a", "host": "other.example"},
    {"path": "/a", "host": "site.example:8000"},
]


def test_what_is_another_url_is_another_response():
    app = cached(ok(Cache_Control="max-age=60"))
    answers = [ask(app, **request).body for request in DIFFERENT]
    assert len(set(answers)) == len(DIFFERENT) - 1  # "/a?" is "/a": an environ cannot tell
    assert [ask(app, **request).body for request in DIFFERENT] == answers
    assert ask(app, "/a", host="SITE.example:80").hit


def test_a_question_mark_in_a_path_is_not_that_of_a_query():
    app = cached(ok(Cache_Control="max-age=60"))
    for path, query in (("/a?b", "c"), ("/a", "b?c")):
        app(request(PATH_INFO=path, QUERY_STRING=query), unseen).close()
    assert len(app.origin.seen) == 2


# Stores


class Broken(MemoryStore):
    """A store that cannot be reached for as long as it is said."""

    broken = frozenset()
    reads = 0

    def get(self, key):
        self.reads += 1
        return self.of("get", key) or super().get(key)

    def set(self, key, *args, **options):
        self.of("set", key)
        super().set(key, *args, **options)

    def compare_and_set(self, key, *args, **options):
        self.of("compare_and_set", key)
        return super().compare_and_set(key, *args, **options)

    def increment(self, key, *args, **options):
        self.of("increment", key)
        return super().increment(key, *args, **options)

    def delete(self, key):
        self.of("delete", key)
        return super().delete(key)

    def of(self, operation, key):
        if operation in self.broken:
            raise StoreError(key)


def test_a_store_that_cannot_be_reached_is_passed_by():
    store = Broken()
    app = cached(ok(Cache_Control="max-age=60"), store=store)
    store.broken = {"get", "set", "compare_and_set", "increment", "delete"}
    assert ask(app).told == "fwd=bypass; detail=store-unreachable"
    assert ask(app, method="PUT").told == "fwd=method"
    store.broken = {"compare_and_set", "increment", "delete"}
    assert ask(app).told == "fwd=uri-miss"
    store.broken = {"delete"}
    assert ask(app).told == "fwd=uri-miss; stored"
    store.broken = {"increment"}
    assert ask(app).hit


def test_a_store_that_breaks_while_something_is_validated():
    clock, store = Clock(), Broken()
    gone = ("304 Not Modified", [("ETag", '"1"'), ("Cache-Control", "no-store")])
    app = cached(ok(**STALE), gone, store=store, clock=clock)
    ask(app)
    clock.now += 61
    store.broken = {"set", "compare_and_set"}
    assert ask(app).body == b"answer 1"


def test_what_is_in_the_store_and_is_none_of_ours_is_no_answer():
    for garbage in (
        b"",
        b"\0\xff",
        b"R1",
        b"R1 x 1 1 1 11\n200 OK\n\n",
        b"V1 ",
        b"R1 0 1 1 1 11\n\n",
    ):
        store = MemoryStore()
        app = cached(ok(Cache_Control="max-age=60"), store=store)
        ask(app)
        (key,) = [key for key in store._entries if b":flight" not in key]
        store.set(key.decode(), garbage)
        assert ask(app).body == b"answer 2"
        assert ask(app).hit


def test_a_store_that_breaks_while_another_process_asks():
    store = Broken()
    app = cached(ok(Cache_Control="max-age=60"), store=store)
    store.set(f"{url_key('http', 'site.example', '/', '')}:flight", b"1")
    store.of = lambda operation, key: Broken.of(store, "get", key) if store.reads > 1 else None
    store.broken = {"get"}
    assert (ask(app).status, store.reads) == (200, 3)


def test_one_of_all_processes_revalidates():
    clock, store = Clock(), MemoryStore()
    said = "max-age=60, stale-while-revalidate=30"
    app = cached(ok(Cache_Control=said), store=store, clock=clock)
    ask(app)
    clock.now += 61
    flight = f"{url_key('http', 'site.example', '/', '')}:flight"
    store.set(flight, b"1")
    assert ask(app).body == ask(app).body == b"answer 1"
    assert len(app.origin.seen) == 1
    store.delete(flight)
    ask(app)
    assert ask(app).body == b"answer 2"


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "cache.db")


def test_processes_that_share_a_store_share_what_is_kept(store):
    one, other = (cached(ok(Cache_Control="max-age=60"), store=store) for _ in range(2))
    ask(one)
    assert ask(other).hit
    ask(other, method="PUT")
    assert not ask(one).hit


# One flight


class Gate:
    """An application that waits until it is let go."""

    def __init__(self, *fields):
        self.fields = [("Content-Type", "text/plain"), *fields]
        self.entered, self.go, self.calls = threading.Semaphore(0), threading.Event(), 0
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        with self.lock:
            self.calls += 1
        self.entered.release()
        assert self.go.wait(30)
        start_response("200 OK", self.fields)
        return [b"made"]


def together(app, count, **fields):
    """So many requests at once, each in a thread; the threads, and where their answers come."""
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask(app, **fields))) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads, answers


def test_of_many_at_once_one_asks_the_application(store):
    gate = Gate(("Cache-Control", "max-age=60"))
    apps = [stack(cache(store=store), gate) for _ in range(2)]  # as two processes would
    groups = [together(app, 5) for app in apps]
    assert gate.entered.acquire(timeout=30)
    gate.go.set()
    for threads, _ in groups:
        for thread in threads:
            thread.join(30)
    answers = [answer for _, found in groups for answer in found]
    assert len(answers) == 10
    assert {answer.body for answer in answers} == {b"made"}
    assert gate.calls == 1
    assert sum("collapsed" in answer.told or answer.hit for answer in answers) == 9


def test_nobody_stands_in_line_for_what_is_not_kept():
    gate = Gate()
    app = stack(cache(), gate)
    gate.go.set()
    ask(app)
    gate.go.clear()
    gate.entered.acquire()
    threads, answers = together(app, 3)
    for _ in range(3):
        assert gate.entered.acquire(timeout=30)  # all three are in
    gate.go.set()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 3


def test_those_who_wait_for_what_is_not_kept_ask_themselves():
    gate = Gate()
    app = stack(cache(), gate)
    threads, answers = together(app, 3)
    assert gate.entered.acquire(timeout=30)
    gate.go.set()
    for thread in threads:
        thread.join(30)
    assert (len(answers), gate.calls) == (3, 3)


def test_a_failure_lets_the_others_go_on():
    app = cached(LookupError("lost"), ok(Cache_Control="max-age=60"))
    with pytest.raises(LookupError):
        ask(app)
    assert ask(app).told == "fwd=uri-miss; stored"


def test_a_deadline_that_is_over_waits_for_nobody():
    gate = Gate(("Cache-Control", "max-age=60"))
    app = stack(cache(), gate)
    threads, _ = together(app, 1)
    assert gate.entered.acquire(timeout=30)
    environ = request(**{"wsgikit.deadline": 0.0, "PATH_INFO": "/"})
    threading.Timer(0, lambda: gate.entered.acquire(timeout=30) and gate.go.set()).start()
    assert list(app(environ, unseen)) == [b"made"]
    threads[0].join(30)
    assert gate.calls == 2


def let_go(gate, groups):
    """Let the application answer, and wait for all; how each was answered."""
    gate.go.set()
    for threads, _ in groups:
        for thread in threads:
            thread.join(30)
    return [answer for _, answers in groups for answer in answers]


@pytest.fixture
def _patient(monkeypatch):
    """Requests wait for each other longer than a test does."""
    monkeypatch.setattr(sys.modules["wsgikit.middleware.cache"], "PATIENCE", 600.0)


@pytest.fixture
def waits(_patient, monkeypatch):
    """A semaphore that tells of each request that begins to wait for another one."""
    begun, wait = threading.Semaphore(0), Flights.wait

    def told(flights, way, patience):
        if way in flights._under_way:
            begun.release()
        wait(flights, way, patience)

    monkeypatch.setattr(Flights, "wait", told)
    return begun


class Varied(Gate):
    """An application that answers with what of Accept-Language it was asked for."""

    def __call__(self, environ, start_response):
        with self.lock:
            self.calls += 1
        self.entered.release()
        assert self.go.wait(30)
        start_response("200 OK", [("Vary", "Accept-Language"), *self.fields])
        return [environ.get("HTTP_ACCEPT_LANGUAGE", "").encode()]


LANGUAGES = ("de", "en", "fr")


@pytest.mark.usefixtures("_patient")
def test_of_each_variant_that_is_known_one_asks_the_application(store):
    clock, gate = Clock(), Varied(("Cache-Control", "max-age=60"))
    app = stack(cache(store=store, clock=clock), gate)
    gate.go.set()
    for language in LANGUAGES:
        ask(app, accept_language=language)
    clock.now += 61
    gate.go.clear()
    gate.calls, gate.entered = 0, threading.Semaphore(0)
    groups = [together(app, 4, accept_language=language) for language in LANGUAGES]
    for _ in LANGUAGES:  # at the same time: no variant waits for another
        assert gate.entered.acquire(timeout=30)
    answers = let_go(gate, groups)
    assert sorted(answer.body.decode() for answer in answers) == sorted(LANGUAGES * 4)
    assert gate.calls == 3


def test_of_variants_that_are_not_known_one_after_the_other_is_asked_for(store, waits):
    gate = Varied(("Cache-Control", "max-age=60"))
    app = stack(cache(store=store), gate)
    groups = [together(app, 4, accept_language=language) for language in LANGUAGES]
    for _ in range(11):
        assert waits.acquire(timeout=30)
    answers = let_go(gate, groups)
    assert sorted(answer.body.decode() for answer in answers) == sorted(LANGUAGES * 4)
    assert gate.calls == 3


class Particular(Gate):
    """An application whose answers to some are not for others."""

    def __call__(self, environ, start_response):
        with self.lock:
            self.calls += 1
        self.entered.release()
        assert self.go.wait(30)
        if "HTTP_IF_NONE_MATCH" in environ:
            start_response("304 Not Modified", [("ETag", '"1"')])
            return []
        if "HTTP_RANGE" in environ:
            start_response("206 Partial Content", [*self.fields, ("Content-Range", "bytes 0-0/4")])
            return [b"m"]
        start_response("200 OK", self.fields)
        return [b"made"]


PARTICULAR = {
    "a range": {"range": "bytes=0-0"},
    "a condition": {"if_none_match": '"1"'},
    "a date": {"if_modified_since": DATE},
    "one who is known": {"authorization": "Bearer 1"},
    "one whom the server knows": {"REMOTE_USER": "ann"},
}


@pytest.mark.usefixtures("_patient")
@pytest.mark.parametrize("fields", PARTICULAR.values(), ids=PARTICULAR)
def test_nobody_waits_for_what_is_of_one_client(fields):
    gate = Particular(("Cache-Control", "max-age=60"))
    app = stack(cache(), gate)
    first = together(app, 1, **fields)
    assert gate.entered.acquire(timeout=30)
    others = together(app, 4)
    assert gate.entered.acquire(timeout=30)  # one of them asks, while the first is still asking
    answers = let_go(gate, [others])
    let_go(gate, [first])
    assert {answer.body for answer in answers} == {b"made"}
    assert gate.calls == 2


@pytest.mark.parametrize("fields", PARTICULAR.values(), ids=PARTICULAR)
def test_what_is_of_one_client_waits_for_the_others(fields, waits):
    gate = Particular(("Cache-Control", "public, max-age=60"), ("ETag", '"1"'))
    app = stack(cache(), gate)
    groups = [together(app, 1)]
    assert gate.entered.acquire(timeout=30)
    groups.append(together(app, 3, **fields))
    for _ in range(3):
        assert waits.acquire(timeout=30)
    assert all(answer.hit for answer in let_go(gate, groups)[1:])
    assert gate.calls == 1


def test_nobody_waits_for_a_third_failure(waits):

    class Failing(Gate):
        """Fails, for the first two when they are let go."""

        def __call__(self, environ, start_response):
            with self.lock:
                self.calls += 1
                go = goes[min(self.calls, 3) - 1]
            self.entered.release()
            assert go.wait(30)
            raise LookupError("lost")

    goes = first, second, third = [threading.Event() for _ in range(3)]
    third.set()
    gate = Failing()
    app = stack(errors(), cache(), gate)
    group = together(app, 5)
    for go, waiters in ((first, 4), (second, 3)):
        assert gate.entered.acquire(timeout=30)
        for _ in range(waiters):
            assert waits.acquire(timeout=30)
        go.set()
    assert [answer.status for answer in let_go(gate, [group])] == [500] * 5
    assert gate.calls == 5


def test_nobody_stands_in_line_for_a_stream(waits):
    """Its response starts before it is known whether it is kept; those who wait go on then."""

    class Streaming(Gate):
        def __call__(self, environ, start_response):
            super().__call__(environ, start_response)
            return iter((b"ma", b"de"))

    gate = Streaming(("Cache-Control", "max-age=60"))
    app = stack(cache(), gate)
    body = []
    first = threading.Thread(target=lambda: body.append(app(request(), unseen)))
    first.start()
    assert gate.entered.acquire(timeout=30)
    threads, answers = together(app, 3)
    for _ in range(3):
        assert waits.acquire(timeout=30)
    gate.go.set()
    first.join(30)
    for thread in threads:
        thread.join(30)
    body[0].close()
    assert {answer.body for answer in answers} == {b"made"}
    assert not waits.acquire(blocking=False)  # nobody has waited once more


def test_who_reloads_together_gets_one_new_response():
    clock = Clock()
    gate = Gate(("Cache-Control", "max-age=60"))
    app = stack(cache(clock=clock), gate)
    gate.go.set()
    ask(app)
    clock.now += 10
    gate.go.clear()
    gate.entered.acquire()
    threads, answers = together(app, 3, cache_control="no-cache")
    assert gate.entered.acquire(timeout=30)
    gate.go.set()
    for thread in threads:
        thread.join(30)
    assert {answer.fields.get("age", "0") for answer in answers} == {"0"}


# Stacks


def test_a_page_is_compressed_once_for_each_coding():
    calls = []

    def page(environ, start_response):
        calls.append(environ.get("HTTP_ACCEPT_ENCODING"))
        return Response.html("<p>text</p>" * 100, headers={"Cache-Control": "max-age=60"})(
            environ, start_response
        )

    app = stack(cache(), compress(), errors(), page)
    for _ in range(2):
        assert ask(app, accept_encoding="gzip").fields["content-encoding"] == "gzip"
        assert ask(app, accept_encoding="GZIP ;q=1").fields["content-encoding"] == "gzip"
        assert "content-encoding" not in ask(app).fields
    assert calls == ["gzip", None]
    assert check(app) == []
    assert [finding.layer for finding in check(stack(compress(), cache(), page))] == ["cache()"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_size": "1"}, TypeError),
        ({"max_size": 0}, ValueError),
        ({"max_size": True}, TypeError),
    ],
)
def test_options_are_checked(options, error):
    with pytest.raises(error, match="max_size"):
        cache(**options)(Origin(ok()))


# Any history

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("get"), st.sampled_from(["", "max-age=5", "no-cache", "min-fresh=5"])),
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.just("change"), st.just("")),
        st.tuples(st.just("put"), st.just("")),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(
    said=st.sampled_from(["max-age=20", "no-cache", "private", "", "s-maxage=10", "max-age=0"]),
    tagged=st.booleans(),
    events=EVENTS,
)
def test_no_answer_is_older_than_it_may_be(said, tagged, events):
    """Whatever happens, an answer is what the resource was no longer ago than its lifetime."""
    clock, version = Clock(), 0
    changed = [NOW - 1000]  # when each version came

    def resource(environ):
        if environ["REQUEST_METHOD"] == "PUT":
            return ("204 No Content", [], [])
        tag = f'"{version}"'
        fields = [("Cache-Control", said)] if said else []
        fields += [("ETag", tag)] if tagged else []
        if tagged and environ.get("HTTP_IF_NONE_MATCH") == tag:
            return ("304 Not Modified", fields, [])
        return ("200 OK", fields, [str(version).encode()])

    app = cached(resource, clock=clock)
    lifetime = {"max-age=20": 20, "s-maxage=10": 10}.get(said, 0)
    for event, argument in events:
        if event == "wait":
            clock.now += argument
        elif event == "change":
            version += 1
            changed.append(clock.now)
        elif event == "put":
            ask(app, method="PUT")
        else:
            answer = ask(app, **({"cache_control": argument} if argument else {}))
            assert answer.status == 200
            shown = int(answer.body)
            if shown == version:
                continue
            over = clock.now - changed[shown + 1]  # since it was the current one
            most = {"max-age=5": min(5, lifetime), "no-cache": 0}.get(argument, lifetime)
            assert over < most or (over == 0 and most), (said, argument, over)
