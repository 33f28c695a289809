"""Stores: where state is kept between requests. They load on first use.

``from wsgikit.stores import SQLiteStore`` loads that one file. What all of them can do is
:class:`wsgikit.stores.protocol.Store`.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.stores.memory import MemoryStore as MemoryStore
    from wsgikit.stores.protocol import Store as Store
    from wsgikit.stores.protocol import StoreError as StoreError
    from wsgikit.stores.protocol import update as update
    from wsgikit.stores.redis import RedisStore as RedisStore
    from wsgikit.stores.sqlite import SQLiteStore as SQLiteStore

_EXPORTS = {
    "MemoryStore": "memory",
    "RedisStore": "redis",
    "SQLiteStore": "sqlite",
    "Store": "protocol",
    "StoreError": "protocol",
    "update": "protocol",
}

__all__ = list(_EXPORTS)

lazy(__name__, _EXPORTS)
