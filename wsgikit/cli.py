"""The command line: ``wsgikit serve``, ``files``, ``compress``, ``digest``, ``show``, ``check``,
``password`` and ``demo``.

Errors are one line on stderr: exit status 2 for what was typed wrong, 1 for what failed, 0 after
Ctrl+C has ended a server.
"""

from __future__ import annotations

import os
import sys

import wsgikit
from wsgikit.commands import check, compress, demo, digest, files, password, serve, show
from wsgikit.commands.command import Command, Trouble, program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_COMMANDS = (serve, files, compress, digest, show, check, password, demo)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status.

    :param argv: the arguments; those of the process unless given.
    :raises SystemExit: after ``--help`` and ``--version``, with 0.
    """
    try:
        options = _parser().parse_args(argv)
        options.command.complete(options)
        options.run(options)
    except Trouble as trouble:
        print(f"wsgikit: error: {trouble}", file=sys.stderr)
        return trouble.status
    except OSError as error:
        # A pipe that nobody reads any more is no news; an address that is taken is.
        if not isinstance(error, BrokenPipeError):
            place = f"{error.filename}: " if error.filename else ""
            print(f"wsgikit: error: {place}{error.strerror or error}", file=sys.stderr)
        _drop_output()
        return 1
    except KeyboardInterrupt:
        return 130  # what a shell calls the end by SIGINT
    return 0


def _drop_output() -> None:
    """What cannot be printed would fail again when the interpreter exits."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> Command:
    prog = program()
    parser = Command(
        prog=prog,
        description="Serve WSGI applications and files, look into an application, take the tour.",
        epilog=_EXAMPLES.format(prog=prog),
    )
    parser.add_argument("--version", action="version", version=f"wsgikit {wsgikit.__version__}")
    parser.set_defaults(command=parser, run=lambda options: parser.print_help())
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", prog=prog, parser_class=Command
    )
    for command in _COMMANDS:
        command.add(commands)
    return parser


_EXAMPLES = """\
examples:
  {prog} demo --open             take the tour
  {prog} files ~/Downloads       share a directory on this machine
  {prog} serve hello:app         serve "app" of hello.py or of the package hello
  {prog} serve site/wsgi.py      the same by the path of a file
  {prog} show hello:app          print its layers and routes
  {prog} check hello:app         tell what is wrong in their order
  {prog} password ann            a line for a file of who may sign in

Each option may stand in the environment instead: WSGIKIT_PORT=9000 does what --port 9000 does.
Where both are given, the option counts. "{prog} COMMAND --help" names them all.
"""
