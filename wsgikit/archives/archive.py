"""A folder to download as one file, made while it is sent: no copy, no temporary file."""

from __future__ import annotations

from contextlib import closing

from wsgikit.archives.members import members
from wsgikit.archives.tarred import tarred
from wsgikit.archives.zipped import zipped
from wsgikit.http.params import content_disposition
from wsgikit.http.parts import clean_filename
from wsgikit.response import Response
from wsgikit.wrap import Replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from wsgikit.archives.members import Member
    from wsgikit.trees.tree import PathTree

__all__ = ["FORMATS", "archive"]

#: The kinds of archives, by the extension of their names: media type, and what writes it.
FORMATS: dict[str, tuple[str, Callable[[Iterable[Member]], Iterator[bytes]]]] = {
    "zip": ("application/zip", zipped),
    "tar.gz": ("application/gzip", tarred),
}

# Bytes that are gathered before they are sent: of many small files, each would be a block or two.
_ENOUGH = 32 * 1024


def archive(
    tree: PathTree, names: list[str], title: str, kind: str, *, hidden: bool = False
) -> Response:
    """A response with the folder of these names, and what is below it.

    :param title: the name of the folder, which the archive gets as well.
    :param kind: one of :data:`FORMATS`.
    :param hidden: whether names that begin with a dot are in it.
    :raises HTTPError: 404 when there is no such folder.

    What is in it is what the tree gives out: no link leads out of it, and all its names are plain
    ones, below that of the folder. See :func:`wsgikit.archives.members.members`.
    """
    media, write = FORMATS[kind]
    top = clean_filename(title) or "files"
    _, status = tree.open(names)
    found = members(tree, names, top, status.st_mtime, hidden=hidden)
    blocks = _blocks(found, write)
    headers = [
        ("Content-Disposition", content_disposition("attachment", f"{top}.{kind}")),
        ("X-Content-Type-Options", "nosniff"),
    ]
    body = Replaced(blocks, blocks.close)
    return Response(body, headers=headers, content_type=media)


def _blocks(
    found: Generator[Member], write: Callable[[Iterable[Member]], Iterator[bytes]]
) -> Generator[bytes]:
    held = bytearray()
    with closing(found):
        for block in write(found):
            held += block
            if len(held) >= _ENOUGH:
                yield bytes(held)
                held.clear()
    yield bytes(held)
