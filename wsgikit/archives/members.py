"""What goes into the archive of a folder: the files that a listing of it would lead to."""

from __future__ import annotations

from io import BytesIO
from stat import S_IXUSR

from wsgikit.http.problem import HTTPError
from wsgikit.trees.names import numbered
from wsgikit.trees.opening import BLOCK_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import BinaryIO

    from wsgikit.trees.tree import Entry, PathTree

__all__ = ["MISSING", "Member", "members"]

#: The name of the file in an archive that tells what could not be read.
MISSING = "MISSING.txt"


class Member:
    """A file or a folder, as an archive has it.

    :ivar path: where it is in the archive: names with slashes between, and one behind a folder.
    :ivar size: the bytes of a file.
    :ivar modified: seconds since 1970.
    :ivar executable: whether it is a file to be run.
    """

    __slots__ = ("_file", "executable", "modified", "path", "size")

    def __init__(
        self,
        path: str,
        file: BinaryIO | None,
        size: int = 0,
        modified: float = 0,
        executable: bool = False,
    ) -> None:
        self.path = path
        self.size = size
        self.modified = int(modified)
        self.executable = executable
        self._file = file

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, which has no content."""
        return self._file is None

    def blocks(self) -> Iterator[bytes]:
        """The content: as many bytes as the file had when it was opened.

        :raises EOFError: when it has become shorter: whoever gets the archive must not take it for
            complete.
        """
        left = self.size
        while left and self._file is not None:
            block = self._file.read(min(left, BLOCK_SIZE))
            if not block:
                raise EOFError("the file became shorter while it was sent")
            left -= len(block)
            yield block


def members(
    tree: PathTree, names: list[str], top: str, modified: float, *, hidden: bool = False
) -> Generator[Member]:
    """The files and folders below the folder of these names, in order, and that itself.

    A file is open until the next member is asked for.

    :param top: what the folder is called in the archive.
    :param modified: the time of the folder.
    :param hidden: whether names that begin with a dot are told too.

    Links to files are followed as the tree follows them, links to folders are not: they may lead
    in a circle. What cannot be read is named in a file :data:`MISSING` at the end. No two members
    have one name: what would have that of another gets a number, ``MISSING (2).txt``.
    """
    missing: list[str] = []
    at_top: set[str] | None = None
    folders: list[tuple[list[str], str, float]] = [(names, f"{top}/", modified)]
    while folders:
        names, path, modified = folders.pop()
        yield Member(path, None, modified=modified)
        try:
            entries = sorted(tree.scan(names, hidden=hidden), key=_name)
        except HTTPError:
            missing.append(path)
            continue
        taken = {entry.name for entry in entries}
        if at_top is None:
            at_top = taken
        inner = []
        for entry in entries:
            if entry.status is None or (entry.is_folder and entry.is_link):
                continue
            name = path + _portable(entry.name, taken)
            if entry.is_folder:
                inner.append(([*names, entry.name], f"{name}/", entry.status.st_mtime))
                continue
            try:
                file, status = tree.open([*names, entry.name])
            except HTTPError:
                missing.append(name)
                continue
            if file is not None:  # it may have become a folder since
                with file:
                    executable = bool(status.st_mode & S_IXUSR)
                    yield Member(name, file, status.st_size, status.st_mtime, executable)
        folders += reversed(inner)
    if missing:
        text = "\n".join(["These could not be read:", *missing, ""]).encode()
        name = _free(MISSING, at_top or set())
        yield Member(f"{top}/{name}", BytesIO(text), len(text), modified)


def _name(entry: Entry) -> str:
    return entry.name


def _portable(name: str, taken: set[str]) -> str:
    """The name with octets that are no UTF-8 as in a URL, since archives have names in UTF-8.

    :param taken: the names in its folder, to which it is added.
    """
    if not any(map(_is_octet, name)):
        return name
    plain = name.replace("%", "%25")
    escaped = [f"%{ord(char) & 0xFF:02X}" if _is_octet(char) else char for char in plain]
    return _free("".join(escaped), taken)


def _is_octet(char: str) -> bool:
    """Whether it stands for an octet that is no UTF-8 (PEP 383)."""
    return "\ud800" <= char <= "\udfff"


def _free(name: str, taken: set[str]) -> str:
    """The name, or that with a number which is not taken, and is now."""
    free = next(each for each in numbered(name) if each not in taken)
    taken.add(free)
    return free
