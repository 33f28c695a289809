"""A file that came with a form: in memory, or in a temporary file."""

from __future__ import annotations

import os
from io import BytesIO

from wsgikit import forms
from wsgikit.forms.described import Described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from typing import BinaryIO

    from wsgikit.forms.spool import Spool
    from wsgikit.http.parts import Part

__all__ = ["Storage", "Upload"]

_BLOCK = 128 * 1024


class Storage:
    """Where the files of one form are: the first ``room`` bytes in memory, the others on disk."""

    __slots__ = ("closed", "room", "spool")

    def __init__(self, room: int) -> None:
        self.room = room
        self.spool: Spool | None = None
        self.closed = False

    def disk(self) -> Spool:
        """The one temporary file, made when it is needed first."""
        if self.spool is None:
            self.spool = forms.spool.Spool()
        return self.spool

    def close(self) -> None:
        """Give up all contents."""
        self.closed = True
        if self.spool is not None:
            self.spool.close()


class Upload(Described):
    """A file of a form: its name and type as the client claims, and its content.

    The content is there until the request ends: :meth:`save`, :meth:`open` or :meth:`read` it
    before. What is in memory and what is in a temporary file behaves alike.
    """

    __slots__ = ("_blocks", "_spool", "_start", "_storage", "size")

    #: How many bytes the file has.
    size: int

    def __init__(self, part: Part, storage: Storage) -> None:
        super().__init__(part)
        self.size = 0
        self._storage = storage
        self._blocks: list[bytes] = []  # empty once it is spooled
        self._spool: Spool | None = None
        self._start = 0

    @property
    def filename(self) -> str:
        """The file's name, without a path and fit for use on any system; it may be empty.

        See :func:`wsgikit.http.parts.clean_filename`. Even so, the name is the client's choice, and
        so is its extension: whoever serves uploads to others chooses names and types himself.
        """
        return self.part.filename or ""

    @property
    def original_filename(self) -> str:
        """The file's name as the client gave it: to be shown, never to be opened."""
        return self.part.original_filename or ""

    def write(self, block: bytes) -> None:
        """Append a block, while the form is read."""
        self.size += len(block)
        if self._spool is not None:
            self._spool.write(block)
            return
        self._blocks.append(block)
        storage = self._storage
        storage.room -= len(block)
        if storage.room < 0:
            storage.room += self.size
            self._spool = storage.disk()
            self._start = self._spool.begin(self._blocks)
            self._blocks = []

    def open(self) -> BinaryIO:
        """A reader of the content: seekable, at the beginning, independent of all others.

        :raises ValueError: when the request has ended.
        """
        if self._storage.closed:
            raise ValueError(f"the upload {self.name!a} is gone: its request has ended")
        if self._spool is not None:
            return self._spool.open(self._start, self.size)
        return BytesIO(b"".join(self._blocks))

    def read(self) -> bytes:
        """The whole content, in memory."""
        with self.open() as file:
            return file.read()

    def __iter__(self) -> Iterator[bytes]:
        """The content in blocks of 128 KiB at most: ``Response.stream(upload)`` sends it."""
        with self.open() as file:
            while block := file.read(_BLOCK):
                yield block

    def save(self, path: str | PathLike[str], *, replace: bool = False) -> None:
        """Write the content to a file.

        :param path: the file. A path with :attr:`filename` in it is within its folder, but whether
            a client may choose the name there is up to you.
        :param replace: whether a file that is there already may be overwritten.
        :raises FileExistsError: when there is one, and it may not.
        :raises OSError: when it cannot be written, as on a full disk. A file that was not there
            before is taken away then; one that was overwritten has lost what it had.
        """
        made = True
        try:
            target = open(path, "xb")  # noqa: SIM115
        except FileExistsError:
            if not replace:
                raise
            made, target = False, open(path, "wb")  # noqa: SIM115
        try:
            with target:
                for block in self:
                    target.write(block)
        except BaseException:
            if made:
                _remove(path)
            raise

    def __repr__(self) -> str:
        return f"<Upload {self.name!a} filename={self.original_filename!a} size={self.size}>"


def _remove(path: str | PathLike[str]) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # somebody else was faster; what has failed is told in any case
