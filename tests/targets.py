"""Each parser of what clients send, as a function of bytes: what a fuzzer calls.

A target returns when the parser gave an answer, or the error that it declares; everything else that
it raises is a defect. A text is what an environ holds, bytes decoded as Latin-1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from random import Random
from typing import Any

from tests.server.reading import read
from tests.server.reference import read_connection
from wsgikit import HTTPError, Request
from wsgikit.http import (
    accept,
    authorization,
    cache_control,
    caching,
    charsets,
    compressible,
    conditions,
    cookies,
    dates,
    etags,
    forwarded,
    grammar,
    hosts,
    jsontext,
    location,
    media,
    multipart,
    params,
    parts,
    peers,
    query,
    ranges,
    selecting,
    traces,
    variants,
)
from wsgikit.keys import INPUT_TERMINATED

Target = Callable[[bytes], object]

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
TAG = etags.ETag("a")
BOUNDARY = "b"


def answer(error: HTTPError, *statuses: int) -> tuple[int, str]:
    """What the client is told: one of these statuses, in one line."""
    assert error.status in statuses, error
    assert str(error).isprintable()
    return error.status, str(error)


@contextmanager
def declared(*statuses: int) -> Iterator[None]:
    """What may be raised: an error that answers the request with one of these statuses."""
    try:
        yield
    except HTTPError as error:
        answer(error, *statuses)


def accepts(data: bytes) -> None:
    text = data.decode("latin-1")
    accept.MediaAccept(text).best(["text/html", "application/json"])
    accept.EncodingAccept(text).best(["br", "gzip", "identity"])
    accept.LanguageAccept(text).best(["de", "en-GB"])
    accept.CharsetAccept(text).best(["utf-8"])


def authorized(data: bytes) -> None:
    text = data.decode("latin-1")
    authorization.scheme_of(text)
    authorization.parse_basic(text)
    authorization.parse_bearer(text)


def cached(data: bytes) -> None:
    text = data.decode("latin-1")
    caching.response_directives([text, text[1:]])
    caching.seconds(text)
    assert caching.initial_age([text], 0, 1, 2) >= 0


def selected(data: bytes) -> None:
    text = data.decode("latin-1")
    for name in ("accept", "x"):
        normal = selecting.normalized(name, text)
        assert selecting.normalized(name, normal) == normal


def conditional(data: bytes) -> None:
    text = data.decode("latin-1")
    for name in ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"):
        assert conditions.evaluate("GET", {name: text}, TAG, 1) in (304, 412, None)
    conditions.range_applies(text, TAG, 1)


def charset(data: bytes) -> None:
    with declared(415):
        b"\xff\0a".decode(charsets.codec_of(data.decode("latin-1")), "replace")


def cookie(data: bytes) -> None:
    found = cookies.parse_cookies(data.decode("latin-1"))
    assert len(found) <= cookies.MAX_COOKIES


def proxies(data: bytes) -> None:
    text = data.decode("latin-1")
    for element in forwarded.parse_forwarded(text):
        forwarded.parse_node((element or {}).get("for", ""))
    forwarded.parse_node(text)
    forwarded.parse_address(text)


def lists(data: bytes) -> None:
    text = data.decode("latin-1")
    for item in grammar.split_list(text) + grammar.split_list(text, ";"):
        grammar.unquote(item)


def host(data: bytes) -> None:
    text = data.decode("latin-1")
    name = hosts.host_name(text)
    assert (name is None) == (hosts.split_host(text) is None)
    if name is not None:
        list(hosts.wildcards(name))
        hosts.is_loopback(name)


def json(data: bytes) -> None:
    with declared(400):
        value = jsontext.loads(data, unique_names=bool(len(data) % 2))
        jsontext.dumps(value).encode()


def target(data: bytes) -> None:
    text = data.decode("latin-1")
    for external in (False, True):
        with declared(400):
            assert grammar.check_value(location.location(text, external))


def types(data: bytes) -> None:
    text = data.decode("latin-1")
    media.guess_type(text)
    media.parse_media_type(text)
    compressible.is_compressible(text)
    with declared(400, 415):
        multipart.parse_boundary(text)


def parameters(data: bytes) -> None:
    found = params.parse_params(data.decode("latin-1"))[1]
    assert len(found) <= 2 * params.MAX_PARAMS
    for name in found.values():
        params.content_disposition("attachment", name)


def head(data: bytes) -> None:
    with declared(400, 415):
        part = parts.parse_head(data)
        part.media_type  # noqa: B018
        part.filename  # noqa: B018
        part.codec  # noqa: B018


def queries(data: bytes) -> None:
    text = data.decode("latin-1")
    with declared(400):
        pairs = query.parse_query(text).items()
        assert query.parse_query(query.encode_query(pairs), 10**6).items() == pairs
    with declared(413):
        query.parse_form(data)
    query.percent_decode(text)
    query.decode_utf8(text)


def spans(data: bytes) -> None:
    text = data.decode("latin-1")
    for size in (0, 1, 1000):
        for start, stop in ranges.parse_range(text, size) or ():
            assert 0 <= start < stop <= size


def tracing(data: bytes) -> None:
    text = data.decode("latin-1")
    found = traces.parse_traceparent(text)
    if found is not None:
        assert traces.parse_traceparent(traces.format_traceparent(*found)) == found
    traces.format_tracestate(traces.parse_tracestate(text))


def tags(data: bytes) -> None:
    text = data.decode("latin-1")
    etags.parse_etag(text)
    list(etags.parse_etags(text))
    variants.decode_etags(text, ["gzip"])


def parsed(blocks: list[bytes]) -> object:
    """The parts in these blocks, or the status of the error."""
    parser = multipart.MultipartParser(BOUNDARY, max_memory=500, max_file_size=1000)
    found: list[tuple[str, str | None, bytes]] = []
    try:
        for block in blocks:
            for event in parser.feed(block):
                if isinstance(event, bytes):
                    found[-1] = (*found[-1][:2], found[-1][2] + event)
                elif event is not None:
                    found.append((event.name, event.original_filename, b""))
        parser.close()
    except HTTPError as error:
        return answer(error, 400, 413, 415)
    return found


def pushed(data: bytes) -> None:
    """Whole, byte by byte and in random blocks: one answer."""
    whole = parsed([data])
    assert parsed([data[at : at + 1] for at in range(len(data))]) == whole
    assert parsed(list(random_blocks(data))) == whole


def random_blocks(data: bytes) -> Iterator[bytes]:
    chance, at = Random(data), 0
    while at < len(data):
        size = chance.randint(1, 1 + min(len(data), chance.choice([3, 50, 70_000])))
        yield data[at : at + size]
        at += size


class Pieces(BytesIO):
    """An input that gives as much as it likes at a time."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.chance = Random(data)

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            size = 1 << 30
        return super().read(self.chance.randint(1, size) if size else 0)


def form(
    data: bytes, kind: str, make: Callable[[bytes], BytesIO], told: bool, **limits: int
) -> Any:
    """The fields and files of a form, or the status of the error."""
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(data)) if told else "",
        "wsgi.input": make(data),
        INPUT_TERMINATED: not told,
    }
    try:
        with Request(environ).form(**limits) as found:
            files = [
                (name, file.original_filename, file.content_type, file.read())
                for name, file in found.files.items()
            ]
            return found.items(), files
    except HTTPError as error:
        return answer(error, 400, 413, 415)


def streamed(data: bytes, kind: str, make: Callable[[bytes], BytesIO]) -> Any:
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": make(data),
    }
    try:
        return [
            (part.name, part.original_filename, b"".join(part))
            for part in Request(environ).stream_parts()
        ]
    except HTTPError as error:
        return answer(error, 400, 413, 415)


KINDS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b")


def forms(data: bytes) -> None:
    """Read at once or as it comes, with a length or without, in memory or on disk: one answer."""
    for kind in KINDS:
        whole = form(data, kind, BytesIO, True)
        assert form(data, kind, Pieces, True) == whole
        assert form(data, kind, Pieces, False) == whole
    spooled = form(data, KINDS[1], Pieces, True, max_memory=len(data) // 2)
    assert spooled == whole or spooled[0] == 413
    assert streamed(data, KINDS[1], Pieces) == streamed(data, KINDS[1], BytesIO)


def connection(data: bytes) -> None:
    """Whole or byte by byte, the same requests: those of a strict reading, or a refusal."""
    expected, _ = read_connection(data)
    whole, error = read([data])
    assert whole == expected[: len(whole)]
    assert error is not None or len(whole) == len(expected)
    assert read([data[at : at + 1] for at in range(len(data))])[0] == whole


TARGETS: dict[str, Target] = {
    "accept": accepts,
    "authorization": authorized,
    "cache_control": lambda data: cache_control.parse_cache_control(data.decode("latin-1")),
    "caching": cached,
    "charsets": charset,
    "conditions": conditional,
    "cookies": cookie,
    "dates": lambda data: dates.parse_date(data.decode("latin-1")),
    "etags": tags,
    "forms": forms,
    "forwarded": proxies,
    "grammar": lists,
    "hosts": host,
    "jsontext": json,
    "location": target,
    "media": types,
    "multipart": pushed,
    "params": parameters,
    "parts": head,
    "peers": lambda data: peers.TrustedPeers(["10.0.0.0/8", "::1"], "x")[data.decode("latin-1")],
    "protocol": connection,
    "query": queries,
    "ranges": spans,
    "selecting": selected,
    "traces": tracing,
}

# What a fuzzer begins with, so that it need not find out the words first.
SEEDS: dict[str, list[bytes]] = {
    "accept": [b"text/html;q=0.8, */*;q=0.1", b"br;q=0, gzip, *", b"de-CH, en;q=.5"],
    "authorization": [b"Basic YTpi", b"Bearer abc.def", b"basic =", b"Bearer"],
    "cache_control": [b'no-cache, max-age=60, private="a, b"'],
    "caching": [b'max-age=60, private, no-cache="a", private=x', b"99999999999", b"7, 8"],
    "charsets": [b"utf-8", b"zip", b"latin1", b"utf-16"],
    "conditions": [b'W/"a", "b"', b"*", DATE.encode()],
    "cookies": [b'a=1; b="2"; =; c', b"__Host-id=x"],
    "dates": [DATE.encode(), b"Sunday, 06-Nov-94 08:49:37 GMT", b"Sun Nov  6 08:49:37 1994"],
    "etags": [b'W/"a--gzip", "b"', b"*"],
    "forms": [
        b"a=1&b=%C3%BC+&%&c",
        b'--b\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\nlatin1\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n'
        b"Content-Type: text/plain; charset=zip\r\n\r\nx\r\n--b\r\n"
        b'Content-Disposition: form-data; name="a"\r\n\r\n\r\n--\r\n--b--',
    ],
    "forwarded": [b'for="[2001:db8::1]:80";proto=https, for=_x;by=unknown', b"192.0.2.1:80"],
    "grammar": [b'a, "b, \\"", c;d="e"'],
    "hosts": [b"a.example:80", b"[::1]:8000", b"127.0.0.1", b"xn--a."],
    "jsontext": [b'{"a": [1, -2e9, "\\ud83d\\ude00", null]}', b"[" * 300, b"\xef\xbb\xbf0"],
    "location": [b"/a?b#c", b"//x", b"https://a.example/", b"javascript:x"],
    "media": [b'text/html; charset="utf-8"', b"multipart/form-data; boundary=b", b"a.tar.gz"],
    "multipart": [
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
        b"x\r\n--b\r\nContent-Disposition: form-data; name=f; filename*=utf-8''%c3%bc\r\n"
        b"Content-Transfer-Encoding: binary\r\n\r\n\r\n--\r\n-b\r\n--b--",
    ],
    "params": [b"a; b=\"c\"; filename*=utf-8''%e2%82%ac; filename=x"],
    "parts": [
        b'Content-Disposition: form-data; name="a"; filename="b\\"c%22"\r\nContent-Type: a/b',
        b"content-disposition: form-data; name=a; filename*=iso-8859-1'en'%A3",
    ],
    "peers": [b"10.1.2.3", b"::ffff:10.0.0.1", b"::1%lo", b""],
    "protocol": [
        b"GET http://h:1/%41?b HTTP/1.1\r\nHost: x\r\nConnection: a, Close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.0\r\n\r\n",
        b"PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'3\r\nabc\r\n002;x="y"\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n',
    ],
    "query": [b"a=1&b=%C3%BC+&%&c", b"%" * 100, b"&" * 1001],
    "ranges": [b"bytes=0-4, -5, 9-", b"bytes=1-0", b"lines=1-2"],
    "selecting": [b"text/html;q=0.80 , */*; q=1", b"br;q=0., gzip", b";q="],
    "traces": [b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"a=1, b@c=2"],
}
