"""Entity tags of encoded variants: one for each content coding of a representation.

RFC 9110, section 8.8.3.3: two codings of one representation do not share a strong tag. ``"a"``
becomes ``W/"a--gzip"``:

- weak, as the same content need not give the same octets: it may come in other blocks, from another
  version of zlib, or be padded;
- with the coding, so that a cache that has several variants learns which one is good (RFC 9111,
  section 4.3.1), and so that it is known, when the tag comes back, what it was before.
"""

from __future__ import annotations

from wsgikit.http.etags import ETag, parse_etag, parse_etags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


def encode_etag(text: str, coding: str) -> str:
    """The tag of a representation, for its variant in ``coding``; what is no tag stays as it is."""
    etag = parse_etag(text)
    return text if etag is None else str(ETag(etag.value + _suffix(coding), weak=True))


def decode_etags(text: str, codings: Collection[str]) -> list[str]:
    """The tags, as the representations have them, of those in a list that are of such variants.

    :param text: an ``If-Match`` or ``If-None-Match``.
    :param codings: the content codings whose variants are meant.
    :returns: tags as a field has them, all strong. That is right for those that were weak as well:
        strong comparison with a weak tag is false whatever the other one is.
    """
    if "--" not in text:
        return []
    return [
        str(ETag(etag.value.removesuffix(_suffix(coding))))
        for etag in parse_etags(text)
        for coding in codings
        if etag.value.endswith(_suffix(coding))
    ]


def _suffix(coding: str) -> str:
    return f"--{coding}"
