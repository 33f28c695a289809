from __future__ import annotations

import os
import resource
import socket
import tempfile

import pytest

import wsgikit.trees.tree
from wsgikit.http.problem import HTTPError
from wsgikit.trees.tree import DescriptorTree, PathTree, Tree

KINDS = pytest.mark.parametrize("kind", [DescriptorTree, PathTree])


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "folder" / "inner").mkdir(parents=True)
    (root / "a.txt").write_bytes(b"a")
    (root / "folder" / "b.txt").write_bytes(b"b")
    (root / ".hidden").write_bytes(b"hidden")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_bytes(b"canary")
    (tmp_path / "root-beside").mkdir()
    (tmp_path / "root-beside" / "secret.txt").write_bytes(b"canary")
    return root


def content(tree, *names):
    file, status = tree.open(names)
    with file:
        data = file.read()
    assert status.st_size == len(data)
    return data


def assert_missing(tree, *names):
    with pytest.raises(HTTPError) as raised:
        tree.open(names)
    assert raised.value.status == 404


def test_this_system_opens_by_descriptors():
    assert Tree is DescriptorTree


@KINDS
def test_files(kind, root):
    tree = kind(root)
    assert content(tree, "a.txt") == b"a"
    assert content(tree, "folder", "b.txt") == b"b"


@KINDS
@pytest.mark.parametrize("names", [(), ("folder",), ("folder", "inner")])
def test_a_directory_is_no_file(kind, root, names):
    file, status = kind(root).open(names)
    assert file is None
    assert status.st_ino == os.stat(os.path.join(root, *names)).st_ino


@KINDS
@pytest.mark.parametrize(
    "names",
    [
        ("none",),
        ("none", "a.txt"),
        ("a.txt", "b.txt"),
        ("n" * 5000,),
        ("n" * 300, "a"),
        ("\ud800",),
    ],
    ids=[
        "missing",
        "missing folder",
        "below a file",
        "path too long",
        "long",
        "surrogate",
    ],
)
def test_what_is_not_there(kind, root, names):
    assert_missing(kind(root), *names)


@KINDS
def test_links_within(kind, root):
    (root / "file-link").symlink_to("folder/b.txt")
    (root / "folder-link").symlink_to("folder")
    (root / "folder" / "up").symlink_to("..")
    (root / "absolute").symlink_to(root / "a.txt")
    (root / "to-hidden").symlink_to(".hidden")
    (root / "link-to-link").symlink_to("file-link")
    tree = kind(root)
    assert content(tree, "file-link") == b"b"
    assert content(tree, "folder-link", "b.txt") == b"b"
    assert content(tree, "folder", "up", "a.txt") == b"a"
    assert content(tree, "absolute") == b"a"
    assert content(tree, "to-hidden") == b"hidden"
    assert content(tree, "link-to-link") == b"b"
    assert tree.open(["folder", "up"])[0] is None


@KINDS
@pytest.mark.parametrize(
    "target", ["../outside", "../root-beside", "..", "/", "../root/../outside"]
)
def test_links_out_are_not_followed(kind, root, target):
    (root / "out").symlink_to(target)
    tree = kind(root)
    assert_missing(tree, "out")
    assert_missing(tree, "out", "secret.txt")
    assert_missing(tree, "out", "outside", "secret.txt")
    with pytest.raises(HTTPError):
        tree.scan(["out"])


@KINDS
def test_a_file_link_out_is_not_followed(kind, root):
    (root / "secret.txt").symlink_to("../outside/secret.txt")
    assert_missing(kind(root), "secret.txt")


@KINDS
def test_links_to_nothing_and_in_circles(kind, root):
    (root / "dangling").symlink_to("nothing")
    (root / "self").symlink_to("self")
    (root / "ping").symlink_to("pong")
    (root / "pong").symlink_to("ping")
    for name in ("dangling", "self", "ping"):
        assert_missing(kind(root), name)
        assert_missing(kind(root), name, "a.txt")


@KINDS
def test_the_root_may_be_a_link_that_changes(kind, root, tmp_path):
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "a.txt").write_bytes(b"new")
    current = tmp_path / "current"
    current.symlink_to(root)
    tree = kind(current)
    assert content(tree, "a.txt") == b"a"
    (root / "link").symlink_to("a.txt")
    assert content(tree, "link") == b"a"
    current.unlink()
    current.symlink_to("release")
    assert content(tree, "a.txt") == b"new"
    current.unlink()
    assert_missing(tree, "a.txt")


@KINDS
def test_the_root_stays_when_the_process_moves(kind, root, monkeypatch):
    monkeypatch.chdir(root.parent)
    tree = kind("root")
    monkeypatch.chdir("/")
    assert content(tree, "a.txt") == b"a"


@KINDS
def test_the_root_of_the_file_system(kind, root):
    tree = kind("/")
    assert content(tree, *root.parts[1:], "a.txt") == b"a"
    (root / "link").symlink_to("a.txt")
    assert content(tree, *root.parts[1:], "link") == b"a"


@KINDS
def test_what_is_neither_file_nor_directory(kind, root, monkeypatch):
    monkeypatch.chdir(root)  # the address of a socket has to be short
    os.mkfifo(root / "fifo")
    (root / "fifo-link").symlink_to("fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        for name in ("fifo", "fifo-link", "socket"):
            assert_missing(kind(root), name)  # and does not hang
    assert_missing(kind("/dev"), "null")


@pytest.mark.parametrize("root", ["nothing-here", __file__], ids=["missing", "file"])
def test_a_root_that_is_no_directory(root):
    with pytest.raises(ValueError, match="root takes a directory"):
        Tree(root)


def as_nobody(work):
    user = os.geteuid()
    if not user:
        os.seteuid(65534)
    try:
        return work()
    finally:
        os.seteuid(user)


@KINDS
def test_what_must_not_be_read(kind):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        tree = kind(folder)
        for path in ("closed", "searched"):
            os.mkdir(f"{folder}/{path}")
        for path in ("file", "closed/file", "searched/file"):
            with open(f"{folder}/{path}", "wb") as file:
                file.write(b"content")
        os.chmod(f"{folder}/file", 0)
        os.chmod(f"{folder}/closed", 0)
        os.chmod(f"{folder}/searched", 0o711)
        os.chmod(f"{folder}/searched/file", 0o644)
        as_nobody(lambda: assert_missing(tree, "file"))
        as_nobody(lambda: assert_missing(tree, "closed", "file"))
        assert as_nobody(lambda: content(tree, "searched", "file")) == b"content"
        with pytest.raises(HTTPError):
            as_nobody(lambda: tree.scan(["closed"]))
        os.chmod(f"{folder}/closed", 0o755)


@KINDS
def test_a_server_out_of_descriptors_says_so(kind, root):
    tree = kind(root)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.open(root, os.O_RDONLY)
    os.close(probe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            tree.open(["a.txt"])
        with pytest.raises(OSError, match="Too many open files"):
            tree.scan([])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_file_that_becomes_a_fifo(root, monkeypatch):
    really_open = os.open

    def attacked(path, flags, **options):
        if path == "a.txt":
            os.unlink(root / "a.txt")
            os.mkfifo(root / "a.txt")
        return really_open(path, flags, **options)

    monkeypatch.setattr(os, "open", attacked)
    assert_missing(DescriptorTree(root), "a.txt")


def test_a_folder_that_becomes_a_link_out(root, monkeypatch):
    (root / "link").symlink_to("folder")
    (root.parent / "outside" / "b.txt").write_bytes(b"canary")
    resolve = DescriptorTree._resolve

    def attacked(tree, names):
        path = resolve(tree, names)
        os.rename(root / "folder", root / "moved")
        os.symlink("../outside", root / "folder")
        return path

    monkeypatch.setattr(DescriptorTree, "_resolve", attacked)
    assert_missing(DescriptorTree(root), "link", "b.txt")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_file_that_becomes_a_link_out(root, monkeypatch, moment):
    def attack():
        os.unlink(root / "a.txt")
        os.symlink("../outside/secret.txt", root / "a.txt")

    def attacked(path):
        if moment == "before":
            attack()
        opened = really_open(path)
        if moment == "after":
            attack()
        return opened

    really_open = wsgikit.trees.tree.open_file
    monkeypatch.setattr(wsgikit.trees.tree, "open_file", attacked)
    assert_missing(PathTree(root), "a.txt")


def test_a_file_that_another_takes_the_place_of(root, monkeypatch):
    def attacked(path):
        opened = really_open(path)
        os.replace(root / "folder" / "b.txt", root / "a.txt")
        return opened

    really_open = wsgikit.trees.tree.open_file
    monkeypatch.setattr(wsgikit.trees.tree, "open_file", attacked)
    assert_missing(PathTree(root), "a.txt")


@KINDS
def test_a_directory_is_told(kind, root):
    os.mkfifo(root / "folder" / "fifo")
    for name, target in {
        "in": "b.txt",
        "to-folder": "inner",
        "out": "../../outside/secret.txt",
        "dangling": "nothing",
        "loop": "loop",
    }.items():
        (root / "folder" / name).symlink_to(target)
    for name in (b"a:b", b"new\nline", b"caf\xe9", b".dot", b"CON"):
        with open(os.fsencode(root / "folder") + b"/" + name, "wb"):
            pass
    entries = {entry.name: entry for entry in kind(root).scan(["folder"])}
    served = {name for name, entry in entries.items() if entry.status is not None}
    assert served == {"b.txt", "in", "inner", "to-folder", "caf\udce9"}
    assert {name for name in served if entries[name].is_folder} == {"inner", "to-folder"}
    assert entries["in"].status.st_size == 1
    assert {name: entry.refusal for name, entry in entries.items() if name not in served} == {
        "fifo": "neither a file nor a folder",
        "out": "a link that leads nowhere, or outside",
        "dangling": "a link that leads nowhere, or outside",
        "loop": "a link that leads nowhere, or outside",
        "a:b": "its name is not safe on every system",
        "new\nline": "its name is not safe on every system",
        "CON": "its name is not safe on every system",
    }
    assert not entries["out"].is_folder


@KINDS
def test_hidden_names_are_told_when_asked_for(kind, root):
    assert {entry.name for entry in kind(root).scan([])} == {"a.txt", "folder"}
    shown = {entry.name for entry in kind(root).scan([], hidden=True)}
    assert shown == {"a.txt", "folder", ".hidden"}


@KINDS
def test_a_directory_through_a_link(kind, root):
    (root / "link").symlink_to("folder")
    assert {entry.name for entry in kind(root).scan(["link"])} == {"b.txt", "inner"}


@KINDS
@pytest.mark.parametrize("name", ["a.txt", "nothing"])
def test_what_is_no_directory_is_not_told(kind, root, name):
    with pytest.raises(HTTPError):
        kind(root).scan([name])


@KINDS
def test_no_descriptor_stays_open(kind, root):
    (root / "link").symlink_to("folder")
    os.mkfifo(root / "fifo")
    tree = kind(root)
    before = os.listdir("/dev/fd")
    for names in ((), ("folder",), ("link", "b.txt"), ("none",), ("a.txt", "b"), ("fifo",)):
        try:
            file, _ = tree.open(names)
        except HTTPError:
            pass
        else:
            if file is not None:
                file.close()
    for names in ((), ("folder",), ("link",), ("none",), ("a.txt",)):
        try:
            tree.scan(names)
        except HTTPError:
            pass
    assert os.listdir("/dev/fd") == before
