"""Values shown to a developer: short whatever they are, and without what names call a secret.

Hiding goes by names, so it can only ever be a help: it makes a screenshot harmless in most cases.
"""

from __future__ import annotations

import re
import reprlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["HIDDEN", "is_secret", "redact", "shown"]

HIDDEN = "[redacted]"

#: How many characters of a value are shown.
LONGEST = 1000

# Anywhere in a name: "password_hash", "X-CSRF-Token", "sessionid".
_ANYWHERE = re.compile(
    "passw|passphrase|secret|token|apikey|authorization|credential|cookie|session|csrf|xsrf"
    "|signature",
    re.IGNORECASE,
)
# A word of a name: "api_key", "apiKey" and "auth", but no "keyboard" and no "author".
_WORD = re.compile(
    r"(?:^|[\W_]|(?<=[a-z])(?=[A-Z]))(?i:key|auth|pwd|jwt|pin|otp)(?![a-z]|(?<=[A-Z])[A-Z])"
)

# What gives a value to a name: ``a=1``, ``a: 1``, ``"a": 1``, ``('a', '1')``, ``<a>1</a>``.
_NAMED = re.compile(r"([A-Za-z_][\w.-]{0,80})['\"]?\s{0,9}[:=,>]\s{0,9}")
_VALUE = re.compile(
    r"""b?'(?:[^'\\]|\\.)*'? | b?"(?:[^"\\]|\\.)*"? | (?:Basic|Bearer)\s[^\s,;]*
    | [^\s,;&)\]}<]+""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# The user information of a URL (RFC 3986 §3.2.1).
_USERINFO = re.compile(r"(://[^/\s:@]{0,100}:)[^/\s@]{1,200}@")


def is_secret(name: object) -> bool:
    """Whether a value of this name is not for showing: ``password``, ``X-Api-Key``."""
    if isinstance(name, bytes):
        name = name.decode("latin-1")
    if not isinstance(name, str):
        return False
    name = name[:200]
    return bool(_ANYWHERE.search(name) or _WORD.search(name))


def redact(text: str) -> str:
    """``text`` without the values that it gives to secret names, as forms, JSON and reprs do."""
    text = _USERINFO.sub(rf"\1{HIDDEN}@", text)
    parts: list[str] = []
    end = 0
    for named in _NAMED.finditer(text):
        if named.start() < end or not is_secret(named[1]):
            continue
        value = _VALUE.match(text, named.end())
        if value:
            parts += text[end : value.start()], HIDDEN
            end = value.end()
    return "".join(parts) + text[end:]


class _Shown(reprlib.Repr):
    """A ``repr`` that is bounded in depth, count and length, hides secrets and never raises."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = 30
        self.maxdeque = self.maxarray = 30
        self.maxstring = self.maxother = 400
        self.maxlong = 80

    def repr1(self, x: Any, level: int) -> str:
        try:
            return super().repr1(x, level)
        except Exception as error:
            return f"<{type(x).__name__} whose repr raised {type(error).__name__}>"

    def repr_str(self, x: str, level: int) -> str:
        return redact(super().repr_str(x, level))

    def repr_bytes(self, x: bytes, level: int) -> str:
        cut = "" if len(x) <= self.maxstring else f"... {len(x)} bytes"
        return redact(repr(x[: self.maxstring])) + cut

    def repr_instance(self, x: Any, level: int) -> str:
        text = redact(repr(x)[: self.maxother + 1])
        return text if len(text) <= self.maxother else f"{text[: self.maxother]}..."

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        if level <= 0 and x:
            return "{...}"
        items = [
            f"{self.repr1(key, level - 1)}: "
            + (HIDDEN if is_secret(key) else self.repr1(value, level - 1))
            for key, value in list(x.items())[: self.maxdict]
        ]
        return "{" + ", ".join(items + ["..."] * (len(x) > self.maxdict)) + "}"

    def repr_tuple(self, x: tuple[Any, ...], level: int) -> str:
        if len(x) == 2 and is_secret(x[0]):  # a header field, a form's field
            return f"({x[0]!r}, {HIDDEN})"
        return super().repr_tuple(x, level)


_shown = _Shown()


def shown(value: object, name: object = "") -> str:
    """The ``repr`` of a value that a variable ``name`` has, for a person to read."""
    if is_secret(name):
        return HIDDEN
    text = _shown.repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
