from __future__ import annotations

import os

import pytest
from bs4 import BeautifulSoup

from wsgikit.folders.contents import Order
from wsgikit.folders.page import draw
from wsgikit.trees.tree import Entry

FOLDER, FILE = 0o040755, 0o100644
BY_NAME = Order("name", "")


def entry(name, mode=FILE, size=0, modified=0):
    return Entry(name, os.stat_result((mode, 0, 0, 1, 0, 0, size, 0, modified, 0)))


def drawn(names=(), entries=(), order=BY_NAME, title="Files", **parts):
    return BeautifulSoup(draw(title, list(names), list(entries), order, **parts), "html.parser")


def test_a_file():
    row = drawn(entries=[entry("a b.txt", size=1_234_567, modified=1_714_550_400)]).tbody.tr
    assert row.a["href"] == "./a%20b.txt"
    assert row.a.get_text() == "a b.txt"
    assert row.data["title"] == "1,234,567 bytes"
    assert row.data["value"] == "1234567"
    assert row.data.get_text() == "1.2\xa0MB"
    assert row.time["datetime"] == "2024-05-01T08:00:00Z"
    assert row.time["title"] == "2024-05-01 08:00:00 UTC"
    assert row.time.get_text() == "2024-05-01 08:00"


def test_a_folder():
    row = drawn(entries=[entry("docs", FOLDER, size=4096)]).tbody.tr
    assert row.a["href"] == "./docs/"
    assert row.a.get_text() == "docs/"
    assert row.data is None


def test_a_time_that_no_calendar_has():
    assert drawn(entries=[entry("a", modified=1e300)]).time is None


def test_what_is_not_served_has_no_link():
    row = drawn(entries=[Entry("secret", None, "a link that leads outside")]).tbody.tr
    assert row.a is None
    assert row.bdi.get_text() == "secret"
    assert row.small.get_text() == "Not served: a link that leads outside"


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"onmouseover="alert(1)', "'", "&amp;", "javascript;1"]
)
def test_names_are_text(name):
    parts = [entry(name), entry(name, FOLDER), Entry(name, None, name)]
    soup = drawn(names=[name, name], entries=parts, title=name)
    assert soup.script is None
    assert not soup.select("[onmouseover]")
    assert soup.h1.get_text() == name
    assert [bdi.get_text() for bdi in soup.tbody.select("bdi")] == [name] * 3
    assert soup.title.get_text() == name


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (12_345_678_901, "12 GB"),
        (2**63 - 1, "9.2 EB"),
    ],
)
def test_sizes(size, text):
    assert drawn(entries=[entry("a", size=size)]).data.get_text() == text.replace(" ", "\xa0")


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([], "This folder is empty."),
        ([entry("a", FOLDER)], "1 folder"),
        ([entry("a", FOLDER), entry("b", FOLDER, 9), entry("c", size=5)], "2 folders, 1 file, 5 B"),
        ([entry("a", size=5), entry("b", size=6)], "2 files, 11 B"),
        ([Entry("a", None)], "1 not served"),
    ],
)
def test_the_summary(entries, text):
    assert (
        drawn(entries=entries).select_one("#listed > p > span").get_text().replace("\xa0", " ")
        == text
    )


def test_an_empty_top_has_no_table():
    assert drawn().table is None


def test_an_empty_folder_has_a_way_up():
    row = drawn(names=["empty"]).tbody.tr
    assert (row.a["href"], row.a.get_text()) == ("../", "Parent folder")


def test_the_top_has_no_way_up():
    soup = drawn(entries=[entry("a")])
    assert soup.nav is None
    assert "Parent folder" not in soup.get_text()
    assert soup.title.get_text() == "Files"


def test_archives():
    soup = drawn(entries=[entry("a")], archives=("zip", "tar.gz"))
    assert [(link["href"], link.get_text()) for link in soup.select("#listed > p a")] == [
        ("?download=zip", "zip"),
        ("?download=tar.gz", "tar.gz"),
    ]
    assert not drawn(archives=("zip",)).select("#listed > p a")  # of an empty folder


def test_the_way_to_the_form():
    assert drawn(upload="<form></form>").select_one("#listed > p a")["href"] == "#add"


def test_what_is_told_and_the_form_stand_around_the_list():
    soup = drawn(entries=[entry("a")], notice="<p>told</p>", upload="<form></form>")
    assert [child.name for child in soup.main.find_all(recursive=False)] == [
        "svg",
        "h1",
        "p",
        "div",
        "form",
    ]
    assert "new XMLHttpRequest()" in soup.script.string
    assert drawn().script is None


def test_breadcrumbs():
    soup = drawn(names=["a", "b\n", "c"], order=Order("size", ""))
    assert soup.nav["aria-label"] == "Breadcrumb"
    query = "?sort=size&order=desc"
    assert [(link.get_text(), link["href"]) for link in soup.nav.select("a")] == [
        ("Files", f"../../../{query}"),
        ("a", f"../../{query}"),
        ("b\ufffd", f"../{query}"),
    ]
    assert soup.h1.get_text() == "c"
    assert soup.title.get_text() == "c – Files"


def test_headings_tell_the_order():
    headings = drawn(entries=[entry("a")], order=Order("size", "desc")).select("th")
    assert [heading.get("aria-sort") for heading in headings] == [None, "descending", None]
    assert [heading.a["href"] for heading in headings] == [
        "?sort=name",
        "?sort=size&order=asc",
        "?sort=modified&order=desc",
    ]
    headings = drawn(entries=[entry("a")]).select("th")
    assert [heading.get("aria-sort") for heading in headings] == ["ascending", None, None]
    assert headings[0].a["href"] == "?sort=name&order=desc"


def test_folders_keep_the_order_and_files_have_no_query():
    entries = [entry("a", FOLDER), entry("b")]
    links = drawn(entries=entries, order=Order("size", "asc")).tbody.select("a")
    assert [link["href"] for link in links] == ["./a/?sort=size&order=asc", "./b"]


def test_every_icon_is_there():
    entries = [entry("a", FOLDER), entry("b"), Entry("c", None, "x")]
    soup = drawn(names=["d"], entries=entries)
    used = {use["href"] for use in soup.select("use")}
    assert used == {f"#{symbol['id']}" for symbol in soup.select("symbol")}
    assert all(icon["aria-hidden"] == "true" for icon in soup.select("svg"))
