"""The form of a request, whichever way it was sent: urlencoded or multipart.

HTML, "Form submission"; WHATWG URL, section 5 (urlencoded); RFC 7578 (multipart).
"""

from __future__ import annotations

from wsgikit import environ as env
from wsgikit import forms, http
from wsgikit.forms.form import Form
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import form_pairs
from wsgikit.keys import FORM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.forms.form import MultipartForm
    from wsgikit.types import WSGIEnvironment

__all__ = ["read_form"]

_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"

# Up to so many bytes, a form is tried as a plain one first.
_PLAIN = 64 * 1024


def read_form(
    environ: WSGIEnvironment,
    max_size: int,
    max_fields: int,
    max_memory: int,
    max_file_size: int | None = None,
) -> Form:
    """The form of a request, as :meth:`wsgikit.Request.form` describes it."""
    content_type: str = environ.get("CONTENT_TYPE", "")
    kind = content_type
    if kind != _URLENCODED:
        kind = content_type.partition(";")[0].strip().lower()
    if kind == _URLENCODED:
        if max_size <= max_memory:
            return Form(form_pairs(env.read_body(environ, max_size), max_fields))
        body = _body(environ, max_size, max_memory)
        if body is None:
            raise HTTPError(413, f"The form has more than max_memory={max_memory} bytes.")
        return Form(form_pairs(body, max_fields))
    if kind != _MULTIPART:
        raise HTTPError(415, f"This takes a form: {_URLENCODED} or {_MULTIPART}.")
    known: MultipartForm | None = environ.get(FORM)
    if known is not None and known.source is environ["wsgi.input"] and not known.closed:
        return known
    boundary = http.multipart.parse_boundary(content_type)
    body = _body(environ, max_size, max_memory)
    if body is not None and len(body) <= _PLAIN:
        fields = http.multipart.plain_fields(body, boundary, max_fields)
        if fields is not None:
            return Form(fields)
    parser = http.multipart.MultipartParser(
        boundary, max_fields=max_fields, max_memory=max_memory, max_file_size=max_file_size
    )
    blocks = env.stream_body(environ, max_size) if body is None else (body,)
    try:
        form = environ[FORM] = forms.gather_form(parser, blocks, max_memory)
    except HTTPError as error:
        env.refuse_body(environ, error)
        raise
    form.source = environ["wsgi.input"]
    return form


def _body(environ: WSGIEnvironment, max_size: int, max_memory: int) -> bytes | None:
    """The body; None where it is taken, but is too large for memory."""
    if max_size <= max_memory:
        return env.read_body(environ, max_size)
    try:
        return env.read_body(environ, max_memory)
    except HTTPError as error:
        if error.status != 413:
            raise
        return None
