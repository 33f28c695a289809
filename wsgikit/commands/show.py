"""``wsgikit show APP``: the layers and routes of an application, and what each layer takes."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from shutil import get_terminal_size
from traceback import print_exception

from wsgikit.asking import environ_of
from wsgikit.commands.command import Trouble, number, printed
from wsgikit.commands.command import add as add_command
from wsgikit.commands.serving import add_target, loaded
from wsgikit.describe import describe
from wsgikit.flame import flame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from wsgikit.commands.command import Command
    from wsgikit.flame import Flame
    from wsgikit.types import WSGIApplication

__all__ = ["add", "run"]

_TEXT = """\
Print what an application is made of: the layers of its stack, its routers and their routes. With
--request, ask for something several times, and draw how long each layer takes for it.

  {prog} show hello:app
  {prog} show hello:app --request "GET /hello/Ada"
  {prog} show hello:app --request "GET https://example.com/" --header "Accept-Encoding: gzip"

The application does what it does for any request: it logs, counts, writes to its database. A layer
that does nothing is drawn with a microsecond or so, which the clock around it costs.
"""

# For terminals that have nothing else; there is no colour in any case.
_PLAIN = str.maketrans({"█": "#", "░": ".", "…": "~", "µ": "u"})
# Wider, the eye no longer finds the bar of a name.
_WIDEST = 120


def add(commands: _SubParsersAction[Command]) -> None:
    """Add the command."""
    summary = "print the layers and routes of an application, or their times"
    command = add_command(commands, "show", run, summary, _TEXT)
    add_target(command)
    command.value("request", _request, None, 'what to ask for, such as "GET /"')
    command.value("header", _header, None, "a header field of the request", repeated=True)
    command.value("runs", number(1, 100_000), "50", "how many requests to measure")


def run(options: Namespace) -> None:
    """Print the application that the options name as a tree, or its times as bars.

    :raises Trouble: when the application raises what it should answer.
    """
    if options.header and not options.request:
        raise Trouble("--header goes with --request")
    app = loaded(options)
    if not options.request:
        printed(str(describe(app)))
        return
    text = _measured(app, options).drawn(min(get_terminal_size().columns, _WIDEST))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.translate(_PLAIN)
    printed(text)


def _measured(app: WSGIApplication, options: Namespace) -> Flame:
    try:
        return flame(app, options.request, headers=options.header or (), runs=options.runs)
    except Exception as error:
        if options.traceback:
            print_exception(error)
        hint = "" if options.traceback else "; --traceback shows it all"
        failed = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise Trouble(f"{options.app} failed with {failed}{hint}", 1) from None


def _request(text: str) -> str:
    try:
        environ_of(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    try:
        if colon:
            environ_of("GET /", [(name, value.strip())])
            return name, value.strip()
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    raise ArgumentTypeError(f"a name, a colon and a value, not {text!r}")
