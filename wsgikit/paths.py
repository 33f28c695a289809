"""Path templates, compiled: ``/users/{id:int}/posts/{slug}``.

A template is a list of segments (RFC 3986 §3.3), each literal text or one parameter; the first is
what stands before the first slash: nothing. It is written decoded, as a person reads it: ``/café``,
not ``/caf%C3%A9``. Nothing here knows of requests.
"""

from __future__ import annotations

from wsgikit.environ import native
from wsgikit.http.query import percent_decode, percent_encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    class Converter(Protocol):
        """How a parameter is read from a segment and written into one."""

        @property
        def name(self) -> str: ...
        def parse(self, text: str, /) -> object: ...
        def format(self, value: object, /) -> str: ...


__all__ = ["BASIC", "NO_VALUE", "Integer", "Parameter", "Rest", "Template", "Text"]

#: Segments that no parameter takes: clients resolve the dots away (RFC 3986 §5.2.4), so what comes
#: with them was meant to lead somewhere else.
NO_VALUE = frozenset(("", ".", ".."))

# What may stand in a segment as it is, beside the unreserved characters.
_SAFE = ":@!$&'()*+,;="


class Text:
    """``str``: one segment, whatever it says."""

    name = "str"

    @staticmethod
    def parse(text: str) -> str:
        """The segment itself; :class:`ValueError` for what is none or no value."""
        if "/" in text or text in NO_VALUE:
            raise ValueError("is not one segment of a path")
        return text

    @staticmethod
    def format(value: object) -> str:
        """The ``str`` itself."""
        return _a_str(value)


class Integer:
    """``int``: decimal digits, with a minus for negative numbers."""

    name = "int"

    @staticmethod
    def parse(text: str) -> int:
        """The number; :class:`ValueError` for other text and for more digits than int() takes."""
        if text.isascii() and text.removeprefix("-").isdecimal():
            return int(text)
        raise ValueError("is not a whole number")

    @staticmethod
    def format(value: object) -> str:
        """The digits of an ``int``."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError("is not an int")
        return str(int(value))


class Rest:
    """``path``: all segments that are left, at least one, as one text. Ends a template."""

    name = "path"

    @staticmethod
    def parse(text: str) -> str:
        """The text; :class:`ValueError` where it begins empty or has dots that lead elsewhere."""
        first, *others = text.split("/")
        if first in NO_VALUE or "." in others or ".." in others:
            raise ValueError("is not the rest of a path")
        return text

    @staticmethod
    def format(value: object) -> str:
        """The ``str`` itself."""
        return _a_str(value)


def _a_str(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a str")
    return value


#: The converters that need no further module; the others are in :mod:`wsgikit.converters`.
BASIC: dict[str, Converter] = {kind.name: kind for kind in (Text, Integer, Rest)}


class Parameter:
    """A segment of a template that is filled by a value."""

    __slots__ = ("converter", "name")

    def __init__(self, name: str, converter: Converter) -> None:
        self.name = name
        self.converter = converter


class Template:
    """A compiled path template.

    :param text: the template; it begins with ``/``. A parameter is ``{name}`` or
        ``{name:converter}`` and fills a whole segment.
    :param find: gives the converter of a name, or None.
    :raises ValueError: for a template that could not match as it reads, naming what is wrong.
    """

    __slots__ = ("names", "parameters", "segments", "text")

    def __init__(self, text: str, find: Callable[[str], Converter | None]) -> None:
        if text[:1] != "/":
            raise ValueError(f"template {text!r}: a path begins with '/'")
        self.text = text
        self.segments = [_segment(text, part, find) for part in text.split("/")]
        #: The converters of the parameters by their names.
        self.parameters: dict[str, Converter] = {}
        _, *inner, _ = self.segments
        for segment in self.segments:
            if not isinstance(segment, Parameter):
                continue
            if segment.name in self.parameters:
                raise ValueError(f"template {text!r} has two parameters {segment.name!r}")
            self.parameters[segment.name] = segment.converter
            if segment.converter is Rest and segment in inner:
                raise ValueError(f"template {text!r}: a path parameter stands at the end")
        if "" in inner:
            raise ValueError(f"template {text!r} has an empty segment")
        self.names = tuple(self.parameters)

    def url(self, values: Mapping[str, object]) -> str:
        """The percent-encoded path with these parameters filled in; matching it gives them back.

        Raises :class:`ValueError` for a parameter that is missing, unknown or not of its kind.
        """
        for name in values:
            if name not in self.parameters:
                raise ValueError(f"{self.text} has no parameter {name!r}")
        parts = []
        for segment in self.segments:
            if not isinstance(segment, Parameter):
                parts.append(percent_encode(segment, _SAFE))
            elif segment.name not in values:
                raise ValueError(f"{self.text} needs the parameter {segment.name!r}")
            else:
                parts.append(self._filled(segment, values[segment.name]))
        return "/".join(parts)

    def _filled(self, parameter: Parameter, value: object) -> str:
        converter = parameter.converter
        try:
            text = converter.format(value)
            # What would not come back is refused: so is a lone surrogate, which has no bytes.
            text.encode()
            if converter is not Rest:
                Text.parse(text)
            converter.parse(text)
        except ValueError as error:
            raise ValueError(f"{self.text}: {parameter.name}={value!r:.80} {error}") from error
        return percent_encode(text, _SAFE + "/")


def _segment(template: str, part: str, find: Callable[[str], Converter | None]) -> str | Parameter:
    if "{" not in part and "}" not in part:
        _check_literal(template, part)
        return part
    name, colon, kind = part[1:-1].partition(":")
    if part[0] != "{" or part[-1] != "}" or not name.isidentifier():
        raise ValueError(
            f"template {template!r}: a parameter is a whole segment, {{name}} or"
            f" {{name:converter}}, not {part!r}"
        )
    converter = find(kind) if colon else Text
    if converter is None:
        raise ValueError(f"template {template!r}: there is no converter {kind!r}")
    return Parameter(name, converter)


def _check_literal(template: str, part: str) -> None:
    if part in (".", "..") or "?" in part or "#" in part:
        raise ValueError(f"template {template!r}: no path has the segment {part!r}")
    decoded = percent_decode(native(part))
    if decoded != part:
        raise ValueError(f"template {template!r}: {part!r} is written decoded, {decoded!r}")
