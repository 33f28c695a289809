"""What a layer that can do without its store does when that fails: one line, not one a request."""

from __future__ import annotations

import logging
from time import monotonic

from wsgikit.errors import answer_error
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.stores.protocol import StoreError
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["QUIET", "Outages", "unavailable"]

LOG = logging.getLogger("wsgikit.stores")

#: How many seconds after a failure was logged others are not.
QUIET = 60.0


class Outages:
    """Logs that a store has failed, once a minute, to ``wsgikit.stores`` at the level ERROR.

    :param who: the layer.
    :param fail_open: whether requests pass meanwhile; if not, they get a 503.
    :param passing: what to say of them if they pass.
    """

    def __init__(
        self, who: str, fail_open: bool, passing: str, clock: Callable[[], float] = monotonic
    ) -> None:
        self._who = who
        self._fail_open = fail_open
        self._what = passing if fail_open else "requests get a 503"
        self._clock = clock
        self._told = -QUIET

    def tell(self, error: StoreError) -> None:
        """It has failed, with this."""
        now = self._clock()
        if now - self._told >= QUIET:
            self._told = now
            LOG.error("%s: %s, as the store has failed: %s", self._who, self._what, error)

    def instead(self, error: StoreError, app: WSGIApplication) -> WSGIApplication:
        """It has failed, with this: what answers the request, ``app`` or a 503."""
        self.tell(error)
        return app if self._fail_open else unavailable


def unavailable(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """Answer a request that cannot be answered without the store: 503."""
    error = HTTPError(503, "What this needs cannot be reached now.", headers=[("Retry-After", "5")])
    return answer_error(error, environ, start_response)
