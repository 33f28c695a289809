"""A stack made anew, with something between every two of its layers."""

from __future__ import annotations

from wsgikit.compose import name_of, record_of, wrapped

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
    behind it; ``app`` itself stays as it is. The layers of one route, and what a foreign layer
    holds beside the application behind it, are seen as parts of what they stand in.
    """
    return put(SERVER, *_rebuilt(app, put))


def _rebuilt(app: WSGIApplication, put: Put) -> tuple[WSGIApplication, str]:
    """``app`` made anew, and the name of its outermost part."""
    record = record_of(app)
    if record is None:
        return app, name_of(app)
    if _is_of_layers(record):
        return _rebuilt(record.inner, put)
    name = name_of(record.layer)
    made = wrapped(record.layer, put(name, *_rebuilt(record.app, put)))
    again = record_of(made)
    if again is None or again.inner is again.app:
        return made, name
    return _rebuilt(again.inner, put)  # what it is made of stands there in its place


def _is_of_layers(record: Record) -> bool:
    """Whether the layer has stacked others around the application, and nothing else."""
    inner, stacked = record.inner, record.inner is not record.app
    while inner is not record.app and (below := record_of(inner)) is not None:
        inner = below.app
    return stacked and inner is record.app
