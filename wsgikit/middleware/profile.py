"""Where a request spends its time: profiled when a developer asks for it, kept, and shown."""

from __future__ import annotations

import os
from cProfile import Profile
from functools import partial
from threading import Lock

from wsgikit.arguments import check_path
from wsgikit.compose import layer
from wsgikit.debug.home import is_at_home
from wsgikit.debug.profiles import keep_profile, kept_profiles, list_page, profile_page
from wsgikit.environ import native
from wsgikit.errors import NOT_FOUND, answer_error
from wsgikit.failures import LOG
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import parse_query
from wsgikit.response import Response
from wsgikit.wrap import Replaced, closers, is_file, observe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment
    from wsgikit.wrap import Observed

__all__ = ["profile"]

#: What in a query asks for a profile. The application does not see it.
MARK = "_profile"

#: How many seconds a request waits for another one that is being profiled.
PATIENCE = 5.0

# CPython has one profiler at a time (for all threads since 3.12).
_one = Lock()


@layer
def profile(
    app: WSGIApplication,
    *,
    directory: str | os.PathLike[str],
    keep: int = 20,
    page: str = "/_profile",
) -> WSGIApplication:
    """A request with ``?_profile`` is profiled (:mod:`cProfile`); the page ``/_profile`` shows it.

    :param directory: where profiles are kept, as ``.pstats`` files; made if it is not there.
    :param keep: how many; the oldest are removed.
    :param page: the path of the page that lists them and shows the functions of each.
    :raises ValueError: for a ``keep`` below 1 or a ``page`` that is no path.
    :raises TypeError: for a directory that is none.

    The field ``X-Profile``, with any value, asks for one as well. What runs inside of this layer is
    measured: the call, each block of the body, and its ``close``. One request at a time: another
    one waits, and after five seconds gets a 503. Since CPython 3.12 what other threads do meanwhile
    is measured with it.

    It is for the developer at this machine, as ``debugger`` is: for all others there is neither
    profile nor page (:func:`wsgikit.debug.home.is_at_home`).
    """
    folder = check_path("directory", directory, "the path of a directory")
    if type(keep) is not int or keep < 1:
        raise ValueError(f"keep takes a number of files from 1 on, not {keep!r}")
    if not isinstance(page, str) or page[:1] != "/":
        raise ValueError(f"page takes a path, such as '/_profile', not {page!r}")
    page = native(page)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        query: str = environ.get("QUERY_STRING", "")
        chosen = app
        if environ.get("PATH_INFO") == page:
            chosen = look
        elif MARK in query or "HTTP_X_PROFILE" in environ:
            chosen = measure
        if chosen is not app and not is_at_home(environ):
            chosen = app
        return chosen(environ, start_response)

    def measure(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        pairs = environ.get("QUERY_STRING", "").split("&")
        others = [pair for pair in pairs if pair.partition("=")[0] != MARK]
        if others == pairs and "HTTP_X_PROFILE" not in environ:
            return app(environ, start_response)
        environ["QUERY_STRING"] = "&".join(others)
        if not _one.acquire(timeout=PATIENCE):
            return answer_error(_busy(), environ, start_response)
        profiler = Profile()
        try:
            profiler.enable()
            profiler.disable()
        except ValueError:  # another tool is at work
            _one.release()
            return answer_error(_busy(), environ, start_response)

        def measured(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            body = profiler.runcall(app, environ, start_response)
            if body.__class__ is list or body.__class__ is tuple or is_file(body, environ):
                return body
            calls = [partial(profiler.runcall, closer) for closer in closers(body)]
            return Replaced(_blocks(profiler, body), *calls)

        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        method = environ["REQUEST_METHOD"]
        return observe(measured, environ, start_response, done, (profiler, method, path))

    def done(observed: Observed, facts: tuple[Profile, str, str]) -> None:
        profiler, method, path = facts
        took = observed.took // 1_000_000
        status = observed.code
        try:
            keep_profile(
                folder, profiler, method=method, path=path, status=status, took=took, keep=keep
            )
        except OSError:
            LOG.exception("profile() could not keep a profile in %s", folder)
        finally:
            _one.release()

    def look(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        try:
            query = parse_query(environ.get("QUERY_STRING", ""))
        except HTTPError as error:
            return answer_error(error, environ, start_response)
        name = query.get("file")
        shown: Response | None
        if name is None:
            shown = list_page(folder, MARK)
        elif query.get("raw") is None:
            shown = profile_page(folder, name, query.get("sort", "cumulative"))
        elif any(kept[0] == name for kept in kept_profiles(folder)):
            shown = Response.file(os.path.join(folder, name), download_as=name)
        else:
            shown = None
        if shown is None:
            return answer_error(NOT_FOUND, environ, start_response)
        return shown(environ, start_response)

    return answer


def _blocks(profiler: Profile, body: Body) -> Iterator[bytes]:
    blocks = profiler.runcall(iter, body)
    while True:
        try:
            block = profiler.runcall(next, blocks)
        except StopIteration:
            return
        yield block


def _busy() -> HTTPError:
    return HTTPError(503, "Another request is being profiled. Try again.")
