from __future__ import annotations

import io
import tarfile
import tracemalloc
import zipfile
from wsgiref.util import setup_testing_defaults

import pytest

from wsgikit import HTTPError
from wsgikit.archives.archive import FORMATS, archive
from wsgikit.trees.tree import Tree


@pytest.fixture
def root(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("a")
    (tmp_path / "docs" / "b.bin").write_bytes(bytes(200_000))
    return tmp_path


def respond(response, method="GET"):
    environ, started = {"REQUEST_METHOD": method}, []
    setup_testing_defaults(environ)
    body = response(environ, lambda status, headers: started.append((status, dict(headers))))
    return started[0], body


def names_in(kind, data):
    if kind == "zip":
        return zipfile.ZipFile(io.BytesIO(data)).namelist()
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        return [info.name + ("/" if info.isdir() else "") for info in opened]


@pytest.mark.parametrize(
    ("kind", "media"), [("zip", "application/zip"), ("tar.gz", "application/gzip")]
)
def test_a_folder_in_each_form(root, kind, media):
    (status, headers), body = respond(archive(Tree(root), ["docs"], "docs", kind))
    blocks = list(body)
    body.close()
    assert status == "200 OK"
    assert headers["Content-Type"] == media
    assert headers["Content-Disposition"] == f"attachment; filename=docs.{kind}"
    assert "Content-Length" not in headers
    assert names_in(kind, b"".join(blocks)) == ["docs/", "docs/a.txt", "docs/b.bin"]


@pytest.mark.parametrize(
    ("title", "top"),
    [("../../etc", "etc"), ("a/b:c", "b_c"), ("..", "files"), ("", "files"), ("con", "_con")],
)
def test_the_name_is_plain(root, title, top):
    (_, headers), body = respond(archive(Tree(root), [], title, "zip"))
    data = b"".join(body)
    body.close()
    assert headers["Content-Disposition"] == f"attachment; filename={top}.zip"
    assert names_in("zip", data)[:2] == [f"{top}/", f"{top}/docs/"]


def test_small_files_share_a_block(root):
    for number in range(500):
        (root / f"{number}.txt").write_text("x")
    _, body = respond(archive(Tree(root), [], "top", "zip"))
    sizes = list(map(len, body))
    body.close()
    assert len(sizes) < 12
    assert max(sizes) < 150_000


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("blocks", [0, 1])
def test_closed_before_its_end(root, kind, blocks):
    _, body = respond(archive(Tree(root), [], "top", kind))
    for _, _block in zip(range(blocks), body, strict=False):
        pass
    body.close()
    assert next(iter(body), None) is None


@pytest.mark.parametrize("kind", FORMATS)
def test_memory_does_not_grow_with_the_files(root, kind):
    with open(root / "large.jpg", "wb") as file:
        file.truncate(20_000_000)
    _, body = respond(archive(Tree(root), [], "top", kind))
    tracemalloc.start()
    size = sum(map(len, body))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    body.close()
    assert size > 1_000_000 if kind == "zip" else size > 10_000
    assert peak < 2_000_000


def test_head(root):
    (status, _), body = respond(archive(Tree(root), [], "top", "zip"), "HEAD")
    assert (status, b"".join(body)) == ("200 OK", b"")


def test_no_such_folder(root):
    with pytest.raises(HTTPError, match="404"):
        archive(Tree(root), ["none"], "none", "zip")
