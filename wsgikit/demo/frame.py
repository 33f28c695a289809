"""The frame of the tour's pages: the stations, and the ways between them."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from wsgikit import __version__
from wsgikit.demo.style import STYLE
from wsgikit.http.query import PATH_SAFE, percent_encode
from wsgikit.page import HEADERS, escape, page
from wsgikit.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.request import Request

__all__ = ["STATIONS", "draw", "home_of"]

#: Where they are, below the home page: title and summary.
STATIONS = {
    "": ("The stack", "What answers you, drawn from the application itself."),
    "routes": ("Routes", "Addresses with parameters in them, JSON, 404 and 405."),
    "form": ("A form", "Read, checked, escaped, and followed by a redirect."),
    "files": ("Files", "A download in parts, a listing, and what has not changed."),
    "negotiation": ("Negotiation", "One address in three forms and five languages."),
    "cookies": ("Cookies", "A number that your browser keeps."),
    "streaming": ("Streaming", "An answer that is sent while it is being made."),
    "errors": ("Errors", "One on purpose, for visitors and for developers."),
    "layers": ("Your own layer", "Ten lines that wrap any WSGI application."),
}


def home_of(request: Request, slug: str) -> str:
    """The path of the tour's first page, without a slash at its end, for an attribute."""
    root = request.root_path.removesuffix(f"/{slug}") if slug else request.root_path
    return escape(percent_encode(root, PATH_SAFE))


def draw(
    request: Request, slug: str, content: str, *, script: str = "", status: int = 200
) -> Response:
    """The page of the station ``slug`` around ``content``, which is HTML and follows the heading.

    A ``script`` is allowed by its hash, to fetch from this server only.
    """
    home = home_of(request, slug)
    title, summary = STATIONS[slug]
    slugs = list(STATIONS)
    at = slugs.index(slug)
    before, after = slugs[at - 1] if at else None, slugs[at + 1] if slugs[at + 1 :] else None
    body = (
        '<a class="skip" href="#content">Skip to the station</a>\n'
        f"{_stations(home, slug)}"
        '<article id="content" tabindex="-1">\n'
        f'<p class="kicker">Station {at + 1} of {len(slugs)}</p>\n'
        f'<h1>{title}</h1>\n<p class="lead">{summary}</p>\n{content}\n'
        f'<nav class="onward" aria-label="Onward">{_step(home, before, "back", "Back")}'
        f"{_step(home, after, 'next', 'Next')}</nav>\n"
        "</article>"
    )
    html = page(f"{title} – wsgikit demo", body, style=STYLE, script=script)
    return Response.html(html, status, _policy(script) if script else HEADERS)


def _stations(home: str, current: str) -> str:
    items = []
    for slug, (title, _) in STATIONS.items():
        here = ' aria-current="page"' if slug == current else ""
        items.append(f'<li><a href="{_path(home, slug)}"{here}>{title}</a></li>\n')
    return (
        '<nav class="stations" aria-label="Stations">\n'
        f'<p class="brand">wsgikit <small>{escape(__version__)}</small></p>\n'
        f"<ol>\n{''.join(items)}</ol>\n</nav>\n"
    )


def _step(home: str, slug: str | None, kind: str, label: str) -> str:
    if slug is None:
        return ""
    title, _ = STATIONS[slug]
    return f'<a class="{kind}" href="{_path(home, slug)}"><small>{label}</small> {title}</a>'


def _path(home: str, slug: str) -> str:
    return f"{home}/{slug}/" if slug else f"{home}/"


def _policy(script: str) -> list[tuple[str, str]]:
    digest = b64encode(sha256(script.encode()).digest()).decode()
    more = f"; script-src 'sha256-{digest}'; connect-src 'self'"
    return [
        (name, value + more if name == "Content-Security-Policy" else value)
        for name, value in HEADERS
    ]
