"""Trace context: which distributed trace a request is part of, as it is passed from hop to hop.

W3C Trace Context (Recommendation, and Level 2), sections 3.2 (traceparent) and 3.3 (tracestate).
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RANDOM", "SAMPLED", "format_traceparent", "format_tracestate"]
__all__ += ["parse_traceparent", "parse_tracestate"]

#: Flag: whoever passed the request on may have recorded it (section 3.2.2.5.1).
SAMPLED = 1
#: Flag: the last 7 bytes of the trace id are random (Level 2, section 3.2.2.5.2).
RANDOM = 2

# How many members a tracestate has (section 3.3.1.1), and how long one can be with all of them.
_MOST_MEMBERS = 32
_LONGEST = _MOST_MEMBERS * 515

# Section 3.2.2: HEXDIGLC. Later versions may have more fields behind these.
_TRACEPARENT = re.compile(
    "(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?",
    re.DOTALL,
)
# Section 3.3.1.3, as Level 2 has it: a key may begin with a digit, and "@" is a letter of it.
_KEY = re.compile("[a-z0-9][a-z0-9_*/@-]{0,255}")
_VALUE = re.compile(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")


def parse_traceparent(text: str) -> tuple[str, str, int] | None:
    """The trace id, the id of the parent span and the flags; None where there are none to go by.

    :param text: the value of the field ``traceparent``.
    :returns: the ids as 32 and 16 hexadecimal digits in lower case; of the flags those that are
        known: :data:`SAMPLED` and :data:`RANDOM`.

    >>> parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    ('0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', 1)
    """
    matched = _TRACEPARENT.fullmatch(text)
    if matched is None or (matched[1] == "00" and matched[5]):
        return None
    return matched[2], matched[3], int(matched[4], 16) & (SAMPLED | RANDOM)


def format_traceparent(trace_id: str, span_id: str, flags: int) -> str:
    """The value of a field ``traceparent``, of version 00."""
    return f"00-{trace_id}-{span_id}-{flags:02x}"


def parse_tracestate(text: str) -> dict[str, str]:
    """What the tracing systems along the way have to tell each other, the latest first.

    :param text: the value of the field ``tracestate``; of several, joined by commas.
    :returns: values by key. Of a key that comes twice the first counts. Nothing at all where a
        member is malformed or there are more than 32 (section 4.3).
    """
    members: dict[str, str] = {}
    if len(text) > _LONGEST:
        return members
    for item in text.split(","):
        member = item.strip(" \t")
        if not member:
            continue
        key, _, value = member.partition("=")
        if _KEY.fullmatch(key) is None or _VALUE.fullmatch(value) is None:
            return {}
        members.setdefault(key, value)
    return members if len(members) <= _MOST_MEMBERS else {}


def format_tracestate(members: Mapping[str, str]) -> str:
    """The value of a field ``tracestate``."""
    return ",".join([f"{key}={value}" for key, value in members.items()])
