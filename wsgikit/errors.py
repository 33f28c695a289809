"""How an :class:`~wsgikit.HTTPError` is answered: as a page, as problem details or as text."""

from __future__ import annotations

from wsgikit import http
from wsgikit.http.headers import Headers
from wsgikit.http.problem import HTTPError
from wsgikit.http.status import status_line
from wsgikit.keys import DRAW_ERROR
from wsgikit.page import HEADERS, escape, page
from wsgikit.wrap import no_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIEnvironment

__all__ = ["NOT_FOUND", "answer_error", "draw_error"]

TEXT = "text/plain"
HTML = "text/html"
PROBLEM = "application/problem+json"
# In the server's order of preference: a client that takes anything gets a line that a person can
# read. Clients that ask for JSON rarely name the problem type, and do understand it.
OFFERS = (TEXT, HTML, PROBLEM, "application/json")

#: The most usual error. It is never raised, so that all can share it.
NOT_FOUND = HTTPError(404)

# The form chosen for a value of Accept: browsers send few different ones, and to weigh what they
# list takes 20 µs.
_chosen: dict[str | None, str] = {}
_MOST_CHOSEN = 100
_LONGEST_ACCEPT = 500

# NOT_FOUND in each form.
_not_found: dict[str, tuple[HeaderList, bytes]] = {}

# The fields of an answer that its drawing decides.
_DRAWN = ("content-type", "content-length")


def answer_error(error: HTTPError, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """Answer with ``error``, drawn as the ``errors`` layer says, else by :func:`draw_error`."""
    draw = environ.get(DRAW_ERROR, draw_error)
    return draw(error, environ, start_response)  # type: ignore[no-any-return]


def draw_error(error: HTTPError, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """Answer in the form that the client prefers (RFC 9110 §12.5.1), with the error's own fields.

    Browsers get a small page, clients that ask for JSON get ``application/problem+json``
    (RFC 9457), all others plain text, also those who accept none of the three.
    """
    accept = environ.get("HTTP_ACCEPT")
    form = _chosen.get(accept) or _choose(accept)
    if error is not NOT_FOUND:
        headers, block = _drawn(error, form)
    else:
        headers, block = _not_found.get(form) or _not_found.setdefault(form, _drawn(error, form))
    start_response(status_line(error.status), headers.copy())
    return no_content() if environ["REQUEST_METHOD"] == "HEAD" else (block,)


def _choose(accept: str | None) -> str:
    form = http.accept.MediaAccept(accept).best(OFFERS) or TEXT
    if len(accept or "") <= _LONGEST_ACCEPT:
        if len(_chosen) >= _MOST_CHOSEN:
            _chosen.clear()
        _chosen[accept] = form
    return form


def _drawn(error: HTTPError, form: str) -> tuple[HeaderList, bytes]:
    fields: tuple[tuple[str, str], ...] = ()
    if form == TEXT:
        content_type, text = "text/plain; charset=utf-8", f"{error}\n"
    elif form == HTML:
        content_type, text, fields = "text/html; charset=utf-8", _page(error), HEADERS
    else:
        content_type, text = PROBLEM, http.jsontext.dumps(error.problem())
    block = text.encode("utf-8", "replace")
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(block))),
        ("Vary", "Accept"),
        *fields,
    ]
    if error.headers:
        checked = Headers.view(headers)
        for name, value in error.headers:
            if name.lower() not in _DRAWN:
                checked.add(name, value)
        checked.vary()  # one line, should the error have brought another
    return headers, block


def _page(error: HTTPError) -> str:
    detail = f"<p>{escape(error.detail)}</p>" if error.detail else ""
    return page(
        f"{error.status} {error.title}",
        f'<p class="status">{error.status}</p>\n<h1>{escape(error.title)}</h1>\n{detail}',
    )
