"""What a shared cache may keep of responses, and for how long (RFC 9111 §3 and §4.2).

RFC 5861 (``stale-while-revalidate``, ``stale-if-error``) is read as well.
"""

from __future__ import annotations

from wsgikit.http.cache_control import parse_cache_control
from wsgikit.http.dates import format_date, parse_date
from wsgikit.http.grammar import OWS, split_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Fields = list[tuple[str, str]]

#: The longest time that is told apart from forever: 68 years (§1.2.2).
MAX_SECONDS = 2**31

#: Statuses whose meaning for caches is known, for ``must-understand`` (§3, §5.2.2.3).
UNDERSTOOD = frozenset(
    [200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 421, 451, 501, 503]
)

# Parts of a representation, and what is no representation: not kept here.
_NOT_KEPT = (206, 304)

# Fields that concern one connection, or what another cache said of one response (§3.1).
_OF_ONE_HOP = frozenset(
    """connection keep-alive proxy-authenticate proxy-authentication-info proxy-authorization
    proxy-connection te trailer transfer-encoding upgrade age cache-status""".split()
)
# What a 304 does not change: it describes the octets that are there already (§3.2).
_OF_OCTETS = frozenset(["content-length", "content-encoding", "content-range"])


class Terms:
    """On which terms a response is kept.

    ``lifetime`` is for how many seconds it is fresh, and ``age`` how old it was when it came.
    ``validates`` tells that each use needs the application's word, ``may_be_stale`` that a client
    may ask for a stale one. ``while_revalidate`` and ``if_error`` are seconds beyond the lifetime.
    ``vary`` are the request fields that the response depends on, in lower case and in order;
    ``fields`` are those to be kept.
    """

    __slots__ = (
        "age",
        "fields",
        "if_error",
        "lifetime",
        "may_be_stale",
        "validates",
        "vary",
        "while_revalidate",
    )

    age: float
    fields: Fields
    if_error: int
    lifetime: int
    may_be_stale: bool
    validates: bool
    vary: tuple[str, ...]
    while_revalidate: int


def terms(
    status: int,
    fields: Fields,
    *,
    authorized: bool = False,
    personal: bool = False,
    requested: float,
    received: float,
) -> Terms | None:
    """The terms on which a shared cache may keep this response to a GET; None if it may not.

    :param authorized: whether the request had an Authorization (§3.5).
    :param personal: whether it had a cookie, by which the application may know a person.
    :param requested: when the application was asked, in seconds since 1970.
    :param received: when its response started.

    Kept is what the response itself allows by ``public``, ``max-age``, ``s-maxage``, ``no-cache``
    or an Expires: there is no guess at a lifetime (§4.2.2). What is good only for being validated
    is kept where there is a validator, and not where the request was of a person, unless it is
    ``public``: many tags do not tell one person's page from another's. A Set-Cookie is for one
    client: the response is not kept, unless ``private="set-cookie"`` or ``no-cache="set-cookie"``
    says that the rest of it may be.
    """
    values = _gathered(fields)
    directives = response_directives(values.get("cache-control", ()))
    understood = "must-understand" in directives and status in UNDERSTOOD
    if status < 200 or status in _NOT_KEPT or ("no-store" in directives and not understood):
        return None
    if "must-understand" in directives and not understood:
        return None
    names = _named(directives.get("private")), _named(directives.get("no-cache"))
    if names[0] == ():
        return None
    stripped = {*(names[0] or ()), *(names[1] or ())}
    if "set-cookie" in values and "set-cookie" not in stripped:
        return None
    vary = tuple(sorted({name.lower() for name in split_list(",".join(values.get("vary", ())))}))
    if "*" in vary:
        return None
    date = _date(values, received)
    lifetime = _lifetime(directives, values.get("expires", ()), date)
    public = "public" in directives
    if authorized and not (public or "s-maxage" in directives or "must-revalidate" in directives):
        return None
    if lifetime is None and not public and names[1] is None:
        return None
    strict = "must-revalidate" in directives or "proxy-revalidate" in directives
    kept = Terms()
    kept.lifetime = lifetime or 0
    kept.validates = names[1] == ()
    kept.may_be_stale = not strict and not kept.validates and "s-maxage" not in directives
    kept.while_revalidate = kept.if_error = 0
    if not strict and not kept.validates:
        kept.while_revalidate = seconds(directives.get("stale-while-revalidate", "")) or 0
        kept.if_error = seconds(directives.get("stale-if-error", "")) or 0
    if not (kept.lifetime or kept.while_revalidate or kept.if_error) or kept.validates:
        validator = "etag" in values or "last-modified" in values
        if not validator or (personal and not public):
            return None
    kept.age = initial_age(values.get("age", ()), date, requested, received)
    kept.vary = vary
    stripped |= {name.lower() for name in split_list(",".join(values.get("connection", ())))}
    stripped |= _OF_ONE_HOP
    kept.fields = [field for field in fields if field[0].lower() not in stripped]
    if "date" not in values:
        kept.fields.append(("Date", format_date(received)))
    return kept


def response_directives(lines: Iterable[str]) -> dict[str, str]:
    """The directives of a response's Cache-Control; of doubtful ones, what allows less.

    A ``private`` or ``no-cache`` that comes twice, once with field names and once without, counts
    as the one without (§5.2.2.4, §5.2.2.7).
    """
    text = ",".join(lines)
    directives = parse_cache_control(text)
    for name in ("private", "no-cache"):
        if directives.get(name) and text.lower().count(name) > 1:
            directives[name] = ""
    return directives


def initial_age(lines: Iterable[str], date: int, requested: float, received: float) -> float:
    """How old a response was when it came, in seconds (§4.2.3).

    :param lines: its Age lines; the first member counts, and what is no number counts as none.
    :param date: its Date, in seconds since 1970.
    """
    told = 0
    for line in lines:
        told = seconds(line.partition(",")[0].strip(OWS)) or 0
        break
    apparent = max(0, int(received) - date)
    return max(apparent, told + max(0.0, received - requested))


def seconds(text: str) -> int | None:
    """A delta-seconds (§1.2.2), at most :data:`MAX_SECONDS`; None where the text is none."""
    if not text.isascii() or not text.isdigit():
        return None
    digits = text.lstrip("0") or "0"
    return min(int(digits), MAX_SECONDS) if len(digits) <= 10 else MAX_SECONDS


def freshened(stored: Fields, fields: Fields, received: float) -> Fields:
    """The fields of a stored response, updated by those of a 304 that validated it (§3.2, §4.3.4).

    Each field of the 304 takes the place of all stored ones of that name, but for those that
    describe the stored octets or concern one connection. A 304 without a Date is of the second
    when it was received.
    """
    fixed = _OF_OCTETS | _OF_ONE_HOP - {"age"}
    new = [field for field in fields if field[0].lower() not in fixed]
    names = {name.lower() for name, _ in new} | {"age"}
    if "date" not in names:
        names.add("date")
        new.append(("Date", format_date(received)))
    return [*[field for field in stored if field[0].lower() not in names], *new]


def _gathered(fields: Fields) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name.lower(), []).append(value)
    return values


def _named(argument: str | None) -> tuple[str, ...] | None:
    """The fields that ``private`` or ``no-cache`` is about: none named is all, None is no such."""
    if argument is None:
        return None
    return tuple([name.lower() for name in split_list(argument)])


def _date(values: dict[str, list[str]], received: float) -> int:
    dates = values.get("date", ())
    date = parse_date(dates[0], received) if dates else None
    return int(received) if date is None else date


def _lifetime(directives: dict[str, str], expires: Iterable[str], date: int) -> int | None:
    """For how long it is fresh (§4.2.1); 0 for what cannot be read, None where nothing is said."""
    for name in ("s-maxage", "max-age"):
        if name in directives:
            return seconds(directives[name]) or 0
    times = [parse_date(text, date) for text in expires]
    if not times:
        return None
    end = times[0] if len(times) == 1 else None
    return 0 if end is None else min(max(0, end - date), MAX_SECONDS)
