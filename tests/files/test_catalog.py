from __future__ import annotations

import os
import zipfile

import pytest

import wsgikit.files.catalog
from wsgikit.files.catalog import Catalog, native
from wsgikit.files.describer import Describer
from wsgikit.files.memory import Memory
from wsgikit.files.rules import Rules
from wsgikit.http.problem import HTTPError
from wsgikit.trees.package import PackageTree
from wsgikit.trees.tree import LinkedTree, PathTree, Tree


def catalog_of(*trees, memory=10_000, watched=False, codings=()):
    kept = Memory(memory, evicts=watched)
    catalog = Catalog(trees, Describer(Rules(), codings, kept, watched=watched))
    return catalog, kept


def write(folder, *names, content=b"content"):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.fixture
def two(tmp_path):
    write(tmp_path, "first/a", "first/both", "first/folder/x", content=b"first")
    write(tmp_path, "second/b", "second/both", "second/folder", content=b"second")
    return [Tree(tmp_path / name) for name in ("first", "second")]


@pytest.mark.parametrize(
    ("names", "content"),
    [(["a"], b"first"), (["both"], b"first"), (["b"], b"second"), (["folder", "x"], b"first")],
)
def test_the_first_tree_that_has_it_counts(two, names, content):
    found = catalog_of(*two)[0].find(names)
    with found.opened() as file:
        assert file.read() == content


def test_a_directory_in_the_first_tree_hides_a_file_in_the_second(two):
    found = catalog_of(*two)[0].find(["folder"])
    assert found.file is None
    found.close()
    with pytest.raises(HTTPError):
        found.opened()


def test_what_no_tree_has(two):
    catalog, _ = catalog_of(*two)
    with pytest.raises(HTTPError) as raised:
        catalog.find(["none"])
    assert raised.value.status == 404
    assert catalog.find_file(["none"]) is None
    assert catalog.find_file(["folder"]) is None


def test_where_the_trees_before_would_have_it(two, tmp_path):
    found = catalog_of(*two)[0].find(["b"])
    found.close()
    assert found.before == [str(tmp_path / "first" / "b")]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("other", b"")
        package = PackageTree(zipfile.Path(archive))
        found = catalog_of(package, *two)[0].find(["b"])
        found.close()
        assert found.before == [str(tmp_path / "first" / "b")]


def test_the_file_is_closed_whatever_happens(two, monkeypatch):
    catalog, _ = catalog_of(*two)
    found = catalog.find(["a"])
    catalog.resource("/a", found)
    assert found.file.closed

    def fail(*args):
        raise OSError("disk")

    monkeypatch.setattr(Describer, "describe", fail)
    found = catalog.find(["a"])
    with pytest.raises(OSError, match="disk"):
        catalog.resource("/a", found)
    assert found.file.closed


def test_not_more_than_so_many_are_known(tmp_path, monkeypatch):
    monkeypatch.setattr(wsgikit.files.catalog, "_MOST", 2)
    write(tmp_path, "a", "b", "c")
    catalog, memory = catalog_of(Tree(tmp_path), watched=True)
    for name in ("a", "b", "a", "c"):
        catalog.resource(f"/{name}", catalog.find([name]))
    assert set(catalog.resources) == {"/a", "/c"}
    assert memory.size == 2 * len(b"content")


@pytest.mark.parametrize(
    ("names", "path"),
    [
        ((), ""),
        (("a",), "/a"),
        (("a", "b.c"), "/a/b.c"),
        (("é",), "/\xc3\xa9"),
        (("\udce9",), "/\xe9"),
    ],
)
def test_names_as_a_path(names, path):
    assert native(names) == path


# --- scanning


def scanned(*trees, index=None, hidden=False, **options):
    catalog, _ = catalog_of(*trees, **options)
    catalog.scan(index, hidden=hidden)
    return catalog.resources


KINDS = pytest.mark.parametrize("kind", [Tree, PathTree, LinkedTree])


@KINDS
def test_all_files_are_found(tmp_path, kind):
    write(tmp_path, "a", "folder/b", "folder/inner/c", "d\xe9", ".hidden", ".git/config")
    paths = {"/a", "/folder/b", "/folder/inner/c", "/d\xc3\xa9"}
    assert set(scanned(kind(tmp_path))) == paths
    assert set(scanned(kind(tmp_path), hidden=True)) == paths | {"/.hidden", "/.git/config"}


def test_an_index_answers_for_its_directory(tmp_path):
    write(tmp_path, "index.html", "folder/index.html", "other/a")
    resources = scanned(Tree(tmp_path), index="index.html")
    assert set(resources) == {
        "/",
        "/index.html",
        "/folder/",
        "/folder/index.html",
        "/other/a",
    }
    assert resources["/folder/"] is resources["/folder/index.html"]


@KINDS
def test_links_and_other_things(tmp_path, kind):
    write(tmp_path, "root/a", "root/folder/b", "outside/secret")
    root = tmp_path / "root"
    for name, target in {
        "file-link": "a",
        "folder-link": "folder",
        "folder/up": "..",
        "self": "self",
        "ping": "pong",
        "pong": "ping",
        "dangling": "none",
        "here": ".",
        "out": "../outside",
        "out.txt": "../outside/secret",
    }.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")
    (root / "null").symlink_to("/dev/null")
    write(root, "a:b", "NUL")
    paths = {"/a", "/file-link", "/folder/b", "/folder-link/b"}
    if kind is LinkedTree:
        paths |= {"/out/secret", "/out.txt"}
    assert set(scanned(kind(root))) == paths


def test_what_cannot_be_read_is_passed_over(tmp_path, monkeypatch):
    write(tmp_path, "a", "closed/b")
    real = Tree.scan

    def scan(tree, names, **options):
        if names == ("closed",):
            raise HTTPError(404)
        return real(tree, names, **options)

    monkeypatch.setattr(Tree, "scan", scan)
    assert set(scanned(Tree(tmp_path))) == {"/a"}


def test_what_goes_away_meanwhile_is_passed_over(tmp_path, monkeypatch):
    write(tmp_path, "a", "gone")
    find = Catalog.find

    def gone(catalog, names):
        if names == ("gone",):
            raise HTTPError(404)
        return find(catalog, names)

    monkeypatch.setattr(Catalog, "find", gone)
    assert set(scanned(Tree(tmp_path))) == {"/a"}


def test_a_scan_of_several_trees(two):
    resources = scanned(*two)
    assert set(resources) == {"/a", "/b", "/both", "/folder/x"}
    assert resources["/both"].forms["identity"].content == (b"first",)


def test_a_scan_of_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/b/c", b"c")
        archive.writestr("d", b"d")
        assert set(scanned(PackageTree(zipfile.Path(archive)))) == {"/a/b/c", "/d"}


def test_memory_is_for_the_smallest(tmp_path):
    for size in (3000, 10, 6000, 20):
        write(tmp_path, f"{size}", content=bytes(size))
    resources = scanned(Tree(tmp_path), memory=5000)
    kept = {path for path, each in resources.items() if each.forms["identity"].content is not None}
    assert kept == {"/10", "/20", "/3000"}


def test_more_than_are_known_otherwise(tmp_path, monkeypatch):
    monkeypatch.setattr(wsgikit.files.catalog, "_MOST", 1)
    write(tmp_path, "a", "b", "c")
    assert len(scanned(Tree(tmp_path))) == 3


@pytest.fixture
def circles(tmp_path):
    """Eight folders, and in each of them a link to each other one."""
    numbers = range(8)
    for here in numbers:
        write(tmp_path, f"{here}/index.html", content=b"%d" % here)
        for there in numbers:
            if there != here:
                (tmp_path / f"{here}/to{there}").symlink_to(f"../{there}")
    return tmp_path


@KINDS
def test_folders_that_link_to_each_other(circles, kind):
    catalog, _ = catalog_of(kind(circles))
    closed = catalog.scan("index.html", hidden=False)
    assert len(catalog.resources) == 2 * 8 * 8
    assert {"/0/index.html", "/0/to7/index.html", "/0/to7/"} <= catalog.resources.keys()
    assert {"/0/to1/to0", "/0/to1/to2"} <= closed
    assert len(closed) == 8 * 7 * 7


def test_what_a_scan_found_stays_known(circles, monkeypatch):
    monkeypatch.setattr(wsgikit.files.catalog, "_MOST", 1)
    catalog, memory = catalog_of(Tree(circles))
    catalog.scan(None, hidden=False)
    known = dict(catalog.resources)
    for key in ("/0/to1/to2/index.html", "/0/to1/to3/index.html", "/0/index.html"):
        resource = catalog.resource(key, catalog.find_file(key[1:].split("/")))
        assert resource.forms["identity"].size == 1
    added = catalog.resources.keys() - known.keys()
    assert added == {"/0/to1/to2/index.html"}
    assert memory.size == len(catalog.resources)
