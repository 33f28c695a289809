"""Addresses that have moved: a table of paths and where to they lead (RFC 9110 §15.4)."""

from __future__ import annotations

import re

from wsgikit.arguments import check_mapping
from wsgikit.compose import layer
from wsgikit.converters import BUILT_IN
from wsgikit.environ import root_url, text
from wsgikit.http.location import location
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import QUERY_SAFE, percent_decode, percent_encode, percent_encode_octets
from wsgikit.paths import BASIC, NO_VALUE, Integer, Parameter, Rest, Template, Text
from wsgikit.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wsgikit.paths import Converter
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["redirects"]

#: What has to stand outside of this layer, and why.
ORDER = {"inside": {"cors": "browsers follow no redirect of a preflight"}}

# What a parameter is filled with to see where a pattern leads.
_SAMPLES = {Text.name: "x", Integer.name: 1, Rest.name: "x"}
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")


@layer
def redirects(
    app: WSGIApplication, *, table: Mapping[str, str], status: int = 308
) -> WSGIApplication:
    """A path of the table is redirected to where it leads now; all others pass.

    :param table: old paths and new ones: ``{"/old": "/new", "/blog/{slug}": "/posts/{slug}"}``.
        Old ones are written as those of a router, with its parameters and converters; new ones are
        paths, or http and https URLs of other sites, and may have the parameters as segments of
        their path, and anywhere behind it: ``{"/tag/{name}": "/search?tag={name}"}``.
        A path without parameters counts first, then the first one that fits.
    :param status: 308 and 307 have the method and the body sent again, 301 and 302 make a GET of
        a POST, 303 makes one of all. Clients keep a 308 and a 301 for good.
    :raises TypeError: for a table that is no mapping of text to text.
    :raises ValueError: for a path that is none, a parameter of the new one that the old one has
        not, braces that are none, another status, and for what leads in a circle.

    The query goes along, unless the new address has one of its own. Paths on both sides are below
    where the application is mounted. What a client sends fills segments of a path and values of a
    query, percent-encoded, and no host: a redirect leads only where the table says.
    """
    if status not in (301, 302, 303, 307, 308):
        raise ValueError(f"status takes 301, 302, 303, 307 or 308, not {status!r}")
    check_mapping("table", table, "paths to paths and URLs")
    moves = [_Move(old, new) for old, new in table.items()]
    exact = {move.old.text: move for move in moves if not move.old.names}
    patterns = [move for move in moves if move.old.names]
    starts = tuple([move.old.text.partition("{")[0] for move in patterns])

    def find(path: str) -> tuple[_Move, dict[str, object]] | None:
        move = exact.get(path)
        if move is not None:
            return move, {}
        segments = path.split("/") if patterns else []
        for move in patterns:
            values = _matched(move.old, segments)
            if values is not None:
                return move, values
        return None

    for move in moves:
        _check_end(move, find, len(moves))

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        path = environ.get("PATH_INFO", "")
        strange = path not in exact and not (starts and path.startswith(starts))
        if strange and path.isascii():
            return app(environ, start_response)
        found = find(text(path))
        if found is None:
            return app(environ, start_response)
        move, values = found
        query = percent_encode_octets(environ.get("QUERY_STRING", ""), QUERY_SAFE)
        there = move.url(values, root_url(environ), query)
        redirect = Response.redirect(there, status, external=bool(move.origin))
        return redirect(environ, start_response)

    return answer


class _Move:
    """An old path, and the address that it has now."""

    __slots__ = ("fragment", "new", "old", "origin", "query", "written")

    def __init__(self, old: str, new: str) -> None:
        if not isinstance(old, str) or not isinstance(new, str):
            raise TypeError(f"table maps text to text, not {old!r} to {new!r}")
        self.old = _template(old)
        rest, hash_, fragment = new.partition("#")
        rest, mark, query = rest.partition("?")
        self.fragment, self.query = hash_ + fragment, mark + query
        scheme, separator, behind = rest.partition("://")
        host, slash, path = behind.partition("/")
        self.origin = f"{scheme}://{host}" if separator else ""
        # What the old path has read in its way is written in the same one.
        path = slash + path or "/" if separator else rest
        for name, converter in self.old.parameters.items():
            path = path.replace(f"{{{name}}}", f"{{{name}:{converter.name}}}")
        self.new = _template(path)
        #: The parameters that are written behind the path.
        self.written = list(dict.fromkeys(_BRACES.findall(self.query + self.fragment)))
        unknown = [n for n in (*self.new.names, *self.written) if n not in self.old.names]
        if unknown:
            raise ValueError(f"table: {new!r} has the parameter {unknown[0]!r}, {old!r} has not")
        try:
            if separator and "{" in host:
                raise HTTPError(400, "a parameter is no part of a host")
            tail = self.query + self.fragment
            location(f"{self.origin}/{tail}", external=bool(separator))
        except HTTPError as error:
            raise ValueError(f"table: {old!r} leads to {new!r}: {error.detail}") from None

    def url(self, values: dict[str, object], root: str, query: str) -> str:
        """The new address of a path that has these parameters."""
        path = self.new.url({name: values[name] for name in self.new.names})
        tail = (self.query or (query and f"?{query}")) + self.fragment
        for name in self.written:  # braces of the client's query are encoded
            text = self.old.parameters[name].format(values[name])
            tail = tail.replace(f"{{{name}}}", percent_encode(text))
        return f"{self.origin or root}{path}{tail}"


def _template(path: str) -> Template:
    try:
        return Template(path, lambda name: BASIC.get(name) or BUILT_IN.get(name))
    except ValueError as error:
        raise ValueError(f"table: {error}") from None


def _matched(template: Template, segments: list[str]) -> dict[str, object] | None:
    """The parameters that a path has by a template; None where it is another path."""
    values: dict[str, object] = {}
    for index, part in enumerate(template.segments):
        if index >= len(segments):
            return None
        if not isinstance(part, Parameter):
            if part != segments[index]:
                return None
            continue
        converter: Converter = part.converter
        rest = converter is Rest
        given = "/".join(segments[index:]) if rest else segments[index]
        try:
            if given in NO_VALUE:
                return None
            values[part.name] = converter.parse(given)
        except ValueError:
            return None
        if rest:
            return values
    return values if len(segments) == len(template.segments) else None


def _check_end(
    move: _Move, find: Callable[[str], tuple[_Move, dict[str, object]] | None], longest: int
) -> None:
    """Refuse a table in which a path leads to paths of the table without end."""
    names = {name: converter.name for name, converter in move.old.parameters.items()}
    if not names.keys() <= {name for name, kind in names.items() if kind in _SAMPLES}:
        return
    values: dict[str, object] = {name: _SAMPLES[kind] for name, kind in names.items()}
    now: tuple[_Move, dict[str, object]] | None = move, values
    for _ in range(longest + 1):
        if now is None or now[0].origin:
            return
        path = now[0].new.url({name: now[1][name] for name in now[0].new.names})
        now = find(percent_decode(path))
    raise ValueError(f"table: {move.old.text!r} leads in a circle")
