"""``wsgikit serve APP``: serve an application."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import fields
from textwrap import fill

from wsgikit.commands.command import Trouble, number, size
from wsgikit.commands.command import add as add_command
from wsgikit.commands.serving import add_address, add_target, loaded, run_server
from wsgikit.response import Response
from wsgikit.server.limits import Limits
from wsgikit.server.reloaded import is_reloaded
from wsgikit.server.worker import WorkerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction
    from typing import Any

    from wsgikit.commands.command import Command
    from wsgikit.server.server import Server

__all__ = ["add", "run"]

_TEXT = """\
Serve a WSGI application as it is: of wsgikit, Flask, Django, Bottle, or a function.

  {prog} serve hello:app
  {prog} serve site/wsgi.py:application
  {prog} serve shop:make_app --factory
  {prog} serve hello:app --reload --open
  {prog} serve hello:app --workers 4
  {prog} serve hello:app --bind unix:/run/hello.sock --bind 127.0.0.1:8000
  {prog} serve hello:app --limit idle=60 --limit body_bytes=5G
  {prog} serve hello:app --bind :443 --cert cert.pem --key key.pem

Without a name it is "app" or "application", for a factory "make_app" or "create_app". Modules are
looked for in the current directory first. Each request is logged to stderr. Ctrl+C stops, after
the requests that are running.

With --workers, processes serve that this one watches: it replaces those that crash or hang. SIGHUP
has them replaced one by one by such as load the application anew, and no request is lost.
"""

_LIMITS = {field.name: field.type for field in fields(Limits)}

# Stands for the application in a process that is never asked.
_UNLOADED = Response(status=503)


def add(commands: _SubParsersAction[Command]) -> None:
    """Add the command."""
    command = add_command(commands, "serve", run, "serve an application", _TEXT)
    add_target(command)
    add_address(command)
    about = "for development: start it anew when one of its modules has changed"
    command.switch("reload", about)
    group = command.add_argument_group("processes")
    about = "processes that serve; 0: this one does"
    command.value("workers", number(0, 1000), "0", about, group=group)
    about = "calls of the application that run side by side, in each process"
    command.value("threads", number(1, 1000), "8", about, group=group)
    about = "calls of the application after which a worker is replaced, and up to a tenth more"
    command.value("worker-requests", number(1, 10**9 - 1), None, about, group=group)
    about = "seconds without a sign of life after which a worker is killed"
    command.value("worker-timeout", number(1, 86400), "30", about, group=group)
    about = "seconds that a stop waits for running requests"
    command.value("stop-timeout", number(1, 86400), "30", about, group=group)
    about = f"what a client may take, of {', '.join(_LIMITS)}"
    group = command.add_argument_group("limits", fill(about, 76))
    about = "one of them, such as idle=60 or body_bytes=5G"
    command.values("limit", _limit, about, shown="NAME=VALUE", group=group)
    about = "seconds that a client may be silent: sets idle, head_time, body_time and write_stall"
    command.value("timeout", number(1, 86400), None, about, group=group)


def run(options: Namespace) -> None:
    """Serve the application that the options name.

    :raises Trouble: when it cannot be loaded.
    """

    def load(server: Server) -> None:
        try:
            server.set_app(loaded(options))
        except Trouble as trouble:
            raise WorkerError(str(trouble)) from None

    others = {
        "limits": Limits(**dict(options.limit)),
        "timeout": options.timeout,
        "threads": options.threads,
        "stop_timeout": options.stop_timeout,
        "workers": options.workers,
        "worker_requests": options.worker_requests,
        "worker_timeout": options.worker_timeout,
        "reload": options.reload,
    }
    if options.reload and options.workers:
        raise Trouble("--reload goes without --workers: SIGHUP replaces those")
    if options.reload and not is_reloaded():
        # The child loads it: what is wrong there is shown there, and waited out.
        run_server(_UNLOADED, options, **others)
        return
    if not options.workers:
        run_server(loaded(options), options, **others)
        return
    try:
        # Each worker loads the application for itself, so that a new one finds new code.
        run_server(_UNLOADED, options, on_worker_start=load, **others)
    except WorkerError as error:
        raise Trouble(str(error), 1) from None


def _limit(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if name not in _LIMITS or not equals:
        raise ArgumentTypeError(f"a limit is as in idle=60, of {', '.join(_LIMITS)}, not {text!r}")
    number: int | float | str
    try:
        if name.endswith("_bytes"):
            number = size(value)
        else:
            number = int(value) if _LIMITS[name] == "int" else float(value)
    except ValueError:
        number = value
    try:
        Limits(**{name: number})  # type: ignore[arg-type]
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return name, number
