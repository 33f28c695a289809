"""Compressed siblings: ``app.css.gz`` beside ``app.css``, made once and not at each request.

RFC 9110, section 8.4 (Content-Encoding) and section 12.5.3 (Accept-Encoding, which chooses).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event

from wsgikit.files.codings import GZIP_HEAD, SUFFIXES, Undecodable
from wsgikit.http.compressible import is_compressible
from wsgikit.http.media import guess_type
from wsgikit.trees.draft import Draft
from wsgikit.trees.opening import BLOCK_SIZE, open_file
from wsgikit.trees.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from typing import BinaryIO

    from wsgikit.files.codings import Coding

__all__ = ["Outcome", "Precompressor"]

# How much of a sibling is unpacked at a time, to something that may be a thousand times as large.
_PIECE = 4096

# Bytes that the fields of a coded response add: saving fewer is no saving.
_FIELDS = 100


class Stopped(Exception):
    """Nobody waits for this any more."""


class Outcome:
    """What was done for a file and a coding.

    :ivar name: the sibling, below the directory: ``css/app.css.gz``.
    :ivar what: ``written``; ``current``, where there was one of the same content; ``unsaved``,
        where there is none as it would save too little; ``removed``, where it was stale;
        ``orphaned``, where the file that it was written for is gone.
    :ivar size: the bytes of the file; -1 where that is gone.
    :ivar coded: the bytes of the sibling; -1 where there is none.
    """

    __slots__ = ("coded", "name", "size", "what")

    def __init__(self, name: str, what: str, size: int = -1, coded: int = -1) -> None:
        self.name = name
        self.what = what
        self.size = size
        self.coded = coded


class Job:
    """A file, and the coding in which it wants a sibling; None for one that cannot be written."""

    __slots__ = ("coding", "name", "path", "size", "target")

    def __init__(self, root: str, name: str, suffix: str, coding: Coding | None) -> None:
        self.path = os.path.join(root, name)
        self.target = self.path + suffix
        self.name = name + suffix
        self.coding = coding
        self.size = os.stat(self.path).st_size


class Precompressor:
    """Writes the compressed siblings of the files in a directory, where they save.

    :param root: the directory. What is in it and would not be served is passed over: see
        :func:`wsgikit.trees.walk.walk`. So are types that are compressed in themselves.
    :param codings: those to write. Siblings in another coding that are older than their file are
        stale, and removed.
    :param saving: the least that a sibling must save, in percent.
    :param prune: whether to remove siblings of files that are gone as well: those that were written
        here, and no archives. A gzip file tells that by its head, without a name, a time and a
        system, as hardly any other tool writes it; one in another coding by having the same time as
        such a gzip file beside it.
    :raises OSError: when the directory cannot be read.

    A sibling that is unpacked to the very content of its file is current and not written again:
    times tell nothing where a build sets them all to the same. A new one appears at once and
    complete, with the mode and the time of its file. A folder or a file in the directory that
    cannot be read is one of the outcomes, and the others go on.
    """

    def __init__(
        self, root: str, codings: Iterable[Coding], *, saving: float = 5, prune: bool = False
    ) -> None:
        self._root = root
        self._most = 1 - saving / 100
        self._prune = prune
        #: Set when nobody waits for more.
        self.stopping = Event()
        by_suffix = dict.fromkeys(SUFFIXES.values()) | {each.suffix: each for each in codings}
        self._failures: list[OSError] = []
        names = list(walk(root, self._failures.append))
        present = set(names)
        self._jobs: list[Job] = []
        self._orphans: list[str] = []
        for name in names:
            media, coded = guess_type(name)
            stem, suffix = os.path.splitext(name)
            if not is_compressible(media):
                continue
            if coded is None:
                try:
                    self._jobs += [
                        Job(root, name, suffix, coding)
                        for suffix, coding in by_suffix.items()
                        if coding is not None or name + suffix in present
                    ]
                except OSError as error:
                    self._failures.append(error)
            elif suffix in by_suffix and stem not in present and _is_written(root, stem, suffix):
                self._orphans.append(name)
        # The longest first, so that no processor waits for the last one.
        self._jobs.sort(key=lambda job: -job.size)

    def __len__(self) -> int:
        """How many outcomes there will be."""
        return len(self._failures) + len(self._orphans) + len(self._jobs)

    def run(self, threads: int = 1) -> Generator[Outcome | OSError]:
        """Do all of it, in threads: what compresses lets them run side by side.

        What fails is told as the error that it is, and the others go on. Closing the iterator stops
        them.
        """
        yield from self._failures
        for name in self._orphans:
            yield self._orphan(name)
        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(self._do, job) for job in self._jobs]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                self.stopping.set()
                pool.shutdown(cancel_futures=True)

    def _orphan(self, name: str) -> Outcome | OSError:
        if not self._prune:
            return Outcome(name, "orphaned")
        try:
            os.unlink(os.path.join(self._root, name))
        except OSError as error:
            return error
        return Outcome(name, "removed")

    def _do(self, job: Job) -> Outcome | OSError:
        try:
            source, _ = open_file(job.path)
            with source:
                if job.coding is None:
                    return self._without_coding(job)
                return self._with_coding(job, job.coding, source)
        except OSError as error:
            if error.filename != job.path:  # a folder, or nothing where the disk is full
                error.filename = job.target
            return error

    def _without_coding(self, job: Job) -> Outcome:
        there = os.stat(job.target)
        if there.st_size < job.size and there.st_mtime_ns >= os.stat(job.path).st_mtime_ns:
            return Outcome(job.name, "current", job.size, there.st_size)
        os.unlink(job.target)
        return Outcome(job.name, "removed", job.size)

    def _with_coding(self, job: Job, coding: Coding, source: BinaryIO) -> Outcome:
        status = os.fstat(source.fileno())
        there = _coded(job.target, coding, source)
        if there is not None and there < status.st_size:
            return Outcome(job.name, "current", status.st_size, there)
        source.seek(0)
        folder, name = os.path.split(job.target)
        most = min(status.st_size * self._most, status.st_size - _FIELDS)
        coded = 0
        with Draft(folder) as draft:
            for block in coding.compress(self._blocks(source)):
                coded += draft.file.write(block)
                if coded > most:
                    break
            else:
                draft.imitate(status)
                draft.replace(name)
                return Outcome(job.name, "written", status.st_size, coded)
        return self._unsaved(job)

    def _unsaved(self, job: Job) -> Outcome:
        """No sibling is worth it, and what is there has other content."""
        try:
            os.unlink(job.target)
        except FileNotFoundError:
            return Outcome(job.name, "unsaved", job.size)
        return Outcome(job.name, "removed", job.size)

    def _blocks(self, source: BinaryIO) -> Iterator[bytes]:
        while block := source.read(BLOCK_SIZE):
            if self.stopping.is_set():
                raise Stopped
            yield block


def _coded(path: str, coding: Coding, source: BinaryIO) -> int | None:
    """The size of the file at ``path`` if it has the content of ``source``, compressed."""
    try:
        sibling, status = open_file(path)
        with sibling:
            for block in coding.decompress(iter(lambda: sibling.read(_PIECE), b"")):
                if source.read(len(block)) != block:
                    return None
            return None if source.read(1) else status.st_size
    except (FileNotFoundError, Undecodable):
        return None


def _is_written(root: str, stem: str, suffix: str) -> bool:
    """Whether the file is a sibling that was written here, and nothing that was packed to be kept.

    Nothing in br and zstd tells who wrote it. Siblings of one file all have the time of that.
    """
    if stem.lower().endswith(".tar"):
        return False
    path = os.path.join(root, stem)
    try:
        beside, status = open_file(path + SUFFIXES["gzip"])
        with beside:
            if beside.read(len(GZIP_HEAD)) != GZIP_HEAD:
                return False
        return os.stat(path + suffix).st_mtime_ns == status.st_mtime_ns
    except OSError:
        return False
