from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.page import HEADERS, STYLE, escape, page

VOID = {"meta", "br", "img", "input", "link", "hr"}


class Reader(HTMLParser):
    """Reads a document strictly: every element is closed, in order."""

    def __init__(self, document):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts = [], [], {}
        self.feed(document)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in self.open:
            self.texts[tag] = self.texts.get(tag, "") + data


@given(st.text())
def test_escaped_text_comes_back_and_has_no_markup(text):
    escaped = escape(text)
    assert unescape(escaped) == text
    assert not set(escaped) & set("<>\"'")
    assert "&" not in re.sub(r"&(amp|lt|gt|quot|#39);", "", escaped)


@pytest.mark.parametrize("value", [1, None, ValueError("<")], ids=repr)
def test_what_is_no_text_is_shown_as_str_shows_it(value):
    assert unescape(escape(value)) == str(value)


def test_a_page_is_a_whole_document():
    document = page("Title", "<h1>Content</h1>")
    assert document.startswith("<!DOCTYPE html>\n")
    read = Reader(document)
    assert read.texts["title"] == "Title"
    assert read.texts["h1"] == read.texts["main"].strip() == "Content"
    assert dict(read.elements)["html"] == {"lang": "en"}
    names = [tag for tag, _ in read.elements]
    assert names == ["html", "head", "meta", "meta", "title", "style", "body", "main", "h1"]


def test_it_fits_a_phone():
    viewport = {"name": "viewport", "content": "width=device-width, initial-scale=1"}
    assert ("meta", viewport) in Reader(page("", "")).elements


def test_the_title_is_text():
    title = "</title><script>alert(1)</script>"
    read = Reader(page(title, ""))
    assert "script" not in dict(read.elements)
    assert f"<title>{escape(title)}</title>" in page(title, "")


def test_style_and_script_are_added():
    read = Reader(page("", "", style="p{margin:0}", script="let one = 1"))
    assert read.texts["style"].endswith("p{margin:0}")
    assert read.texts["script"] == "let one = 1"


def test_nothing_is_fetched_from_anywhere():
    document = page("Title", "").lower()
    for reference in ("http:", "https:", "url(", "@import", "src=", "href="):
        assert reference not in document


def test_the_policy_forbids_scripts_frames_and_foreign_sources():
    fields = {name.lower(): value for name, value in HEADERS}
    policy = dict(part.split(None, 1) for part in fields["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "script-src" not in policy
    assert fields["x-content-type-options"] == "nosniff"


def test_the_style_is_balanced():
    assert STYLE.count("{") == STYLE.count("}")
    assert "</" not in STYLE


def themes():
    light, dark = (
        dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", part))
        for part in STYLE.split("prefers-color-scheme: dark")[:2]
    )
    return {"light": light, "dark": dark}


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", themes())
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("text", ["ink", "soft", "accent", "good", "bad"])
def test_every_text_is_readable_on_every_ground(theme, ground, text):
    # WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text of any size.
    colours = themes()[theme]
    lighter, darker = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
