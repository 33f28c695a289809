"""Byte ranges: ``Range`` and ``Content-Range`` (RFC 9110 §14)."""

from __future__ import annotations

from wsgikit.http.grammar import OWS

#: How many ranges a request may ask for. Readers of PDF and of video need a few; many small ones
#: are a known attack (RFC 9110 §17.15), and a server may ignore any Range (§14.2).
MAX_RANGES = 50

# RFC 9110 §14.1.2 wants numbers of any length read without overflow: those with more digits than
# any size has are all the same.
_DIGITS = 19
_HUGE = 10**_DIGITS


def parse_range(text: str, size: int, gap: int = 0) -> list[tuple[int, int]] | None:
    """The parts of a representation that a ``Range`` asks for.

    :param text: the field's value: ``bytes=0-99``, ``bytes=100-``, ``bytes=-100`` or several.
    :param size: the length of the representation in bytes.
    :param gap: ranges with at most so many bytes between them become one: to send these bytes costs
        less than to begin another part (§15.3.7.2).
    :returns: the satisfiable ranges as (start, stop) pairs, ``data[start:stop]``, for a 206. Where
        ranges overlap or touch, all are merged and in ascending order; else they are in the order
        asked for. An empty list when no range can be satisfied, for a 416. None when the field is
        to be ignored (§14.2), for a 200: another unit, malformed, more than :data:`MAX_RANGES`, or
        the last bytes of nothing, which no ``Content-Range`` can express.
    """
    unit, _, text = text.partition("=")
    if unit.lower() != "bytes" or not text.isascii() or text.count(",") >= MAX_RANGES:
        return None
    specs = [spec for part in text.split(",") if (spec := part.strip(OWS))]
    ranges: list[tuple[int, int]] = []
    end_of_nothing = False
    for spec in specs:
        first, dash, last = spec.partition("-")
        if not dash or not (first + last).isdigit():
            return None
        if not first:  # suffix-range: so many bytes from the end
            length = _number(last)
            if length and size:
                ranges.append((max(size - length, 0), size))
            elif length:
                end_of_nothing = True
            continue
        start = _number(first)
        stop = _number(last) + 1 if last else size
        if last and stop <= start:
            return None
        if start < size:
            ranges.append((start, min(stop, size)))
    if not specs or end_of_nothing:
        return None
    return _merged(ranges, gap)


def content_range(start: int, stop: int, size: int) -> str:
    """The ``Content-Range`` of ``data[start:stop]`` (§14.4): ``bytes 0-99/1000``.

    :raises ValueError: when there are no such bytes in ``size``.
    """
    if not 0 <= start < stop <= size:
        raise ValueError(f"a range is 0 <= start < stop <= size, not {start}, {stop}, {size}")
    return f"bytes {start}-{stop - 1}/{size}"


def unsatisfied_range(size: int) -> str:
    """The ``Content-Range`` of a 416 (§14.4): ``bytes */1000``."""
    return f"bytes */{size}"


def _number(digits: str) -> int:
    if len(digits) > _DIGITS:
        digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _DIGITS else _HUGE


def _merged(ranges: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1] + gap:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged if len(merged) < len(ranges) else ranges
