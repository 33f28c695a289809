from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.location import location, resolve
from wsgikit.http.problem import HTTPError

# The table of targets is in tests/test_response.py, where redirects are.


def test_a_target_of_this_site_is_encoded():
    assert location("/ü?q=a b#é") == "/%C3%BC?q=a%20b#%C3%A9"


@pytest.mark.parametrize("target", ["", "//evil", "/\\evil", "https://evil/", "/\tevil"])
def test_a_target_that_leaves_it_is_an_answer(target):
    with pytest.raises(HTTPError) as caught:
        location(target)
    assert caught.value.status == 400


def test_a_target_elsewhere_is_said():
    assert location("https://example.org/a?b", external=True) == "https://example.org/a?b"


BASE = ("http", "a", "/b/c/d;p", "q")
# RFC 3986, sections 5.4.1 and 5.4.2, without the fragments.
RESOLVED = {
    "g:h": "g:h",
    "g": "http://a/b/c/g",
    "./g": "http://a/b/c/g",
    "g/": "http://a/b/c/g/",
    "/g": "http://a/g",
    "//g": "http://g",
    "?y": "http://a/b/c/d;p?y",
    "g?y": "http://a/b/c/g?y",
    "#s": "http://a/b/c/d;p?q",
    "g#s": "http://a/b/c/g",
    "g?y#s": "http://a/b/c/g?y",
    ";x": "http://a/b/c/;x",
    "g;x?y#s": "http://a/b/c/g;x?y",
    "": "http://a/b/c/d;p?q",
    ".": "http://a/b/c/",
    "./": "http://a/b/c/",
    "..": "http://a/b/",
    "../": "http://a/b/",
    "../g": "http://a/b/g",
    "../..": "http://a/",
    "../../g": "http://a/g",
    "../../../../g": "http://a/g",
    "/./g": "http://a/g",
    "/../g": "http://a/g",
    "g.": "http://a/b/c/g.",
    ".g": "http://a/b/c/.g",
    "..g": "http://a/b/c/..g",
    "./../g": "http://a/b/g",
    "./g/.": "http://a/b/c/g/",
    "g/./h": "http://a/b/c/g/h",
    "g/../h": "http://a/b/c/h",
    "g;x=1/../y": "http://a/b/c/y",
    "g?y/../x": "http://a/b/c/g?y/../x",
    "g#s/../x": "http://a/b/c/g",
    "http:g": "http:g",
    "HTTP://A:80/x": "http://A:80/x",
}


def joined(scheme, authority, path, query):
    return f"{scheme}:{authority and '//'}{authority}{path}{query and '?'}{query}"


@pytest.mark.parametrize(("reference", "url"), RESOLVED.items(), ids=ascii)
def test_what_a_reference_means(reference, url):
    assert joined(*resolve(reference, BASE)) == url


@given(st.text("ab./?#:%\xe9\n", max_size=12))
def test_any_text_is_a_reference(text):
    scheme, authority, path, query = resolve(text, BASE)
    assert scheme
    assert "#" not in authority + path + query
    if scheme == "http" and path[:1] == "/":
        assert {".", ".."}.isdisjoint(path.split("/"))
