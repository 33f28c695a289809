"""Progress on a terminal: one line that is written over; nothing where nobody looks on."""

from __future__ import annotations

import shutil
import sys
from time import monotonic

from wsgikit.commands.command import printed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["Progress"]

_PERIOD = 0.1  # seconds between two looks


class Progress:
    """Shows how many of ``total`` steps are done, while a block runs.

    :param total: the number of steps.
    :param quiet: whether to show nothing, on a terminal too.
    """

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total = total
        self._done = 0
        self._shown = not quiet and sys.stderr.isatty()
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._write("")

    def step(self, name: str) -> None:
        """A step is done: that of ``name``."""
        self._done += 1
        now = monotonic()
        if now >= self._next:
            self._next = now + _PERIOD
            percent = 100 * self._done // self._total
            self._write(f"{percent:3} %  {self._done:,} of {self._total:,}  {name}")

    def tell(self, line: str, *, error: bool = False) -> None:
        """Print a line above the progress; the step it is about is done."""
        self._done += 1
        self._write("")
        printed(line, error=error)

    def _write(self, text: str) -> None:
        if self._shown:
            width = shutil.get_terminal_size().columns - 1
            line = ascii(text)[1:-1][:width]  # what a name holds must not move the cursor
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
