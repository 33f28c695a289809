"""A tar archive as a stream, compressed by gzip: written from front to end, with nothing kept.

POSIX.1-2017, "pax Interchange Format"; RFC 1952 (gzip).
"""

from __future__ import annotations

from tarfile import BLOCKSIZE, DIRTYPE, PAX_FORMAT, TarInfo

from wsgikit.files.codings import gzip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wsgikit.archives.members import Member

__all__ = ["tarred"]


def tarred(members: Iterable[Member]) -> Iterator[bytes]:
    """The compressed archive of the members, in blocks. It tells no owner, and no time of its own.

    :raises EOFError: when a file becomes shorter while it is read.
    """
    return gzip(_tar(members), level=6)


def _tar(members: Iterable[Member]) -> Iterator[bytes]:
    for member in members:
        info = TarInfo(member.path)
        info.mtime = member.modified
        if member.is_folder:
            info.type, info.mode = DIRTYPE, 0o755
        else:
            info.size, info.mode = member.size, 0o755 if member.executable else 0o644
        yield info.tobuf(PAX_FORMAT, "utf-8", "strict")
        yield from member.blocks()
        yield bytes(-member.size % BLOCKSIZE)
    yield bytes(2 * BLOCKSIZE)
