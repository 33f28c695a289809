"""What a server may listen on, as it is written for ``bind``.

======================  ============================================================================
``127.0.0.1:8000``      an IPv4 address or a name of a host, and a port; port 0 takes a free one
``[::1]:8000``          an IPv6 address, in brackets
``:8000``               every IPv4 address of the machine
``unix:/run/app.sock``  a Unix socket
``fd:3``                a socket that this process has inherited, by its descriptor
``systemd``             all sockets that systemd has passed (``LISTEN_FDS``)
======================  ============================================================================
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import TypeAlias

#: The first descriptor that systemd passes: sd_listen_fds(3).
FIRST_FD = 3

_TCP = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%[^\]\s]+)?)\]|([^:\[\]/@\s]*)):([0-9]{1,5})")
_FD = re.compile(r"fd:([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.six else f"{self.host}:{self.port}"

    @property
    def six(self) -> bool:
        """The host is an address of IPv6."""
        return ":" in self.host


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a Unix socket."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A socket that is open already."""

    fd: int

    def __str__(self) -> str:
        return f"fd:{self.fd}"


#: One place to listen on; its text is what ``bind`` takes.
Address: TypeAlias = TcpAddress | UnixAddress | Descriptor


def parse_binds(
    texts: Collection[str], environ: Mapping[str, str] = os.environ
) -> tuple[Address, ...]:
    """What each of ``texts`` names; ``systemd`` may be several.

    :raises ValueError: for what is no address, and for one that comes twice.
    :raises TypeError: ``texts`` is text itself.
    """
    if isinstance(texts, str):
        raise TypeError(f"bind takes a list of addresses, not {texts!r}")
    found: list[Address] = []
    for text in texts:
        found += passed_by_systemd(environ) if text == "systemd" else [_parse(text)]
    for number, address in enumerate(found):
        free = isinstance(address, TcpAddress) and not address.port
        if address in found[:number] and not free:
            raise ValueError(f"bind has {str(address)!r} twice")
    return tuple(found)


def _parse(text: str) -> Address:
    if text.startswith("unix:") and len(text) > 5 and "\0" not in text:
        return UnixAddress(text[5:])
    if matched := _FD.fullmatch(text):
        return Descriptor(int(matched[1]))
    if matched := _TCP.fullmatch(text):
        six, host, port = matched.groups()
        if int(port) < 65536 and (six is None or ":" in six):
            return TcpAddress(six or host, int(port))
    raise ValueError(
        "bind takes addresses such as '127.0.0.1:8000', '[::1]:8000', 'unix:/run/app.sock', "
        f"'fd:3' or 'systemd', not {text!r}"
    )


def passed_by_systemd(environ: Mapping[str, str]) -> list[Address]:
    """The sockets of ``LISTEN_FDS``, where they are for this process (``LISTEN_PID``).

    :raises ValueError: there are none.
    """
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not re.fullmatch("[1-9][0-9]{0,3}", count):
        raise ValueError(
            "bind has 'systemd', but nothing was passed to this process "
            "(LISTEN_FDS and LISTEN_PID in the environment)"
        )
    return [Descriptor(FIRST_FD + number) for number in range(int(count))]
