"""Contents of small files, kept in memory up to a limit."""

from __future__ import annotations

from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.files.representation import Representation

__all__ = ["LARGEST", "Memory"]

#: The largest file that is kept, in bytes. To open one costs little beside sending more than that.
LARGEST = 128 * 1024


class Memory:
    """What is kept of the contents of files: so many bytes in all, of no file more than 128 KiB.

    :param limit: bytes in all.
    :param evicts: whether new contents take the place of those that were not used for the longest
        time; otherwise what comes when all is full is not kept.
    """

    __slots__ = ("_evicts", "_kept", "_limit", "_lock", "largest", "size")

    def __init__(self, limit: int, *, evicts: bool) -> None:
        self._limit = limit
        self._evicts = evicts
        self._kept: dict[Representation, None] = {}  # the one in use last is the last
        self._lock = Lock()
        #: The size of the largest file that would be kept, -1 where none is.
        self.largest = min(limit, LARGEST) if limit else -1
        #: The bytes that are kept.
        self.size = 0

    def keep(self, shown: Representation, content: bytes) -> None:
        """Give ``shown`` its content for the time being, as far as there is room."""
        if len(content) > self.largest or len(content) != shown.size:
            return
        with self._lock:
            if shown in self._kept or (self.size + len(content) > self._limit and not self._evicts):
                return
            shown.content = (content,)
            self._kept[shown] = None
            self.size += len(content)
            while self.size > self._limit:
                self._drop(next(iter(self._kept)))

    def renew(self, shown: Representation) -> None:
        """Take note that ``shown`` is in use; its content is read again if it was dropped.

        :raises Changed: when it is another version that is there.
        """
        with self._lock:
            kept = shown in self._kept
            if kept:
                del self._kept[shown]
                self._kept[shown] = None
        if not kept and self._evicts and shown.size <= self.largest:
            with shown.open() as file:
                self.keep(shown, file.read(shown.size + 1))

    def drop(self, shown: Representation) -> None:
        """Keep the content of ``shown`` no longer."""
        with self._lock:
            if shown in self._kept:
                self._drop(shown)

    def _drop(self, shown: Representation) -> None:
        del self._kept[shown]
        self.size -= shown.size
        shown.content = None
