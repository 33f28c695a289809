"""HEAD, for an application that knows GET only."""

from __future__ import annotations

from wsgikit.wrap.body import close, no_content
from wsgikit.wrap.started import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import OptExcInfo

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["without_body"]


def without_body(app: WSGIApplication) -> WSGIApplication:
    """Answer with the status and fields of ``app`` and no content, for HEAD (RFC 9110 §9.3.2)."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        def start(
            status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
        ) -> Callable[[bytes], object]:
            start_response(status, headers, exc_info)
            return _swallow

        close(run(app, environ, start))
        return no_content()

    return answer


def _swallow(block: bytes, /) -> None:
    """The ``write()`` of a response that nobody sees."""
