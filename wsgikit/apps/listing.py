"""Directories as pages for people and as JSON, with the files in them."""

from __future__ import annotations

import os

from wsgikit import http
from wsgikit.files.folder_page import draw
from wsgikit.files.folders import Order, document
from wsgikit.files.publish import publish
from wsgikit.files.tree import Tree
from wsgikit.http.query import parse_query
from wsgikit.page import HEADERS
from wsgikit.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["listing"]

_HTML, _JSON = "text/html", "application/json"


def listing(
    root: str | os.PathLike[str],
    *,
    title: str = "Files",
    index: str | None = None,
    hidden: bool = False,
) -> WSGIApplication:
    """Serve the files below ``root`` as :func:`~wsgikit.apps.static` does, and list directories.

    :param root: a directory. Links in it are followed where they lead below it.
    :param title: what the pages call ``root``.
    :param index: the name of a file that answers for its directory instead of a list; None lists
        all directories.
    :param hidden: whether names that begin with a dot are listed and served.
    :raises ValueError: when ``root`` is no directory or ``index`` no name of a file.

    The query sorts: ``?sort=name``, ``size`` or ``modified``, with ``&order=asc`` or ``desc``;
    folders come first. What is there but not served (a link that leads out, a device) is named at
    the end, without a link. A client that prefers ``application/json`` gets ``{"path",
    "entries"}``, each entry with ``name``, ``type`` (``file``, ``directory`` or ``other``),
    ``size`` in bytes, ``modified`` and ``href``.
    """
    tree = Tree(root)

    def folder(names: list[str]) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            fields = parse_query(environ.get("QUERY_STRING", ""))
            order = Order(fields.get("sort", "name"), fields.get("order", ""))
            entries = order.sorted(tree.scan(names, hidden=hidden))
            accept = http.accept.MediaAccept(environ.get("HTTP_ACCEPT"))
            if accept.best((_HTML, _JSON)) == _JSON:
                response = Response.json(document(names, entries))
            else:
                response = Response.html(draw(title, names, entries, order), headers=HEADERS)
            response.headers["Cache-Control"] = "no-cache"
            response.headers.vary("Accept")
            return response(environ, start_response)

        return answer

    app = publish(tree, index=index, hidden=hidden, folder=folder)
    options: dict[str, object] = {"root": os.fspath(root)}
    if title != "Files":
        options["title"] = title
    if index is not None:
        options["index"] = index
    if hidden:
        options["hidden"] = hidden
    app.__qualname__ = "listing"
    app.described = lambda: (options, [])  # type: ignore[attr-defined]
    return app
