from __future__ import annotations

from hashlib import sha256

import pytest

from wsgikit.files.rules import IMMUTABLE, REVALIDATE, Rules, has_hash


def fields(rules, path, **given):
    return dict(rules.fields(path.split("/"), **given))


def test_what_is_said_without_any_rule():
    assert Rules().fields(["app.css"]) == [
        ("Content-Type", "text/css; charset=utf-8"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-cache"),
    ]


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("a.foo", "text/x-foo; charset=utf-8"),
        ("A.FOO", "text/x-foo; charset=utf-8"),
        ("a.tar.foo", "application/x-tar-foo"),
        ("a.js", "application/javascript; charset=utf-8"),
        ("a.latin", "text/plain; charset=latin-1"),
        ("a.css", "text/css; charset=utf-8"),
        ("foo", "application/octet-stream"),
        ("a.tar.gz", "application/gzip"),
    ],
)
def test_types(name, media):
    types = {
        ".foo": "text/x-foo",
        ".tar.foo": "application/x-tar-foo",
        ".js": "application/javascript",
        ".latin": "text/plain; charset=latin-1",
    }
    assert fields(Rules(types=types), name)["Content-Type"] == media


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("index.html", "max-age=60"),
        ("docs/deep/index.html", "max-age=60"),
        ("fonts/a.woff2", "max-age=86400"),
        ("fonts/a.html", "max-age=60"),  # the first that matches
        ("secret/a.txt", None),
        ("app.3f2a1b9c.css", IMMUTABLE),
        ("fonts/app.3f2a1b9c.css", "max-age=86400"),
        ("app.css", REVALIDATE),
        ("Fonts/a.woff2", REVALIDATE),
    ],
)
def test_caching(path, value):
    rules = Rules(cache={"*.html": "max-age=60", "fonts/*": "max-age=86400", "secret/*": ""})
    assert fields(rules, path).get("Cache-Control") == value


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("app.3f2a1b9c.css", True),
        ("app.3f2a1b9c4d5e6f708192.js", True),
        ("main.3f2a1b9c.chunk.js", True),
        ("app.min.3f2a1b9c.css", True),
        ("app.3f2a1b9c.css.map", True),
        ("app." + "f" * 64 + ".css", True),
        ("app." + "f" * 65 + ".css", False),
        ("app.css", False),
        ("app.3f2a1b9.css", False),
        ("app.3F2A1B9C.css", False),
        ("app-3f2a1b9c.css", False),
        ("3f2a1b9c.css", False),
        ("app.3f2a1b9c", False),
        (".3f2a1b9c.css", False),
        ("report.20240131.pdf", False),
        ("app.3f2a1b9g.css", False),
        ("", False),
    ],
)
def test_names_with_a_hash(name, found):
    assert has_hash(name) is found


def test_a_hash_of_decimal_digits_is_one_if_it_is_of_the_content():
    content = next(
        str(number).encode()
        for number in range(10_000)
        if sha256(str(number).encode()).hexdigest()[:8].isdecimal()
    )
    digest = sha256(content).hexdigest()
    assert has_hash(f"app.{digest[:8]}.css", digest)
    assert not has_hash(f"app.{digest[:8]}.css", sha256(b"other").hexdigest())
    assert fields(Rules(), f"app.{digest[:8]}.css", digest=digest)["Cache-Control"] == IMMUTABLE


def test_more_fields():
    rules = Rules(
        headers={
            "*": {"Access-Control-Allow-Origin": "*", "X-Robots-Tag": "all"},
            "drafts/*": {"x-robots-tag": "noindex"},
        }
    )
    assert fields(rules, "a.txt")["X-Robots-Tag"] == "all"
    draft = fields(rules, "drafts/a.txt")
    assert draft["x-robots-tag"] == "noindex"
    assert "X-Robots-Tag" not in draft
    assert draft["Access-Control-Allow-Origin"] == "*"


def test_vary_is_one_line():
    rules = Rules(headers={"*": {"Vary": "Origin"}}, vary=("Accept-Encoding",))
    assert fields(rules, "a.txt")["Vary"] == "Origin, Accept-Encoding"
    assert fields(rules, "a.txt", vary=["Accept"])["Vary"] == "Origin, Accept, Accept-Encoding"
    assert "Vary" not in fields(Rules(), "a.txt")


def test_downloads():
    rules = Rules(download=["*.pdf", "exports/*"])
    assert fields(rules, "a/b.pdf")["Content-Disposition"] == "attachment; filename=b.pdf"
    assert "filename*=UTF-8''%C3%A9" in fields(rules, "exports/é")["Content-Disposition"]
    assert "Content-Disposition" not in fields(rules, "a.txt")


def test_what_files_share_is_there_once():
    rules = Rules(vary=("Accept-Encoding",))
    for first, second in zip(rules.fields(["a.css"]), rules.fields(["b.css"]), strict=True):
        assert first is second


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"types": {"foo": "text/x-foo"}}, "types takes"),
        ({"types": {".foo": "foo"}}, "types takes"),
        ({"types": {".foo": "text/x\r\nfoo"}}, "types takes"),
        ({"types": {".foo": "text/x;a=\n"}}, "Content-Type"),
        ({"cache": {"*": "no\ncache"}}, "Cache-Control"),
        ({"cache": {"/a": "no-cache"}}, "cache takes patterns"),
        ({"cache": {"": "no-cache"}}, "cache takes patterns"),
        ({"download": ["/a"]}, "download takes patterns"),
        ({"headers": {"/a": {}}}, "headers takes patterns"),
        ({"headers": {"*": {"a b": "c"}}}, "field name"),
        ({"headers": {"*": {"X-A": "c\r\n"}}}, "X-A"),
        ({"headers": {"*": {"Content-Type": "a/b"}}}, "option types"),
        ({"headers": {"*": {"cache-control": "a"}}}, "option cache"),
        ({"headers": {"*": {"Content-Disposition": "a"}}}, "option download"),
        ({"headers": {"*": {"ETag": '"a"'}}}, "worked out"),
        ({"headers": {"*": {"Transfer-Encoding": "a"}}}, "worked out"),
    ],
    ids=str,
)
def test_rules_that_cannot_be_followed(options, message):
    with pytest.raises(ValueError, match=message):
        Rules(**options)


@pytest.mark.parametrize("option", ["types", "cache", "headers"])
@pytest.mark.parametrize("given", [["*.html"], "*.html", 5], ids=str)
def test_what_is_no_mapping_is_refused(option, given):
    with pytest.raises(TypeError, match=f"{option} maps"):
        Rules(**{option: given})
    with pytest.raises(TypeError, match="headers maps"):
        Rules(headers={"*": given})


def test_a_pattern_alone_is_no_list():
    with pytest.raises(TypeError, match="download takes a list"):
        Rules(download="*.pdf")
