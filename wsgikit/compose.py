"""Composition: what a layer is, and how layers are stacked.

A *middleware* is a function ``name(app, *, options) -> application``. A *layer* is a middleware
with its options bound, or anything else that makes an application of an application.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Concatenate, ParamSpec, TypeGuard

    from wsgikit.types import (
        Body,
        Layer,
        LayerFactory,
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

    P = ParamSpec("P")

__all__ = ["layer", "stack", "when"]


def layer(
    middleware: Callable[Concatenate[WSGIApplication, P], WSGIApplication], /
) -> LayerFactory[P]:
    """Make a middleware usable both ways: ``mw(app, a=1)`` wraps, ``mw(a=1)`` is a layer.

    ``middleware`` takes the application first and its options as keywords only. An option that it
    does not know, or one that it wants and does not get, raises :class:`TypeError` where the layer
    is written; what a wrong value raises comes when the layer is stacked, and says from which layer
    it comes. :mod:`wsgikit.doctor` has how a layer states its place in a stack.
    """
    code = getattr(middleware, "__code__", None)
    if code is None or code.co_argcount != 1 or code.co_flags & 0x0C:  # *args or **options
        takes = "a middleware is a function that takes (app, *, options), each option by its name"
        raise TypeError(f"{name_of(middleware)}: {takes}")
    name = middleware.__name__
    known = code.co_varnames[1 : 1 + code.co_kwonlyargcount]
    defaults = middleware.__kwdefaults__ or {}
    required = [option for option in known if option not in defaults]

    def factory(*args: object, **options: object) -> object:
        for option in options:
            if option not in known:
                takes = ", ".join(known) or "no options"
                raise TypeError(f"{name}() has no option {option!r}; it takes {takes}")
        for option in required:
            if option not in options:
                raise TypeError(f"{name}() needs the option {option!r}")
        bound = BoundLayer(
            name,
            options,
            lambda app: middleware(app, **options),  # type: ignore[arg-type,call-arg]
            middleware,
        )
        if not args:
            return bound
        if len(args) > 1 or not _is_application(args[0]):
            raise TypeError(f"{name}() takes one application and its options by name")
        return wrapped(bound, args[0])

    factory.__name__ = name
    factory.__qualname__ = middleware.__qualname__
    factory.__module__ = middleware.__module__
    factory.__doc__ = middleware.__doc__
    factory.__wrapped__ = middleware  # type: ignore[attr-defined]  # the signature for help()
    factory.__middleware__ = middleware  # type: ignore[attr-defined]
    return factory  # type: ignore[return-value]


class BoundLayer:
    """A middleware with its options, ready to be stacked: what ``@layer`` makes."""

    __slots__ = ("_wrap", "middleware", "name", "options")

    def __init__(
        self,
        name: str,
        options: Mapping[str, object],
        wrap: Layer,
        middleware: Callable[..., WSGIApplication] | None = None,
    ) -> None:
        self.name = name
        self.options = options
        self.middleware = middleware  # where the doctor finds what the layer says of itself
        self._wrap = wrap

    def __call__(self, app: WSGIApplication, /) -> WSGIApplication:
        return self._wrap(app)

    def __repr__(self) -> str:
        return f"{self.name}({written(self.options)})"


def stack(*parts: *tuple[*tuple[Layer, ...], WSGIApplication]) -> WSGIApplication:
    """Put layers around an application: ``stack(a, b, app)`` is ``a(b(app))``.

    A request passes the parts from the first to the last, its response the other way. The last part
    is the application; each of the others is called once, now, with what stands behind it. What was
    stacked stays visible for :func:`wsgikit.describe`; that costs nothing at a request.

    Raises :class:`TypeError` for a part that cannot be what its place asks for.
    """
    if not parts:
        raise TypeError("stack() needs at least an application")
    *layers, app = parts
    if not _is_application(app):
        raise TypeError(f"stack() ends with {app!r}: the last part is a WSGI application")
    for part in reversed(layers):
        app = wrapped(part, app)
    return app


def when(predicate: Callable[[WSGIEnvironment], object], part: Layer, /) -> Layer:
    """A layer that is there for some requests only: those for which ``predicate(environ)`` is true.

    The others pass to the application behind it as if it were not there.

    Raises :class:`TypeError` for a predicate or a layer that cannot be called.
    """
    if not callable(predicate):
        raise TypeError(f"when() takes predicate(environ) first, not {predicate!r}")
    if not callable(part):
        raise TypeError(f"when() takes a layer after its predicate, not {part!r}")

    def conditional(app: WSGIApplication) -> WSGIApplication:
        layered = wrapped(part, app)

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            return (layered if predicate(environ) else app)(environ, start_response)

        return answer

    return BoundLayer("when", {"predicate": predicate, "layer": part}, conditional)


class Record:
    """What was stacked: ``layer`` was called with ``app`` and gave ``outer``.

    ``inner`` is what stands behind: ``app``, or what the layer made of it where that has parts of
    its own to show (a stack, a router).
    """

    __slots__ = ("app", "inner", "layer", "outer")

    def __init__(
        self, outer: object, part: Layer, app: WSGIApplication, inner: WSGIApplication
    ) -> None:
        self.outer = outer
        self.layer = part
        self.app = app
        self.inner = inner


def wrapped(part: Layer, app: WSGIApplication) -> WSGIApplication:
    """Call the layer ``part`` with ``app`` and note on the result what was done.

    The note stands on the result itself where that was made for ``app``. What has a place of its
    own elsewhere (another stack, a router, a function for many) or no room for a note (a bound
    method, an object with slots) gets a function around it that carries the note.
    """
    if not callable(part):
        raise TypeError(f"{part!r} is no layer: a layer is called with an application")
    try:
        outer = part(app)
    except Exception as error:
        error.add_note(f"raised by the layer {name_of(part)}")
        raise
    if not _is_application(outer):
        raise TypeError(f"the layer {name_of(part)} returned {outer!r}, which is no application")
    if outer is app:
        return app
    record = record_of(outer)
    if record is not None and record.inner is app and not isinstance(part, BoundLayer):
        return outer  # ``part`` is a middleware as it is, which has noted itself
    stands_alone = record is not None or takes_part(outer)
    if not stands_alone and _holds(outer, app):
        try:
            return _noted(outer, part, app, app)
        except AttributeError:
            pass

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        return outer(environ, start_response)

    return _noted(answer, part, app, outer if stands_alone else app)


def record_of(app: WSGIApplication) -> Record | None:
    """What was noted on ``app`` itself: functools.wraps copies another's note to its wrapper."""
    record = getattr(app, "__layer__", None)
    return record if isinstance(record, Record) and record.outer is app else None


def takes_part(app: WSGIApplication) -> bool:
    """Whether ``app`` has ``described()``: set on it or of its class, not made up by a proxy."""
    own = () if isinstance(app, type) else getattr(app, "__dict__", ())
    return "described" in own or hasattr(type(app), "described")


def _noted(
    outer: WSGIApplication, part: Layer, app: WSGIApplication, inner: WSGIApplication
) -> WSGIApplication:
    outer.__layer__ = Record(outer, part, app, inner)  # type: ignore[attr-defined]
    outer.__wrapped__ = inner  # type: ignore[attr-defined]
    return outer


def _holds(outer: WSGIApplication, app: WSGIApplication) -> bool:
    """Whether ``app`` is a variable of the function or an attribute of the object ``outer``."""
    held = [*getattr(outer, "__dict__", {}).values()]
    for cell in getattr(outer, "__closure__", None) or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # a variable that has no value yet
            pass
    return any(value is app for value in held)


def _is_application(app: object) -> TypeGuard[WSGIApplication]:
    """Whether ``app`` can be one: it is called, and is no layer by mistake."""
    marks = getattr(app, "__dict__", {})
    return callable(app) and not isinstance(app, BoundLayer) and "__middleware__" not in marks


def name_of(part: object) -> str:
    """What a person calls this layer, application or function."""
    if isinstance(part, BoundLayer):
        return repr(part)
    part = getattr(part, "func", part)  # functools.partial
    name = getattr(part, "__qualname__", None)
    if not isinstance(name, str):  # an object, or a proxy that answers to any name
        name = type(part).__qualname__
    return name.replace(".<locals>", "").replace("<lambda>", "lambda")


class _Hidden:
    """Stands where an option's value is a secret."""

    def __repr__(self) -> str:
        return "[redacted]"


HIDDEN = _Hidden()

# Words in the name of an option whose value is for nobody to see: keys, api_key, user_passwords.
_SECRETS = frozenset("key keys secret secrets password passwords passphrase token tokens".split())
# The most characters of one value that help whoever looks at a stack.
_LONGEST = 200


def visible(options: Mapping[str, object]) -> dict[str, object]:
    """Options for a person to see: what names call a secret is hidden; a function never is one."""
    return {
        option: value
        if value is None or callable(value) or _SECRETS.isdisjoint(option.lower().split("_"))
        else HIDDEN
        for option, value in options.items()
    }


def written(options: Mapping[str, object]) -> str:
    """Options as one would write them: ``level=6, key=client_address``, but for secrets."""
    return ", ".join(
        f"{option}={name_of(value) if callable(value) else _cut(repr(value))}"
        for option, value in visible(options).items()
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
