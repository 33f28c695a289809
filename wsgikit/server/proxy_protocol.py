"""The PROXY protocol: the line, or the block, by which a proxy tells whose connection it passes on.

Versions 1 and 2 of the specification by HAProxy (``doc/proxy-protocol.txt``), read strictly. Bytes
in, a :class:`ProxyHeader` out, no I/O.
"""

from __future__ import annotations

import re
import struct
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

#: What version 2 begins with. No request does, in no version of HTTP.
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
#: Bytes of the longest header of version 1, with its CRLF (section 2.1).
LONGEST_LINE = 107
#: Bytes of the longest block of version 2 that is read. An address of any kind takes up to 216.
LONGEST_BLOCK = 4096

_BEGIN = b"PROXY "
_FIXED = struct.Struct("!12sBBH")
_FOUR, _SIX, _UNIX = 1, 2, 3
_ADDRESSES = {
    _FOUR: struct.Struct("!4s4sHH"),
    _SIX: struct.Struct("!16s16sHH"),
    _UNIX: struct.Struct("!108s108s"),
}
_STREAM = 0x1
# Section 2.1: "in decimal, without leading zeroes".
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")
_TLV = struct.Struct("!BH")
# Section 2.2.6: PP2_TYPE_SSL, and PP2_CLIENT_SSL in its first byte.
_SSL, _CLIENT_SSL = 0x20, 0x01


class ProxyHeader(NamedTuple):
    """What a proxy says of a connection."""

    #: Bytes of the header; what follows is the client's.
    size: int
    #: Address and port of the client; None where the connection is the proxy's own, or unknown.
    client: tuple[str, int] | None
    #: The client came to the proxy by TLS.
    secure: bool = False


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """The header that ``data`` begins with; None while there has to come more of it.

    :raises ValueError: there is none, or it is malformed; the message says what it is.
    """
    if SIGNATURE.startswith(data[:12]):
        return _read_block(data) if len(data) >= _FIXED.size else None
    if _BEGIN.startswith(data[:6]):
        return _read_line(data)
    raise ValueError("there is no PROXY header")


def _read_line(data: bytes) -> ProxyHeader | None:
    """Version 1: section 2.1."""
    line, end, _ = data[:LONGEST_LINE].partition(b"\r\n")
    if b"\n" in line or b"\r" in (line if end else line[:-1]):
        raise ValueError("the PROXY line does not end with CRLF")
    if not end:
        if len(data) >= LONGEST_LINE:
            raise ValueError(f"the PROXY line is longer than {LONGEST_LINE} bytes")
        return None
    size = len(line) + 2
    _, kind, *rest = line.decode("latin-1").split(" ")
    if kind == "UNKNOWN":
        return ProxyHeader(size, None)
    if kind not in ("TCP4", "TCP6") or len(rest) != 4:
        raise ValueError("the PROXY line is malformed")
    source, target, *ports = rest
    if not all(_PORT.fullmatch(port) and int(port) < 65536 for port in ports):
        raise ValueError("the PROXY line has a malformed port")
    read = IPv4Address if kind == "TCP4" else IPv6Address
    if "%" in source + target:
        raise ValueError("the PROXY line has an address with a zone")
    read(target)
    return ProxyHeader(size, (_text(read(source)), int(ports[0])))


def _read_block(data: bytes) -> ProxyHeader | None:
    """Version 2: section 2.2."""
    _, command, protocol, length = _FIXED.unpack_from(data)
    if command not in (0x20, 0x21):
        raise ValueError(f"the PROXY block has version and command {command:#x}")
    family, transport = divmod(protocol, 16)
    if family > _UNIX or transport > 2:
        raise ValueError(f"the PROXY block has family and transport {protocol:#x}")
    if length > LONGEST_BLOCK:
        raise ValueError(f"the PROXY block is longer than {LONGEST_BLOCK} bytes")
    size = _FIXED.size + length
    if len(data) < size:
        return None
    if command == 0x20 or not family:  # LOCAL: a check of its health, say; or UNSPEC
        return ProxyHeader(size, None)
    rest = data[_FIXED.size : size]
    client = None
    addresses = _ADDRESSES[family]
    if length < addresses.size:
        raise ValueError("the PROXY block is shorter than its addresses")
    if family != _UNIX and transport == _STREAM:
        source, _, port, _ = addresses.unpack_from(rest)
        client = _text(IPv4Address(source) if family == _FOUR else IPv6Address(source)), port
    return ProxyHeader(size, client, _is_secure(rest[addresses.size :]))


def _is_secure(rest: bytes) -> bool:
    """Whether one of the values after the addresses says that the client came by TLS."""
    secure = False
    while rest:
        if len(rest) < _TLV.size:
            raise ValueError("the PROXY block ends within a value")
        kind, length = _TLV.unpack_from(rest)
        value = rest[_TLV.size : _TLV.size + length]
        if len(value) < length:
            raise ValueError("the PROXY block ends within a value")
        if kind == _SSL and value:
            secure = bool(value[0] & _CLIENT_SSL)
        rest = rest[_TLV.size + length :]
    return secure


def _text(address: IPv4Address | IPv6Address) -> str:
    """An address as sockets show it; one of IPv4 that is written as IPv6 is IPv4 again."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
