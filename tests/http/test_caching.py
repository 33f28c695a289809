from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.caching import (
    MAX_SECONDS,
    freshened,
    initial_age,
    response_directives,
    seconds,
    terms,
)
from wsgikit.http.dates import format_date

NOW = 1_700_000_000.0


def kept(*fields, status=200, **options):
    options = {"requested": NOW, "received": NOW, **options}
    return terms(status, list(fields), **options)


def said(text, *fields, **options):
    return kept(("Cache-Control", text), *fields, **options)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("60", 60),
        ("0060", 60),
        ("2147483647", 2147483647),
        ("2147483649", MAX_SECONDS),
        ("9" * 5000, MAX_SECONDS),
        ("", None),
        ("-1", None),
        ("1.0", None),
        (" 1", None),
        ("\u0662", None),
        ("\u00b2", None),
    ],
)
def test_seconds(text, number):
    assert seconds(text) == number


def test_the_age_that_a_response_comes_with():
    now = int(NOW)
    assert initial_age([], now, NOW, NOW) == 0
    assert initial_age([], now, NOW, NOW + 2) == 2  # it took two seconds to come
    assert initial_age(["30"], now, NOW, NOW + 2) == 32
    assert initial_age([" 30 , 99", "99"], now, NOW, NOW) == 30
    assert initial_age(["30"], now - 100, NOW, NOW) == 100  # its Date says more
    assert initial_age([], now + 100, NOW, NOW) == 0
    assert initial_age([], now, NOW + 5, NOW) == 0  # a clock that went back
    assert initial_age(["", "5"], now, NOW, NOW) == 0


def test_terms_tell_all_that_counts_later():
    terms = said(
        "max-age=60, stale-while-revalidate=5, stale-if-error=6",
        ("Vary", "B, a"),
        ("vary", "A,C"),
        ("X-One", "1"),
    )
    assert (terms.lifetime, terms.age, terms.validates, terms.may_be_stale) == (60, 0, False, True)
    assert (terms.while_revalidate, terms.if_error) == (5, 6)
    assert terms.vary == ("a", "b", "c")
    assert terms.fields[-1] == ("Date", format_date(NOW))
    assert ("X-One", "1") in terms.fields


STALE = {
    "max-age=1": (True, 5),
    "max-age=1, must-revalidate": (False, 0),
    "max-age=1, proxy-revalidate": (False, 0),
    # What is said beside s-maxage is said of its end.
    "s-maxage=1": (False, 5),
}


@pytest.mark.parametrize(("text", "expected"), STALE.items())
def test_what_may_be_used_stale(text, expected):
    terms = said(f"{text}, stale-while-revalidate=5, stale-if-error=5")
    assert (terms.may_be_stale, terms.while_revalidate) == expected
    assert terms.if_error == terms.while_revalidate


def test_what_is_good_for_nothing_but_validation_needs_a_validator():
    for text in ("no-cache", "max-age=0", "public", "s-maxage=0", "max-age=x"):
        assert said(text) is None
        assert said(text, ("ETag", '"1"')) is not None
        assert said(text, ("Last-Modified", format_date(NOW - 10))) is not None
    assert said("max-age=0, stale-while-revalidate=5") is not None
    assert said("no-cache, stale-while-revalidate=5") is None


def test_connection_names_fields_that_are_not_kept():
    terms = said("max-age=1", ("Connection", "a, X-B"), ("A", "1"), ("x-b", "2"), ("C", "3"))
    assert [name for name, _ in terms.fields] == ["Cache-Control", "C", "Date"]


def test_directives_that_come_twice_count_as_what_allows_less():
    assert response_directives(['private="a"'])["private"] == "a"
    assert response_directives(['private="a", private'])["private"] == ""
    assert response_directives(["private", 'private="a"'])["private"] == ""
    assert response_directives(['no-cache="a"', "no-cache"])["no-cache"] == ""


def test_must_understand():
    text = "max-age=1, no-store, must-understand"
    assert said(text) is not None
    assert said(text, status=299) is None
    assert said("max-age=1, must-understand", status=299) is None
    assert said("max-age=1, no-store", status=200) is None


def test_a_304_updates():
    stored = [("A", "1"), ("b", "1"), ("B", "2"), ("ETag", '"1"'), ("Content-Length", "4")]
    new = [("B", "3"), ("Content-Length", "9"), ("Age", "5"), ("Connection", "x"), ("C", "4")]
    assert freshened(stored, new, NOW) == [
        ("A", "1"),
        ("ETag", '"1"'),
        ("Content-Length", "4"),
        ("B", "3"),
        ("Age", "5"),
        ("C", "4"),
        ("Date", format_date(NOW)),
    ]
    assert ("Date", "x") in freshened([("Date", "w")], [("Date", "x")], NOW)


names = st.sampled_from(["Cache-Control", "Expires", "Date", "Age", "Vary", "ETag", "Set-Cookie"])
values = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            'max-age=1 s-maxage=2 private no-store public no-cache "a" * 0 , = 999999999999'.split()
        ),
        max_size=5,
    ).map(", ".join),
)


@given(st.integers(100, 599), st.lists(st.tuples(names, values), max_size=8))
def test_any_fields_have_terms_or_none(status, fields):
    found = terms(status, fields, requested=NOW, received=NOW)
    if found is not None:
        assert 0 <= found.lifetime <= MAX_SECONDS
        assert found.age >= 0
        text = ", ".join(value.lower() for name, value in fields if name == "Cache-Control")
        assert "no-store" not in response_directives([text])
        assert "set-cookie" not in [name.lower() for name, _ in found.fields]
