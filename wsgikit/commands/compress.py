"""``wsgikit compress DIR``: compressed siblings for the files of a site."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from collections import Counter
from contextlib import closing

from wsgikit import assets, files, folders
from wsgikit.commands.command import Trouble, folder, number, printed
from wsgikit.commands.command import add as add_command
from wsgikit.commands.progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from wsgikit.assets.precompress import Outcome
    from wsgikit.commands.command import Command
    from wsgikit.files.codings import Coding

__all__ = ["add", "run"]

_TEXT = """\
Write compressed siblings beside the files in a directory: app.css.gz beside app.css. A server that
knows them sends them as they are, and compresses nothing at a request.

  {prog} compress public
  {prog} compress public --codings gzip --saving 20

gzip can always be written, zstd with CPython 3.14 and later, br where the module brotli is
installed. Siblings of the same content are left alone, others are replaced, or removed where they
would not save enough. Run it after "{prog} digest".
"""


def add(commands: _SubParsersAction[Command]) -> None:
    """Add the command."""
    summary = "write compressed siblings of files"
    command = add_command(commands, "compress", run, summary, _TEXT)
    command.add_argument("dir", metavar="DIR", help="the directory")
    about = "what to write, with commas between; by default all that can be written"
    command.value("codings", _codings, None, about)
    command.value("saving", number(0, 99), "5", "the least that a sibling saves, in percent")
    command.value("jobs", number(1, 999), None, "how many at a time; by default one a processor")
    command.switch("prune", "remove also siblings that were written for files that are gone")
    command.switch("quiet", "print errors only")


def run(options: Namespace) -> None:
    """Write the siblings.

    :raises Trouble: when some could not be written, or a folder could not be read.
    """
    codings = files.codings.available() if options.codings is None else options.codings
    root = folder(options.dir)
    work = assets.precompress.Precompressor(
        root, codings, saving=options.saving, prune=options.prune
    )
    threads = options.jobs or os.cpu_count() or 1
    summary = Summary()
    with Progress(len(work), quiet=options.quiet) as progress:
        with closing(work.run(threads)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, OSError):
                    summary.failed += 1
                    progress.tell(f"{outcome.filename}: {outcome.strerror}", error=True)
                else:
                    summary.add(outcome)
                    progress.step(outcome.name)
    if not options.quiet:
        for line in summary.lines():
            printed(line)
    if summary.failed:
        raise Trouble(f"{summary.failed:,} of {len(work):,} failed", 1)


class Summary:
    """Counts what was done."""

    def __init__(self) -> None:
        self.failed = 0
        self._orphans: list[str] = []
        self._counts: Counter[str] = Counter()
        # By suffix: how many siblings there are, their bytes, and those of their files.
        self._siblings: dict[str, list[int]] = {}

    def add(self, outcome: Outcome) -> None:
        self._counts[outcome.what] += 1
        if outcome.what == "orphaned":
            self._orphans.append(outcome.name)
        if outcome.coded >= 0:
            suffix = os.path.splitext(outcome.name)[1]
            total = self._siblings.setdefault(suffix, [0, 0, 0])
            for index, more in enumerate((1, outcome.coded, outcome.size)):
                total[index] += more

    def lines(self) -> list[str]:
        """What to print: the sizes by coding, then what was done."""
        lines = []
        for name, suffix in files.codings.SUFFIXES.items():
            count, coded, size = self._siblings.get(suffix, (0, 0, 0))
            if count:
                percent = 100 * coded / size
                readable = folders.contents.readable
                sizes = f"{readable(size)} → {readable(coded)} ({percent:.0f} %)"
                lines.append(f"{name:4} {count:6,} files  {sizes}".replace("\xa0", " "))
        told = [f"{self._counts[what]:,} {what}" for what in _TOLD if self._counts[what]]
        if told:
            lines.append(", ".join(told))
        elif not self.failed:
            lines.append("Nothing to compress.")
        if self._orphans:
            lines += [f"orphaned: {name}" for name in self._orphans]
            lines.append("Orphaned are siblings of files that are gone; --prune removes them.")
        return lines


_TOLD = ("written", "current", "unsaved", "removed", "orphaned")


def _codings(text: str) -> list[Coding]:
    there = {coding.name: coding for coding in files.codings.available()}
    wanted = [name.strip() for name in text.split(",")]
    for name in wanted:
        if name not in files.codings.SUFFIXES:
            raise ArgumentTypeError(f"{name!r} is none of {', '.join(files.codings.SUFFIXES)}")
        if name not in there:
            raise ArgumentTypeError(f"{name} {_LACKING[name]}")
    return [there[name] for name in dict.fromkeys(wanted)]


_LACKING = {
    "br": "needs the module brotli, which is not installed",
    "zstd": "needs CPython 3.14 or later",
}
