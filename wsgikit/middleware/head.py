"""HEAD for applications that know GET only (RFC 9110 §9.3.2)."""

from __future__ import annotations

from wsgikit.compose import layer
from wsgikit.wrap import without_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["head"]

#: What has to stand inside of this layer, and why.
ORDER = {"outside": {"etag": "it needs the content that this layer drops"}}


@layer
def head(app: WSGIApplication) -> WSGIApplication:
    """HEAD is answered as GET is, without the content.

    The application is asked for GET, up to its first block, and its body is closed. Routers of
    wsgikit know HEAD by themselves.
    """
    bodiless = without_body(app)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if environ["REQUEST_METHOD"] != "HEAD":
            return app(environ, start_response)
        environ["REQUEST_METHOD"] = "GET"
        try:
            return bodiless(environ, start_response)
        finally:
            environ["REQUEST_METHOD"] = "HEAD"  # as those outside know it

    return answer
