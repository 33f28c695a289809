"""Where the responses of one URL are kept in a store, and how they are found again.

Under the key of the URL is either its only response, where that depends on no request field, or a
list: of the request fields that its responses depend on (RFC 9111 §4.1), and a name that is new
each time the list begins. The variants are under keys of their own, which have that name in them.
So one deletion takes all of them away, and what a list has forgotten is not found by a later one.

Whoever has fetched a response may keep it only if the key of the URL still holds what it held
before: something that was invalidated meanwhile is not kept, in whatever process that was.
"""

from __future__ import annotations

from hashlib import blake2b
from os import urandom

from wsgikit.caching.entry import pack, unpack
from wsgikit.http.selecting import selector
from wsgikit.stores.limits import MAX_EXPIRES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.caching.entry import Entry
    from wsgikit.stores.protocol import Store

    Find = Callable[[str], str | None]

__all__ = ["Shelf"]

#: How many different lists of fields the responses of one URL may depend on; the oldest goes.
MAX_LISTS = 4
#: How long what has a validator is kept beyond its freshness, in seconds: a day.
BEYOND = 86400.0
#: How long an invalidation is remembered: no response is fetched for so long.
REMEMBERED = 600.0
#: How often to put a variant on a list that others change at the same time.
ATTEMPTS = 10

_LIST = b"V1 "
_GONE = b"X1 "


def url_key(scheme: str, host: str, path: str, query: str) -> str:
    """The key of a URL: of the same scheme, host, path and query, each as an environ has it.

    :param path: SCRIPT_NAME and PATH_INFO.
    """
    host = host.lower().removesuffix(":443" if scheme == "https" else ":80")
    told = f"{scheme} {host} {len(path)} {path}?{query}"
    return f"cache:{blake2b(told.encode('utf-8', 'replace'), digest_size=20).hexdigest()}"


class Found:
    """What is kept for a URL, and of that for one request: an entry, or None."""

    __slots__ = ("entry", "held", "key", "lists", "name", "until")

    def __init__(self, key: str, held: bytes | None) -> None:
        self.key = key
        self.held = held
        self.entry: Entry | None = None
        #: Of a list: its name, until when it is kept, and the lists of fields, the latest first.
        self.name = ""
        self.until = 0.0
        self.lists: list[tuple[str, ...]] = []

    def read_list(self) -> bool:
        """Read what is held as a list; whether it is one."""
        if self.held is None or not self.held.startswith(_LIST):
            return False
        head, *lists = self.held.decode("latin-1").split("\n")
        try:
            _, self.name, until = head.split(" ")
            self.until = float(until)
        except ValueError:
            return False
        self.lists = [tuple(names.split(",")) if names else () for names in lists]
        return True


class Shelf:
    """The responses in one store.

    Each method may raise :class:`~wsgikit.stores.StoreError`.

    :param max_size: of larger ones, fields and content, nothing is kept. Bytes.
    """

    def __init__(self, store: Store, max_size: int) -> None:
        self._store = store
        self._max_size = max_size

    def look(self, key: str, find: Find) -> Found:
        """What there is for the request whose fields ``find`` gives by their names."""
        held = self._store.get(key)
        found = Found(key, held)
        if held is None or held.startswith(_GONE):
            return found
        if not found.read_list():
            found.entry = unpack(held)
            return found
        # A response that depends on nothing is the last choice (§4.1).
        for names in sorted(found.lists, key=bool, reverse=True):
            packed = self._store.get(_variant(found, names, find))
            if packed is not None:
                found.entry = unpack(packed)
                break
        return found

    def keep(
        self, found: Found, names: tuple[str, ...], find: Find, entry: Entry, now: float
    ) -> bool:
        """Keep a response that was fetched after ``found``; whether it is kept."""
        packed = pack(entry)
        if packed is None or len(packed) > self._max_size:
            return False
        validator = any(name.lower() in ("etag", "last-modified") for name, _ in entry.fields)
        beyond = max(entry.while_revalidate, entry.if_error, BEYOND if validator else 0.0)
        expires = min(max(1.0, entry.born + entry.lifetime + beyond - now), MAX_EXPIRES)
        try:
            if not names and not found.lists:
                return self._store.compare_and_set(found.key, found.held, packed, expires=expires)
            return self._keep_variant(found, names, find, packed, expires, now)
        except ValueError:  # larger than the store takes
            return False

    def _keep_variant(
        self,
        found: Found,
        names: tuple[str, ...],
        find: Find,
        packed: bytes,
        expires: float,
        now: float,
    ) -> bool:
        if not found.name:
            found.name = urandom(8).hex()
        self._store.set(_variant(found, names, find), packed, expires=expires)
        for _ in range(ATTEMPTS):
            until = max(found.until, now + expires)
            lists = [names, *[known for known in found.lists if known != names]][:MAX_LISTS]
            lines = [f"V1 {found.name} {until:.0f}", *map(",".join, lists)]
            listed = "\n".join(lines).encode("latin-1", "replace")
            lasting = min(max(expires, until - now), MAX_EXPIRES)
            if self._store.compare_and_set(found.key, found.held, listed, expires=lasting):
                return True
            # Another variant was kept at the same time, or all were forgotten.
            name, found.held = found.name, self._store.get(found.key)
            if not found.read_list() or found.name != name:
                return False
        return False

    def forget(self, key: str) -> None:
        """Forget the responses of a URL, and those that are being fetched now."""
        self._store.set(key, _GONE + urandom(8).hex().encode(), expires=REMEMBERED)


def _variant(found: Found, names: tuple[str, ...], find: Find) -> str:
    """The key of the variant for a request."""
    return f"{found.key}:{found.name}:{selector(names, find)}"
