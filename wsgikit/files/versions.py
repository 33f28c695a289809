"""Which version of a file it is: what the system tells of it, and the validators that follow.

RFC 9110, sections 8.8.1 (weak and strong), 8.8.2 (``Last-Modified``) and 8.8.3 (``ETag``).
"""

from __future__ import annotations

import os
from time import sleep

from wsgikit import http

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from wsgikit.http.etags import ETag

    #: What a file has as long as nobody changes it or puts another in its place.
    Identity: TypeAlias = tuple[int, int, int, int, int]

__all__ = [
    "Changed",
    "Grown",
    "check_version",
    "etag_of_times",
    "identity_of",
    "is_settled",
    "modified_of",
    "status_since",
]

# Two changes within one tick of the file system's clock give a file the same times. The coarsest
# clock, of FAT, ticks every two seconds.
_TICK = 2 * 10**9

# Builds that are to be the same everywhere, and archives without dates, set times of 1970 or 1980.
# Such a time says nothing of the content: many versions have it, and no file is older than the web.
_WEB = 631152000  # 1990-01-01


# The system sets the time of a file before its size: seconds to wait, again and again, for a write
# that is under way to show in both.
_PAUSES = (0.001, 0.01, 0.05)


class Changed(Exception):
    """The file is not the one that was looked at a moment ago: to be looked at again."""


class Grown(Changed):
    """The file is the same one and longer, as a log is that is added to all the time."""


def check_version(status: os.stat_result, identity: Identity) -> None:
    """See that a file is of the version that it was.

    :raises Grown: when it is longer, and
    :raises Changed: when it is another one or of another version.
    """
    if identity_of(status) == identity:
        return
    _, inode, size, _, device = identity
    if (status.st_ino, status.st_dev) == (inode, device) and status.st_size > size:
        raise Grown("the file has grown")
    raise Changed("the file was written to, or another one is in its place")


def status_since(descriptor: int, identity: Identity) -> os.stat_result:
    """What the system tells of an open file, where ``identity`` is what it told before."""
    status = os.fstat(descriptor)
    for pause in _PAUSES:
        if not _is_half_told(status, identity):
            break
        sleep(pause)
        status = os.fstat(descriptor)
    return status


def _is_half_told(status: os.stat_result, identity: Identity) -> bool:
    """Whether it is the same file, of another time and the same size."""
    modified, inode, size, _, device = identity
    same = (status.st_ino, status.st_size, status.st_dev) == (inode, size, device)
    return same and status.st_mtime_ns != modified


def identity_of(status: os.stat_result) -> Identity:
    """Device, inode, size and the times of content and inode.

    The last one is there for those who set the time of the content to what it was before.
    """
    return (
        status.st_mtime_ns,
        status.st_ino,
        status.st_size,
        status.st_ctime_ns,
        status.st_dev,
    )


def is_settled(status: os.stat_result, now: float) -> bool:
    """Whether another change would show in the identity, as the last one is some time ago.

    :param now: the present, in seconds since 1970.
    """
    return int(now * 10**9) - status.st_ctime_ns > _TICK


def modified_of(status: os.stat_result, now: float) -> int | None:
    """The second of the last modification as ``Last-Modified`` may tell it, or None.

    None is for a second that is not over yet, as the content may change once more in it (so that a
    date which was told is a strong validator, §8.8.2.2), for the future (§8.8.2.1), and for times
    of before 1990, which stand for none.

    :param now: the present, in seconds since 1970.
    """
    modified = status.st_mtime_ns // 10**9
    return modified if _WEB <= modified < int(now) else None


def etag_of_times(status: os.stat_result, now: float) -> ETag:
    """An entity tag made of times and size: for files whose content is not worth reading for it.

    It is strong, but weak for a file that has just changed: it may change again, and keep the tag
    (§8.8.1). Another machine has another tag for the same content.

    :param now: the present, in seconds since 1970.
    """
    value = f"{status.st_mtime_ns:x}-{status.st_ctime_ns:x}-{status.st_size:x}"
    return http.etags.ETag(value, not is_settled(status, now))
