from __future__ import annotations

import math
from calendar import timegm
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from time import asctime, gmtime, strftime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.dates import format_date, parse_date

LAST = 253402300799
seconds = st.integers(0, LAST)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
    ids=["imf-fixdate", "rfc850", "asctime"],
)
def test_the_three_forms_of_rfc_9110(text: str) -> None:
    assert parse_date(text, now=1_700_000_000) == 784111777


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LAST),
        ("Tue, 29 Feb 2000 12:00:00 GMT", 951825600),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800),
        ("Sat, 31 Dec 2016 23:59:59 GMT", 1483228799),
        ("Wed Nov 16 08:49:37 1994", 784975777),
        ("Mon, 06 Nov 1994 08:49:37 GMT", 784111777),  # it was a Sunday
        ("Sat, 01 Jan 0000 00:00:00 GMT", -62167219200),
    ],
)
def test_dates_at_the_edges(text: str, expected: int) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sum, 06 Nov 1994 08:49:37 GMT",
        ", 06 Nov 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 19994 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov +994 08:49:37 GMT",
        "Sun, 06 Nov 1_94 08:49:37 GMT",
        "Sun, 06 Nov ١٩٩٤ 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:37:00 GMT",
        "Sun, 06 Nov 1994 -1:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06-Nov-9x 08:49:37 GMT",
        "Sunday, 31-Nov-94 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 EST",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  16 08:49:37 1994",
        "Sunday Nov  6 08:49:37 1994",
        "Sunday Nov 16 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 GMT; length=5",
        "Sun, 06 Nov 1994\n08:49:37 GMT",
        "x" * 10_000_000,
        " " * 10_000_000,
    ],
    ids=lambda text: ascii(text[:40]),
)
def test_what_is_no_http_date(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("present", "text", "year"),
    [
        ("2026-06-15", "Sunday, 06-Nov-94 08:49:37 GMT", 1994),
        ("2026-06-15", "Sunday, 06-Nov-25 08:49:37 GMT", 2025),
        ("2026-06-15", "Sunday, 06-Nov-26 08:49:37 GMT", 2026),
        ("2026-06-15", "Sunday, 14-Jun-76 08:49:37 GMT", 2076),
        ("2026-06-15", "Sunday, 15-Jun-76 00:00:00 GMT", 2076),
        ("2026-06-15", "Sunday, 15-Jun-76 00:00:01 GMT", 1976),
        ("1999-06-15", "Sunday, 06-Nov-05 08:49:37 GMT", 2005),
        ("1999-06-15", "Sunday, 06-Nov-49 08:49:37 GMT", 1949),
        ("1999-06-15", "Sunday, 06-Nov-48 08:49:37 GMT", 2048),
        ("2060-06-15", "Sunday, 06-Nov-05 08:49:37 GMT", 2105),
        ("2060-06-15", "Sunday, 29-Feb-00 08:49:37 GMT", 2000),  # 2100 is no leap year
        ("2024-02-29", "Sunday, 28-Feb-74 08:49:37 GMT", 2074),
        ("2024-02-29", "Sunday, 02-Mar-74 08:49:37 GMT", 1974),
    ],
)
def test_years_of_two_digits_are_at_most_50_years_ahead(present: str, text: str, year: int) -> None:
    now = datetime.fromisoformat(present + "T00:00:00+00:00").timestamp()
    read = parse_date(text, now)
    assert read is not None
    assert gmtime(read).tm_year == year


def test_the_clock_is_the_present() -> None:
    year = gmtime().tm_year
    assert parse_date(f"Sunday, 06-Jan-{year % 100:02} 08:49:37 GMT") == timegm(
        (year, 1, 6, 8, 49, 37)
    )


@given(seconds)
def test_what_is_formatted_is_read_back(moment: int) -> None:
    assert parse_date(format_date(moment)) == moment


@given(seconds)
def test_formats_as_the_standard_library_does(moment: int) -> None:
    assert format_date(moment) == formatdate(moment, usegmt=True)


@given(seconds)
def test_reads_what_the_standard_library_writes(moment: int) -> None:
    fields = gmtime(moment)
    assert parse_date(asctime(fields)) == moment
    text = strftime("%A, %d-%b-%y %H:%M:%S GMT", fields)
    assert parse_date(text, now=moment) == moment


@given(st.datetimes(min_value=datetime(1, 1, 1)))
def test_reads_as_the_standard_library_does(moment: datetime) -> None:
    text = f"Mon, {moment:%d %b} {moment.year:04} {moment:%H:%M:%S} GMT"
    read = parse_date(text)
    assert read == int(moment.replace(microsecond=0, tzinfo=UTC).timestamp())
    if moment.year >= 1000:  # the library takes 0099 for 1999
        assert read == int(parsedate_to_datetime(text).timestamp())


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784111777.99, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (LAST, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (951782400, "Tue, 29 Feb 2000 00:00:00 GMT"),
    ],
)
def test_format_date(moment: float, text: str) -> None:
    assert format_date(moment) == text


@pytest.mark.parametrize("moment", [-1, -0.5, LAST + 1, 1e300, math.inf, -math.inf, math.nan])
def test_times_out_of_range_are_refused(moment: float) -> None:
    with pytest.raises(ValueError, match="seconds of a date are from 0"):
        format_date(moment)


words = st.sampled_from(
    ["Sun", "Sun,", "Sunday,", "06", "6", "", "Nov", "1994", "06-Nov-94", "08:49:37", "GMT", "99"]
)


@given(st.text() | st.lists(words | st.text(max_size=4), max_size=8).map(" ".join))
def test_any_text_is_a_date_or_none(text: str) -> None:
    moment = parse_date(text, now=1_700_000_000)
    if moment is not None and moment >= 0:
        assert parse_date(format_date(moment)) == moment
