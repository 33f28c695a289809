from __future__ import annotations

import ntpath
import posixpath
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsgikit.trees.names import MAX_PATH, is_hidden, numbered, safe_parts, url_name

# What a hostile path is made of.
PIECES = st.sampled_from(
    ["/", "//", "\\", ".", "..", "...", " ", "~1", "~", ":", "C:", "a", "a.txt", "CON", "nul.txt"]
    + ["\x00", "\n", "\x7f", "\x85", "%2e", "\xc0\xaf", "\xe9", "?", "*", "|", '"', "<", "\\\\?\\"]
)
paths = st.lists(PIECES | st.characters(max_codepoint=255)).map("".join) | st.text()


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/", []),
        ("/a", ["a"]),
        ("/a/", ["a"]),
        ("/a/b.c", ["a", "b.c"]),
        ("/.a", [".a"]),
        ("/..a", ["..a"]),
        ("/ a", [" a"]),
        ("/~user", ["~user"]),
        ("/a~", ["a~"]),
        ("/a~b", ["a~b"]),
        ("/long-name~1", ["long-name~1"]),
        ("/a~1.text", ["a~1.text"]),
        ("/conference", ["conference"]),
        ("/com", ["com"]),
        ("/a.con", ["a.con"]),
        ("/a?b*c", ["a?b*c"]),
        ("/%2e%2e", ["%2e%2e"]),  # escapes are decoded once, by the server
        ("/\xc3\xa9", ["é"]),
        ("/\xe9", ["\udce9"]),
        ("/\xc0\xaf", ["\udcc0\udcaf"]),  # overlong UTF-8 of a slash: two octets of a name
    ],
)
def test_names_of_a_path(path, names):
    assert safe_parts(path) == names


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "//",
        "//evil.com/..",
        "/a//b",
        "/a//",
        "/.",
        "/..",
        "/a/../b",
        "/a/./b",
        "/...",
        "/a.",
        "/a ",
        "/a. .",
        "/. ",
        "/a\\b",
        "/\\",
        "/..\\..\\b",
        "/\\\\server\\share",
        "/\\\\?\\C:\\b",
        "/C:",
        "/C:/b",
        "/c:b",
        "/a:b",
        "/a::$DATA",
        "/a\x00",
        "/a\x00.txt",
        "/a\nb",
        "/a\r",
        "/\x1f",
        "/\x7f",
        "/\xc2\x85",
        "/CON",
        "/a/con",
        "/nul.txt",
        "/NUL.tar.gz",
        "/aux .txt",
        "/prn",
        "/COM1.txt",
        "/lpt9",
        "/com\xc2\xb9",
        "/conin$",
        "/GIT~1",
        "/GIT~1/config",
        "/PROGR~12",
        "/~1.txt",
        "/a\u0100",
        "/" + "a" * MAX_PATH,
        "/a" * MAX_PATH,
    ],
)
def test_a_path_that_is_refused(path):
    assert safe_parts(path) is None


@given(paths)
@example("/" + "é" * 10)
def test_names_are_below_the_root_on_every_system(path):
    names = safe_parts(f"/{path}")
    if names is None:
        return
    for system, root in (
        (ntpath, "C:\\root"),
        (ntpath, "\\\\host\\share\\root"),
        (posixpath, "/r"),
    ):
        joined = system.join(root, *names)
        assert system.normpath(joined) == joined == system.sep.join([root, *names])
        assert all(system.basename(name) == name and not system.isabs(name) for name in names)


@pytest.mark.parametrize("system", [ntpath], ids=["Windows"])
@given(paths)
def test_no_name_is_reserved(system, path):
    isreserved = getattr(system, "isreserved", lambda name: False)  # new in Python 3.13
    for name in safe_parts(f"/{path}") or []:
        # Windows has no files with these characters, but does not read them as something else.
        assert not isreserved(name.translate(dict.fromkeys(map(ord, '*?"<>|'), "_")))


@given(paths)
def test_names_go_into_a_url_and_come_back(path):
    for name in safe_parts(f"/{path}") or []:
        encoded = url_name(name)
        assert encoded is not None
        assert encoded.isascii()
        assert not set(encoded) & set("/\\:?#&<>\"' ")
        octets = encoded.encode().split(b"%")
        plain = octets[0] + b"".join(bytes.fromhex(o[:2].decode()) + o[2:] for o in octets[1:])
        assert safe_parts("/" + plain.decode("latin-1")) == [name]


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("a b.txt", "a%20b.txt"),
        ("100%#?.md", "100%25%23%3F.md"),
        ("é", "%C3%A9"),
        ("\udce9", "%E9"),
        ("a:b", None),
        ("a/b", None),
        ("a\nb", None),
        ("", None),
        ("..", None),
        ("\udcc3\udca9", None),  # as a path it would read "é"
        ("\ud800", None),
    ],
)
def test_a_name_in_a_url(name, encoded):
    assert url_name(name) == encoded


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        (".git", True),
        (".", True),
        ("\u200c.git", True),
        ("\ufeff\u200d.git", True),
        ("a.b", False),
        ("", False),
    ],
)
def test_hidden_names(name, hidden):
    assert is_hidden(name) is hidden


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("a.txt", ["a (2).txt", "a (3).txt"]),
        ("a.tar.gz", ["a.tar (2).gz", "a.tar (3).gz"]),
        (".profile", [".profile (2)", ".profile (3)"]),
        ("a" * 252 + ".md", ["a" * 248 + " (2).md", "a" * 248 + " (3).md"]),
        ("é" * 128, ["é" * 125 + " (2)", "é" * 125 + " (3)"]),
        ("a." + "b" * 253, ["a." + "b" * 249 + " (2)", "a." + "b" * 249 + " (3)"]),
    ],
)
def test_names_for_what_is_taken(name, others):
    assert list(islice(numbered(name), 3)) == [name, *others]


@given(st.text(min_size=1, max_size=300))
def test_names_are_made_that_fit(name):
    made = list(islice(numbered(name), 1, 12))
    assert len(set(made)) == len(made)
    assert url_name(name) is None or all(map(url_name, made))
    assert all(len(each.encode("utf-8", "surrogateescape")) <= 255 for each in made)
