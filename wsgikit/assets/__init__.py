"""Files prepared before they are served: names with a hash, compressed siblings.

The modules load on first use: ``assets.digest``, ``assets.precompress``.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.assets import digest as digest
    from wsgikit.assets import precompress as precompress

_MODULES = ("digest", "precompress")

__all__ = list(_MODULES)

lazy(__name__, dict.fromkeys(_MODULES))
