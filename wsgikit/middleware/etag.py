"""Entity tags for what applications make anew each time (RFC 9110 §8.8.3)."""

from __future__ import annotations

from hashlib import blake2b

from wsgikit.compose import layer
from wsgikit.http.cache_control import parse_cache_control
from wsgikit.wrap import Transformer, transform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["etag"]

#: What has to stand outside of this layer, and why.
ORDER = {
    "inside": {
        "conditional": "a tag that nobody compares saves nothing",
        "compress": "the tags would be those of compressed content, which differs each time",
        "head": "it drops the content that this layer needs",
    },
    "outside": {"cache_control": "what must not be stored would be given a tag"},
}

# A tag names octets of a type, a coding and a language: the same octets as text and as JSON are two
# representations, and are not to be taken for each other.
_TOLD_APART = ("content-type", "content-encoding", "content-language")


@layer
def etag(app: WSGIApplication, *, max_size: int = 1024 * 1024) -> WSGIApplication:
    """Responses to GET have an ETag, so that a client need not be sent again what it has.

    :param max_size: larger content is passed on as it comes, without a tag. Bytes.
    :raises ValueError: for a size that is no number of bytes.

    The tag is a digest of the content and its type: strong, and the same in each process and on
    each machine. It saves sending, not making: the application answers as before, and the layer
    ``conditional`` outside of this one makes a 304 of it.

    It is given to each 200 whose size is known, by a Content-Length or as the body is a list; such
    content is waited for. Streams pass as they come, and files as they are. Left alone is what has
    an ETag already, and what says ``no-store``. HEAD has no content to take a digest of: the layer
    ``head`` outside of this one asks for GET.
    """
    if type(max_size) is not int or max_size < 0:
        raise ValueError(f"max_size takes a number of bytes, not {max_size!r}")

    def begin(status: str, headers: HeaderList) -> Transformer | None:
        if status[:3] != "200":
            return None
        described = []
        for name, value in headers:
            name = name.lower()
            if name == "etag" or (
                name == "cache-control" and "no-store" in parse_cache_control(value)
            ):
                return None
            if name == "content-length":
                if not (value.isascii() and value.isdigit() and int(value[:19]) <= max_size):
                    return None
            elif name in _TOLD_APART:
                described.append(f"{name}: {value}\n")
        return _Digest(headers, "".join(sorted(described)), max_size)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if environ["REQUEST_METHOD"] != "GET":
            return app(environ, start_response)
        return transform(app, environ, start_response, begin)

    return answer


class _Digest(Transformer):
    """One response that may get a tag."""

    __slots__ = ("_described", "_headers", "_max_size")

    waits = True

    def __init__(self, headers: HeaderList, described: str, max_size: int) -> None:
        self._headers = headers
        self._described = described
        self._max_size = max_size

    def whole(self, content: bytes) -> bytes:
        """The same content, with its tag among the fields."""
        if len(content) <= self._max_size:
            digest = blake2b(self._described.encode("latin-1", "replace"), digest_size=16)
            digest.update(content)
            self._headers.append(("ETag", f'"{digest.hexdigest()}"'))
        return content
