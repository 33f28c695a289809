from __future__ import annotations

import errno
import os
import re
import stat
import subprocess
import sys
from time import time

import pytest

from wsgikit.trees import draft as module
from wsgikit.trees.draft import Draft


@pytest.fixture(params=["path", "descriptor"])
def folder(request, tmp_path):
    """The directory, as a path and as a descriptor: what a draft takes."""
    if request.param == "path":
        yield str(tmp_path)
        return
    descriptor = os.open(tmp_path, os.O_PATH)  # as a tree gives it
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def named(monkeypatch):
    """A system where every file has a name."""
    monkeypatch.setattr(module, "_NAMELESS", 0)


@pytest.fixture(params=["nameless", "named"], autouse=True)
def kind(request, monkeypatch):
    """Every test is about both: files without a name, and with a hidden one."""
    monkeypatch.setattr(module, "_swept", {})
    if request.param == "named":
        request.getfixturevalue("named")
    return request.param


def names(tmp_path):
    return sorted(os.listdir(tmp_path))


def test_it_is_hidden_until_it_is_in_its_place(kind, folder, tmp_path):
    with Draft(folder) as draft:
        draft.file.write(b"content")
        assert all(re.fullmatch(r"\.[0-9a-f]{16}\.part", name) for name in names(tmp_path))
        assert len(names(tmp_path)) == (kind == "named")
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


def test_replacing_nothing(folder, tmp_path):
    with Draft(folder) as draft:
        draft.file.write(b"new")
        draft.replace("a.txt")
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"new"


@pytest.mark.parametrize("taken", ["file", "folder", "dangling link"])
def test_nothing_is_replaced_unasked(folder, tmp_path, taken):
    there = tmp_path / "a.txt"
    if taken == "file":
        there.write_bytes(b"old")
    elif taken == "folder":
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


def test_errors_name_the_file_that_was_to_be(folder, tmp_path):
    (tmp_path / "a.txt").mkdir()
    target = "a.txt" if isinstance(folder, int) else str(tmp_path / "a.txt")
    with Draft(folder) as draft:
        with pytest.raises(IsADirectoryError) as caught:
            draft.replace("a.txt")
        assert caught.value.filename == target
        with pytest.raises(FileExistsError) as caught:
            draft.place("a.txt")
        assert caught.value.filename == target
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        Draft(str(tmp_path / "none"))
    assert caught.value.filename == str(tmp_path / "none")


# What is left of those that are killed

KILLED = """
import os, signal, sys
from wsgikit.trees import draft as module
if sys.argv[2] == "named":
    module._NAMELESS = 0
draft = module.Draft(sys.argv[1])
draft.file.write(bytes(1_000_000))
draft.file.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def kill(kind, tmp_path):
    """Kill a process in the middle of a draft."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), kind], env=env)
    assert killed.returncode == -9


def test_what_is_killed_leaves_nothing_that_has_a_name(kind, tmp_path):
    kill(kind, tmp_path)
    assert len(names(tmp_path)) == (kind == "named")


@pytest.fixture
def later(monkeypatch):
    """Makes it so many seconds later than it is."""
    return lambda seconds: monkeypatch.setattr(module, "time", lambda: time() + seconds)


def test_what_is_left_is_removed_after_a_day(kind, folder, tmp_path, later, named):
    for name in (".0123456789abcdef.part", ".0123456789abcdef.part~", "a.part"):
        (tmp_path / name).write_bytes(b"left")
        os.utime(tmp_path / name, (0, 0))  # a copy has the time of its file
    later(24 * 60 * 60 - 60)
    Draft(folder).discard()
    assert len(names(tmp_path)) == 3
    later(24 * 60 * 60 + 60)
    Draft(folder).discard()  # a folder is not looked through at each draft
    assert len(names(tmp_path)) == 3
    later(25 * 60 * 60)
    Draft(folder).discard()
    assert names(tmp_path) == [".0123456789abcdef.part~", "a.part"]


def test_what_is_left_is_removed_when_a_file_is_replaced(folder, tmp_path, later):
    (tmp_path / ".0123456789abcdef.part").write_bytes(b"left")
    (tmp_path / "a.txt").write_bytes(b"old")
    later(25 * 60 * 60)
    with Draft(folder) as draft:
        draft.replace("a.txt")
    assert names(tmp_path) == ["a.txt"]


def test_what_cannot_be_removed_is_no_trouble(folder, tmp_path, later, named):
    (tmp_path / ".0123456789abcdef.part").mkdir()
    later(25 * 60 * 60)
    with Draft(folder) as draft:
        draft.place("a.txt")
    assert names(tmp_path) == [".0123456789abcdef.part", "a.txt"]


def test_few_folders_are_remembered(tmp_path, monkeypatch, named):
    monkeypatch.setattr(module, "_MOST_SWEPT", 2)
    for name in "abcde":
        (tmp_path / name).mkdir()
        Draft(str(tmp_path / name)).discard()
        assert len(module._swept) <= 2


# What this machine has not got


def test_without_a_way_to_give_a_name(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_DESCRIPTORS", str(tmp_path / "none"))
    with Draft(folder) as draft:
        draft.file.write(b"content")
        draft.place("a.txt")
    assert (tmp_path / "a.txt").read_bytes() == b"content"


@pytest.fixture
def without_links(monkeypatch, named):
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


def test_where_a_rename_refuses_to_replace(tmp_path, monkeypatch, named):
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
