"""``wsgikit demo``: the tour in the browser."""

from __future__ import annotations

from wsgikit import demo
from wsgikit.commands.command import add as add_command
from wsgikit.commands.serving import add_address, run_server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from wsgikit.commands.command import Command

__all__ = ["add", "run"]

_TEXT = """\
Serve a tour of wsgikit, to be taken in the browser: its own stack and routes, a form, files and
ranges, cookies, streams, errors, each with the lines of source that make it. It needs no network.

  {prog} demo --open
"""


def add(commands: _SubParsersAction[Command]) -> None:
    """Add the command."""
    summary = "a tour in the browser of what is here"
    add_address(add_command(commands, "demo", run, summary, _TEXT))


def run(options: Namespace) -> None:
    """Serve the tour."""
    run_server(demo.app, options)
