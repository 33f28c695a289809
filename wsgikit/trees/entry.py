"""What there is in a directory under one name, and whether it is served."""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISLNK, S_ISREG

from wsgikit.trees.names import url_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Entry", "entry_of"]


class Entry:
    """One name in a directory: the ``status`` of what it names, or why that is not served."""

    __slots__ = ("is_link", "name", "refusal", "status")

    def __init__(
        self,
        name: str,
        status: os.stat_result | None,
        refusal: str = "",
        *,
        is_link: bool = False,
    ) -> None:
        self.name = name
        self.status = status
        self.refusal = refusal
        self.is_link = is_link

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory that can be entered."""
        return self.status is not None and S_ISDIR(self.status.st_mode)


def entry_of(found: os.DirEntry[str], resolve: Callable[[str], str]) -> Entry:
    """What was found in a directory.

    :param resolve: gives the path without links of a name in that directory, and raises
        :class:`OSError` where that leads nowhere, or not where it should.
    """
    name = found.name
    if url_name(name) is None:
        return Entry(name, None, "its name is not safe on every system")
    try:
        status = found.stat(follow_symlinks=False)
        is_link = S_ISLNK(status.st_mode)
        if is_link:
            status = os.lstat(resolve(name))
    except OSError:
        return Entry(name, None, "a link that leads nowhere, or outside")
    if S_ISREG(status.st_mode) or S_ISDIR(status.st_mode):
        return Entry(name, status, is_link=is_link)
    return Entry(name, None, "neither a file nor a folder")
