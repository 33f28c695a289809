from __future__ import annotations

import json
import os
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.assets.digest import Digester, NotOurs


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "css").mkdir(parents=True)
    (root / "img").mkdir()
    (root / "img" / "a b.png").write_bytes(b"png")
    (root / "css" / "app.css").write_text("@import 'base.css'; a{b:url('../img/a%20b.png')}")
    (root / "css" / "base.css").write_text("b{c:d}")
    return root


def hashed(content):
    return sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()[:8]


def manifest(root):
    return json.loads((root / "manifest.json").read_text())


def everything(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def digest(root, **options):
    digester = Digester(str(root), **options)
    digester.write()
    return digester


# Names


def test_copies_have_the_hash_of_their_content(root):
    digest(root)
    names = manifest(root)
    assert set(names) == {"css/app.css", "css/base.css", "img/a b.png"}
    assert names["img/a b.png"] == f"img/a b.{hashed(b'png')}.png"
    for name in names.values():
        assert name.split(".")[1] == hashed((root / name).read_bytes())


def test_the_originals_stay_as_they_are(root):
    before = everything(root)
    digest(root)
    assert before.items() <= everything(root).items()


@pytest.mark.parametrize(
    ("name", "copy"),
    [
        ("app.min.js", "app.min.{}.js"),
        ("app.js.map", "app.js.{}.map"),
        ("LICENSE", "LICENSE.{}"),
        ("é.txt", "é.{}.txt"),
    ],
)
def test_where_the_hash_stands(root, name, copy):
    (root / name).write_text("x")
    digest(root)
    assert manifest(root)[name] == copy.format(hashed("x"))


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "page.htm",
        ".hidden",
        "css/app.css.gz",
        "img/a b.png.br",
        "con.txt",
        "page.xhtml",
    ],
)
def test_what_gets_no_copy(root, name):
    (root / name).write_text("x")
    assert name not in Digester(str(root)).names


def test_what_only_looks_like_a_sibling_gets_one(root):
    (root / "data.tar.gz").write_bytes(b"x")
    assert "data.tar.gz" in Digester(str(root)).names


def test_a_name_that_json_cannot_hold_gets_none(root):
    with open(os.fsencode(root) + b"/caf\xe9.txt", "wb"):
        pass
    assert not any("caf" in name for name in Digester(str(root)).names)


# References


def test_references_are_rewritten(root):
    digest(root)
    names = manifest(root)
    base, image = names["css/base.css"], names["img/a b.png"]
    assert (root / names["css/app.css"]).read_text() == (
        f"@import '{base.removeprefix('css/')}'; a{{b:url('../{image.replace(' ', '%20')}')}}"
    )


def test_another_image_gives_the_style_sheet_another_name(root):
    before = Digester(str(root)).names["css/app.css"]
    (root / "img" / "a b.png").write_bytes(b"another")
    assert Digester(str(root)).names["css/app.css"] != before


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/css/base.css",
        "//example.com/css/base.css",
        "/css/base.css",
        "data:text/css,base.css",
        "#base.css",
        "?base.css",
        "",
    ],
)
def test_what_is_left_alone(root, url):
    (root / "css" / "app.css").write_text(f"a{{b:url('{url}')}}")
    digester = digest(root)
    assert digester.missing == []
    assert (root / digester.names["css/app.css"]).read_text() == f"a{{b:url('{url}')}}"


@pytest.mark.parametrize(
    ("url", "rest"),
    [
        ("base.css?v=1", "?v=1"),
        ("./base.css#x", "#x"),
        ("../css/base.css?#iefix", "?#iefix"),
        (" base.css ", ""),
        ("b%61se.css", ""),
    ],
)
def test_what_follows_the_path_stays(root, url, rest):
    (root / "css" / "app.css").write_text(f"a{{b:url('{url}')}}")
    digester = digest(root)
    new = digester.names["css/base.css"].removeprefix("css/") + rest
    folder = url.strip().rpartition("/")[0]
    expected = f"{folder}/{new}" if folder else new
    assert (root / digester.names["css/app.css"]).read_text() == f"a{{b:url('{expected}')}}"


@pytest.mark.parametrize(
    ("url", "new"),
    [
        (b"base.css?v=\xe9", "{}?v=%E9"),
        (b"caf\xe9/../base.css", "caf%E9/../{}"),
        (b"base.css?v=\xc3\xa9", "{}?v=%C3%A9"),
    ],
    ids=["query", "folder", "UTF-8"],
)
def test_urls_in_another_encoding(root, url, new):
    (root / "css" / "app.css").write_bytes(b"a{b:url(" + url + b")} c{d:url(caf\xe9.png)}")
    digester = digest(root)
    base = digester.names["css/base.css"].removeprefix("css/")
    content = (root / digester.names["css/app.css"]).read_bytes()
    assert content == f"a{{b:url({new.format(base)})}}".encode() + b" c{d:url(caf\xe9.png)}"


def test_source_maps(root):
    (root / "app.js").write_text("x\n//# sourceMappingURL=app.js.map\n")
    (root / "app.js.map").write_text("{}")
    (root / "app.css").write_text("a{}\n/*# sourceMappingURL=app.js.map */")
    names = digest(root).names
    new = f"app.js.{hashed('{}')}.map"
    assert (root / names["app.js"]).read_text() == f"x\n//# sourceMappingURL={new}\n"
    assert (root / names["app.css"]).read_text() == f"a{{}}\n/*# sourceMappingURL={new} */"


def test_what_is_missing_is_told_and_left_alone(root):
    text = "a{b:url(none.png), url(../../etc/passwd), url(../..), url(../index.html)}"
    (root / "index.html").write_text("")
    (root / "css" / "app.css").write_text(text)
    digester = digest(root)
    assert digester.missing == [("css/app.css", "none.png")]
    assert digester.outside == [("css/app.css", "../../etc/passwd"), ("css/app.css", "../..")]
    assert (root / digester.names["css/app.css"]).read_text() == text


def test_a_reference_to_a_copy_stays(root):
    copy = digest(root).names["css/base.css"].removeprefix("css/")
    (root / "css" / "app.css").write_text(f"@import '{copy}';")
    digester = digest(root)
    assert digester.missing == []
    assert (root / digester.names["css/app.css"]).read_text() == f"@import '{copy}';"


def test_circles_keep_their_plain_names(root):
    (root / "css" / "base.css").write_text("@import 'app.css'; @import 'self.css';")
    (root / "css" / "self.css").write_text("a{b:url(self.css)} c{d:url(../img/a%20b.png)}")
    digester = digest(root)
    assert sorted(map(sorted, digester.circles)) == [
        ["css/app.css", "css/base.css"],
        ["css/self.css"],
    ]
    names = digester.names
    assert b"@import 'base.css'" in (root / names["css/app.css"]).read_bytes()
    base = (root / names["css/base.css"]).read_text()
    assert base == f"@import 'app.css'; @import '{names['css/self.css'].removeprefix('css/')}';"
    text = (root / names["css/self.css"]).read_text()
    assert "url(self.css)" in text
    assert names["img/a b.png"].replace(" ", "%20") in text


def test_octets_that_are_no_text_are_kept(root):
    (root / "css" / "app.css").write_bytes(b"\xef\xbb\xbfa{b:'\xff\xfe'; c:url(base.css)}\r\n")
    names = digest(root).names
    content = (root / names["css/app.css"]).read_bytes()
    assert content.startswith(b"\xef\xbb\xbfa{b:'\xff\xfe'; c:url(base.")
    assert content.endswith(b".css)}\r\n")


# Again and again


def test_a_second_run_writes_nothing(root):
    digest(root)
    before = everything(root)
    digester = Digester(str(root))
    assert digester.write() == []
    assert everything(root) == before


@given(st.lists(st.sampled_from(["a.css", "b.css", "c.css"]), max_size=4), st.text(max_size=10))
def test_any_references_are_digested_once(tmp_path_factory, urls, text):
    root = tmp_path_factory.mktemp("root")
    (root / "a.css").write_text("".join(f"@import '{url}';" for url in urls), encoding="utf-8")
    (root / "b.css").write_bytes(b"@import 'c.css';" + text.encode("utf-8", "replace"))
    (root / "c.css").write_text("c{}")
    digest(root)
    before = everything(root)
    assert Digester(str(root)).write() == []
    digester = digest(root)
    assert (everything(root), digester.stale) == (before, [])
    for name in manifest(root).values():
        assert hashed(before[name]) in name


def test_what_was_written(root):
    written = Digester(str(root)).write()
    assert written == [*manifest(root).values(), "manifest.json"]
    (root / "css" / "base.css").write_text("new")
    names = Digester(str(root)).names
    assert digest(root).names == names
    assert Digester(str(root)).write() == []


def test_a_damaged_copy_is_written_again(root):
    copy = root / digest(root).names["css/base.css"]
    copy.write_text("damaged")
    assert Digester(str(root)).write() == [copy.relative_to(root).as_posix()]
    assert copy.read_text() == "b{c:d}"


def test_a_file_that_is_gone_leaves_the_manifest(root):
    digest(root)
    (root / "css" / "app.css").unlink()
    digest(root)
    assert set(manifest(root)) == {"css/base.css", "img/a b.png"}


def test_the_manifest_survives_copies_that_are_gone(root):
    names = digest(root).names
    for name in names.values():
        (root / name).unlink()
    assert digest(root).names == names
    assert (root / names["css/app.css"]).exists()


def test_stale_copies_are_kept_until_pruned(root):
    old = digest(root).names["css/base.css"]
    (root / f"{old}.gz").write_text("")
    (root / "css" / "base.css").write_text("new")
    digester = digest(root)
    assert old in digester.stale
    assert (root / old).exists()
    digester.prune()
    assert not (root / old).exists()
    assert not (root / f"{old}.gz").exists()
    assert digest(root).stale == []


def test_what_only_looks_like_a_copy_is_a_file(root):
    (root / "report.20240131.pdf").write_text("x")
    digester = digest(root)
    digester.prune()
    assert digester.names["report.20240131.pdf"] == f"report.20240131.{hashed('x')}.pdf"
    assert (root / "report.20240131.pdf").exists()


# The manifest


@pytest.mark.parametrize(
    "content",
    [
        '{"name": "My app", "icons": []}',
        '{"name": "My app"}',
        "[]",
        "no JSON",
        '{"a": 1}',
        '{"app.css": "other.3f2a1b9c.css"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_manifest_is_not_lost(root, content):
    content = content if isinstance(content, bytes) else content.encode()
    (root / "manifest.json").write_bytes(content)
    with pytest.raises(NotOurs, match=r"manifest\.json is no list"):
        Digester(str(root))
    assert (root / "manifest.json").read_bytes() == content


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_no_manifest(root, make):
    make(root / "manifest.json")
    with pytest.raises(NotOurs):
        Digester(str(root))


def test_what_takes_the_place_of_the_manifest_meanwhile(root):
    digester = Digester(str(root))
    os.mkfifo(root / "manifest.json")
    with pytest.raises(NotOurs):
        digester.write()


@pytest.mark.parametrize("content", ["", "{}", '{"app.css": "app.3f2a1b9c.css"}'])
def test_a_manifest_is_replaced(root, content):
    (root / "manifest.json").write_text(content)
    digest(root)
    assert "css/app.css" in manifest(root)


def test_another_name_for_the_manifest(root):
    (root / "manifest.json").write_text('{"name": "My app"}')
    digester = digest(root, manifest="names.json")
    assert json.loads((root / "names.json").read_text()) == digester.names
    assert "manifest.json" in digester.names
    assert "names.json" not in Digester(str(root), manifest="names.json").names


def test_copies_come_before_the_manifest(root):
    digester = Digester(str(root))
    (root / "img" / "a b.png").write_bytes(b"changed meanwhile")
    with pytest.raises(OSError, match="changed meanwhile"):
        digester.write()
    assert not (root / "manifest.json").exists()
    assert [path.name for path in root.rglob(".*")] == []


def test_a_copy_has_the_mode_and_the_time_of_its_file(root):
    (root / "css" / "base.css").chmod(0o604)
    os.utime(root / "css" / "base.css", (0, 0))
    copy = (root / digest(root).names["css/base.css"]).stat()
    assert (copy.st_mode & 0o777, copy.st_mtime) == (0o604, 0)
