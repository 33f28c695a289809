from __future__ import annotations

import tracemalloc

import pytest

from wsgikit.forms import spool
from wsgikit.forms.gather import gather_form
from wsgikit.http.multipart import MultipartParser
from wsgikit.http.problem import HTTPError


def part(head, content):
    return b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


def gather(*parts, max_memory=1000, **limits):
    body = b"".join(parts) + b"--b--\r\n"
    return gather_form(MultipartParser("b", **limits), [body], max_memory)


@pytest.fixture
def files(monkeypatch):
    """Every temporary file that is made."""
    made = []
    make = spool.TemporaryFile

    def remember(**options):
        made.append(make(**options))
        return made[-1]

    monkeypatch.setattr(spool, "TemporaryFile", remember)
    return made


def test_fields_and_files():
    form = gather(
        part(b'name="a"', "ü".encode()),
        part(b'name="f"; filename="x.bin"\r\nContent-Type: a/b', b"\xff"),
        part(b'name="a"', b""),
        part(b'name="f"; filename="y.bin"', b""),
    )
    assert form.items() == [("a", "ü"), ("a", "")]
    assert [(file.filename, file.read()) for file in form.files.get_all("f")] == [
        ("x.bin", b"\xff"),
        ("y.bin", b""),
    ]


def test_a_file_that_was_not_chosen_is_not_there():
    form = gather(part(b'name="f"; filename=""\r\nContent-Type: application/octet-stream', b""))
    assert not form.files
    assert not form
    assert gather(part(b'name="f"; filename=""', b"x")).files["f"].read() == b"x"


def test_text_that_is_not_of_its_charset():
    assert gather(part(b'name="\xff"', b"a\xff")).items() == [("\ufffd", "a\ufffd")]


@pytest.mark.parametrize(
    ("charset", "text"),
    [("windows-1252", "Grüße €"), ("Shift_JIS", "水ソ"), ("UTF-8", "水"), ("gbk", "名稱")],
)
def test_the_charset_of_a_form(charset, text):
    # As HTML has it: the browser puts the name of the charset into a field _charset_.
    codec = {"Shift_JIS": "cp932", "windows-1252": "cp1252"}.get(charset, charset)
    name = text.encode(codec)
    form = gather(
        part(b'name="' + name + b'"', name),
        part(b'name="_charset_"', charset.encode()),
        part(b'name="f"; filename="' + name + b'.txt"', name),
        part(b'name="u"\r\nContent-Type: text/plain; charset=utf-8', text.encode()),
    )
    assert form.items() == [(text, text), ("_charset_", charset), ("u", text)]
    assert form.files["f"].filename == f"{text}.txt"
    assert form.files["f"].read() == name


def test_a_charset_that_no_form_is_written_in():
    form = gather(part(b'name="_charset_"', b"utf-16"), part(b'name="a"', "ü".encode()))
    assert form["a"] == "ü"
    form = gather(part(b'name="_charset_"', b""), part(b'name="a"', "ü".encode()))
    assert form["a"] == "ü"


@pytest.mark.parametrize(
    "given",
    [
        part(b'name="_charset_"', b"zip"),
        part(b'name="_charset_"', b"\xff"),
        part(b'name="a"\r\nContent-Type: text/plain; charset=idna', b"a"),
    ],
)
def test_a_charset_that_is_not_taken(given, files):
    with pytest.raises(HTTPError, match="is not read here") as caught:
        gather(part(b'name="f"; filename="x"', b"x" * 20), given, max_memory=10)
    assert caught.value.status == 415
    assert [file.closed for file in files] == [True]


def test_files_beyond_the_bound_share_one_temporary_file(files):
    contents = [bytes([number]) * 100 for number in range(200)]
    form = gather(*[part(b'name="f"; filename="x"', content) for content in contents])
    assert [file.read() for file in form.files.get_all("f")] == contents
    assert len(files) == 1
    assert not files[0].closed
    form.close()
    assert files[0].closed


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (b"", 400),
        (part(b'name="f"; filename="x"', b"x" * 2001) + b"--b--\r\n", 413),
        (part(b"name", b"") + b"--b--\r\n", 400),
        (b"--b-x", 400),
    ],
)
def test_nothing_is_left_of_a_form_that_is_refused(bad, status, files):
    good = part(b'name="f"; filename="x"', b"x" * 2000)
    with pytest.raises(HTTPError) as caught:
        gather_form(MultipartParser("b", max_file_size=2000), [good, bad], 1000)
    assert caught.value.status == status
    assert [file.closed for file in files] == [True]


def test_nothing_is_left_when_reading_fails(files):
    def blocks():
        yield part(b'name="f"; filename="x"', b"x" * 2000)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gather_form(MultipartParser("b"), blocks(), 1000)
    assert [file.closed for file in files] == [True]


def test_a_large_upload_takes_little_memory():
    def blocks():
        yield b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
        for _ in range(1000):
            yield bytes(65536)
        yield b"\r\n--b--\r\n"

    tracemalloc.start()
    try:
        with gather_form(MultipartParser("b"), blocks(), 100_000) as form:
            peak = tracemalloc.get_traced_memory()[1]
            assert form.files["f"].size == 65_536_000
            assert sum(map(len, form.files["f"])) == 65_536_000
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
