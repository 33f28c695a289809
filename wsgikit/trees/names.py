"""Names of files in URLs: which can be asked for, and how they are written.

A path of a URL becomes names of files here and nowhere else, and only names that mean the same on
every system get through: one plain name a segment, below where one is. What Windows reads as
something else (drives, streams, devices, other spellings of a name) is refused on Linux and macOS
too, so that a tree is as safe on one system as it was tested to be on another.

Naming Files, Paths, and Namespaces (Microsoft); [MS-FSCC] §2.1.5 (file names, short names).
"""

from __future__ import annotations

import os

from wsgikit.http.query import percent_encode_octets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_hidden", "numbered", "safe_parts", "url_name"]

#: The longest path that is looked at, in octets: PATH_MAX of Linux, and more than any other has.
MAX_PATH = 4096

#: The longest name that is made, in octets of UTF-8: NAME_MAX of Linux.
MAX_NAME = 255

# C0, DEL and C1: none is wanted in a name, and NUL ends one. The backslash separates names on
# Windows, the colon ends a drive there or begins an alternate data stream.
_REFUSED = frozenset([*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "/", "\\", ":"])

# Devices, in every directory and with every extension; the superscript digits count as digits.
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789\xb9\xb2\xb3"]
)

# HFS+ passes over these when it compares names: U+200C before ".git" still is ".git".
_IGNORED = "\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e" + "".join(
    map(chr, [*range(0x206A, 0x2070), 0xFEFF])
)

# What a segment may hold as it is, beside the unreserved characters (RFC 3986 §3.3), but for what
# HTML escapes and the colon.
_NAME_SAFE = "!$()*+,;=@"


def safe_parts(path: str) -> list[str] | None:
    """The names of files that a path is made of, or None where one of them is not to be asked for.

    :param path: PATH_INFO, as PEP 3333 has it: begins with a slash, one character an octet, escapes
        decoded. One slash at the end is passed over.
    :returns: one plain name for each segment, as :func:`os.fsdecode` gives names: octets that are
        no UTF-8 are kept as lone surrogates. The empty list for ``/``.

    Refused are empty names (``//``), ``.`` and ``..``, control characters, ``\\`` and ``:``, names
    that end with a dot or a space, names of devices (``con``, ``NUL.txt``), the form of Windows'
    short names (``GIT~1``), and paths of more than :data:`MAX_PATH` octets.
    """
    if path[:1] != "/" or len(path) > MAX_PATH:
        return None
    try:
        # No UTF-8 but that of "/" reads as "/", so that names can be told apart afterwards.
        names = path[1:].encode("latin-1").decode("utf-8", "surrogateescape").split("/")
    except UnicodeEncodeError:
        return None
    if names[-1] == "":
        names.pop()
    return names if all(map(_is_safe, names)) else None


def _is_safe(name: str) -> bool:
    if not name or name[-1] in ". " or not _REFUSED.isdisjoint(name):
        return False
    stem, _, extension = name.partition(".")
    if stem.rstrip(" ").upper() in _DEVICES:
        return False
    # "GIT~1" opens ".git" where the file system keeps short names.
    _, tilde, number = stem.rpartition("~")
    return not (tilde and number.isdigit() and len(stem) <= 8 and len(extension) <= 3)


def is_hidden(name: str) -> bool:
    """Whether the name begins with a dot, as names do that are not meant to be shown."""
    return name.lstrip(_IGNORED).startswith(".")


def url_name(name: str) -> str | None:
    """The name of a file as a segment of a URL, or None where it cannot be asked for.

    :param name: as :func:`os.scandir` gives it, lone surrogates for octets that are no UTF-8.
    """
    try:
        octets = name.encode("utf-8", "surrogateescape").decode("latin-1")
    except UnicodeEncodeError:  # a surrogate that stands for no octet: Windows lets it be
        return None
    if safe_parts(f"/{octets}") != [name]:
        return None
    return percent_encode_octets(octets, _NAME_SAFE)


def numbered(name: str) -> Iterator[str]:
    """The name, and others without end where that is taken: ``a.txt``, ``a (2).txt``, ...

    What stands before the number is shortened where the name would be longer than file systems
    take, 255 octets.
    """
    yield name
    stem, extension = os.path.splitext(name)
    if len(_octets(extension)) > MAX_NAME // 2:
        stem, extension = name, ""
    number = 2
    while True:
        end = f" ({number}){extension}"
        room = MAX_NAME - len(_octets(end))
        yield _octets(stem)[:room].decode("utf-8", "ignore") + end
        number += 1


def _octets(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
