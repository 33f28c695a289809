"""What a layer that can do without its store says when that fails: one line, not one a request."""

from __future__ import annotations

import logging
from time import monotonic

from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.stores.protocol import StoreError

__all__ = ["QUIET", "Outages"]

LOG = logging.getLogger("wsgikit.stores")

#: How many seconds after a failure was logged others are not.
QUIET = 60.0


class Outages:
    """Logs that a store has failed, once a minute, to ``wsgikit.stores`` at the level ERROR.

    :param who: the layer.
    :param what: what becomes of requests meanwhile.
    """

    def __init__(self, who: str, what: str, clock: Callable[[], float] = monotonic) -> None:
        self._who = who
        self._what = what
        self._clock = clock
        self._told = -QUIET

    def tell(self, error: StoreError) -> None:
        """It has failed, with this."""
        now = self._clock()
        if now - self._told >= QUIET:
            self._told = now
            LOG.error("%s: %s, as the store has failed: %s", self._who, self._what, error)


def unavailable() -> HTTPError:
    """The answer to a request that cannot be answered without the store: 503."""
    return HTTPError(503, "What this needs cannot be reached now.", headers=[("Retry-After", "5")])
