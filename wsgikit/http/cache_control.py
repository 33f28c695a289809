"""What ``Cache-Control`` says: directives read, written and put together.

RFC 9111, section 5.2; RFC 5861 (``stale-while-revalidate``, ``stale-if-error``); RFC 8246
(``immutable``).
"""

from __future__ import annotations

from wsgikit.http.grammar import is_token, split_list, unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: How many directives of one field are read; there are about fifteen.
MAX_DIRECTIVES = 50

# Whose argument is a number of seconds.
_SECONDS = {"max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"}

# What would contradict, or loosen, what is there already: a directive, and those that keep it out.
_NOT_STORED = frozenset({"no-store"})
_NOT_USED = _NOT_STORED | {"no-cache"}
_STALE = frozenset({"stale-while-revalidate", "stale-if-error"})
_USED = _STALE | {"max-age", "s-maxage", "immutable"}
_CHECKED = frozenset({"must-revalidate", "proxy-revalidate"})
_KEPT_OUT_BY = {
    "public": _NOT_STORED | {"private"},
    "private": _NOT_STORED | {"public", "s-maxage", "proxy-revalidate"},
    "no-store": _USED | _CHECKED | {"public", "private", "no-cache"},
    "no-cache": _NOT_STORED | _USED,
    "max-age": _NOT_USED,
    "s-maxage": _NOT_USED | {"private"},
    "immutable": _NOT_USED,
    "stale-while-revalidate": _NOT_USED | _CHECKED,
    "stale-if-error": _NOT_USED | _CHECKED,
    "must-revalidate": _NOT_STORED | _STALE,
    "proxy-revalidate": _NOT_STORED | _STALE | {"private"},
}


def parse_cache_control(text: str) -> dict[str, str]:
    """The directives of a ``Cache-Control``: their arguments by name, in the order of the field.

    :param text: the value of the field; several lines are joined by a comma before.
    :returns: names in lower case; an argument without its quotes, empty where there is none. Of a
        directive that comes twice, the first counts (RFC 9111, section 4.2.1). What is no directive
        is skipped.
    """
    directives: dict[str, str] = {}
    for item in split_list(text)[:MAX_DIRECTIVES]:
        name, _, argument = item.partition("=")
        if is_token(name):
            directives.setdefault(name.lower(), unquote(argument))
    return directives


def check_cache_control(text: str) -> dict[str, str]:
    """The directives that an author has written: each as it is written, by its name.

    :raises ValueError: for what is no directive or comes twice, for a time that is no number of
        seconds, for ``public`` and ``private`` at once, and where there is no directive.
    """
    directives: dict[str, str] = {}
    for item in split_list(text):
        for name, argument in parse_cache_control(item).items() or [("", "")]:
            if not name or name in directives:
                raise ValueError(f"Cache-Control takes directives, each of them once, not {item!a}")
            if name in _SECONDS and not (argument.isascii() and argument.isdigit()):
                raise ValueError(f"{name} takes a number of seconds, not {argument!a}")
            directives[name] = item
    if not directives:
        raise ValueError("Cache-Control takes directives such as 'private, max-age=60'")
    if {"public", "private"} <= directives.keys():
        raise ValueError("Cache-Control takes either public or private, not both")
    return directives


def additions(own: Collection[str], added: Iterable[str]) -> list[str]:
    """Which of the directives ``added`` neither repeat nor contradict one of ``own``; their names.

    To ``max-age=60`` go ``public`` and no other ``max-age``; to ``private`` no ``public``; and to
    ``no-store`` nothing that is about storing.
    """
    return [
        name
        for name in added
        if name not in own and _KEPT_OUT_BY.get(name, frozenset()).isdisjoint(own)
    ]
