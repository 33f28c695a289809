"""Answering requests with the files of a tree: what ``static`` and ``listing`` have in common."""

from __future__ import annotations

from wsgikit import http
from wsgikit.errors import answer_error
from wsgikit.files.names import is_hidden, percent_encode_octets, safe_parts, url_name
from wsgikit.files.send import send_file
from wsgikit.http.problem import HTTPError
from wsgikit.response import Response
from wsgikit.wrap import close

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import BinaryIO

    from wsgikit.files.tree import PathTree
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["publish"]

# What stands as it is in the path of a redirect (RFC 3986 §3.3), and in its query.
_PATH_SAFE = "/:@!$&'()*+,;="
_QUERY_SAFE = _PATH_SAFE + "?%[]"


def publish(
    tree: PathTree,
    *,
    index: str | None,
    hidden: bool,
    folder: Callable[[list[str]], WSGIApplication] | None = None,
) -> WSGIApplication:
    """An application that answers GET and HEAD with the files of ``tree`` that PATH_INFO names.

    :param index: the name of the file that answers for its directory, or None.
    :param hidden: whether names that begin with a dot are served.
    :param folder: gives what answers for a directory of these names that has no index; without it,
        that is a 404.
    :raises ValueError: when ``index`` is no name of a file.

    A directory asked for without a slash at the end is redirected to the one with it, below
    SCRIPT_NAME, by 308. What is not there, or not to be served for whatever reason, is one and the
    same 404; other methods are a 405.
    """
    if index is not None and url_name(index) is None:
        raise ValueError(f"index takes the name of a file or None, not {index!r}")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        try:
            return choose(environ)(environ, start_response)
        except HTTPError as error:
            return answer_error(error, environ, start_response)

    def choose(environ: WSGIEnvironment) -> WSGIApplication:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            allow = [("Allow", "GET, HEAD")]
            raise HTTPError(405, "Files are there to be read.", headers=allow)
        path = environ.get("PATH_INFO") or ("" if environ.get("SCRIPT_NAME") else "/")
        names = safe_parts(path or "/")
        if names is None or (not hidden and any(map(is_hidden, names))):
            raise HTTPError(404)
        file, status = tree.open(names)
        slash = path.endswith("/")
        if file is None:
            app = of_folder(names)
            if slash:
                return app
            close(app)
            return _to_folder(environ)
        sent = SentFile(file, status, names[-1])
        if slash:
            sent.close()
            raise HTTPError(404)
        return sent

    def of_folder(names: list[str]) -> WSGIApplication:
        if index is not None:
            try:
                file, status = tree.open([*names, index])
            except HTTPError:
                file = None
            if file is not None:
                return SentFile(file, status, index)
        if folder is None:
            raise HTTPError(404)
        return folder(names)

    return answer


class SentFile:
    """The application of one request, that answers with a file opened for it."""

    __slots__ = ("_file", "_name", "_status")

    def __init__(self, file: BinaryIO, status: os.stat_result, name: str) -> None:
        self._file = file
        self._status = status
        self._name = name

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        media, coding = http.media.guess_type(self._name)
        if coding is None:
            media = http.media.content_type(media)
        else:  # sent to be saved as it is, not to be unpacked on the way
            media = http.media.CODING_TYPES[coding]
        headers = [("Content-Type", media), ("X-Content-Type-Options", "nosniff")]
        return send_file(self._file, self._status, headers, environ, start_response)

    def close(self) -> None:
        """Close the file without sending it."""
        self._file.close()


def _to_folder(environ: WSGIEnvironment) -> Response:
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "") + "/"
    location = percent_encode_octets(path, _PATH_SAFE)
    query = percent_encode_octets(environ.get("QUERY_STRING", ""), _QUERY_SAFE)
    response = Response.redirect(f"{location}?{query}" if query else location, 308)
    # wsgiref.validate wants the field for all but 204 and 304.
    response.headers.setdefault("Content-Type", "text/plain; charset=utf-8")
    return response
