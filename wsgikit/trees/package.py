"""The files of a package or of a zip: whatever :mod:`importlib.resources` can walk through."""

from __future__ import annotations

import os
from io import BytesIO
from itertools import count
from stat import S_IFDIR, S_IFREG

from wsgikit.http.problem import HTTPError
from wsgikit.trees.names import is_hidden, url_name
from wsgikit.trees.opening import open_file
from wsgikit.trees.tree import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable
    from typing import BinaryIO

    from wsgikit.trees.tree import Opened

__all__ = ["PackageTree"]

_numbers = count(1)


class PackageTree:
    """The files below ``root``, as :class:`wsgikit.trees.tree.PathTree` has those of a directory.

    :param root: ``importlib.resources.files("package") / "static"``, or a :class:`zipfile.Path`.
    :raises ValueError: when ``root`` is no directory, or has nothing in it.

    Names are entered step by step, and there are no links: what is one in the file system (parts of
    a namespace package lie there) is passed over.
    """

    __slots__ = ("root",)

    def __init__(self, root: Traversable) -> None:
        self.root = root
        # A path in a zip that ends with a slash says that it is one, whether it is there or not.
        if not root.is_dir() or next(iter(root.iterdir()), None) is None:
            raise ValueError(f"root takes a directory with something in it, not {root!r}")

    def open(self, names: Sequence[str]) -> Opened:
        """The file of these names, opened, and its status; for a directory, None and its status.

        :raises HTTPError: 404 for what is not there.
        """
        item = self._item(names)
        if item.is_dir():
            return None, _status(S_IFDIR, 0)
        path = _path(item)
        if path is not None:
            try:
                return open_file(path)
            except OSError:
                raise HTTPError(404) from None
        file = _seekable(item)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        return file, _status(S_IFREG, size)

    def scan(self, names: Sequence[str], *, hidden: bool = False) -> list[Entry]:
        """What is in the directory of these names, in no order; of files without their sizes.

        :param hidden: whether names that begin with a dot are told too.
        :raises HTTPError: 404 when there is no such directory.
        """
        item = self._item(names)
        if not item.is_dir():
            raise HTTPError(404)
        return [
            Entry(each.name, _status(S_IFDIR if each.is_dir() else S_IFREG, 0))
            for each in item.iterdir()
            if url_name(each.name) is not None
            and not _is_link(each)
            and (hidden or not is_hidden(each.name))
        ]

    def path(self, names: Sequence[str]) -> str | None:
        """Where the file system has the file of these names; None where it has none."""
        try:
            return _path(self._item(names))
        except HTTPError:
            return None

    def _item(self, names: Sequence[str]) -> Traversable:
        item = self.root
        for name in names:
            # To ask a file for what is below it is an error here and an answer there.
            if not item.is_dir():
                raise HTTPError(404)
            item = item.joinpath(name)
            if _is_link(item):
                raise HTTPError(404)
        if not (item.is_dir() or item.is_file()):
            raise HTTPError(404)
        return item


def _seekable(item: Traversable) -> BinaryIO:
    file: BinaryIO = item.open("rb")  # type: ignore[assignment]  # what IO[bytes] there means
    if file.seekable():
        return file
    with file:
        return BytesIO(file.read())


def _path(item: Traversable) -> str | None:
    return os.fspath(item) if isinstance(item, os.PathLike) else None


def _is_link(item: Traversable) -> bool:
    path = _path(item)
    return path is not None and os.path.islink(path)


def _status(kind: int, size: int) -> os.stat_result:
    """A status of what has none: without times, and with a number of its own."""
    values = (kind | 0o444, next(_numbers), 0, 1, 0, 0, size, 0, 0, 0)
    return os.stat_result(values, {"st_mtime_ns": 0, "st_ctime_ns": 0})
