"""``wsgikit check APP``: what is wrong or doubtful in the stack of an application."""

from __future__ import annotations

from wsgikit.commands.command import Trouble, printed
from wsgikit.commands.command import add as add_command
from wsgikit.commands.serving import add_target, loaded
from wsgikit.describe import describe
from wsgikit.doctor import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from wsgikit.commands.command import Command

__all__ = ["add", "run"]

_TEXT = """\
Print what an application is made of, and then each pair of layers in a wrong order and each
doubtful option: what it is, what comes of it, and the mend. The exit status is 1 if there is any.

  {prog} check hello:app

Layers of other libraries are shown and not judged.
"""


def add(commands: _SubParsersAction[Command]) -> None:
    """Add the command."""
    summary = "print what is wrong or doubtful in a stack"
    add_target(add_command(commands, "check", run, summary, _TEXT))


def run(options: Namespace) -> None:
    """Print the findings about the application that the options name.

    :raises Trouble: when there are any.
    """
    app = loaded(options)
    printed(str(describe(app)))
    findings = check(app)
    for finding in findings:
        printed(f"\n{finding}")
    if findings:
        raise Trouble(f"{len(findings)} to mend in {options.app}", 1)
