from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.folders.contents import Order, document, href, moment, shown, size_of
from wsgikit.trees.tree import Entry

FOLDER, FILE = 0o040755, 0o100644


def entry(name, mode=FILE, size=0, modified=0):
    return Entry(name, os.stat_result((mode, 0, 0, 1, 0, 0, size, 0, modified, 0)))


def names(entries):
    return [each.name for each in entries]


SAMPLE = [
    entry("b10.txt", size=5, modified=30),
    entry("B2.txt", size=50, modified=20),
    entry("a.txt", size=5, modified=10),
    entry("b02.txt", size=7, modified=40),
    entry("folder", FOLDER, size=4096, modified=5),
    entry("Archive", FOLDER, size=8192, modified=50),
    Entry("0-unserved", None, "for a reason"),
]


@pytest.mark.parametrize(
    ("column", "order", "expected"),
    [
        ("name", "asc", "Archive folder a.txt B2.txt b02.txt b10.txt 0-unserved"),
        ("name", "desc", "folder Archive b10.txt b02.txt B2.txt a.txt 0-unserved"),
        ("size", "asc", "Archive folder a.txt b10.txt b02.txt B2.txt 0-unserved"),
        ("size", "desc", "Archive folder B2.txt b02.txt a.txt b10.txt 0-unserved"),
        ("modified", "asc", "folder Archive a.txt B2.txt b10.txt b02.txt 0-unserved"),
        ("modified", "desc", "Archive folder b02.txt b10.txt B2.txt a.txt 0-unserved"),
    ],
)
def test_sorting(column, order, expected):
    assert names(Order(column, order).sorted(SAMPLE)) == expected.split()


@pytest.mark.parametrize(
    ("column", "order", "query"),
    [
        ("name", "", ""),
        ("name", "asc", ""),
        ("name", "desc", "?sort=name&order=desc"),
        ("size", "", "?sort=size&order=desc"),
        ("modified", "asc", "?sort=modified&order=asc"),
        ("<script>", "&", ""),
        ("size", "sideways", "?sort=size&order=desc"),
    ],
)
def test_the_query_of_an_order(column, order, query):
    assert Order(column, order).query() == query


@pytest.mark.parametrize(
    ("click", "query"),
    [
        ("name", ""),
        ("size", "?sort=size&order=asc"),
        ("modified", "?sort=modified&order=desc"),
    ],
)
def test_a_click_on_a_heading(click, query):
    assert Order("size", "desc").after_click(click).query() == query


def test_a_click_turns_around():
    assert Order("name", "").after_click("name").descending
    assert not Order("name", "desc").after_click("name").descending


@given(st.lists(st.text()))
def test_any_names_are_sorted(given_names):
    ordered = names(Order("name", "").sorted(map(entry, given_names)))
    assert sorted(ordered) == sorted(given_names)


def test_a_name_of_many_digits():
    ordered = Order("name", "").sorted([entry("9" * 10_000), entry("1" + "0" * 10_000), entry("7")])
    assert [len(name) for name in names(ordered)] == [1, 10_000, 10_001]


def test_sizes():
    assert size_of(entry("a", size=5)) == 5
    assert size_of(entry("a", FOLDER, size=5)) == 0
    assert size_of(Entry("a", None)) == 0


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        (entry("a b"), "./a%20b"),
        (entry("folder", FOLDER), "./folder/"),
        (entry("\udcff"), "./%FF"),
        (Entry("a", None), None),
    ],
)
def test_links(listed, url):
    assert href(listed) == url


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_714_550_400.75, "2024-05-01T08:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (-62_135_596_801, None),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, None),
        (1e300, None),
    ],
)
def test_moments(seconds, text):
    assert moment(seconds) == text


def test_what_a_document_cannot_hold():
    assert shown("a\n\x00\x85\udcffé") == "a\ufffd\ufffd\ufffd\ufffdé"


def test_as_data():
    entries = [
        entry("folder", FOLDER, size=4096, modified=1),
        entry("a.txt", size=5, modified=1e300),
        Entry("\udcff", None, "for a reason"),
    ]
    assert document(["b", "c\n"], entries) == {
        "path": "/b/c\ufffd/",
        "entries": [
            {
                "name": "folder",
                "type": "directory",
                "size": None,
                "modified": "1970-01-01T00:00:01Z",
                "href": "./folder/",
            },
            {"name": "a.txt", "type": "file", "size": 5, "modified": None, "href": "./a.txt"},
            {"name": "\ufffd", "type": "other", "href": None},
        ],
    }


def test_the_top_as_data():
    assert document([], []) == {"path": "/", "entries": []}
