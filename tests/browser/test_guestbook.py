"""The guestbook of docs/examples, used as a person uses it."""

from __future__ import annotations

import pytest

from tests.browser.driver import ENTER, TAB
from tests.docs.guestbook import guestbook, png
from wsgikit.testing import serving

PREVIEW = """
const picture = document.querySelector("#preview img");
return !document.querySelector("#preview").hidden && picture.complete && picture.naturalWidth;
"""
SHOWN = """
const picture = document.querySelector(".entry img");
return picture && picture.complete && [picture.naturalWidth, picture.alt];
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with guestbook(tmp_path_factory.mktemp("guestbook")) as app, serving(app) as server:
        yield server.url.rstrip("/")


def test_a_visitor_signs_in_and_leaves_a_line_with_a_picture(browser, url, tmp_path):
    picture = tmp_path / "view.png"
    picture.write_bytes(png(240, 160))
    browser.open(f"{url}/")
    assert "Leave a line." in browser.text("h1")

    browser.click(".welcome .button")
    browser.type("#name", "Ann")
    browser.type("#password", "correct horse")
    browser.click("button[formaction]")
    assert (
        browser.until("return document.querySelector('.note.good')?.innerText") == "Welcome, Ann."
    )
    assert browser.text(".who") == "Ann"
    # The session's cookie is none for scripts.
    assert browser.run("return document.cookie") == ""

    browser.type("#text", "The view from <the kitchen>.")
    browser.type("#picture", str(picture))
    assert browser.until(PREVIEW) == 240
    assert browser.text("#preview output") == "view.png, 1 kB"
    browser.click("#preview button")
    assert browser.run("return document.querySelector('#preview').hidden") is True
    browser.type("#picture", str(picture))
    browser.until(PREVIEW)
    browser.type("#shows", "A band")
    browser.click(".write .primary")

    assert browser.until(SHOWN) == [240, "A band"]
    assert browser.text(".entry p") == "The view from <the kitchen>."
    browser.click("nav button")
    browser.until("return document.querySelector('.welcome')")
    assert browser.run("return document.querySelector('.link')") is None


def test_keys_are_enough(browser, url):
    browser.open(f"{url}/sign-in")
    browser.type("#name", "Bob")
    browser.press(TAB)
    for letter in "correct horse":
        browser.press(letter)
    for _ in range(2):
        browser.press(TAB)
    assert browser.run("return document.activeElement.innerText") == "Create an account"
    browser.press(ENTER)
    browser.until("return document.querySelector('#text')")
    browser.run("document.querySelector('#text').focus()")
    browser.press(TAB)
    assert browser.run("return document.activeElement.id") == "picture"


@pytest.mark.parametrize("path", ["/", "/sign-in"])
def test_it_fits_on_a_phone(browser, url, path):
    with browser.screen(360):
        browser.open(url + path)
        width = "return [document.documentElement.scrollWidth, innerWidth]"
        assert browser.run(width) == [360, 360]


def test_nothing_is_fetched_from_elsewhere_and_nothing_is_refused(browser, url):
    browser.open(f"{url}/")
    names = browser.run("return performance.getEntriesByType('resource').map(each => each.name)")
    assert len(names) >= 3
    assert all(name.startswith(url) for name in names)
