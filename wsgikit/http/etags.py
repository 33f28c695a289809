"""Entity tags (RFC 9110 §8.8.3), and the lists of them that conditions have (§13.1)."""

from __future__ import annotations

from wsgikit.http.grammar import OWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: How many items of a list are read. A cache holds a few variants of one resource; a tag that is
#: not read does not match, which is always safe: the answer is the whole one, or a 412.
MAX_ETAGS = 100

# etagc = %x21 / %x23-7E / obs-text: printable ASCII without the space and the quote, 80 to FF
_ETAGC = frozenset(map(chr, (0x21, *range(0x23, 0x7F), *range(0x80, 0x100))))


class ETag:
    """An entity tag: the name of one version of a representation (RFC 9110 §8.8.3).

    :param value: what stands between the quotes: no spaces, quotes or controls. It may be empty.
    :param weak: whether versions that only mean the same share the tag, in other octets.
    :raises ValueError: when the value has characters that a tag cannot have.

    ``str(etag)`` is the tag as a header field has it. Tags are equal when value and weakness are;
    what HTTP means by equal are the two methods.
    """

    __slots__ = ("_value", "_weak")

    def __init__(self, value: str, weak: bool = False) -> None:
        if not _ETAGC.issuperset(value):
            raise ValueError(
                f"the value of an ETag takes visible characters without quotes, not {value!a:.60}"
            )
        self._value = value
        self._weak = weak

    @property
    def value(self) -> str:
        """What stands between the quotes."""
        return self._value

    @property
    def weak(self) -> bool:
        """Whether the tag is written with ``W/``."""
        return self._weak

    def matches_strongly(self, other: ETag) -> bool:
        """Whether both name the same octets: same value, none weak (RFC 9110 §8.8.3.2)."""
        return self._value == other._value and not self._weak and not other._weak

    def matches_weakly(self, other: ETag) -> bool:
        """Whether both name the same meaning: same value (RFC 9110 §8.8.3.2)."""
        return self._value == other._value

    def __str__(self) -> str:
        return f'W/"{self._value}"' if self._weak else f'"{self._value}"'

    def __repr__(self) -> str:
        return f"ETag({self._value!r}, weak=True)" if self._weak else f"ETag({self._value!r})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ETag):
            return self._value == other._value and self._weak == other._weak
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self._value, self._weak))


class ETags:
    """What ``If-Match`` and ``If-None-Match`` hold: some tags, or ``*`` for any (RFC 9110 §13.1.1).

    :param etags: the tags.
    :param any: whether it is ``*``, which every tag matches.
    """

    __slots__ = ("_etags", "any")

    def __init__(self, etags: Iterable[ETag] = (), any: bool = False) -> None:
        self._etags = tuple(etags)
        self.any = any

    def contains_strongly(self, etag: ETag) -> bool:
        """Whether one of the tags matches strongly, or any does."""
        return self.any or any(each.matches_strongly(etag) for each in self._etags)

    def contains_weakly(self, etag: ETag) -> bool:
        """Whether one of the tags matches weakly, or any does."""
        return self.any or any(each.matches_weakly(etag) for each in self._etags)

    def __iter__(self) -> Iterator[ETag]:
        return iter(self._etags)

    def __len__(self) -> int:
        return len(self._etags)

    def __str__(self) -> str:
        return "*" if self.any else ", ".join(map(str, self._etags))

    def __repr__(self) -> str:
        return "ETags(any=True)" if self.any else f"ETags({list(self._etags)!r})"


def parse_etag(text: str) -> ETag | None:
    """The entity tag that the text is, or None where it is none.

    ``W/`` is case-sensitive, and the quotes are part of the grammar: ``abc`` alone is no tag.
    """
    weak = text.startswith("W/")
    start = 2 if weak else 0
    if len(text) < start + 2 or text[start] != '"' or text[-1] != '"':
        return None
    value = text[start + 1 : -1]
    return ETag(value, weak) if _ETAGC.issuperset(value) else None


def parse_etags(text: str) -> ETags:
    """The entity tags of a list, or any where the text is ``*``.

    What is no entity tag is skipped, up to the next comma; a comma within quotes belongs to its
    tag. Items after the first :data:`MAX_ETAGS` are not read.
    """
    text = text.strip(OWS)
    if text == "*":
        return ETags(any=True)
    etags: list[ETag] = []
    start = 0
    for _ in range(MAX_ETAGS):
        comma = text.find(",", start)
        quote = text.find('"', start, comma) if comma >= 0 else -1
        if quote >= 0:  # that comma may be within a tag, which goes to the next quote
            close = text.find('"', quote + 1)
            comma = text.find(",", close) if close >= 0 else -1
        etag = parse_etag((text[start:comma] if comma >= 0 else text[start:]).strip(OWS))
        if etag is not None:
            etags.append(etag)
        if comma < 0:
            break
        start = comma + 1
    return ETags(etags)
