"""Gathering the parts of a multipart form: fields in memory, files there or in a temporary file.

HTML, "Constructing the entry list" (``_charset_``); RFC 7578, section 4.6.
"""

from __future__ import annotations

from wsgikit.forms.form import MultipartForm
from wsgikit.forms.upload import Storage, Upload
from wsgikit.http.charsets import codec_of
from wsgikit.http.parts import Part, parse_head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from wsgikit.http.multipart import MultipartParser

    Field: TypeAlias = tuple[Part, list[bytes]]

__all__ = ["gather_form"]


def gather_form(parser: MultipartParser, blocks: Iterable[bytes], max_memory: int) -> MultipartForm:
    """The form that ``parser`` finds in ``blocks``.

    :param max_memory: bytes that files may have in memory, together; the others are written to a
        temporary file.
    :raises HTTPError: what the parser and the blocks raise, and 415 for an unknown charset. Nothing
        is left of the files then.
    """
    fields: list[Field] = []
    uploads: list[Upload] = []
    storage = Storage(max_memory)
    contents: list[bytes] = []
    write: Callable[[bytes], object] = contents.append
    try:
        for block in blocks:
            for event in parser.feed(block):
                if type(event) is bytes:
                    write(event)
                elif isinstance(event, Part):
                    if event.original_filename is None:
                        contents = []
                        write = contents.append
                        fields.append((event, contents))
                    else:
                        uploads.append(Upload(event, storage))
                        write = uploads[-1].write
        parser.close()
        codec = _codec(fields)
        if codec != "utf-8":
            fields = [(parse_head(part.head, codec), contents) for part, contents in fields]
            for upload in uploads:
                upload.part = parse_head(upload.part.head, codec)
        pairs = [
            (part.name, b"".join(contents).decode(part.codec or codec, "replace"))
            for part, contents in fields
        ]
    except BaseException:
        storage.close()
        raise
    # Where no file was chosen, browsers send an empty one without a name.
    chosen = [upload for upload in uploads if upload.size or upload.original_filename]
    return MultipartForm(pairs, chosen, storage)


def _codec(fields: list[Field]) -> str:
    """Python's codec for the charset that the form says it is written in."""
    for part, contents in fields:
        if part.name == "_charset_" and contents:
            codec = codec_of(b"".join(contents).decode("ascii", "replace"))
            # No form is written in UTF-16, whatever its page is (HTML, "Selecting a form submission
            # encoding").
            return "utf-8" if codec.startswith("utf-16") else codec
    return "utf-8"
