from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.caching.entry import entry_of, pack, unpack
from wsgikit.http.caching import terms

NOW = 1_700_000_000.25


def entry(body=b"body", *fields, status="200 OK", text="max-age=60"):
    all_fields = [("Cache-Control", text), ("ETag", '"1"'), *fields]
    kept = terms(int(status[:3]), all_fields, requested=NOW, received=NOW)
    return entry_of(status, kept, body, NOW)


def told(found):
    return {name: getattr(found, name) for name in type(found).__slots__}


texts = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]))


@given(st.binary(), st.lists(st.tuples(st.sampled_from(["A", "b-C"]), texts), max_size=4))
def test_what_was_packed_is_unpacked(body, fields):
    for text in ("max-age=60", "no-cache", "max-age=9, must-revalidate, stale-if-error=3"):
        one = entry(body, *fields, text=text)
        assert told(unpack(pack(one))) == told(one)


def test_an_entry_has_the_length_of_its_content():
    assert ("Content-Length", "4") in entry(b"body", ("content-length", "99")).fields
    assert entry(b"body", ("content-length", "99")).field("content-length") == "4"
    assert entry(b"", status="204 No Content").field("content-length") is None


def test_age():
    one = entry(b"", ("Age", "5"))
    assert (one.age(NOW), one.age(NOW + 1.9), one.age(NOW - 100)) == (5, 6, 0)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\u20ac", "a\n"], ids=ascii)
def test_what_would_be_read_in_another_way_is_not_packed(value):
    assert pack(entry(b"", ("A", value))) is None


@given(st.binary())
def test_any_bytes_are_an_entry_or_none(packed):
    assert unpack(b"R0 1.0 1 1 1 11\n200 OK\n\n" + packed) is None
    for each in (packed, b"R1 " + packed, b"R1 1.0 1 1 1 11\n200 OK\n" + packed):
        found = unpack(each)
        assert found is None or found.status is not None
