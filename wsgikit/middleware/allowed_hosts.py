"""Requests for other hosts than ours are refused (RFC 9110 §7.2, §7.4)."""

from __future__ import annotations

from wsgikit.apps.hosts import malformed, misdirected
from wsgikit.arguments import check_texts
from wsgikit.compose import layer
from wsgikit.http.hosts import host_name, host_pattern, is_loopback, wildcards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["allowed_hosts"]

#: What has to stand outside of this layer, and what inside, and why.
ORDER = {
    "inside": {"proxy_headers": "the Host that was asked for may be in X-Forwarded-Host"},
    "outside": {"https_redirect": "a forged Host would become the address to go to"},
}

# How many different Host fields are remembered: a name below a wildcard may be any.
_MOST_KNOWN = 1000


@layer
def allowed_hosts(app: WSGIApplication, *, hosts: Collection[str] = ()) -> WSGIApplication:
    """Only requests for the hosts of this site are answered; others get a 421.

    :param hosts: ``"example.com"``, ``"[2001:db8::1]"``, or ``"*.example.com"`` for all below
        ``example.com``, at any depth, but not itself; without ports. Without any, the hosts are
        ``localhost``, what is below it, 127.0.0.0/8 and ``[::1]``, for a program that is served to
        its own machine.
    :raises ValueError: for what is no such host.
    :raises TypeError: for what is no list of text.

    A name that points here is not a name of ours: by DNS rebinding, a page of any site can have a
    name of its own point to 127.0.0.1 and then read what is served there. And what a site makes of
    a forged Host (the link in a mail, a cached page) leads its users elsewhere.

    Case, the port, and a dot at the end make no difference. A Host that is missing or malformed is
    a 400.
    """
    patterns = set()
    for given in check_texts("hosts", hosts, "hosts"):
        pattern = host_pattern(given)
        if pattern is None:
            raise ValueError(
                "hosts takes hosts without a port, such as 'example.com', '*.example.com' and"
                f" '[::1]', not {given!r}"
            )
        patterns.add(pattern)
    known: set[str] = set()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if environ.get("HTTP_HOST") in known:
            return app(environ, start_response)
        return judge(environ.get("HTTP_HOST", ""))(environ, start_response)

    def judge(field: str) -> WSGIApplication:
        host = host_name(field)
        if host is None:
            return malformed
        if patterns.isdisjoint((host, *wildcards(host))) if patterns else not is_loopback(host):
            return misdirected
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known.add(field)
        return app

    return answer
