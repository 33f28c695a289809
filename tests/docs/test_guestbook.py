"""The guestbook of docs/examples, over WSGI. tests/browser has it in a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Timer
from urllib.request import urlopen
from wsgiref.validate import validator

import pytest
from webtest import TestApp, Upload

from tests.docs.guestbook import FOLDER, guestbook, png
from wsgikit import check

PASSWORD = "correct horse"
HTTPS = {"wsgi.url_scheme": "https", "REMOTE_ADDR": "192.0.2.1"}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    with guestbook(tmp_path_factory.mktemp("guestbook") / "data") as app:
        yield app


@pytest.fixture
def visit(loaded, request):
    """Gives browsers, all of one address that no other test has."""
    number = abs(hash(request.node.name)) % 2**24
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    environ = {**HTTPS, "REMOTE_ADDR": address}
    return lambda: TestApp(validator(loaded), extra_environ=environ)


def fill(page, button=0, **fields):
    form = next(iter(each for each in page.forms.values() if "password" in each.fields))
    for name, value in fields.items():
        form[name] = value
    form.action = form.action if button == 0 else form.action.replace("sign-in", "register")
    return form.submit()


def registered(browser, name):
    answer = fill(browser.get("/sign-in"), 1, name=name, password=PASSWORD).follow()
    assert f"Welcome, {name}." in answer.text
    return answer


def form_to_write(page):
    return next(form for form in page.forms.values() if form.action.endswith("/entries"))


def test_the_stack_is_sound(loaded):
    assert check(loaded) == []


def test_a_visitor_reads_and_is_asked_to_sign_in(visit):
    browser = visit()
    page = browser.get("/")
    assert "Sign in to" in page.text
    assert "Your words" not in page.text
    answer = browser.post("/entries", {"text": "Hello"})
    assert answer.location.endswith("/sign-in")
    assert "Please sign in first." in answer.follow().text


def test_an_entry_is_written_shown_as_text_and_removed(visit):
    browser, other = visit(), visit()
    form = form_to_write(registered(browser, "Ann"))
    form["text"] = "<script>alert(1)</script>\nSecond line"
    page = form.submit().follow()
    assert "Thank you!" in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>Second line" in page.text
    assert "<script>alert" not in page.text
    assert "Thank you!" not in browser.get("/").text
    page = other.get("/")
    assert "Second line" in page.text
    assert "Remove" not in page.text
    (path,) = re.findall(r"/entries/\d+/delete", browser.get("/").text)
    registered(other, "Bob")
    other.post(path, status=404)
    assert "It is gone." in browser.post(path).follow().text
    assert "Second line" not in other.get("/").text


def test_a_picture_is_kept_under_a_name_of_ours(visit):
    browser = visit()
    form = form_to_write(registered(browser, "Carla"))
    content = png()
    form["text"], form["shows"] = "With a picture", 'A "band"'
    form["picture"] = Upload("../../me.html", content, "text/html")
    page = form.submit().follow()
    (path,) = set(re.findall(r'src="(/pictures/[0-9a-f]{32}\.png)"', page.text))
    assert 'alt="A &quot;band&quot;"' in page.text
    answer = browser.get(path)
    assert (answer.content_type, answer.body) == ("image/png", content)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    (delete,) = re.findall(r"/entries/\d+/delete", page.text)
    browser.post(delete)
    browser.get(path, status=404)


@pytest.mark.parametrize(
    "content", [b"<script>", b"\x89PN", b"RIFF????AVI "], ids=["page", "cut", "film"]
)
def test_what_is_no_picture_is_refused(content, visit, request):
    browser = visit()
    form = form_to_write(registered(browser, f"Dora {len(content)}"))
    form["text"], form["picture"] = "Look", Upload("a.png", content, "image/png")
    assert "That is no picture" in form.submit().follow().text
    assert "Look" not in browser.get("/").text


@pytest.mark.parametrize("fields", [{"text": " \n"}, {}], ids=["blank", "none"])
def test_a_picture_without_words_is_not_kept(fields, visit, request):
    browser = visit()
    registered(browser, f"Dirk {len(fields)}")
    kept = Path(os.environ["GUESTBOOK_DATA"], "pictures")
    before = [*kept.iterdir()]
    files = [("picture", "a.png", png())]
    answer = browser.post("/entries", fields, upload_files=files, status="*")
    if fields:
        assert "A line without words is none." in answer.follow().text
    else:
        assert answer.status_int == 400
    assert [*kept.iterdir()] == before


def test_entries_that_there_cannot_be_are_not_there(visit):
    browser = visit()
    registered(browser, "Egon")
    for number in ("0", "9223372036854775807", "9223372036854775808", "9" * 20, "9" * 5000, "-1"):
        browser.post(f"/entries/{number}/delete", status=404)


def test_what_is_too_large_is_refused(visit):
    browser = visit()
    registered(browser, "Emil")
    files = [("picture", "a.png", png() + bytes(5_000_001))]
    answer = browser.post("/entries", {"text": "Big"}, upload_files=files, status=413)
    assert "max_file_size" in answer.text


def test_signing_in_and_out(visit):
    browser = visit()
    registered(browser, "Frida")
    first = browser.cookies["__Host-session"]
    browser.post("/sign-out").follow()
    assert "__Host-session" not in browser.cookies
    page = fill(browser.get("/sign-in"), name="frida ", password=PASSWORD).follow()
    assert "Leave a line, Frida<" in page.text
    assert browser.cookies["__Host-session"] != first
    thief = visit()
    thief.set_cookie("__Host-session", first)
    assert "Sign in to" in thief.get("/").text


def test_a_wrong_password_and_an_unknown_name_are_told_alike(visit):
    browser = visit()
    registered(browser, "Gert")
    browser.post("/sign-out")
    pages = [
        fill(browser.get("/sign-in"), name=name, password="wrong horse").follow().text
        for name in ("Gert", "Nobody")
    ]
    assert pages[0] == pages[1]
    assert "The name or the password is wrong." in pages[0]


def test_guessing_comes_to_an_end(visit):
    browser = visit()
    form = {"name": "Hilda", "password": "wrong horse"}
    answers = [browser.post("/sign-in", form, expect_errors=True) for _ in range(12)]
    assert [answer.status_int for answer in answers] == [303] * 10 + [429] * 2
    assert "sign-in-name" in answers[-1].text
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_name_is_had_once_and_has_to_do(visit):
    browser = visit()
    registered(browser, "Ida")
    page = fill(visit().get("/sign-in"), 1, name="IDA", password=PASSWORD).follow()
    assert "Somebody has that name already." in page.text
    page = fill(visit().get("/sign-in"), 1, name="Jo", password="short").follow()
    assert "8 to 1024 characters for the password" in page.text
    for password in ("a" * 1025, "\u00eb" * 1100):
        page = visit().post("/register", {"name": "Jo", "password": password}).follow()
        assert "8 to 1024 characters for the password" in page.text
    visit().post("/register", {"name": "a:b", "password": PASSWORD}, status=400)
    visit().post("/register", {"name": "Jo"}, status=400)


def test_other_sites_cannot_write(visit):
    browser = visit()
    registered(browser, "Karl")
    hostile = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    browser.post("/entries", {"text": "Forged"}, headers=hostile, status=403)
    browser.post("/sign-out", headers=hostile, status=403)
    assert "Forged" not in browser.get("/").text


def test_writing_has_its_pace(visit):
    browser = visit()
    registered(browser, "Lena")
    answers = [
        browser.post("/entries", {"text": f"Line {n}"}, expect_errors=True) for n in range(6)
    ]
    assert [answer.status_int for answer in answers] == [303] * 5 + [429]


def test_older_entries_are_on_pages_of_their_own(visit):
    book = sys.modules["entries"]
    kept = book.Guestbook(Path(os.environ["GUESTBOOK_DATA"]))
    for number in range(45):
        kept.write("Many", f"Number {number:02}", "", "")
    page = visit().get("/")
    seen = []
    while True:
        seen += re.findall(r"Number \d\d", page.text)
        if "Older entries" not in page.text:
            break
        page = page.click("Older entries")
    assert seen == [f"Number {number:02}" for number in reversed(range(45))]
    for odd in ("x", "-1", "\u00b2", "9" * 40):
        visit().get("/", {"before": odd})


def test_a_page_is_of_one_person_and_says_what_it_may_do(visit):
    answer = visit().get("/")
    assert answer.headers["Cache-Control"] == "private"
    assert "Cookie" in answer.headers["Vary"]
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_wsgikit_serves_it(tmp_path):
    environment = {name: os.environ[name] for name in os.environ if name != "GUESTBOOK_DATA"}
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-m", "wsgikit", "serve"]
        + [FOLDER / "app.py", "--port", "0"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(FOLDER.parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = Timer(60, process.kill)
    watchdog.start()
    with process:
        try:
            url = re.search(r"http://\S+", process.stdout.readline())[0]
            with urlopen(url) as answer:
                assert b"Leave a line." in answer.read()
            assert (tmp_path / "guestbook-data" / "state.db").exists()
        finally:
            process.terminate()
            process.stdout.read()
            watchdog.cancel()
    assert process.returncode == 0
