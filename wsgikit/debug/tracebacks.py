"""Tracebacks as data: exceptions with what led to them, their frames, source lines and locals."""

from __future__ import annotations

import linecache
import os
import sysconfig
from itertools import islice
from traceback import walk_tb

from wsgikit.debug.redaction import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

__all__ = ["Failure", "Frame", "Line"]

#: How many source lines are shown on each side of the one that runs.
AROUND = 5
#: How many frames of one exception are shown: the first and the last of them.
MAX_FRAMES = 40
#: How many local variables of a frame are shown.
MAX_LOCALS = 40
#: How many exceptions are followed, along a chain or in a group.
MAX_FAILURES = 10

# Code that its user did not write: the standard library and what is installed.
_FOREIGN = tuple(
    os.path.join(path, "")
    for name, path in sysconfig.get_paths().items()
    if name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_INSTALLED = {"site-packages", "dist-packages"}


class Line:
    """A source line: its number, text, and the columns ``start`` to ``end`` that were running."""

    __slots__ = ("end", "number", "start", "text")

    def __init__(self, number: int, text: str, start: int = 0, end: int = 0) -> None:
        self.number = number
        self.text = text
        self.start = start
        self.end = end


class Frame:
    """One level of a traceback, as it was when it ended."""

    __slots__ = ("file", "function", "lines", "locals", "mine", "more", "number")

    def __init__(self, frame: FrameType, number: int, columns: tuple[int, int]) -> None:
        code = frame.f_code
        #: The path of the source file, as the interpreter has it.
        self.file = code.co_filename
        self.function = code.co_qualname
        #: The number of the line that was running.
        self.number = number
        #: Whether this is the user's own code.
        self.mine = _is_mine(frame)
        #: The source around it; empty where there is none.
        self.lines = _lines(frame, number, columns)
        #: ``(name, value as text)`` of the local variables, secrets hidden, and how many ``more``.
        self.locals, self.more = _locals(frame)


class Failure:
    """An exception and what belongs to it.

    ``relation`` says how it belongs to the one that is told before it: ``"cause"`` (``raise ...
    from``), ``"context"`` (raised in an ``except`` or ``finally``), ``"part"`` (of a group), or
    ``""`` for the first.
    """

    __slots__ = ("frames", "kind", "left_out", "message", "notes", "parts", "relation")

    def __init__(self, error: BaseException, relation: str, depth: int = 0) -> None:
        kind = type(error)
        module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
        #: The name of its class.
        self.kind = module + kind.__qualname__
        self.message = _text(error)
        notes = getattr(error, "__notes__", None)
        #: What ``add_note`` added.
        self.notes = [_text(note) for note in notes] if isinstance(notes, list) else []
        self.relation = relation
        #: The frames, the most recent first; of very many, ``left_out`` in the middle are missing.
        self.frames, self.left_out = _frames(error.__traceback__)
        #: The chains of the exceptions of a group.
        self.parts: list[list[Failure]] = []
        if isinstance(error, BaseExceptionGroup) and depth < 3:
            for part in error.exceptions[:MAX_FAILURES]:
                self.parts.append(Failure.chain(part, "part", depth + 1))

    @staticmethod
    def chain(error: BaseException, relation: str = "", depth: int = 0) -> list[Failure]:
        """The exception and what led to it, the last one first."""
        failures: list[Failure] = []
        known: set[int] = set()
        following: BaseException | None = error
        while following and id(following) not in known and len(failures) < MAX_FAILURES:
            known.add(id(following))
            failures.append(Failure(following, relation, depth))
            if following.__cause__ is not None:
                following, relation = following.__cause__, "cause"
            elif following.__suppress_context__:
                break
            else:
                following, relation = following.__context__, "context"
        return failures


def _text(value: object) -> str:
    try:
        return str(value)[:4000]
    except Exception as error:
        return f"<str() of it raised {type(error).__name__}>"


def _frames(traceback: TracebackType | None) -> tuple[list[Frame], int]:
    levels = [
        (frame, number, last)
        for (frame, number), last in zip(walk_tb(traceback), _positions(traceback), strict=True)
    ]
    left_out = max(0, len(levels) - MAX_FRAMES)
    if left_out:
        half = MAX_FRAMES // 2
        levels[half:-half] = []
    return [Frame(*level) for level in reversed(levels)], left_out


def _positions(traceback: TracebackType | None) -> Iterator[tuple[int, int]]:
    """The columns that were running, for each level (PEP 657); (0, 0) where they are not known."""
    while traceback is not None:
        positions = traceback.tb_frame.f_code.co_positions()
        start_line, end_line, start, end = next(
            islice(positions, traceback.tb_lasti // 2, None), (None, None, None, None)
        )
        if start is None or end is None or start_line != traceback.tb_lineno:
            yield 0, 0
        else:
            yield start, end if end_line == start_line else 1_000_000
        traceback = traceback.tb_next


def _is_mine(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    if module.partition(".")[0] == "wsgikit":
        return module.startswith("wsgikit.demo")
    file = frame.f_code.co_filename
    if file.startswith(("<frozen ", *_FOREIGN)):
        return False
    return _INSTALLED.isdisjoint(file.replace("\\", "/").split("/"))


def _lines(frame: FrameType, number: int, columns: tuple[int, int]) -> list[Line]:
    file = frame.f_code.co_filename
    linecache.checkcache(file)
    source = linecache.getlines(file, frame.f_globals)
    # What is around the function is another matter, and would show where this one is indented.
    first = max(1, frame.f_code.co_firstlineno, number - AROUND)
    last = max(number, *(line or 0 for _, _, line in frame.f_code.co_lines()))
    texts = [text.rstrip().expandtabs(4) for text in source[first - 1 : number + AROUND]]
    texts[last + 1 - first :] = []
    # Without the indentation that all of them have: that leaves more room on a phone.
    indent = min((len(text) - len(text.lstrip()) for text in texts if text), default=0)
    lines = [Line(first + at, text[indent:]) for at, text in enumerate(texts)]
    if len(lines) > number - first and columns != (0, 0):
        running = lines[number - first]
        raw = source[number - 1].encode("utf-8", "replace")
        # The positions count bytes; here they count what is seen.
        start, end = (
            len(raw[:column].decode("utf-8", "replace").expandtabs(4)) - indent
            for column in columns
        )
        running.start, running.end = start, min(end, len(running.text))
    return lines


def _locals(frame: FrameType) -> tuple[list[tuple[str, str]], int]:
    try:
        variables = [item for item in frame.f_locals.items() if not item[0].startswith("__")]
    except Exception:  # the namespace of a class body may be any mapping
        return [], 0
    shown_ones = [(name, shown(value, name)) for name, value in variables[:MAX_LOCALS]]
    return shown_ones, len(variables) - len(shown_ones)
