"""``wsgikit password NAME``: a line for a file of who may sign in."""

from __future__ import annotations

import os
import secrets
import sys
from getpass import getpass

from wsgikit.commands.command import Trouble, printed
from wsgikit.commands.command import add as add_command
from wsgikit.credentials import checked_name, hash_token
from wsgikit.passwords import MAX_PASSWORD, hash_password

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from wsgikit.commands.command import Command

__all__ = ["LEAST", "add", "run"]

#: The fewest characters of a password (NIST SP 800-63B).
LEAST = 8

_TEXT = """\
Ask for a password and print a line that has its hash, for a file of who may sign in.

  {prog} password ann >> passwords.txt
  {prog} password build --token >> tokens.txt

The password is asked for twice, and not shown; where no terminal is there to ask, it is the first
line of the input. With --token, a random token is made and told on stderr, once: only its hash is
kept. In a program, the files are for PasswordFile and TokenFile of wsgikit.credentials.
"""


def add(commands: _SubParsersAction[Command]) -> None:
    """Add the command."""
    summary = "print a line with the hash of a password or a token"
    command = add_command(commands, "password", run, summary, _TEXT)
    command.add_argument("name", metavar="NAME", help="who signs in")
    command.switch("token", "make a token, for a program, in place of a password")


def run(options: Namespace) -> None:
    """Print the line.

    :raises Trouble: for a name or a password that does not do.
    """
    try:
        name = checked_name(options.name)
    except ValueError as error:
        raise Trouble(str(error)) from None
    if options.token:
        token = secrets.token_urlsafe(32)
        printed(f"The token of {name}, which is not shown again: {token}", error=True)
        _write(f"{name}:{hash_token(token)}")
        return
    try:
        password = _asked(name) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
        if len(password) < LEAST:
            raise Trouble(f"a password has at least {LEAST} characters")
        line = f"{name}:{hash_password(password)}"
    except ValueError:  # what the input's encoding does not have among others
        raise Trouble(f"a password has up to {MAX_PASSWORD} characters of Unicode text") from None
    _write(line)


def _write(line: str) -> None:
    """Write a line as the files are read, in UTF-8, whatever encoding a terminal has."""
    sys.stdout.buffer.write(f"{line}{os.linesep}".encode())
    sys.stdout.flush()


def _asked(name: str) -> str:
    try:
        password = getpass(f"Password of {name}: ", stream=sys.stderr)
        again = getpass("Once more: ", stream=sys.stderr)
    except EOFError:  # Ctrl+D
        raise Trouble("no password was given") from None
    if again != password:
        raise Trouble("the two are not the same")
    return password
