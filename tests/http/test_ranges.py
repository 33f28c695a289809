from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.ranges import MAX_RANGES, content_range, parse_range, unsatisfied_range


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("bytes=0-499", [(0, 500)]),
        ("bytes=500-999", [(500, 1000)]),
        ("bytes=-500", [(9500, 10000)]),
        ("bytes=9500-", [(9500, 10000)]),
        ("bytes=0-0,-1", [(0, 1), (9999, 10000)]),
        ("bytes= 0-999, 4500-5499, -1000", [(0, 1000), (4500, 5500), (9000, 10000)]),
        ("bytes=500-600,601-999", [(500, 1000)]),
        ("bytes=500-700,601-999", [(500, 1000)]),
    ],
)
def test_the_examples_of_rfc_9110(text: str, ranges: list[tuple[int, int]]) -> None:
    assert parse_range(text, 10000) == ranges


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("bytes=0-", [(0, 10)]),
        ("bytes=0-9", [(0, 10)]),
        ("bytes=0-10", [(0, 10)]),
        ("bytes=9-99", [(9, 10)]),
        ("bytes=-10", [(0, 10)]),
        ("bytes=-11", [(0, 10)]),
        ("BYTES=5-5", [(5, 6)]),
        ("bytes=05-005", [(5, 6)]),
        ("bytes=,0-1,,\t3-4 ,", [(0, 2), (3, 5)]),
        ("bytes=8-,0-1", [(8, 10), (0, 2)]),
        ("bytes=8-,0-1,1-3", [(0, 4), (8, 10)]),
        ("bytes=0-,0-,0-", [(0, 10)]),
        ("bytes=2-3,0-9", [(0, 10)]),
        ("bytes=20-30,0-1", [(0, 2)]),
        ("bytes=0-1,-0", [(0, 2)]),
        ("bytes=0-" + "9" * 100_000, [(0, 10)]),
        ("bytes=-" + "9" * 100_000, [(0, 10)]),
        ("bytes=" + "0" * 100_000 + "1-" + "0" * 100_000 + "2", [(1, 3)]),
        ("bytes=" + "0" * 100_000 + "-", [(0, 10)]),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_satisfiable_ranges_of_ten_bytes(text: str, ranges: list[tuple[int, int]]) -> None:
    assert parse_range(text, 10) == ranges


@pytest.mark.parametrize(
    "text", ["bytes=10-", "bytes=10-10", "bytes=-0", "bytes=99-100,-0", "bytes=" + "9" * 9999 + "-"]
)
def test_ranges_that_cannot_be_satisfied(text: str) -> None:
    assert parse_range(text, 10) == []


@pytest.mark.parametrize(
    "text",
    ["", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=1", "bytes=1-2-3", "0-1"]
    + ["bytes=5-4", "bytes=0-1,5-4", "bytes=0-1,x", "items=0-1", "none", "bytes =0-1", " bytes=0-1"]
    + ["bytes=--1", "bytes=+1-2", "bytes=1_0-2_0", "bytes=1 - 2", "bytes=0x1-0x2", "bytes=1.0-2"]
    + ["bytes=٠-١", "bytes=²-", "bytes=0-1\0", "bytes=\ud800-", "bytes==0-1", "bytes=0-1;q=1"],
    ids=ascii,
)
def test_what_is_ignored(text: str) -> None:
    assert parse_range(text, 10) is None


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("bytes=0-", []),
        ("bytes=0-0", []),
        ("bytes=-0", []),
        ("bytes=-5", None),
        ("bytes=0-,-5", None),
    ],
)
def test_ranges_of_an_empty_file(text: str, ranges: list[tuple[int, int]] | None) -> None:
    assert parse_range(text, 0) == ranges


def test_too_many_ranges_are_ignored() -> None:
    specs = [f"{2 * n}-{2 * n}" for n in range(MAX_RANGES + 1)]
    allowed = parse_range("bytes=" + ",".join(specs[:-1]), 1000)
    assert allowed is not None
    assert len(allowed) == MAX_RANGES
    assert parse_range("bytes=" + ",".join(specs), 1000) is None
    assert parse_range("bytes=" + "0-1," * 1_000_000, 1000) is None


@pytest.mark.parametrize(
    ("text", "gap", "ranges"),
    [
        ("bytes=0-9,20-29", 9, [(0, 10), (20, 30)]),
        ("bytes=0-9,20-29", 10, [(0, 30)]),
        ("bytes=20-29,0-9", 10, [(0, 30)]),
        ("bytes=50-,0-0,10-10,20-20", 10, [(0, 21), (50, 100)]),
        ("bytes=50-,0-0", 10, [(50, 100), (0, 1)]),
        ("bytes=0-0", 10, [(0, 1)]),
    ],
)
def test_ranges_with_little_between_them_are_one(
    text: str, gap: int, ranges: list[tuple[int, int]]
) -> None:
    # RFC 9110 §15.3.7.2
    assert parse_range(text, 100, gap) == ranges


def test_content_range() -> None:
    assert content_range(0, 500, 1234) == "bytes 0-499/1234"
    assert content_range(42, 1234, 1234) == "bytes 42-1233/1234"
    assert unsatisfied_range(1234) == "bytes */1234"


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 5), (6, 5), (0, 11)])
def test_a_content_range_needs_bytes(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="0 <= start < stop <= size"):
        content_range(start, stop, 10)


numbers = st.integers(0, 30).map(str)
specs = st.tuples(numbers | st.just(""), numbers | st.just("")).map("-".join)


@given(st.lists(specs, min_size=1, max_size=6), st.integers(0, 25))
def test_ranges_cover_the_bytes_that_were_asked_for(asked: list[str], size: int) -> None:
    data = range(size)
    wanted: set[int] = set()
    valid = True
    for spec in asked:
        first, _, last = spec.partition("-")
        if first:
            wanted.update(data[int(first) : int(last) + 1 if last else None])
            valid = valid and (not last or int(first) <= int(last))
        elif last:
            wanted.update(data[max(size - int(last), 0) :])
            valid = valid and (size > 0 or int(last) == 0)
        else:
            valid = False
    ranges = parse_range("bytes=" + ", ".join(asked), size)
    assert (ranges is not None) is valid
    if ranges is not None:
        served = [position for start, stop in ranges for position in data[start:stop]]
        assert len(served) == len(set(served))
        assert set(served) == wanted
        for start, stop in ranges:
            assert content_range(start, stop, size) == f"bytes {start}-{stop - 1}/{size}"


pieces = st.sampled_from(["bytes", "=", "-", ",", "0", "5", "99", " ", "x", "٣"])


@given(st.text() | st.lists(pieces).map("".join), st.integers(0, 100))
def test_any_text_gives_ranges_within_the_size(text: str, size: int) -> None:
    for start, stop in parse_range(text, size) or ():
        assert 0 <= start < stop <= size
