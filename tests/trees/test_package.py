from __future__ import annotations

import io
import os
import sys
import zipfile
from importlib import resources

import pytest

from wsgikit.http.problem import HTTPError
from wsgikit.trees.package import PackageTree

FILES = {
    "a.txt": b"a",
    "folder/b.txt": b"b",
    "folder/inner/c.txt": b"c",
    ".hidden": b"hidden",
    "folder/a:b": b"canary",
    "large": os.urandom(300_000),
}


@pytest.fixture
def archive(tmp_path):
    """A zip with a package in it; beside it in the zip, what must not be served."""
    path = tmp_path / "site.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("shop_in_zip/__init__.py", b"")
        archive.writestr("secret.txt", b"canary")
        archive.writestr("../outside.txt", b"canary")
        for name, content in FILES.items():
            archive.writestr(f"shop_in_zip/static/{name}", content)
    return path


@pytest.fixture
def in_zip(archive):
    with zipfile.ZipFile(archive) as opened:
        yield PackageTree(zipfile.Path(opened, "shop_in_zip/static/"))


@pytest.fixture
def imported(archive, monkeypatch):
    monkeypatch.syspath_prepend(archive)
    yield PackageTree(resources.files("shop_in_zip") / "static")
    del sys.modules["shop_in_zip"]


@pytest.fixture
def spread(tmp_path, monkeypatch):
    """A namespace package, parts of which are in two places."""
    for part, names in (("one", ("a.txt", "folder/b.txt")), ("two", ("large", ".hidden"))):
        for name in names:
            path = tmp_path / part / "spread_shop" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(FILES[name])
        monkeypatch.syspath_prepend(tmp_path / part)
    (tmp_path / "one" / "spread_shop" / "link").symlink_to(tmp_path / "one")
    (tmp_path / "one" / "spread_shop" / "link.txt").symlink_to("a.txt")
    os.mkfifo(tmp_path / "one" / "spread_shop" / "fifo")
    yield PackageTree(resources.files("spread_shop"))
    del sys.modules["spread_shop"]


@pytest.fixture(params=["in_zip", "imported", "spread"])
def tree(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("name", ["a.txt", "folder/b.txt", "large"])
def test_a_file(tree, name):
    file, status = tree.open(name.split("/"))
    with file:
        assert file.seekable()
        assert file.read() == FILES[name]
    assert status.st_size == len(FILES[name])


@pytest.mark.parametrize("names", [(), ("folder",)])
def test_a_directory_is_no_file(tree, names):
    assert tree.open(names)[0] is None


@pytest.mark.parametrize(
    "names",
    [
        ("none",),
        ("none", "a.txt"),
        ("a.txt", "b.txt"),
        ("folder", "none"),
        ("link",),
        ("link", "spread_shop"),
        ("link.txt",),
        ("fifo",),
    ],
)
def test_what_is_not_there(tree, names):
    with pytest.raises(HTTPError) as raised:
        tree.open(names)
    assert raised.value.status == 404
    assert tree.path(names) is None


def scanned(tree, names=(), **options):
    return {entry.name: entry.is_folder for entry in tree.scan(names, **options)}


def test_a_directory_is_told(in_zip):
    assert scanned(in_zip) == {"a.txt": False, "folder": True, "large": False}
    assert scanned(in_zip, ["folder"]) == {"b.txt": False, "inner": True}
    assert ".hidden" in scanned(in_zip, hidden=True)


def test_a_directory_of_a_namespace_is_told(spread):
    assert scanned(spread).items() >= {"a.txt": False, "folder": True, "large": False}.items()
    assert not scanned(spread).keys() & {"link", "link.txt", ".hidden"}


def test_directories_have_different_numbers(in_zip):
    numbers = [in_zip.open(names)[1].st_ino for names in ((), ("folder",), ("folder", "inner"))]
    assert len(set(numbers)) == 3


@pytest.mark.parametrize("names", [("a.txt",), ("none",)])
def test_what_is_no_directory_is_not_told(tree, names):
    with pytest.raises(HTTPError):
        tree.scan(names)


def test_where_it_is_in_the_file_system(in_zip, spread, tmp_path):
    assert in_zip.path(["a.txt"]) is None
    assert spread.path(["a.txt"]) == str(tmp_path / "one" / "spread_shop" / "a.txt")


def test_what_cannot_be_opened(spread, tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError

    monkeypatch.setattr("wsgikit.trees.package.open_file", refuse)
    with pytest.raises(HTTPError):
        spread.open(["a.txt"])


def test_what_cannot_be_wound_is_read_at_once():
    class Item:
        def is_dir(self):
            return False

        def is_file(self):
            return True

        def open(self, mode):
            reader = io.BufferedReader(io.BytesIO(b"content"))
            reader.seekable = lambda: False
            return reader

    class Folder(Item):
        def is_dir(self):
            return True

        def iterdir(self):
            return [Item()]

        def joinpath(self, name):
            return Item()

    file, status = PackageTree(Folder()).open(["a"])
    assert (file.read(), status.st_size) == (b"content", 7)


def test_a_root_that_is_no_directory(archive):
    with zipfile.ZipFile(archive) as opened:
        for name in ("secret.txt", "none/"):
            with pytest.raises(ValueError, match="root takes a directory"):
                PackageTree(zipfile.Path(opened, name))
