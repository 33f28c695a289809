"""Work for after the response: the client does not wait for it."""

from __future__ import annotations

from wsgikit.compose import layer, name_of
from wsgikit.failures import LOG, request_line
from wsgikit.keys import ON_CLOSE
from wsgikit.wrap import on_close as with_hook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["after_response", "on_close"]

#: What has to stand inside of this layer, and why.
ORDER = {
    "outside": {"errors": "what was left before a failure would be done before that is answered"}
}


@layer
def on_close(app: WSGIApplication) -> WSGIApplication:
    """Functions that the application leaves are called when its response is over.

    They are added by :func:`after_response`, or appended to ``wsgikit.on_close`` in the environ,
    take no arguments, and are called in the order of their adding, in the thread of the request,
    after the body's own ``close``: the response is sent then, or broken off, or the application
    has raised an error. One that fails is logged with its traceback (logger ``wsgikit.errors``) and
    the others are called nonetheless. What is added when the response is over already, by a thread
    that the application has started, is called at once.

    The server's thread is not free until all are done: what takes minutes belongs into a queue.
    Layers outside of this one cannot add any. Of two such layers the outer one counts.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if ON_CLOSE in environ:
            return app(environ, start_response)
        environ[ON_CLOSE] = hooks = Hooks()
        try:
            body = app(environ, start_response)
        except BaseException:
            hooks.run(environ)
            raise
        if not hooks and (body.__class__ is list or body.__class__ is tuple):
            # There is nobody left who could add one, but layers outside: they shall see that.
            del environ[ON_CLOSE]
            hooks.over = True
            return body
        return with_hook(body, hooks.run_for(environ), environ)

    return answer


def after_response(environ: WSGIEnvironment, hook: Callable[[], object]) -> None:
    """Have ``hook()`` called when the response to this request is over.

    :raises LookupError: where no layer ``on_close`` is around.
    :raises TypeError: for what cannot be called.
    """
    hooks = environ.get(ON_CLOSE)
    if hooks is None:
        raise LookupError("after_response() needs the layer on_close() around the application")
    hooks.append(hook)


class Hooks(list["Callable[[], object]"]):
    """What is to be called, in order. Threads may append at any time; nothing is called twice."""

    __slots__ = ("over",)  # a dict for it would take 0.3 µs

    #: The response is over: what is appended now is called at once. Not set before that.
    over: bool

    def append(self, hook: Callable[[], object]) -> None:
        if not callable(hook):
            raise TypeError(f"on_close takes functions without arguments, not {hook!r}")
        super().append(hook)
        if hasattr(self, "over"):
            self.run()

    def run_for(self, environ: WSGIEnvironment) -> Callable[[], None]:
        """What calls all of them when the response to this request is over."""
        return lambda: self.run(environ)

    def run(self, environ: WSGIEnvironment | None = None) -> None:
        """Call all that are here and those that they add."""
        self.over = True  # before the list is looked at: whoever appends after that looks himself
        while True:
            try:
                hook = self.pop(0)
            except IndexError:
                return
            try:
                hook()
            except Exception:
                line = "-" if environ is None else request_line(environ)
                LOG.exception("%s failed in %s, after the response", line, name_of(hook))
            except BaseException:
                self.run(environ)
                raise
