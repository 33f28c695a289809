"""Where routes are defined: on a router, or on a group of routes with a prefix and layers."""

from __future__ import annotations

from wsgikit.compose import name_of
from wsgikit.http.grammar import is_token
from wsgikit.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from wsgikit.paths import Template
    from wsgikit.types import Layer, WSGIApplication

    View = TypeVar("View", bound=Callable[..., object])

__all__ = ["Group", "Route", "Routes"]

#: How the template of a mount ends.
BELOW = "/{path:path}"


class Route:
    """One line of a router's table: what answers ``methods`` of ``template``, under which ``name``.

    A mount has no ``methods``: it answers all of them, for everything below its template.
    ``router`` is where it was defined, ``application`` the view or application with its layers.
    """

    __slots__ = ("application", "methods", "name", "renamed", "router", "template")

    def __init__(
        self,
        router: Routes,
        template: Template,
        methods: tuple[str, ...],
        application: WSGIApplication,
        name: str | None,
    ) -> None:
        self.router = router
        self.template = template
        self.methods = methods
        self.application = application
        self.name = name
        self.renamed = False  # whether the tree has other names for the parameters

    def __str__(self) -> str:
        if not self.methods:
            return f"{self.template.text.removesuffix(BELOW)}/*"
        return f"{' '.join(self.methods)} {self.template.text}"

    def __repr__(self) -> str:
        app = self.application
        while hasattr(app, "__wrapped__"):  # behind the layers, and a view behind its application
            app = app.__wrapped__
        return f"<Route {self} to {name_of(app)}>"


class Routes:
    """What a :class:`~wsgikit.Router` and its groups have in common: routes are defined on them."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _define(
            self,
            template: str,
            app: WSGIApplication,
            layers: tuple[Layer, ...],
            methods: tuple[str, ...],
            name: str | None,
        ) -> None: ...

        def url(self, name: str, /, **params: object) -> str: ...

    def route(
        self,
        template: str,
        *layers: Layer,
        methods: Iterable[str] = ("GET",),
        name: str | None = None,
    ) -> Callable[[View], View]:
        """Decorate a view: it answers ``methods`` of the paths that ``template`` describes.

        :param template: like ``/users/{id:int}/posts/{slug}``, below the group's prefix. On a
            group, an empty one means the prefix itself.
        :param layers: what goes around this view alone, the outermost first.
        :param methods: the request methods. HEAD comes with GET, OPTIONS with everything.
        :param name: what :meth:`Router.url` calls it.
        :raises ValueError: for a template or method that is none, and for one that another route
            has already or that some path would not tell from another; the message names both.
        :raises TypeError: for a layer or view that cannot be called.

        A definition that fails leaves the router as it was.
        """
        if not isinstance(template, str):
            raise TypeError(f"a route begins with its template, as in get('/users'): {template!r}")
        _check_layers(template, layers)

        def add(view: View) -> View:
            if not callable(view):
                raise TypeError(f"{template}: {view!r} is no view")
            self.add(template, Request.application(view), *layers, methods=methods, name=name)
            return view

        return add

    def get(self, template: str, *layers: Layer, name: str | None = None) -> Callable[[View], View]:
        """:meth:`route` for GET and HEAD."""
        return self.route(template, *layers, methods=("GET",), name=name)

    def post(
        self, template: str, *layers: Layer, name: str | None = None
    ) -> Callable[[View], View]:
        """:meth:`route` for POST."""
        return self.route(template, *layers, methods=("POST",), name=name)

    def put(self, template: str, *layers: Layer, name: str | None = None) -> Callable[[View], View]:
        """:meth:`route` for PUT."""
        return self.route(template, *layers, methods=("PUT",), name=name)

    def patch(
        self, template: str, *layers: Layer, name: str | None = None
    ) -> Callable[[View], View]:
        """:meth:`route` for PATCH."""
        return self.route(template, *layers, methods=("PATCH",), name=name)

    def delete(
        self, template: str, *layers: Layer, name: str | None = None
    ) -> Callable[[View], View]:
        """:meth:`route` for DELETE."""
        return self.route(template, *layers, methods=("DELETE",), name=name)

    def add(
        self,
        template: str,
        app: WSGIApplication,
        *layers: Layer,
        methods: Iterable[str] = ("GET",),
        name: str | None = None,
    ) -> None:
        """Have an application answer a template, as :meth:`route` has a view.

        PATH_INFO stays whole; the parameters are in ``wsgiorg.routing_args``.
        """
        _check_layers(template, layers)
        self._define(template, app, layers, _checked_methods(template, methods), name)

    def mount(
        self, prefix: str, app: WSGIApplication, *layers: Layer, name: str | None = None
    ) -> None:
        """Have ``app`` answer everything below ``prefix``, with all methods.

        The prefix, a path without parameters, moves from PATH_INFO to SCRIPT_NAME (PEP 3333), so
        that the application sees itself at the top; its slash at the end counts for nothing. Routes
        of this router below the prefix win over the mount. ``url(name, path="css/a.css")`` gives
        paths below it.
        """
        if prefix[:1] != "/" or "{" in prefix:
            raise ValueError(f"prefix of a mount is a path without parameters, not {prefix!r}")
        _check_layers(prefix, layers)
        self._define(prefix.removesuffix("/") + BELOW, app, layers, (), name)

    def group(self, prefix: str = "", *layers: Layer) -> Group:
        """Define routes below ``prefix`` (a template too), each with ``layers`` around it."""
        if not isinstance(prefix, str):
            raise TypeError(f"a group begins with its prefix, as in group('/api'): {prefix!r}")
        if prefix and (prefix[0] != "/" or prefix[-1] == "/"):
            raise ValueError(f"prefix of a group begins with '/' and ends without, not {prefix!r}")
        _check_layers(prefix, layers)
        return Group(self, prefix, layers)


class Group(Routes):
    """Routes with a common prefix and common layers; made by :meth:`Routes.group`."""

    __slots__ = ("_layers", "_outer", "_prefix")

    def __init__(self, outer: Routes, prefix: str, layers: tuple[Layer, ...]) -> None:
        self._outer = outer
        self._prefix = prefix
        self._layers = layers

    def _define(
        self,
        template: str,
        app: WSGIApplication,
        layers: tuple[Layer, ...],
        methods: tuple[str, ...],
        name: str | None,
    ) -> None:
        if template and template[0] != "/":
            raise ValueError(f"template {template!r}: a path begins with '/'")
        self._outer._define(self._prefix + template, app, self._layers + layers, methods, name)

    def url(self, name: str, /, **params: object) -> str:
        """:meth:`Router.url` of the router."""
        return self._outer.url(name, **params)


def _check_layers(place: str, layers: tuple[Layer, ...]) -> None:
    for part in layers:
        if not callable(part):
            raise TypeError(f"{place or 'group'}: {part!r} is no layer")


def _checked_methods(template: str, methods: Iterable[str]) -> tuple[str, ...]:
    if isinstance(methods, str):
        raise TypeError(f"methods of {template} is a list of request methods, not {methods!r}")
    checked = tuple(dict.fromkeys(methods))
    if not checked:
        raise ValueError(f"methods of {template} is empty: no request would reach it")
    for method in checked:
        if not isinstance(method, str) or not is_token(method):
            raise ValueError(f"methods of {template}: {method!r} is no request method")
        # RFC 9110 §9.1: methods are case-sensitive, and all registered ones are in capitals.
        if method != method.upper():
            raise ValueError(f"methods of {template}: write {method.upper()!r}, not {method!r}")
    return checked
