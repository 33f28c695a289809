"""HTTP-dates as seconds since 1970 (RFC 9110 §5.6.7).

The arithmetic is our own: importing ``email.utils`` or ``datetime`` costs more than a request, and
both of them read far more than the three forms that HTTP has.
"""

from __future__ import annotations

import time

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# In the order of `_DAYS`: these names are of the RFC 850 form.
_LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)}

_LONGEST = len("Wednesday, 09-Nov-94 08:49:37 GMT")
_LAST = 253402300799  # 9999-12-31 23:59:59, the last second with a year of four digits
_EPOCH = 719468  # days from 0000-03-01 to 1970-01-01


def parse_date(text: str, now: float | None = None) -> int | None:
    """The seconds from 1970 to an HTTP-date, or None where the text is none.

    All three forms are read: ``Sun, 06 Nov 1994 08:49:37 GMT``, the obsolete
    ``Sunday, 06-Nov-94 08:49:37 GMT`` and ``Sun Nov  6 08:49:37 1994``. Day, month and time have to
    exist; the name of the day has to be one, but not to fit the date. A leap second counts as the
    first second of the next minute.

    :param now: the present, in seconds since 1970, against which years of two digits are read: a
        date that would be more than 50 years ahead is in the century before. None asks the clock.
    """
    if len(text) > _LONGEST or not text.isascii():
        return None
    words = text.split(" ")
    if len(words) == 6 and words[5] == "GMT":
        weekday, day, month, year, clock, _ = words
        if weekday[:-1] in _DAYS and weekday[-1] == ",":
            return _seconds(_number(year, 4), month, _number(day, 2), clock)
    elif len(words) == 4 and words[3] == "GMT":
        weekday, date, clock, _ = words
        if weekday[:-1] in _LONG_DAYS and weekday[-1] == "," and date.count("-") == 2:
            day, month, year = date.split("-")
            return _recent(_number(year, 2), month, _number(day, 2), clock, now)
    elif len(words) == 6 and words[2] == "":
        weekday, month, _, day, clock, year = words
        if weekday in _DAYS:
            return _seconds(_number(year, 4), month, _number(day, 1), clock)
    elif len(words) == 5:
        weekday, month, day, clock, year = words
        if weekday in _DAYS:
            return _seconds(_number(year, 4), month, _number(day, 2), clock)
    return None


def format_date(seconds: float) -> str:
    """The IMF-fixdate of a second since 1970: ``Sun, 06 Nov 1994 08:49:37 GMT``.

    :param seconds: a time from 1970 to 9999; fractions of a second are cut off.
    :raises ValueError: when the time is outside of these years.
    """
    if not 0 <= seconds < _LAST + 1:  # NaN is refused too
        raise ValueError(f"seconds of a date are from 0 to {_LAST}, not {seconds!r}")
    days, rest = divmod(int(seconds), 86400)
    year, month, day = _civil(days)
    hours, rest = divmod(rest, 3600)
    return (
        f"{_DAYS[(days + 3) % 7]}, {day:02} {_MONTHS[month - 1]} {year:04}"
        f" {hours:02}:{rest // 60:02}:{rest % 60:02} GMT"
    )


def _number(text: str, width: int) -> int:
    """The number in so many digits, or -1. (The text is ASCII: ``isdigit`` takes no others.)"""
    return int(text) if len(text) == width and text.isdigit() else -1


def _seconds(year: int, month: str, day: int, clock: str) -> int | None:
    number = _MONTH_NUMBERS.get(month, 0)
    parts = clock.split(":")
    if year < 0 or not number or len(parts) != 3:
        return None
    leap_day = number == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    hours, minutes, seconds = [_number(part, 2) for part in parts]
    if not (
        1 <= day <= _LENGTHS[number - 1] + leap_day
        and 0 <= hours <= 23
        and 0 <= minutes <= 59
        and 0 <= seconds <= 60
    ):
        return None
    return _days(year, number, day) * 86400 + hours * 3600 + minutes * 60 + seconds


def _recent(year: int, month: str, day: int, clock: str, now: float | None) -> int | None:
    """The latest such time, of all the years that end so, that is not over 50 years ahead."""
    if year < 0:
        return None
    if now is None:
        now = time.time()
    days, rest = divmod(int(now), 86400)
    this_year, this_month, this_day = _civil(days)
    # Same month, day and time in 50 years; the 29th of February becomes the 1st of March.
    limit = _days(this_year + 50, this_month, this_day) * 86400 + rest
    century = this_year // 100 * 100
    for candidate in (century + 100, century, century - 100):
        seconds = _seconds(candidate + year, month, day, clock)
        if seconds is not None and seconds <= limit:
            return seconds
    return None


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar.

    Years are counted from March, so that the leap day is the last of its year.
    """
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    leap_days = year // 4 - year // 100 + year // 400
    return year * 365 + leap_days + (153 * month + 2) // 5 + day - 1 - _EPOCH


def _civil(days: int) -> tuple[int, int, int]:
    """The year, month and day that are so many days after 1970-01-01: `_days` turned around."""
    era, day_of_era = divmod(days + _EPOCH, 146097)  # 400 years
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    year += era * 400
    return (year, month + 3, day) if month < 10 else (year + 1, month - 9, day)
