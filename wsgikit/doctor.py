"""The stack doctor: wrong orders and doubtful options, told before the first request.

Layers say by themselves where they belong. A layer ``name`` of a module ``name`` may have there

- ``ORDER``: ``{"outside": {other: reason}, "inside": {other: reason}}``: it has to stand outside or
  inside of the layer ``other``, or else what ``reason`` says comes true;
- ``doubts(options)``: gets the options, the defaults among them, and yields ``(reason, mend)`` for
  what is allowed and yet seldom meant. ``doubts(options, outside)`` gets the options of the layers
  outside as well, by the names of these.

``other`` is a name of wsgikit's layers or of those of the layer's own top-level package.
"""

from __future__ import annotations

from wsgikit.compose import BoundLayer, name_of, record_of, takes_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from wsgikit.types import WSGIApplication

__all__ = ["Finding", "check"]


class Finding:
    """Something in a stack that is wrong or doubtful.

    ``layer`` is what it is about, and ``other`` the layer that it stands wrong to (empty where its
    options are the matter), both as they were written: ``"compress(level=6)"``. ``problem`` says
    what there is, ``reason`` what comes of it, ``mend`` what to do. ``where`` is the route or the
    mount below which ``layer`` stands; empty for the stack itself. ``str(finding)`` says it all.
    """

    __slots__ = ("layer", "mend", "other", "problem", "reason", "where")

    def __init__(
        self, layer: str, other: str, problem: str, reason: str, mend: str, where: str = ""
    ) -> None:
        self.layer = layer
        self.other = other
        self.problem = problem
        self.reason = reason
        self.mend = mend
        self.where = where

    def __repr__(self) -> str:
        return f"<Finding: {self}>"

    def __str__(self) -> str:
        lead = f"{self.where}: " if self.where else ""
        return f"{lead}{self.problem}: {self.reason}; {self.mend}"


def check(app: WSGIApplication) -> list[Finding]:
    """Tell what is wrong or doubtful in the stack of ``app``, from the outermost layer in.

    The layers of routes and mounted applications are examined too, together with those around
    them. So is the layer of a :func:`~wsgikit.when`, as if its condition were true. Layers of other
    libraries are not judged. Nothing is called but what layers say of themselves.

    :returns: the findings; an empty list where there is nothing to say.
    :raises TypeError: for a layer's ``ORDER`` that is none.
    """
    # An application that is mounted twice, or a layer that is there twice, says all of it again.
    return [*{str(finding): finding for finding in _examined(app, (), (), "")}.values()]


class _Place:
    """A layer where it stands."""

    __slots__ = ("always", "middleware", "options", "written")

    def __init__(
        self, part: BoundLayer, middleware: Callable[..., WSGIApplication], always: bool
    ) -> None:
        self.middleware = middleware
        self.options = part.options
        self.written = name_of(part)
        self.always = always

    def all_options(self) -> dict[str, object]:
        return {**(self.middleware.__kwdefaults__ or {}), **self.options}

    def package(self) -> str:
        return self.middleware.__module__.partition(".")[0]

    def said(self, name: str) -> Any:
        """What the layer's module says of it; None where the module is not the layer's own."""
        own = self.middleware.__module__.rpartition(".")[2] == self.middleware.__name__
        return self.middleware.__globals__.get(name) if own else None

    def needs(self, side: str, other: _Place) -> str | None:
        """Why this layer has to stand on that side of the other; None if it need not."""
        order = self.said("ORDER")
        if order is None or other.package() not in ("wsgikit", self.package()):
            return None
        try:
            if order.keys() <= {"inside", "outside"}:
                reason: str | None = order.get(side, {}).get(other.middleware.__name__)
                return reason
        except AttributeError:
            pass
        takes = "{'inside' or 'outside': {layer: reason}}"
        raise TypeError(f"{self.middleware.__module__}.ORDER takes {takes}, not {order!r}")


def _examined(
    app: WSGIApplication,
    around: tuple[_Place, ...],
    above: tuple[WSGIApplication, ...],
    where: str,
) -> Iterator[Finding]:
    """The findings about the layers of ``app``, which stands inside of the layers ``around``."""
    while (record := record_of(app)) is not None:
        place = _placed(record.layer)
        if place is not None:
            yield from _doubtful(place, around, where)
            for outer in around:
                yield from _misplaced(outer, place, where)
            around = (*around, place)
        app = record.inner
    if takes_part(app) and not any(app is outer for outer in above):
        _, parts = app.described()  # type: ignore[attr-defined]
        for label, part in parts:
            below = f"{where} > {label}" if where else label
            yield from _examined(part, around, (*above, app), below)


def _placed(part: object) -> _Place | None:
    """A layer that can be asked, also if ``when`` is around it; None for one of others."""
    always = True
    while isinstance(part, BoundLayer):
        if part.middleware is not None:
            return _Place(part, part.middleware, always)
        always = False
        part = part.options["layer"]
    return None


def _doubtful(place: _Place, around: tuple[_Place, ...], where: str) -> Iterator[Finding]:
    doubts = place.said("doubts")
    if doubts is None:
        return
    given = [place.all_options()]
    if doubts.__code__.co_argcount > 1:
        given.append(
            {
                outer.middleware.__name__: outer.all_options()
                for outer in around
                if outer.always and outer.package() in ("wsgikit", place.package())
            }
        )
    for reason, mend in doubts(*given):
        yield Finding(place.written, "", place.written, reason, mend, where)


def _misplaced(outer: _Place, inner: _Place, where: str) -> Iterator[Finding]:
    """What is wrong with a layer that stands inside of another one, if anything is."""
    one, other = outer.written, inner.written
    mend = f"put {other} outside of {one}"
    if reason := outer.needs("inside", inner):
        yield Finding(one, other, f"{one} stands outside of {other}", reason, mend, where)
    elif reason := inner.needs("outside", outer):
        yield Finding(other, one, f"{other} stands inside of {one}", reason, mend, where)
    elif outer.always and inner.always and _same(outer, inner):
        reason = "the second does the work again, or has none"
        yield Finding(other, one, f"{other} is there twice", reason, "leave one out", where)


def _same(one: _Place, other: _Place) -> bool:
    return one.middleware is other.middleware and one.options == other.options
