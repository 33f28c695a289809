"""A file, served: described once, known from one request to the next, and sent with its validators.

What only some commands need loads on first use: ``files.codings``.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.files import codings as codings

__all__ = ["codings"]

lazy(__name__, {"codings": None})
