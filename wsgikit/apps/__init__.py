"""Applications to mount, stack and combine: each a function that returns a WSGI callable.

``from wsgikit.apps import static`` gives the function and loads that one file.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.apps.cascade import cascade as cascade
    from wsgikit.apps.hosts import hosts as hosts
    from wsgikit.apps.listing import listing as listing
    from wsgikit.apps.static import static as static

_NAMES = ["cascade", "hosts", "listing", "static"]

__all__ = list(_NAMES)

lazy(__name__, {name: name for name in _NAMES})
