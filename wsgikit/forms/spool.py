"""One temporary file for all that a form does not keep in memory.

One, and not one for each file of the form: a form of a thousand files must not take a thousand of
the process's file descriptors.
"""

from __future__ import annotations

from io import SEEK_CUR, SEEK_END, SEEK_SET, BufferedReader, RawIOBase
from mmap import PAGESIZE
from tempfile import TemporaryFile
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Spool"]

_BUFFER = 64 * 1024


class Spool:
    """A temporary file, written once from its beginning to its end, and read in any part.

    It has no name on systems that allow that, and is gone when it is closed, or when nobody has it
    any more.

    :raises OSError: where the folder of temporary files cannot be written (see :mod:`tempfile`,
        which also says how to choose another).
    """

    def __init__(self) -> None:
        self._file = TemporaryFile(prefix="wsgikit-", buffering=0)  # noqa: SIM115
        self._lock = Lock()
        #: Where the next block is going to stand.
        self.size = 0

    def begin(self, blocks: list[bytes]) -> int:
        """Append the first blocks of some content, and return where it begins.

        It begins so that what is appended next stands at the beginning of a page: the system takes
        long blocks a quarter faster there.
        """
        start = self.size
        start += -(start + sum(map(len, blocks))) % PAGESIZE
        self.size = self._file.seek(start)
        for block in blocks:
            self.write(block)
        return start

    def write(self, block: bytes) -> None:
        """Append a block.

        :raises OSError: when the disk is full.
        """
        written = self._file.write(block)
        self.size += written
        while written < len(block):  # the disk is nearly full, or a signal came
            block = block[written:]
            written = self._file.write(block)
            self.size += written

    def open(self, start: int, size: int) -> BufferedReader:
        """A reader of ``size`` bytes from ``start`` on; there may be many, in many threads."""
        return BufferedReader(_Window(self, start, size), _BUFFER)

    def read_into(self, buffer: memoryview, place: int) -> int:
        """Fill ``buffer`` with what was written at ``place``; how many bytes there were.

        :raises ValueError: when the file is closed.
        """
        with self._lock:  # os.pread would need none, and is not there on every system
            self._file.seek(place)
            return self._file.readinto(buffer)

    def close(self) -> None:
        """Remove the file; a second call does nothing."""
        self._file.close()

    __del__ = close


class _Window(RawIOBase):
    """A part of a spool, as a file of its own."""

    def __init__(self, spool: Spool, start: int, size: int) -> None:
        self._spool = spool
        self._start = start
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        origins = {SEEK_SET: 0, SEEK_CUR: self._place, SEEK_END: self._size}
        place = origins[whence] + offset
        if place < 0:
            raise ValueError(f"negative position {place}")
        self._place = place
        return place

    def readinto(self, buffer: WriteableBuffer) -> int:
        room = memoryview(buffer)[: max(0, self._size - self._place)]
        count = self._spool.read_into(room, self._start + self._place) if room else 0
        self._place += count
        return count
