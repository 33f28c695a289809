"""Structured field values: items with parameters, as newer header fields have them.

RFC 9651, sections 3.1.2 (parameters), 3.3 (items) and 4.1 (serialising); integers and strings of
them, which is what we send.
"""

from __future__ import annotations

from wsgikit.http.grammar import CONTROLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: The largest integer (RFC 9651, section 3.3.1): fifteen digits.
MAX_INTEGER = 999_999_999_999_999

_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz*")
_KEY = _FIRST | frozenset("0123456789_-.")


def format_item(value: str | int, params: Mapping[str, str | int] | None = None) -> str:
    """An item with its parameters: ``"default";q=100;w=60``.

    :param value: a ``str`` becomes a String, in quotes, an ``int`` an Integer.
    :param params: values of the same kinds by key, in order.
    :returns: text for a header field; a list is made of several by ``", ".join``.
    :raises ValueError: for text that is not printable ASCII, an integer of more than fifteen
        digits, or a key that is none.
    :raises TypeError: for another type.

    RFC 9651, section 4.1.3.
    """
    text = _bare(value)
    for key, param in (params or {}).items():
        if not key or key[0] not in _FIRST or not _KEY.issuperset(key):
            raise ValueError(f"a key takes lower case, digits and _-.*, not {key!a:.60}")
        text += f";{key}={_bare(param)}"
    return text


def _bare(value: object) -> str:
    """bare-item = sf-integer / sf-string"""
    if isinstance(value, str):
        if not value.isascii() or not CONTROLS.isdisjoint(value) or "\t" in value:
            raise ValueError(f"a string takes printable ASCII, not {value!a:.60}")
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"an item takes a str or an int, not {value!r}")
    if abs(value) > MAX_INTEGER:
        raise ValueError(f"an integer takes up to fifteen digits, not {value}")
    return str(value)
