"""From http to https: a redirect to the same address (RFC 9110 §15.4.9)."""

from __future__ import annotations

from wsgikit.apps.hosts import malformed
from wsgikit.compose import layer
from wsgikit.environ import path_url
from wsgikit.http.hosts import host_name
from wsgikit.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["https_redirect"]

#: What has to stand outside of this layer, and why.
ORDER = {
    "inside": {
        "proxy_headers": "what had come to the proxy by https would be redirected for ever",
        "allowed_hosts": "a forged Host would become the address to go to",
    },
    "outside": {
        "sessions": "a cookie would be set by http",
        "basic_auth": "a password would be asked for by http",
        "bearer_auth": "a token would be asked for by http",
    },
}


@layer
def https_redirect(app: WSGIApplication, *, port: int = 443, status: int = 308) -> WSGIApplication:
    """What is asked for by http is redirected to https: same host, path and query.

    :param port: where https is served.
    :param status: 308, or 307, which clients do not keep; both have the method and the body sent
        again. 301 and 302 are for clients that know neither: of a POST they make a GET.
    :raises ValueError: for a port or a status that is none of these.

    A Host that is missing or malformed is a 400. What ``security_headers`` sends by https
    (Strict-Transport-Security) has browsers come by https at once the next time.
    """
    if type(port) is not int or not 0 < port < 65536:
        raise ValueError(f"port takes a number from 1 to 65535, not {port!r}")
    if status not in (301, 302, 307, 308):
        raise ValueError(f"status takes 301, 302, 307 or 308, not {status!r}")
    behind = "" if port == 443 else f":{port}"

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if environ["wsgi.url_scheme"] == "https":
            return app(environ, start_response)
        return redirect(environ)(environ, start_response)

    def redirect(environ: WSGIEnvironment) -> WSGIApplication:
        host = host_name(environ.get("HTTP_HOST", ""))
        if host is None:
            return malformed
        path = path_url(environ)
        if path[0] != "/":  # the "*" of OPTIONS
            path = "/"
        return Response.redirect(f"https://{host}{behind}{path}", status, external=True)

    return answer
