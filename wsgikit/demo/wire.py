"""What goes over the wire: an application asked on the spot, and both sides shown as text."""

from __future__ import annotations

from io import BytesIO
from shlex import quote
from wsgiref.util import setup_testing_defaults

from wsgikit import wrap
from wsgikit.environ import native, path_url
from wsgikit.http.query import PATH_SAFE, percent_encode
from wsgikit.page import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.request import Request
    from wsgikit.types import HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Exchange", "curl"]

_SHOWN = 700  # characters of a body


class Exchange:
    """One request to ``app``, made without a connection, and the response.

    :param app: an application that is mounted where ``request`` was sent to.
    :param path: PATH_INFO, as text.
    :param fields: header fields of the request, by their names.
    :param form: the body, a form.
    """

    def __init__(
        self,
        app: WSGIApplication,
        request: Request,
        method: str,
        path: str,
        fields: dict[str, str] | None = None,
        form: str | None = None,
    ) -> None:
        self.method, self.fields, self.form = method, dict(fields or {}), form
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": request.environ.get("SCRIPT_NAME", ""),
            "PATH_INFO": native(path),
            "HTTP_HOST": request.host,
        }
        for name, value in self.fields.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = native(value)
        if form is not None:
            self.fields["Content-Type"] = environ["CONTENT_TYPE"] = (
                "application/x-www-form-urlencoded"
            )
            self.fields["Content-Length"] = environ["CONTENT_LENGTH"] = str(len(form))
            environ["wsgi.input"] = BytesIO(form.encode("latin-1"))
        setup_testing_defaults(environ)
        self.host = request.host
        self.target = path_url(environ)
        self.status, self.headers, self.body = _ask(app, environ)

    def field(self, name: str) -> str:
        """The value of a field of the response; empty where there is none."""
        return next((value for field, value in self.headers if field == name), "")

    def html(self, about: str = "") -> str:
        """Both sides as a figure; ``about`` is HTML that says what to look at."""
        fields = "".join(f"{name}: {value}\n" for name, value in self.fields.items())
        asked = f"Host: {self.host}\n{fields}" + (f"\n{self.form}" if self.form else "")
        said = "".join(f"{name}: {value}\n" for name, value in self.headers)
        kind = "bad" if self.status[0] in "45" else "good"
        caption = f"<figcaption>{about}</figcaption>\n" if about else ""
        return (
            f'<figure class="wire">{caption}'
            '<pre tabindex="0" role="group" aria-label="Request">'
            f"<b>{escape(self.method)} {escape(self.target)} HTTP/1.1</b>\n{escape(asked)}</pre>\n"
            '<pre tabindex="0" role="group" aria-label="Response">'
            f'<b class="{kind}">HTTP/1.1 {escape(self.status)}</b>\n{escape(said)}'
            f"{escape(_text(self.body))}</pre></figure>\n"
        )


def curl(request: Request, path: str, options: str = "") -> str:
    """A command for the reader's terminal, as HTML."""
    root = percent_encode(request.root_path, PATH_SAFE)
    url = f"{request.scheme}://{request.host}{root}{path}"
    command = f"curl {options} {quote(url)}" if options else f"curl {quote(url)}"
    return f'<pre class="curl" tabindex="0">{escape(command)}</pre>'


def _ask(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, HeaderList, bytes]:
    started: list[tuple[str, HeaderList]] = []
    blocks: list[bytes] = []

    def start_response(status: str, headers: HeaderList, exc_info: object = None, /) -> object:
        started.append((status, headers))
        return blocks.append

    starter: StartResponse = start_response  # type: ignore[assignment]
    body = app(environ, starter)
    try:
        blocks.extend(body)
    finally:
        wrap.close(body)
    status, headers = started[-1]
    return status, headers, b"".join(blocks)


def _text(body: bytes) -> str:
    if not body:
        return ""
    text = body.decode("utf-8", "replace")
    more = f"\n… {len(text) - _SHOWN:,} more" if len(text) > _SHOWN else ""
    return f"\n{text[:_SHOWN]}{more}"
