from __future__ import annotations

import errno
import gzip
import os
import resource
import zlib
from threading import Event, Thread

import pytest

from wsgikit.assets.precompress import Precompressor
from wsgikit.files.codings import GZIP, Coding, available

TEXT = b"body { color: black }\n" * 100
BR = next(coding for coding in available() if coding.name == "br")


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "css").mkdir(parents=True)
    (root / "css" / "app.css").write_bytes(TEXT)
    (root / "photo.jpg").write_bytes(bytes(1000))
    return root


def run(root, codings=(GZIP,), threads=2, **options):
    """What is done: ``{name: what}``."""
    work = Precompressor(str(root), codings, **options)
    outcomes = list(work.run(threads))
    assert len(outcomes) == len(work)
    return {outcome.name: outcome.what for outcome in outcomes}


def test_a_sibling_is_written(root):
    (outcome,) = Precompressor(str(root), [GZIP]).run()
    sibling = root / "css" / "app.css.gz"
    assert gzip.decompress(sibling.read_bytes()) == TEXT
    assert (outcome.name, outcome.what) == ("css/app.css.gz", "written")
    assert (outcome.size, outcome.coded) == (len(TEXT), sibling.stat().st_size)
    assert sorted(os.listdir(root / "css")) == ["app.css", "app.css.gz"]


def test_it_has_the_mode_and_the_time_of_its_file(root):
    (root / "css" / "app.css").chmod(0o604)
    os.utime(root / "css" / "app.css", (0, 0))
    run(root)
    made = (root / "css" / "app.css.gz").stat()
    assert (made.st_mode & 0o777, made.st_mtime) == (0o604, 0)


def test_a_second_run_writes_nothing(root):
    run(root)
    before = (root / "css" / "app.css.gz").stat()
    (outcome,) = Precompressor(str(root), [GZIP]).run()
    assert (outcome.what, outcome.coded) == ("current", before.st_size)
    assert (root / "css" / "app.css.gz").stat().st_ino == before.st_ino


def test_a_sibling_of_another_tool_is_current_too(root):
    sibling = root / "css" / "app.css.gz"
    sibling.write_bytes(gzip.compress(TEXT, 1))
    assert run(root) == {"css/app.css.gz": "current"}


@pytest.mark.parametrize("other", [TEXT[:-1] + b"x", TEXT + b"x", TEXT[:-1], b""])
def test_a_changed_file_of_the_same_time_gets_another(root, other):
    run(root)
    (root / "css" / "app.css").write_bytes(TEXT * 2)
    (root / "css" / "app.css.gz").write_bytes(gzip.compress(other))
    for path in (root / "css").iterdir():
        os.utime(path, (0, 0))
    assert run(root) == {"css/app.css.gz": "written"}
    assert gzip.decompress((root / "css" / "app.css.gz").read_bytes()) == TEXT * 2


@pytest.mark.parametrize("damaged", [b"", b"no gzip", gzip.compress(TEXT)[:-4]])
def test_what_cannot_be_unpacked_is_replaced(root, damaged):
    (root / "css" / "app.css.gz").write_bytes(damaged)
    assert run(root) == {"css/app.css.gz": "written"}


def test_what_saves_too_little(root):
    (root / "css" / "app.css").write_bytes(os.urandom(100_000))
    assert run(root) == {"css/app.css.gz": "unsaved"}
    assert os.listdir(root / "css") == ["app.css"]


def test_how_much_is_to_be_saved(root):
    size = len(zlib.compress(TEXT, wbits=31))
    percent = 100 - 100 * size // len(TEXT)
    assert run(root, saving=percent + 2) == {"css/app.css.gz": "unsaved"}
    assert run(root, saving=percent - 2) == {"css/app.css.gz": "written"}


def test_what_is_small_is_left_alone(root):
    (root / "css" / "app.css").write_bytes(b"a" * 110)
    assert run(root) == {"css/app.css.gz": "unsaved"}


@pytest.mark.parametrize("content", [b"", os.urandom(1000)])
def test_a_sibling_that_is_larger_is_removed(root, content):
    (root / "css" / "app.css").write_bytes(content)
    (root / "css" / "app.css.gz").write_bytes(gzip.compress(content))
    assert run(root) == {"css/app.css.gz": "removed"}


def test_a_stale_sibling_of_what_saves_too_little_is_removed(root):
    run(root)
    (root / "css" / "app.css").write_bytes(b"short")
    assert run(root) == {"css/app.css.gz": "removed"}
    assert os.listdir(root / "css") == ["app.css"]


def test_a_pipe_is_no_sibling(root):
    os.mkfifo(root / "css" / "app.css.gz")
    assert run(root) == {"css/app.css.gz": "written"}


# Siblings in a coding that is not there


@pytest.mark.parametrize(("age", "what"), [(-10, "removed"), (0, "current"), (10, "current")])
def test_a_coding_that_cannot_be_written_goes_by_time(root, age, what):
    sibling = root / "css" / "app.css.br"
    sibling.write_bytes(b"made elsewhere")
    time = (root / "css" / "app.css").stat().st_mtime_ns + age
    os.utime(sibling, ns=(time, time))
    assert run(root) == {"css/app.css.gz": "written", "css/app.css.br": what}
    assert sibling.exists() == (what == "current")


def test_a_coding_that_cannot_be_written_has_to_save_too(root):
    (root / "css" / "app.css").write_bytes(b"")
    (root / "css" / "app.css.br").write_bytes(b"")
    assert run(root) == {"css/app.css.gz": "unsaved", "css/app.css.br": "removed"}


# Siblings whose file is gone


@pytest.fixture
def gone(root):
    """What is left of a file: its siblings in two codings."""
    (root / "gone.css").write_bytes(TEXT)
    run(root, [GZIP, BR])
    (root / "gone.css").unlink()
    return [root / "gone.css.br", root / "gone.css.gz"]


def test_orphans_are_told_and_kept(root, gone):
    told = run(root)
    assert {name: what for name, what in told.items() if name.startswith("gone")} == {
        "gone.css.gz": "orphaned",
        "gone.css.br": "orphaned",
    }
    assert all(path.exists() for path in gone)


def test_orphans_are_removed_when_asked_for(root, gone):
    told = run(root, prune=True)
    assert (told["gone.css.gz"], told["gone.css.br"]) == ("removed", "removed")
    assert not any(path.exists() for path in gone)


def test_a_file_of_another_time_is_no_sibling(root, gone):
    os.utime(root / "gone.css.br", (0, 0))
    assert "gone.css.br" not in run(root, prune=True)
    assert [path.exists() for path in gone] == [True, False]


@pytest.mark.parametrize(
    "name", ["backup.gz", "photo.jpg.gz", "logo.svgz", "css/new.css.xz", "project-1.0.tar.gz"]
)
def test_what_is_no_sibling_is_not_pruned(root, name):
    (root / name).write_bytes(b"".join(GZIP.compress([TEXT])))
    assert run(root, prune=True) == {"css/app.css.gz": "written"}
    assert (root / name).exists()


@pytest.mark.parametrize("name", ["dump.sql.gz", "old.css.gz", "dump.sql.br", "dump.sql.zst"])
def test_what_others_have_packed_is_not_pruned(root, name):
    (root / name).write_bytes(gzip.compress(TEXT))
    assert run(root, prune=True) == {"css/app.css.gz": "written"}
    assert (root / name).exists()


# Troubles


def test_what_fails_is_told_and_the_others_go_on(root):
    (root / "css" / "app.css.gz").mkdir()
    (root / "other.css").write_bytes(TEXT)
    work = Precompressor(str(root), [GZIP])
    outcomes = sorted(work.run(), key=lambda outcome: isinstance(outcome, OSError))
    assert outcomes[0].name == "other.css.gz"
    assert isinstance(outcomes[1], IsADirectoryError)
    assert sorted(os.listdir(root / "css")) == ["app.css", "app.css.gz"]


def test_what_cannot_be_read_is_told_and_the_others_go_on(root):
    # As root may read everything, by paths that are longer than the system takes them.
    name = "n" * 200
    folder = os.open(root, os.O_RDONLY)
    path = str(root)
    while len(path) < 4095 - len(name) - len("/"):
        folder = enter(folder, name)
        path += f"/{name}"
    os.close(os.open(f"{name}.css", os.O_CREAT, dir_fd=folder))
    os.close(enter(folder, name))
    work = Precompressor(str(root), [GZIP])
    outcomes = list(work.run())
    assert [type(outcome) for outcome in outcomes[:2]] == [OSError, OSError]
    assert all(outcome.filename.startswith(path) for outcome in outcomes[:2])
    assert [outcome.name for outcome in outcomes[2:]] == ["css/app.css.gz"]
    assert len(work) == 3


def enter(folder, name):
    """Make a folder in one, and give a descriptor of it in place of the other's."""
    os.mkdir(name, dir_fd=folder)
    inner = os.open(name, os.O_RDONLY, dir_fd=folder)
    os.close(folder)
    return inner


def test_what_cannot_be_written_is_told_by_its_name(root):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        (outcome,) = Precompressor(str(root), [GZIP]).run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (outcome.errno, outcome.filename) == (errno.EFBIG, str(root / "css" / "app.css.gz"))
    assert os.listdir(root / "css") == ["app.css"]


def test_a_file_that_is_gone_meanwhile(root):
    work = Precompressor(str(root), [GZIP])
    (root / "css" / "app.css").unlink()
    (outcome,) = work.run()
    assert isinstance(outcome, FileNotFoundError)


def test_an_orphan_that_is_gone_meanwhile(root):
    (root / "gone.css.gz").write_bytes(b"".join(GZIP.compress([TEXT])))
    work = Precompressor(str(root), [GZIP], prune=True)
    (root / "gone.css.gz").unlink()
    assert isinstance(next(work.run()), FileNotFoundError)


def test_what_is_stopped_leaves_no_half_file(root):
    (root / "long.css").write_bytes(TEXT * 10_000)
    closing = Event()

    def compress(blocks):
        for count, block in enumerate(blocks):
            yield block[:1]
            if count == 1:  # of the long file
                closing.wait(30)

    work = Precompressor(str(root), [Coding("gzip", compress, GZIP.decompress)])
    outcomes = work.run(2)
    assert next(outcomes).name == "css/app.css.gz"
    Thread(target=lambda: (work.stopping.wait(30), closing.set())).start()
    outcomes.close()
    assert [path.name for path in root.rglob("long*")] == ["long.css"]
    assert [path.name for path in root.rglob(".*")] == []


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        Precompressor(str(tmp_path / "none"), [GZIP])
