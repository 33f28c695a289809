"""What proxies tell of a request that they passed on: the Forwarded field.

RFC 7239, sections 4 (the field), 5 (its parameters) and 6 (nodes).
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv6Address

from wsgikit.http.grammar import is_token, split_list, unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Address: TypeAlias = IPv4Address | IPv6Address

#: How many elements of a field are read: those nearest to us.
MAX_ELEMENTS = 1000

# obfnode and obfport = "_" 1*( ALPHA / DIGIT / "." / "_" / "-" ) (RFC 7239, section 6.3)
_OBFUSCATED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")

# Longer than any address, and what hides one may not be longer either.
_LONGEST = 100


def parse_forwarded(text: str) -> list[dict[str, str] | None]:
    """The elements of a Forwarded field: what each proxy told, the nearest to us last.

    :param text: the field's value, several lines joined by commas.
    :returns: the parameters of each element (``for``, ``by``, ``host``, ``proto`` and extensions),
        names in lower case, values without their quotes. Of more than :data:`MAX_ELEMENTS`, those
        in front are left out. None stands for an element that is malformed or has a parameter
        twice: far from us it may be anybody's, and be ignored.

    A quote that a client left open makes all behind it one malformed element: nothing of that can
    pass for what a proxy has appended (section 8.1).

    RFC 7239, section 4.
    """
    return [_element(element) for element in split_list(text)[-MAX_ELEMENTS:]]


def parse_node(text: str) -> tuple[Address | None, str] | None:
    """Who a ``for`` or ``by`` names: address and port.

    :param text: ``192.0.2.43``, ``192.0.2.43:47011``, ``[2001:db8::1]:4711``, ``unknown``, or an
        identifier that hides who it is, such as ``_SEVKISEK``.
    :returns: the address, None where it is unknown or hidden; the port, empty where it is not told
        or hidden. None in place of both for what is malformed.

    RFC 7239, section 6.
    """
    if text[:1] == "[":
        name, bracket, rest = text[1:].partition("]")
        address = parse_address(name) if bracket and ":" in name else None
        hidden = False
    else:
        name, colon, port = text.partition(":")
        rest = colon + port
        address = parse_address(name)
        hidden = name.lower() == "unknown" or _is_obfuscated(name)
    if (address is None and not hidden) or (rest and not _is_port(rest)):
        return None
    return address, ("" if rest[1:2] == "_" else rest[1:])


def parse_address(text: str) -> Address | None:
    """An IP address; None where ``text`` is none, or names a zone (``fe80::1%eth0``).

    An IPv4 address that is written as one of IPv6 (``::ffff:192.0.2.43``), as sockets for both show
    their peers, comes out as IPv4.
    """
    if len(text) > _LONGEST or "%" in text:
        return None
    try:
        if ":" not in text:
            return IPv4Address(text)
        address = IPv6Address(text)
    except AddressValueError:
        return None
    return address.ipv4_mapped or address


def _element(text: str) -> dict[str, str] | None:
    """forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )"""
    params: dict[str, str] = {}
    for pair in split_list(text, ";"):
        name, _, value = pair.partition("=")
        plain = unquote(value)
        # What was a quoted string is shorter now; all else has to be a token.
        if not is_token(name) or (plain == value and not is_token(value)):
            return None
        if name.lower() in params:
            return None
        params[name.lower()] = plain
    return params


def _is_obfuscated(text: str) -> bool:
    return text[:1] == "_" and 1 < len(text) <= _LONGEST and _OBFUSCATED.issuperset(text)


def _is_port(text: str) -> bool:
    """ ":" node-port, which is digits or hidden"""
    port = text[1:]
    digits = port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536
    return text[0] == ":" and (digits or _is_obfuscated(port))
