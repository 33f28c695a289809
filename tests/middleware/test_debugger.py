from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from http.client import HTTPConnection, IncompleteRead
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import HTTPError, Request, Router, stack
from wsgikit.middleware import debugger, errors
from wsgikit.testing import serving

HERE = {"REMOTE_ADDR": "127.0.0.1"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def fails(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    raise ValueError("it failed")


def at_home(*parts: WSGIApplication) -> TestApp:
    """A client at this machine, with validators around the stack and its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))), extra_environ=HERE)


class Text(HTMLParser):
    """What a browser would make of a page: its elements and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: dict[str, str] = {}
        self.inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.inside = dict(attrs).get("id") or ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.ids[self.inside] = self.ids.get(self.inside, "") + data

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def test_browser_gets_a_page_and_the_log_the_traceback_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = at_home(errors(), debugger(), fails).get("/a", headers=BROWSER, status=500)
    assert answer.content_type == "text/html"
    assert "it failed" in answer.text
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["Cache-Control"] == "no-store"
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("wsgikit.errors", "GET /a failed")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/plain, text/html;q=0.5", ""])
def test_other_clients_get_text(accept: str) -> None:
    answer = at_home(debugger(), fails).get("/", headers={"Accept": accept}, status=500)
    assert answer.content_type == "text/plain"
    assert answer.text.startswith("Traceback (most recent call last):\n")
    assert answer.text.endswith("ValueError: it failed\n")


def test_head_gets_no_content() -> None:
    assert at_home(debugger(), fails).head("/", headers=BROWSER, status=500).body == b""


def test_policy_allows_the_one_script_of_the_page() -> None:
    answer = at_home(debugger(), fails).get("/", headers=BROWSER, status=500)
    (script,) = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert f"script-src 'sha256-{digest}'" in policy


# Who sees it

LOCAL = [
    {"HTTP_HOST": "localhost"},
    {"HTTP_HOST": "LOCALHOST:8000"},
    {"HTTP_HOST": "localhost:"},
    {"HTTP_HOST": "shop.localhost:8000"},
    {"HTTP_HOST": "127.0.0.1:8000"},
    {"HTTP_HOST": "127.9.9.9"},
    {"HTTP_HOST": "[::1]"},
    {"HTTP_HOST": "[::1]:8000", "REMOTE_ADDR": "::1"},
    {"REMOTE_ADDR": "127.1.2.3"},
    {"REMOTE_ADDR": "::ffff:127.0.0.1"},
    {"HTTP_ORIGIN": "http://localhost:5173"},
]

FOREIGN = [
    {"REMOTE_ADDR": "192.168.1.7"},
    {"REMOTE_ADDR": ""},
    {"REMOTE_ADDR": "::ffff:10.0.0.1"},
    {"REMOTE_ADDR": "127.0.0.1.evil"},
    {"REMOTE_ADDR": "127.0.0"},
    {"REMOTE_ADDR": "127.0.0.256"},
    {"REMOTE_ADDR": "127.0.0." + "1" * 5000},
    {"REMOTE_ADDR": "127.0.0.\xb2"},
    {"HTTP_HOST": ""},
    {"HTTP_HOST": "evil.example"},
    {"HTTP_HOST": "localhost.evil.example"},
    {"HTTP_HOST": "evil.example:localhost"},
    {"HTTP_HOST": "localhost:8000@evil.example"},
    {"HTTP_HOST": "127.0.0.1.nip.io"},
    {"HTTP_HOST": "[::1]evil.example"},
    {"HTTP_HOST": "[::1"},
    {"HTTP_HOST": "[::2]"},
    {"HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_ORIGIN": "null"},
    {"HTTP_FORWARDED": "for=127.0.0.1"},
    {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    {"HTTP_X_FORWARDED_PROTO": "https"},
    {"HTTP_X_REAL_IP": "127.0.0.1"},
    {"HTTP_VIA": "1.1 proxy"},
]


def named(case: dict[str, str]) -> str:
    return ascii(" ".join(f"{key}={value[:30]}" for key, value in case.items()))


def environ_with(changes: dict[str, str]) -> WSGIEnvironment:
    environ: WSGIEnvironment = TestApp(fails).RequestClass.blank("/").environ
    return {**environ, **HERE, **changes}


@pytest.mark.parametrize("changes", LOCAL, ids=named)
def test_shown_to_the_developer_at_this_machine(changes: dict[str, str]) -> None:
    statuses: list[str] = []
    debugger(fails)(environ_with(changes), lambda status, *rest: statuses.append(status))
    assert statuses == ["500 Internal Server Error"]


@pytest.mark.parametrize("changes", FOREIGN, ids=named)
def test_for_all_others_the_layer_is_not_there(
    changes: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    environ = environ_with(changes)
    stream = environ["wsgi.input"]
    with pytest.raises(ValueError, match="it failed"):
        debugger(fails)(environ, lambda *args: None)
    assert environ["wsgi.input"] is stream
    assert not caplog.records


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_no_address_host_or_origin_breaks_it(address: str, host: str, origin: str) -> None:
    environ = environ_with({"REMOTE_ADDR": address, "HTTP_HOST": host, "HTTP_ORIGIN": origin})
    with pytest.raises(ValueError, match="it failed"):
        debugger(fails)(environ, lambda *args: None)


def test_without_a_host_it_is_not_there() -> None:
    environ = environ_with({})
    del environ["HTTP_HOST"]
    with pytest.raises(ValueError, match="it failed"):
        debugger(fails)(environ, lambda *args: None)


# What passes


def test_http_errors_are_not_its_business() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        raise HTTPError(410)

    assert at_home(errors(), debugger(), app).get("/", status=410).text == "410 Gone\n"


def test_what_works_passes_block_by_block() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])(b"a")
        yield b"b"

    assert at_home(debugger(), app).get("/").text == "ab"


@pytest.mark.parametrize("blocks", [0, 1])
def test_failure_in_the_body_is_shown_as_long_as_nothing_was_sent(
    blocks: int, caplog: pytest.LogCaptureFixture
) -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield from [b"block"] * blocks
            raise ValueError("in the middle")

        def close(self) -> None:
            closed.append(True)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Body()

    with serving(stack(errors(), debugger(), app)) as server:
        connection = HTTPConnection(server.host, server.port)
        connection.request("GET", "/", headers={**BROWSER, "Connection": "close"})
        with connection.getresponse() as answer:
            if blocks:
                with pytest.raises(IncompleteRead):
                    answer.read()
            else:
                assert answer.status == 500
                assert b"in the middle" in answer.read()
        connection.close()
    assert closed == [True]
    assert caplog.text.count("ValueError: in the middle") == 1
    assert caplog.records[0].name == ("wsgikit.server" if blocks else "wsgikit.errors")


# What is on the page


def order() -> Router:
    router = Router()

    @router.post("/orders/{name}")
    def order(request: Request, name: str) -> object:
        password = request.form()["password"]
        assert password
        raise KeyError(name)

    return router


def test_request_is_shown_without_secrets() -> None:
    answer = at_home(debugger(), order()).post(
        "/orders/7?token=t0ken&size=L%20XL",
        {"password": "hunter2", "colour": "blue & <b>"},
        headers={**BROWSER, "Cookie": "id=c00kie", "Authorization": "Bearer b3arer"},
        status=500,
    )
    for part in ("L XL", "blue &amp; &lt;b&gt;", "[redacted]", "POST http://localhost:80/orders/7"):
        assert part in answer.text
    for secret in ("t0ken", "hunter2", "c00kie", "b3arer"):
        assert secret not in answer.text


def test_body_that_nobody_read_is_said_to_be_so() -> None:
    answer = at_home(debugger(), fails).post("/", "abc", headers=BROWSER, status=500)
    assert "3 bytes, of which nothing was read" in answer.text


def reading(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    raise ValueError


def test_body_of_text_is_shown() -> None:
    answer = at_home(debugger(), reading).post_json(
        "/", {"a": "<b>", "secret": "s3cret"}, headers=BROWSER, status=500
    )
    assert "{&quot;a&quot;: &quot;&lt;b&gt;&quot;, &quot;secret&quot;: [redacted]}" in answer.text


def test_form_of_very_many_fields_is_shown_as_it_came() -> None:
    form = {f"f{number}": "1" for number in range(200)}
    answer = at_home(debugger(), reading).post("/", form, headers=BROWSER, status=500)
    assert "<pre>f0=1&amp;f1=1" in answer.text


def test_hostile_input_is_inert() -> None:
    attack = "</script></pre><script>alert(1)</script><img src=x onerror=alert(1)>"

    class Hostile:
        def __repr__(self) -> str:
            return attack

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        value = Hostile()
        error = type(attack, (ValueError,), {})(attack)
        error.add_note(attack)
        environ[attack] = value
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        names = {"x": 1}
        exec(compile(f"raise error  # {attack}", attack, "exec"), {"error": error, attack: names})
        return []

    answer = TestApp(debugger(app), extra_environ=HERE, lint=False).post(
        "/" + attack.replace("<", "%3C").replace(">", "%3E"),
        attack,
        headers={**BROWSER, "X-Attack": attack, "Referer": attack, "Content-Type": "text/plain"},
        extra_environ={"QUERY_STRING": attack},
        status=500,
    )
    tags = Text(answer.text).tags
    assert tags.count("script") == 1
    assert "img" not in tags


def test_texts_to_copy_are_whole() -> None:
    answer = at_home(debugger(), fails).get("/x?a=%3C", headers=BROWSER, status=500)
    texts = Text(answer.text).ids
    assert texts["text"].endswith("ValueError: it failed\n")
    assert "http://localhost:80/x?a=%3C" in texts["curl"]
    assert "def test_get_x()" in texts["test"]
