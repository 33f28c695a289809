from __future__ import annotations

import gzip
import os
import sys

import pytest

from wsgikit.cli import main

TEXT = b"body { color: black }\n" * 100


@pytest.fixture(autouse=True)
def public(folder, monkeypatch):
    """A directory with a style sheet; no codings but gzip, whatever is installed."""
    monkeypatch.setitem(sys.modules, "brotli", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    (folder / "public").mkdir()
    (folder / "public" / "app.css").write_bytes(TEXT)
    return folder / "public"


def lines(capsys, *argv, status=0):
    assert main(["compress", "public", *argv]) == status
    return capsys.readouterr().out.splitlines()


def test_siblings_are_written_once(capsys, public):
    first = lines(capsys)
    assert first[0].startswith("gzip      1 files  2.2 kB → ")
    assert first[1:] == ["1 written"]
    assert gzip.decompress((public / "app.css.gz").read_bytes()) == TEXT
    assert lines(capsys)[1:] == ["1 current"]


def test_nothing_to_do(capsys, public):
    (public / "app.css").unlink()
    assert lines(capsys) == ["Nothing to compress."]


def test_quiet(capsys):
    assert lines(capsys, "--quiet") == []


def test_orphans(capsys, public):
    (public / "gone.css").write_bytes(TEXT)
    assert lines(capsys)[1:] == ["2 written"]
    (public / "gone.css").unlink()
    assert lines(capsys)[1:] == [
        "1 current, 1 orphaned",
        "orphaned: gone.css.gz",
        "Orphaned are siblings of files that are gone; --prune removes them.",
    ]
    assert lines(capsys, "--prune")[1:] == ["1 current, 1 removed"]


def test_how_much_is_saved(capsys, monkeypatch):
    assert lines(capsys, "--saving", "99") == ["1 unsaved"]
    monkeypatch.setenv("WSGIKIT_SAVING", "98")
    assert lines(capsys) == ["1 unsaved"]


def test_chosen_codings(capsys, public):
    assert lines(capsys, "--codings", "gzip, gzip", "--jobs", "1")[1:] == ["1 written"]


@pytest.mark.parametrize(
    ("coding", "told"),
    [
        ("br", "br needs the module brotli, which is not installed"),
        ("zstd", "zstd needs CPython 3.14 or later"),
    ],
)
def test_codings_that_are_not_there(refused, coding, told):
    assert told in refused("compress", "public", "--codings", f"gzip,{coding}")


def test_what_cannot_be_written(capsys, public):
    (public / "app.css.gz").mkdir()
    assert main(["compress", "public"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    first, last = err.splitlines()
    assert first == f"{os.path.join('public', 'app.css.gz')}: {os.strerror(21)}"
    assert last == "wsgikit: error: 1 of 1 failed"
