"""An application that may be passed over, and is then unseen."""

from __future__ import annotations

from wsgikit.wrap.body import close
from wsgikit.wrap.started import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import OptExcInfo

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["attempt"]


def attempt(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    accept: Callable[[str, HeaderList], bool],
) -> Body | None:
    """Answer as ``app`` does if ``accept(status, headers)``; else nobody sees its response.

    Returns the body, or None where the response was refused (its body is closed then) and another
    application may answer. An accepted response is streamed as it comes.
    """
    gate = _Gate(start_response, accept)
    body = run(app, environ, gate)
    if gate.open:
        return body
    close(body)
    return None


class _Gate:
    """The ``start_response`` of an attempt: lets a response through or holds it back."""

    __slots__ = ("_accept", "_start_response", "open", "written")

    def __init__(
        self, start_response: StartResponse, accept: Callable[[str, HeaderList], bool]
    ) -> None:
        self._start_response = start_response
        self._accept = accept
        self.open = False
        self.written = False

    def __call__(
        self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        if self.written and exc_info and exc_info[1] is not None:
            raise exc_info[1].with_traceback(exc_info[2])
        self.open = self.open or self._accept(status, headers)
        if self.open:
            return self._start_response(status, headers, exc_info)
        return self._hold_back

    def _hold_back(self, block: bytes, /) -> None:
        self.written = True
