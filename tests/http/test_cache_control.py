from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.cache_control import (
    MAX_DIRECTIVES,
    additions,
    check_cache_control,
    parse_cache_control,
)


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ("", {}),
        ("no-store", {"no-store": ""}),
        ("Public, MAX-AGE=60", {"public": "", "max-age": "60"}),
        ('max-age="60"', {"max-age": "60"}),
        ('private="set-cookie, x-a", no-cache', {"private": "set-cookie, x-a", "no-cache": ""}),
        ("max-age=1, max-age=2", {"max-age": "1"}),
        ("a=b=c", {"a": "b=c"}),
        (" , public ,, \t", {"public": ""}),
        ("=1, a b, public", {"public": ""}),
        ('private="a', {"private": '"a'}),
    ],
)
def test_directives_are_read(text, directives):
    assert parse_cache_control(text) == directives


@given(st.text())
def test_any_text_is_read(text):
    for name in parse_cache_control(text):
        assert name == name.lower() != ""


@pytest.mark.parametrize("piece", ["a,", '"', "=", "a=b,", ",", '"a",'])
def test_a_long_text_is_read_in_time(piece):
    assert len(parse_cache_control(piece * 1_000_000)) <= MAX_DIRECTIVES


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("no-store", ["no-store"]),
        ("Public,Max-Age=60 , immutable", ["Public", "Max-Age=60", "immutable"]),
        ('no-cache="set-cookie"', ['no-cache="set-cookie"']),
        ("no-cache, no-store, max-age=0, must-revalidate", None),
        ("max-age=1, stale-while-revalidate=2, stale-if-error=3, s-maxage=4", None),
        ("community=UCI", None),
    ],
)
def test_what_an_author_writes_is_kept(text, written):
    assert [*check_cache_control(text).values()] == (written or text.split(", "))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "such as 'private, max-age=60'"),
        (",", "such as 'private, max-age=60'"),
        ("max age", "not 'max age'"),
        ("public, max-age=1, Max-Age=2", "not 'Max-Age=2'"),
        ("=1", "not '=1'"),
        ("max-age", "max-age takes a number of seconds, not ''"),
        ("max-age=1h", "max-age takes a number of seconds, not '1h'"),
        ("s-maxage=-1", "s-maxage takes a number of seconds, not '-1'"),
        ("max-age=\u0662", "max-age takes a number of seconds"),
        ("private, public", "either public or private"),
    ],
)
def test_what_makes_no_sense_is_named(text, says):
    with pytest.raises(ValueError, match=says):
        check_cache_control(text)


@pytest.mark.parametrize(
    ("own", "added", "names"),
    [
        ("", "public max-age", "public max-age"),
        ("max-age", "public max-age", "public"),
        ("private", "public max-age s-maxage", "max-age"),
        ("public", "private no-store", ""),
        ("no-store", "public max-age immutable must-revalidate no-cache", ""),
        ("no-store", "no-transform", "no-transform"),
        ("no-cache", "public max-age immutable stale-if-error s-maxage", "public"),
        ("max-age", "no-store no-cache", ""),
        ("must-revalidate", "stale-while-revalidate stale-if-error max-age", "max-age"),
        ("stale-if-error", "must-revalidate public", "public"),
        ("no-transform", "no-store", "no-store"),
        ("s-maxage", "private proxy-revalidate", "proxy-revalidate"),
        ("unknown", "other", "other"),
    ],
)
def test_what_is_said_already_is_not_repeated_nor_contradicted(own, added, names):
    assert additions(own.split(), added.split()) == names.split()
