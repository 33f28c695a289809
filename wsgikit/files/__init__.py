"""Files below a folder: named, found, described and sent, safely and with their validators.

What only some requests and commands need loads on first use: ``files.archive``, ``files.upload``.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.files import archive as archive
    from wsgikit.files import codings as codings
    from wsgikit.files import digest as digest
    from wsgikit.files import folders as folders
    from wsgikit.files import precompress as precompress
    from wsgikit.files import upload as upload
    from wsgikit.files import upload_page as upload_page

_MODULES = "archive codings digest folders precompress upload upload_page".split()

__all__ = list(_MODULES)

lazy(__name__, dict.fromkeys(_MODULES))
