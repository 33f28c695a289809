"""Files that appear at once and complete: written under a hidden name, then given their own.

:manpage:`rename(2)` and :manpage:`link(2)`: both put a complete file in its place in one step; the
first replaces what is there, the second refuses to.
"""

from __future__ import annotations

import errno
import os
from io import BufferedWriter, FileIO
from stat import S_IMODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = ["Draft"]

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# What link() fails with where the file system has no second names: FAT, and some over a network.
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV}


class Draft:
    """A new file in a directory, under a name that begins with a dot until it is complete.

    :param folder: the path of the directory; or a descriptor of it, on systems that have those.
    :raises OSError: when no file can be made there.

    What is written to :attr:`file` is to be put in its place by :meth:`replace` or :meth:`place`.
    As a context manager it is discarded at the end, where it has not been.
    """

    #: Where to write.
    file: BufferedWriter

    def __init__(self, folder: str | int) -> None:
        self._at = folder if isinstance(folder, int) else None
        self._folder = "" if isinstance(folder, int) else folder
        self._path = self._of(f".{os.urandom(8).hex()}.part")
        self.file = BufferedWriter(FileIO(self._path, "xb", opener=self._create))

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
        self.file.close()
        os.chmod(self._path, S_IMODE(status.st_mode) & 0o777, dir_fd=self._at)
        times = (status.st_atime_ns, status.st_mtime_ns)
        os.utime(self._path, ns=times, dir_fd=self._at)

    def replace(self, name: str) -> None:
        """Put the file in its place, instead of the one that may be there."""
        self.file.close()
        os.replace(self._path, self._of(name), src_dir_fd=self._at, dst_dir_fd=self._at)
        self._path = ""

    def place(self, name: str) -> None:
        """Put the file in its place if there is nothing.

        :raises FileExistsError: when there is something, whatever it is.
        """
        self.file.close()
        _move(self._path, self._of(name), self._at)
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

    def _create(self, path: str, flags: int) -> int:
        return os.open(path, _FLAGS, 0o666, dir_fd=self._at)  # not to be inherited (PEP 446)


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
