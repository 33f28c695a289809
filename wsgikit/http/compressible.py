"""Which media types become smaller when they are compressed.

Text does. Most other content is compressed in itself: images, audio, video, archives, PDF.
"""

from __future__ import annotations

from wsgikit.http.grammar import OWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

# Beside text/*, and what ends in +json or +xml.
_TYPES = frozenset(
    """application/json application/json5 application/jsonl application/x-ndjson application/xml
    application/javascript application/x-javascript application/ecmascript application/wasm
    application/yaml application/toml application/sql application/rtf application/postscript
    application/x-tar application/x-pem-file application/vnd.apple.mpegurl
    application/vnd.ms-fontobject application/vnd.sqlite3 audio/mpegurl font/ttf font/otf
    font/collection image/bmp image/vnd.microsoft.icon message/rfc822 model/gltf-binary model/obj
    model/stl""".split()
)


def is_compressible(content_type: str, also: Collection[str] = ()) -> bool:
    """Whether content of this type becomes smaller, as text does.

    :param content_type: a Content-Type, with or without parameters.
    :param also: media types in lower case, ``audio/midi`` or ``audio/*``, that are to count as
        compressible. Event streams are not, unless asked for: each event would be one.
    """
    media = content_type.partition(";")[0].strip(OWS).lower()
    kind = media.partition("/")[0]
    if media in also or f"{kind}/*" in also:
        return True
    if kind == "text":
        return media != "text/event-stream"
    return media in _TYPES or media.endswith(("+json", "+xml"))
