"""What is in a directory: sorted, and as data for programs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from wsgikit.http.query import encode_query
from wsgikit.trees.names import url_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wsgikit.trees.tree import Entry
    from wsgikit.types import JSONValue

__all__ = ["COLUMNS", "Order", "document", "href", "moment", "readable", "shown", "size_of"]

#: The columns by the values of ``sort``: heading, and which way it is sorted first. People look for
#: what is large or new.
COLUMNS = {"name": ("Name", "asc"), "size": ("Size", "desc"), "modified": ("Modified", "desc")}

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_EPOCH = datetime(1970, 1, 1)
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NUMBERS = re.compile("([0-9]+)")


class Order:
    """How a directory is sorted: by which column, and which way.

    :param column: ``name``, ``size`` or ``modified``; anything else is ``name``.
    :param order: ``asc`` or ``desc``; anything else is what people want of that column first.
    """

    __slots__ = ("column", "descending")

    def __init__(self, column: str, order: str) -> None:
        self.column = column if column in COLUMNS else "name"
        self.descending = (order if order in ("asc", "desc") else COLUMNS[self.column][1]) == "desc"

    def sorted(self, entries: Iterable[Entry]) -> list[Entry]:
        """The entries in this order, by name where all else is equal.

        Folders come first, and last what is not served.
        """
        if self.column == "name":
            listed = sorted(entries, key=_by_name, reverse=self.descending)
        else:
            key: Callable[[Entry], float] = size_of if self.column == "size" else _by_date
            listed = sorted(sorted(entries, key=_by_name), key=key, reverse=self.descending)
        return sorted(listed, key=lambda entry: (entry.status is None, not entry.is_folder))

    def query(self, *more: tuple[str, str]) -> str:
        """The query that asks for this order, with its ``?``; empty for the usual one.

        :param more: other fields that are to be in it.
        """
        usual = self.column == "name" and not self.descending
        order = ("sort", self.column), ("order", "desc" if self.descending else "asc")
        pairs = [*(() if usual else order), *more]
        return "?" + encode_query(pairs) if pairs else ""

    def after_click(self, column: str) -> Order:
        """The order that a click on the heading of ``column`` asks for."""
        if column == self.column:
            return Order(column, "asc" if self.descending else "desc")
        return Order(column, "")


def _by_name(entry: Entry) -> tuple[list[tuple[int, str]], str]:
    """As people count: ``b2`` before ``b10``, and ``B`` beside ``b``."""
    key = []
    for index, part in enumerate(_NUMBERS.split(entry.name.casefold())):
        if index % 2:  # a number; of two without zeros in front, the longer one is larger
            digits = part.lstrip("0")
            key.append((len(digits), digits))
        else:
            key.append((0, part))
    return key, entry.name


def size_of(entry: Entry) -> int:
    """The octets of a file; 0 for all else."""
    return 0 if entry.status is None or entry.is_folder else entry.status.st_size


def _by_date(entry: Entry) -> float:
    return 0 if entry.status is None else entry.status.st_mtime


def document(names: list[str], entries: list[Entry]) -> dict[str, JSONValue]:
    """The directory of these names and what is in it, for programs."""
    return {
        "path": "/" + "".join(f"{shown(name)}/" for name in names),
        "entries": [_item(entry) for entry in entries],
    }


def _item(entry: Entry) -> dict[str, JSONValue]:
    if entry.status is None:
        return {"name": shown(entry.name), "type": "other", "href": None}
    return {
        "name": shown(entry.name),
        "type": "directory" if entry.is_folder else "file",
        "size": None if entry.is_folder else entry.status.st_size,
        "modified": moment(entry.status.st_mtime),
        "href": href(entry),
    }


def href(entry: Entry) -> str | None:
    """The relative URL of an entry, or None where it is not served.

    Behind ``./``, no name is taken for a scheme or a host.
    """
    name = None if entry.status is None else url_name(entry.name)
    return None if name is None else f"./{name}{'/' if entry.is_folder else ''}"


def shown(name: str) -> str:
    """A name with U+FFFD for what has no place in a document."""
    return _NO_TEXT.sub("\ufffd", name)


def moment(seconds: float) -> str | None:
    """A time of the file system (ISO 8601, UTC), or None where the calendar does not have it."""
    try:
        return f"{(_EPOCH + timedelta(seconds=int(seconds))).isoformat()}Z"
    except OverflowError:
        return None


def readable(size: float) -> str:
    """A size as people say it, with two or three digits that count: ``1.2 kB``."""
    power = 0
    while size >= 999.5:
        size /= 1000
        power += 1
    return f"{size:.{1 if power and size < 9.95 else 0}f}\xa0{_UNITS[power]}"
