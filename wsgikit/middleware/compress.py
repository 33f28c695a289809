"""Responses compressed on their way out, in the coding that the client likes best.

RFC 9110, sections 8.4 (content codings), 8.8.3.3 (their entity tags) and 12.5.3 (Accept-Encoding).
"""

from __future__ import annotations

from wsgikit.arguments import check_mapping, check_texts
from wsgikit.compose import layer
from wsgikit.http.accept import EncodingAccept
from wsgikit.http.cache_control import parse_cache_control
from wsgikit.http.compressible import is_compressible
from wsgikit.http.encoders import LEVELS, MAX_PADDING, encoders
from wsgikit.http.grammar import is_token
from wsgikit.http.headers import Headers
from wsgikit.http.variants import decode_etags, encode_etag
from wsgikit.remembered import Remembered
from wsgikit.wrap import Transformer, on_each_start, on_start, transform, without_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from wsgikit.http.encoders import Encoder
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

    Edit = Callable[[str, HeaderList], tuple[str, HeaderList]]

__all__ = ["compress"]

#: What has to stand inside of this layer, and why.
ORDER = {
    "outside": {
        "etag": "the tags would be those of compressed content, which differs each time",
        "conditional": "what becomes a 304 would be compressed before, for nothing",
        "cache_control": "its no-transform would come too late",
        "head": "content would be compressed only to be dropped",
    }
}

# Responses that have no content, or not all of it.
_WITHOUT_ALL = frozenset(["204", "205", "206"])
# Fields that fix the octets: encoded already, a part of the whole, a digest of it (RFC 9530).
_FIXING = frozenset(
    "content-encoding content-range content-digest repr-digest digest content-md5".split()
)
# Fields that are true of the content as it was: its length, and that parts of it can be had.
_OF_CONTENT = frozenset(["content-length", "accept-ranges"])
_VARY = ("Vary", "Accept-Encoding")
# How many values of a field are remembered with what was found for them.
_MOST_KNOWN = 100


@layer
def compress(
    app: WSGIApplication,
    *,
    level: int = 6,
    min_size: int = 500,
    types: Collection[str] = (),
    padding: int = 0,
    codings: Mapping[str, Callable[[], Encoder]] | None = None,
) -> WSGIApplication:
    """Text, JSON and the like are sent compressed: with zstd, gzip or deflate.

    :param level: from 1, the fastest, to 9, the smallest.
    :param min_size: content of fewer bytes is sent as it is, if its size is known beforehand.
    :param types: media types to compress as well: ``"text/event-stream"``, ``"application/pdf"``,
        ``"audio/*"``.
    :param padding: the length of each compressed response is up to so many bytes more than it has
        to be, at random, up to 1000. There is only gzip then.
    :param codings: other codings than these, the favourite first: what makes an encoder for each
        (see :mod:`wsgikit.http.encoders`).
    :raises ValueError: for a level, size or padding out of range, and for what is no media type or
        coding.

    zstd is there where Python has ``compression.zstd``, from CPython 3.14 on. The client's weights
    decide (``gzip;q=0``), and among equals our order. What can be compressed is ``text/*``, JSON,
    XML with SVG, scripts, WebAssembly and a few more; images, audio, video, archives and PDF are
    compressed in themselves, and event streams are small. Left alone are also 204, 205, 206 and
    304, what has a Content-Encoding or Content-Range or a digest of its content, and what says
    ``no-transform``.

    Blocks are sent as the application yields them, each with all that is needed to read it. Content
    that is known as a whole has its Content-Length. ``Vary: Accept-Encoding`` is on each response
    that could have been compressed, and on each 304.

    An ETag ``"a"`` becomes ``W/"a--gzip"``: of the same meaning, in octets that are not promised.
    When it comes back, in If-None-Match or If-Match, the application sees ``"a"`` too; in GET and
    HEAD only if the response would have the same coding again. A response to HEAD has the fields
    of GET, as far as they can be known.

    An attacker who can put text into a page and see how long the response is, by watching the
    network, can guess secrets in that page (BREACH). Padding makes that take many more requests; it
    does not end it. What does: secrets that look different each time, as masked tokens do, or
    ``Cache-Control: no-transform`` on pages that have both.
    """
    if type(level) is not int or level not in LEVELS:
        raise ValueError(f"level takes a number from 1 to 9, not {level!r}")
    if type(min_size) is not int or min_size < 0:
        raise ValueError(f"min_size takes a number of bytes, not {min_size!r}")
    if type(padding) is not int or not 0 <= padding <= MAX_PADDING:
        raise ValueError(f"padding takes a number of bytes up to {MAX_PADDING}, not {padding!r}")
    if padding and codings is not None:
        raise ValueError("compress() takes either padding, which is for gzip, or codings")
    makers = encoders(level, padding) if codings is None else _checked_codings(codings)
    offers = (*makers, "identity")
    also = _checked_types(types)

    digits = len(str(min_size - 1)) if min_size else 0  # of the largest size that is too small

    def find_coding(accepted: str | None) -> str:
        return EncodingAccept(accepted).best(offers) or "identity"

    def find_text(content_type: str) -> bool:
        return is_compressible(content_type, also)

    codings_of = Remembered(find_coding, _MOST_KNOWN)
    is_text = Remembered(find_text, _MOST_KNOWN)

    def can_encode(status: str, headers: HeaderList) -> bool:
        """Whether the response can be compressed, for those who accept that; Vary tells it."""
        code = status[:3]
        if code in _WITHOUT_ALL:
            return False
        encodable = varies = False
        for name, value in headers:
            name = name.lower()
            if name == "content-type":
                encodable = is_text[value]
            elif name == "content-length":
                if (
                    (len(value) <= digits or value[:1] == "0")
                    and value.isascii()
                    and value.isdigit()
                    and int(value[:19]) < min_size
                ):
                    return False
            elif name == "vary":
                varies = True
            elif name in _FIXING or (
                name == "cache-control" and "no-transform" in parse_cache_control(value)
            ):
                return False
        if not encodable and code != "304":
            return False
        if varies:
            Headers.view(headers).vary("Accept-Encoding")
        else:
            headers.append(_VARY)
        return code != "304"

    def unencoded(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
        can_encode(status, headers)
        return status, headers

    def bodiless(coding: str) -> Edit:
        def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
            if can_encode(status, headers):
                _declare(coding, headers)
            return status, headers

        return edit

    def encoding(coding: str) -> Callable[[str, HeaderList], Transformer | None]:
        make = makers[coding]

        def begin(status: str, headers: HeaderList) -> Transformer | None:
            if can_encode(status, headers):
                return _Encoding(coding, make, headers, min_size)
            return None

        return begin

    headless = without_body(app)
    around = on_each_start(unencoded)
    heads = {coding: bodiless(coding) for coding in makers}
    begins = {coding: encoding(coding) for coding in makers}

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        coding = codings_of[environ.get("HTTP_ACCEPT_ENCODING")]
        method = environ["REQUEST_METHOD"]
        if "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MATCH" in environ:
            if method not in ("GET", "HEAD"):
                _restore(environ, offers)
            elif etags := _restore(environ, (coding,)):
                start_response = on_start(start_response, _not_modified(coding, etags))
        if coding == "identity":
            return app(environ, around(start_response))
        if method == "HEAD":
            # It may lose its Content-Length; wsgiref takes an empty list to be all there is.
            return headless(environ, on_start(start_response, heads[coding]))
        return transform(app, environ, start_response, begins[coding])

    return answer


class _Encoding(Transformer):
    """One response that may be compressed."""

    __slots__ = ("_coding", "_encoder", "_headers", "_make", "_min_size")

    _encoder: Encoder

    def __init__(
        self, coding: str, make: Callable[[], Encoder], headers: HeaderList, min_size: int
    ) -> None:
        self._coding = coding
        self._make = make
        self._headers = headers
        self._min_size = min_size

    def whole(self, content: bytes) -> bytes:
        """The content compressed, if it has the size for it and becomes smaller."""
        if len(content) < self._min_size or not content:
            return content
        encoded = self._make().finish(content)
        if len(encoded) >= len(content):
            return content
        _declare(self._coding, self._headers)
        self._headers.append(("Content-Length", str(len(encoded))))
        return encoded

    def stream(self) -> bool:
        """All that is not known as a whole is compressed."""
        self._encoder = self._make()
        _declare(self._coding, self._headers)
        return True

    def feed(self, block: bytes) -> bytes:
        """The block compressed, to its end."""
        return self._encoder.feed(block)

    def finish(self) -> bytes:
        """The end of what is compressed."""
        return self._encoder.finish()


def _declare(coding: str, headers: HeaderList) -> None:
    """Make the fields those of encoded content."""
    headers[:] = [
        (name, encode_etag(value, coding)) if name.lower() == "etag" else (name, value)
        for name, value in headers
        if name.lower() not in _OF_CONTENT
    ]
    headers.append(("Content-Encoding", coding))


def _restore(environ: WSGIEnvironment, codings: Collection[str]) -> list[str]:
    """Put the tags that the application knows before ours in the conditions; return them."""
    restored = []
    for key in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"):
        given = environ.get(key, "")
        etags = decode_etags(given, codings)
        if etags:
            environ[key] = ", ".join([*etags, given])
            restored += etags
    return restored


def _not_modified(coding: str, restored: list[str]) -> Edit:
    """A 304 has the tag that the 200 would have: ours, where it was ours that came back."""

    def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
        if status[:3] == "304":
            headers = [
                (name, encode_etag(value, coding))
                if name.lower() == "etag" and value.removeprefix("W/") in restored
                else (name, value)
                for name, value in headers
            ]
        return status, headers

    return edit


def _checked_codings(
    codings: Mapping[str, Callable[[], Encoder]],
) -> dict[str, Callable[[], Encoder]]:
    check_mapping("codings", codings, "names to functions that make encoders")
    for name, make in codings.items():
        sound = isinstance(name, str) and is_token(name) and name == name.lower()
        if not sound or name in ("identity", "*"):
            raise ValueError(f"codings takes names of content codings such as 'br', not {name!r}")
        if not callable(make):
            raise TypeError(f"codings: {make!r} is no function that makes an encoder")
    return dict(codings)


def _checked_types(types: Collection[str]) -> frozenset[str]:
    types = check_texts("types", types, "media types")
    for media in types:
        kind, _, subtype = media.partition("/")
        if not is_token(kind) or not is_token(subtype) or kind == "*":
            raise ValueError(
                f"types takes media types such as 'audio/midi' or 'audio/*', not {media!r}"
            )
    return frozenset(media.lower() for media in types)
