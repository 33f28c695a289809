"""Which file, folder or error a request leads to, where nothing stands ready for its path."""

from __future__ import annotations

from wsgikit import http
from wsgikit.errors import NOT_FOUND, answer_error, draw_error
from wsgikit.files.send import send, send_as, send_opened
from wsgikit.files.versions import Changed, Grown
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import PATH_SAFE, QUERY_SAFE, percent_encode_octets
from wsgikit.keys import DRAW_ERROR
from wsgikit.response import Response
from wsgikit.trees.names import is_hidden, safe_parts, url_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from wsgikit.files.catalog import Catalog
    from wsgikit.files.describer import Found
    from wsgikit.files.resource import Resource
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

    #: Gives what answers with a file, which is known by a key.
    _OfFile: TypeAlias = Callable[[str, Found], WSGIApplication]

__all__ = ["Site", "Spare"]

# How often a file is looked at that is being written to.
_ATTEMPTS = 3


class Spare:
    """A file that answers for others.

    :param option: the name of the option that says which.
    :param path: its path below the root: ``index.html``.
    :param vary: the fields of the request that it depends on whether it is sent.
    :raises ValueError: when that is no path of a file.
    """

    __slots__ = ("_names", "_option", "_vary")

    def __init__(self, option: str, path: str, vary: Sequence[str]) -> None:
        self._names = path.split("/")
        self._option = option
        self._vary = vary
        if None in map(url_name, self._names):
            raise ValueError(f"{option} takes the path of a file below the root, not {path!r}")

    def resource(self, catalog: Catalog) -> Resource | None:
        """The file as it is now, or None where it is not there.

        :raises Changed: when it is written to meanwhile.
        """
        key = (self._option,)  # no path of a request is a tuple
        known = catalog.resources.get(key)
        if known is not None and known.is_current():
            return known
        found = catalog.find_file(self._names)
        return None if found is None else catalog.resource(key, found, self._vary)

    def require(self, catalog: Catalog) -> None:
        """Look for it now.

        :raises ValueError: when it is not there.
        """
        if self.resource(catalog) is None:
            name = "/".join(self._names)
            raise ValueError(f"{self._option} takes a file below the root, and there is no {name}")


class Site:
    """Applications for requests, made of the files of a catalog.

    :param index: the name of the file that answers for its directory, or None.
    :param hidden: whether names that begin with a dot are served.
    :param folder: gives what answers for a directory of these names that has no index, or None.
    :param fallback: what answers when a page is not there, or None.
    :param lost: the content of a 404, or None for the usual one.
    """

    __slots__ = ("_catalog", "_fallback", "_folder", "_hidden", "_index", "_lost")

    def __init__(
        self,
        catalog: Catalog,
        *,
        index: str | None,
        hidden: bool,
        folder: Callable[[list[str]], WSGIApplication] | None,
        fallback: Spare | None,
        lost: Spare | None,
    ) -> None:
        self._catalog = catalog
        self._index = index
        self._hidden = hidden
        self._folder = folder
        self._fallback = fallback
        self._lost = lost

    def look(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        """Look for what the request is for, and answer with it."""
        return _steadily(self._choose, environ, start_response, self._choose_growing)

    @property
    def missing(self) -> WSGIApplication:
        """What answers a request for what is not there."""
        if self._fallback is None and self._lost is None:
            return _not_found
        return self._missing

    def _missing(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        return _steadily(self._instead, environ, start_response)

    def _choose(self, environ: WSGIEnvironment) -> WSGIApplication:
        return self._found(environ, self._of_file)

    def _choose_growing(self, environ: WSGIEnvironment) -> WSGIApplication:
        return self._found(environ, self._of_growing)

    def _found(self, environ: WSGIEnvironment, of_file: _OfFile) -> WSGIApplication:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            allow = [("Allow", "GET, HEAD")]
            raise HTTPError(405, "Files are there to be read.", headers=allow)
        path: str = environ.get("PATH_INFO") or ("" if environ.get("SCRIPT_NAME") else "/")
        names = safe_parts(path or "/")
        if names is None or (not self._hidden and any(map(is_hidden, names))):
            return self.missing
        try:
            found = self._catalog.find(names)
        except HTTPError:
            return self.missing
        if found.file is None:
            return self._of_folder(path, names, environ, of_file)
        if path.endswith("/"):
            found.close()
            return self.missing
        return of_file(path, found)

    def _of_file(self, key: str, found: Found) -> WSGIApplication:
        resource = self._catalog.resource(key, found)

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            return send(resource.chosen(environ), environ, start_response)

        return answer

    def _of_growing(self, key: str, found: Found) -> WSGIApplication:
        shown = self._catalog.growing(found)

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            return send_opened(shown, environ, start_response)

        return answer

    def _of_folder(
        self, path: str, names: list[str], environ: WSGIEnvironment, of_file: _OfFile
    ) -> WSGIApplication:
        index, folder = self._index, self._folder
        found = None if index is None else self._catalog.find_file([*names, index])
        slash = path.endswith("/")
        if found is not None:
            if slash:
                return of_file(path, found)
            found.close()
        elif folder is None:
            return self.missing
        elif slash:
            return folder(names)
        return _to_folder(environ)

    def _instead(self, environ: WSGIEnvironment) -> WSGIApplication:
        if self._fallback is not None and _is_for_page(environ):
            page = self._fallback.resource(self._catalog)
            if page is not None:
                return lambda environ, start: send(page.chosen(environ), environ, start)
        lost = None if self._lost is None else self._lost.resource(self._catalog)
        if lost is None:
            return _not_found
        return lambda environ, start: send_as("404 Not Found", lost.chosen(environ), environ, start)


def _not_found(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    # What answer_error does, without the call: a miss takes hardly longer than that.
    return environ.get(DRAW_ERROR, draw_error)(NOT_FOUND, environ, start_response)  # type: ignore[no-any-return]


def _steadily(
    choose: Callable[[WSGIEnvironment], WSGIApplication],
    environ: WSGIEnvironment,
    start_response: StartResponse,
    choose_growing: Callable[[WSGIEnvironment], WSGIApplication] | None = None,
) -> Body:
    """Answer as what is chosen does; choose once more where a file changed since it was chosen.

    :param choose_growing: chooses where it grows all the time, and takes it as it is.
    """
    choices = [choose] * _ATTEMPTS
    try:
        while choices:
            try:
                return choices.pop()(environ)(environ, start_response)
            except Grown:
                if choose_growing is not None and not choices:
                    choices.append(choose_growing)
                    choose_growing = None
            except Changed:
                pass
        raise HTTPError(503, "The file is being changed.", headers=[("Retry-After", "1")])
    except HTTPError as error:
        return answer_error(error, environ, start_response)


def _is_for_page(environ: WSGIEnvironment) -> bool:
    """Whether the client names HTML among what it accepts: as for a page, not for its parts."""
    accept: str = environ.get("HTTP_ACCEPT", "")
    if "text/html" not in accept.lower():
        return False
    return http.accept.MediaAccept(accept).quality("text/html") > 0


def _to_folder(environ: WSGIEnvironment) -> Response:
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "") + "/"
    location = percent_encode_octets(path, PATH_SAFE)
    query = percent_encode_octets(environ.get("QUERY_STRING", ""), QUERY_SAFE)
    response = Response.redirect(f"{location}?{query}" if query else location, 308)
    # wsgiref.validate wants the field for all but 204 and 304.
    response.headers.setdefault("Content-Type", "text/plain; charset=utf-8")
    return response
