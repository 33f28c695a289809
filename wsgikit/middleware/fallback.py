"""What an application does not have, another one answers."""

from __future__ import annotations

from wsgikit.apps.cascade import cascade
from wsgikit.arguments import check_function
from wsgikit.compose import layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from wsgikit.types import WSGIApplication

__all__ = ["fallback"]


@layer
def fallback(
    app: WSGIApplication, *, to: WSGIApplication, statuses: Collection[int] = (404,)
) -> WSGIApplication:
    """A request that the application answers by a 404 goes to another one: the old site, a page.

    :param to: the application that answers then, and whose answer counts.
    :param statuses: the status codes that pass a request on.
    :raises TypeError: for what is no application, and for what is no list.
    :raises ValueError: for a status that is none.

    This is :func:`wsgikit.apps.cascade` of the two, as a layer. With ``statuses=(500,)``, outside
    of ``errors``, it stands in for what fails before its first block. What the first application
    has read of a request's body, the second does not find.
    """
    check_function("to", to, "a WSGI application")
    return cascade(app, to, statuses=statuses)
