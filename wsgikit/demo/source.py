"""The lines of source that make a station, taken from the modules that run, also from a zip."""

from __future__ import annotations

import inspect
from io import StringIO
from keyword import iskeyword
from tokenize import COMMENT, NAME, STRING, generate_tokens, tok_name

from wsgikit.page import escape

__all__ = ["figure", "highlight", "source"]


def source(*things: object) -> str:
    """A figure with the source of functions and classes that stand in one module."""
    first = inspect.unwrap(things[0])  # type: ignore[arg-type]
    texts, number = [], 0
    try:
        number = inspect.getsourcelines(first)[1]
        texts = [inspect.getsource(thing).strip() for thing in things]  # type: ignore[arg-type]
    except OSError:  # a copy without its .py files
        texts = ["# The source of this is not here."]
    file = f"{first.__module__.replace('.', '/')}.py"
    return figure("\n\n\n".join(texts), f"{file}, from line {number}")


def figure(code: str, caption: str) -> str:
    """A figure with source that is given."""
    return (
        f'<figure class="source"><figcaption>{escape(caption)}</figcaption>\n'
        f'<pre tabindex="0" role="group" aria-label="Source">{highlight(code)}</pre></figure>\n'
    )


def highlight(code: str) -> str:
    """Python as HTML: keywords, strings, comments, and the names that are defined stand out."""
    lines = code.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    parts, at, defining = [], 0, False
    for token in generate_tokens(StringIO(code).readline):
        kind = ""
        if token.type == COMMENT:
            kind = "c"
        elif token.type == STRING or tok_name[token.type].startswith("FSTRING"):
            kind = "s"
        elif token.type == NAME and iskeyword(token.string):
            kind = "k"
        elif token.type == NAME and defining:
            kind = "d"
        defining = kind == "k" and token.string in ("def", "class")
        if kind:
            begin = starts[token.start[0] - 1] + token.start[1]
            end = starts[token.end[0] - 1] + token.end[1]
            parts.append(escape(code[at:begin]))
            parts.append(f'<span class="{kind}">{escape(code[begin:end])}</span>')
            at = end
    return "".join(parts) + escape(code[at:])
