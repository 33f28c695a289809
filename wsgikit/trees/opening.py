"""Opening files: only regular ones, and never so that the opening itself could hold a request."""

from __future__ import annotations

import errno
import os
from stat import S_ISREG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["BLOCK_SIZE", "OPEN_FLAGS", "TROUBLE", "open_file"]

#: How many bytes of a file are in memory at a time.
BLOCK_SIZE = 64 * 1024

# A FIFO without a writer must not hold the request; a child process must not inherit the file.
#: How a file is opened that is to be read.
OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

#: Trouble of the server, by the number of its error, which says nothing about the file.
TROUBLE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)


def open_file(path: str | os.PathLike[str]) -> tuple[BinaryIO, os.stat_result]:
    """Open a regular file and tell what was opened.

    :raises FileNotFoundError: for what is no regular file.
    :raises OSError: when it cannot be opened.
    :raises ValueError: for a path with NUL in it.
    """
    descriptor = os.open(path, OPEN_FLAGS)
    try:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            raise FileNotFoundError(errno.ENOENT, "not a regular file", path)
        return open(descriptor, "rb"), status
    except BaseException:
        os.close(descriptor)
        raise
