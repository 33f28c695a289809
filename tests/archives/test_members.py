from __future__ import annotations

import io
import os

import pytest

from wsgikit.archives.members import Member, members
from wsgikit.trees.tree import Tree


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "b" / "deep").mkdir(parents=True)
    (root / "a").mkdir()
    (root / ".hidden").mkdir()
    for name in ("z.txt", "a.txt", "b/b.txt", "b/deep/d.txt", ".hidden/h.txt"):
        (root / name).write_text(name)
    (tmp_path / "secret.txt").write_text("secret")
    (root / "out").symlink_to("..")
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "up").symlink_to(".")
    (root / "to-b").symlink_to("b")
    (root / "to-a.txt").symlink_to("a.txt")
    os.mkfifo(root / "fifo")
    return root


def found(root, names=(), **options):
    """``{path: content}``; None for a folder."""
    return {
        member.path: None if member.is_folder else b"".join(member.blocks()).decode()
        for member in members(Tree(root), list(names), "top", 5, **options)
    }


def test_what_is_in_it(root):
    assert found(root) == {
        "top/": None,
        "top/a.txt": "a.txt",
        "top/to-a.txt": "a.txt",
        "top/z.txt": "z.txt",
        "top/a/": None,
        "top/b/": None,
        "top/b/b.txt": "b/b.txt",
        "top/b/deep/": None,
        "top/b/deep/d.txt": "b/deep/d.txt",
    }
    assert list(found(root))[4:] == [
        "top/a/",
        "top/b/",
        "top/b/b.txt",
        "top/b/deep/",
        *(["top/b/deep/d.txt"]),
    ]


def test_a_folder_of_it(root):
    assert list(found(root, ["b"])) == ["top/", "top/b.txt", "top/deep/", "top/deep/d.txt"]
    assert list(found(root, ["to-b"])) == ["top/", "top/b.txt", "top/deep/", "top/deep/d.txt"]


def test_hidden_names_when_asked_for(root):
    assert "top/.hidden/h.txt" in found(root, hidden=True)


def test_what_is_known_of_a_member(root):
    path = root / "b" / "b.txt"
    path.chmod(0o755)
    os.utime(path, (0, 1_714_550_400.75))
    os.utime(root / "b" / "deep", (0, 7))
    told = {member.path: member for member in members(Tree(root), ["b"], "top", 5.5)}
    file = told["top/b.txt"]
    assert (file.size, file.modified, file.executable) == (7, 1_714_550_400, True)
    assert told["top/deep/d.txt"].executable is False
    assert (told["top/"].modified, told["top/deep/"].modified) == (5, 7)


def test_a_name_that_is_no_text(tmp_path):
    with open(os.fsencode(tmp_path) + b"/caf\xe9", "wb"):
        pass
    assert list(found(tmp_path)) == ["top/", "top/caf%E9"]


def test_no_two_members_have_one_name(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    for name in (b"\xff", b"%FF", b"%FF (2)", b"%\xff.txt", b"%25%FF.txt", b"%.txt", b"\xfe"):
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(name)
    assert [member.path for member in members(Tree(tmp_path), ["inner"], "top", 5)] == [
        "top/",
        "top/%.txt",
        "top/%25%FF.txt",
        "top/%FF",
        "top/%FF (2)",
        "top/%25%FF (2).txt",
        "top/%FE",
        "top/%FF (3)",
    ]


def test_what_is_missing_is_told_beside_a_file_of_that_name(tmp_path):
    for name in ("MISSING.txt", "MISSING (2).txt", "z.txt"):
        (tmp_path / name).write_text("the user's")
    told = members(Tree(tmp_path), [], "top", 5)
    paths = [next(told).path for _ in range(3)]
    (tmp_path / "z.txt").unlink()
    paths += [member.path for member in told]
    assert sorted(paths) == [
        "top/",
        "top/MISSING (2).txt",
        "top/MISSING (3).txt",
        "top/MISSING.txt",
    ]


def test_a_folder_that_cannot_be_read_at_all(tmp_path):
    (tmp_path / "gone").mkdir()
    told = members(Tree(tmp_path), ["gone"], "top", 5)
    assert next(told).path == "top/"
    (tmp_path / "gone").rmdir()
    assert [member.path for member in told] == ["top/MISSING.txt"]


def test_what_is_gone_meanwhile_is_named(root):
    told = members(Tree(root), [], "top", 5)
    paths = {next(told).path: "" for _ in range(2)}
    (root / "z.txt").unlink()
    (root / "to-a.txt").unlink()
    (root / "to-a.txt").mkdir()  # a folder now: passed over
    (root / "a").rmdir()
    for member in told:
        paths[member.path] = b"".join(member.blocks()).decode()
    assert list(paths)[:2] == ["top/", "top/a.txt"]
    assert paths["top/MISSING.txt"] == "These could not be read:\ntop/z.txt\ntop/a/\n"


def test_files_are_closed_one_by_one(root):
    told = members(Tree(root), ["b"], "top", 5)
    opened = [member._file for member in told]
    assert [file is None or file.closed for file in opened] == [True] * 4


def test_what_is_not_wanted_any_more_is_closed(root):
    told = members(Tree(root), [], "top", 5)
    next(told)
    file = next(told)._file
    told.close()
    assert file.closed


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537])
def test_blocks(size):
    blocks = list(Member("a", io.BytesIO(bytes(size + 1)), size).blocks())
    assert b"".join(blocks) == bytes(size)
    assert all(0 < len(block) <= 65_536 for block in blocks)


def test_a_folder_has_no_blocks():
    assert list(Member("a/", None).blocks()) == []
