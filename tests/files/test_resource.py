from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wsgikit.files.resource
from wsgikit.files.representation import Stored
from wsgikit.files.resource import IDENTITY, Choices, Resource, WatchedResource
from wsgikit.files.versions import identity_of
from wsgikit.http.etags import ETag
from wsgikit.http.problem import HTTPError


@pytest.mark.parametrize(
    ("field", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate", "identity"),
        ("identity", "identity"),
        ("*", "br"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0, *", "br"),
        ("br;q=0, *", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip;q=0.5, identity;q=0.8", "identity"),
        ("gzip;q=0.001", "gzip"),
        ("identity;q=0, *;q=0.1", "br"),
        ("identity;q=0, gzip", "gzip"),
        ("*;q=0, gzip", "gzip"),
        ("*;q=0, identity", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=", "identity"),
        ("gzipped", "identity"),
    ],
)
def test_the_choice_of_a_coding(field, coding):
    """RFC 9110 §12.5.3; the offers are in the order of their sizes."""
    choices = Choices(["br", "gzip", "identity"])
    assert choices[field] == coding
    assert choices[field] == coding


@pytest.mark.parametrize("field", ["identity;q=0", "*;q=0", "deflate, identity;q=0", "br, *;q=0"])
def test_no_choice_is_a_406(field):
    with pytest.raises(HTTPError) as raised:
        Choices(["gzip", "identity"])[field]
    assert raised.value.status == 406
    assert ("Vary", "Accept-Encoding") in raised.value.headers


def test_choices_are_kept_up_to_a_limit():
    choices = Choices(["gzip", "identity"])
    for number in range(250):
        assert choices[f"gzip, a{number}"] == "gzip"
    assert 0 < len(choices) <= 100
    size = len(choices)
    assert choices["gzip" + " " * 1000] == "gzip"
    assert len(choices) == size


@given(st.none() | st.text())
def test_any_field_is_answered(field):
    try:
        chosen = Choices(["gzip", "identity"])[field]
    except HTTPError:
        chosen = "identity"
    assert chosen in ("gzip", "identity")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    os.utime(path, (1, 1))
    return path


def form(path, tag="a"):
    return Stored([], os.stat(path), ETag(tag), None, str(path))


def watched(path, before=()):
    identity = identity_of(os.stat(path))
    return WatchedResource({IDENTITY: form(path)}, None, str(path), identity, [], before)


def test_a_resource_without_choices(path):
    plain = form(path)
    resource = Resource({IDENTITY: plain}, None)
    assert resource.chosen({}) is resource.chosen({"HTTP_ACCEPT_ENCODING": "*;q=0"}) is plain
    assert resource.is_current()


def test_a_resource_with_choices(path):
    forms = {IDENTITY: form(path), "gzip": form(path, "b")}
    resource = Resource(forms, Choices(["gzip", IDENTITY]))
    assert resource.chosen({}) is forms[IDENTITY]
    assert resource.chosen({"HTTP_ACCEPT_ENCODING": "gzip"}) is forms["gzip"]


def test_what_is_not_trusted_is_not_current(path):
    resource = watched(path)
    assert not resource.is_current()
    resource.trust()
    assert resource.is_current()


def test_trust_ends(path, monkeypatch):
    resource = watched(path)
    resource.trust()
    now = wsgikit.files.resource.monotonic()
    monkeypatch.setattr(wsgikit.files.resource, "monotonic", lambda: now + 1.1)
    assert not resource.is_current()
    resource.trust()
    assert resource.is_current()


def write(path):
    path.write_bytes(b"two")
    os.utime(path, (1, 1))


def replace(path):
    other = path.with_name("other")
    write(other)
    os.replace(other, path)


CHANGES = {
    "written": write,
    "replaced": replace,
    "gone": os.unlink,
    "longer": lambda path: path.write_bytes(b"more"),
    "touched": os.utime,
    "closed": lambda path: os.chmod(path, 0),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_each_change_is_seen_at_once(path, change):
    resource = watched(path)
    resource.trust()
    assert resource.is_current()
    # The clock of a file system ticks: what happens within one tick shows by trust alone.
    before = os.stat(path).st_ctime_ns
    while True:
        probe = path.with_name("probe")
        probe.write_bytes(b"")
        if os.stat(probe).st_ctime_ns > before:
            break
    change(path)
    assert not resource.is_current()


def test_what_appears_where_it_was_looked_for_first(path, tmp_path):
    first = tmp_path / "first"
    resource = watched(path, [str(first)])
    resource.trust()
    assert resource.is_current()
    first.write_bytes(b"")
    assert not resource.is_current()


def test_of_what_it_was_made(path):
    resource = watched(path, ["/before"])
    made_of = (str(path), identity_of(os.stat(path)), [], ["/before"])
    assert not resource.is_of(*made_of)  # not trusted: it may have changed unseen
    resource.trust()
    assert resource.is_of(*made_of)
    for place, other in enumerate(["/other", (0, 0, 0, 0, 0), [None], []]):
        assert not resource.is_of(*made_of[:place], other, *made_of[place + 1 :])
