"""Query strings and urlencoded forms (WHATWG URL §5, RFC 3986 §2.1).

What comes in is text as PEP 3333 has it: one character an octet. Names and values are UTF-8
(WHATWG URL §5.1), whether their octets were escaped or sent raw; octets that are no UTF-8 read as
U+FFFD, and a ``%`` without two hex digits stands for itself. Nothing here fails on odd text.
"""

from __future__ import annotations

from wsgikit.http.problem import HTTPError, MissingField

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import overload

#: The characters that RFC 3986 §3.3 allows in a path, beside the unreserved ones.
PATH_SAFE = "/:@!$&'()*+,;="
#: What a query may hold as well (§3.4); the percent sign of its escapes, and the brackets that
#: every browser leaves as they are.
QUERY_SAFE = PATH_SAFE + "?%[]"

_UPPER = "0123456789ABCDEF"
_DIGITS = [(digit, int(digit, 16)) for digit in _UPPER + "abcdef"]
# Both cases of every pair: one look-up an escape, as fast as it gets without `re` or C.
_OCTETS = {
    high + low: chr(16 * sixteens + ones) for high, sixteens in _DIGITS for low, ones in _DIGITS
}
_ESCAPES = ["%" + high + low for high in _UPPER for low in _UPPER]

_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
# RFC 3986 §2.3
_UNRESERVED = frozenset(_ALPHANUMERIC + "-._~")
# WHATWG URL §1.3, application/x-www-form-urlencoded percent-encode set; a space becomes a plus.
_FORM = frozenset(_ALPHANUMERIC + "*-._ ")

# Text longer than this is decoded piece by piece: the list that `split` makes of a body full of
# `%` weighs many times the body.
_PIECE = 1 << 16


class MultiDict:
    """Names and values in the order they came, where a name may come more than once.

    Reads like a ``Mapping[str, str]`` of the first values: ``fields["q"]``, ``"q" in fields``,
    ``len(fields)`` (of distinct names), ``dict(fields)``. It cannot be changed.

    :param pairs: (name, value) pairs, or a mapping.
    """

    __slots__ = ("_first", "_pairs")

    def __init__(
        self, pairs: MultiDict | Mapping[str, str] | Iterable[tuple[str, str]] = ()
    ) -> None:
        self._pairs = pairs = _listed(pairs)
        self._first = first = dict(pairs)
        if len(first) != len(pairs):
            for name, value in reversed(pairs):
                first[name] = value

    def __getitem__(self, name: str) -> str:
        """The first value of the name.

        :raises MissingField: when there is none: a :class:`KeyError` that is answered by a 400.
        """
        try:
            return self._first[name]
        except KeyError:
            raise MissingField(400, f"The field {name!r:.100} is missing.") from None

    if TYPE_CHECKING:

        @overload
        def get(self, name: str) -> str | None: ...
        @overload
        def get(self, name: str, default: str) -> str: ...
        @overload
        def get(self, name: str, default: None) -> str | None: ...

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of the name, or ``default``."""
        return self._first.get(name, default)

    def get_all(self, name: str) -> list[str]:
        """Every value of the name, in order; an empty list when there is none."""
        return [value for each, value in self._pairs if each == name]

    def items(self) -> list[tuple[str, str]]:
        """Every (name, value) pair, in order: a name that came twice is here twice."""
        return list(self._pairs)

    def keys(self) -> list[str]:
        """Every name once, in order of first appearance."""
        return list(self._first)

    def to_dict(self) -> dict[str, list[str]]:
        """Every name with all its values, as ``urllib.parse.parse_qs`` gives them.

        The first values alone are ``dict(fields)``.
        """
        lists: dict[str, list[str]] = {name: [] for name in self._first}
        for name, value in self._pairs:
            lists[name].append(value)
        return lists

    def __contains__(self, name: object) -> bool:
        return name in self._first

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, MultiDict):
            return self._pairs == other._pairs
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._pairs))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pairs!r})"


def parse_query(text: str, max_fields: int = 1000) -> MultiDict:
    """The fields of a query string, without its ``?``.

    Fields are separated by ``&`` alone. One without ``=`` has an empty value, empty ones count
    for nothing (WHATWG URL §5.1).

    :param max_fields: how many fields a query may have, empty ones included.
    :raises HTTPError: 400 when it has more.
    """
    return MultiDict(_parse(text, max_fields, 400, "query string")) if text else _NOTHING


def parse_form(data: bytes | str, max_fields: int = 1000) -> MultiDict:
    """The fields of an ``application/x-www-form-urlencoded`` body: as :func:`parse_query`.

    :param data: the body, in octets or in text with one character an octet.
    :param max_fields: how many fields a form may have, empty ones included.
    :raises HTTPError: 413 when it has more.
    """
    return MultiDict(form_pairs(data, max_fields))


def form_pairs(data: bytes | str, max_fields: int = 1000) -> list[tuple[str, str]]:
    """What :func:`parse_form` gives, as (name, value) pairs."""
    text = data if isinstance(data, str) else str(data, "latin-1")
    return _parse(text, max_fields, 413, "form") if text else []


def percent_decode(text: str, plus: bool = False) -> str:
    """The text with its escapes replaced by what they stand for (WHATWG URL §1.3).

    :param plus: whether ``+`` stands for a space, as in queries and forms.
    """
    if plus:
        text = text.replace("+", " ")
    if not text.isascii():
        text = _octets(text)
    return _decode(text)


def percent_encode(text: str, safe: str = "") -> str:
    """The text as UTF-8 with all but the unreserved characters escaped (RFC 3986 §2.1, §2.3).

    :param safe: ASCII characters that are not escaped either: ``"/"`` for a path.
    :raises ValueError: when ``safe`` is not ASCII.
    """
    if not safe.isascii():
        raise ValueError(f"safe takes ASCII characters, not {safe!r}")
    return _encode(text, _UNRESERVED.union(safe) if safe else _UNRESERVED)


def percent_encode_octets(text: str, safe: str = "") -> str:
    """:func:`percent_encode` for text that has one character an octet, as an environ has it.

    Nothing is decoded on the way: octets that are no UTF-8 are kept.
    """
    return _encode_octets(_octets(text), _UNRESERVED.union(safe))


def decode_utf8(text: str) -> str:
    """Text that has one character an octet (PEP 3333), read as UTF-8; U+FFFD for what is none."""
    return text if text.isascii() else _decode_octets(_octets(text))


def encode_query(pairs: MultiDict | Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """A query string or urlencoded form of these fields (WHATWG URL §5.2).

    :param pairs: (name, value) pairs or a mapping, in the order they shall have.
    """
    return "&".join(
        [f"{_encode(name, _FORM)}={_encode(value, _FORM)}" for name, value in _listed(pairs)]
    ).replace(" ", "+")


def _parse(text: str, max_fields: int, status: int, what: str) -> list[tuple[str, str]]:
    # Counted before anything is split: empty fields count here, so that they cost nothing.
    if text.count("&") >= max_fields:
        raise HTTPError(status, f"the {what} has more than max_fields={max_fields} fields")
    if "+" in text:
        text = text.replace("+", " ")
    if not text.isascii():
        text = _octets(text)
    # Decoding all at once is up to twice as fast as name by name, and gives the same where no
    # escape hides a separator.
    hidden = "%" in text and ("%26" in text or "%3D" in text or "%3d" in text)
    if not hidden:
        text = _decode(text)
    pairs = [
        (name, value)
        for field in text.split("&")
        if field
        for name, _, value in [field.partition("=")]
    ]
    if hidden:
        pairs = [(_decode(name), _decode(value)) for name, value in pairs]
    return pairs


def _decode(text: str) -> str:
    """Escapes replaced and UTF-8 decoded, in text with one character an octet."""
    if "%" in text:
        text = _unescape(text) if len(text) <= _PIECE else _unescape_long(text)
    return text if text.isascii() else _decode_octets(text)


def _unescape(text: str) -> str:
    head, *rest = text.split("%")
    try:
        # Text that is all escapes (any script but Latin) is found whole.
        return head + "".join(
            [_OCTETS[part] if part in _OCTETS else _OCTETS[part[:2]] + part[2:] for part in rest]
        )
    except KeyError:
        return head + "".join(
            [_OCTETS[part[:2]] + part[2:] if part[:2] in _OCTETS else "%" + part for part in rest]
        )


def _unescape_long(text: str) -> str:
    pieces = []
    start = 0
    while start < len(text):
        stop = start + _PIECE
        cut = text.rfind("%", stop - 2, stop)  # an escape is not cut in two
        stop = stop if cut < 0 else cut
        pieces.append(_unescape(text[start:stop]))
        start = stop
    return "".join(pieces)


def _decode_octets(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")


def _octets(text: str) -> str:
    """Text with one character an octet: unchanged where it is that, else its UTF-8."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return _utf8(text).decode("latin-1")
    return text


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Lone surrogates become U+FFFD, as in every Web API (Web IDL, USVString).
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _encode(text: str, keep: frozenset[str]) -> str:
    return text if keep.issuperset(text) else _encode_octets(_utf8(text).decode("latin-1"), keep)


def _encode_octets(text: str, keep: frozenset[str]) -> str:
    return "".join([char if char in keep else _ESCAPES[ord(char)] for char in text])


def _listed(
    pairs: MultiDict | Mapping[str, str] | Iterable[tuple[str, str]],
) -> list[tuple[str, str]]:
    return list(pairs.items() if hasattr(pairs, "items") else pairs)


_NOTHING = MultiDict()
