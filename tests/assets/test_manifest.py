from __future__ import annotations

import json
import os
import zipfile
from time import time

import pytest

import wsgikit.assets.manifest
from wsgikit.assets.digest import MANIFEST
from wsgikit.assets.manifest import Manifest
from wsgikit.trees.package import PackageTree
from wsgikit.trees.tree import Tree

NAMES = {"app.css": "app.3f2a1b9c.css", "a b/é.css": "a b/é.3f2a1b9c.css"}


def write(folder, names, when=None):
    path = folder / MANIFEST
    path.write_text(names if isinstance(names, str) else json.dumps(names))
    if when is not None:
        os.utime(path, (when, when))


def manifest(*folders, base="", watched=True):
    return Manifest([Tree(folder) for folder in folders], MANIFEST, base, watched=watched)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("app.css", "/static/app.3f2a1b9c.css"),
        ("a b/é.css", "/static/a%20b/%C3%A9.3f2a1b9c.css"),
        ("other.css", "/static/other.css"),
        ("a b/other.css", "/static/a%20b/other.css"),
    ],
)
def test_a_url(tmp_path, name, url):
    write(tmp_path, NAMES)
    for watched in (True, False):
        found = manifest(tmp_path, base="/static/", watched=watched)
        assert found.url(name) == found.url(name) == url


def test_without_a_manifest(tmp_path):
    assert manifest(tmp_path).url("app.css") == "app.css"
    (tmp_path / MANIFEST).mkdir()
    assert manifest(tmp_path).url("app.css") == "app.css"


def test_the_first_tree_whose_manifest_has_it_counts(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    write(tmp_path / "one", {"a": "a.1"})
    write(tmp_path / "two", {"a": "a.2", "b": "b.2"})
    found = manifest(tmp_path / "one", tmp_path / "two")
    assert (found.url("a"), found.url("b"), found.url("c")) == ("a.1", "b.2", "c")


@pytest.mark.parametrize("name", ["", "/app.css", "../app.css", "a//b", "a\\b", "app.css?v=1\n"])
def test_what_is_no_path(tmp_path, name):
    with pytest.raises(ValueError, match="url takes a path"):
        manifest(tmp_path).url(name)


def test_a_manifest_that_leads_out(tmp_path):
    write(tmp_path, {"app.css": "../secret"})
    with pytest.raises(ValueError, match="url takes a path"):
        manifest(tmp_path).url("app.css")


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"', "\xff", '{"a": NaN}'])
def test_what_is_no_manifest(tmp_path, text):
    write(tmp_path, text)
    with pytest.raises(ValueError, match=MANIFEST):
        manifest(tmp_path).url("app.css")


def test_the_manifest_of_a_web_app_names_no_files(tmp_path):
    write(tmp_path, {"icons": [{"src": "icon.png"}], "display": "standalone"})
    assert manifest(tmp_path).url("icons") == "icons"


def test_a_change_is_seen(tmp_path):
    found = manifest(tmp_path)
    for number in range(20):  # all within one tick of the clock
        write(tmp_path, {"app.css": f"app.{number:02}.css"}, when=1)
        assert found.url("app.css") == f"app.{number:02}.css"
    (tmp_path / MANIFEST).unlink()
    assert found.url("app.css") == "app.css"


def test_a_manifest_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(wsgikit.assets.manifest, "time", lambda: time() + 60)
    write(tmp_path, NAMES)
    found = manifest(tmp_path)
    reads = []
    real = Tree.open
    monkeypatch.setattr(Tree, "open", lambda tree, names: reads.append(names) or real(tree, names))
    for _ in range(3):
        assert found.url("app.css") == "app.3f2a1b9c.css"
    assert len(reads) == 1
    write(tmp_path, {"app.css": "new.css"})
    assert found.url("app.css") == "new.css"
    (tmp_path / MANIFEST).unlink()
    assert found.url("app.css") == "app.css"


def test_a_frozen_manifest_is_not_looked_at(tmp_path):
    write(tmp_path, NAMES)
    found = manifest(tmp_path, watched=False)
    assert found.url("app.css") == "app.3f2a1b9c.css"
    write(tmp_path, {})
    assert found.url("app.css") == "app.3f2a1b9c.css"


def test_a_manifest_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(MANIFEST, json.dumps(NAMES))
        tree = PackageTree(zipfile.Path(archive))
        found = Manifest([tree], MANIFEST, "", watched=True)
        for _ in range(2):
            assert found.url("app.css") == "app.3f2a1b9c.css"
