"""The command line: ``wsgikit serve``, ``files``, ``show`` and ``demo``.

Errors are one line on stderr: exit status 2 for what was typed wrong, 1 for what failed, 0 after
Ctrl+C has ended a server.
"""

from __future__ import annotations

import os
import sys
import webbrowser
from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    RawDescriptionHelpFormatter,
)
from threading import Thread
from traceback import print_exception

import wsgikit
from wsgikit import apps, demo
from wsgikit.load import LoadError, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _ActionsContainer
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from wsgikit.types import WSGIApplication

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status.

    :param argv: the arguments; those of the process unless given.
    :raises SystemExit: after ``--help`` and ``--version``, with 0.
    """
    try:
        options = _parser().parse_args(argv)
        _complete(options)
        options.run(options)
    except Trouble as trouble:
        print(f"wsgikit: error: {trouble}", file=sys.stderr)
        return trouble.status
    except OSError as error:
        # A pipe that nobody reads any more is no news; an address that is taken is.
        if not isinstance(error, BrokenPipeError):
            print(f"wsgikit: error: {error.strerror or error}", file=sys.stderr)
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


class Trouble(Exception):
    """What a command ends with: the line that is printed, and the exit status."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


class Parser(ArgumentParser):
    """Reports errors in one line, without the usage, and takes no abbreviations."""

    def __init__(self, **options: object) -> None:
        options.setdefault("formatter_class", RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        raise Trouble(f"{message}; see {self.prog} --help")


def _host(text: str) -> str:
    try:
        if not text.isascii():
            text.encode("idna")
    except UnicodeError:
        raise ArgumentTypeError(f"{text!r} is no address and no name of a host") from None
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        raise ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _switch(text: str) -> bool:
    word = text.lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ArgumentTypeError(f"this is 1 or 0, not {text!r}")


# Every option: how its text is read, and its value where neither it nor its variable is given.
_OPTIONS: dict[str, tuple[Callable[[str], object], object]] = {
    "host": (_host, "127.0.0.1"),
    "port": (_port, 8000),
    "open": (_switch, False),
    "factory": (_switch, False),
    "traceback": (_switch, False),
    "list": (_switch, False),
    "hidden": (_switch, False),
}


def _variable(option: str) -> str:
    return f"WSGIKIT_{option.upper()}"


def _complete(options: Namespace) -> None:
    """Fill in what was not typed, from the environment or by default."""
    for name, (parse, default) in _OPTIONS.items():
        if getattr(options, name, default) is None:
            variable = _variable(name)
            text = os.environ.get(variable)
            try:
                setattr(options, name, parse(text) if text else default)
            except ArgumentTypeError as error:
                raise Trouble(f"{variable} in the environment: {error}") from None


def _parser() -> Parser:
    module = os.path.basename(sys.argv[0]) == "__main__.py"
    prog = "python3 -m wsgikit" if module else "wsgikit"
    parser = Parser(
        prog=prog,
        description="Serve WSGI applications and files, look into an application, take the tour.",
        epilog=_EXAMPLES.format(prog=prog),
    )
    parser.add_argument("--version", action="version", version=f"wsgikit {wsgikit.__version__}")
    parser.set_defaults(run=lambda options: parser.print_help())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog=prog)

    def command(name: str, run: Callable[[Namespace], None], summary: str, text: str) -> Parser:
        about = text.format(prog=prog)
        made: Parser = commands.add_parser(name, help=summary, description=about)
        made.set_defaults(run=run)
        return made

    serve = command("serve", _serve, "serve an application", _SERVE)
    _add_target(serve)
    _add_address(serve)
    files = command("files", _files, "serve a directory, with a listing", _FILES)
    files.add_argument("dir", nargs="?", default=".", metavar="DIR", help="default: this one")
    _add_switch(files, "list", "list each directory, also one that has an index.html")
    _add_switch(files, "hidden", "list and serve also what begins with a dot")
    _add_address(files)
    show = command("show", _show, "print the layers and routes of an application", _SHOW)
    _add_target(show)
    demonstrate = command("demo", _demo, "a tour in the browser of what is here", _DEMO)
    _add_address(demonstrate)
    return parser


def _add_target(parser: Parser) -> None:
    parser.add_argument("app", metavar="APP", help="module:name or path/to/app.py:name")
    _add_switch(parser, "factory", "the name is a function that makes the application")
    _add_switch(parser, "traceback", "when the application fails to load, print its traceback")


def _add_address(parser: Parser) -> None:
    group = parser.add_argument_group("where")
    about = "the address to listen on; 0.0.0.0 is all that this machine has"
    for option, text in (("host", about), ("port", "the port; 0 takes a free one")):
        parse, default = _OPTIONS[option]
        note = f"{text} [{_variable(option)}; default: {default}]"
        group.add_argument(f"--{option}", type=parse, metavar=option.upper(), help=note)
    _add_switch(group, "open", "open the browser there")


def _add_switch(parser: _ActionsContainer, option: str, text: str) -> None:
    note = f"{text} [{_variable(option)}=1]"
    parser.add_argument(f"--{option}", action=BooleanOptionalAction, help=note)


def _serve(options: Namespace) -> None:
    _run_server(_load(options), options)


def _files(options: Namespace) -> None:
    try:
        os.scandir(options.dir).close()
    except OSError as error:
        raise Trouble(f"{options.dir}: {error.strerror}") from None
    title = os.path.basename(os.path.abspath(options.dir)) or "Files"
    index = None if options.list else "index.html"
    app = apps.listing(options.dir, title=title, index=index, hidden=options.hidden)
    _run_server(app, options)


def _show(options: Namespace) -> None:
    drawn = str(wsgikit.describe(_load(options)))
    # The terminal's encoding may lack the corners of the tree, or a letter of a route.
    encoding = sys.stdout.encoding or "utf-8"
    print(drawn.encode(encoding, "replace").decode(encoding), flush=True)


def _demo(options: Namespace) -> None:
    _run_server(demo.app, options)


def _load(options: Namespace) -> WSGIApplication:
    try:
        return load(options.app, factory=options.factory)
    except LoadError as error:
        failed = error.__cause__
        if failed is None:
            raise Trouble(str(error)) from None
        if options.traceback:
            print_exception(failed)
            raise Trouble(str(error), 1) from None
        raise Trouble(f"{error}; --traceback shows it all", 1) from None


def _run_server(app: WSGIApplication, options: Namespace) -> None:
    def open_browser(url: str) -> None:
        # In a thread: a browser in the terminal returns when it is closed.
        Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    ready = open_browser if options.open else None
    wsgikit.serve(app, host=options.host, port=options.port, ready=ready)


_EXAMPLES = """\
examples:
  {prog} demo --open             take the tour
  {prog} files ~/Downloads       share a directory on this machine
  {prog} serve hello:app         serve "app" of hello.py or of the package hello
  {prog} serve site/wsgi.py      the same by the path of a file
  {prog} show hello:app          print its layers and routes

Each option may stand in the environment instead: WSGIKIT_PORT=9000 does what --port 9000 does.
Where both are given, the option counts. "{prog} COMMAND --help" names them all.
"""

_SERVE = """\
Serve a WSGI application as it is: of wsgikit, Flask, Django, Bottle, or a function.

  {prog} serve hello:app
  {prog} serve site/wsgi.py:application
  {prog} serve shop:make_app --factory

Without a name it is "app" or "application", for a factory "make_app" or "create_app". Modules are
looked for in the current directory first. Each request is logged to stderr. Ctrl+C stops, after
the requests that are running.
"""

_FILES = """\
Serve the files in a directory, with pages that list them and sort. Parts of files can be asked for,
and whether a file has changed, so videos can be wound and downloads resumed.

  {prog} files
  {prog} files build/html --port 0 --open
"""

_SHOW = """\
Print what an application is made of: the layers of its stack, its routers and their routes.

  {prog} show hello:app
  {prog} show wsgikit.demo:app
"""

_DEMO = """\
Serve a tour of wsgikit, to be taken in the browser: its own stack and routes, a form, files and
ranges, cookies, streams, errors, each with the lines of source that make it. It needs no network.

  {prog} demo --open
"""
