"""What was found once, for those who ask again and again: a header value, a name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Key = TypeVar("Key")
    Value = TypeVar("Value")

__all__ = ["Remembered"]


class Remembered(dict["Key", "Value"]):
    """A mapping that asks ``find(key)`` for what it does not know, and keeps ``room`` answers.

    It forgets all of them when it is full. To look one up takes a third of what a call of a
    function with :func:`functools.lru_cache` does; but to ask with ``get`` finds nothing new.
    """

    __slots__ = ("_find", "_room")

    def __init__(self, find: Callable[[Key], Value], room: int) -> None:
        self._find = find
        self._room = room

    def __missing__(self, key: Key) -> Value:
        value = self._find(key)
        if len(self) >= self._room:
            self.clear()
        self[key] = value
        return value
