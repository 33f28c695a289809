"""A body in the place of another, and who closes what."""

from __future__ import annotations

from wsgikit.keys import FILE_WRAPPER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wsgikit.types import Body, WSGIEnvironment

__all__ = ["Extended", "Replaced", "close", "closers", "is_file", "no_content", "on_close"]


class Replaced:
    """A body in the place of another: iterates ``blocks``, and ``close()`` calls all ``closers``.

    A generator alone cannot stand for a body: closed before its first ``next``, its ``finally``
    never runs. All closers run, in order, also when one of them fails; the first failure is raised
    at the end.
    """

    __slots__ = ("_blocks", "_closers")

    def __init__(self, blocks: Iterable[bytes], *closers: Callable[[], object]) -> None:
        self._blocks = blocks
        self._closers = closers

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._blocks)

    def close(self) -> None:
        """Close everything that this body replaced; a second call does nothing."""
        closers, self._closers = self._closers, ()
        failure: BaseException | None = None
        for closer in closers:
            try:
                closer()
            except BaseException as error:
                failure = error if failure is None else failure
        if failure is not None:
            raise failure


def closers(*bodies: object) -> list[Callable[[], object]]:
    """The ``close`` methods of those bodies that have one."""
    methods = []
    for body in bodies:  # a comprehension would take another 0.4 µs
        method = getattr(body, "close", None)
        if method is not None:
            methods.append(method)
    return methods


def close(body: object) -> None:
    """Close a body that is not going to be sent."""
    for closer in closers(body):
        closer()


def is_file(body: object, environ: WSGIEnvironment) -> bool:
    """Whether ``body`` is of the server's ``wsgi.file_wrapper``, which can send it faster.

    Where that is a function, nobody but the server knows its results. There, files count (uWSGI's
    function gives the file itself back), and wrappers that name theirs as PEP 3333's example does.
    """
    wrapper = environ.get(FILE_WRAPPER)
    if isinstance(wrapper, type):
        return isinstance(body, wrapper)
    return wrapper is not None and (hasattr(body, "read") or hasattr(body, "filelike"))


def no_content() -> Body:
    """A body without content that leaves Content-Length alone.

    For an empty list, wsgiref's handlers would add ``Content-Length: 0``, which a HEAD response
    must not say of content that is longer (RFC 9110 §8.6).
    """
    return iter((b"",))


class Extended:
    """A body whose ``close()`` others may extend: :func:`on_close` leaves it where it stands."""

    __slots__ = ("closing",)

    #: What ``close()`` calls first and once, if there is something. Whoever puts another one in its
    #: place has that call what was there: ``closing or close``.
    closing: Callable[[], object] | None

    def close(self) -> None:
        """The end of this body, after that of those which extend it."""
        raise NotImplementedError


def on_close(
    body: Body,
    hook: Callable[[], object],
    environ: WSGIEnvironment,
    first: Callable[[], object] | None = None,
) -> Body:
    """Have ``hook()`` called once when ``body`` is done with, after the body's own ``close``.

    ``first()`` is called before that, if it is given. A body made by ``wsgi.file_wrapper`` is
    returned itself, with its ``close`` extended, so that the server still recognises it; so is one
    that is :class:`Extended`. Any other is replaced.
    """
    begin = () if first is None else (first,)
    if isinstance(body, Extended):
        body.closing = Replaced((), *begin, body.closing or body.close, hook).close
        return body
    calls = (*begin, *closers(body), hook)
    if is_file(body, environ):
        try:
            body.close = Replaced((), *calls).close  # type: ignore[attr-defined]
        except AttributeError:  # a class written in C: the server sends it block by block
            pass
        else:
            return body
    return Replaced(body, *calls)
