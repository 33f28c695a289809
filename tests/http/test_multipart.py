from __future__ import annotations

import random
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.multipart import MultipartParser, parse_boundary, plain_fields
from wsgikit.http.parts import Part
from wsgikit.http.problem import HTTPError

# What a form says: (name, file name, content) of each part, or the status and text of its error.
Answer = list[tuple[str, str | None, bytes]] | tuple[int, str]

FIELD = b'Content-Disposition: form-data; name="%s"\r\n\r\n'
FILE = b'Content-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n'


def form(*parts: bytes, boundary: bytes = b"b") -> bytes:
    """A form of parts, each a head with its empty line and a content."""
    return (
        b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary
    )


def read(blocks: list[bytes], boundary: str = "b", **limits: int | None) -> Answer:
    """What the parser finds, fed with these blocks."""
    parser = MultipartParser(boundary, **limits)
    found: list[tuple[str, str | None, bytes]] = []
    open_part: Part | None = None
    try:
        for block in blocks:
            for event in parser.feed(block):
                if isinstance(event, Part):
                    assert open_part is None
                    open_part, content = event, []
                elif event is None:
                    assert open_part is not None
                    found.append((open_part.name, open_part.original_filename, b"".join(content)))
                    open_part = None
                else:
                    assert open_part is not None
                    assert event != b""
                    content.append(event)
        parser.close()
    except HTTPError as error:
        for again in (parser.close, lambda: parser.feed(b"x")):
            with pytest.raises(HTTPError) as caught:
                again()
            assert caught.value is error  # noqa: PT017
        return error.status, error.detail
    assert open_part is None
    return found


def octets(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def refused(blocks: list[bytes], boundary: str = "b", **limits: int | None) -> tuple[int, str]:
    answer = read(blocks, boundary, **limits)
    assert isinstance(answer, tuple), answer
    return answer


# --- forms


def test_a_form() -> None:
    body = form(FIELD % b"a" + b"1", FILE % (b"f", b"x.bin") + bytes(range(256)), FIELD % b"b")
    assert read([body]) == [("a", None, b"1"), ("f", "x.bin", bytes(range(256))), ("b", None, b"")]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        pytest.param(b"--b--\r\n", [], id="no-parts"),
        pytest.param(b"--b--", [], id="no-line-break-at-the-end"),
        pytest.param(b"\r\n" + form(FIELD % b"a"), [("a", None, b"")], id="line-break-before"),
        pytest.param(b"hello\r\n" + form(FIELD % b"a"), [("a", None, b"")], id="preamble"),
        pytest.param(b"x" + form(FIELD % b"a"), [], id="first-not-on-a-line"),
        pytest.param(form(FIELD % b"a" + b"--b"), None, id="boundary-begins-the-content"),
        # RFC 2046: the content, with the empty line before it, may be missing.
        pytest.param(form((FIELD % b"a")[:-2]), [("a", None, b"")], id="no-content"),
        pytest.param(
            form((FIELD % b"a")[:-2], FIELD % b"b" + b"c"), [("a", None, b""), ("b", None, b"c")]
        ),
    ],
)
def test_boundaries(body: bytes, answer: Answer | None) -> None:
    if answer is None:
        assert refused([body])[0] == 400
    assert read([body]) == read(octets(body)) == (answer or read([body]))


@pytest.mark.parametrize(
    "content",
    [b"x--b", b"\n--b\n", b"\r--b\r", b"\r\n-b\r\n", b"\r\n\r\n", b"\r\r\n\n", b"\r\n--", b"\0"],
    ids=repr,
)
def test_content_that_is_no_boundary(content: bytes) -> None:
    body = form(FIELD % b"a" + content, FILE % (b"f", b"x") + content)
    assert read([body]) == read(octets(body)) == [("a", None, content), ("f", "x", content)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "ended before its last boundary"),
        (b"hello", "ended before"),
        (b"--b", "ended before"),
        (b"--b\r\n", "ended before"),
        (form(FIELD % b"a" + b"1")[:-4], "ended before"),
        (form(FIELD % b"a" + b"1")[:-3], "ended before"),
        (form(FIELD % b"a" + b"1")[:-1], "ended before"),
        (form(FIELD % b"a" + b"1") + b"\r\n", "last boundary is followed"),
        (form(FIELD % b"a" + b"1") + b"x", "last boundary is followed"),
        (form(FIELD % b"a" + b"1")[:-2] + b"x", "last boundary is followed"),
        (form(FIELD % b"a" + b"1")[:-2] + b"\n", "last boundary is followed"),
        (form() + form(), "last boundary is followed"),
        (b"--bb\r\n", "followed by something else"),
        (b"--b \r\n", "followed by something else"),
        (b"--b\n", "followed by something else"),
        (b"--b-x", "followed by something else"),
        (b"--b\rx", "followed by something else"),
        (form(FIELD % b"a" + b"\r\n--bc"), "followed by something else"),
        (form(b"\r\nx"), "ended before"),
        (form(b"X: y\r\n\r\nz"), "no Content-Disposition"),
        (form(FIELD % b"a" + b"1").replace(b"\r\n", b"\n"), "followed by something else"),
    ],
    ids=repr,
)
def test_what_is_malformed(body: bytes, message: str) -> None:
    status, detail = refused([body])
    assert status == 400
    assert message in detail
    assert read(octets(body)) == (status, detail)


def test_every_part_of_a_form_is_needed() -> None:
    body = form(FIELD % b"a" + b"1", FILE % (b"f", b"x") + b"2")
    for stop in range(len(body) - 2):
        assert refused([body[:stop]])[0] == 400


# --- chunking


def test_a_boundary_in_two_blocks() -> None:
    # Wherever a read of the body ends, no content gains or loses a byte.
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    content = b"0\r\n--\r\n----WebKitFormBoundary7MA4YWxkTrZu0g\r\n\r" * 3
    body = form(FIELD % b"a" + content, FILE % (b"f", b"x") + content, boundary=boundary.encode())
    parts = [("a", None, content), ("f", "x", content)]
    for cut in range(len(body)):
        assert read([body[:cut], body[cut:]], boundary) == parts


@pytest.mark.parametrize("size", [65536, 262144])
def test_a_last_boundary_around_the_end_of_a_read(size: int) -> None:
    frame = len(form(FILE % (b"f", b"x")))
    for length in range(size - frame - 4, size - frame + 30):
        content = random.Random(length).randbytes(length)
        body = form(FILE % (b"f", b"x") + content)
        assert read([body[:size], body[size:]]) == [("f", "x", content)]


names = st.text(st.characters(codec="utf-8", exclude_characters='"\\'), max_size=8).map(
    lambda name: name.replace("\r", "%0D").replace("\n", "%0A").encode()
)
contents = st.binary(max_size=40) | st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"--", b"b", b"\r\n--", b"\r\n", b"x", b"\0"])
).map(b"".join).filter(lambda content: b"\r\n--b" not in b"\r\n" + content)
parts = st.builds(lambda name, content: FIELD % name + content, names, contents) | st.builds(
    lambda name, file, content: FILE % (name, file) + content, names, names, contents
)
forms = st.lists(parts, max_size=5).map(lambda parts: form(*parts))
FRAGMENTS = [
    b"\r\n",
    b"\r",
    b"\n",
    b"--b",
    b"--",
    b"b",
    b"\r\n--b\r\n",
    b"--b\r\n",
    b"--b--\r\n",
    b"x",
]
FRAGMENTS += [FIELD % b"a", FILE % (b"f", b"x"), FIELD[:-2] % b"a", FIELD[:-4] % b"c"]
FRAGMENTS += [b"X: y\r\n"]
hostile = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=3), max_size=25).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A form with something put in, taken out or changed."""
    body = draw(forms)
    start = draw(st.integers(0, len(body)))
    stop = draw(st.integers(start, min(len(body), start + 4)))
    return body[:start] + draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=3)) + body[stop:]


bodies = forms | hostile | mutated() | st.binary(max_size=60)
limits = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["max_size", "max_fields", "max_head_size", "max_memory", "max_file_size"]
        + ["max_preamble_size"],
        st.integers(0, 60) | st.none(),
    ),
)


@given(bodies, limits, st.data())
def test_any_form_in_any_blocks_is_the_same(
    body: bytes, limits: dict[str, int | None], data: st.DataObject
) -> None:
    whole = read([body], **limits)
    assert read(octets(body), **limits) == whole
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    blocks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert read(blocks, **limits) == whole
    if isinstance(whole, tuple):
        assert whole[0] in (400, 413, 415)


@given(st.lists(st.tuples(names, st.none() | names, contents), max_size=5), st.integers(1, 50))
def test_what_was_written_is_read(
    given: list[tuple[bytes, bytes | None, bytes]], size: int
) -> None:
    # Names that are what they look like: no control characters, which heads cannot have.
    wanted = [
        (name, file, content)
        for name, file, content in given
        if (name + (file or b"")).decode().isprintable() and b"%" not in name + (file or b"")
    ]
    body = form(
        *[
            (FIELD % name if file is None else FILE % (name, file)) + content
            for name, file, content in wanted
        ]
    )
    blocks = [body[at : at + size] for at in range(0, len(body), size)]
    assert read(blocks) == [
        (name.decode(), None if file is None else file.decode(), content)
        for name, file, content in wanted
    ]


# --- limits

FORM = form(FIELD % b"a" + b"12345", FILE % (b"f", b"x") + b"1234567890", FIELD % b"c" + b"123")


@pytest.mark.parametrize(
    ("limit", "enough", "status"),
    [
        ("max_size", len(FORM), 413),
        ("max_fields", 3, 413),
        ("max_head_size", len(FILE % (b"f", b"x")) - 4, 413),
        ("max_memory", 8, 413),
        ("max_file_size", 10, 413),
    ],
)
def test_limits(limit: str, enough: int, status: int) -> None:
    assert len(read([FORM], **{limit: enough})) == 3
    assert len(read([FORM], **{limit: None})) == 3
    for blocks in ([FORM], octets(FORM)):
        answer = refused(blocks, **{limit: enough - 1})
        assert answer[0] == status
        assert f"{limit}={enough - 1}" in answer[1]


def test_the_limit_of_the_preamble() -> None:
    body = b"12345\r\n" + FORM
    assert len(read([body], max_preamble_size=5)) == 3
    for blocks in ([body], octets(body), [b"x" * 10]):
        answer = refused(blocks, max_preamble_size=4)
        assert answer == (400, "No boundary within the first max_preamble_size=4 bytes.")


def test_limits_that_are_there_unless_said_otherwise() -> None:
    assert "max_fields=1000" in refused([form(*[FIELD % b"a"] * 1001)])[1]
    assert "max_memory=1048576" in refused([form(*[FIELD % b"a" + b"x" * 600_000] * 2)])[1]
    assert "max_head_size=4096" in refused([form(FIELD % (b"a" * 5000))])[1]
    assert "max_preamble_size=1024" in refused([b"x" * 2000])[1]


@pytest.mark.parametrize("limit", ["max_size", "max_fields", "max_head_size", "max_memory"])
def test_a_limit_that_is_none(limit: str) -> None:
    with pytest.raises(ValueError, match=f"{limit} takes a number from 0 on, or None, not -1"):
        MultipartParser("b", **{limit: -1})


@pytest.mark.parametrize("boundary", ["", "a ", "a\r\n", "a;b", '"', "é", "x" * 71])
def test_a_parser_takes_only_what_parse_boundary_gives(boundary: str) -> None:
    with pytest.raises(ValueError, match="boundary takes what"):
        MultipartParser(boundary)


def test_the_parser_keeps_no_content() -> None:
    parser = MultipartParser("b")
    parser.feed(b"--b\r\n" + FILE % (b"f", b"x"))
    assert parser.feed(b"x" * 100_000) == [b"x" * 100_000]
    block = b"y" * 100_000
    assert parser.feed(block)[0] is block


# --- time

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
DELIMITER = f"\r\n--{BOUNDARY}".encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\r\n", id="crlf"),
        pytest.param(b"\r", id="cr"),
        pytest.param(b"\n", id="lf"),
        pytest.param(b"-", id="dash"),
        pytest.param(b"\r\n--", id="crlf-dashes"),
        pytest.param(DELIMITER[:-1], id="all-but-the-last"),
        pytest.param(DELIMITER[1:], id="all-but-the-first"),
        pytest.param(DELIMITER[:20] + b"x" + DELIMITER[21:], id="all-but-one"),
    ],
)
@pytest.mark.parametrize("size", [8192, 262144])
def test_no_content_takes_long(content: bytes, size: int) -> None:
    body = form(FILE % (b"f", b"x") + (content * 4_000_000)[:4_000_000], boundary=BOUNDARY.encode())
    blocks = [body[at : at + size] for at in range(0, len(body), size)]
    begin = perf_counter()
    parser = MultipartParser(BOUNDARY)
    for block in blocks:
        parser.feed(block)
    parser.close()
    assert perf_counter() - begin < 2  # 2 to 10 ms, on an idle machine


# --- the boundary


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=b", "b"),
        (f"multipart/form-data; boundary={BOUNDARY}", BOUNDARY),
        ("Multipart/Form-Data;BOUNDARY=b", "b"),
        ('multipart/form-data; charset=utf-8; boundary="b"', "b"),
        ('multipart/form-data; boundary="a b:c"; x=y', "a b:c"),
        ("multipart/form-data; boundary=----=_Part_1.2", "----=_Part_1.2"),
        ("multipart/form-data; boundary='()+_,-./:=?", "'()+_,-./:=?"),
        ("multipart/form-data; boundary=" + "x" * 70, "x" * 70),
        ("multipart/form-data; boundary=--", "--"),
        ("multipart/form-data; boundary=--ThIs_Is_tHe_bouNdaRY_$", "--ThIs_Is_tHe_bouNdaRY_$"),
        ("multipart/form-data; boundary=*****", "*****"),
        ("multipart/form-data; charset=utf-8; boundary=boundary", "boundary"),
    ],
)
def test_parse_boundary(content_type: str, boundary: str) -> None:
    assert parse_boundary(content_type) == boundary
    assert MultipartParser(boundary)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("", 415),
        ("multipart/mixed; boundary=b", 415),
        ("multipart/form-data-x; boundary=b", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary", 400),
        ("multipart/form-data; boundary=", 400),
        ('multipart/form-data; boundary=""', 400),
        ("multipart/form-data; boundary=a; boundary=b", 400),
        ("multipart/form-data; boundary=a; Boundary=a", 400),
        ("multipart/form-data; boundary*=utf-8''a", 400),
        ('multipart/form-data; boundary="a', 400),
        ('multipart/form-data; boundary="a "', 400),
        ("multipart/form-data; boundary=a@b", 400),
        ('multipart/form-data; boundary="a\\\\b"', 400),
        ("multipart/form-data; boundary=\xe9", 400),
        ("multipart/form-data; boundary=²", 400),
        ("multipart/form-data; boundary=" + "x" * 71, 400),
    ],
)
def test_content_types_without_a_boundary(content_type: str, status: int) -> None:
    with pytest.raises(HTTPError) as caught:
        parse_boundary(content_type)
    assert caught.value.status == status


@given(st.text() | st.text().map(lambda text: f"multipart/form-data; boundary={text}"))
def test_any_content_type(content_type: str) -> None:
    try:
        boundary = parse_boundary(content_type)
    except HTTPError as error:
        assert error.status in (400, 415)  # noqa: PT017
    else:
        assert MultipartParser(boundary)


# --- plain forms


def test_a_plain_form() -> None:
    body = form(FIELD % "ä".encode() + "ö".encode(), FIELD % b"a", FIELD % b"a" + b"\r\n-\r\n")
    fields = plain_fields(body, "b", 3)
    assert fields == [("ä", "ö"), ("a", ""), ("a", "\r\n-\r\n")]
    assert plain_fields(body[:-2], "b", 3) == fields
    assert plain_fields(body, "b", 2) is None


@pytest.mark.parametrize(
    "body",
    [
        form(),
        form(FILE % (b"f", b"x")),
        form(FIELD % b"a", FILE % (b"f", b"x"), FIELD % b"a"),
        form(FIELD % b"a" + b"\xff"),
        form(FIELD % b"a%22"),
        form(FIELD % b"a\x07"),
        form(FIELD % b"_charset_" + b"utf-8"),
        form(FIELD % (b"a" * 1000)),
        form((FIELD % b"a")[:-2]),
        form(FIELD % b'a"b'),
        b"\r\n" + form(FIELD % b"a"),
        b"x" + form(FIELD % b"a"),
        form(FIELD % b"a") + b"x",
        form(FIELD % b"a") + form(FIELD % b"a"),
        form(FIELD % b"a", b"Content-Disposition:form-data; name=b\r\n\r\n"),
        form(FIELD % b"a")[:-4],
        form(FIELD % b"a")[:-8],
        form(FIELD % b"a" + b"\r\n--bc"),
    ],
    ids=repr,
)
def test_a_form_that_is_not_plain(body: bytes) -> None:
    assert plain_fields(body, "b", 1000) is None


@given(
    bodies
    | st.lists(st.builds(lambda n, c: FIELD % n + c, names, contents)).map(lambda p: form(*p))
)
def test_a_plain_form_is_what_the_parser_finds(body: bytes) -> None:
    fields = plain_fields(body, "b", 1000)
    if fields is not None:
        found = read([body])
        assert isinstance(found, list)
        assert fields == [(name, content.decode("utf-8", "replace")) for name, _, content in found]
        assert all(filename is None for _, filename, _ in found)
