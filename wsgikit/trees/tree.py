"""The files below a directory: plain names in, open files out, and never one from outside.

Only a link can lead out of a tree when the names are plain ones (:mod:`wsgikit.trees.names`). Names
are therefore entered step by step, each from the descriptor of the directory before it, and no step
follows a link (``O_NOFOLLOW``): however somebody changes the tree meanwhile, what is opened was
below the root. Where a link is met, it is resolved, has to lead below the root, and the steps begin
anew with the names that it stands for. Most requests meet none and resolve nothing.

Systems without such steps (Windows) resolve the path, open the file, and then check that the path
still leads there and to that very file.
"""

from __future__ import annotations

import errno
import os
from stat import S_ISDIR, S_ISLNK, S_ISREG

from wsgikit.http.problem import HTTPError
from wsgikit.trees.entry import Entry, entry_of
from wsgikit.trees.names import is_hidden
from wsgikit.trees.opening import TROUBLE, open_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import BinaryIO, TypeAlias

    #: A regular file, or None for a directory; and the status of what was found.
    Opened: TypeAlias = tuple[BinaryIO | None, os.stat_result]

__all__ = ["DescriptorTree", "Entry", "LinkedTree", "PathTree", "Tree"]


def _flags(*names: str) -> int:
    """Those of the flags of :func:`os.open` that this system has."""
    flags = os.O_RDONLY
    for name in names:
        flags |= getattr(os, name, 0)
    return flags


# With O_PATH, a directory that may be searched but not read can be passed through.
_STEP = _flags("O_DIRECTORY", "O_PATH", "O_CLOEXEC")
_SCAN = _flags("O_DIRECTORY", "O_CLOEXEC")
_NOFOLLOW = _flags("O_NOFOLLOW")
# A FIFO in the place of what was a file a moment ago must not hold the request.
_FILE = _flags("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC")

# What a step onto a link fails with: on Linux, on macOS, on FreeBSD.
_AT_LINK = (errno.ENOTDIR, errno.ELOOP, errno.EMLINK)


class PathTree:
    """The files below ``root``, on any system.

    :param root: a directory. It may be a link, which is followed anew each time.
    :raises ValueError: when ``root`` is no directory.

    Links in the tree are followed where they lead below the root. Names that the methods take are
    those of :func:`wsgikit.trees.names.safe_parts`.
    """

    __slots__ = ("root",)

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.path.abspath(root)
        if not os.path.isdir(self.root):
            raise ValueError(f"root takes a directory, not {os.fspath(root)!r}")

    def open(self, names: Sequence[str]) -> Opened:
        """The file of these names, opened, and its status; for a directory, None and its status.

        :raises HTTPError: 404 for what is not there, is neither file nor directory, lies outside,
            cannot be resolved or must not be read.
        :raises OSError: when the system is out of descriptors or the disk fails.
        """
        try:
            return self._open(names)
        except (OSError, UnicodeEncodeError) as error:
            raise _not_found(error) from None

    def scan(self, names: Sequence[str], *, hidden: bool = False) -> list[Entry]:
        """What is in the directory of these names, in no order.

        :param hidden: whether names that begin with a dot are told too.
        :raises HTTPError: 404 when it cannot be read.
        :raises OSError: when the system is out of descriptors or the disk fails.
        """
        try:
            return self._scan(names, hidden)
        except (OSError, UnicodeEncodeError) as error:
            raise _not_found(error) from None

    def enter(self, names: Sequence[str]) -> str | int:
        """The directory of these names, to make files in: its path, or a descriptor to be closed.

        :raises HTTPError: 404 when it is none.
        :raises OSError: when the system is out of descriptors or the disk fails.
        """
        try:
            return self._inside(names)
        except (OSError, UnicodeEncodeError) as error:
            raise _not_found(error) from None

    def _inside(self, names: Sequence[str]) -> str | int:
        path = self._resolve(names)
        if not os.path.isdir(path):
            raise FileNotFoundError
        return path

    def path(self, names: Sequence[str]) -> str:
        """Where the file of these names is, if it is; a link on the way may lead elsewhere."""
        return os.path.join(self.root, *names)

    def _open(self, names: Sequence[str]) -> Opened:
        path = self._resolve(names)
        status = os.lstat(path)
        if S_ISDIR(status.st_mode):
            return None, status
        if not S_ISREG(status.st_mode):  # to open a device can have effects of its own
            raise FileNotFoundError
        file, status = open_file(path)
        try:
            if self._resolve(names) == path and os.path.samestat(os.lstat(path), status):
                return file, status
            raise FileNotFoundError
        except BaseException:
            file.close()
            raise

    def _scan(self, names: Sequence[str], hidden: bool) -> list[Entry]:
        with os.scandir(self._resolve(names)) as found:
            return self._entries(names, found, hidden)

    def _resolve(self, names: Sequence[str]) -> str:
        """The path of these names without any link; FileNotFoundError when it leads outside."""
        root = os.path.realpath(self.root, strict=True)
        path = os.path.realpath(os.path.join(root, *names), strict=True)
        if path != root and not path.startswith(os.path.join(root, "")):
            raise FileNotFoundError
        return path

    def _entries(
        self, names: Sequence[str], found: Iterable[os.DirEntry[str]], hidden: bool
    ) -> list[Entry]:
        def resolve(name: str) -> str:
            return self._resolve([*names, name])

        return [entry_of(each, resolve) for each in found if hidden or not is_hidden(each.name)]


class DescriptorTree(PathTree):
    """The files below ``root``, where files can be opened relative to a directory's descriptor."""

    __slots__ = ()

    def _inside(self, names: Sequence[str]) -> int:
        return self._enter(self._without_links(names))

    def _open(self, names: Sequence[str]) -> Opened:
        try:
            return self._open_unlinked(names)
        except OSError as error:
            if error.errno not in _AT_LINK:
                raise
        return self._open_unlinked(self._without_links(names))

    def _scan(self, names: Sequence[str], hidden: bool) -> list[Entry]:
        folder = self._enter(self._without_links(names))
        try:
            readable = os.open(".", _SCAN, dir_fd=folder)
        finally:
            os.close(folder)
        try:
            with os.scandir(readable) as found:
                return self._entries(names, found, hidden)
        finally:
            os.close(readable)

    def _open_unlinked(self, names: Sequence[str]) -> Opened:
        *folders, name = names or ["."]
        folder = self._enter(folders)
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if S_ISDIR(status.st_mode):
                return None, status
            if S_ISLNK(status.st_mode):
                raise OSError(errno.ELOOP, "a link")
            if not S_ISREG(status.st_mode):
                raise FileNotFoundError
            descriptor = os.open(name, _FILE, dir_fd=folder)
        finally:
            os.close(folder)
        try:
            status = os.fstat(descriptor)
            if not S_ISREG(status.st_mode):
                raise FileNotFoundError
            return open(descriptor, "rb"), status
        except BaseException:
            os.close(descriptor)
            raise

    def _enter(self, names: Sequence[str]) -> int:
        """A descriptor of the directory of these names, none of which is a link."""
        folder = os.open(self.root, _STEP)
        for name in names:
            try:
                inner = os.open(name, _STEP | _NOFOLLOW, dir_fd=folder)
            finally:
                os.close(folder)
            folder = inner
        return folder

    def _without_links(self, names: Sequence[str]) -> list[str]:
        """The names, below the root, that these names stand for."""
        root = os.path.realpath(self.root, strict=True)
        path = self._resolve(names)
        return [name for name in path[len(root) :].split(os.sep) if name]


class LinkedTree(PathTree):
    """The files below ``root`` and wherever links lead: for trees whose every writer is trusted."""

    __slots__ = ()

    def _resolve(self, names: Sequence[str]) -> str:
        return os.path.realpath(self.path(names), strict=True)


def _not_found(error: Exception) -> Exception:
    """What to raise for an error: itself where it is the server's trouble, else a 404."""
    if isinstance(error, OSError) and error.errno in TROUBLE:
        return error
    return HTTPError(404)


#: The safest of them that works here.
Tree = (
    DescriptorTree
    if {os.open, os.stat} <= os.supports_dir_fd and os.scandir in os.supports_fd and _NOFOLLOW
    else PathTree
)
