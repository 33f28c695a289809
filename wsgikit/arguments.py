"""What an option was given, checked where it was given: each error names the option.

For what has a type of its own (a store, a host, a directive) the module that knows it has a check.
"""

from __future__ import annotations

import os

from wsgikit.http.grammar import is_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterable
    from typing import Any, TypeVar

    Item = TypeVar("Item")

__all__ = [
    "check_clock",
    "check_function",
    "check_list",
    "check_mapping",
    "check_path",
    "check_seconds",
    "check_size",
    "check_texts",
    "check_token",
]

# 68 years: what is longer is a mistake.
_LONGEST = 2**31


def check_list(option: str, given: Iterable[Item], what: str) -> tuple[Item, ...]:
    """What a list has in it, whatever becomes of the list later.

    :param what: what it is a list of, for the error: ``"hosts"``.
    :raises TypeError: for what is no list, and for one ``str``, which is one of single letters.
    """
    if not isinstance(given, str | bytes):
        try:
            return tuple(given)
        except TypeError:
            pass
    raise TypeError(f"{option} takes a list of {what}, not {given!r}")


def check_texts(option: str, given: Iterable[str], what: str) -> tuple[str, ...]:
    """As :func:`check_list`, of a list of ``str``."""
    texts = check_list(option, given, what)
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"{option} takes a list of {what}, each a str, not {text!r}")
    return texts


def check_mapping(option: str, given: object, what: str) -> ItemsView[Any, Any]:
    """What a mapping has in it, as keys and values.

    :param what: what it maps, for the error: ``"names to URLs"``.
    :raises TypeError: for what has no ``items``.
    """
    if not hasattr(given, "items"):
        raise TypeError(f"{option} maps {what}, not {given!r}")
    return given.items()  # type: ignore[no-any-return]


def check_function(option: str, given: object, what: str) -> None:
    """Refuse what cannot be called.

    :param what: what it is to be, for the error: ``"a function of an environ"``.
    :raises TypeError: for what cannot be called.
    """
    if not callable(given):
        raise TypeError(f"{option} takes {what}, not {given!r}")


def check_clock(given: object) -> None:
    """Refuse what cannot tell the time, for the option ``clock``.

    :raises TypeError: for what cannot be called.
    """
    check_function("clock", given, "a function such as time.time")


def check_token(option: str, given: object, what: str) -> None:
    """Refuse what is no token (RFC 9110, section 5.6.2).

    :param what: what it is to be, for the error: ``"the name of a field"``.
    :raises ValueError: for what is none.
    """
    if not isinstance(given, str) or not is_token(given):
        raise ValueError(f"{option} takes {what}, not {given!r}")


def check_path(option: str, given: str | os.PathLike[str], what: str) -> str:
    """The path of a file or a directory.

    :param what: what it is to be, for the error: ``"the path of a file"``.
    :raises TypeError: for what is neither ``str``, ``bytes`` nor :class:`os.PathLike`.
    :raises ValueError: for the empty one.
    """
    try:
        path = os.fsdecode(given)
    except TypeError:
        raise TypeError(f"{option} takes {what}, not {given!r}") from None
    if not path:
        raise ValueError(f"{option} takes {what}, not {given!r}")
    return path


def check_seconds(option: str, given: object) -> None:
    """Refuse what is no time to wait.

    :raises TypeError: for what is no number.
    :raises ValueError: for one below 0, or above 68 years.
    """
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise TypeError(f"{option} takes a number of seconds, not {given!r}")
    if not 0 <= given <= _LONGEST:
        raise ValueError(f"{option} takes seconds from 0 on, not {given!r}")


def check_size(option: str, given: object, least: int) -> None:
    """Refuse what is no number of bytes from ``least`` on.

    :raises TypeError: for what is no ``int``.
    :raises ValueError: for one that is too low.
    """
    if not isinstance(given, int) or isinstance(given, bool):
        raise TypeError(f"{option} takes a number of bytes, not {given!r}")
    if given < least:
        raise ValueError(f"{option} takes at least {least} bytes, not {given}")
