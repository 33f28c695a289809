"""Files and folders as a browser asks for them and shows them."""

from __future__ import annotations

import os
import wave
from contextlib import contextmanager
from time import time

import pytest

from tests.browser.driver import ENTER, TAB
from wsgikit.apps import listing, static
from wsgikit.testing import serving

OTHER = '<!doctype html><title>Other</title><link rel="icon" href="data:,">'
PAGE = """<!doctype html><title>Page</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="app.css"><script src="app.js"></script>
<p>text</p><a href="other.html">on</a><audio src="sound.wav" preload="metadata"></audio>"""
SECONDS = 120  # of sound, 10 MB: more than a browser takes at once
SEEK = """
const [to, done] = arguments, sound = document.querySelector("audio");
sound.onerror = () => done(sound.error.message);
sound.onseeked = () => done([sound.currentTime, sound.duration]);
const seek = () => { sound.currentTime = to; };
sound.readyState ? seek() : sound.onloadedmetadata = seek;
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("site")
    (root / "page.html").write_text(PAGE)
    (root / "other.html").write_text(
        '<!doctype html><title>Other</title><link rel="icon" href="data:,">'
    )
    (root / "app.css").write_text("p { color: red }")
    (root / "app.js").write_text(
        "addEventListener('pageshow', e => { window.kept = e.persisted; });"
    )
    with wave.open(str(root / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 44_100, 0, "NONE", ""))
        sound.writeframes(os.urandom(2 * 44_100 * SECONDS))
    for path in root.iterdir():
        os.utime(path, (time() - 60, time() - 60))
    return root


@contextmanager
def watched(app):
    """The URL of the application, and a list of what it is asked for and answers."""
    seen = []

    def watching(environ, start_response):
        def start(status, headers, exc_info=None):
            ranged = dict(headers).get("Content-Range")
            seen.append((environ["PATH_INFO"], int(status[:3]), ranged))
            return start_response(status, headers, exc_info)

        return app(environ, start)

    with serving(watching) as server:
        yield server.url.rstrip("/"), seen


def test_media_can_be_wound(browser, root):
    with watched(static(root)) as (url, seen):
        browser.open(f"{url}/page.html")
        for to in (100, 10, 60):
            assert browser.wait_for(SEEK, to) == [to, SECONDS]
    asked = [(status, ranged) for path, status, ranged in seen if path == "/sound.wav"]
    assert {status for status, _ in asked} <= {206, 304}
    assert any(ranged and not ranged.startswith("bytes 0-") for _, ranged in asked)


def test_a_reload_sends_nothing_again(browser, root):
    with watched(static(root)) as (url, seen):
        browser.open(f"{url}/page.html")
        seen.clear()
        browser.reload()
        assert {answer[:2] for answer in seen} >= {
            ("/page.html", 304),
            ("/app.css", 304),
            ("/app.js", 304),
        }
        assert not [answer for answer in seen if answer[1] == 200]
        (root / "app.css").write_text("p { color: blue }")
        browser.reload()
        colour = "return getComputedStyle(document.querySelector('p')).color"
        assert browser.run(colour) == "rgb(0, 0, 255)"


def test_the_way_back_asks_for_nothing(browser, root):
    with watched(static(root)) as (url, seen):
        browser.open(f"{url}/page.html")
        assert browser.run("return window.kept") is False
        browser.click("a")
        browser.until("return document.title === 'Other'")
        seen.clear()
        browser.back()
        browser.until("return document.title === 'Page'")
        assert browser.until("return window.kept") is True
        assert [path for path, *_ in seen if path != "/sound.wav"] == []


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "small.txt").write_text("s")
    (folder / "large.txt").write_text("l" * 5000)
    return folder


def test_a_folder_by_keyboard(browser, folder):
    with watched(listing(folder)) as (url, _):
        browser.open(url)
        focus = "return document.activeElement.innerText.trim()"
        reached = []
        while not reached or reached[-1] != "small.txt":
            browser.press(TAB)
            reached.append(browser.run(focus))
        assert reached == [
            *("zip", "tar.gz", "Name▲", "Size", "Modified (UTC)"),
            *("inner/", "large.txt", "small.txt"),
        ]
        browser.type("th.size a", ENTER)
        browser.until("return location.search === '?sort=size&order=desc'")
        names = "return [...document.querySelectorAll('td:first-child')].map(e => e.innerText)"
        assert browser.run(names) == ["inner/", "large.txt", "small.txt"]
        browser.type("th.size a", ENTER)
        browser.until("return location.search === '?sort=size&order=asc'")
        assert browser.run(names) == ["inner/", "small.txt", "large.txt"]


@pytest.mark.parametrize("width", [320, 1280], ids=["phone", "desk"])
def test_nothing_of_a_folder_is_cut_off(browser, folder, width):
    for name in ("a long name, as people give them, " * 4, "a" * 120):
        (folder / f"{name}.txt").write_text("")
    with watched(listing(folder, upload=True)) as (url, _), browser.screen(width):
        browser.open(url)
        assert browser.run("return innerWidth") == width
        assert browser.run("return document.documentElement.scrollWidth") <= width
        low = "return Math.min(...[...document.querySelectorAll('td a')].map(e => e.offsetHeight))"
        assert browser.run(low) >= 44  # for a finger: WCAG 2.2, 2.5.5


def test_files_are_added(browser, folder, tmp_path):
    for name in ("new.txt", "small.txt"):
        (tmp_path / name).write_text("added")
    with watched(listing(folder, upload=True)) as (url, _):
        browser.open(url)
        chosen = "\n".join(str(tmp_path / name) for name in ("new.txt", "small.txt"))
        browser.type("input[type=file]", chosen)
        browser.click("form.upload button")
        assert browser.until("return document.querySelector('.told').innerText") == "2 stored"
        assert "small (2).txt" in browser.text("#listed")
    assert (folder / "new.txt").read_text() == (folder / "small (2).txt").read_text() == "added"
    assert (folder / "small.txt").read_text() == "s"
