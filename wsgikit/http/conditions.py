"""Conditional requests: whether the client's idea of the resource still holds (RFC 9110 §13)."""

from __future__ import annotations

import time

from wsgikit.http.dates import parse_date
from wsgikit.http.etags import parse_etag, parse_etags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal, Protocol

    from wsgikit.http.etags import ETag

    class Fields(Protocol):
        """Header fields by name, whatever the case: ``Headers``, or a dict with these names."""

        def get(self, name: str, /) -> str | None: ...


# The metadata of a representation, which the recipient of a 304 has already.
_OF_CONTENT = frozenset(
    """accept-ranges content-digest content-disposition content-encoding content-language
    content-length content-md5 content-range content-type digest repr-digest trailer
    x-content-type-options""".split()
)


def evaluate(
    method: str,
    headers: Fields,
    etag: ETag | None,
    modified: int | None,
    exists: bool = True,
) -> Literal[304, 412] | None:
    """What to answer instead of acting on the request, in the order of RFC 9110 §13.2.2.

    To be asked when the answer would be a success, and before anything is done (§13.2.1)::

        status = evaluate(request.method, request.headers, ETag(note.version), note.modified)
        if status == 412:
            raise HTTPError(412, "Somebody else has changed the note.")

    :param method: the request's method. CONNECT, OPTIONS and TRACE know no conditions.
    :param headers: the request's fields, of which ``If-Match``, ``If-Unmodified-Since``,
        ``If-None-Match`` and ``If-Modified-Since`` are read. A date that is none is ignored.
    :param etag: the current entity tag, or None when the resource has none.
    :param modified: when it was last modified, in whole seconds since 1970, or None.
    :param exists: whether there is a current representation; False before a PUT creates it.
    :returns: 304, 412, or None to go on.
    """
    if method in ("CONNECT", "OPTIONS", "TRACE"):
        return None
    reads = method in ("GET", "HEAD")

    text = headers.get("If-Match")
    if text is not None:  # §13.1.1
        etags = parse_etags(text)
        if not exists or not (etags.any or (etag is not None and etags.contains_strongly(etag))):
            return 412
    elif modified is not None:
        date = _date(headers.get("If-Unmodified-Since"))
        if date is not None and modified > date:  # §13.1.4
            return 412

    text = headers.get("If-None-Match")
    if text is not None:  # §13.1.2
        etags = parse_etags(text)
        if exists and (etags.any or (etag is not None and etags.contains_weakly(etag))):
            return 304 if reads else 412
    elif modified is not None and reads:
        date = _date(headers.get("If-Modified-Since"))
        if date is not None and modified <= date:  # §13.1.3
            return 304
    return None


def range_applies(
    if_range: str | None, etag: ETag | None, modified: int | None, now: float | None = None
) -> bool:
    """Whether a ``Range`` is to be honoured: an ``If-Range`` names the current version (§13.1.5).

    Without an ``If-Range`` it is. An entity tag has to match strongly. A date has to be the very
    second of the last modification, and that second has to be over: within it the content may
    change once more under the same date, which makes it a weak validator (§8.8.2.2).

    :param if_range: the field's value, or None without one.
    :param etag: the current entity tag, or None.
    :param modified: when the content was last modified, in whole seconds since 1970, or None.
    :param now: the present, in seconds since 1970; None asks the clock.
    """
    if if_range is None:
        return True
    if '"' in if_range[:3]:
        given = parse_etag(if_range)
        return given is not None and etag is not None and given.matches_strongly(etag)
    if now is None:
        now = time.time()
    return modified is not None and parse_date(if_range, now) == modified and now >= modified + 1


def not_modified(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields of a 304, from those of the 200 that it stands for (RFC 9110 §15.4.5).

    Left out are those that describe the content, and Last-Modified where there is an ETag: the
    recipient has them. What else there is (caching, CORS, cookies and the like) concerns the
    response itself, and stays.
    """
    kept = [field for field in fields if field[0].lower() not in _OF_CONTENT]
    if any(name.lower() == "etag" for name, _ in kept):
        return [field for field in kept if field[0].lower() != "last-modified"]
    return kept


def _date(text: str | None) -> int | None:
    return None if text is None else parse_date(text)
