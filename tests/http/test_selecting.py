from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.selecting import MAX_ITEMS, normalized, selector

NORMALIZED = {
    ("accept-encoding", "gzip, br"): "br,gzip",
    ("accept-encoding", " GZIP;q=1.000 ,\tbr ; q = 0.50 ,"): "br;q=0.5,gzip",
    ("accept-encoding", "gzip;q=0.000"): "gzip;q=0",
    ("accept-encoding", "gzip;q=0"): "gzip;q=0",
    ("accept-encoding", "gzip;q=10"): "gzip;q=10",
    ("accept-encoding", ""): "",
    ("accept-language", "de, EN, de"): "de,en",
    ("accept", 'text/html;a="B, c", text/*'): 'text/html;a="B, c", text/*',
    ("user-agent", "  A, b  "): "A, b",
    ("cookie", "b=1; a=2"): "b=1; a=2",
}


@pytest.mark.parametrize(("given", "expected"), NORMALIZED.items(), ids=repr)
def test_values_that_mean_the_same_are_written_the_same(given, expected):
    assert normalized(*given) == expected


def test_many_items_stand_as_they_are():
    many = ", ".join(f"x{number}" for number in range(MAX_ITEMS + 1))
    assert normalized("accept", many) == many


def test_a_selector_tells_values_and_fields_apart():
    requests = [
        {},
        {"a": ""},
        {"a": "1"},
        {"b": "1"},
        {"a": "1", "b": "2"},
        {"a": "\ud800"},
    ]
    assert len({selector(["a", "b"], request.get) for request in requests}) == len(requests)
    assert selector(["a"], {"a": "1"}.get) != selector(["a"], {"a": "2"}.get)
    assert selector([], {}.get) == selector((), {"a": "1"}.get)


@given(st.sampled_from(["accept", "cookie"]), st.text())
def test_to_normalize_again_changes_nothing(name, value):
    once = normalized(name, value)
    assert normalized(name, once) == once
