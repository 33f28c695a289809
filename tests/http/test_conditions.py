from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.conditions import evaluate, not_modified, range_applies
from wsgikit.http.dates import format_date
from wsgikit.http.etags import ETag

ETAG = ETag("v2")
WEAK = ETag("v2", weak=True)
MODIFIED = 784111777
BEFORE, AT, AFTER = (format_date(MODIFIED + step) for step in (-1, 0, 1))

MATCH, NONE_MATCH = "If-Match", "If-None-Match"
SINCE, UNMODIFIED = "If-Modified-Since", "If-Unmodified-Since"


# What a clause says of reading (GET, HEAD) and of acting (PUT, POST, PATCH, DELETE).
ROWS = [
    ("13.2.2 no condition", {}, None, None),
    ("13.1.1 the current tag", {MATCH: '"v2"'}, None, None),
    ("13.1.1 the current tag in a list", {MATCH: '"v1", "v2"'}, None, None),
    ("13.1.1 another", {MATCH: '"v1"'}, 412, 412),
    ("13.1.1 strong comparison", {MATCH: 'W/"v2"'}, 412, 412),
    ("13.1.1 anything", {MATCH: "*"}, None, None),
    ("13.1.1 an empty list", {MATCH: ""}, 412, 412),
    ("13.1.1 no tag", {MATCH: "v2"}, 412, 412),
    ("13.1.2 the current tag", {NONE_MATCH: '"v2"'}, 304, 412),
    ("13.1.2 weak comparison", {NONE_MATCH: 'W/"v2"'}, 304, 412),
    ("13.1.2 the current tag in a list", {NONE_MATCH: '"v1", W/"v2"'}, 304, 412),
    ("13.1.2 another", {NONE_MATCH: '"v1"'}, None, None),
    ("13.1.2 anything", {NONE_MATCH: "*"}, 304, 412),
    ("13.1.2 an empty list", {NONE_MATCH: ""}, None, None),
    ("13.1.2 no tag", {NONE_MATCH: "v2"}, None, None),
    ("13.1.3 changed since", {SINCE: BEFORE}, None, None),
    ("13.1.3 not since, and for reading only", {SINCE: AT}, 304, None),
    ("13.1.3 long before", {SINCE: AFTER}, 304, None),
    ("13.1.3 no date", {SINCE: "yesterday"}, None, None),
    ("13.1.3 two dates", {SINCE: f"{AFTER}, {AFTER}"}, None, None),
    ("13.1.4 changed since", {UNMODIFIED: BEFORE}, 412, 412),
    ("13.1.4 not since", {UNMODIFIED: AT}, None, None),
    ("13.1.4 long before", {UNMODIFIED: AFTER}, None, None),
    ("13.1.4 no date", {UNMODIFIED: "yesterday"}, None, None),
    ("13.1.4 two dates", {UNMODIFIED: f"{BEFORE}, {BEFORE}"}, None, None),
    ("13.1.4 not beside If-Match, true", {MATCH: '"v2"', UNMODIFIED: BEFORE}, None, None),
    ("13.1.4 not beside If-Match, false", {MATCH: '"v1"', UNMODIFIED: AFTER}, 412, 412),
    ("13.1.3 not beside If-None-Match, true", {NONE_MATCH: '"v1"', SINCE: AFTER}, None, None),
    ("13.1.3 not beside If-None-Match, false", {NONE_MATCH: '"v2"', SINCE: BEFORE}, 304, 412),
    ("13.2.2 step 1, then 3", {MATCH: '"v2"', NONE_MATCH: '"v2"'}, 304, 412),
    ("13.2.2 step 1 before 3", {MATCH: '"v1"', NONE_MATCH: '"v2"'}, 412, 412),
    ("13.2.2 step 1, then 4", {MATCH: '"v2"', SINCE: AFTER}, 304, None),
    ("13.2.2 step 2, then 4", {UNMODIFIED: AFTER, SINCE: AFTER}, 304, None),
    ("13.2.2 step 2 before 4", {UNMODIFIED: BEFORE, SINCE: AFTER}, 412, 412),
    ("13.2.2 step 2 before 3", {UNMODIFIED: BEFORE, NONE_MATCH: '"v2"'}, 412, 412),
]


@pytest.mark.parametrize(
    ("headers", "read", "written"), [pytest.param(*row[1:], id=row[0]) for row in ROWS]
)
def test_the_table_of_conditions(
    headers: dict[str, str], read: int | None, written: int | None
) -> None:
    for method in ("GET", "HEAD"):
        assert evaluate(method, headers, ETAG, MODIFIED) == read
    for method in ("PUT", "POST", "PATCH", "DELETE"):
        assert evaluate(method, headers, ETAG, MODIFIED) == written
    for method in ("OPTIONS", "TRACE", "CONNECT"):  # §13.2.1: they select nothing
        assert evaluate(method, headers, ETAG, MODIFIED) is None


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({MATCH: "*"}, 412),
        ({MATCH: '"v2"'}, 412),
        ({NONE_MATCH: "*"}, None),
        ({NONE_MATCH: '"v2"'}, None),
        ({UNMODIFIED: BEFORE}, None),
        ({SINCE: AFTER}, None),
    ],
    ids=str,
)
def test_before_anything_exists(headers: dict[str, str], answer: int | None) -> None:
    assert evaluate("PUT", headers, None, None, exists=False) == answer


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({MATCH: "*"}, None),
        ({MATCH: '"v2"'}, 412),
        ({NONE_MATCH: "*"}, 304),
        ({NONE_MATCH: '"v2"'}, None),
        ({UNMODIFIED: BEFORE}, None),
        ({SINCE: AFTER}, None),
    ],
    ids=str,
)
def test_what_has_neither_tag_nor_date(headers: dict[str, str], answer: int | None) -> None:
    assert evaluate("GET", headers, None, None) == answer


def test_a_weak_tag_serves_caches_but_guards_nothing() -> None:
    assert evaluate("GET", {NONE_MATCH: 'W/"v2"'}, WEAK, None) == 304
    assert evaluate("PUT", {MATCH: 'W/"v2"'}, WEAK, None) == 412


TAGS = (None, "*", '"v2"', 'W/"v2"', '"v1"', '"v1", "v2"', "v2")
DATES = (None, BEFORE, AT, AFTER, "yesterday")
STATES = {
    "strong tag and date": (ETAG, MODIFIED, True),
    "weak tag and date": (WEAK, MODIFIED, True),
    "strong tag": (ETAG, None, True),
    "weak tag": (WEAK, None, True),
    "date": (None, MODIFIED, True),
    "neither": (None, None, True),
    "nothing there": (None, None, False),
}


def names_current(field: str, etag: ETag | None, exists: bool, *, strongly: bool) -> bool:
    """§8.8.3.2 and §13.1: whether the list of a condition names what is there."""
    if field == "*":
        return exists
    if etag is None or field == "v2":
        return False
    return "v2" in field and not (strongly and (etag.weak or field.startswith("W/")))


def by_the_book(
    method: str, headers: dict[str, str], etag: ETag | None, modified: int | None, exists: bool
) -> int | None:
    """§13.2.2, sentence by sentence."""
    dates = {BEFORE: MODIFIED - 1, AT: MODIFIED, AFTER: MODIFIED + 1}
    unmodified, since = dates.get(headers.get(UNMODIFIED, "")), dates.get(headers.get(SINCE, ""))
    # 1. When recipient is the origin server and If-Match is present: if true, continue; if false,
    #    respond 412.
    if MATCH in headers:
        if not names_current(headers[MATCH], etag, exists, strongly=True):
            return 412
    # 2. When If-Match is not present and If-Unmodified-Since is present: if true, continue; if
    #    false, respond 412. (§13.1.4: ignored if it is no date, or there is no date to compare.)
    elif unmodified is not None and modified is not None and modified > unmodified:
        return 412
    # 3. When If-None-Match is present: if true, continue; if false for GET/HEAD, respond 304; if
    #    false for other methods, respond 412.
    if NONE_MATCH in headers:
        if names_current(headers[NONE_MATCH], etag, exists, strongly=False):
            return 304 if method in ("GET", "HEAD") else 412
    # 4. When the method is GET or HEAD, If-None-Match is not present, and If-Modified-Since is
    #    present: if true, continue; if false, respond 304.
    elif (
        method in ("GET", "HEAD")
        and since is not None
        and modified is not None
        and modified <= since
    ):
        return 304
    return None  # 5. is If-Range, 6. all other cases: perform the method


@pytest.mark.parametrize(("etag", "modified", "exists"), STATES.values(), ids=STATES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_every_combination_is_answered_by_the_book(
    method: str, etag: ETag | None, modified: int | None, exists: bool
) -> None:
    for values in product(TAGS, DATES, TAGS, DATES):
        names = (MATCH, UNMODIFIED, NONE_MATCH, SINCE)
        headers = {name: text for name, text in zip(names, values, strict=True) if text is not None}
        expected = by_the_book(method, headers, etag, modified, exists)
        assert evaluate(method, headers, etag, modified, exists) == expected, headers


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (None, True),
        ('"v2"', True),
        ('"v1"', False),
        ('W/"v2"', False),
        ('"v1", "v2"', False),
        ('"v2', False),
        (AT, True),
        (BEFORE, False),
        (AFTER, False),
        ("*", False),
        ("v2", False),
        ("", False),
    ],
    ids=str,
)
def test_if_range(if_range: str | None, applies: bool) -> None:
    assert range_applies(if_range, ETAG, MODIFIED, now=MODIFIED + 60) is applies


def test_if_range_with_nothing_to_compare() -> None:
    assert range_applies(None, None, None)
    assert not range_applies('"v2"', None, MODIFIED)
    assert not range_applies('"v2"', WEAK, MODIFIED)
    assert not range_applies(AT, ETAG, None)


def test_the_second_of_a_modification_has_to_be_over() -> None:
    assert not range_applies(AT, None, MODIFIED, now=MODIFIED)
    assert not range_applies(AT, None, MODIFIED, now=MODIFIED + 0.9)
    assert range_applies(AT, None, MODIFIED, now=MODIFIED + 1)
    assert range_applies(AT, None, MODIFIED)


fields = st.dictionaries(
    st.sampled_from([MATCH, NONE_MATCH, SINCE, UNMODIFIED]),
    st.text() | st.sampled_from([BEFORE, AT, AFTER, "*", '"v2"', 'W/"v2"', '"v1"']),
)


@given(
    st.sampled_from(["GET", "HEAD", "PUT", "BREW"]),
    fields,
    st.sampled_from([None, ETAG, WEAK]),
    st.sampled_from([None, MODIFIED]),
    st.booleans(),
)
def test_only_reading_is_answered_304(
    method: str, headers: dict[str, str], etag: ETag | None, modified: int | None, exists: bool
) -> None:
    answer = evaluate(method, headers, etag, modified, exists)
    assert answer in ((None, 304, 412) if method in ("GET", "HEAD") else (None, 412))
    assert headers or answer is None


@given(st.text(), st.sampled_from([None, ETAG]), st.sampled_from([None, MODIFIED]))
def test_any_if_range_is_answered(text: str, etag: ETag | None, modified: int | None) -> None:
    assert range_applies(text, etag, modified) in (True, False)


def test_the_fields_of_a_304_are_those_that_are_not_about_the_content():
    about_content = {
        "Content-Type": "text/plain",
        "content-length": "4",
        "Content-Encoding": "gzip",
        "Accept-Ranges": "bytes",
        "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
    }
    kept = [("ETAG", '"a"'), ("Vary", "Accept"), ("Set-Cookie", "a=b"), ("Set-Cookie", "c=d")]
    assert not_modified([*about_content.items(), *kept]) == kept
    assert not_modified(iter(kept)) == kept
    dated = [("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")]
    assert not_modified(dated) == dated
