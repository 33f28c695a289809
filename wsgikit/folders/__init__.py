"""A folder for people: as a page, as data, and as a place to send files to.

What only some requests and commands need loads on first use: ``folders.upload``.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.folders import contents as contents
    from wsgikit.folders import upload as upload
    from wsgikit.folders import upload_page as upload_page

_MODULES = ("contents", "upload", "upload_page")

__all__ = list(_MODULES)

lazy(__name__, dict.fromkeys(_MODULES))
