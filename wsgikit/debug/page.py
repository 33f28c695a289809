"""The page that shows a developer what failed: the traceback, the request, and both to copy."""

from __future__ import annotations

import os
from itertools import groupby
from traceback import format_exception

from wsgikit import environ as env
from wsgikit.debug.redaction import HIDDEN, LONGEST, is_secret, redact, shown
from wsgikit.debug.reproduce import as_curl, as_test, importable, request_fields
from wsgikit.debug.style import SCRIPT, STYLE
from wsgikit.debug.tracebacks import Failure
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import parse_form, parse_query
from wsgikit.page import escape, page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wsgikit.debug.reproduce import Recording
    from wsgikit.debug.tracebacks import Frame, Line
    from wsgikit.http.query import MultiDict
    from wsgikit.types import WSGIApplication, WSGIEnvironment

__all__ = ["traceback_page", "traceback_text"]

_RELATIONS = {"cause": "Caused by", "context": "Raised while handling"}

# How many frames of one's own are open from the start: a recursion has hundreds of them.
_OPEN = 4


def traceback_text(error: BaseException) -> str:
    """The traceback as the interpreter prints it."""
    return "".join(format_exception(error))


def traceback_page(
    error: BaseException, environ: WSGIEnvironment, body: Recording, app: WSGIApplication
) -> str:
    """The whole page. ``app`` is the part of the stack that shows it, for the test to import."""
    first, *others = Failure.chain(error)
    request = f"{environ['REQUEST_METHOD']} {redact(env.text(env.url(environ)))}"
    title = f"{first.kind}: {first.message[:100]}" if first.message else first.kind
    return page(
        title,
        "<header>\n"
        f'<p class="request">{escape(request)}</p>\n'
        f'<h1><span class="kind">{escape(first.kind)}</span>'
        f"{escape(first.message) or 'No message'}</h1>\n{_notes(first)}"
        '<p class="actions" hidden>'
        '<button type="button" data-copy="text">Copy traceback</button>'
        '<button type="button" data-copy="curl">Copy for curl</button>'
        '<button type="button" data-copy="test">Copy as test</button>'
        '<span id="told" role="status" class="soft"></span></p>\n</header>\n'
        "<h2>Traceback <small>most recent call first</small></h2>\n"
        + _traceback(first)
        + "".join(f"<h2>{_RELATIONS[other.relation]}</h2>\n{_failure(other)}" for other in others)
        + f"<h2>Request</h2>\n{_request(environ, body)}"
        + "<h2>To take along</h2>\n"
        + _copy("text", "Traceback as text", traceback_text(error))
        + _copy("curl", "The request for curl", as_curl(environ, body))
        + _copy("test", "A test for WebTest", as_test(environ, body, importable(app)))
        + "<footer><p>Only a browser on this machine gets to see this page, from the layer"
        f" <code>debugger</code>. What names call a secret is shown as {HIDDEN}; look yourself"
        " before you pass it on.</p></footer>",
        style=STYLE,
        script=SCRIPT,
    )


def _failure(failure: Failure, relation: str = "") -> str:
    kind, message = escape(failure.kind), escape(failure.message)
    return (
        (f'<p class="relation">{_RELATIONS[relation]}</p>\n' if relation in _RELATIONS else "")
        + f'<h3 class="message"><code>{kind}</code> {message}</h3>\n'
        + _notes(failure)
        + _traceback(failure)
    )


def _notes(failure: Failure) -> str:
    return "".join(f'<p class="note">{escape(note)}</p>\n' for note in failure.notes)


def _traceback(failure: Failure) -> str:
    parts = []
    # Where nothing of it is the user's own, the place where it was raised is what there is to see.
    own = [frame for frame in failure.frames if frame.mine] or failure.frames[:1]
    for is_own, frames in groupby(failure.frames, own.__contains__):
        if is_own:
            parts += [_frame(frame, frame in own[:_OPEN], frame is own[0]) for frame in frames]
        else:
            drawn = [_frame(frame) for frame in frames]
            count = "1 frame" if len(drawn) == 1 else f"{len(drawn)} frames"
            parts.append(_details("foreign", f"{count} of libraries", "".join(drawn)))
    if failure.left_out:
        parts.append(f"<p>{failure.left_out} frames in the middle are left out.</p>\n")
    for part in failure.parts:
        chain = "".join(_failure(failure, failure.relation) for failure in part)
        parts.append(f'<div class="part">{chain}</div>\n')
    return "".join(parts)


def _frame(frame: Frame, is_open: bool = False, has_open_locals: bool = False) -> str:
    folder, file = os.path.split(frame.file)
    if folder == (here := os.getcwd()) or folder.startswith(here + os.sep):
        folder = folder[len(here) + 1 :]
    place = f"{escape(folder)}{os.sep if folder else ''}<b>{escape(file)}:{frame.number}</b>"
    source = "".join(_line(line, frame.number) for line in frame.lines)
    label = f"Source around line {frame.number} of {file}"
    title = f'<code>{escape(frame.function)}</code> <span class="place">{place}</span>'
    content = (
        f'<pre class="source" tabindex="0" role="group" aria-label="{escape(label)}">'
        f"<code>{source}</code></pre>\n"
        if source
        else '<p class="none">There is no source to show.</p>\n'
    )
    content += _locals(frame, has_open_locals)
    return _details("frame", title, content, is_open=is_open)


def _line(line: Line, now: int) -> str:
    number = f"<i>{line.number}</i>"
    if line.number != now:
        return f'<span class="line">{number}{escape(line.text)}\n</span>'
    text = escape(line.text)
    if line.text[line.start : line.end].strip() not in ("", line.text.strip()):
        before, marked = line.text[: line.start], line.text[line.start : line.end]
        text = f"{escape(before)}<mark>{escape(marked)}</mark>{escape(line.text[line.end :])}"
    return f'<span class="line now" aria-current="true">{number}{text}\n</span>'


def _locals(frame: Frame, is_open: bool) -> str:
    if not frame.locals:
        return ""
    more = [("…", f"{frame.more} more")] if frame.more else []
    count = len(frame.locals) + frame.more
    title = "1 local variable" if count == 1 else f"{count} local variables"
    return _details("locals", title, _table([*frame.locals, *more]), is_open=is_open)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>\n'
        for name, value in rows
    )
    return f'<table class="values"><tbody>\n{cells}</tbody></table>\n'


def _request(environ: WSGIEnvironment, body: Recording) -> str:
    content_type = environ.get("CONTENT_TYPE", "")
    text, remark = body.text(content_type)
    if not (text or remark):
        announced = environ.get("CONTENT_LENGTH") or "0"
        remark = "none" if announced == "0" else f"{announced} bytes, of which nothing was read"
    if text and content_type.startswith("application/x-www-form-urlencoded"):
        content = _fields(parse_form, text)
    else:
        content = f'<pre tabindex="0">{escape(text)}</pre>' if text else f"<p>{escape(remark)}</p>"
    # wsgiref has all variables of the process in the environ: those are nobody's business.
    values = [
        (name, shown(value, name))
        for name, value in sorted(environ.items())
        if os.environ.get(name) != value
    ]
    query: str = environ.get("QUERY_STRING", "")
    headers = [(name, env.text(value)) for name, value in request_fields(environ)]
    return (
        _panel("Header fields", _table(headers))
        + (_panel("Query", _fields(parse_query, query), is_open=True) if query else "")
        + _panel("Body", content, is_open=bool(text))
        + _panel("Environ", _table(values))
    )


def _fields(parse: Callable[[str, int], MultiDict], text: str) -> str:
    """The fields of a query or form, if they are not so many that nobody reads them."""
    try:
        fields = parse(text, 100)
    except HTTPError:
        return f"<pre>{escape(redact(text[:LONGEST]))}</pre>"
    return _table((name, HIDDEN if is_secret(name) else value) for name, value in fields.items())


def _panel(title: str, content: str, *, is_open: bool = False) -> str:
    return _details("panel", title, content, is_open=is_open)


def _details(kind: str, title: str, content: str, *, is_open: bool = False) -> str:
    opened = " open" if is_open else ""
    return f'<details class="{kind}"{opened}><summary>{title}</summary>\n{content}</details>\n'


def _copy(name: str, title: str, text: str) -> str:
    return _panel(title, f'<pre id="{name}" tabindex="0">{escape(text)}</pre>\n')
