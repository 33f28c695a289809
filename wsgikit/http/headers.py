"""Header fields by name: case-insensitive, in order, several of one name where the field allows it.

RFC 9110, sections 5.1 (names know no case), 5.2 and 5.3 (lines and their order), 12.5.5 (``Vary``).
"""

from __future__ import annotations

from wsgikit.http.grammar import check_name, check_value, split_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, KeysView, Mapping, MutableMapping, ValuesView

    Fields = MutableMapping[str, str]
else:

    class Fields:
        """What MutableMapping adds, typed as there, without loading collections.abc."""

        __slots__ = ()

        def get(self, name, default=None):
            wanted = name.lower()
            for key, value in self.raw:
                if key.lower() == wanted:
                    return value
            return default

        def setdefault(self, name, value):
            found = self.get(name)
            if found is None:
                self.add(name, value)
                return self.raw[-1][1]
            return found

        def pop(self, name, *default):
            if default and name not in self:
                return default[0]
            value = self[name]
            del self[name]
            return value

        def popitem(self):
            for name in self:
                return name, self.pop(name)
            raise KeyError("no header fields")

        def clear(self):
            self.raw.clear()

        def update(self, pairs=(), /, **named):
            for given in (pairs, named):
                for name, value in given.items() if hasattr(given, "items") else given:
                    self[name] = value


class Headers(Fields):
    """The header fields of a message: a mapping whose names know no case, over a list of lines.

    Looking up, ``headers["content-type"]``, gives the first line of that name; :meth:`get_all`
    gives every one. Setting replaces all lines of the name by one, in the place of the first;
    :meth:`add` appends a line, as ``Set-Cookie`` needs it. As a mapping (``iter``, ``len``,
    ``keys``, ``values``, ``dict(headers)``) it has each name once, as first written, with its first
    value; :meth:`items` and :attr:`raw` have every line.

    Each name and value that comes in is checked by :func:`wsgikit.http.grammar.check_name` and
    :func:`wsgikit.http.grammar.check_value`.

    :param pairs: (name, value) pairs, or a mapping; they are copied.
    :raises ValueError: for a name or a value that no header field may have.
    :raises TypeError: for one that is no ``str``.
    """

    __slots__ = ("raw",)

    #: The lines themselves, (name, value) pairs in order: what ``start_response`` takes.
    raw: list[tuple[str, str]]

    def __init__(self, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        lines = pairs.items() if hasattr(pairs, "items") else pairs
        self.raw = [(check_name(name), check_value(value, name)) for name, value in lines]

    @classmethod
    def view(cls, raw: list[tuple[str, str]]) -> Headers:
        """Headers over a list that is there already: neither copied nor checked, changed in place.

        :param raw: (name, value) pairs, such as an application handed to ``start_response``.
        :returns: headers whose :attr:`raw` is this very list.
        """
        headers = cls.__new__(cls)
        headers.raw = raw
        return headers

    def __getitem__(self, name: str) -> str:
        """The first value of ``name``; ``KeyError`` when there is none."""
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        """Make ``value`` the only one of ``name``, in the place of the first, else at the end."""
        line = (check_name(name), check_value(value, name))
        wanted = name.lower()
        raw = self.raw
        for place, (key, _) in enumerate(raw):
            if key.lower() == wanted:
                raw[place:] = [line, *_without(wanted, raw[place + 1 :])]
                return
        raw.append(line)

    def __delitem__(self, name: str) -> None:
        """Remove every line of ``name``; ``KeyError`` when there is none."""
        kept = _without(name.lower(), self.raw)
        if len(kept) == len(self.raw):
            raise KeyError(name)
        self.raw[:] = kept

    def __contains__(self, name: object) -> bool:
        """Whether there is a line of ``name``."""
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        """Each name once, as it was first written, in order."""
        return iter(self._first())

    def __len__(self) -> int:
        """How many different names there are."""
        return len(self._first())

    def __eq__(self, other: object) -> bool:
        """Equal when every name has the same values in the same order (RFC 9110, section 5.3)."""
        if not isinstance(other, Headers):
            return NotImplemented
        return self._all() == other._all()

    def __repr__(self) -> str:
        return f"Headers({self.raw!r})"

    def get_all(self, name: str) -> list[str]:
        """Every value of ``name``, in order; an empty list when there is none."""
        wanted = name.lower()
        return [value for key, value in self.raw if key.lower() == wanted]

    def add(self, name: str, value: str) -> None:
        """Append a line, and leave others of that name as they are.

        :raises ValueError: for a name or a value that no header field may have.
        :raises TypeError: for one that is no ``str``.
        """
        self.raw.append((check_name(name), check_value(value, name)))

    def keys(self) -> KeysView[str]:
        """Each name once, as it was first written: a snapshot."""
        return self._first().keys()

    def values(self) -> ValuesView[str]:
        """The first value of each name: a snapshot."""
        return self._first().values()

    # A view of MutableMapping's kind is a set of the names; the lines of a message are none.
    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        """Every line as a (name, value) pair, in order: a copy of :attr:`raw`."""
        return self.raw.copy()

    def vary(self, *names: str) -> None:
        """Say that the response depends on these request fields, beside those named already.

        Lines of ``Vary`` become one, and no field is named twice in it, in whatever case. ``*``,
        which says that it depends on anything, stays or becomes the only member.

        :param names: names of request fields, or ``*``.
        :raises ValueError: for what is neither.

        RFC 9110, section 12.5.5.
        """
        members: dict[str, str] = {}
        for name in (*split_list(",".join(self.get_all("Vary"))), *map(check_name, names)):
            members.setdefault(name.lower(), name)
        if members:
            self["Vary"] = "*" if "*" in members else ", ".join(members.values())

    def _first(self) -> dict[str, str]:
        """The first line of each name."""
        lines: dict[str, tuple[str, str]] = {}
        for line in self.raw:
            lines.setdefault(line[0].lower(), line)
        return dict(lines.values())

    def _all(self) -> dict[str, list[str]]:
        """The values of each name, under the name in lower case."""
        values: dict[str, list[str]] = {}
        for name, value in self.raw:
            values.setdefault(name.lower(), []).append(value)
        return values


def _without(wanted: str, lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [line for line in lines if line[0].lower() != wanted]
