"""Converters of path parameters: ``float``, ``uuid``, ``date`` and your own.

Each text stands for one value and each value is written in one way, so that a path can be made of
values and taken apart again: a ``float`` has a point (``5.0``, never ``5`` or ``1e3``), a ``uuid``
is written in lower case (RFC 9562 §4), a ``date`` as ``2025-01-31`` (RFC 3339 §5.6).
"""

from __future__ import annotations

import re
from datetime import date
from math import isinf
from uuid import UUID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BUILT_IN", "Converter"]


class Converter:
    """A kind of path parameter: ``Router(converters=[Converter("hex", "[0-9a-f]+", ...)])``.

    :param name: what stands behind the colon in a template.
    :param pattern: a regular expression that the whole segment must match, decoded. A segment has
        no slash and is neither empty nor ``.`` or ``..``. That the pattern takes no more than
        linear time is its author's care.
    :param parse: makes the value of the text. :class:`ValueError` means that the route does not
        match; any other exception passes on, as one of a view does. It is called for every request
        that gets so far, and by ``url()``.
    :param format: makes the text of a value again, for ``url()``, which checks that the text
        matches; :class:`ValueError` means that the value is not of this kind.
    :raises ValueError: for a name that is no identifier, or a pattern that is none.
    :raises TypeError: for an option of another type.
    """

    def __init__(
        self,
        name: str,
        pattern: str,
        parse: Callable[[str], object] = str,
        format: Callable[[object], str] = str,
    ) -> None:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"name of a converter is an identifier, not {name!r}")
        if not isinstance(pattern, str):
            raise TypeError(f"pattern of the converter {name!r} is a str, not {pattern!r}")
        for option, value in (("parse", parse), ("format", format)):
            if not callable(value):
                raise TypeError(f"{option} of the converter {name!r} is a function, not {value!r}")
        try:
            self._matches = re.compile(pattern).fullmatch
        except re.error as error:
            raise ValueError(f"pattern of the converter {name!r}: {error}") from None
        self.name = name
        self._parse = parse
        self._format = format

    def parse(self, text: str) -> object:
        """The value of a segment; :class:`ValueError` where it is none."""
        if self._matches(text) is None:
            raise ValueError(f"is not of the kind {self.name!r}")
        return self._parse(text)

    def format(self, value: object) -> str:
        """The segment for ``value``; :class:`ValueError` where it is not of this kind."""
        return self._format(value)

    def __repr__(self) -> str:
        return f"<Converter {self.name}>"


def _parse_float(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError("is more than a float can hold")
    return number


def _format_float(value: object) -> str:
    if not isinstance(value, float | int) or isinstance(value, bool):
        raise ValueError("is not a number")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("is more than a float can hold") from None
    text, _, exponent = repr(number).partition("e")
    if exponent:
        digits, places = text.removeprefix("-").replace(".", ""), int(exponent)
        text = f"0.{'0' * (-places - 1)}{digits}" if places < 0 else f"{digits:0<{places + 1}}.0"
        text = f"-{text}" if number < 0 else text
    return text


#: The built-in converters beside ``str``, ``int`` and ``path``. No two of them, nor one of them and
#: ``int``, match the same text.
BUILT_IN = {
    converter.name: converter
    for converter in (
        Converter("float", r"-?[0-9]+\.[0-9]+", _parse_float, _format_float),
        Converter("uuid", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", UUID),
        Converter("date", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", date.fromisoformat),
    )
}
