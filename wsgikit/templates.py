"""Templates: any engine behind one small callable that the application hands over.

wsgikit imports no engine. The callable takes the name of a template and its values and returns the
page as text: one line for Jinja2, Mako or :class:`string.Template`.
"""

from __future__ import annotations

from wsgikit.http.grammar import check_value
from wsgikit.response import HTML, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Page(Protocol):
        """What :func:`templates` makes: a template and its values in, a response out."""

        def __call__(self, template: str, /, **values: object) -> Response: ...


__all__ = ["templates"]


def templates(render: Callable[[str, dict[str, object]], str], *, content_type: str = HTML) -> Page:
    """Make ``page(template, **values)`` of ``render``; a page answers 200 with the rendered text.

    What ``page`` returns is a :class:`~wsgikit.Response`: its status and headers may be changed
    before a view returns it. Escaping is the engine's part: switch it on there (``autoescape=True``
    in Jinja2); wsgikit sends the text as it comes, in UTF-8.

    :param render: called as ``render(template, values)`` for each page; returns ``str``. What it
        raises passes on, for the ``errors`` layer or the server.
    :param content_type: what the pages are, for an engine that makes text, XML or CSV.
    :raises TypeError: here, when ``render`` is not callable or ``content_type`` no ``str``; from
        ``page``, when ``render`` returned something else than ``str``.
    :raises ValueError: when ``content_type`` is not fit for a header field (RFC 9110 §5.5).
    """
    if not callable(render):
        raise TypeError(f"render takes a callable (template, values) -> str, not {render!r}")
    check_value(content_type, "content_type")

    def page(template: str, /, **values: object) -> Response:
        text: object = render(template, values)  # an engine may return anything
        if not isinstance(text, str):
            kind = type(text).__name__
            raise TypeError(f"render returns str, not {kind}, for the template {template!r}")
        return Response(text, content_type=content_type)

    return page
