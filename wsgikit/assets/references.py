"""The URLs in style sheets, and those of source maps, found and replaced.

CSS Syntax Level 3, sections 4.3.5 (strings), 4.3.6 (``url()``) and 4.3.7 (escapes); CSS Cascade,
section 2 (``@import``); ECMA-426, section 11.2.1 (``sourceMappingURL``).
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Replace: TypeAlias = Callable[[str], str | None]

__all__ = ["replace_in_css", "replace_in_script"]

_SPACE = r"[ \t\r\n\f]"
_COMMENT = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+"
_DOUBLE = r'"(?:[^"\\\n\r\f]|\\(?:\r\n|[\s\S]))*+'
_SINGLE = r"'(?:[^'\\\n\r\f]|\\(?:\r\n|[\s\S]))*+"
_STRING = rf"(?:{_DOUBLE}\"|{_SINGLE}')"
# What has no end is taken whole as well, and nothing is looked at again and again.
_TOKENS = re.compile(
    rf"""
      (?P<comment> {_COMMENT} (?:\*/)? )
    | (?P<import> @import (?:{_SPACE}|{_COMMENT}\*/)*+ ) (?P<imported> {_STRING} )
    | (?P<url> (?<![-\w\\]) url\( {_SPACE}*+ )
      (?: (?P<quoted> {_STRING} ) | (?P<bare> (?:[^\s"'()\\]|\\[^\n\r\f])++ ) )
      (?= {_SPACE}*+ \) )
    | {_DOUBLE} "? | {_SINGLE} '?
    | \\[\s\S]
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\r\n\f])?|(\r\n|[\s\S]))")
_MAP_IN_CSS = re.compile(r"/\*[#@][ \t]*+sourceMappingURL=([^\s'\"*]++)[ \t]*+\*/")
_MAP_IN_SCRIPT = re.compile(r"^//[#@][ \t]*+sourceMappingURL=([^\s'\"`]++)[ \t]*+$", re.MULTILINE)


def replace_in_css(text: str, replace: Replace) -> str:
    """A style sheet with other URLs in it: in ``url()``, ``@import``, and that of its source map.

    :param replace: called with each URL, its escapes undone; gives what stands there instead, or
        None to leave it as it is. Its result has no quotes, parentheses, spaces or backslashes.
    """

    def token(match: re.Match[str]) -> str:
        kind = match.lastgroup
        whole = match[0]
        if kind == "comment":
            return _replaced(whole, _MAP_IN_CSS.fullmatch(whole), replace)
        if kind not in ("imported", "quoted", "bare"):
            return whole
        written = match[kind]
        quote = "" if kind == "bare" else written[0]
        new = replace(_unescaped(written if kind == "bare" else written[1:-1]))
        if new is None:
            return whole
        return f"{match['import' if kind == 'imported' else 'url']}{quote}{new}{quote}"

    return _TOKENS.sub(token, text)


def replace_in_script(text: str, replace: Replace) -> str:
    """A script with another URL for its source map; ``replace`` is as for :func:`replace_in_css`.

    The last line that names one counts, as what is before may stand in a string.
    """
    *_, last = None, *_MAP_IN_SCRIPT.finditer(text)
    return _replaced(text, last, replace)


def _replaced(text: str, match: re.Match[str] | None, replace: Replace) -> str:
    new = None if match is None else replace(match[1])
    if match is None or new is None:
        return text
    return text[: match.start(1)] + new + text[match.end(1) :]


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    digits, other = match.groups()
    if digits is None:
        return "" if other in ("\n", "\r", "\f", "\r\n") else other  # a line that goes on
    code = int(digits, 16)
    return chr(code) if 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF else "\ufffd"
