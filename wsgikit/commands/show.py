"""``wsgikit show APP``: the layers and routes of an application."""

from __future__ import annotations

from wsgikit.commands.command import add as add_command
from wsgikit.commands.command import printed
from wsgikit.commands.serving import add_target, loaded
from wsgikit.describe import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from wsgikit.commands.command import Command

__all__ = ["add", "run"]

_TEXT = """\
Print what an application is made of: the layers of its stack, its routers and their routes.

  {prog} show hello:app
  {prog} show wsgikit.demo:app
"""


def add(commands: _SubParsersAction[Command]) -> None:
    """Add the command."""
    summary = "print the layers and routes of an application"
    add_target(add_command(commands, "show", run, summary, _TEXT))


def run(options: Namespace) -> None:
    """Print the application that the options name as a tree."""
    printed(str(describe(loaded(options))))
