"""The access log: a line for each request on the logger ``wsgikit.access``."""

from __future__ import annotations

import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

access = logging.getLogger("wsgikit.access")


def printable(line: str) -> str:
    """A request line with what could end or colour a log's line escaped."""
    return line.encode("unicode_escape").decode().replace('"', '\\"')


def log_access(address: Any, line: str, status: int | str, size: int | str, seconds: float) -> None:
    """One line: client, request line (escaped), status, bytes of the body, milliseconds."""
    if access.isEnabledFor(logging.INFO):
        client = address[0] if address else "-"
        took = 1000 * seconds
        access.info('%s "%s" %s %s %.1f ms', client, printable(line), status, size, took)
