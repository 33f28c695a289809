"""Interception: the only code that stands before ``start_response`` or replaces a body.

PEP 3333 leaves many ways open to an application: it may call ``start_response`` late (when the
first block is asked for), twice (with ``exc_info``), use ``write()``, return a body with
``close()`` or without, and fail at any moment. Each function here is right for all of them, so that
a layer need not be. They load on first use.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.wrap.attempt import attempt as attempt
    from wsgikit.wrap.attempt import prefer as prefer
    from wsgikit.wrap.body import Replaced as Replaced
    from wsgikit.wrap.body import close as close
    from wsgikit.wrap.body import closers as closers
    from wsgikit.wrap.body import is_file as is_file
    from wsgikit.wrap.body import no_content as no_content
    from wsgikit.wrap.body import on_close as on_close
    from wsgikit.wrap.guard import guard as guard
    from wsgikit.wrap.observe import Observed as Observed
    from wsgikit.wrap.observe import observe as observe
    from wsgikit.wrap.start import add_headers as add_headers
    from wsgikit.wrap.start import add_unless as add_unless
    from wsgikit.wrap.start import later as later
    from wsgikit.wrap.start import on_each_start as on_each_start
    from wsgikit.wrap.start import on_start as on_start
    from wsgikit.wrap.start import put_header as put_header
    from wsgikit.wrap.transform import Transformer as Transformer
    from wsgikit.wrap.transform import transform as transform
    from wsgikit.wrap.without_body import without_body as without_body

_EXPORTS = {
    "Observed": "observe",
    "Replaced": "body",
    "Transformer": "transform",
    "add_headers": "start",
    "add_unless": "start",
    "attempt": "attempt",
    "close": "body",
    "closers": "body",
    "guard": "guard",
    "is_file": "body",
    "later": "start",
    "no_content": "body",
    "observe": "observe",
    "on_close": "body",
    "on_each_start": "start",
    "on_start": "start",
    "prefer": "attempt",
    "put_header": "start",
    "transform": "transform",
    "without_body": "without_body",
}

__all__ = list(_EXPORTS)

lazy(__name__, _EXPORTS)
