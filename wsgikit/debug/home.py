"""Who may see what is for developers alone: a browser on this machine, and by nobody's order."""

from __future__ import annotations

from wsgikit.http.hosts import host_name, is_loopback, is_loopback_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import WSGIEnvironment

__all__ = ["is_at_home"]

# Fields by which a proxy shows that the peer is not the client.
_PROXIED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_VIA")


def is_at_home(environ: WSGIEnvironment) -> bool:
    """Whether the request is from this machine, for this machine, and no other site's page sent it.

    The peer (REMOTE_ADDR) and the Host must be loopback addresses (``localhost``, ``*.localhost``,
    127/8, ``::1``), Origin too where there is one, and no field may tell of a proxy.
    """
    origin: str = environ.get("HTTP_ORIGIN", "")
    return (
        is_loopback_address(environ.get("REMOTE_ADDR", ""))
        # A name that an attacker lets point to 127.0.0.1 is no name of this machine.
        and _is_own(environ.get("HTTP_HOST", ""))
        and (not origin or _is_own(origin.partition("://")[2]))
        and not any(key.startswith(_PROXIED) for key in environ)
    )


def _is_own(authority: str) -> bool:
    return is_loopback(host_name(authority) or "")
