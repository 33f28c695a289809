"""One address for a page: with a slash at the end of its path, or without."""

from __future__ import annotations

from wsgikit.compose import layer
from wsgikit.environ import path_url
from wsgikit.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["trailing_slash"]

#: What has to stand outside of this layer, and why.
ORDER = {"inside": {"cors": "browsers follow no redirect of a preflight"}}


@layer
def trailing_slash(
    app: WSGIApplication,
    *,
    end: Literal["remove", "append"] = "remove",
    redirect: bool = True,
) -> WSGIApplication:
    """A path that ends otherwise is redirected to the one that ends as it should.

    :param end: ``"remove"``: no path but ``/`` ends with a slash. ``"append"``: all do whose last
        segment has no dot, which are files.
    :param redirect: whether by a 308, with the query and for the same method; else the application
        gets the other path, and both addresses work.
    :raises ValueError: for another ``end``.

    It is decided by the path alone, whether there is such a page or not. A router's own
    ``trailing_slash="redirect"`` knows its routes. No redirect leaves the site.
    """
    if end not in ("remove", "append"):
        raise ValueError(f"end takes 'remove' or 'append', not {end!r}")

    right = _without if end == "remove" else _with

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        path = environ.get("PATH_INFO", "")
        there = right(path)
        if there == path:
            return app(environ, start_response)
        if not redirect:
            environ["PATH_INFO"] = there
            return app(environ, start_response)
        url = path_url({**environ, "PATH_INFO": there})
        if url[:2] == "//":  # it would name another host
            return app(environ, start_response)
        return Response.redirect(url, 308)(environ, start_response)

    return answer


def _without(path: str) -> str:
    bare = path.rstrip("/")
    # What begins otherwise: the "*" of OPTIONS; to wsgiref, a whole URL is a path as well.
    if bare == path or path[:1] != "/":
        return path
    return bare or path


def _with(path: str) -> str:
    if path[:1] != "/" or path[-1] == "/" or "." in path.rpartition("/")[2]:
        return path
    return f"{path}/"
