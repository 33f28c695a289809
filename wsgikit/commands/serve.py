"""``wsgikit serve APP``: serve an application."""

from __future__ import annotations

from wsgikit.commands.command import add as add_command
from wsgikit.commands.serving import add_address, add_target, loaded, run_server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from wsgikit.commands.command import Command

__all__ = ["add", "run"]

_TEXT = """\
Serve a WSGI application as it is: of wsgikit, Flask, Django, Bottle, or a function.

  {prog} serve hello:app
  {prog} serve site/wsgi.py:application
  {prog} serve shop:make_app --factory
  {prog} serve hello:app --bind unix:/run/hello.sock --bind 127.0.0.1:8000

Without a name it is "app" or "application", for a factory "make_app" or "create_app". Modules are
looked for in the current directory first. Each request is logged to stderr. Ctrl+C stops, after
the requests that are running.
"""


def add(commands: _SubParsersAction[Command]) -> None:
    """Add the command."""
    command = add_command(commands, "serve", run, "serve an application", _TEXT)
    add_target(command)
    add_address(command)


def run(options: Namespace) -> None:
    """Serve the application that the options name."""
    run_server(loaded(options), options)
