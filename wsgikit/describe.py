"""Seeing a stack: what an application is made of, as data and as a drawn tree."""

from __future__ import annotations

from wsgikit.compose import BoundLayer, name_of, record_of, takes_part, visible, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wsgikit.types import WSGIApplication

__all__ = ["Description", "describe"]


class Description:
    """What an application is made of: a tree of plain data.

    ``kind`` is ``"layer"`` or ``"application"``; ``name`` is the function's or the class's;
    ``options`` are those that were given, but for what their names call a secret (``keys``,
    ``api_token``), which is ``[redacted]``; ``parts`` are ``(label, Description)`` pairs: the
    application behind a layer (label ``""``), the routes of a router (``"GET /users/{id}"``) and
    the like. ``str(description)`` draws the tree.
    """

    __slots__ = ("kind", "name", "options", "parts")

    def __init__(
        self,
        kind: str,
        name: str,
        options: Mapping[str, object],
        parts: tuple[tuple[str, Description], ...],
    ) -> None:
        self.kind = kind
        self.name = name
        self.options = options
        self.parts = parts

    def __repr__(self) -> str:
        return f"<Description of {self.heading()}>"

    def __str__(self) -> str:
        return "\n".join(self._lines("", "", ""))

    def heading(self) -> str:
        """The name, with the options if there are any."""
        return f"{self.name}({written(self.options)})" if self.options else self.name

    def layers(self) -> Iterator[Description]:
        """The layers of the stack, from the outermost in."""
        part = self
        while part.kind == "layer":
            yield part
            part = part.parts[0][1]

    def _lines(self, lead: str, rest: str, label: str) -> Iterator[str]:
        part, line = self, self.heading()
        while part.kind == "layer" and len(part.parts) == 1:
            part = part.parts[0][1]
            if label:  # the layers of one route stand in its line
                line += f" > {part.heading()}"
            else:
                yield lead + line
                lead, line = rest, part.heading()
        yield f"{lead}{label}  {line}" if label else lead + line
        width = max((len(label) for label, _ in part.parts), default=0)
        for index, (name, below) in enumerate(part.parts, 1):
            corner, bar = ("└─ ", "   ") if index == len(part.parts) else ("├─ ", "│  ")
            yield from below._lines(rest + corner, rest + bar, name.ljust(width))


def describe(app: WSGIApplication) -> Description:
    """Tell what ``app`` is made of: its layers with their options, its routers with their routes.

    An application that holds others can take part: its method ``described()`` returns ``(options,
    [(label, application), ...])``. (For ``lint`` and ``flame`` it also has ``rebuilt()``: see
    :func:`wsgikit.between.between`.) Whatever else is foreign is named and not looked into. One
    that holds itself, however deep, is named there and not looked into again.
    """
    return _describe(app, ())


def _describe(app: WSGIApplication, above: tuple[WSGIApplication, ...]) -> Description:
    around = (*above, app)
    record = record_of(app)
    if record is not None:
        inner = (("", _describe(record.inner, around)),)
        part = record.layer
        if isinstance(part, BoundLayer):
            return Description("layer", part.name, visible(part.options), inner)
        return Description("layer", name_of(part), {}, inner)
    options: Mapping[str, object] = {}
    parts: Iterable[tuple[str, WSGIApplication]] = ()
    if takes_part(app) and not any(app is outer for outer in above):
        options, parts = app.described()  # type: ignore[attr-defined]
    return Description(
        "application",
        name_of(app),
        visible(options),
        tuple((label, _describe(part, around)) for label, part in parts),
    )
