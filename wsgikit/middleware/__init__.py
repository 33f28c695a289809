"""Layers: each wraps an application and adds one thing to it. They load on first use.

``from wsgikit.middleware import errors`` gives the function, to be used both ways: ``errors(app)``
wraps now, ``errors(handlers=...)`` is a layer for :func:`wsgikit.stack`.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.middleware.debugger import debugger as debugger
    from wsgikit.middleware.errors import errors as errors

_EXPORTS = {"debugger": "debugger", "errors": "errors"}

__all__ = list(_EXPORTS)

lazy(__name__, _EXPORTS)
