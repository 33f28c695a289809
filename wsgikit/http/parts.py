"""The head of one part of a multipart form: its name, its file's name, its type.

RFC 7578, sections 4.2 (``Content-Disposition``), 4.4 (``Content-Type``) and 4.7 (no
``Content-Transfer-Encoding``); HTML, "Multipart form data" (names, as browsers write them);
RFC 8187 (``filename*``).
"""

from __future__ import annotations

from wsgikit.http.charsets import codec_of
from wsgikit.http.grammar import CONTROLS, OWS, is_token, split_list, unquote
from wsgikit.http.media import parse_media_type
from wsgikit.http.params import UNSAFE, parse_params
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.http.media import MediaType

__all__ = ["Part", "clean_filename", "parse_head"]

# The heads that browsers send, but for the names in them.
_FIELD = "Content-Disposition: form-data; name="
_FILE = "; filename="
_TYPE = "\r\nContent-Type: "

# What file names must not hold on one system or another, beside what no name needs.
_RESERVED = UNSAFE | dict.fromkeys(map(ord, '<>:"|?*'), "_")
# Windows' devices, which are opened by these names with any extension.
_DEVICES = {"AUX", "CON", "NUL", "PRN"}.union(
    name + digit for name in ("COM", "LPT") for digit in "123456789"
)
# Bytes of a file name: what most file systems take.
_LONGEST = 255

# RFC 2045, section 6.2: those that leave the content as it is.
_IDENTITIES = ("7bit", "8bit", "binary")


class Part:
    """One part of a form, as its head describes it: a field, or a file where it has a file name."""

    __slots__ = ("content_type", "head", "name", "original_filename")

    #: The name of the field.
    name: str
    #: The file's name as the client gave it, to be shown and never to be opened; None where the
    #: part is no file. Browsers send an empty one where no file was chosen.
    original_filename: str | None
    #: The Content-Type as it was sent; empty where there was none.
    content_type: str
    #: The head itself, without the empty line behind it.
    head: bytes

    def __init__(
        self, name: str, original_filename: str | None, content_type: str, head: bytes
    ) -> None:
        self.name = name
        self.original_filename = original_filename
        self.content_type = content_type
        self.head = head

    @property
    def filename(self) -> str | None:
        """The file's name, fit for use on any system: see :func:`clean_filename`.

        None where the part is no file; empty where nothing of the name is left.
        """
        given = self.original_filename
        return None if given is None else clean_filename(given)

    @property
    def media_type(self) -> MediaType | None:
        """The Content-Type, read; None where it is absent or malformed."""
        return parse_media_type(self.content_type)

    @property
    def codec(self) -> str | None:
        """Python's codec for the charset that the Content-Type names; None where it names none.

        :raises HTTPError: 415 when that is no charset of the Web.
        """
        media = self.media_type if self.content_type else None
        charset = media.params.get("charset") if media else None
        return None if charset is None else codec_of(charset)

    def __eq__(self, other: object) -> bool:
        return self.head == other.head if isinstance(other, Part) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.head)

    def __repr__(self) -> str:
        file = "" if self.original_filename is None else f" filename={self.original_filename!a}"
        return f"<Part {self.name!a}{file}>"


def parse_head(head: bytes, codec: str = "utf-8") -> Part:
    """What the head of a part says.

    In names, ``%22``, ``%0D`` and ``%0A`` stand for a quote and a line break, and a backslash for
    itself, as browsers write them. Only where a backslash precedes a quote, it escapes, as in the
    quoted strings of RFC 9110 and in what curl sent until 2022. ``filename*`` (RFC 8187) wins over
    ``filename``.

    :param head: the lines of the head, without the empty one.
    :param codec: Python's codec for the text in it, one that has ASCII in it. Octets that are not
        of it read as U+FFFD.
    :raises HTTPError: 400 when a line is folded, malformed or there twice, or there is no
        ``Content-Disposition: form-data`` with a name, each parameter once and well-formed. 415
        for a Content-Transfer-Encoding that would have to be undone, such as base64.
    """
    text = head.decode(codec, "replace")
    pieces = text.split('"')
    if pieces[0] == _FIELD:
        # What is printable has no line break in it, nor another control.
        if len(pieces) == 3 and not pieces[2] and pieces[1].isprintable():
            return Part(_unescape(pieces[1]), None, "", head)
        if len(pieces) == 5 and pieces[2] == _FILE:
            _, name, _, filename, rest = pieces
            content_type = rest[len(_TYPE) :]
            if rest[: len(_TYPE)] in (_TYPE, "") and (name + filename + content_type).isprintable():
                return Part(_unescape(name), _unescape(filename), content_type.strip(OWS), head)
    fields = _fields(text)
    encoding = fields.get("content-transfer-encoding", "binary")
    if encoding.lower() not in _IDENTITIES:
        raise HTTPError(415, f"A part in Content-Transfer-Encoding {encoding[:40]!a}; send binary.")
    names = _names(fields.get("content-disposition", ""))
    return Part(*names, fields.get("content-type", ""), head)


def clean_filename(name: str) -> str:
    """A client's name for a file, made fit to be one on any system.

    Only what follows the last slash or backslash is kept, without controls and characters that
    change the direction of writing, and without dots and spaces around it. ``<>:"|?*`` become
    ``_``, and the names of Windows' devices get one in front. What is longer than 255 bytes of
    UTF-8 is cut, before its extension.

    :returns: the name; empty when nothing is left, as of ``..``.
    """
    name = name.replace("\\", "/").rpartition("/")[2].translate(_RESERVED).strip(". ")
    if name.partition(".")[0].rstrip().upper() in _DEVICES:
        name = f"_{name}"
    data = name.encode("utf-8", "ignore")
    if len(data) > _LONGEST:
        stem, dot, extension = data.rpartition(b".")
        if not 0 < len(extension) < 20:
            stem, dot, extension = data, b"", b""
        data = stem[: _LONGEST - len(dot + extension)] + dot + extension
    return data.decode("utf-8", "ignore").strip(". ")


def _fields(text: str) -> dict[str, str]:
    """The header fields of a part, under their names in lower case (RFC 2046, section 5.1)."""
    fields: dict[str, str] = {}
    for line in text.split("\r\n"):
        name, colon, value = line.partition(":")
        value = value.strip(OWS)
        if not colon or not is_token(name) or not CONTROLS.isdisjoint(value):
            what = "folded" if line[:1] in (" ", "\t") else "malformed"
            raise HTTPError(400, f"A line in the head of a part is {what}: {line[:60]!a}.")
        if name.lower() in fields:
            raise HTTPError(400, f"The head of a part has {name[:40]} twice.")
        fields[name.lower()] = value
    return fields


def _names(disposition: str) -> tuple[str, str | None]:
    """The field's name and the file's name in a Content-Disposition."""
    kind, _, rest = disposition.partition(";")
    params: dict[str, str] = {}
    for item in split_list(rest, ";"):
        key, equals, raw = item.partition("=")
        value = _extended(item) if key.lower() == "filename*" else _value(raw)
        if not equals or not is_token(key) or value is None or key.lower() in params:
            raise HTTPError(400, f"A parameter of a Content-Disposition is wrong: {item[:60]!a}.")
        params[key.lower()] = value
    if kind.strip(OWS).lower() != "form-data" or "name" not in params:
        raise HTTPError(400, "A part has no Content-Disposition of form-data with a name.")
    return params["name"], params.get("filename*", params.get("filename"))


def _extended(item: str) -> str | None:
    return parse_params(f";{item}")[1].get("filename")


def _value(raw: str) -> str | None:
    if '"' not in raw:
        return _unescape(raw)
    plain = unquote(raw)
    if plain is raw:  # a quote is left open, or stands where none may stand
        return None
    return plain if '\\"' in raw[:-1] else _unescape(raw[1:-1])


def _unescape(name: str) -> str:
    if "%" in name:
        return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
    return name
