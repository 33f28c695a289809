from __future__ import annotations

import errno
import os
import stat

import pytest

from wsgikit.trees import draft as module
from wsgikit.trees.draft import Draft


@pytest.fixture(params=["path", "descriptor"])
def folder(request, tmp_path):
    """The directory, as a path and as a descriptor: what a draft takes."""
    if request.param == "path":
        yield str(tmp_path)
        return
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def names(tmp_path):
    return sorted(os.listdir(tmp_path))


def test_it_is_hidden_until_it_is_in_its_place(folder, tmp_path):
    with Draft(folder) as draft:
        draft.file.write(b"content")
        (hidden,) = names(tmp_path)
        assert hidden.startswith(".")
        draft.place("a.txt")
        assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"content"


def test_what_is_not_placed_is_gone(folder, tmp_path):
    with Draft(folder) as draft:
        draft.file.write(b"content")
    assert names(tmp_path) == []
    draft.discard()  # harmless when repeated


def test_replacing(folder, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"old")
    with Draft(folder) as draft:
        draft.file.write(b"new")
        draft.replace("a.txt")
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"new"


@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_nothing_is_replaced_unasked(folder, tmp_path, kind):
    there = tmp_path / "a.txt"
    if kind == "file":
        there.write_bytes(b"old")
    elif kind == "folder":
        there.mkdir()
    else:
        there.symlink_to("nowhere")
    with Draft(folder) as draft:
        assert draft.is_taken("a.txt")
        assert not draft.is_taken("b.txt")
        with pytest.raises(FileExistsError):
            draft.place("a.txt")
        draft.place("b.txt")  # it is still there for another try
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_a_link_is_replaced_and_not_what_it_leads_to(folder, tmp_path):
    (tmp_path / "target").write_bytes(b"target")
    (tmp_path / "a.txt").symlink_to("target")
    with Draft(folder) as draft:
        draft.replace("a.txt")
    assert not (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"target"


def test_modes_follow_the_umask(folder, tmp_path):
    before = os.umask(0o027)
    try:
        with Draft(folder) as draft:
            draft.place("a.txt")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_a_file_like_another(folder, tmp_path):
    model = tmp_path / "model"
    model.write_bytes(b"model")
    model.chmod(0o4604)
    os.utime(model, ns=(1, 2_000_000_003))
    with Draft(folder) as draft:
        draft.file.write(b"content")
        draft.imitate(model.stat())
        draft.place("a.txt")
    made = (tmp_path / "a.txt").stat()
    assert (stat.S_IMODE(made.st_mode), made.st_mtime_ns) == (0o604, 2_000_000_003)
    assert (tmp_path / "a.txt").read_bytes() == b"content"


# What this machine has not got


@pytest.fixture
def without_links(monkeypatch):
    """A file system where a file has one name."""

    def link(*args, **options):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)


def test_without_links(folder, tmp_path, without_links):
    with Draft(folder) as draft:
        draft.file.write(b"content")
        draft.place("a.txt")
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"content"


def test_nothing_is_replaced_without_links(folder, tmp_path, without_links):
    (tmp_path / "a.txt").write_bytes(b"old")
    with Draft(folder) as draft, pytest.raises(FileExistsError):
        draft.place("a.txt")
    assert (tmp_path / "a.txt").read_bytes() == b"old"


def test_where_a_rename_refuses_to_replace(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_move", module._rename)
    with Draft(str(tmp_path)) as draft:
        draft.place("a.txt")
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_leaves_nothing(tmp_path):
    with Draft(str(tmp_path)) as draft:
        draft.file.write(b"held in the buffer, for which there is no room any more")
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, draft.file.fileno())
        os.close(full)
    assert names(tmp_path) == []


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        Draft(str(tmp_path / "none"))
