from __future__ import annotations

import os

import pytest

from wsgikit.trees.entry import entry_of


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "a:b").write_bytes(b"")
    for name in ("file", "folder", "fifo", "nowhere"):
        (tmp_path / f"to-{name}").symlink_to(name)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "is_folder", "is_link", "refusal"),
    [
        ("file", False, False, ""),
        ("folder", True, False, ""),
        ("to-file", False, True, ""),
        ("to-folder", True, True, ""),
        ("fifo", False, False, "neither a file nor a folder"),
        ("to-fifo", False, False, "neither a file nor a folder"),
        ("to-nowhere", False, False, "a link that leads nowhere, or outside"),
        ("a:b", False, False, "its name is not safe on every system"),
    ],
)
def test_an_entry(folder, name, is_folder, is_link, refusal):
    with os.scandir(folder) as found:
        (each,) = [each for each in found if each.name == name]

    def resolve(name):
        return os.path.realpath(folder / name, strict=True)

    entry = entry_of(each, resolve)
    assert (entry.name, entry.is_folder, entry.refusal) == (name, is_folder, refusal)
    assert (entry.status is None) is bool(refusal)
    assert entry.is_link is is_link
