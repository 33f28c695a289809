"""The tree of all templates of a router, with a level for each segment.

Its nodes are dicts by segment, so that finding a way costs as much as the path is long, however
many routes there are.
"""

from __future__ import annotations

from wsgikit.paths import NO_VALUE, Parameter, Rest, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from wsgikit.routes import Route
    from wsgikit.types import WSGIApplication

    #: By request method: the route, and what answers.
    Table: TypeAlias = dict[str, tuple[Route, WSGIApplication]]

__all__ = ["Node"]

# Built-in kinds of which no two match the same text.
_APART = frozenset({"int", "float", "uuid", "date"})
_NOTHING: Table = {}


class Node:
    """A place in the tree, reached by the segments before it.

    ``leaf`` is the table of the templates that end here, ``rest`` that of the templates where a
    ``path`` parameter begins here, ``mount`` the route of the application that has everything
    below. A literal segment wins over a typed parameter, that over ``str``, that over ``path`` and
    that over a mount, whatever the order of definition; the first segment that differs decides.

    ``name`` and ``kind`` are those of the parameter that leads here. ``route`` is the first
    that passed here, to name it in errors. ``forks`` tells that another choice was left on the way
    here; ``hopes`` that where nothing below fits, something else still may.
    """

    __slots__ = (
        "forks",
        "hopes",
        "kind",
        "leaf",
        "literal",
        "mount",
        "name",
        "rest",
        "route",
        "text",
        "typed",
    )

    def __init__(
        self, route: Route | None, name: str = "", kind: str = "", *, forks: bool = False
    ) -> None:
        self.route = route
        self.name = name
        self.kind = kind
        self.forks = self.hopes = forks
        self.literal: dict[str, Node] = {}
        self.typed: tuple[tuple[Callable[[str], object], Node], ...] = ()
        self.text: Node | None = None
        # Replaced, never changed: all nodes begin with the same.
        self.leaf = self.rest = _NOTHING
        self.mount: Route | None = None

    def find(self, segments: Iterable[str | Parameter]) -> Node | None:
        """The node behind ``segments``, if there is one; changes nothing.

        Raises :class:`ValueError` where a parameter would stand beside another that may match the
        same text, and nothing says which should win.
        """
        node: Node | None = self
        for segment in segments:
            if node is None:
                return None
            node = node._below(segment)
        return node

    def _below(self, segment: str | Parameter) -> Node | None:
        if not isinstance(segment, Parameter):
            return self.literal.get(segment)
        kind = segment.converter.name
        if kind == Text.name:
            return self.text
        for _, node in self.typed:
            if node.kind == kind:
                return node
            if not {node.kind, kind} <= _APART:
                raise ValueError(
                    f"ambiguous beside {node.route!r}: in the same place, some text may be both of"
                    f" the kind {kind!r} and of the kind {node.kind!r}"
                )
        return None

    def make(self, segments: Iterable[str | Parameter], route: Route) -> tuple[Node, list[str]]:
        """The node behind ``segments``, made for ``route`` if need be, and the parameters' names.

        The names are those of the routes that came first here, so they may be others than those in
        ``segments``. Takes what :meth:`find` takes without an error.
        """
        node, names = self, list[str]()
        for segment in segments:
            child = node._below(segment)
            if child is None:
                child = node._grow(segment, route, names)
            if isinstance(segment, Parameter):
                names.append(child.name)
            node = child
        return node, names

    def _grow(self, segment: str | Parameter, route: Route, names: list[str]) -> Node:
        if not isinstance(segment, Parameter):
            chooses = self.hopes or self.text is not None or bool(self.typed)
            node = self.literal[segment] = Node(route, forks=chooses)
            return node
        name = segment.name
        while name in names:  # two of one name on one way would lose a value
            name += "_"
        node = Node(route, name, segment.converter.name)
        if node.kind == Text.name:
            self.text = node
        else:
            self.typed += ((segment.converter.parse, node),)
        self.settle()
        return node

    def settle(self) -> None:
        """Keep ``hopes`` here and ``forks`` below true, after anything but a literal was added."""
        choices = self.hopes = self.forks or bool(self.rest) or self.mount is not None
        if self.text is not None:
            self.text._fork(choices)
            choices = True
        for _, node in self.typed:  # whose kinds have no text in common
            node._fork(choices)
        for node in self.literal.values():
            node._fork(choices or bool(self.typed))

    def _fork(self, forks: bool) -> None:
        if forks and not self.forks:
            self.forks = True
            self.settle()

    def search(
        self, segments: list[str], index: int = 0, values: tuple[object, ...] = ()
    ) -> Iterator[tuple[Table | Route, tuple[object, ...], int]]:
        """All that ``segments`` can mean, the best first: ``(table or mount, values, index)``.

        ``index`` says how many segments were used. No deeper than the tree, whatever the path.
        """
        if index < len(segments):
            segment = segments[index]
            if segment in self.literal:
                yield from self.literal[segment].search(segments, index + 1, values)
            if segment not in NO_VALUE:
                for parse, node in self.typed:
                    try:
                        value = parse(segment)
                    except ValueError:
                        continue
                    yield from node.search(segments, index + 1, (*values, value))
                if self.text is not None:
                    yield from self.text.search(segments, index + 1, (*values, segment))
                if self.rest:
                    try:
                        value = Rest.parse("/".join(segments[index:]))
                    except ValueError:
                        pass
                    else:
                        yield self.rest, (*values, value), index
        elif self.leaf:
            yield self.leaf, values, index
        if self.mount is not None:
            yield self.mount, values, index
