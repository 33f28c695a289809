"""What a server that nobody has configured shows on its terminal."""

from __future__ import annotations

import logging
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_DIM, _RED, _GREEN, _YELLOW, _CYAN = "2", "31", "32", "33", "36"
# By the first digit of a status.
_STATUS = {"2": _GREEN, "3": _CYAN, "4": _YELLOW, "5": _RED}


def log_to_stderr() -> None:
    """Give wsgikit's loggers a plain handler, unless somebody has configured logging.

    On a terminal its lines are coloured, but where ``NO_COLOR`` is set.
    """
    logger = logging.getLogger("wsgikit")
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        kind = Coloured if has_colours(sys.stderr) else logging.Formatter
        handler.setFormatter(kind("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def has_colours(stream: TextIO | None, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether ``stream`` is a terminal that shows colours to somebody who wants them.

    https://no-color.org
    """
    if stream is None or environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return stream.isatty() and (os.name == "posix" or "WT_SESSION" in environ)


class Coloured(logging.Formatter):
    """Shows the status of a request, or a whole line that tells of trouble, in a colour."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        if record.name == "wsgikit.access" and isinstance(record.args, tuple):
            status = str(record.args[2])
            # What a client sent is escaped: this is where the request line ends.
            before, end, after = line.rpartition(f'" {status} ')
            colour = _STATUS.get(status[:1], _DIM)
            return f'{before}" \x1b[{colour}m{status}\x1b[0m {after}' if end else line
        if record.levelno >= logging.WARNING:
            colour = _RED if record.levelno >= logging.ERROR else _YELLOW
            return f"\x1b[{colour}m{line}\x1b[0m"
        return line
