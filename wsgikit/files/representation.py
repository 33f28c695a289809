"""A file in one form, with all that answers say about it worked out in advance (RFC 9110 §3.2)."""

from __future__ import annotations

import os
from io import FileIO

from wsgikit import http
from wsgikit.files.versions import Changed, check_version, identity_of, status_since
from wsgikit.http.headers import Headers
from wsgikit.trees.opening import OPEN_FLAGS, TROUBLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from wsgikit.files.versions import Identity
    from wsgikit.http.etags import ETag
    from wsgikit.types import HeaderList

__all__ = ["Growing", "Opened", "Packaged", "Representation", "Stored"]


class Representation:
    """What is sent of a file: its fields, validators, size, and where its bytes come from.

    :param fields: what describes the file: its type and the like. They are not copied one by one:
        many files share them.
    :param size: the length in bytes.
    :param etag: the entity tag.
    :param modified: the second of the last modification, or None where that is not to be told.

    ``open()`` gives the file, to be read from its beginning and closed. It raises
    :class:`~wsgikit.files.versions.Changed` when there is another version now, or none, and
    :class:`OSError` when the system is out of descriptors or the disk fails.
    """

    __slots__ = ("content", "date", "etag", "identity", "known", "modified", "size", "tag", "whole")

    #: The version that is sent, where a file of the system is.
    identity: Identity | None

    #: Whether it is added to, so that a server that sends it to its end might send too much.
    grows = False

    def __init__(self, fields: HeaderList, size: int, etag: ETag, modified: int | None) -> None:
        self.size = size
        self.etag = etag
        #: The ETag field, and the Last-Modified one, None where there is none.
        self.tag = str(etag)
        self.date: str | None = None
        self.modified = modified
        #: The bytes, as the body of a response, where they are in memory.
        self.content: tuple[bytes] | None = None
        self.identity = None
        fields = [*fields, ("ETag", self.tag)]
        if modified is not None:
            self.date = http.dates.format_date(modified)
            fields.append(("Last-Modified", self.date))
        fields.append(("Accept-Ranges", "bytes"))
        fields.append(("Content-Length", str(size)))
        #: The fields of a 200, Content-Length the last.
        self.whole = fields
        #: The fields of a 304, once :meth:`lasting` has been called.
        self.known: HeaderList | None = None

    def lasting(self) -> HeaderList:
        """The fields of a 304: all that it must have (§15.4.5), and no metadata beside."""
        self.known = http.conditions.not_modified(self.whole)
        return self.known

    def varies(self) -> HeaderList:
        """What other answers about it have to say too: on which fields its choice depended."""
        return [field for field in self.whole if field[0].lower() == "vary"]

    if TYPE_CHECKING:

        def open(self) -> BinaryIO: ...

    def media(self) -> str:
        """The value of Content-Type; empty where there is none."""
        return Headers.view(self.whole).get("Content-Type", "")


class Opened(Representation):
    """A file that is open already, for one answer."""

    __slots__ = ("file", "taken")

    def __init__(
        self,
        fields: HeaderList,
        status: os.stat_result,
        etag: ETag,
        modified: int | None,
        file: BinaryIO,
    ) -> None:
        super().__init__(fields, status.st_size, etag, modified)
        self.identity = identity_of(status)
        self.file = file
        #: Whether the file is somebody else's to close by now.
        self.taken = False

    def open(self) -> BinaryIO:
        """The file as it was given."""
        self.taken = True
        return self.file


class Growing(Opened):
    """A file that is open already and is added to: as long as it was when it was opened."""

    __slots__ = ()

    grows = True


class Stored(Representation):
    """A file of the system, opened anew for each answer, as long as it is the same version.

    :param path: where it was found. Nothing is said of what is there now: that it is the same file
        is what its identity says.
    """

    __slots__ = ("path",)

    identity: Identity

    def __init__(
        self,
        fields: HeaderList,
        status: os.stat_result,
        etag: ETag,
        modified: int | None,
        path: str,
    ) -> None:
        super().__init__(fields, status.st_size, etag, modified)
        self.identity = identity_of(status)
        self.path = path

    def open(self) -> BinaryIO:
        """The file, without a buffer: it is read in large blocks, or by the system alone."""
        try:
            descriptor = os.open(self.path, OPEN_FLAGS)
        except OSError as error:
            if error.errno in TROUBLE:
                raise
            raise Changed from None
        try:
            check_version(status_since(descriptor, self.identity), self.identity)
            return FileIO(descriptor)
        except BaseException:
            os.close(descriptor)
            raise


class Packaged(Representation):
    """A file that is no file of the system: in a zip, say. It does not change."""

    __slots__ = ("_open",)

    def __init__(
        self,
        fields: HeaderList,
        size: int,
        etag: ETag,
        open: Callable[[], BinaryIO],
    ) -> None:
        super().__init__(fields, size, etag, None)
        self._open = open

    def open(self) -> BinaryIO:
        """The file, from its beginning."""
        return self._open()
