"""What is said of a file by its name: type, caching, and whatever else the site wants said.

RFC 9110, section 8.3 (``Content-Type``); RFC 9111, section 5.2.2 (``Cache-Control``); RFC 8246
(``immutable``); RFC 6266 (``Content-Disposition``).
"""

from __future__ import annotations

import re
from fnmatch import translate

from wsgikit import http
from wsgikit.arguments import check_mapping, check_texts
from wsgikit.http.grammar import check_name, check_value
from wsgikit.http.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import TypeAlias

    from wsgikit.types import HeaderList

    Fields: TypeAlias = tuple[tuple[str, str], ...]

__all__ = ["IMMUTABLE", "REVALIDATE", "Rules", "has_hash"]

#: For content that never changes under its name: kept for a year, and not asked for on a reload.
IMMUTABLE = "public, max-age=31536000, immutable"

#: For all else: kept, and asked for each time whether it has changed. That is a 304 as a rule.
REVALIDATE = "no-cache"

# The hash in "app.3f2a1b9c.css", as build tools write it, and in "main.3f2a1b9c.chunk.js": neither
# the first nor the last part of a name.
_HASH = re.compile(r"\.([0-9a-f]{8,64})(?=\.)")

# What other options say, and what follows from the file itself.
_ELSEWHERE = {
    "content-type": "types",
    "cache-control": "cache",
    "content-disposition": "download",
}
_COMPUTED = frozenset(
    """accept-ranges age connection content-encoding content-length content-range date etag
    last-modified trailer transfer-encoding""".split()
)


class Rules:
    """The fields of files, by their paths below the root: ``css/app.css``.

    Patterns are those of :mod:`fnmatch`, for the whole path; ``*`` stands for slashes too.

    :param types: media types by the end of the name: ``{".foo": "text/x-foo"}``. The longest end
        counts, and all of them before what wsgikit knows.
    :param cache: values of Cache-Control by pattern, the first that matches; the empty string for
        no such field. Where none matches, names with a hash in them are :data:`IMMUTABLE`, and
        others :data:`REVALIDATE`.
    :param headers: more fields by pattern, of all patterns that match.
    :param download: patterns of what browsers should save and not show.
    :param vary: the fields of the request that the choice of an answer depends on.
    :raises ValueError: when a rule cannot be followed; it names the option.
    """

    __slots__ = ("_cache", "_download", "_headers", "_known", "_types", "_vary")

    def __init__(
        self,
        *,
        types: Mapping[str, str] | None = None,
        cache: Mapping[str, str] | None = None,
        headers: Mapping[str, Mapping[str, str]] | None = None,
        download: Collection[str] = (),
        vary: Sequence[str] = (),
    ) -> None:
        types, cache, headers = types or {}, cache or {}, headers or {}
        check_mapping("types", types, "ends of names to media types")
        check_mapping("cache", cache, "patterns to values of Cache-Control")
        check_mapping("headers", headers, "patterns to fields")
        download = check_texts("download", download, "patterns")
        self._types = [(end.lower(), _media(end, media)) for end, media in types.items()]
        self._types.sort(key=lambda rule: -len(rule[0]))
        self._cache = [
            (_matcher("cache", pattern), check_value(value, "Cache-Control"))
            for pattern, value in cache.items()
        ]
        self._headers = [
            (_matcher("headers", pattern), _checked(fields)) for pattern, fields in headers.items()
        ]
        self._download = [_matcher("download", pattern) for pattern in download]
        self._vary = vary
        # Files by the thousand say the same: it is put together, and kept, once.
        self._known: dict[tuple[object, ...], HeaderList] = {}

    def fields(
        self, names: Sequence[str], digest: str = "", vary: Sequence[str] = ()
    ) -> HeaderList:
        """The fields that are said of a file, whatever is in it. They are not to be changed.

        :param names: the names of its directories, and its own.
        :param digest: the SHA-256 of its content in hexadecimal, where it is known: a hash in the
            name of digits alone, which might be a date, is one if it is of the content.
        :param vary: more that the choice of this file depends on.
        """
        path, name = "/".join(names), names[-1]
        media = self._type(name)
        cache = self._caching(path, name, digest)
        saved_as = name if any(matches(path) for matches in self._download) else ""
        given = tuple([fields for matches, fields in self._headers if matches(path)])
        key = (media, cache, saved_as, given, *vary)
        known = self._known.get(key)
        if known is None:
            known = _fields(media, cache, saved_as, given, (*vary, *self._vary))
            self._known[key] = known
        return known

    def _type(self, name: str) -> str:
        lower = name.lower()
        for end, media in self._types:
            if lower.endswith(end):
                return media
        media, coding = http.media.guess_type(name)
        if coding is not None:  # sent to be saved as it is, not to be unpacked on the way
            return http.media.CODING_TYPES[coding]
        return http.media.content_type(media)

    def _caching(self, path: str, name: str, digest: str) -> str:
        for matches, value in self._cache:
            if matches(path):
                return value
        return IMMUTABLE if has_hash(name, digest) else REVALIDATE


def _fields(
    media: str, cache: str, saved_as: str, given: Iterable[Fields], vary: Sequence[str]
) -> HeaderList:
    headers = Headers([("Content-Type", media), ("X-Content-Type-Options", "nosniff")])
    if saved_as:
        value = http.params.content_disposition("attachment", saved_as)
        headers.add("Content-Disposition", value)
    if cache:
        headers.add("Cache-Control", cache)
    for fields in given:
        for name, value in fields:
            if name.lower() == "vary":
                headers.add(name, value)
            else:
                headers[name] = value
    headers.vary(*vary)
    return headers.raw


def has_hash(name: str, digest: str = "") -> bool:
    """Whether a name has the hash of a content in it: eight hexadecimal digits or more, in small
    letters, between dots, as in ``app.3f2a1b9c.css``.

    :param digest: the SHA-256 of the content in hexadecimal, where it is known. Decimal digits
        alone, as in ``report.20240131.pdf``, count if they are the beginning of that.
    """
    return any(
        not found.isdecimal() or (digest and digest.startswith(found))
        for found in _HASH.findall(name[name.find(".") :])
        if name[0] != "."
    )


def _media(end: str, media: str) -> str:
    if end[:1] != "." or http.media.parse_media_type(media) is None:
        takes = "types takes ends of names with their media types, as {'.foo': 'text/x-foo'}"
        raise ValueError(f"{takes}, not {{{end!r}: {media!r}}}")
    return check_value(http.media.content_type(media), "Content-Type")


def _matcher(option: str, pattern: str) -> Callable[[str], object]:
    if not pattern or pattern[0] == "/":
        raise ValueError(
            f"{option} takes patterns of paths below the root, as '*.html', not {pattern!r}"
        )
    return re.compile(translate(pattern)).match


def _checked(fields: Mapping[str, str]) -> Fields:
    check_mapping("headers", fields, "patterns to names of fields and their values")
    for name, value in fields.items():
        lower = check_name(name).lower()
        if lower in _ELSEWHERE:
            raise ValueError(
                f"headers does not take {name}: that is the option {_ELSEWHERE[lower]}"
            )
        if lower in _COMPUTED:
            raise ValueError(f"headers does not take {name}: that is worked out for each file")
        check_value(value, name)
    return tuple(fields.items())
