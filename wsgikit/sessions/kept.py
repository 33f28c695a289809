"""What is kept of a session, and for how long: the same in a cookie and in a store."""

from __future__ import annotations

from json import JSONDecoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Kept", "Life", "decoded"]

_decode = JSONDecoder().decode


class Kept:
    """A session that was found."""

    __slots__ = ("created", "key", "outdated", "raw", "seen", "text", "value")

    def __init__(
        self,
        text: str,
        created: int,
        seen: int,
        value: str = "",
        raw: bytes = b"",
        key: str = "",
        outdated: bool = False,
    ) -> None:
        #: Its content, as JSON.
        self.text = text
        #: When it began, and when it was last written, in seconds since 1970.
        self.created = created
        self.seen = seen
        #: The cookie's value.
        self.value = value
        #: The store's key and value, where there is a store.
        self.key = key
        self.raw = raw
        #: Whether a key of old has signed it.
        self.outdated = outdated


class Life:
    """How long sessions live.

    :param idle: seconds without a request that uses it.
    :param absolute: seconds from its beginning, however much it is used.
    """

    __slots__ = ("absolute", "idle")

    def __init__(self, idle: float, absolute: float) -> None:
        for option, seconds in ("idle", idle), ("absolute", absolute):
            if not isinstance(seconds, int | float) or isinstance(seconds, bool):
                raise TypeError(f"{option} takes a number of seconds, not {seconds!r}")
            if not 1 <= seconds <= 2**31:
                raise ValueError(f"{option} takes seconds from 1 to 2**31, not {seconds!r}")
        self.idle = idle
        self.absolute = absolute

    def left(self, created: float, now: float) -> float:
        """The seconds that a session has which is written now; 0 or less: it is over."""
        return min(self.idle, created + self.absolute - now)

    def is_over(self, created: float, seen: float, now: float) -> bool:
        """Whether a session has come to its end."""
        return now - seen >= self.idle or now - created >= self.absolute

    def is_due(self, seen: float, now: float) -> bool:
        """Whether its use should be noted: at most ten times in the ``idle`` seconds."""
        return now - seen >= self.idle / 10


def decoded(text: str) -> dict[str, Any] | None:
    """The content of a session; None for what is none."""
    try:
        data = _decode(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
