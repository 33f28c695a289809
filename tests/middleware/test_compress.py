from __future__ import annotations

import gzip
import sys
import zlib
from io import BytesIO, StringIO
from types import SimpleNamespace
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Response, stack
from wsgikit.http.encoders import encoders
from wsgikit.middleware import compress, errors
from wsgikit.testing import serving

TEXT = b"All is well. " * 100
HTML = [("Content-Type", "text/html; charset=utf-8")]


def ask(app, accept="gzip", method="GET", **fields):
    """The response to a request, with its fields by name and the blocks of its content."""
    environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    environ["wsgi.file_wrapper"] = FileWrapper
    if accept is not None:
        environ["HTTP_ACCEPT_ENCODING"] = accept
    environ |= {f"HTTP_{name.upper()}": value for name, value in fields.items()}
    answer = SimpleNamespace(written=[])

    def start_response(status, headers, exc_info=None):
        if exc_info and answer.written:
            raise exc_info[1]
        answer.status, answer.fields = int(status[:3]), dict(headers)
        assert len(headers) == len(answer.fields)
        return answer.written.append

    body = validator(app)(environ, start_response)
    try:
        answer.blocks = answer.written + list(body)
    finally:
        body.close()
    answer.body = b"".join(answer.blocks)
    answer.coding = answer.fields.get("Content-Encoding")
    answer.vary = answer.fields.get("Vary")
    return answer


def answering(body=(TEXT,), headers=HTML, status="200 OK"):
    def app(environ, start_response):
        start_response(status, headers)
        return body

    return app


def sized(size, *headers):
    return [*HTML, ("Content-Length", str(size)), *headers]


def yielding(*blocks, headers=HTML, status="200 OK"):
    def app(environ, start_response):
        start_response(status, headers)
        yield from blocks

    return app


class Body:
    def __init__(self, *blocks):
        self.blocks, self.closed = iter(blocks), 0

    def __iter__(self):
        return self.blocks

    def close(self):
        self.closed += 1


# Which coding


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate", "deflate"),
        ("deflate, gzip", "gzip"),
        ("gzip;q=0.5, deflate", "deflate"),
        ("gzip;q=0.5, identity", None),
        ("identity;q=0.5, gzip;q=0.4", None),
        ("gzip;q=0", None),
        ("gzip;q=0, *", "deflate"),
        ("*", "gzip"),
        ("*;q=0", None),
        ("br", None),
        ("identity", None),
        ("", None),
        (None, None),
        ("identity;q=0", None),
        ("gzip;q=2", None),
    ],
)
def test_the_client_chooses(accept, coding):
    codings = encoders(6)
    codings.pop("zstd", None)
    answer = ask(compress(answering(), codings=codings), accept)
    assert (answer.coding, answer.vary) == (coding, "Accept-Encoding")
    unpack = {"gzip": gzip.decompress, "deflate": zlib.decompress, None: bytes}[coding]
    assert unpack(answer.body) == TEXT
    assert answer.fields.get("Content-Length", str(len(answer.body))) == str(len(answer.body))


class Shout:
    """A coding of one's own, as that of a module that is not ours."""

    def feed(self, block):
        return block.upper()

    def finish(self, last=b""):
        return last.upper()[:-1]  # smaller, as it should be


def test_other_codings_may_be_given():
    app = compress(answering(), codings={"shout": Shout, **encoders(6)})
    assert ask(app, "gzip, shout").body == TEXT.upper()[:-1]
    assert ask(app, "gzip, shout").coding == "shout"
    assert ask(app, "gzip").coding == "gzip"
    assert ask(compress(yielding(b"a", b"b"), codings={"shout": Shout}), "shout").body == b"AB"


def test_the_best_coding_there_is_comes_first():
    best = next(iter(encoders(6)))
    assert ask(compress(answering()), "deflate, gzip, zstd").coding == best


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])))
def test_any_accept_encoding_is_answered(accept):
    assert ask(compress(answering()), accept).status == 200


# What is compressed


@pytest.mark.parametrize(
    ("media", "types"),
    [
        ("text/plain", ()),
        ("application/json", ()),
        ("image/svg+xml", ()),
        ("text/event-stream", ["text/event-stream"]),
        ("audio/midi", ["Audio/*"]),
        ("application/x-own", ["application/x-own", "a/b"]),
    ],
)
def test_types_that_are_compressed(media, types):
    app = compress(answering(headers=[("Content-Type", media)]), types=types)
    assert (ask(app).coding, ask(app).vary) == ("gzip", "Accept-Encoding")


@pytest.mark.parametrize(
    "media", ["image/png", "text/event-stream", "application/zip", "video/mp4"]
)
def test_types_that_are_not(media):
    answer = ask(compress(answering(headers=[("Content-Type", media)])))
    assert (answer.coding, answer.vary, answer.body) == (None, None, TEXT)


def test_what_has_no_type_is_left_alone():
    environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": "gzip"}
    given = []
    body = (TEXT,)
    app = compress(answering(body, headers=[]))
    assert app(environ, lambda *response: given.append(response)) is body
    assert given == [("200 OK", [])]


LEFT_ALONE = {
    "encoded": [("Content-Encoding", "br")],
    "encoded in nothing": [("content-encoding", "identity")],
    "no-transform": [("Cache-Control", "public, No-Transform")],
    "no-transform, second line": [("Vary", "Cookie"), ("CACHE-CONTROL", "no-transform")],
    "range": [("Content-Range", "bytes 0-1299/5000")],
    "content digest": [("Content-Digest", "sha-256=:abc=:")],
    "digest": [("Repr-Digest", "sha-256=:abc=:")],
    "md5": [("Content-MD5", "abc")],
}


@pytest.mark.parametrize("accept", ["gzip", None])
@pytest.mark.parametrize("fields", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_fixes_its_octets_is_left_alone(fields, accept):
    etag = [("ETag", '"a"'), ("Accept-Ranges", "bytes")]
    answer = ask(compress(answering(headers=sized(len(TEXT), *fields, *etag))), accept)
    assert list(answer.fields.items()) == sized(len(TEXT), *fields, *etag)
    assert answer.body == TEXT


@pytest.mark.parametrize("status", ["204 No Content", "205 Reset Content", "304 Not Modified"])
def test_statuses_without_content_are_left_alone(status):
    headers = [("Content-Length", "0")] if status[:3] == "205" else []
    environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": "gzip"}
    given, body = [], []
    app = compress(
        answering(body, headers=[("Content-Type", "text/html"), *headers], status=status)
    )
    assert app(environ, lambda *response: given.append(response)) is body
    assert "Content-Encoding" not in dict(given[0][1])


def test_a_part_is_left_alone():
    app = compress(answering([TEXT[:600]], status="206 Partial Content"))
    assert (ask(app).coding, ask(app).vary) == (None, None)


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Internal Server Error"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_whatever_has_content_is_compressed(status, method):
    answer = ask(compress(answering(status=status)), method=method)
    assert (answer.status, answer.coding) == (int(status[:3]), "gzip")


# Size


@pytest.mark.parametrize("length", [True, False], ids=["length", ""])
@pytest.mark.parametrize(("size", "coding"), [(0, None), (499, None), (500, "gzip")])
@pytest.mark.parametrize("kind", [list, tuple])
def test_what_is_small_is_left_alone(size, coding, length, kind):
    body = kind([b"a" * size])
    answer = ask(compress(answering(body, headers=sized(size) if length else HTML)))
    assert answer.coding == coding
    assert answer.vary == (None if length and not coding else "Accept-Encoding")


def test_what_is_small_keeps_its_body():
    body = [b"a", b"b"]
    environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": "gzip"}
    for headers in (sized(2), HTML):
        assert compress(answering(body, headers))(environ, lambda *response: None) is body


def test_the_least_size_is_an_option():
    assert ask(compress(answering([b"a" * 50], headers=sized(50)), min_size=50)).coding == "gzip"
    assert ask(compress(answering([b"a" * 49], headers=sized(49)), min_size=50)).coding is None
    assert ask(compress(answering([], headers=sized(0)), min_size=0)).body == b""


def test_what_would_not_become_smaller_is_left_alone():
    answer = ask(compress(answering([bytes(range(256))], headers=sized(256)), min_size=0))
    assert (answer.coding, answer.body) == (None, bytes(range(256)))
    assert answer.fields["Content-Length"] == "256"


@pytest.mark.parametrize("length", ["", "-1", "a", "9" * 5000, "\u0662"], ids=ascii)
def test_a_length_that_is_none_is_no_size(length):
    environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": "gzip"}
    given = []
    app = compress(answering([TEXT], headers=[*HTML, ("Content-Length", length)]))
    (block,) = app(environ, lambda *response: given.append(response))
    assert gzip.decompress(block) == TEXT
    assert dict(given[0][1])["Content-Length"] == str(len(block))


@pytest.mark.parametrize("levels", [(1, 9), (1, 6)])
def test_the_level_is_an_option(levels):
    text = b"".join(b"%d squared is %d; " % (n, n * n) for n in range(2000))
    low, high = (len(ask(compress(answering([text]), level=level)).body) for level in levels)
    assert high < low


# Whole content and streams


@pytest.mark.parametrize(
    "body",
    [[TEXT], (TEXT[:700], TEXT[700:]), Body(TEXT), Body(TEXT, b"")],
    ids=["list", "tuple", "block", "block and nothing"],
)
def test_content_that_is_known_has_its_length(body):
    answer = ask(compress(answering(body, headers=sized(len(TEXT)))))
    assert answer.fields["Content-Length"] == str(len(answer.body))
    assert gzip.decompress(answer.body) == TEXT


def test_a_stream_comes_out_block_by_block():
    asked = []

    def blocks():
        for block in (b"first ", b"", b"second ", b"third"):
            asked.append(block)
            yield block

    environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": "gzip"}
    body = iter(compress(answering(blocks()))(environ, lambda *response: None))
    unpack = zlib.decompressobj(31)
    assert asked == []
    for block in (b"first ", b"", b"second ", b"third"):
        assert unpack.decompress(next(body)) == block
        assert asked[-1] == block
    assert unpack.decompress(next(body)) == b""
    assert unpack.eof
    assert next(body, None) is None


def test_events_arrive_one_by_one_over_a_connection():
    from http.client import HTTPConnection
    from threading import Event

    seen = Event()

    def events(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        yield b"data: 1\n\n"
        assert seen.wait(20)
        yield b"data: 2\n\n"

    with serving(compress(events, types=["text/event-stream"])) as server:
        connection = HTTPConnection(server.host, server.port, timeout=20)
        connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        unpack, text = zlib.decompressobj(31), b""
        while text != b"data: 1\n\n":
            text += unpack.decompress(response.read1(1000))
        seen.set()
        assert unpack.decompress(response.read()) == b"data: 2\n\n"
        connection.close()


@pytest.mark.parametrize("late", [False, True], ids=["", "late"])
def test_a_stream_has_no_length(late):
    blocks = (TEXT, TEXT)
    app = yielding(*blocks, headers=sized(2 * len(TEXT)))
    if not late:
        app = answering(Body(*blocks), headers=sized(2 * len(TEXT)))
    answer = ask(compress(validator(app)))
    assert "Content-Length" not in answer.fields
    assert gzip.decompress(answer.body) == TEXT * 2


def test_what_is_written_is_compressed():
    def app(environ, start_response):
        write = start_response("200 OK", HTML)
        write(TEXT)
        write(b"")
        return [TEXT]

    answer = ask(compress(validator(app)))
    assert gzip.decompress(answer.body) == TEXT * 2
    assert zlib.decompressobj(31).decompress(answer.written[0]) == TEXT


def test_a_stream_of_nothing_is_a_whole_coding():
    assert gzip.decompress(ask(compress(yielding())).body) == b""


def test_a_file_is_compressed():
    def app(environ, start_response):
        start_response("200 OK", sized(len(TEXT), ("Accept-Ranges", "bytes")))
        return environ["wsgi.file_wrapper"](BytesIO(TEXT), 100)

    answer = ask(compress(app))
    assert gzip.decompress(answer.body) == TEXT
    assert answer.fields.keys() == {"Content-Type", "Vary", "Content-Encoding"}


@pytest.mark.parametrize("accept", ["gzip", None])
def test_a_file_that_is_not_compressed_stays_one(accept):
    media = "image/png" if accept else "text/plain"
    file = FileWrapper(BytesIO(TEXT))
    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
    if accept:
        environ["HTTP_ACCEPT_ENCODING"] = accept
    app = compress(answering(file, headers=[("Content-Type", media)]))
    assert app(environ, lambda *response: None) is file


@pytest.mark.parametrize("blocks", [0, 1, 2, 3])
def test_the_body_is_closed_once(blocks):
    inner = Body(TEXT, TEXT)
    environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": "gzip"}
    body = compress(answering(inner))(environ, lambda *response: None)
    for _, _ in zip(range(blocks), body, strict=False):
        pass
    body.close()
    body.close()
    assert inner.closed == 1


def test_an_error_breaks_a_stream_off():
    def app(environ, start_response):
        start_response("200 OK", HTML)
        yield TEXT
        raise LookupError("lost")

    environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": "gzip"}
    body = iter(compress(app)(environ, lambda *response: None))
    unpack = zlib.decompressobj(31)
    assert unpack.decompress(next(body)) == TEXT
    with pytest.raises(LookupError):
        next(body)
    assert not unpack.eof


def test_an_error_page_is_compressed_too():
    def app(environ, start_response):
        start_response("200 OK", sized(5000))
        try:
            raise LookupError
        except LookupError:
            start_response("503 Service Unavailable", HTML, sys.exc_info())
        return [TEXT]

    answer = ask(compress(app))
    assert (answer.status, gzip.decompress(answer.body)) == (503, TEXT)


def test_a_body_that_is_too_short_does_not_come_out_complete():
    environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": "gzip"}
    with pytest.raises(ValueError, match="Content-Length"):
        list(compress(answering([TEXT], headers=sized(5000)))(environ, lambda *response: None))


@given(st.lists(st.binary(max_size=2000), max_size=5), st.booleans(), st.sampled_from([0, 700]))
def test_any_content_comes_back(blocks, known, min_size):
    app = answering(blocks if known else Body(*blocks))
    answer = ask(compress(app, min_size=min_size), "gzip")
    body = gzip.decompress(answer.body) if answer.coding else answer.body
    assert body == b"".join(blocks)


# Vary


@pytest.mark.parametrize(
    ("given", "vary"),
    [
        ([], "Accept-Encoding"),
        ([("Vary", "Cookie")], "Cookie, Accept-Encoding"),
        ([("vary", "accept-encoding, Cookie")], "accept-encoding, Cookie"),
        ([("Vary", "*")], "*"),
    ],
)
@pytest.mark.parametrize("accept", ["gzip", "br", None])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_could_be_compressed_varies(given, vary, accept, method):
    body = (TEXT,) if method == "GET" else ()
    answer = ask(compress(answering(body, sized(len(TEXT), *given))), accept, method)
    assert {name.lower(): value for name, value in answer.fields.items()}["vary"] == vary


# Entity tags, ranges


def test_an_etag_becomes_that_of_the_variant():
    headers = sized(len(TEXT), ("ETag", '"a"'), ("Accept-Ranges", "bytes"))
    answer = ask(compress(answering(headers=headers)))
    assert answer.fields["ETag"] == 'W/"a--gzip"'
    assert "Accept-Ranges" not in answer.fields
    plain = ask(compress(answering(headers=headers)), None)
    assert (plain.fields["ETag"], plain.fields["Accept-Ranges"]) == ('"a"', "bytes")


@pytest.mark.parametrize(("etag", "sent"), [('W/"a"', 'W/"a--gzip"'), ("a", "a")])
def test_other_etags(etag, sent):
    assert ask(compress(answering(headers=[*HTML, ("ETag", etag)]))).fields["ETag"] == sent


def conditions(environ, start_response):
    """Answers with the conditions that it was asked."""
    names = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH", "HTTP_IF_RANGE")
    text = "; ".join(f"{name[5:]}: {environ[name]}" for name in names if name in environ)
    return Response(text)(environ, start_response)


@pytest.mark.parametrize(
    ("method", "accept", "fields", "seen"),
    [
        ("GET", "gzip", {"if_none_match": 'W/"a--gzip"'}, 'IF_NONE_MATCH: "a", W/"a--gzip"'),
        (
            "GET",
            "gzip",
            {"if_none_match": '"b", W/"a--gzip", W/"a--deflate"'},
            'IF_NONE_MATCH: "a", "b", W/"a--gzip", W/"a--deflate"',
        ),
        ("GET", "br", {"if_none_match": 'W/"a--gzip"'}, 'IF_NONE_MATCH: W/"a--gzip"'),
        ("GET", "deflate", {"if_none_match": 'W/"a--gzip"'}, 'IF_NONE_MATCH: W/"a--gzip"'),
        ("GET", "gzip", {"if_match": 'W/"a--gzip"'}, 'IF_MATCH: "a", W/"a--gzip"'),
        ("GET", "gzip", {"if_none_match": "*"}, "IF_NONE_MATCH: *"),
        ("GET", "gzip", {"if_none_match": '"a"'}, 'IF_NONE_MATCH: "a"'),
        ("GET", "gzip", {"if_range": 'W/"a--gzip"'}, 'IF_RANGE: W/"a--gzip"'),
        ("PUT", "br", {"if_match": 'W/"a--gzip"'}, 'IF_MATCH: "a", W/"a--gzip"'),
        ("PUT", None, {"if_match": 'W/"a--deflate"'}, 'IF_MATCH: "a", W/"a--deflate"'),
        ("PUT", "gzip", {"if_match": '"a"'}, 'IF_MATCH: "a"'),
        (
            "DELETE",
            "br",
            {"if_none_match": 'W/"a--gzip"', "if_match": 'W/"b--gzip"'},
            'IF_NONE_MATCH: "a", W/"a--gzip"; IF_MATCH: "b", W/"b--gzip"',
        ),
    ],
)
def test_tags_come_back_to_the_application_as_its_own(method, accept, fields, seen):
    assert ask(compress(conditions), accept, method, **fields).body.decode() == seen


@pytest.mark.parametrize(
    ("etag", "asked", "sent"),
    [
        ('"a"', 'W/"a--gzip"', 'W/"a--gzip"'),
        ('W/"a"', 'W/"a--gzip"', 'W/"a--gzip"'),
        ('"a"', '"a"', '"a"'),
        ('"a"', 'W/"b--gzip"', '"a"'),
        ('"a"', "*", '"a"'),
        ('"a"', 'W/"a--deflate"', '"a"'),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_304_has_the_tag_of_the_200(etag, asked, sent, method):
    headers = [("ETag", etag), ("Cache-Control", "no-cache")]
    app = compress(answering((), headers, "304 Not Modified"))
    answer = ask(app, method=method, if_none_match=asked)
    assert answer.fields == {
        "ETag": sent,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }


def test_a_200_to_a_condition_has_its_own_tag():
    answer = ask(compress(answering(headers=[*HTML, ("ETag", '"b"')])), if_none_match='W/"a--gzip"')
    assert answer.fields["ETag"] == 'W/"b--gzip"'


def test_every_304_varies():
    app = compress(answering((), [("ETag", '"a"')], "304 Not Modified"))
    assert ask(app, None).vary == ask(app, "gzip").vary == "Accept-Encoding"


# HEAD


@pytest.mark.parametrize(
    "headers",
    [
        sized(len(TEXT), ("ETag", '"a"')),
        sized(100, ("ETag", '"a"')),
        [*HTML, ("ETag", '"a"')],
        [("Content-Type", "image/png"), ("ETag", '"a"')],
        sized(len(TEXT), ("Cache-Control", "no-transform")),
    ],
    ids=["large", "small", "stream", "image", "no-transform"],
)
@pytest.mark.parametrize("accept", ["gzip", "br"])
def test_head_has_the_fields_of_get(headers, accept):
    size = dict(headers).get("Content-Length")
    blocks = (TEXT[: int(size or 700)],) if size else Body(TEXT)
    get = ask(compress(answering(blocks, headers)), accept)
    head = ask(compress(answering((), headers)), accept, method="HEAD")
    if get.coding:
        get.fields.pop("Content-Length", None)  # how long it will be is not known before
    assert head.fields == get.fields
    assert head.body == b""


# Padding


def test_padding_changes_the_length_and_nothing_else():
    app = compress(answering(), padding=20)
    answers = [ask(app) for _ in range(300)]
    plain = len(ask(compress(answering())).body)
    assert {len(answer.body) - plain for answer in answers} == set(range(1, 21))
    for answer in answers:
        assert gzip.decompress(answer.body) == TEXT
        assert answer.fields["Content-Length"] == str(len(answer.body))


def test_padding_is_for_streams_as_well():
    app = compress(answering(Body(TEXT, TEXT)), padding=20)
    assert gzip.decompress(ask(app).body) == TEXT * 2


def test_padding_is_for_gzip_alone():
    assert ask(compress(answering(), padding=20), "deflate, zstd").coding is None


# Around others


def test_pages_of_errors_are_compressed():
    app = stack(compress(min_size=0), errors(), Response.html("x" * 1000, 404))
    assert TestApp(app).get("/", status=404, headers={"Accept-Encoding": "gzip"}).text == "x" * 1000


def test_of_two_such_layers_the_inner_one_compresses():
    answer = ask(compress(compress(answering(headers=[*HTML, ("ETag", '"a"')]))))
    assert gzip.decompress(answer.body) == TEXT
    assert (answer.fields["ETag"], answer.vary) == ('W/"a--gzip"', "Accept-Encoding")


# Options


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"level": 0}, ValueError, "level takes a number from 1 to 9, not 0"),
        ({"level": 10}, ValueError, "level"),
        ({"level": "6"}, ValueError, "level"),
        ({"level": True}, ValueError, "level"),
        ({"min_size": -1}, ValueError, "min_size takes a number of bytes, not -1"),
        ({"min_size": None}, ValueError, "min_size"),
        ({"padding": -1}, ValueError, "padding takes a number of bytes up to 1000, not -1"),
        ({"padding": 1001}, ValueError, "padding"),
        ({"padding": 1.5}, ValueError, "padding"),
        ({"padding": 1, "codings": {}}, ValueError, "either padding, .* or codings"),
        ({"types": "text/html"}, TypeError, "types takes a list of media types, not 'text/html'"),
        ({"types": ["html"]}, ValueError, "types takes media types .* not 'html'"),
        ({"types": ["*/*"]}, ValueError, "types"),
        ({"types": ["text/html;a=b"]}, ValueError, "types"),
        ({"codings": ["gzip"]}, TypeError, "codings maps names"),
        ({"codings": {"identity": Shout}}, ValueError, "codings .* not 'identity'"),
        ({"codings": {"GZIP": Shout}}, ValueError, "codings .* not 'GZIP'"),
        ({"codings": {"a b": Shout}}, ValueError, "codings .* not 'a b'"),
        ({"codings": {"br": None}}, TypeError, "codings: None is no function"),
        ({"speed": 6}, TypeError, "compress.. has no option 'speed'"),
    ],
    ids=str,
)
def test_a_wrong_option_is_named(options, error, says):
    with pytest.raises(error, match=says):
        compress(answering(), **options)


def test_no_codings_compress_nothing():
    assert ask(compress(answering(), codings={})).coding is None


@pytest.mark.parametrize("body", [[], ()], ids=["list", "tuple"])
def test_head_tells_no_length_of_its_empty_body(body):
    """Stock wsgiref takes an empty list for all the content, and says Content-Length: 0."""

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1200")])
        return body

    environ = {"REQUEST_METHOD": "HEAD", "HTTP_ACCEPT_ENCODING": "gzip"}
    setup_testing_defaults(environ)
    out = BytesIO()
    SimpleHandler(BytesIO(), out, StringIO(), environ, False, False).run(compress(app))
    head = out.getvalue().lower()
    assert b"content-encoding: gzip" in head
    assert b"content-length" not in head
