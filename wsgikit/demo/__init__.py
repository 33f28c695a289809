"""A tour of wsgikit in the browser, made with wsgikit: ``python3 -m wsgikit demo``.

``wsgikit.demo.app`` is the application. Each station is a module, short enough to read.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.demo.tour import app as app

__all__ = ["app"]

lazy(__name__, {"app": "tour"})
