"""Files below a directory, and nothing else (RFC 9110 §9.3.1, §13, §14)."""

from __future__ import annotations

import os

from wsgikit.files.publish import publish
from wsgikit.files.tree import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import WSGIApplication

__all__ = ["static"]


def static(
    root: str | os.PathLike[str], *, index: str | None = "index.html", hidden: bool = False
) -> WSGIApplication:
    """Serve the files below ``root`` by PATH_INFO, to GET and HEAD.

    :param root: a directory. Links in it are followed where they lead below it; ``root`` may be a
        link itself, and be changed to lead elsewhere.
    :param index: the name of the file that answers for its directory; None for no such file.
    :param hidden: whether names that begin with a dot are served.
    :raises ValueError: when ``root`` is no directory or ``index`` no name of a file.

    Conditions and single ranges are obeyed. The type goes by the name, text is UTF-8. ``/dir`` is
    redirected to ``/dir/`` (308) where that has an index. All that is not served is one 404: what
    is not there, hidden, outside of ``root``, no regular file, not readable, or has a name that
    Windows takes for something else (:func:`wsgikit.files.names.safe_parts`), on every system.
    Methods other than GET and HEAD are a 405, so that :func:`~wsgikit.apps.cascade` passes them
    on::

        router.mount("/static", static("public"))
    """
    answer = publish(Tree(root), index=index, hidden=hidden)
    options: dict[str, object] = {"root": os.fspath(root)}
    if index != "index.html":
        options["index"] = index
    if hidden:
        options["hidden"] = hidden
    answer.__qualname__ = "static"
    answer.described = lambda: (options, [])  # type: ignore[attr-defined]
    return answer
