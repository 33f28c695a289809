"""OPTIONS for applications that do not know it (RFC 9110 §9.3.7)."""

from __future__ import annotations

from wsgikit.arguments import check_texts
from wsgikit.compose import layer
from wsgikit.http.grammar import is_token, split_list
from wsgikit.http.headers import Headers
from wsgikit.response import Response
from wsgikit.wrap import attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["options"]

#: What has to stand outside of this layer, and why.
ORDER = {"inside": {"cors": "it answers those OPTIONS that are preflights"}}


@layer
def options(app: WSGIApplication, *, methods: Collection[str] = ()) -> WSGIApplication:
    """OPTIONS is answered with a 204 and the methods in Allow, where the application refuses it.

    :param methods: the methods to name where the application does not: it refuses by a 501, or by
        a 405 without Allow. Without them such an answer stays as it is.
    :raises ValueError: for what is no method.

    The application is asked first, so that an answer of its own counts.
    """
    methods = check_texts("methods", methods, "methods")
    for method in methods:
        if not is_token(method):
            raise ValueError(f"methods takes methods, not {method!r}")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if environ["REQUEST_METHOD"] != "OPTIONS":
            return app(environ, start_response)
        allowed: list[str] = []

        def accept(status: str, headers: HeaderList) -> bool:
            if status[:3] in ("405", "501"):
                named = ",".join(Headers.view(headers).get_all("Allow"))
                allowed.extend(split_list(named) or methods)
            return not allowed

        body = attempt(app, environ, start_response, accept)
        if body is not None:
            return body
        allow = ", ".join(dict.fromkeys([*allowed, "OPTIONS"]))
        return Response(status=204, headers=[("Allow", allow)])(environ, start_response)

    return answer
