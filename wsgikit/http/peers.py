"""Which peers are trusted, by their addresses."""

from __future__ import annotations

from ipaddress import ip_network

from wsgikit.arguments import check_texts
from wsgikit.http.forwarded import parse_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from ipaddress import IPv4Network, IPv6Network

# How many peers are remembered.
_MOST_KNOWN = 1000
# What servers call a peer on a Unix socket.
_SOCKETS = ("", "unix:", "localhost")


class TrustedPeers(dict[str, bool]):
    """Whether a peer is trusted, by its REMOTE_ADDR; remembered, as proxies are few.

    :param networks: ``["10.0.0.0/8", "2001:db8::7"]``; ``"unix"`` is any peer on a Unix socket.
    :param option: what errors call them.
    :raises ValueError: for a network that is none, or that is everybody.
    :raises TypeError: for what is no list of text.
    """

    def __init__(self, networks: Collection[str], option: str = "trusted") -> None:
        networks = check_texts(option, networks, "networks")
        self._networks = [_network(text, option) for text in networks if text != "unix"]
        self._sockets = _SOCKETS if "unix" in networks else ()

    def __missing__(self, peer: str) -> bool:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        address = parse_address(peer)
        known = any(address in network for network in self._networks if address is not None)
        self[peer] = known = known or peer in self._sockets
        return known


def _network(text: str, option: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError(
            f"{option} takes networks such as '10.0.0.0/8', or 'unix', not {text!r}"
        ) from None
    if network.prefixlen == 0:
        raise ValueError(f"{option} takes networks of proxies; {text!r} is everybody")
    return network
