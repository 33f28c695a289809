from __future__ import annotations

import gzip
import os
import zipfile
import zlib
from time import time

import pytest

import wsgikit.files.content
import wsgikit.files.describer
from wsgikit.files.describer import Describer, Found
from wsgikit.files.memory import Memory
from wsgikit.files.resource import WatchedResource
from wsgikit.files.rules import Rules
from wsgikit.http.problem import HTTPError
from wsgikit.trees.package import PackageTree
from wsgikit.trees.tree import Tree

TEXT = b"body { color: red }\n" * 100
SIBLINGS = {"gzip": (".gz", gzip.compress(TEXT)), "br": (".br", b"brotli"), "zstd": (".zst", b"zs")}


@pytest.fixture(autouse=True)
def later(monkeypatch):
    """It is a minute later: what was written just now has settled."""
    monkeypatch.setattr(wsgikit.files.describer, "time", lambda: time() + 60)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "app.css").write_bytes(TEXT)
    for suffix, content in SIBLINGS.values():
        (tmp_path / f"app.css{suffix}").write_bytes(content)
    return tmp_path


class Look:
    """A describer, and a look at the file of a folder through it."""

    def __init__(self, folder, codings=("zstd", "br", "gzip"), memory=10_000, watched=True):
        self.tree = Tree(folder)
        self.memory = Memory(memory, evicts=True)
        self.describer = Describer(Rules(), codings, self.memory, watched=watched)

    def find(self, name="app.css"):
        return Found(self.tree, [name], *self.tree.open([name]))

    def __call__(self, name="app.css"):
        found = self.find(name)
        try:
            return self.describer.describe(found, ())
        finally:
            found.close()

    def confirm(self, known, name="app.css"):
        found = self.find(name)
        try:
            return self.describer.confirm(known, found)
        finally:
            found.close()


def test_each_form_has_its_fields_and_its_tag(folder):
    forms = Look(folder)().forms
    assert set(forms) == {"identity", "zstd", "br", "gzip"}
    assert len({form.tag for form in forms.values()}) == 4
    for coding, form in forms.items():
        assert form.size == len(TEXT if coding == "identity" else SIBLINGS[coding][1])
        encoding = dict(form.whole).get("Content-Encoding")
        assert encoding == (None if coding == "identity" else coding)
        assert dict(form.whole)["Content-Type"] == "text/css; charset=utf-8"
        assert not form.etag.weak


def test_the_tag_is_of_the_content_alone(tmp_path):
    tags = set()
    for number, when in enumerate((1, 1_600_000_000)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in ("a.css", "b.js"):
            (folder / name).write_bytes(TEXT)
            os.utime(folder / name, (when, when))
            tags.add(Look(folder)(name).forms["identity"].tag)
    assert len(tags) == 1


def test_without_codings_no_sibling_is_looked_for(folder):
    resource = Look(folder, codings=())()
    assert set(resource.forms) == {"identity"}
    assert resource.chosen({"HTTP_ACCEPT_ENCODING": "gzip"}) is resource.forms["identity"]


def test_the_smallest_of_those_that_a_client_likes_alike(folder):
    resource = Look(folder)()
    chosen = resource.chosen({"HTTP_ACCEPT_ENCODING": "gzip, br, zstd"})
    assert chosen is resource.forms["zstd"]
    (folder / "app.css.zst").write_bytes(b"zstandard")
    chosen = Look(folder)().chosen({"HTTP_ACCEPT_ENCODING": "gzip, br, zstd"})
    assert dict(chosen.whole)["Content-Encoding"] == "br"


@pytest.mark.parametrize("coding", SIBLINGS)
def test_a_sibling_that_saves_nothing_is_none(folder, coding):
    (folder / f"app.css{SIBLINGS[coding][0]}").write_bytes(bytes(len(TEXT)))
    assert coding not in Look(folder)().forms


@pytest.mark.parametrize(
    "content", [b"", b"short", gzip.compress(TEXT[:-1] + b"?"), gzip.compress(TEXT[20:])]
)
def test_a_gzip_of_another_content_is_none(folder, content):
    (folder / "app.css.gz").write_bytes(content)
    for when in (1, 4e9):
        os.utime(folder / "app.css.gz", (when, when))
        assert "gzip" not in Look(folder)().forms


def test_a_gzip_of_the_content_is_one_whatever_its_time(folder):
    for when in (1, 4e9):
        os.utime(folder / "app.css.gz", (when, when))
        assert "gzip" in Look(folder)().forms


@pytest.mark.parametrize(("older", "used"), [(0, True), (-10, True), (1.9, True), (2.1, False)])
def test_other_siblings_must_not_be_older(folder, older, used):
    when = os.stat(folder / "app.css").st_mtime_ns - int(older * 10**9)
    for suffix in (".br", ".zst"):
        os.utime(folder / f"app.css{suffix}", ns=(when, when))
    forms = Look(folder)().forms
    assert ("br" in forms) is ("zstd" in forms) is used


def test_of_a_file_that_is_not_read_the_time_of_each_sibling_counts(folder, monkeypatch):
    monkeypatch.setattr(wsgikit.files.content, "DIGEST_LIMIT", len(TEXT) - 1)
    assert "gzip" in Look(folder)().forms
    os.utime(folder / "app.css.gz", (1, 1))
    assert "gzip" not in Look(folder)().forms


@pytest.mark.parametrize("kind", ["folder", "fifo", "dangling", "out", "loop"])
def test_what_is_no_file_is_no_sibling(tmp_path, kind):
    folder = tmp_path / "root"
    folder.mkdir()
    (tmp_path / "app.css.gz").write_bytes(SIBLINGS["gzip"][1])
    (folder / "app.css").write_bytes(TEXT)
    path = folder / "app.css.gz"
    make = {
        "folder": path.mkdir,
        "fifo": lambda: os.mkfifo(path),
        "dangling": lambda: path.symlink_to("none"),
        "out": lambda: path.symlink_to(tmp_path / "app.css.gz"),
        "loop": lambda: path.symlink_to(path),
    }
    make[kind]()
    assert set(Look(folder)().forms) == {"identity"}


def test_a_sibling_may_be_a_link_within(folder):
    os.rename(folder / "app.css.gz", folder / "packed")
    (folder / "app.css.gz").symlink_to("packed")
    assert "gzip" in Look(folder)().forms


def test_siblings_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("app.css", TEXT)
        archive.writestr("app.css.gz", SIBLINGS["gzip"][1])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        look = Look(tmp_path, memory=0)
        look.tree = PackageTree(zipfile.Path(archive))
        resource = look()
        assert not isinstance(resource, WatchedResource)
        assert not look.confirm(resource)
        form = resource.chosen({"HTTP_ACCEPT_ENCODING": "gzip"})
        with form.open() as file:
            assert zlib.decompress(file.read(), 31) == TEXT
        assert form.modified is None


def test_what_in_a_package_is_gone_is_a_404(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("folder/file", b"")
        tree = PackageTree(zipfile.Path(archive))
        for name in ("folder", "none"):
            with pytest.raises(HTTPError):
                Found(tree, [name], None, os.stat(tmp_path)).reopen()


def test_what_is_not_watched_is_not_asked_again(folder):
    assert not isinstance(Look(folder, watched=False)(), WatchedResource)


def test_what_has_not_settled_is_not_trusted(folder, monkeypatch):
    assert Look(folder)().is_current()
    look = Look(folder)
    monkeypatch.setattr(wsgikit.files.describer, "time", time)
    resource = look()
    assert not resource.is_current()
    assert not look.confirm(resource)


def test_a_sibling_that_has_not_settled_is_not_trusted(folder, monkeypatch):
    monkeypatch.setattr(
        wsgikit.files.describer,
        "is_settled",
        lambda status, now: status.st_size != len(SIBLINGS["gzip"][1]),
    )
    assert not Look(folder)().is_current()


CHANGES = {
    "file": lambda folder: os.utime(folder / "app.css", (1, 1)),
    "sibling": lambda folder: os.utime(folder / "app.css.gz", (1, 1)),
    "sibling gone": lambda folder: os.unlink(folder / "app.css.gz"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changed_is_not_confirmed(folder, change):
    look = Look(folder)
    resource = look()
    assert look.confirm(resource)
    change(folder)
    assert not look.confirm(resource)


def test_a_new_sibling_is_not_confirmed_away(folder):
    os.rename(folder / "app.css.gz", folder / "packed")
    look = Look(folder)
    resource = look()
    assert look.confirm(resource)
    os.rename(folder / "packed", folder / "app.css.gz")
    assert not look.confirm(resource)


def test_what_is_confirmed_is_in_use(folder):
    look = Look(folder, memory=len(TEXT) + 10, codings=())
    first = look()
    (folder / "other.css").write_bytes(TEXT)
    look("other.css")
    assert first.forms["identity"].content is None
    assert look.confirm(first)
    assert first.forms["identity"].content == (TEXT,)


def test_what_is_forgotten_takes_no_memory(folder):
    look = Look(folder)
    resource = look()
    assert look.memory.size == sum(form.size for form in resource.forms.values())
    look.describer.forget(resource)
    assert look.memory.size == 0


def reads(monkeypatch):
    """A list that every file is added to that is read."""
    read, done = wsgikit.files.describer.read, []

    def counted(file, *args, **options):
        done.append(file)
        return read(file, *args, **options)

    monkeypatch.setattr(wsgikit.files.describer, "read", counted)
    return done


def test_a_content_is_read_once(folder, monkeypatch):
    done = reads(monkeypatch)
    look = Look(folder, memory=0)
    os.link(folder / "app.css", folder / "same.css")
    for _ in range(3):
        look("same.css")
    assert len(done) == 1
    os.utime(folder / "app.css", (1, 1))
    look("same.css")
    assert len(done) == 2


def test_what_has_not_settled_is_read_each_time(folder, monkeypatch):
    done = reads(monkeypatch)
    monkeypatch.setattr(wsgikit.files.describer, "time", time)
    look = Look(folder, memory=0, codings=())
    look()
    look()
    assert len(done) == 2


def test_not_every_content_is_remembered(folder, monkeypatch):
    done = reads(monkeypatch)
    monkeypatch.setattr(wsgikit.files.describer, "_MOST_CONTENTS", 2)
    look = Look(folder, memory=0, codings=())
    for name in "abc":
        (folder / name).write_bytes(name.encode())
        look(name)
    assert len(done) == 3
    look("c")
    assert len(done) == 3
    look("a")
    assert len(done) == 4
