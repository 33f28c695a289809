"""The files below a directory that a site would serve, for what prepares them in advance."""

from __future__ import annotations

import os

from wsgikit.trees.names import is_hidden, url_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["walk"]


def walk(root: str, report: Callable[[OSError], object] | None = None) -> Iterator[str]:
    """The names of the files below ``root``, as ``css/app.css``, in order, folder by folder.

    Left out is what :func:`~wsgikit.apps.static` does not serve: hidden names, names that are not
    safe on every system, what is neither file nor directory, links that lead outside. A link to a
    file counts as one; links to directories are not entered, as what they lead to is met anyway.

    :param report: called with the error for a directory below ``root`` that cannot be read; the
        others go on.
    :raises OSError: when ``root`` cannot be read; without ``report`` any directory.
    """
    inside = os.path.join(os.path.realpath(root), "")
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            if report is None or not folder:
                raise
            report(error)
            continue
        inner = []
        for entry in entries:
            if is_hidden(entry.name) or url_name(entry.name) is None:
                continue
            if entry.is_dir(follow_symlinks=False):
                inner.append(f"{folder}{entry.name}/")
            elif _is_file(entry, inside):
                yield folder + entry.name
        folders += reversed(inner)


def _is_file(entry: os.DirEntry[str], inside: str) -> bool:
    if not entry.is_symlink():
        return entry.is_file(follow_symlinks=False)
    path = os.path.realpath(entry.path)
    return path.startswith(inside) and os.path.isfile(path)
