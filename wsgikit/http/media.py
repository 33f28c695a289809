"""Media types: read, written, and guessed from the name of a file.

RFC 9110, section 8.3 (``Content-Type``); RFC 6838, section 4.2.8 (``+json`` and other suffixes);
IANA's registry for the types themselves; the WHATWG MIME Sniffing Standard for "essence".

Guessing goes by a table of its own: :mod:`mimetypes` reads files and the registry of the machine,
so that a script may have one type here and another there.
"""

from __future__ import annotations

from wsgikit.http.grammar import OWS, is_token
from wsgikit.http.params import format_params, parse_params

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: The type of a file whose name says nothing (RFC 9110, section 8.3).
DEFAULT = "application/octet-stream"

# A media type, then the extensions that mean it.
_TABLE = """
text/html                     html htm
text/css                      css
text/javascript               js mjs cjs
text/plain                    txt text log conf cfg ini asc diff patch rst
text/markdown                 md markdown
text/csv                      csv
text/tab-separated-values     tsv
text/calendar                 ics
text/vcard                    vcf
text/vtt                      vtt
text/x-python                 py pyi
text/x-c                      c h cc cpp hpp
text/x-java-source            java
text/x-sh                     sh bash
text/x-tex                    tex
application/xhtml+xml         xhtml xht
application/xml               xml xsd rng dtd
application/xslt+xml          xsl xslt
application/atom+xml          atom
application/rss+xml           rss
application/rdf+xml           rdf
application/gpx+xml           gpx
application/vnd.google-earth.kml+xml  kml
application/json              json map
application/json5             json5
application/ld+json           jsonld
application/geo+json          geojson
application/manifest+json     webmanifest
application/jsonl             jsonl ndjson
application/yaml              yaml yml
application/toml              toml
application/sql               sql
application/wasm              wasm
application/pdf               pdf
application/postscript        ps eps
application/rtf               rtf
application/epub+zip          epub
application/msword            doc
application/vnd.ms-excel      xls
application/vnd.ms-powerpoint ppt
application/vnd.openxmlformats-officedocument.wordprocessingml.document    docx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet          xlsx
application/vnd.openxmlformats-officedocument.presentationml.presentation  pptx
application/vnd.oasis.opendocument.text          odt
application/vnd.oasis.opendocument.spreadsheet   ods
application/vnd.oasis.opendocument.presentation  odp
application/vnd.oasis.opendocument.graphics      odg
application/zip               zip whl
application/gzip              tgz
application/x-tar             tar
application/x-bzip2           bz2 tbz2
application/x-xz              xz txz
application/x-7z-compressed   7z
application/vnd.rar           rar
application/java-archive      jar
application/vnd.android.package-archive  apk
application/vnd.debian.binary-package    deb
application/x-rpm             rpm
application/vnd.sqlite3       sqlite sqlite3
application/pgp-signature     sig
application/pkix-cert         cer crt
application/x-pem-file        pem
application/ogg               ogx
image/svg+xml                 svg
image/png                     png
image/apng                    apng
image/jpeg                    jpg jpeg jfif
image/gif                     gif
image/webp                    webp
image/avif                    avif
image/heic                    heic
image/heif                    heif
image/jxl                     jxl
image/bmp                     bmp
image/tiff                    tif tiff
image/vnd.microsoft.icon      ico cur
image/vnd.adobe.photoshop     psd
audio/mpeg                    mp3
audio/mp4                     m4a
audio/aac                     aac
audio/ogg                     oga ogg opus spx
audio/flac                    flac
audio/wav                     wav
audio/webm                    weba
audio/midi                    mid midi
audio/aiff                    aif aiff
audio/mpegurl                 m3u
application/vnd.apple.mpegurl m3u8
application/dash+xml          mpd
video/mp4                     mp4 m4v
video/webm                    webm
video/ogg                     ogv
video/mpeg                    mpeg mpg
video/mp2t                    ts
video/quicktime               mov
video/matroska                mkv
video/x-msvideo               avi
video/3gpp                    3gp
font/woff                     woff
font/woff2                    woff2
font/ttf                      ttf
font/otf                      otf
font/collection               ttc
application/vnd.ms-fontobject eot
model/gltf+json               gltf
model/gltf-binary             glb
model/stl                     stl
model/obj                     obj
message/rfc822                eml
"""

_TYPES = {
    extension: media
    for media, *extensions in map(str.split, _TABLE.strip().splitlines())
    for extension in extensions
}

# Extensions of a file compressed as a whole, and the content coding (RFC 9110, section 8.4).
_CODINGS = {"gz": "gzip", "br": "br", "zst": "zstd"}

#: The media type of a compressed file that is sent as it is, to be saved and not to be unpacked, by
#: the coding that :func:`guess_type` gives. Brotli has no type registered.
CODING_TYPES = {"gzip": "application/gzip", "br": DEFAULT, "zstd": "application/zstd"}

# Types that are text in one encoding or another, as are text/* and all that ends in "+xml".
_TEXT = frozenset(["application/javascript", "application/ecmascript", "application/xml"])


class MediaType:
    """A media type with its parameters: ``text/html; charset=utf-8``.

    :param type: the part before the slash, ``text``.
    :param subtype: the part behind it, ``html``.
    :param params: values of parameters by name.
    :raises ValueError: when ``type`` or ``subtype`` is no token.

    Names are kept in lower case; values of parameters are kept as they are. ``str()`` writes it for
    a header field; equal are media types of one type, subtype and parameters.

    RFC 9110, section 8.3.1.
    """

    __slots__ = ("params", "subtype", "type")

    type: str
    subtype: str
    params: dict[str, str]

    def __init__(self, type: str, subtype: str, params: Mapping[str, str] | None = None) -> None:
        if not is_token(type) or not is_token(subtype):
            raise ValueError(f"a media type takes two tokens, not {type!a} and {subtype!a}")
        self.type = type.lower()
        self.subtype = subtype.lower()
        self.params = {name.lower(): value for name, value in (params or {}).items()}

    @property
    def essence(self) -> str:
        """Type and subtype alone: ``text/html``."""
        return f"{self.type}/{self.subtype}"

    @property
    def suffix(self) -> str:
        """The structured syntax that the subtype names, ``json`` for ``problem+json``; else empty.

        RFC 6838, section 4.2.8.
        """
        return self.subtype.rpartition("+")[2] if "+" in self.subtype else ""

    @property
    def charset(self) -> str | None:
        """The parameter ``charset`` in lower case; None when there is none."""
        charset = self.params.get("charset")
        return None if charset is None else charset.lower()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MediaType):
            return NotImplemented
        return self.essence == other.essence and self.params == other.params

    def __hash__(self) -> int:
        return hash(self.essence)

    def __str__(self) -> str:
        return format_params(self.essence, self.params)

    def __repr__(self) -> str:
        return f"MediaType({self.type!r}, {self.subtype!r}, {self.params!r})"


def parse_media_type(text: str) -> MediaType | None:
    """The media type that a ``Content-Type`` names, or None when it names none.

    :param text: the value of the field.
    :returns: the type; parameters that are malformed are left out.

    RFC 9110, section 8.3.1.
    """
    essence, params = parse_params(text)
    type, _, subtype = essence.partition("/")
    if not is_token(type) or not is_token(subtype):
        return None
    return MediaType(type, subtype, params)


def guess_type(filename: str) -> tuple[str, str | None]:
    """The media type and the content coding that the extension of a file name says.

    :param filename: a name or a path; case does not matter.
    :returns: ``("text/css", None)`` for ``a.css``, ``("text/css", "gzip")`` for ``a.css.gz``, and
        :data:`DEFAULT` for what is unknown. Who sends a compressed file to be saved, not to be
        unpacked on the way, sends :data:`CODING_TYPES` of the coding as its type, and no coding.

    RFC 9110, sections 8.3 and 8.4.
    """
    name = filename.replace("\\", "/").rpartition("/")[2].lower().lstrip(".")
    stem, _, extension = name.rpartition(".")
    if extension == "svgz" and stem:
        return "image/svg+xml", "gzip"
    coding = _CODINGS.get(extension) if stem else None
    if coding is not None:
        stem, _, extension = stem.rpartition(".")
    return (_TYPES.get(extension, DEFAULT) if stem else DEFAULT), coding


def content_type(media: str, charset: str = "utf-8") -> str:
    """The value of ``Content-Type`` for a media type: text gets its ``charset`` said.

    :param media: a media type, with or without parameters.
    :param charset: the encoding of the text; empty to say none.
    :returns: ``text/html; charset=utf-8`` for ``text/html``, and likewise for ``text/*``, XML (SVG
        too) and JavaScript. What has a charset already is returned as it is, and so is all else:
        JSON is UTF-8 by definition and has no such parameter (RFC 8259, sections 8.1 and 11).
    :raises ValueError: when ``charset`` is no token.

    RFC 9110, section 8.3.2.
    """
    if not charset:
        return media
    if not is_token(charset):
        raise ValueError(f"charset takes a token such as 'utf-8', not {charset!a}")
    essence, semicolon, _ = media.partition(";")
    essence = essence.rstrip(OWS).lower()
    if not essence.startswith("text/") and not essence.endswith("+xml") and essence not in _TEXT:
        return media
    if semicolon and "charset" in parse_params(media)[1]:
        return media
    return f"{media}; charset={charset}"
