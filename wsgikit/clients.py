"""Whom a limit counts as one client: by its address, unless it is told another way."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_network

from wsgikit.arguments import check_function, check_texts
from wsgikit.http.forwarded import parse_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from ipaddress import IPv4Network, IPv6Network

    from wsgikit.types import WSGIEnvironment

__all__ = ["Clients", "client_address"]

# How many addresses are remembered with what is known of them.
_MOST_KNOWN = 1000


def client_address(environ: WSGIEnvironment) -> str:
    """The client's address: of IPv4 the whole, of IPv6 its network of 64 bits.

    Whoever has an address of IPv6 has all of such a network, and may take another address for each
    request. It is REMOTE_ADDR that is read, where the layer ``proxy_headers`` puts the address of a
    client behind a proxy. Where that is unknown it is empty: all of whom one knows nothing are one.
    """
    address: str = environ.get("REMOTE_ADDR", "")
    return address if ":" not in address else _networks[address]


class _Networks(dict[str, str]):
    """The network of an address of IPv6; remembered, as to find it takes 15 µs."""

    def __missing__(self, address: str) -> str:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        parsed = parse_address(address)
        if parsed is None:  # it has a zone (fe80::1%eth0), or is something else
            network = address
        elif parsed.version == 4:
            network = str(parsed)
        else:
            network = f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
        self[address] = network
        return network


_networks = _Networks()


class Clients:
    """Tells clients apart, for a layer with the options ``key`` and ``safelist``.

    :param key: returns who a client is, a text, or None for whom the layer does not count.
    :param safelist: networks whose clients are not counted.
    :raises TypeError: when ``key`` is no function, or ``safelist`` no list of text.
    :raises ValueError: for what is no network.
    """

    def __init__(
        self, key: Callable[[WSGIEnvironment], str | None], safelist: Collection[str]
    ) -> None:
        check_function("key", key, "a function of an environ")
        safelist = check_texts("safelist", safelist, "networks")
        self._key = key
        self._safe = _Safe([_network(text) for text in safelist]) if safelist else None

    def key(self, environ: WSGIEnvironment) -> str | None:
        """Who has sent this request; None for whom is not counted.

        :raises TypeError: when ``key`` returned something else.
        """
        if self._safe is not None and self._safe[environ.get("REMOTE_ADDR", "")]:
            return None
        key = self._key(environ)
        if key is not None and not isinstance(key, str):
            raise TypeError(f"key returned {key!r}: it has to return a str, or None")
        return key


class _Safe(dict[str, bool]):
    """Whether a REMOTE_ADDR is of these networks; remembered, as clients come again."""

    def __init__(self, networks: list[IPv4Network | IPv6Network]) -> None:
        self._networks = networks

    def __missing__(self, text: str) -> bool:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        address = parse_address(text)
        safe = address is not None and any(address in network for network in self._networks)
        self[text] = safe
        return safe


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"safelist takes networks such as '10.0.0.0/8', not {text!r}") from None
