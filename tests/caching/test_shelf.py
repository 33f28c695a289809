from __future__ import annotations

import pytest

from tests.caching.test_entry import NOW, entry
from wsgikit.caching.shelf import ATTEMPTS, MAX_LISTS, Shelf, url_key
from wsgikit.stores import MemoryStore

KEY = url_key("http", "site.example", "/", "")


class Meddled(MemoryStore):
    """Somebody else writes each time before this one compares."""

    def __init__(self, meddle):
        super().__init__()
        self.meddle = meddle

    def compare_and_set(self, key, *arguments, **options):
        self.meddle(self)
        return super().compare_and_set(key, *arguments, **options)


def found_by(shelf, **fields):
    found = shelf.look(KEY, fields.get)
    return found.entry and found.entry.body


def keep(shelf, body, *names, **fields):
    return shelf.keep(shelf.look(KEY, fields.get), names, fields.get, entry(body), NOW)


def test_keys_tell_urls_apart():
    keys = {
        url_key("http", "a", "/b", ""),
        url_key("https", "a", "/b", ""),
        url_key("http", "ab", "/", ""),
        url_key("http", "a", "/b?", ""),
        url_key("http", "a", "/b", "?"),
        url_key("http", "a:443", "/b", ""),
    }
    assert len(keys) == 6
    assert url_key("https", "A:443", "/b", "") == url_key("https", "a", "/b", "")
    assert len(url_key("http", "a" * 10_000, "/" * 10_000, "\ud800")) < 60


def test_what_another_one_kept_first_stays():
    store = Meddled(lambda store: store.set(KEY, b"theirs"))
    shelf = Shelf(store, 1000)
    assert not keep(shelf, b"ours")
    assert store.get(KEY) == b"theirs"


def test_variants_that_are_kept_at_the_same_time_are_all_found():
    store = MemoryStore()
    one, other = Shelf(store, 1000), Shelf(store, 1000)
    assert keep(one, b"a1", "a", a="1")
    early = other.look(KEY, {"b": "1"}.get)
    assert keep(one, b"c1", "c", c="1")
    assert other.keep(early, ("b",), {"b": "1"}.get, entry(b"b1"), NOW)
    assert [found_by(one, **{name: "1"}) for name in "abc"] == [b"a1", b"b1", b"c1"]


def test_a_variant_of_what_was_forgotten_meanwhile_is_not_found():
    shelf = Shelf(MemoryStore(), 1000)
    assert keep(shelf, b"a1", "a", a="1")
    early = shelf.look(KEY, {"a": "2"}.get)
    shelf.forget(KEY)
    assert not shelf.keep(early, ("a",), {"a": "2"}.get, entry(b"a2"), NOW)
    assert keep(shelf, b"new", "a", a="3")
    assert (found_by(shelf, a="2"), found_by(shelf, a="1")) == (None, None)
    assert found_by(shelf, a="3") == b"new"


def test_a_list_that_never_rests_is_given_up():
    count = []

    def meddle(store):
        count.append(1)
        name = store.get(KEY).split(b" ")[1]
        store.set(KEY, b"V1 %b %d\na" % (name, len(count)))

    shelf = Shelf(MemoryStore(), 1000)
    assert keep(shelf, b"a1", "a", a="1")
    store = Meddled(meddle)
    store.set(KEY, shelf._store.get(KEY))
    assert not keep(Shelf(store, 1000), b"a2", "a", a="2")
    assert len(count) == ATTEMPTS


@pytest.mark.parametrize("held", [b"V1 ", b"V1 a b", b"V1 a b c d", b"X1 a", b"\0"])
def test_what_is_held_and_cannot_be_read_is_nothing(held):
    store = MemoryStore()
    store.set(KEY, held)
    shelf = Shelf(store, 1000)
    assert found_by(shelf) is None
    assert keep(shelf, b"new")
    assert found_by(shelf) == b"new"


def test_lists_are_bounded():
    shelf = Shelf(MemoryStore(), 1000)
    for number in range(MAX_LISTS + 2):
        assert keep(shelf, b"%d" % number, f"x{number}", **{f"x{number}": "1"})
    assert len(shelf.look(KEY, {}.get).lists) == MAX_LISTS


def test_what_is_kept_is_gone_when_nobody_may_use_it():
    now = [0.0]
    shelf = Shelf(MemoryStore(clock=lambda: now[0]), 1000)
    assert keep(shelf, b"a", "a", a="1")
    now[0] = 86400.0 + 59
    assert found_by(shelf, a="1") == b"a"
    now[0] += 2
    assert found_by(shelf, a="1") is None
    assert shelf._store.get(KEY) is None
