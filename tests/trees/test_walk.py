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
