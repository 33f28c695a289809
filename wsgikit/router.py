"""The router: which application answers which path and method.

Paths without parameters are found in one dict; the others in a tree of dicts, one level a segment.
The cost of a match depends on the length of the path, not on the number of routes.
"""

from __future__ import annotations

from copy import copy

import wsgikit
from wsgikit.compose import stack
from wsgikit.environ import native, path_url, shift
from wsgikit.errors import NOT_FOUND, answer_error
from wsgikit.http.problem import HTTPError
from wsgikit.keys import ROUTE, ROUTING_ARGS
from wsgikit.paths import BASIC, NO_VALUE, Integer, Parameter, Rest, Template
from wsgikit.pathtree import Node
from wsgikit.response import Response
from wsgikit.routes import Route, Routes
from wsgikit.wrap import without_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsgikit.paths import Converter
    from wsgikit.pathtree import Table
    from wsgikit.types import Body, Layer, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Router"]

_INT = Integer.parse


class Router(Routes):
    """A WSGI application that passes each request to the route that its path and method choose.

    :param converters: kinds of parameters of your own (:class:`wsgikit.converters.Converter`).
    :param trailing_slash: ``"strict"``: ``/a`` and ``/a/`` are two paths (the default);
        ``"redirect"``: where only the other one exists, the client is sent there (308).
    :raises ValueError: for an option that is none of these.

    An unknown path is answered 404, a known path with another method 405 with Allow, OPTIONS 204
    with Allow, HEAD as GET without content, and a path that is no UTF-8 400. Where several routes
    match, literal text wins over ``int`` and the like, that over ``str``, that over ``path`` and
    that over a mount, in the first segment that differs; a route without the method is passed over.

    The environ gets ``wsgikit.route``, and ``wsgiorg.routing_args`` the path parameters, beside
    those that another router left there. An empty PATH_INFO, as a mount may leave, counts as ``/``.
    """

    def __init__(
        self, *, converters: Iterable[Converter] = (), trailing_slash: str = "strict"
    ) -> None:
        if trailing_slash not in ("strict", "redirect"):
            raise ValueError(f"trailing_slash is 'strict' or 'redirect', not {trailing_slash!r}")
        self._converters: dict[str, Converter] = {}
        for converter in converters:
            if self._converter(converter.name) is not None:
                raise ValueError(f"converters: there is a converter {converter.name!r} already")
            self._converters[converter.name] = converter
        self._redirects = trailing_slash == "redirect"
        self._clear()

    def _clear(self) -> None:
        """Begin without routes."""
        # Where the client may be redirected, no path is given up without a search.
        self._root = Node(None, forks=self._redirects)
        self._depth = 1  # of the tree: a path is not split further than that
        self._static: dict[str, Table] = {}
        self._named: dict[str, Route] = {}
        #: All routes and mounts, in the order of their definition.
        self.routes: list[Route] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        path = environ.get("PATH_INFO") or "/"
        method = environ["REQUEST_METHOD"]
        table = self._static.get(path)
        if table is not None and method in table:
            environ[ROUTE], app = table[method]
            return app(environ, start_response)
        # The best choice at every level, without looking back; where that leads nowhere, the search
        # looks at all of them.
        node = self._root
        params: dict[str, object] = {}
        for segment in path.split("/", self._depth):
            child = node.literal.get(segment)
            if child is None:
                if segment in NO_VALUE:
                    break
                for parse, child in node.typed:
                    try:
                        # The usual cases of Integer.parse without the call: 0.1 µs of 3.6 for a
                        # number, 0.5 for other text, as an error costs more than a call.
                        if parse is _INT and segment.isdecimal():
                            params[child.name] = int(segment)
                        elif parse is _INT and segment[0] != "-":
                            continue
                        else:
                            params[child.name] = parse(segment)
                        break
                    except ValueError:
                        continue
                else:
                    child = node.text
                    if child is None:
                        break
                    params[child.name] = segment
            node = child
        else:
            table = node.leaf
            if method in table and path.isascii():
                route, app = table[method]
                environ[ROUTE] = route
                if route.renamed:
                    params = dict(zip(route.template.names, params.values(), strict=True))
                if ROUTING_ARGS in environ:
                    params = {**environ[ROUTING_ARGS][1], **params}
                environ[ROUTING_ARGS] = (), params
                return app(environ, start_response)
            if table:
                return self._search(path, method, environ, start_response)
        if node.hopes or not path.isascii() or path[0] != "/":
            return self._search(path, method, environ, start_response)
        return answer_error(NOT_FOUND, environ, start_response)

    def _search(
        self, path: str, method: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Body:
        """Answer by the first of all matches that has the method, else say what is there."""
        if path == "*" and method == "OPTIONS":  # of all that is here: RFC 9110 §9.3.7
            everything = {each for route in self.routes for each in route.methods}
            return _other_method(method, everything)(environ, start_response)
        try:
            path = path.encode("latin-1").decode("utf-8")
        except UnicodeError:
            path = ""
        if path[:1] != "/":
            error = HTTPError(400, "A path begins with a slash, and its bytes are UTF-8.")
            return answer_error(error, environ, start_response)
        segments = path.split("/", self._depth)
        allowed: set[str] = set()
        for found, values, used in self._root.search(segments):
            if isinstance(found, Route):
                if allowed:
                    break  # a path of our own wins over a mount, with its 405 too
                environ[ROUTE] = found
                shift(environ, native("/".join(segments[:used])))
                return found.application(environ, start_response)
            if method in found:
                route, app = found[method]
                environ[ROUTE] = route
                outer = environ.get(ROUTING_ARGS, ((), {}))[1]
                params = dict(zip(route.template.names, values, strict=True))
                environ[ROUTING_ARGS] = (), {**outer, **params}
                return app(environ, start_response)
            allowed.update(found)
        if allowed:
            return _other_method(method, allowed)(environ, start_response)
        if self._redirects and (there := self._with_other_slash(path, environ)):
            return Response.redirect(there, 308)(environ, start_response)
        return answer_error(NOT_FOUND, environ, start_response)

    def _with_other_slash(self, path: str, environ: WSGIEnvironment) -> str | None:
        """Where ``path`` with or without its trailing slash is, if that is a route."""
        path = path[:-1] if path.endswith("/") else f"{path}/"
        if not any(self._root.search(path.split("/", self._depth))):
            return None
        there = path_url({**environ, "PATH_INFO": native(path)})
        # What begins with two slashes would name another host.
        return None if there.startswith("//") else there

    def url(self, name: str, /, **params: object) -> str:
        """The path of the route or mount ``name``, percent-encoded, below where this router is.

        :param params: its path parameters; for a mount, ``path`` may name what is below it.
        :raises LookupError: for a name that no route has.
        :raises ValueError: for a parameter that is missing, unknown, or that would not match.

        A request of this path reaches the route and gives the parameters back, unless a better
        route has the same path. In a view, :meth:`wsgikit.Request.url_for` puts SCRIPT_NAME in
        front.
        """
        route = self._named.get(name)
        if route is None:
            raise LookupError(f"no route has the name {name!r}")
        if not route.methods and not params:
            return route.template.url({"path": "-"})[:-1]
        return route.template.url(params)

    def described(self) -> tuple[dict[str, object], list[tuple[str, WSGIApplication]]]:
        """For :func:`wsgikit.describe`: the routes and mounts."""
        options: dict[str, object] = {"trailing_slash": "redirect"} if self._redirects else {}
        return options, [(str(route), route.application) for route in self.routes]

    def rebuilt(self, applications: Iterable[WSGIApplication]) -> Router:
        """For :func:`wsgikit.between.between`: a router with others behind the same routes."""
        made = copy(self)
        made._clear()
        for route, app in zip(self.routes, applications, strict=True):
            made._define(route.template.text, app, (), route.methods, route.name)
        return made

    def _converter(self, name: str) -> Converter | None:
        known = self._converters.get(name) or BASIC.get(name)
        return known or wsgikit.converters.BUILT_IN.get(name)

    def _define(
        self,
        template: str,
        app: WSGIApplication,
        layers: tuple[Layer, ...],
        methods: tuple[str, ...],
        name: str | None,
    ) -> None:
        """Enter a route into the tree; without methods, a mount."""
        compiled = Template(template, self._converter)
        if not methods and len(compiled.names) > 1:
            raise ValueError(f"prefix of a mount is a path without parameters, not {template!r}")
        if not callable(app):
            raise TypeError(f"{template}: {app!r} is no WSGI application")
        route = Route(self, compiled, methods, stack(*layers, app), name)
        # First look whether all is well, and only then change something.
        if name is not None and name in self._named:
            raise ValueError(f"{route!r} has the name {name!r} of {self._named[name]!r}")
        *segments, last = compiled.segments
        rest = isinstance(last, Parameter) and last.converter is Rest
        if not rest:
            segments.append(last)
        try:
            node = self._root.find(segments)
        except ValueError as error:
            raise ValueError(f"{route!r} is {error}") from None
        other = node and _taken(node, rest, methods)
        if other:
            raise ValueError(f"{route!r} matches the same paths as {other!r}")
        self._enter(route, segments, rest)
        self._depth = max(self._depth, len(compiled.segments))
        self.routes.append(route)
        if name is not None:
            self._named[name] = route

    def _enter(self, route: Route, segments: list[str | Parameter], rest: bool) -> None:
        node, names = self._root.make(segments, route)
        if not route.methods:
            node.mount = route
        else:
            table = {**(node.rest if rest else node.leaf)}
            for method in route.methods:
                table[method] = route, route.application
            if "GET" in route.methods and "HEAD" not in table:
                table["HEAD"] = route, without_body(route.application)
            if rest:
                node.rest = table
            else:
                node.leaf = table
                route.renamed = tuple(names) != route.template.names
            if not route.template.names:
                self._static[native(route.template.text)] = table
        if rest:
            node.settle()


def _taken(node: Node, rest: bool, methods: tuple[str, ...]) -> Route | None:
    """The route that has the same paths and one of the methods already, if there is one."""
    if not methods:
        return node.mount
    table = node.rest if rest else node.leaf
    for method in methods:
        # The HEAD that came with a GET gives way to one of its own.
        if method in table and method in table[method][0].methods:
            return table[method][0]
    return None


def _other_method(method: str, allowed: set[str]) -> WSGIApplication:
    """What answers a method that a path does not have: OPTIONS with 204, others with 405."""
    allowed |= {"OPTIONS", "HEAD"} if "GET" in allowed else {"OPTIONS"}
    allow = [("Allow", ", ".join(sorted(allowed)))]
    if method == "OPTIONS":
        return Response(status=204, headers=allow)
    error = HTTPError(405, f"{method[:40]} is not for this address.", headers=allow)
    return lambda environ, start_response: answer_error(error, environ, start_response)
