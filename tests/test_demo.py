from __future__ import annotations

import re
from hashlib import sha256
from html.parser import HTMLParser
from io import StringIO
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import Request as ClientRequest
from urllib.request import urlopen
from wsgiref.simple_server import demo_app
from wsgiref.validate import validator

import pytest
from webtest import TestApp

import wsgikit
from wsgikit import Router, stack
from wsgikit.demo import app, failures, files, form, layers, negotiation, routes, streaming
from wsgikit.demo.frame import STATIONS
from wsgikit.demo.source import highlight, source
from wsgikit.testing import serving

PAGES = [f"/{slug}/" if slug else "/" for slug in STATIONS]


class Elements(HTMLParser):
    """The elements of a page, and its text without styles and scripts."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.found, self.text, self.inside = [], "", ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self.inside = tag

    def handle_data(self, data):
        if self.inside not in ("style", "script"):
            self.text += data

    def __getitem__(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def browser(monkeypatch):
    monkeypatch.setattr(streaming, "PAUSE", 0)
    local = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000"}
    return TestApp(app, extra_environ={"HTTP_ACCEPT": "text/html", **local})


def test_the_package_has_the_application():
    assert wsgikit.demo.app is app


@pytest.mark.parametrize("path", PAGES)
def test_each_station_is_a_page_that_names_itself(browser, path):
    page = browser.get(path)
    elements = Elements(page.text)
    (current,) = [link for link in elements["a"] if "aria-current" in link]
    assert urljoin("http://127.0.0.1:8000" + path, current["href"]).endswith(path)
    assert len(elements["h1"]) == 1
    assert "Server-Timing" in page.headers


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("root", ["", "/käse & co"])
def test_every_link_answers(browser, path, root):
    mounted = Router()
    mounted.mount(root or "/", app)
    local = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000"}
    browser = TestApp(mounted, extra_environ={"HTTP_ACCEPT": "text/html", **local})
    page = browser.get(quote(root + path))
    here = f"http://127.0.0.1:8000{page.request.path}"
    links = [link["href"] for link in Elements(page.text)["a"]]
    assert len(links) > len(STATIONS)
    for link in links:
        target = urlsplit(urljoin(here, link))
        assert target.netloc == "127.0.0.1:8000"
        refused = {"/errors/fail": 500, "/errors/sold-out": 409}
        status = next((refused[end] for end in refused if target.path.endswith(end)), 200)
        query = f"?{target.query}" if target.query else ""
        browser.get(target.path + query, status=status)


@pytest.mark.parametrize("path", PAGES)
def test_ids_are_there_once_and_labels_find_their_fields(browser, path):
    elements = Elements(browser.get(path).text)
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for label in elements["label"]:
        assert label.get("for", ids[0]) in ids


@pytest.mark.parametrize("path", PAGES)
def test_nothing_comes_from_elsewhere_and_only_known_scripts_run(browser, path):
    page = browser.get(path)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert ("script-src 'sha256-" in policy) == ("<script>" in page.text)
    for _, attributes in Elements(page.text).found:
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)


def test_the_way_through_the_stations(browser):
    page, seen = browser.get("/"), []
    while page is not None:
        seen.append(page.request.path)
        following = [link for link in Elements(page.text)["a"] if link.get("class") == "next"]
        page = browser.get(following[0]["href"]) if following else None
    assert seen == PAGES


def test_the_drawn_stack_is_that_of_the_application(browser):
    text = Elements(browser.get("/").text).text
    for part in ("timing", "errors", "when(predicate=for_developers, layer=debugger())", "Router"):
        assert part in text
    assert "GET /sum/{a:int}/{b:int} add" in text
    assert "GET /plain timing → plain" in text
    assert str(wsgikit.describe(app)) in text


@pytest.mark.parametrize("path", PAGES)
def test_the_source_is_that_of_the_modules(browser, path):
    page = browser.get(path).text
    (shown, *_) = re.findall(r'<figure class="source">.*?</figure>', page, re.DOTALL)
    assert "def " in Elements(shown).text


def test_the_icon(browser):
    assert browser.get("/favicon.ico").content_type == "image/svg+xml"


MODULES = [failures, files, form, layers, negotiation, routes, streaming]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_highlighting_changes_no_character(module):
    code = module.__loader__.get_source(module.__name__)
    assert Elements(highlight(code)).text == code


@pytest.mark.parametrize("code", ["f'{a!r:>{b}} {{}} ü'", "'''ü\nü''' # ü", "x = f\"a{'b'}c\""])
def test_highlighting_of_what_spans(code):
    assert Elements(highlight(code)).text == code


def test_what_is_highlighted():
    drawn = highlight("def f():  # why\n    return 'a'\n")
    assert re.findall(r'<span class="(.)">(.*?)</span>', drawn) == [
        ("k", "def"),
        ("d", "f"),
        ("c", "# why"),
        ("k", "return"),
        ("s", "&#39;a&#39;"),
    ]


def test_a_function_without_source_says_so():
    names = {}
    exec(compile("def made(): pass", "<made>", "exec"), names)
    names["made"].__module__ = "made"
    assert "The source of this is not here." in source(names["made"])


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/hello/Ada", 200, "Hello, Ada!"),
        ("GET", "hello/Ada", 200, "Hello, Ada!"),
        ("GET", "/sum/19/23", 200, '{"a":19,"b":23,"sum":42}'),
        ("GET", "/sum/-19/23", 200, '{"a":-19,"b":23,"sum":4}'),
        ("GET", "/sum/" + "9" * 4300 + "/1", 400, "JavaScript has no whole numbers"),
        ("GET", "/sum/19/many", 404, ""),
        ("GET", "/days/1815-12-10", 200, "1815-12-10 is a Sunday."),
        ("GET", "/days/2026-02-30", 404, ""),
        ("GET", "/notes/2026/tea/green", 200, '["2026","tea","green"]'),
        ("DELETE", "/hello/Ada", 405, "Allow: GET, HEAD, OPTIONS"),
        ("OPTIONS", "/hello/Ada", 204, "Allow: GET, HEAD, OPTIONS"),
        ("HEAD", "/hello/Ada", 200, "Content-Length: 11"),
        ("GET", "/hello/<b>\r\n\0Käse", 200, "Hello, <b>"),
        ("GET", "", 404, ""),
    ],
)
def test_the_router_is_asked(browser, method, path, status, told):
    page = browser.get("/routes/", {"method": method, "path": path})
    answer = Elements(page.text.partition('id="answer"')[2]).text
    assert f"HTTP/1.1 {status} " in answer
    assert told in answer


def test_the_routes_answer_by_themselves(browser):
    assert browser.get("/routes/try/sum/19/23").json == {"a": 19, "b": 23, "sum": 42}


def test_a_method_that_is_not_offered(browser):
    assert "The method is one of GET, HEAD" in browser.get("/routes/?method=BREW", status=400)


def test_an_order_is_followed_by_a_redirect(browser):
    page = browser.get("/form/").forms[0]
    page["name"], page["cups"] = " <script>alert(1)</script> ", "3"
    sent = page.submit()
    assert sent.status_int == 303
    done = sent.follow()
    assert "Tea for &lt;script&gt;alert(1)&lt;/script&gt;: 3." in done
    assert "<script>" not in done


@pytest.mark.parametrize(
    ("name", "cups", "told"),
    [
        ("", "3", ["A name has"]),
        ("A" * 41, "3", ["A name has"]),
        ("Ada", "99", ["There are 1 to 12"]),
        ("Ada", "9" * 1000, ["There are 1 to 12"]),
        ("Ada", "three", ["There are 1 to 12"]),
        (" ", "", ["A name has", "There are 1 to 12"]),
    ],
)
def test_a_wrong_order_gets_the_form_again(browser, name, cups, told):
    page = browser.get("/form/").forms[0]
    page["name"], page["cups"] = name, cups
    again = page.submit(status=422)
    assert again.forms[0]["cups"].value == cups
    elements = Elements(again.text)
    wrong = [field for field in elements["input"] if field.get("aria-invalid")]
    described = {problem["id"] for problem in elements["p"] if problem.get("class") == "problem"}
    assert {field["aria-describedby"] for field in wrong} == described
    assert len(described) == len(told)
    for words in told:
        assert words in elements.text


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("x" * 2001, "application/x-www-form-urlencoded", 413),
        ("{}", "application/json", 415),
    ],
)
def test_an_order_that_is_no_form(browser, body, content_type, status):
    browser.post("/form/", body, {"Content-Type": content_type}, status=status)


def test_the_file_comes_in_parts(browser):
    page = browser.get("/files/").text
    size = int(re.search(r'data-size="(\d+)"', page)[1])
    digest = re.search(r'data-digest="(\w+)"', page)[1]
    parts = b""
    for start in range(0, size, size // 8):
        wanted = {"Range": f"bytes={start}-{start + size // 8 - 1}"}
        part = browser.get("/files/numbers.txt", headers=wanted, status=206)
        assert part.headers["Content-Range"].endswith(f"/{size}")
        parts += part.body
    assert sha256(parts).hexdigest() == digest
    assert parts.startswith(b"              1\n")
    whole = browser.get("/files/numbers.txt")
    assert whole.body == parts
    assert whole.headers["Content-Disposition"].startswith("attachment")


def test_the_files_on_the_wire(browser):
    text = Elements(browser.get("/files/").text).text
    assert "206 Partial Content" in text
    assert "\n          2,049\n          2,050\n          2,051\n" in text
    assert "304 Not Modified" in text


def test_the_files_are_listed(browser):
    assert "layers.svg" in browser.get("/files/all/")
    entries = browser.get("/files/all/tea/", headers={"Accept": "application/json"}).json
    assert [entry["name"] for entry in entries["entries"]] == ["Früchte & Kräuter.txt", "green.txt"]


@pytest.mark.parametrize(
    ("accept", "languages", "content_type", "language"),
    [
        ("text/html", "en", "text/html", "en"),
        ("application/json", "de-CH, fr;q=0.8", "application/json", "de"),
        ("text/plain", "ja, en;q=0.5", "text/plain", "ja"),
        ("*/*", "tlh", "text/html", "en"),
    ],
)
def test_a_greeting_as_the_client_likes_it(browser, accept, languages, content_type, language):
    asked = {"Accept": accept, "Accept-Language": languages}
    response = browser.get("/negotiation/greeting", headers=asked)
    assert response.content_type == content_type
    assert response.headers["Content-Language"] == language
    assert response.headers["Vary"] == "Accept, Accept-Language"
    assert response.json["language"] == "de" if language == "de" else True


def test_a_greeting_is_no_picture(browser):
    browser.get("/negotiation/greeting", headers={"Accept": "image/png"}, status=406)
    page = browser.get("/negotiation/", {"accept": "image/png", "language": "ü\n<b>"})
    assert "406 Not Acceptable" in page


def test_a_cookie_counts_and_is_forgotten(browser):
    page = browser.get("/cookies/")
    assert "<b>0</b> cups" in page
    page = page.forms[0].submit().follow()
    assert "<b>1</b> cup " in page
    page = page.forms[0].submit().follow()
    assert "Cookie: cups=2" in page
    page = page.forms[1].submit().follow()
    assert "<b>0</b> cups" in page


@pytest.mark.parametrize("cookie", ["cups=1e3", "cups=123456", "cups=-1", 'cups="<b>"', "cups=²"])
def test_a_cookie_may_be_anything(browser, cookie):
    cookie = cookie.encode().decode("latin-1")
    assert "<b>0</b> cups" in browser.get("/cookies/", extra_environ={"HTTP_COOKIE": cookie})


def test_the_countdown_is_sent_line_by_line(browser):
    blocks = []
    body = streaming.station(
        {**environ_of(browser), "PATH_INFO": "/count"}, lambda *started: blocks.append(started)
    )
    lines = list(body)
    body.close()
    assert lines[0] == b"10\n"
    assert lines[-1] == b"Tea is ready.\n"
    assert len(lines) == 11


def environ_of(browser):
    return browser.get("/").request.environ


def test_the_failure_as_a_visitor_sees_it(browser):
    page = browser.get("/errors/fail?as=visitor", status=500)
    assert "ZeroDivisionError" not in page
    assert "500" in page


def test_the_failure_as_the_developer_sees_it(browser):
    page = browser.get("/errors/fail", status=500)
    assert "ZeroDivisionError" in page
    assert "open sesame&#39;" not in page


def test_a_stranger_is_a_visitor(browser):
    stranger = {"REMOTE_ADDR": "192.0.2.1"}
    page = browser.get("/errors/fail", status=500, extra_environ=stranger)
    assert "ZeroDivisionError" not in page


def test_a_refusal_in_each_form(browser):
    text = Elements(browser.get("/errors/").text).text
    assert '"detail":"The last cup is taken.","cups":0}' in text
    assert "409 Conflict: The last cup is taken." in text
    assert "<h1>Conflict</h1>" in browser.get("/errors/sold-out", status=409)


def test_an_application_of_others(browser):
    assert "Hello world!" in browser.get("/layers/wsgiref/any/path")
    assert browser.get("/layers/plain").text == "No framework, no request object: just WSGI.\n"


def test_the_last_program_runs():
    names = {}
    exec(layers.HELLO, names)
    assert TestApp(names["app"]).get("/Ada").text == "Hello, Ada!"
    assert TestApp(names["app"]).get("/").text == "Hello, web!"


def test_the_layer_of_the_tour_is_one_by_the_book(capsys):
    layered = validator(stack(layers.timing(), validator(demo_app)))
    response = TestApp(layered, lint=False).get("/")
    assert response.headers["Server-Timing"].startswith("app;dur=")


def test_an_exchange_with_an_application_that_writes(browser):
    # An application may send its body by write() (PEP 3333), and replace its response.
    def app(environ, start_response):
        start_response("200 OK", [])
        write = start_response("404 Not Found", [], (None, None, None))
        write(b"x" * 1000)
        return StringIO()

    request = wsgikit.Request(environ_of(browser))
    exchange = wsgikit.demo.wire.Exchange(app, request, "GET", "/")
    assert "HTTP/1.1 404 Not Found" in exchange.html()
    assert exchange.html().count("x") == 700 + "text box".count("x")
    assert exchange.field("ETag") == ""


def test_the_tour_over_a_real_connection():
    with serving(app) as server:
        for path in PAGES:
            with urlopen(server.url + path) as response:
                assert b"<h1>" in response.read()
        wanted = ClientRequest(server.url + "/files/numbers.txt", headers={"Range": "bytes=-16"})
        with urlopen(wanted) as response:
            assert (response.status, response.read()) == (206, b"         65,536\n")
