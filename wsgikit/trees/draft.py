"""Files that appear at once and complete: written without a name, then given their own.

:manpage:`open(2)`, ``O_TMPFILE``: a file without a name is gone when its process is, however that
ended. :manpage:`rename(2)` and :manpage:`link(2)`: both put a complete file in its place in one
step; the first replaces what is there, the second refuses to.

Only Linux has such files, and not on every file system. Elsewhere a draft has a hidden name,
``.0123456789abcdef.part``, and on Linux it has one for the moment in which it replaces a file.
A process that is killed leaves that behind. The next draft in the folder that takes such a name
removes those that are older than a day.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager
from io import BufferedWriter, FileIO
from stat import S_IMODE
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

__all__ = ["Draft"]

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_NAMELESS = getattr(os, "O_TMPFILE", 0)
# Where a file without a name is found, to be given one.
_DESCRIPTORS = "/proc/self/fd"
# What link() fails with where the file system has no second names: FAT, and some over a network.
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV}

_HIDDEN = re.compile(r"\.[0-9a-f]{16}\.part")
# In seconds: when a hidden file is nobody's any more, and how often a folder is looked through.
_DAY = 24 * 60 * 60
_PAUSE = 60 * 60
# When each folder, by its device and number, was looked through, for so many of them.
_swept: dict[tuple[int, int], float] = {}
_MOST_SWEPT = 1000


class Draft:
    """A new file in a directory, which nobody sees there before it is complete.

    :param folder: the path of the directory; or a descriptor of it, on systems that have those.
    :raises OSError: when no file can be made there.

    What is written to :attr:`file` is to be put in its place by :meth:`replace` or :meth:`place`.
    As a context manager it is discarded at the end, where it has not been. What the methods raise
    names the file that was to be, not the hidden one.
    """

    #: Where to write.
    file: BufferedWriter

    def __init__(self, folder: str | int) -> None:
        self._at = folder if isinstance(folder, int) else None
        self._folder = "" if isinstance(folder, int) else folder
        self._path = ""  # its hidden name, while it has one
        self.file = BufferedWriter(FileIO(self._open(), "wb"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.discard()

    def is_taken(self, name: str) -> bool:
        """Whether there is something of that name, which :meth:`place` would fail for."""
        try:
            os.stat(self._of(name), dir_fd=self._at, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def imitate(self, status: os.stat_result) -> None:
        """Give the file the mode and the time of another; nothing can be written any more."""
        self.file.flush()
        there: str | int = self.file.fileno()
        at = None
        if self._path:
            self.file.close()
            there, at = self._path, self._at
        os.chmod(there, S_IMODE(status.st_mode) & 0o777, dir_fd=at)
        os.utime(there, ns=(status.st_atime_ns, status.st_mtime_ns), dir_fd=at)

    def replace(self, name: str) -> None:
        """Put the file in its place, instead of the one that may be there."""
        target = self._of(name)
        with _about(target):
            if not self._path:
                try:
                    self._link(target)
                    return
                except FileExistsError:
                    hidden = self._hidden()
                    self._link(hidden)
                    self._path = hidden
            self.file.close()
            os.replace(self._path, target, src_dir_fd=self._at, dst_dir_fd=self._at)
            self._path = ""

    def place(self, name: str) -> None:
        """Put the file in its place if there is nothing.

        :raises FileExistsError: when there is something, whatever it is.
        """
        target = self._of(name)
        with _about(target):
            if not self._path:
                self._link(target)
                return
            self.file.close()
            _move(self._path, target, self._at)
            self._path = ""

    def discard(self) -> None:
        """Drop what was written, unless it is in its place."""
        try:
            self.file.close()
        except OSError:
            pass  # the disk is full, and what could not be written is not wanted any more
        if self._path:
            os.unlink(self._path, dir_fd=self._at)
            self._path = ""

    def _of(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _open(self) -> int:
        """A descriptor of the file, not to be inherited (PEP 446): without a name if possible."""
        here = self._of(os.curdir)
        if _NAMELESS and os.path.isdir(_DESCRIPTORS):
            try:
                return os.open(here, os.O_WRONLY | _NAMELESS, 0o666, dir_fd=self._at)
            except OSError:
                pass  # the file system has none; if anything else is wrong, it is so below
        with _about(self._folder or here):
            path = self._hidden()
            descriptor = os.open(path, _FLAGS, 0o666, dir_fd=self._at)
        self._path = path
        return descriptor

    def _hidden(self) -> str:
        """A path for the file that is not shown, and nobody has."""
        _sweep(self._of(os.curdir), self._at)
        return self._of(f".{os.urandom(8).hex()}.part")

    def _link(self, path: str) -> None:
        """Give the file without a name one, where there is nothing."""
        self.file.flush()
        number = self.file.fileno()
        # With a descriptor it is linkat(), which follows the link that stands in /proc for a file.
        os.link(f"{_DESCRIPTORS}/{number}", path, src_dir_fd=number, dst_dir_fd=self._at)
        self.file.close()


@contextmanager
def _about(path: str) -> Iterator[None]:
    """Errors of the system that name this path, instead of one that nobody knows."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def _sweep(folder: str, at: int | None) -> None:
    """Remove the hidden files that nobody has changed for a day; once in a while in a folder."""
    try:
        status = os.stat(folder, dir_fd=at)
        key = (status.st_dev, status.st_ino)
        now = time()
        if _swept.get(key, 0) <= now < _swept.get(key, 0) + _PAUSE:
            return
        if len(_swept) >= _MOST_SWEPT:
            _swept.clear()
        _swept[key] = now
        for name in _left(folder, at, now - _DAY):
            os.unlink(os.path.join(folder, name), dir_fd=at)
    except OSError:
        pass  # it cannot be read, or somebody else was faster: no matter of the new file


def _left(folder: str, at: int | None, before: float) -> list[str]:
    """The hidden files in a directory that were last changed before that time."""
    # A descriptor may be one that only leads there, not one to read from.
    there = folder if at is None else os.open(folder, os.O_RDONLY, dir_fd=at)
    try:
        with os.scandir(there) as found:
            hidden = [entry for entry in found if _HIDDEN.fullmatch(entry.name)]
            # A draft may have the time of another file, but not as that of its own change.
            times = [(entry.stat(follow_symlinks=False), entry.name) for entry in hidden]
    finally:
        if isinstance(there, int):
            os.close(there)
    return [name for status, name in times if max(status.st_mtime, status.st_ctime) < before]


def _link(path: str, target: str, at: int | None) -> None:
    try:
        os.link(path, target, src_dir_fd=at, dst_dir_fd=at)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _claim(path, target, at)
    else:
        os.unlink(path, dir_fd=at)


def _claim(path: str, target: str, at: int | None) -> None:
    """Make an empty file, which fails where there is one, and then replace this one's own."""
    os.close(os.open(target, _FLAGS, 0o666, dir_fd=at))
    os.replace(path, target, src_dir_fd=at, dst_dir_fd=at)


def _rename(path: str, target: str, at: int | None) -> None:
    os.rename(path, target)


# On Windows, a plain rename refuses to replace.
_move: Callable[[str, str, int | None], None] = _rename if os.name == "nt" else _link
