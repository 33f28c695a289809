"""What a client prefers: ``Accept``, ``Accept-Language``, ``Accept-Encoding``, ``Accept-Charset``.

RFC 9110, sections 12.4.2 (weights) and 12.5 (the fields); RFC 4647 (language ranges).
"""

from __future__ import annotations

from wsgikit.http.grammar import OWS, is_token, split_list
from wsgikit.http.params import parse_params

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: How many items of one field are read; the rest is ignored.
MAX_ITEMS = 100

# The least weight there is: for what is acceptable, but never before what the client named.
_LEAST = 0.001

# Names of old for codings, equal to those of today (RFC 9110, sections 8.4.1.1 and 8.4.1.3).
_ALIASES = {"x-gzip": "gzip", "x-compress": "compress"}

_USUAL_WEIGHTS = {"1": 1.0, "0": 0.0, **{f"0.{digit}": digit / 10 for digit in range(10)}}


class Accept:
    """The preferences in one field: what the client accepts, each with a weight from 0 to 1.

    Iterating gives (value, parameters, weight) with the value in lower case, the best first, those
    of one weight in the order of the field. ``offer in accept`` tells whether an offer is
    acceptable at all. An item that is malformed is skipped, and so is all beyond
    :data:`MAX_ITEMS`. Where the field is absent, or has no item that can be read, nothing was asked
    for, and everything is acceptable.

    In this class itself offers are tokens, and ``*`` stands for each one that is not named.

    :param text: the value of the field; None when the request has none.

    RFC 9110, section 12.4.
    """

    __slots__ = ("_items",)

    # (value in lower case, parameters, weight) in the order of the field
    _items: list[tuple[str, dict[str, str], float]]

    def __init__(self, text: str | None) -> None:
        items = []
        for item in split_list(text or "")[:MAX_ITEMS]:
            value, semicolon, rest = item.partition(";")
            params: dict[str, str] = {}
            weight: float | None = 1.0
            if semicolon:
                rest = rest.strip(OWS)
                if rest[:2] == "q=" and ";" not in rest:  # nearly always, and much faster
                    weight = _weight(rest[2:])
                else:
                    _, params = parse_params(item)
                    if "q" in params:
                        weight = _weight(params.pop("q"))
            name = self._read(value.rstrip(OWS).lower())
            if name is not None and weight is not None:
                items.append((name, params, weight))
        self._items = items

    def __iter__(self) -> Iterator[tuple[str, dict[str, str], float]]:
        return iter(sorted(self._items, key=lambda item: item[2], reverse=True))

    def __contains__(self, offer: str) -> bool:
        return self.quality(offer) > 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {list(self)!r}>"

    def quality(self, offer: str) -> float:
        """How much the client wants ``offer``: a weight from 0 (not acceptable) to 1.

        :param offer: what the server can send, in any case.
        :raises ValueError: when ``offer`` is nothing that this field is about.
        """
        return self._rank(offer.lower())[0]

    def best(self, offers: Iterable[str]) -> str | None:
        """The offer that the client wants most; of two that it wants alike, the earlier one.

        :param offers: what the server can send, its own favourite first.
        :returns: one of ``offers``, or None when none is acceptable.
        :raises ValueError: when one of ``offers`` is nothing that this field is about.
        """
        best, best_rank = None, (0.0, 1)
        for offer in offers:
            rank = self._rank(offer.lower())
            if rank[0] and rank > best_rank:
                best, best_rank = offer, rank
        return best

    def _read(self, value: str) -> str | None:
        """The value of an item as it is kept, or None when it is none."""
        return value if is_token(value) else None

    def _rank(self, offer: str) -> tuple[float, int]:
        """The weight of ``offer``; then 1, or 0 for a second choice among those of that weight."""
        weight = self._listed(_offered(offer))
        return (1.0 if not self._items else weight or 0.0), 1

    def _listed(self, offer: str) -> float | None:
        """The weight that ``offer`` has by its name, else by ``*``, else None."""
        weights = {value: weight for value, _, weight in reversed(self._items)}
        return weights.get(offer, weights.get("*"))


class CharsetAccept(Accept):
    """``Accept-Charset``: offers are character encodings. Deprecated, as all but UTF-8 are.

    RFC 9110, section 12.5.2.
    """

    __slots__ = ()


class EncodingAccept(Accept):
    """``Accept-Encoding``: offers are content codings such as ``gzip``, and ``identity`` for none.

    ``identity`` is acceptable unless ``identity;q=0`` or ``*;q=0`` forbids it, but what the client
    named comes first. Without the field each coding is acceptable, ``identity`` preferred; a field
    without an item that can be read accepts ``identity`` alone. ``x-gzip`` is ``gzip``.

    RFC 9110, sections 12.5.3 and 8.4.1.
    """

    __slots__ = ("_absent",)

    def __init__(self, text: str | None) -> None:
        super().__init__(text)
        self._absent = text is None

    def _read(self, value: str) -> str | None:
        return _ALIASES.get(value, value) if is_token(value) else None

    def _rank(self, offer: str) -> tuple[float, int]:
        offer = _ALIASES.get(offer, _offered(offer))
        if not self._items:
            return (1.0 if offer == "identity" else _LEAST if self._absent else 0.0), 1
        weight = self._listed(offer)
        if weight is None:
            return (_LEAST if offer == "identity" else 0.0), 1
        return weight, 1


class LanguageAccept(Accept):
    """``Accept-Language``: offers are language tags, ``de`` or ``de-CH``.

    A range finds each tag that it begins, ``de`` finds ``de-CH`` (basic filtering), and the longest
    such range decides. A range also finds the tags that it begins with, ``de-CH`` finds ``de``
    (lookup), as a second choice. ``*`` finds what no other range does.

    RFC 9110, section 12.5.4; RFC 4647, sections 2.1, 3.3.1 and 3.4.
    """

    __slots__ = ()

    def _read(self, value: str) -> str | None:
        return value if value == "*" or _is_language(value) else None

    def _rank(self, offer: str) -> tuple[float, int]:
        if not _is_language(offer):
            raise ValueError(f"an offer takes a language tag such as 'de-CH', not {offer!a}")
        if not self._items:
            return 1.0, 1
        found = lookup = 0.0
        length = 0
        begun = offer + "-"
        for value, _, weight in self._items:
            if begun.startswith(value + "-"):
                if len(value) > length:
                    found, length = weight, len(value)
            elif value.startswith(begun):
                lookup = max(lookup, weight)
        if length:
            return found, 1
        return (lookup or self._listed("*") or 0.0), 0


class MediaAccept(Accept):
    """``Accept``: offers are media types, ``text/html`` or ``text/html;level=1``.

    The most specific range that matches decides: ``text/html;level=1`` before ``text/html`` before
    ``text/*`` before ``*/*``. A range with parameters matches an offer that has them all, but for
    ``charset``, which is passed over where the offer names none: many clients send
    ``application/json;charset=utf-8``. A single ``*``, which Java's clients send, is ``*/*``.

    RFC 9110, section 12.5.1.
    """

    __slots__ = ()

    def _read(self, value: str) -> str | None:
        if value == "*":
            return "*/*"
        kind, _, subtype = value.partition("/")
        if not kind or not subtype or not is_token(kind + subtype) or kind == "*" != subtype:
            return None
        return value

    def _rank(self, offer: str) -> tuple[float, int]:
        essence, offered = parse_params(offer)
        kind = essence.partition("/")[0]
        if "*" in essence or self._read(essence) is None:
            raise ValueError(f"an offer takes a media type such as 'text/html', not {offer!a}")
        if not self._items:
            return 1.0, 1
        places = ("*/*", f"{kind}/*", essence)  # the more specific, the later
        found = 0.0
        specific = (-1, 0)
        for value, params, weight in self._items:
            if value in places:
                matched = _matched(params, offered) if params else 0
                if matched is not None and (places.index(value), matched) > specific:
                    found, specific = weight, (places.index(value), matched)
        return found, 1


def _weight(text: str) -> float | None:
    """The weight that ``text`` says, or None when it is malformed.

    qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) (RFC 9110, section 12.4.2); also
    read is ".2", which Java's URLConnection sends with each request.
    """
    weight = _USUAL_WEIGHTS.get(text)
    if weight is not None:
        return weight
    whole, _, digits = text.partition(".")
    if whole not in ("0", "1", "") or len(digits) > 3 or not text.isascii():
        return None
    if not digits.isdigit() if digits else not whole:
        return None
    return weight if (weight := float(text)) <= 1 else None


def _offered(offer: str) -> str:
    if not is_token(offer):
        raise ValueError(f"an offer takes a token such as 'gzip' or 'utf-8', not {offer!a}")
    return offer


def _is_language(text: str) -> bool:
    """language-range = 1*8ALPHA *( "-" 1*8alphanum ) (RFC 4647, section 2.1), but for ``*``."""
    parts = text.split("-")
    return (
        text.isascii()
        and parts[0].isalpha()
        and "" not in parts
        and "".join(parts).isalnum()
        and len(max(parts, key=len)) <= 8
    )


def _matched(params: dict[str, str], offered: dict[str, str]) -> int | None:
    """How many parameters of a range the offer has; None when it lacks one that matters."""
    matched = 0
    for name, value in params.items():
        if name in offered:
            if offered[name] != value.lower():
                return None
            matched += 1
        elif name != "charset":
            return None
    return matched
