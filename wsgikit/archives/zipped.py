"""A zip archive as a stream: written from front to end, with nothing kept but its directory.

APPNOTE.TXT 6.3.10 (PKWARE), sections 4.3.7 (local headers), 4.3.9 (data descriptors, as sizes are
not known before), 4.3.12 to 4.3.16 (the directory and its end), 4.5.3 (Zip64).
"""

from __future__ import annotations

import zlib
from struct import Struct
from time import localtime

from wsgikit.http.compressible import is_compressible
from wsgikit.http.media import guess_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wsgikit.archives.members import Member

__all__ = ["zipped"]

# Signature, version, flags, method, clock, day; CRC, coded and plain size; lengths of the name and
# of the extra fields.
_LOCAL = Struct("<4s5H3L2H")
# The same with the version that made it in front; then comment, disk, attributes, offset.
_CENTRAL = Struct("<4s6H3L5H2L")
_DESCRIPTOR, _DESCRIPTOR_64 = Struct("<4s3L"), Struct("<4sL2Q")
_END = Struct("<4s4H2LH")
_END_64, _LOCATOR = Struct("<4sQ2H2L4Q"), Struct("<4sLQL")
_ZIP64, _WIDE = Struct("<2H"), Struct("<Q")
# Info-ZIP's extended timestamp: the time in UTC, as that of the headers is of no time zone.
_STAMP = Struct("<2HBl")

_VERSION, _VERSION_64, _UNIX = 20, 45, 3 << 8
_FOLLOWS, _UTF8 = 0x0008, 0x0800  # flags: sizes stand behind the content; how names are coded
_STORED, _DEFLATED = 0, 8
_MOST, _MOST_MEMBERS = 0xFFFFFFFF, 0xFFFF
# What deflate cannot make smaller becomes a little larger: five bytes in 16 KB.
_LARGE = _MOST - _MOST // 1000


def zipped(members: Iterable[Member]) -> Iterator[bytes]:
    """The archive of the members, in blocks.

    About a hundred bytes are kept for each member, and nothing of its content. What is compressed
    in itself goes in as it is, as deflate that saves nothing: other than stored content, this can
    be unpacked while it arrives.
    """
    archive = Archive()
    for member in members:
        yield from archive.add(member)
    yield archive.end()


class Archive:
    """An archive that is being written."""

    __slots__ = ("count", "directory", "offset")

    def __init__(self) -> None:
        self.count = 0
        self.directory = bytearray()
        self.offset = 0

    def add(self, member: Member) -> Iterator[bytes]:
        """What stands in the archive for this member."""
        start = self.offset
        name = member.path.encode()
        large = member.size > _LARGE
        version = _VERSION_64 if large else _VERSION
        method, flags = (_STORED, _UTF8) if member.is_folder else (_DEFLATED, _UTF8 | _FOLLOWS)
        common = (version, flags, method, *_moment(member.modified))
        stamp = b""
        if -(2**31) <= member.modified < 2**31:
            stamp = _STAMP.pack(0x5455, 5, 1, member.modified)
        # An empty field of Zip64 says that the sizes behind the content have eight bytes each.
        extra = stamp + (_ZIP64.pack(1, 16) + bytes(16) if large else b"")
        head = _LOCAL.pack(b"PK\3\4", *common, 0, 0, 0, len(name), len(extra)) + name + extra
        self.offset += len(head)
        yield head

        content = Content(member)
        if not member.is_folder:
            yield from content.blocks()
            descriptor = (_DESCRIPTOR_64 if large else _DESCRIPTOR).pack(
                b"PK\7\x08", content.checksum, content.coded, content.size
            )
            self.offset += content.coded + len(descriptor)
            yield descriptor

        # What four bytes do not hold stands in a field of Zip64, in this order.
        numbers = (content.size, content.coded, start)
        wide = [number for number in numbers if number >= _MOST]
        extra = stamp
        if wide:
            extra += _ZIP64.pack(1, 8 * len(wide)) + b"".join(map(_WIDE.pack, wide))
        size, coded, start = map(_narrow, numbers)
        self.directory += _CENTRAL.pack(
            *(b"PK\1\2", _UNIX | _VERSION_64, *common, content.checksum, coded, size),
            *(len(name), len(extra), 0, 0, 0, _attributes(member), start),
        )
        self.directory += name + extra
        self.count += 1

    def end(self) -> bytes:
        """The directory and the end of the archive."""
        size, start, count = len(self.directory), self.offset, self.count
        more = b""
        if count >= _MOST_MEMBERS or max(size, start) >= _MOST:
            more = _END_64.pack(
                *(b"PK\6\6", _END_64.size - 12, _UNIX | _VERSION_64, _VERSION_64),
                *(0, 0, count, count, size, start),
            ) + _LOCATOR.pack(b"PK\6\7", 0, start + size, 1)
            count = min(count, 0xFFFF)
        last = _END.pack(b"PK\5\6", 0, 0, count, count, _narrow(size), _narrow(start), 0)
        return bytes(self.directory) + more + last


def _narrow(number: int) -> int:
    """The number in four bytes, or what says that it stands in a field of Zip64."""
    return number if number < _MOST else 0xFFFFFFFF


class Content:
    """The content of a member, compressed, and what is known of it afterwards."""

    __slots__ = ("_member", "checksum", "coded", "size")

    def __init__(self, member: Member) -> None:
        self._member = member
        self.checksum = self.size = self.coded = 0

    def blocks(self) -> Iterator[bytes]:
        level = -1 if is_compressible(guess_type(self._member.path)[0]) else 0
        deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        for block in self._member.blocks():
            self.checksum = zlib.crc32(block, self.checksum)
            self.size += len(block)
            yield self._counted(deflate.compress(block))
        yield self._counted(deflate.flush())

    def _counted(self, block: bytes) -> bytes:
        self.coded += len(block)
        return block


def _attributes(member: Member) -> int:
    if member.is_folder:
        return 0o40755 << 16 | 0x10  # the bit of MS-DOS for a directory
    return (0o100755 if member.executable else 0o100644) << 16


def _moment(seconds: int) -> tuple[int, int]:
    """The time of day and the day, as MS-DOS had them: from 1980 to 2107, each two seconds."""
    try:
        year, month, day, hour, minute, second, *_ = localtime(seconds)
    except (OverflowError, OSError, ValueError):
        year = 0
    if not 1980 <= year < 2108:
        year, month, day, hour, minute, second = 1980, 1, 1, 0, 0, 0
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
