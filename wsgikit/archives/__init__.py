"""Folders to download as one file. It loads when the first is asked for."""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.archives.archive import archive as archive

__all__ = ["archive"]

lazy(__name__, {"archive": "archive"})
