"""The types of WSGI (PEP 3333) under the names of :mod:`wsgiref.types`, and :data:`Layer`.

This module is for annotations: modules of wsgikit import it only where ``TYPE_CHECKING`` is true,
as
:mod:`typing` alone would cost more than the rest of wsgikit at start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Concatenate, ParamSpec, Protocol, TypeAlias, overload
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = [
    "Body",
    "HeaderList",
    "JSONValue",
    "Layer",
    "LayerFactory",
    "StartResponse",
    "WSGIApplication",
    "WSGIEnvironment",
]

#: What an application returns: blocks of bytes, and perhaps a ``close`` method.
Body: TypeAlias = Iterable[bytes]

#: Header fields as ``start_response`` takes them.
HeaderList: TypeAlias = list[tuple[str, str]]

#: From application to application: what ``stack`` stacks.
Layer: TypeAlias = Callable[[WSGIApplication], WSGIApplication]

#: What JSON can say.
JSONValue: TypeAlias = (
    "Mapping[str, JSONValue] | Sequence[JSONValue] | str | int | float | bool | None"
)

P = ParamSpec("P")


class LayerFactory(Protocol[P]):
    """What ``@layer`` makes of a middleware: wraps now, or binds options for later."""

    __name__: str

    @overload
    def __call__(
        self, app: WSGIApplication, /, *args: P.args, **options: P.kwargs
    ) -> WSGIApplication: ...

    @overload
    def __call__(self, *args: P.args, **options: P.kwargs) -> Layer: ...


Middleware: TypeAlias = Callable[Concatenate[WSGIApplication, P], WSGIApplication]
