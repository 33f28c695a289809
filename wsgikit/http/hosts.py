"""Hosts: the authority of a request in one spelling, patterns of hosts, and which are loopback.

RFC 9110, section 7.2 (Host); RFC 3986, sections 3.2.2 and 3.2.3 (host and port); RFC 1035, section
2.3.4 (lengths); RFC 6761, section 6.3 (localhost).
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Octets of a name, as text without the dot at its end, and of a label.
_NAME_LENGTH, _LABEL_LENGTH = 253, 63
# The underscore is no letter of host names, but there are such names, and they are asked for.
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def split_host(authority: str) -> tuple[str, str] | None:
    """The host of ``host[:port]`` in one spelling, and the port as it stands.

    :param authority: the value of a Host field, or the authority of a URL without user information.
    :returns: the host in lower case, without a dot at its end, an IPv6 address in brackets and in
        its shortest form; the port, empty where there is none. None for what is malformed, a port
        above 65535 among it.

    RFC 3986, section 3.2.2; a host has no percent-encoding and no letters but those of ASCII here.
    """
    if len(authority) > _NAME_LENGTH + len(".:65535"):
        return None
    if authority[:1] == "[":
        address, bracket, rest = authority[1:].partition("]")
        if not bracket or rest[:1] not in ("", ":") or not _is_port(rest[1:]) or "%" in address:
            return None
        try:
            return f"[{IPv6Address(address)}]", rest[1:]
        except AddressValueError:
            return None
    host, _, port = authority.lower().partition(":")
    host = host.removesuffix(".")
    if not _is_port(port) or len(host) > _NAME_LENGTH:
        return None
    labels = host.split(".")
    if all(0 < len(label) <= _LABEL_LENGTH and _LABEL.issuperset(label) for label in labels):
        return host, port
    return None


def host_name(authority: str) -> str | None:
    """The host of ``host[:port]`` in one spelling, as :func:`split_host` has it, else None."""
    parts = split_host(authority)
    return parts and parts[0]


def host_pattern(pattern: str) -> str | None:
    """A pattern of hosts in one spelling.

    :param pattern: ``example.com``, ``[::1]``, or ``*.example.com`` for all below ``example.com``,
        at any depth, but not itself. Letters that are not ASCII are written as ``xn--``.
    :returns: the pattern as :func:`host_name` and :func:`wildcards` spell hosts. None for what is
        no such pattern, one with a port among it.
    """
    wild = pattern.startswith("*.")
    name = host_name(pattern[2:] if wild else pattern)
    # An address has nothing below it, and a port is not part of a host.
    if name is None or (wild and name[0] == "[") or (":" in pattern and pattern[-1] != "]"):
        return None
    return f"*.{name}" if wild else name


def wildcards(host: str) -> Iterator[str]:
    """The patterns with a star that a host is of: the longest first.

    >>> list(wildcards("a.example.com"))
    ['*.example.com', '*.com']
    """
    while host := host.partition(".")[2]:
        yield f"*.{host}"


def is_loopback(host: str) -> bool:
    """Whether a host, as :func:`host_name` spells it, is this machine and never another.

    :returns: True for ``localhost`` and what is below it, which browsers never look up (RFC 6761),
        for 127.0.0.0/8 and ``[::1]``. Any other name may be made to point to 127.0.0.1 by whoever
        owns it (DNS rebinding), and ``0.0.0.0`` is no address of a host.
    """
    return (
        host == "localhost"
        or host.endswith(".localhost")
        or (host[:1] == "[" and is_loopback_address(host[1:-1]))
        or is_loopback_address(host)
    )


def is_loopback_address(address: str) -> bool:
    """Whether an address such as REMOTE_ADDR is of 127.0.0.0/8, or ``::1``.

    An IPv4 address as a socket for both families shows it, ``::ffff:127.0.0.1``, is one too.
    """
    parts = address.removeprefix("::ffff:").split(".")
    return address == "::1" or (
        len(parts) == 4
        and parts[0] == "127"
        and all(
            part.isascii() and part.isdecimal() and len(part) < 4 and int(part) < 256
            for part in parts
        )
    )


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= 65535)
