"""Forms: what :meth:`wsgikit.Request.form` and :meth:`wsgikit.Request.stream_parts` give.

The modules load on first use: a program without forms pays for none of them.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.forms import spool as spool
    from wsgikit.forms.form import Files as Files
    from wsgikit.forms.form import Form as Form
    from wsgikit.forms.gather import gather_form as gather_form
    from wsgikit.forms.read import read_form as read_form
    from wsgikit.forms.streamed import StreamedPart as StreamedPart
    from wsgikit.forms.streamed import stream_parts as stream_parts
    from wsgikit.forms.upload import Upload as Upload

_EXPORTS = {
    "Files": "form",
    "Form": "form",
    "StreamedPart": "streamed",
    "Upload": "upload",
    "gather_form": "gather",
    "read_form": "read",
    "spool": None,
    "stream_parts": "streamed",
}

__all__ = list(_EXPORTS)

lazy(__name__, _EXPORTS)
