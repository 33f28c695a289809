from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.assets.references import replace_in_css, replace_in_script


def urls(text, replace=replace_in_css):
    """The URLs that are found in a style sheet."""
    found = []
    assert replace(text, found.append) == text
    return found


def new(url):
    return "new"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{b:url(x.png)}", ["x.png"]),
        ("a{b:url( x.png )}", ["x.png"]),
        ("a{b:url('x.png')}", ["x.png"]),
        ('a{b:url(\n"x.png"\t)}', ["x.png"]),
        ("a{b:URL(x.png),url(y.png)}", ["x.png", "y.png"]),
        ('@import "x.css";', ["x.css"]),
        ("@IMPORT'x.css' screen;", ["x.css"]),
        ('@import /* why */ "x.css" layer(base);', ["x.css"]),
        ('@import url("x.css");', ["x.css"]),
        ("/*# sourceMappingURL=x.css.map */", ["x.css.map"]),
        ("/*@ sourceMappingURL=x.css.map*/", ["x.css.map"]),
        ("url(a\\ b.png)", ["a b.png"]),
        ("url('\\78 .png')", ["x.png"]),
        ("url('\\000078.png')", ["x.png"]),
        ("url('a\\\nb.png')", ["ab.png"]),
        ("url('a\\\r\nb.png')", ["ab.png"]),
        ("url('\\0\\d800 \\110000 ')", ["\ufffd\ufffd\ufffd"]),
        ("url(data:image/png;base64,iVBO==)", ["data:image/png;base64,iVBO=="]),
        ("url(é.png)", ["é.png"]),
        # What only looks like one
        ("a::after{content:'url(x.png)'}", []),
        ('a::after{content:"\\"url(x.png)"}', []),
        ("/* url(x.png) */", []),
        ("/* url(x.png)", []),
        ("myurl(x.png)", []),
        ("-url(x.png)", []),
        ("\\url(x.png)", []),
        ("url()", []),
        ("url(x'y.png)", []),
        ("url(x y.png)", []),
        ("url('x.png'", []),
        ("url(x.png", []),
        ("url('x\n.png')", []),
        ('@import/**/url;"x.css"', []),
        ('@namespace "x";', []),
        ("a\\'{b:url(x.png)}", ["x.png"]),  # an escape begins no string
        ("a{content:'unclosed\n;b:url(x.png)}", ["x.png"]),
        ("/*# sourceMappingURL=x y */", []),
        ("/* # sourceMappingURL=x */", []),
    ],
)
def test_what_is_found(text, expected):
    assert urls(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{b:url( x.png )}", "a{b:url( new )}"),
        ("url('x.png')", "url('new')"),
        ('@import  "x.css" screen;', '@import  "new" screen;'),
        ("/*# sourceMappingURL=x.map */", "/*# sourceMappingURL=new */"),
        ("url(a\\ b.png)", "url(new)"),
        ("a{b:url(x)}\n/* url(x) */\nc{d:'url(x)'}", "a{b:url(new)}\n/* url(x) */\nc{d:'url(x)'}"),
    ],
)
def test_what_is_replaced(text, expected):
    assert replace_in_css(text, new) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x=1\n//# sourceMappingURL=x.js.map", ["x.js.map"]),
        ("x=1\n//# sourceMappingURL=x.js.map\n", ["x.js.map"]),
        ("//@ sourceMappingURL=a.map\nx\n//# sourceMappingURL=b.map", ["b.map"]),
        ("x = '//# sourceMappingURL=x.js.map'", []),
        ("//# sourceMappingURL='x.js.map'", []),
        ("x=1", []),
    ],
)
def test_the_source_map_of_a_script(text, expected):
    assert urls(text, replace_in_script) == expected


def test_the_source_map_of_a_script_replaced():
    text = "//# sourceMappingURL=a.map\nx\n//# sourceMappingURL=b.map\n"
    expected = "//# sourceMappingURL=a.map\nx\n//# sourceMappingURL=new\n"
    assert replace_in_script(text, new) == expected


@given(st.text(alphabet="url(@import\"'\\/* \n)x;#=") | st.text())
def test_any_text_is_read_and_kept(text):
    assert replace_in_css(text, lambda url: None) == text
    assert replace_in_script(text, lambda url: None) == text


@given(st.text(alphabet="ab\"'() \\\n/*%é"))
def test_a_url_in_a_string_is_found_as_it_is(url):
    escaped = "".join(f"\\{ord(char):x} " for char in url)
    assert urls(f"a{{b:url('{escaped}')}}") == ([url] if "\0" not in url else [])


@pytest.mark.parametrize(
    "part",
    ["url(", "url( ", 'url("', "url('\\'", "/*", "@import ", '@import "', "@import/*", "\\", "'\\'"]
    + ["url(x", " " * 99, "url(" + " " * 99, "/*# sourceMappingURL=", "//# sourceMappingURL=x "],
)
def test_hostile_text_takes_linear_time(part):
    started = time.process_time()  # its own, however busy the machine is
    for replace in (replace_in_css, replace_in_script):
        replace(part * (1_000_000 // len(part)), new)
    assert time.process_time() - started < 10  # quadratic time would be hours
