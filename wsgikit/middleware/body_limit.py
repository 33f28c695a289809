"""Request bodies of a limited size (RFC 9110 §15.5.14), whether their length is told or not."""

from __future__ import annotations

from wsgikit.compose import layer
from wsgikit.environ import content_length
from wsgikit.errors import answer_error
from wsgikit.http.problem import HTTPError
from wsgikit.wrap import attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import InputStream

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["body_limit"]

#: What has to stand inside of this layer, and why.
ORDER = {"outside": {"method_override": "it reads forms", "csrf": "it may read forms"}}

_CODED = "HTTP_TRANSFER_ENCODING"
_BODILESS = ("GET", "HEAD")
_HTTP_1 = ("HTTP/1.1", "HTTP/1.0")


@layer
def body_limit(app: WSGIApplication, *, max_size: int) -> WSGIApplication:
    """A request with a larger body gets a 413, before the body is read where its length is told.

    :param max_size: bytes.
    :raises ValueError: for what is no number of bytes.

    Where a body's length is not told (chunked), ``wsgi.input`` is replaced by a stream that raises
    an :class:`~wsgikit.HTTPError` 413 once more than ``max_size`` bytes have been read. If the
    application answers that by a 4xx, drawn as its errors are, the client gets its answer; whatever
    else it makes of it, a failure, a 500 or a 200, the client gets a 413. A response that had
    started before is not replaced. A Content-Length that is no number is a 400.
    """
    if type(max_size) is not int or max_size < 0:
        raise ValueError(f"max_size takes a number of bytes, not {max_size!r}")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if _CODED not in environ:
            if environ.get("CONTENT_LENGTH"):
                return told(environ, start_response)
            # RFC 9112 §6.3: without either there is no body. Of other protocols, and of servers
            # that do not show the coding, one cannot be sure.
            if environ["REQUEST_METHOD"] in _BODILESS and environ["SERVER_PROTOCOL"] in _HTTP_1:
                return app(environ, start_response)
        return untold(environ, start_response)

    def told(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        try:
            length = content_length(environ) or 0
        except HTTPError as error:
            return answer_error(error, environ, start_response)
        return (app if length <= max_size else refuse)(environ, start_response)

    def untold(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        environ["wsgi.input"] = body = _Limited(environ["wsgi.input"], max_size)
        started = False

        def accept(status: str, headers: HeaderList) -> bool:
            nonlocal started
            started = body.left >= 0 or status[:1] == "4"
            return started

        try:
            answered = attempt(app, environ, start_response, accept)
        except Exception:
            if started or body.left >= 0:
                raise
            answered = None
        return refuse(environ, start_response) if answered is None else answered

    def refuse(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        return answer_error(_too_large(max_size), environ, start_response)

    return answer


class _Limited:
    """A ``wsgi.input`` that raises an HTTPError 413 when it has given more than ``max_size`` bytes.

    It has what PEP 3333 asks of an input, and asks no more of the one behind it.
    """

    def __init__(self, stream: InputStream, max_size: int) -> None:
        self._stream = stream
        self._max_size = max_size
        #: How many bytes may still come; below zero, too many have come.
        self.left = max_size

    def read(self, size: int | None = -1, /) -> bytes:
        return self._counted(self._stream.read, size)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._counted(self._stream.readline, size)

    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        lines, room = [], hint if hint and hint > 0 else self._max_size + 1
        for line in self:
            lines.append(line)
            room -= len(line)
            if room <= 0:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _counted(self, read: Callable[[int], bytes], size: int | None) -> bytes:
        room = max(self.left, 0) + 1  # one byte too many is enough to know
        block = read(room if size is None or size < 0 else min(size, room))
        self.left -= len(block)
        if self.left < 0:
            raise _too_large(self._max_size)
        return block


def _too_large(max_size: int) -> HTTPError:
    return HTTPError(413, f"The body is larger than the {max_size} bytes taken here (max_size).")
