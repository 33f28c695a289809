"""What commands are made of: arguments, options that may stand in the environment, troubles."""

from __future__ import annotations

import os
import sys
from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    RawDescriptionHelpFormatter,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _ArgumentGroup, _SubParsersAction
    from collections.abc import Callable
    from typing import NoReturn

__all__ = ["Command", "Trouble", "add", "folder", "number", "printed", "program", "size"]

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class Trouble(Exception):
    """What a command ends with: the line that is printed, and the exit status.

    :param status: 2 for what was typed wrong, 1 for what failed.
    """

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


class Command(ArgumentParser):
    """A parser that reports errors in one line, without the usage, and takes no abbreviations.

    Its options may stand in the environment instead: ``WSGIKIT_PORT`` for ``--port``.
    """

    def __init__(self, **options: object) -> None:
        options.setdefault("formatter_class", RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)  # type: ignore[arg-type]
        # Every option: how its text is read, and the text where it is given nowhere.
        self._read: dict[str, tuple[Callable[[str], object], str | None]] = {}

    def error(self, message: str) -> NoReturn:
        """Raise :class:`Trouble`."""
        raise Trouble(f"{message}; see {self.prog} --help")

    def value(
        self,
        name: str,
        read: Callable[[str], object],
        default: str | None,
        text: str,
        *,
        repeated: bool = False,
        group: _ArgumentGroup | None = None,
    ) -> None:
        """Add an option with a value.

        :param name: the option without the dashes in front of it.
        :param read: makes a value of what was typed; raises ``ArgumentTypeError``.
        :param default: what is read where the option is given nowhere; None for no value then.
        :param text: what the help says.
        :param repeated: whether it may be given several times, for a list of values.
        """
        note = _variable(name) if default is None else f"{_variable(name)}; default: {default}"
        shown = name.rpartition("-")[2].upper()
        into = group or self
        action = "append" if repeated else "store"
        about = _escaped(f"{text} [{note}]")
        into.add_argument(f"--{name}", action=action, type=read, metavar=shown, help=about)
        self._read[name] = ((lambda text: [read(text)]) if repeated else read, default)

    def values(
        self,
        name: str,
        read: Callable[[str], object],
        text: str,
        *,
        shown: str | None = None,
        group: _ArgumentGroup | None = None,
    ) -> None:
        """Add an option that may be given several times: a list, of what it has in each.

        In the environment there is a space between them. Parameters are as of :meth:`value`.

        :param shown: what the help calls the value.
        """
        note = f"{text}; may be given several times [{_variable(name)}]"
        shown = shown or name.upper()
        (group or self).add_argument(
            f"--{name}", type=read, action="append", metavar=shown, help=_escaped(note)
        )
        self._read[name] = (lambda text: [read(each) for each in text.split()], "")

    def switch(self, name: str, text: str, *, group: _ArgumentGroup | None = None) -> None:
        """Add an option that is on or off: off with ``--no-`` before its name, and by default."""
        note = _escaped(f"{text} [{_variable(name)}=1]")
        (group or self).add_argument(f"--{name}", action=BooleanOptionalAction, help=note)
        self._read[name] = (_switch, "0")

    def complete(self, options: Namespace) -> None:
        """Fill in what was not typed, from the environment or by default.

        :raises Trouble: for a variable that cannot be read.
        """
        for name, (read, default) in self._read.items():
            attribute = name.replace("-", "_")
            if getattr(options, attribute) is None:
                variable = _variable(name)
                text = os.environ.get(variable) or default
                try:
                    setattr(options, attribute, None if text is None else read(text))
                except ArgumentTypeError as error:
                    raise Trouble(f"{variable} in the environment: {error}") from None


def _variable(option: str) -> str:
    return "WSGIKIT_" + option.upper().replace("-", "_")


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _switch(text: str) -> bool:
    word = text.lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ArgumentTypeError(f"this is 1 or 0, not {text!r}")


def add(
    commands: _SubParsersAction[Command],
    name: str,
    run: Callable[[Namespace], None],
    summary: str,
    text: str,
) -> Command:
    """Add a command.

    :param run: what the command does, called with its options; raises :class:`Trouble`.
    :param summary: a line for the list of the commands.
    :param text: what its help begins with, ``{prog}`` for the name of the program.
    """
    prog = program()
    command = commands.add_parser(name, help=summary, description=text.format(prog=prog))
    command.set_defaults(run=run, command=command)
    return command


def program() -> str:
    """What was typed to get here: ``wsgikit``, or ``python3 -m wsgikit``."""
    module = os.path.basename(sys.argv[0]) == "__main__.py"
    return "python3 -m wsgikit" if module else "wsgikit"


def folder(path: str) -> str:
    """The path of a directory that can be read.

    :raises Trouble: when it is none.
    """
    try:
        os.scandir(path).close()
    except OSError as error:
        raise Trouble(f"{path or repr(path)}: {error.strerror}") from None
    return path


def number(least: int, most: int) -> Callable[[str], int]:
    """Reads a number from ``least`` to ``most``."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most:
            return int(text)
        raise ArgumentTypeError(f"a number from {least} to {most}, not {text!r}")

    return read


def size(text: str) -> int:
    """Reads a number of bytes: ``500``, ``20M``, ``2G``; a unit is a power of 1000."""
    digits = text.upper().rstrip("KMGT")
    unit = _UNITS.get(text[len(digits) :].upper())
    if unit and digits.isascii() and digits.isdigit() and len(digits) < 10 and int(digits):
        return int(digits) * unit
    raise ArgumentTypeError(f"a size is a number of bytes such as 500M or 2G, not {text!r}")


def printed(text: str, *, error: bool = False) -> None:
    """Print a line; what the terminal's encoding lacks is shown as ``?``."""
    stream = sys.stderr if error else sys.stdout
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=stream, flush=True)
