from __future__ import annotations

import os

import pytest

from wsgikit.trees.walk import walk


def test_what_would_be_served(tmp_path):
    root = tmp_path / "root"
    (root / "css" / "deep").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / ".git").mkdir()
    for name in ("b.txt", "a.txt", "css/z.css", "css/deep/y.css", ".git/x", ".hidden", "con.txt"):
        (root / name).write_text("")
    (tmp_path / "secret").write_text("")
    (root / "out").symlink_to("../secret")
    (root / "to-b").symlink_to("b.txt")
    (root / "nowhere").symlink_to("none")
    (root / "loop").symlink_to("loop")
    (root / "to-css").symlink_to("css")
    os.mkfifo(root / "fifo")
    expected = "a.txt b.txt to-b css/z.css css/deep/y.css".split()
    assert list(walk(str(root))) == expected


def test_a_root_that_is_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_text("")
    (tmp_path / "real" / "b").symlink_to("a")
    (tmp_path / "root").symlink_to("real")
    assert list(walk(str(tmp_path / "root"))) == ["a", "b"]


def test_a_root_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(walk(str(tmp_path / "none")))
    with pytest.raises(FileNotFoundError):
        list(walk(str(tmp_path / "none"), [].append))


@pytest.fixture
def vanishing(tmp_path):
    """A folder that is seen, and gone when it is to be read."""
    for name in ("a", "gone/b", "other/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return lambda: (tmp_path / "gone").rename(tmp_path / ".gone")


def test_a_folder_that_cannot_be_read(tmp_path, vanishing):
    names = walk(str(tmp_path))
    assert next(names) == "a"
    vanishing()
    with pytest.raises(FileNotFoundError):
        next(names)


def test_what_cannot_be_read_is_told_and_the_others_go_on(tmp_path, vanishing):
    errors = []
    names = walk(str(tmp_path), errors.append)
    assert next(names) == "a"
    vanishing()
    assert list(names) == ["other/c"]
    (error,) = errors
    assert error.filename == os.path.join(tmp_path, "gone", "")
