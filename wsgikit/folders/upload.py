"""Files that are sent into a folder: complete or not at all, and over nothing that is there.

HTML, section 4.10.22 (forms); RFC 9110, section 15.5.10 (409) and 15.5.14 (413); Fetch Metadata
Request Headers, section 2.3 (``Sec-Fetch-Site``).
"""

from __future__ import annotations

import errno
import os
from itertools import islice

from wsgikit.environ import content_length, host
from wsgikit.folders.contents import shown
from wsgikit.http.problem import HTTPError
from wsgikit.request import Request
from wsgikit.response import Response
from wsgikit.trees.draft import Draft
from wsgikit.trees.names import is_hidden, numbered, url_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsgikit.forms.streamed import StreamedPart
    from wsgikit.trees.tree import PathTree
    from wsgikit.types import JSONValue, WSGIEnvironment

__all__ = ["EXISTING", "MAX_FILES", "Receipt", "check_origin", "receive", "store"]

#: The field of a form that says what to do where there is a file of that name: ``refuse`` the new
#: one, ``number`` it, or ``replace`` the old one.
EXISTING = "existing"

#: How many files and fields may come at once.
MAX_FILES = 1000

_CHOICES = ("refuse", "number", "replace")
# How many names are tried where the first one is taken.
_MOST_NAMES = 1000

# What the system says when there is no room, when it is not allowed, and of a name.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}
_BAD_NAME = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}


class Receipt:
    """What became of the files of a form.

    :ivar stored: the names under which they are there now.
    :ivar refused: ``(name, status, reason)`` of those that are not.
    """

    __slots__ = ("refused", "stored")

    def __init__(self) -> None:
        self.stored: list[str] = []
        self.refused: list[tuple[str, int, str]] = []

    @property
    def status(self) -> int:
        """201, or the first status with which a file was refused."""
        return self.refused[0][1] if self.refused else 201

    def response(self) -> Response:
        """The receipt for a program, as JSON: ``stored`` and ``refused``.

        :raises HTTPError: with the same, when a file was refused.
        """
        document: dict[str, JSONValue] = {
            "stored": [{"name": name, "href": f"./{url_name(name)}"} for name in self.stored],
            "refused": [{"name": name, "reason": reason} for name, _, reason in self.refused],
        }
        if self.refused:
            name, status, reason = self.refused[0]
            raise HTTPError(status, f"{name}: {reason}.", extensions=document)
        return Response.json(document, 201)


def receive(
    environ: WSGIEnvironment,
    tree: PathTree,
    names: list[str],
    *,
    max_upload: int,
    overwrite: bool = False,
) -> Receipt:
    """Store the files of a posted form in the folder of these names.

    :param max_upload: how many bytes the form may have.
    :param overwrite: whether it may say ``replace``.
    :raises HTTPError: 403 for what a page of another site has sent, 404 when there is no such
        folder, 413 for a larger form; and what :func:`store` raises.
    """
    check_origin(environ)
    if (content_length(environ) or 0) > max_upload:
        raise _too_large(max_upload)
    folder = tree.enter(names)
    try:
        return store(Request(environ).stream_parts(max_upload, MAX_FILES), folder, overwrite)
    except HTTPError as error:
        if error.status == 413:
            raise _too_large(max_upload) from None
        raise
    finally:
        if isinstance(folder, int):
            os.close(folder)


def check_origin(environ: WSGIEnvironment) -> None:
    """Refuse a request that a page of another site has made its visitor's browser send.

    Browsers tell by Sec-Fetch-Site where a request comes from, older ones by Origin. What has
    neither is no browser, and is let in: nothing here goes by what only a browser would add.

    :raises HTTPError: 403 when it comes from another site.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is None:
        origin = environ.get("HTTP_ORIGIN")
        same = origin is None or origin.partition("://")[2].lower() == host(environ).lower()
    else:
        same = site in ("same-origin", "none")
    if not same:
        raise HTTPError(403, "Files are taken from pages of this site only.")


def _too_large(most: int) -> HTTPError:
    return HTTPError(413, f"At most {most:,} bytes are taken at once (max_upload).")


def store(parts: Iterable[StreamedPart], folder: str | int, overwrite: bool = False) -> Receipt:
    """Store the files of a form in a directory.

    :param parts: fields and files. The field :data:`EXISTING`, where there is one, has to come
        before the files that it is about.
    :param folder: the path of the directory, or a descriptor of it.
    :param overwrite: whether a form may say ``replace``.
    :raises HTTPError: 400 or 413 for what is wrong with the form, 507 when there is no room, 403
        when the folder cannot be written. Files that came before it are stored.

    A file has its name when it is complete, and is on the disk then. Paths in names are dropped;
    what is refused for its name is passed over, and the others are stored.
    """
    receipt = Receipt()
    existing = "refuse"
    for part in parts:
        if part.name == EXISTING and part.filename is None:
            existing = part.text()
            choices = _CHOICES if overwrite else _CHOICES[:-1]
            if existing not in choices:
                takes = f"{EXISTING} takes {' or '.join(choices)} here (overwrite)"
                raise HTTPError(400, f"{takes}, not {existing[:20]!a}.")
        elif part.original_filename:  # it is empty where no file was chosen
            name = part.filename or ""
            try:
                receipt.stored.append(_store(part, name, folder, existing))
            except Refused as refused:
                given = shown(part.original_filename[:200])
                receipt.refused.append((given, refused.status, refused.reason))
    return receipt


class Refused(Exception):
    """A file is not stored, and the others are not concerned."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


_TAKEN = "there is something of that name"


def _store(part: Iterable[bytes], name: str, folder: str | int, existing: str) -> str:
    # A dot in front is dropped with the path, but some characters before one count for nothing.
    if not name or url_name(name) is None or is_hidden(name):
        raise Refused(400, "the name is not safe on every system")
    try:
        with Draft(folder) as draft:
            if existing == "refuse" and draft.is_taken(name):
                raise Refused(409, _TAKEN)
            for block in part:
                draft.file.write(block)
            draft.file.flush()
            os.fsync(draft.file.fileno())
            if existing == "replace":
                draft.replace(name)
                return name
            for free in islice(numbered(name), _MOST_NAMES if existing == "number" else 1):
                try:
                    draft.place(free)
                except FileExistsError:
                    continue
                return free
    except IsADirectoryError:
        raise Refused(409, "there is a folder of that name") from None
    except OSError as error:
        raise _told(error) from None
    raise Refused(409, _TAKEN)


def _told(error: OSError) -> Exception:
    """What to raise for what the system says: itself, where it is no matter of the client."""
    if error.errno in _FULL:
        return HTTPError(507, "There is no room for it.")
    if error.errno in _READ_ONLY:
        return HTTPError(403, "Nothing can be written in this folder.")
    if error.errno in _BAD_NAME:
        return Refused(400, "the name is too long, or none")
    return error
