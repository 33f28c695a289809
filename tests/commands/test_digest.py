from __future__ import annotations

import json
import os
from hashlib import sha256

import pytest
from webtest import TestApp

from wsgikit.apps import static
from wsgikit.cli import main


@pytest.fixture(autouse=True)
def public(folder):
    (folder / "public").mkdir()
    (folder / "public" / "app.css").write_text("a{b:url(x.png)}")
    (folder / "public" / "x.png").write_text("x")
    return folder / "public"


def test_copies_and_their_list(capsys, public):
    assert main(["digest", "public"]) == 0
    assert capsys.readouterr() == ("2 files, 3 written\n", "")
    assert set(json.loads((public / "manifest.json").read_text())) == {"app.css", "x.png"}
    assert main(["digest", "public"]) == 0
    assert capsys.readouterr() == ("2 files, 0 written\n", "")


def test_quiet(capsys):
    assert main(["digest", "public", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_stale_copies(capsys, public):
    main(["digest", "public"])
    (public / "x.png").write_text("new")
    main(["digest", "public"])
    main(["digest", "public", "--prune"])
    assert capsys.readouterr().out.splitlines()[1:] == [
        "2 files, 3 written, 2 stale kept",
        "2 files, 0 written, 2 stale removed",
    ]
    assert len(list(public.iterdir())) == 5


def test_references_that_lead_nowhere(capsys, public):
    (public / "app.css").write_text("a{b:url(none.png)}")
    told = "wsgikit: app.css refers to none.png, which is not there\n"
    assert main(["digest", "public", "--strict"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", told + "wsgikit: error: 1 reference leads nowhere\n")
    assert not (public / "manifest.json").exists()
    assert main(["digest", "public"]) == 0
    assert capsys.readouterr() == ("2 files, 3 written\n", told)


def test_several_references_that_lead_nowhere(capsys, public):
    (public / "app.css").write_text("a{b:url(none.png), url(nor.png)}")
    assert main(["digest", "public", "--strict"]) == 1
    assert "error: 2 references lead nowhere\n" in capsys.readouterr().err


def test_references_that_lead_outside_are_not_looked_for(capsys, public):
    (public / "app.css").write_text("a{b:url(../out.png)}")
    assert main(["digest", "public", "--strict"]) == 0
    told = "wsgikit: app.css refers to ../out.png, which is outside of public\n"
    assert capsys.readouterr() == ("2 files, 3 written\n", told)


@pytest.mark.parametrize(
    ("imported", "told"),
    [
        ("app.css", "app.css refers to itself, by its plain name"),
        ("b.css", "app.css and b.css refer to each other, by plain names"),
    ],
)
def test_references_in_a_circle(capsys, public, imported, told):
    (public / "b.css").write_text("@import 'app.css';")
    (public / "app.css").write_text(f"@import '{imported}';")
    assert main(["digest", "public", "--strict"]) == 0
    assert capsys.readouterr().err == f"wsgikit: {told}\n"


@pytest.mark.parametrize("name", ["con", "a:b", "a/b", ".names", "", "names."])
def test_names_that_static_would_not_take(refused, public, name):
    line = refused("digest", "public", "--manifest", name)
    assert line.startswith(f"argument --manifest: the name of a file, not {name!r}")


def test_what_is_no_manifest_is_kept(refused, public):
    (public / "manifest.json").write_text('{"name": "My app"}')
    line = refused("digest", "public", status=1)
    assert line == (
        "public/manifest.json is no list of names with a hash; --manifest takes another name"
    )
    assert main(["digest", "public", "--manifest", "names.json"]) == 0
    assert (public / "manifest.json").read_text() == '{"name": "My app"}'


def test_a_folder_in_the_place_of_the_manifest(refused, public):
    (public / "manifest.json").mkdir()
    assert "manifest.json is no list" in refused("digest", "public", status=1)


def test_a_folder_in_the_place_of_a_copy(refused, public):
    copy = f"x.{sha256(b'x').hexdigest()[:8]}.png"
    (public / copy).mkdir()
    line = refused("digest", "public", status=1)
    assert line == f"{os.path.join('public', copy)}: {os.strerror(21)}"


def test_static_serves_what_the_commands_write(public):
    (public / "app.css").write_text("a{b:url(x.png)}" * 100)
    assert main(["digest", "public", "--quiet"]) == 0
    assert main(["compress", "public", "--quiet"]) == 0
    assets = static(public, base_url="/static/")
    url = assets.url("app.css")
    name = json.loads((public / "manifest.json").read_text())["app.css"]
    assert url == f"/static/{name}"
    app = TestApp(assets)
    plain = app.get(f"/{name}")
    coded = app.get(f"/{name}", headers={"Accept-Encoding": "gzip"})
    assert "immutable" in plain.headers["Cache-Control"]
    assert "immutable" not in app.get("/app.css").headers["Cache-Control"]
    assert coded.headers["ETag"] != plain.headers["ETag"]  # of the sibling, which WebTest unpacks
    assert coded.body == plain.body
