"""A stack made anew, with something between every two of its layers."""

from __future__ import annotations

from wsgikit.compose import name_of, record_of, takes_part, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from wsgikit.compose import Record
    from wsgikit.types import WSGIApplication

    #: ``put(outer, app, inner)``: what stands around ``app``, whose name is ``inner``, for the
    #: sake of the layer ``outer``.
    Put: TypeAlias = Callable[[str, WSGIApplication, str], WSGIApplication]

__all__ = ["SERVER", "between"]

#: The name of what stands outside of the outermost layer.
SERVER = "the server"


def between(app: WSGIApplication, put: Put) -> WSGIApplication:
    """The stack ``app`` with what ``put`` makes around each of its parts.

    The layers are called again, from the innermost out, each with what was put around the part
    behind it; ``app`` itself stays as it is. Of routers, ``cascade`` and ``hosts``, each
    application that they hold is a part, with its layers. Others that hold applications take part
    by a method ``rebuilt(applications)``: it returns the like with these, in the order in which
    ``described()`` names those that it has. What is held by anything else, and the layer of a
    ``when``, is seen as one with it.
    """
    return put(SERVER, *_rebuilt(app, put, ()))


def _rebuilt(
    app: WSGIApplication, put: Put, above: tuple[WSGIApplication, ...]
) -> tuple[WSGIApplication, str]:
    """``app``, which stands in those ``above``, made anew, and the name of its outermost part."""
    record = record_of(app)
    if record is None:
        return _with_parts_rebuilt(app, put, above), name_of(app)
    if _is_of_parts(record):
        return _rebuilt(record.inner, put, above)
    name = name_of(record.layer)
    made = wrapped(record.layer, put(name, *_rebuilt(record.app, put, above)))
    again = record_of(made)
    if again is None or again.inner is again.app:
        return made, name
    return _rebuilt(again.inner, put, above)  # what it is made of stands there in its place


def _with_parts_rebuilt(
    app: WSGIApplication, put: Put, above: tuple[WSGIApplication, ...]
) -> WSGIApplication:
    """The like of ``app`` with something around each application that it holds."""
    if not _is_rebuilt(app) or any(app is outer for outer in above):  # it may hold itself
        return app
    name, above = name_of(app), (*above, app)
    _, parts = app.described()  # type: ignore[attr-defined]
    made: WSGIApplication = app.rebuilt(  # type: ignore[attr-defined]
        [put(name, *_rebuilt(part, put, above)) for _, part in parts]
    )
    return made


def _is_of_parts(record: Record) -> bool:
    """Whether what the layer made can be seen: layers around the application, or others beside."""
    inner, stacked = record.inner, record.inner is not record.app
    while inner is not record.app and (below := record_of(inner)) is not None:
        inner = below.app
    return stacked and (inner is record.app or _is_rebuilt(inner))


def _is_rebuilt(app: WSGIApplication) -> bool:
    return takes_part(app) and hasattr(app, "rebuilt")
