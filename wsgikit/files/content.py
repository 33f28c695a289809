"""The content of a file, read once: its digest, and the bytes of a small one.

RFC 9110, section 8.8.3.1 (how entity tags are made).
"""

from __future__ import annotations

import os
from hashlib import sha256
from time import time
from zlib import crc32

from wsgikit.files.versions import (
    Changed,
    check_version,
    etag_of_times,
    identity_of,
    status_since,
)
from wsgikit.http.etags import ETag
from wsgikit.trees.opening import BLOCK_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["DIGEST_LIMIT", "Content", "read"]

#: Larger files of the system, in bytes, have a tag made of their times: to read one would hold its
#: first request for more than a moment.
DIGEST_LIMIT = 64 * 1024 * 1024

# Digits of the digest in a tag, 4 bits each: that no two contents share one is beyond doubt.
_DIGITS = 32


class Content:
    """What is known of a content.

    :param etag: its entity tag, the same on all machines where there is a digest.
    :param digest: its SHA-256 in hexadecimal, empty where it was not read.
    :param checksum: its CRC-32, as gzip has it at the end, or None.
    :param data: the bytes, where they were wanted.
    """

    __slots__ = ("checksum", "data", "digest", "etag")

    def __init__(
        self, etag: ETag, digest: str = "", checksum: int | None = None, data: bytes | None = None
    ) -> None:
        self.etag = etag
        self.digest = digest
        self.checksum = checksum
        self.data = data


def read(file: BinaryIO, status: os.stat_result, wanted: int, *, stored: bool) -> Content:
    """Read the content of a file, from where it stands to its end.

    :param status: what the system told of the file when it was opened.
    :param wanted: the size in bytes up to which the bytes are wanted.
    :param stored: whether it is a file of the system, which may change meanwhile.
    :raises Changed: when it did; :class:`~wsgikit.files.versions.Grown` when it only became longer.
    """
    size = status.st_size
    if stored and size > DIGEST_LIMIT:
        return Content(etag_of_times(status, time()))
    identity = identity_of(status)
    digest = sha256()
    checksum = length = 0
    blocks = []
    while block := file.read(max(BLOCK_SIZE, wanted)):
        digest.update(block)
        checksum = crc32(block, checksum)
        length += len(block)
        if size <= wanted:
            blocks.append(block)
        if stored:
            check_version(status_since(file.fileno(), identity), identity)
        if length > size:
            break
    if length != size:
        raise Changed("the file is not as long as was told")
    data = b"".join(blocks) if size <= wanted else None
    value = digest.hexdigest()
    return Content(ETag(value[:_DIGITS]), value, checksum, data)
