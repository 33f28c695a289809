"""Directories as pages for people and as JSON, with the files in them."""

from __future__ import annotations

import os

from wsgikit import archives, folders, http
from wsgikit.errors import answer_error
from wsgikit.files.publish import publish
from wsgikit.folders.contents import Order, document
from wsgikit.folders.page import draw
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import parse_query
from wsgikit.page import HEADERS
from wsgikit.response import Response
from wsgikit.trees.names import is_hidden, safe_parts
from wsgikit.trees.tree import Tree
from wsgikit.wrap import on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsgikit.folders.upload import Receipt
    from wsgikit.http.query import MultiDict
    from wsgikit.trees.tree import PathTree
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["ARCHIVES", "MAX_UPLOAD", "listing"]

#: The kinds of archives that a folder can be downloaded as.
ARCHIVES = ("zip", "tar.gz")

#: How many bytes are taken at once unless said otherwise.
MAX_UPLOAD = 10**9

_HTML, _JSON = "text/html", "application/json"
# What a page in the folder may do where anybody can put pages: be read.
_SANDBOX = ("Content-Security-Policy", "sandbox")
_ACTIVE = ("html", "xml")  # ends of the types whose content may be a program
# The field of the query that tells how many files were stored by the request before.
_STORED = "stored"


def listing(
    root: str | os.PathLike[str],
    *,
    title: str = "Files",
    index: str | None = None,
    hidden: bool = False,
    archives: bool = True,
    upload: bool = False,
    max_upload: int = MAX_UPLOAD,
    overwrite: bool = False,
) -> WSGIApplication:
    """Serve the files below ``root`` as :func:`~wsgikit.apps.static` does, and list directories.

    :param root: a directory. Links in it are followed where they lead below it.
    :param title: what the pages call ``root``.
    :param index: the name of a file that answers for its directory instead of a list; None lists
        all directories.
    :param hidden: whether names that begin with a dot are listed and served.
    :param archives: whether a folder can be downloaded with all that is in it.
    :param upload: whether files can be added: by anybody who can reach this application, so put
        what asks for a password around it where that is not meant.
    :param max_upload: how many bytes may be sent at once. wsgikit's server takes 1 GiB unless
        ``serve(limits=...)`` says more (``body_bytes``).
    :param overwrite: whether who uploads may replace files.
    :raises ValueError: when ``root`` is no directory, ``index`` no name of a file or ``max_upload``
        no number of bytes.

    The query sorts: ``?sort=name``, ``size`` or ``modified``, with ``&order=asc`` or ``desc``;
    folders come first. What is there but not served (a link that leads out, a device) is named at
    the end, without a link. A client that prefers ``application/json`` gets ``{"path",
    "entries"}``, each entry with ``name``, ``type`` (``file``, ``directory`` or ``other``),
    ``size`` in bytes, ``modified`` and ``href``.

    **Archives.** ``?download=zip`` or ``tar.gz`` is the folder with all that is listed in it and
    below, made while it is sent: see :func:`wsgikit.archives.members.members`. Links to folders are
    not followed there.

    **Uploads.** A form (``multipart/form-data``) that is posted to a folder stores its files there;
    each appears when it is complete. What the field ``existing`` before them says is done with
    those whose names are taken: ``refuse`` (by default: 409), ``number`` (``a (2).txt``), or
    ``replace``, where ``overwrite`` allows it. A browser is redirected to the list (303), other
    clients get a 201 or the error, with ``stored`` and ``refused`` as JSON. Requests that a page of
    another site has sent are refused (403). Where uploads are allowed, pages in the folder are sent
    with a policy that keeps their scripts from running.
    """
    if type(max_upload) is not int or max_upload <= 0:
        raise ValueError(f"max_upload takes a number of bytes, not {max_upload!r}")
    listed = Folders(
        Tree(root),
        title=title,
        hidden=hidden,
        archives=ARCHIVES if archives else (),
        max_upload=max_upload if upload else 0,
        overwrite=overwrite,
    )
    app = publish(listed.tree, index=index, hidden=hidden, folder=listed.of)
    if upload:
        app = _taking(app, listed)
    options: dict[str, object] = {"root": os.fspath(root)}
    given = (title, index, hidden, archives, upload, max_upload, overwrite)
    for value, (name, default) in zip(given, _DEFAULTS.items(), strict=True):
        if value != default:
            options[name] = value
    app.__qualname__ = "listing"
    app.described = lambda: (options, [])  # type: ignore[attr-defined]
    return app


_DEFAULTS: dict[str, object] = {
    "title": "Files",
    "index": None,
    "hidden": False,
    "archives": True,
    "upload": False,
    "max_upload": MAX_UPLOAD,
    "overwrite": False,
}


class Folders:
    """The folders of a tree, as pages, as data and as archives; and what is stored in them."""

    __slots__ = ("_archives", "_hidden", "_max_upload", "_overwrite", "_title", "tree")

    def __init__(
        self,
        tree: PathTree,
        *,
        title: str,
        hidden: bool,
        archives: tuple[str, ...],
        max_upload: int,
        overwrite: bool,
    ) -> None:
        self.tree = tree
        self._title = title
        self._hidden = hidden
        self._archives = archives
        self._max_upload = max_upload
        self._overwrite = overwrite

    def of(self, names: list[str]) -> WSGIApplication:
        """The application of one request, for the folder of these names."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            fields = parse_query(environ.get("QUERY_STRING", ""))
            kind = fields.get("download", "")
            if kind in self._archives:
                name = names[-1] if names else self._title
                response = archives.archive(self.tree, names, name, kind, hidden=self._hidden)
            else:
                response = self._listed(names, environ, fields)
            response.headers["Cache-Control"] = "no-cache"
            return response(environ, start_response)

        return answer

    def _listed(self, names: list[str], environ: WSGIEnvironment, fields: MultiDict) -> Response:
        order = Order(fields.get("sort", "name"), fields.get("order", ""))
        accept = http.accept.MediaAccept(environ.get("HTTP_ACCEPT"))
        if accept.best((_HTML, _JSON)) == _JSON:
            entries = order.sorted(self.tree.scan(names, hidden=self._hidden))
            response = Response.json(document(names, entries))
        else:
            response = self._page(names, order, fields.get(_STORED, ""))
        response.headers.vary("Accept")
        return response

    def _page(self, names: list[str], order: Order, outcome: Receipt | str) -> Response:
        """The page for people, with what became of an upload: a number is all that a URL tells."""
        entries = order.sorted(self.tree.scan(names, hidden=self._hidden))
        status = 200
        headers: Iterable[tuple[str, str]] = HEADERS
        notice = upload = ""
        if self._max_upload:
            headers = folders.upload_page.HEADERS
            upload = folders.upload_page.form(self._max_upload, overwrite=self._overwrite)
            if isinstance(outcome, str):
                notice = folders.upload_page.stored(outcome)
            else:
                notice = folders.upload_page.refused(outcome)
                status = outcome.status
        drawn = draw(
            self._title,
            names,
            entries,
            order,
            archives=self._archives,
            notice=notice,
            upload=upload,
        )
        return Response.html(drawn, status, headers)

    def store(self, environ: WSGIEnvironment) -> Response:
        """Store the files of a form that was posted to a folder.

        :raises HTTPError: when none is to be stored there; for a program also when one is not.
        """
        names = safe_parts(environ.get("PATH_INFO") or "/")
        if names is None or (not self._hidden and any(map(is_hidden, names))):
            raise HTTPError(404)
        receipt = folders.upload.receive(
            environ, self.tree, names, max_upload=self._max_upload, overwrite=self._overwrite
        )
        fields = parse_query(environ.get("QUERY_STRING", ""))
        order = Order(fields.get("sort", "name"), fields.get("order", ""))
        accept = http.accept.MediaAccept(environ.get("HTTP_ACCEPT"))
        if accept.best((_JSON, _HTML)) == _JSON:
            response = receipt.response()
        elif receipt.refused:
            response = self._page(names, order, receipt)
        else:
            response = Response.redirect(order.query((_STORED, str(len(receipt.stored)))))
        response.headers.vary("Accept")
        return response


def _taking(app: WSGIApplication, listed: Folders) -> WSGIApplication:
    """Serve ``app``, store what is posted to folders, and let no page in it run a script."""

    def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
        fields = dict(headers)
        active = fields.get("Content-Type", "").partition(";")[0].endswith(_ACTIVE)
        if active and "Content-Security-Policy" not in fields:  # that a page of ours has
            headers.append(_SANDBOX)
        return status, headers

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return app(environ, on_start(start_response, edit))
        try:
            response = post(environ)
        except HTTPError as error:
            return answer_error(error, environ, start_response)
        return response(environ, start_response)

    def post(environ: WSGIEnvironment) -> WSGIApplication:
        if not environ.get("PATH_INFO", "/").endswith("/"):
            return app
        if environ["REQUEST_METHOD"] != "POST":
            allow = [("Allow", "GET, HEAD, POST")]
            raise HTTPError(405, "Folders are there to be read, and to be filled.", headers=allow)
        return listed.store(environ)

    return answer
