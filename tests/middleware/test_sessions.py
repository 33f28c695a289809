from __future__ import annotations

import json
import logging
from base64 import urlsafe_b64decode
from http.cookies import SimpleCookie
from threading import Barrier, Thread
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clock import Clock
from tests.wrap.doubles import Server
from wsgikit import HTTPError, Request, Response, Router, check, stack
from wsgikit.apps import cascade
from wsgikit.middleware import cache_control, errors, proxy_headers, sessions
from wsgikit.stores import MemoryStore, StoreError

KEY = "a key of thirty-two bytes, random"
DAY = 24 * 60 * 60


class Browser:
    """Asks an application by https, and keeps the cookies that it sets."""

    def __init__(self, app, jar=None, **environ):
        self.app = validator(app)
        self.jar = {} if jar is None else dict(jar)
        self.environ = {"wsgi.url_scheme": "https", "HTTP_HOST": "example.com", **environ}

    def get(self, path, **environ):
        answer = self.ask(path, **environ)
        for morsel in answer.cookies.values():
            if morsel["max-age"] == "0":
                self.jar.pop(morsel.key, None)
            else:
                self.jar[morsel.key] = morsel.value
        return answer

    def ask(self, path, **environ):
        environ = {
            **self.environ,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            **environ,
        }
        if self.jar:
            environ["HTTP_COOKIE"] = "; ".join(
                f"{name}={value}" for name, value in self.jar.items()
            )
        setup_testing_defaults(environ)
        answer = Answer()
        body = self.app(environ, answer.start)
        try:
            answer.text = b"".join(body).decode()
        finally:
            body.close()
        return answer


class Answer:
    def start(self, status, headers, exc_info=None):
        self.status, self.fields = int(status[:3]), headers
        return lambda block: None

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    @property
    def cookies(self):
        cookies = SimpleCookie()
        for value in self.all("Set-Cookie"):
            cookies.load(value)
        return cookies


router = Router()


@router.get("/plain")
def plain(request):
    return "plain"


@router.get("/look")
def look(request):
    return json.dumps(request.session)


@router.get("/count")
def count(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return str(request.session["count"])


@router.get("/set/{name}/{value}")
def put(request, name, value):
    request.session[name] = value
    return "set"


@router.get("/append")
def append(request):
    request.session.setdefault("cart", []).append(len(request.session.get("cart", ())))
    return json.dumps(request.session["cart"])


@router.get("/sign-in")
def sign_in(request):
    request.session.rotate()
    request.session["user"] = "ann"
    return "in"


@router.get("/sign-out")
def sign_out(request):
    request.session.clear()
    return "out"


@router.get("/again")
def again(request):
    request.session.clear()
    request.session["user"] = "bob"
    return "another"


@router.get("/empty")
def empty(request):
    for name in [*request.session]:
        del request.session[name]
    return "empty"


@router.get("/flash")
def flash(request):
    request.session.flash("Saved.")
    return Response.redirect("/flashes")


@router.get("/flashes")
def flashes(request):
    return json.dumps(request.session.flashes())


@router.get("/fails")
def fails(request):
    request.session["half"] = "done"
    raise ZeroDivisionError


@router.get("/refuses")
def refuses(request):
    request.session.flash("No.")
    raise HTTPError(404)


def site(**options):
    return stack(errors(), sessions(**options), validator(router))


# What is kept


def test_what_is_put_in_is_there_at_the_next_request(kept):
    browser = Browser(site(**kept))
    assert [browser.get("/count").text for _ in range(3)] == ["1", "2", "3"]
    assert json.loads(browser.get("/look").text) == {"count": 3}


def test_visitors_have_sessions_of_their_own(kept):
    app = site(**kept)
    one, other = Browser(app), Browser(app)
    one.get("/count")
    assert one.get("/count").text == "2"
    assert other.get("/count").text == "1"


def test_a_change_inside_of_a_value_is_kept(kept):
    browser = Browser(site(**kept))
    assert [browser.get("/append").text for _ in range(3)] == ["[0]", "[0, 1]", "[0, 1, 2]"]


def test_the_cookie_is_as_strict_as_cookies_are(kept):
    answer = Browser(site(**kept)).get("/count")
    (cookie,) = answer.all("Set-Cookie")
    assert cookie.startswith("__Host-session=")
    assert cookie.endswith("; Max-Age=604800; Path=/; Secure; HttpOnly; SameSite=Lax")


def test_text_of_any_kind(kept):
    browser = Browser(site(**kept))
    browser.get('/set/name/Zo\u00eb \u2603; \\"'.encode().decode("latin-1"))
    assert json.loads(browser.get("/look").text) == {"name": 'Zo\u00eb \u2603; \\"'}


def test_sessions_of_two_layers_are_two():
    store = MemoryStore()
    inner = sessions(count_app, store=store, name="inner")
    app = sessions(inner, store=store, name="outer")
    browser = Browser(app)
    assert browser.get("/").text == "1"
    assert browser.get("/").text == "2"
    jar = {"__Host-inner": browser.jar["__Host-inner"]}
    assert (
        Browser(
            sessions(count_app, store=store, name="other"), {"__Host-other": jar["__Host-inner"]}
        )
        .get("/")
        .text
        == "1"
    )


@Request.application
def count_app(request):
    return count(request)


def test_requests_of_one_environ_have_one_session(kept):
    @Request.application
    def view(request):
        request.session["a"] = 1
        assert Request(request.environ).session is request.session
        assert Request({**request.environ}).session is request.session
        return json.dumps(request.session)

    browser = Browser(sessions(cascade(router, view), **kept))
    browser.get("/elsewhere")
    assert browser.get("/look").text == '{"a": 1}'


def test_an_application_that_starts_late(kept):
    def app(environ, start_response):
        session = Request(environ).session
        session["count"] = session.get("count", 0) + 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield str(session["count"]).encode()

    browser = Browser(sessions(validator(app), **kept))
    assert [browser.get("/").text for _ in range(2)] == ["1", "2"]


def test_without_the_layer_it_is_said_what_is_missing():
    with pytest.raises(LookupError, match=r"sessions\(\)"):
        Request({}).session  # noqa: B018


# Untouched


def test_a_request_that_does_not_ask_is_left_alone(kept):
    browser = Browser(site(**kept))
    bare = Browser(router).get("/plain").fields
    assert browser.get("/plain").fields == bare
    browser.get("/count")
    assert browser.get("/plain").fields == bare


def test_a_store_is_not_asked_for_nothing():
    class Untouchable:
        compare_and_set = None  # so a store is known

        def __getattr__(self, name):
            raise AssertionError(name)

    app = sessions(router, store=Untouchable())
    assert Browser(app, {"__Host-session": "A" * 43}).get("/plain").text == "plain"


def test_looking_sets_no_cookie(kept):
    answer = Browser(site(**kept)).get("/look")
    assert (answer.text, answer.all("Set-Cookie")) == ("{}", [])
    assert (answer.all("Vary"), answer.all("Cache-Control")) == (["Cookie"], ["private"])


def test_a_session_that_is_not_changed_sets_no_cookie(kept):
    browser = Browser(site(**kept))
    browser.get("/count")
    assert browser.get("/look").all("Set-Cookie") == []


# Caches


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ([], "private"),
        (["no-store"], "no-store"),
        (["private, max-age=5"], "private, max-age=5"),
        (["max-age=60"], "private, max-age=60"),
        (["public, max-age=60"], "private, max-age=60"),
        (["PUBLIC", "s-maxage=9, no-cache"], "private, no-cache"),
        (['private="Set-Cookie", max-age=60'], "private, max-age=60"),
        (["proxy-revalidate"], "private"),
    ],
)
def test_no_cache_of_many_keeps_it(own, told, kept):
    @Request.application
    def view(request):
        request.session.get("user")
        headers = [("Cache-Control", value) for value in own]
        return Response("text", headers=[*headers, ("Vary", "Accept")])

    answer = Browser(sessions(view, **kept)).get("/")
    assert answer.all("Cache-Control") == [told]
    assert answer.all("Vary") == ["Accept, Cookie"]


def test_rules_of_cache_control_see_whose_it_is(kept):
    app = stack(cache_control(rules={"*": "public, max-age=60"}), sessions(**kept), router)
    browser = Browser(app)
    assert "public" not in browser.get("/count").all("Cache-Control")[0]
    assert "public" not in browser.get("/look").all("Cache-Control")[0]
    assert browser.get("/plain").all("Cache-Control") == ["public, max-age=60"]


# Ends


def test_a_session_is_over_when_it_was_not_used(kept, clock):
    browser = Browser(site(idle=100, absolute=1000, **kept))
    browser.get("/count")
    clock.now += 99
    assert browser.get("/count").text == "2"
    clock.now += 100
    assert browser.get("/count").text == "1"


def test_reading_it_is_using_it(kept, clock):
    browser = Browser(site(idle=100, absolute=1000, **kept))
    browser.get("/count")
    for _ in range(5):
        clock.now += 60
        (cookie,) = browser.get("/look").all("Set-Cookie")
        assert "; Max-Age=100;" in cookie
    clock.now += 9
    assert browser.get("/look").all("Set-Cookie") == []
    assert browser.get("/count").text == "2"


def test_it_is_over_at_last_however_much_it_is_used(kept, clock):
    browser = Browser(site(idle=100, absolute=250, **kept))
    browser.get("/count")
    for text in ("2", "3", "4"):
        clock.now += 80
        answer = browser.get("/count")
        assert answer.text == text
    assert "; Max-Age=10;" in answer.all("Set-Cookie")[0]
    clock.now += 10
    answer = browser.get("/count")
    assert answer.text == "1"
    assert "; Max-Age=100;" in answer.all("Set-Cookie")[0]


def test_signing_out_removes_the_cookie(kept):
    browser = Browser(site(**kept))
    browser.get("/sign-in")
    assert browser.jar
    (cookie,) = browser.get("/sign-out").all("Set-Cookie")
    assert cookie.startswith("__Host-session=; ")
    assert browser.jar == {}
    assert browser.get("/look").text == "{}"


def test_signing_out_of_nothing_sets_nothing(kept):
    assert Browser(site(**kept)).get("/sign-out").all("Set-Cookie") == []


def test_an_empty_session_is_none(kept):
    browser = Browser(site(**kept))
    browser.get("/count")
    browser.get("/empty")
    assert browser.jar == {}


def test_a_copy_of_a_stored_session_ends_with_it():
    app = site(store=MemoryStore())
    browser = Browser(app)
    browser.get("/sign-in")
    thief = Browser(app, browser.jar)
    assert "ann" in thief.get("/look").text
    browser.get("/sign-out")
    assert thief.get("/look").text == "{}"


def test_a_copy_of_a_signed_one_does_not():
    app = site(keys=[KEY])
    browser = Browser(app)
    browser.get("/sign-in")
    copy = Browser(app, browser.jar)
    browser.get("/sign-out")
    assert "ann" in copy.get("/look").text


# Rotation


def test_rotation_gives_another_id_and_keeps_what_is_there(kept, clock):
    app = site(**kept)
    browser = Browser(app)
    browser.get("/count")
    before = dict(browser.jar)
    clock.now += 1
    browser.get("/sign-in")
    assert browser.jar != before
    assert json.loads(browser.get("/look").text) == {"count": 1, "user": "ann"}
    assert "ann" not in Browser(app, before).get("/look").text
    if "store" in kept:
        assert Browser(app, before).get("/look").text == "{}"


def test_rotation_begins_the_absolute_time_anew(kept, clock):
    browser = Browser(site(idle=100, absolute=100, **kept))
    browser.get("/count")
    clock.now += 90
    browser.get("/sign-in")
    clock.now += 90
    assert "ann" in browser.get("/look").text


def test_what_is_put_in_after_the_end_is_another_session(kept):
    app = site(**kept)
    browser = Browser(app)
    browser.get("/sign-in")
    before = dict(browser.jar)
    browser.get("/again")
    assert browser.get("/look").text == '{"user": "bob"}'
    assert browser.jar != before
    if "store" in kept:
        assert Browser(app, before).get("/look").text == "{}"


# Forgeries


def test_an_id_is_never_one_that_a_client_has_thought_of():
    planted = "B" * 43
    browser = Browser(site(store=MemoryStore()), {"__Host-session": planted})
    assert browser.get("/count").text == "1"
    assert browser.jar["__Host-session"] != planted
    assert len(browser.jar["__Host-session"]) == 43


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "A" * 43,
        "A" * 4000,
        "..",
        "a.1.b",
        "\u2603".encode().decode("latin-1"),
        '"',
        "\x7f",
    ],
    ids=["empty", "short", "id", "long", "dots", "token", "snowman", "quote", "control"],
)
def test_bad_cookies_are_none(value, kept):
    answer = Browser(site(**kept), {"__Host-session": value}).get("/look")
    assert (answer.status, answer.text, answer.all("Set-Cookie")) == (200, "{}", [])


@given(value=st.text(st.characters(max_codepoint=255), max_size=200))
def test_no_cookie_fails(value):
    for options in ({"keys": [KEY]}, {"store": MemoryStore()}):
        app = sessions(router, **options)
        environ = {"wsgi.url_scheme": "https", "HTTP_COOKIE": f"__Host-session={value}"}
        setup_testing_defaults(environ)
        environ["PATH_INFO"] = "/look"
        assert b"".join(app(environ, lambda status, headers, exc_info=None: None)) == b"{}"


def test_a_signed_session_changed_in_any_place_is_none(clock):
    app = site(keys=[KEY], clock=clock)
    browser = Browser(app)
    browser.get("/sign-in")
    value = browser.jar["__Host-session"]
    for place in range(len(value)):
        other = "A" if value[place] != "A" else "B"
        forged = value[:place] + other + value[place + 1 :]
        assert Browser(app, {"__Host-session": forged}).ask("/look").text == "{}"


def test_a_session_of_another_name_or_key_is_none():
    browser = Browser(site(keys=[KEY]))
    browser.get("/sign-in")
    value = browser.jar["__Host-session"]
    assert Browser(site(keys=["another key, as long as it"]), browser.jar).get("/look").text == "{}"
    named = Browser(site(keys=[KEY], name="admin"), {"__Host-admin": value})
    assert named.get("/look").text == "{}"


def test_keys_change_without_anybody_being_signed_out():
    old, new = "the old key, of enough bytes", "the new key, of enough bytes"
    browser = Browser(site(keys=[old]))
    browser.get("/sign-in")
    browser.app = validator(site(keys=[new, old]))
    assert "ann" in browser.get("/look").text  # and signed anew
    browser.app = validator(site(keys=[new]))
    assert "ann" in browser.get("/look").text


def test_a_store_knows_no_ids():
    written = []

    class Spy(MemoryStore):
        def set(self, key, value, *, expires=None):
            written.append(f"{key} {value!r}")
            super().set(key, value, expires=expires)

    browser = Browser(site(store=Spy()))
    browser.get("/sign-in")
    (line,) = written
    assert browser.jar["__Host-session"] not in line
    assert line.startswith("session:session:")


def test_a_signed_session_can_be_read_by_its_holder():
    browser = Browser(site(keys=[KEY]))
    browser.get("/sign-in")
    payload = browser.jar["__Host-session"].partition(".")[0]
    assert urlsafe_b64decode(payload + "==").endswith(b' {"user":"ann"}')


def test_what_is_damaged_in_a_store_is_none():
    store = MemoryStore()
    browser = Browser(site(store=store))
    browser.get("/count")
    (name,) = store._entries
    store.set(name.decode(), b"1000000000 1000000000 not JSON")
    assert browser.get("/look").text == "{}"


# Flashes


def test_a_message_is_shown_once_after_a_redirect(kept):
    browser = Browser(site(**kept))
    assert browser.get("/flash").status == 303
    assert browser.get("/flashes").text == '[["Saved.", "info"]]'
    assert browser.get("/flashes").text == "[]"
    assert browser.jar == {}


# Failures


def test_half_of_what_a_failed_request_has_done_is_not_kept(kept, caplog):
    browser = Browser(site(**kept))
    answer = browser.get("/fails")
    assert (answer.status, answer.all("Set-Cookie")) == (500, [])
    assert browser.get("/look").text == "{}"


@pytest.mark.parametrize("order", ["inside", "outside"])
def test_an_error_that_is_an_answer_keeps_it(order, kept):
    layers = [errors(), sessions(**kept)]
    browser = Browser(stack(*layers[:: 1 if order == "inside" else -1], router))
    assert browser.get("/refuses").status == 404
    assert browser.get("/flashes").text == '[["No.", "info"]]'


def test_a_failure_after_the_start_has_its_cookie_too(kept, caplog):
    def app(environ, start_response):
        Request(environ).session["a"] = "b"
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b""
        raise ZeroDivisionError

    browser = Browser(stack(sessions(**kept), errors(), app))
    answer = browser.get("/")
    assert answer.status == 500
    assert len(answer.all("Set-Cookie")) == 1
    browser.app = validator(site(**kept))
    assert browser.get("/look").text == '{"a": "b"}'


@pytest.mark.parametrize("order", ["inside", "outside"])
def test_too_much_for_a_cookie_is_a_clear_error(order, caplog):
    @Request.application
    def view(request):
        request.session["text"] = "a" * 3000
        return "never"

    layers = [errors(), sessions(keys=[KEY])]
    answer = Browser(stack(*layers[:: 1 if order == "inside" else -1], view)).get("/")
    assert (answer.status, answer.all("Set-Cookie")) == (500, [])
    (record,) = caplog.records
    error = str(record.exc_info[1])
    assert error.startswith("the session has 3011 bytes of JSON, and a cookie holds about 29")
    assert error.endswith("give sessions() a store")


def test_as_much_as_is_told_fits_into_a_cookie():
    @Request.application
    def view(request):
        request.session["text"] = "a" * (2900 - len('{"text":""}'))
        return "fits"

    answer = Browser(sessions(view, keys=[KEY], name="n" * 50)).get("/")
    (cookie,) = answer.all("Set-Cookie")
    assert 3900 < len(cookie.partition(";")[0]) <= 4096


def test_what_cannot_be_saved_is_an_error(kept, caplog):
    @Request.application
    def view(request):
        request.session["what"] = object()
        return "never"

    assert Browser(stack(errors(), sessions(**kept), view)).get("/").status == 500
    assert "'what'" in str(caplog.records[0].exc_info[1])


def test_a_store_that_fails_is_an_error_for_who_asks(caplog):
    class Down(MemoryStore):
        def get(self, key):
            raise StoreError("down")

    browser = Browser(site(store=Down()), {"__Host-session": "A" * 43})
    assert browser.get("/plain").status == 200
    assert browser.get("/look").status == 500


def test_a_change_after_the_start_is_an_error(kept):
    @Request.application
    def view(request):
        request.session["a"] = 1

        def blocks():
            yield b"begun"
            with pytest.raises(RuntimeError, match="before that"):
                request.session["b"] = 2

        return Response.stream(blocks())

    browser = Browser(sessions(view, **kept))
    assert browser.get("/").text == "begun"


def too_late():
    return pytest.raises(RuntimeError, match=r"too late.* ask for request\.session before that")


def test_a_session_first_asked_for_in_a_streamed_body_is_an_error(kept):
    @Request.application
    def view(request):
        def blocks():
            yield b"begun"
            for _ in range(2):
                with too_late():
                    request.session["a"] = 1
            with too_late():
                Request({**request.environ}).session.flash("late")

        return Response.stream(blocks())

    browser = Browser(site(**kept))
    browser.get("/sign-in")
    browser.app = validator(sessions(view, **kept))
    answer = browser.get("/")
    assert answer.text == "begun"
    assert answer.all("Set-Cookie") == answer.all("Cache-Control") == []
    browser.app = validator(site(**kept))
    assert browser.get("/look").text == '{"user": "ann"}'


def test_a_session_first_asked_for_after_the_start_is_an_error(kept, caplog):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(Request(environ).session.get("user")).encode()]

    assert Browser(stack(errors(), sessions(**kept), app)).get("/").status == 500
    with too_late():
        raise caplog.records[0].exc_info[1]


def test_a_session_asked_for_in_time_is_read_in_a_streamed_body(kept):
    @Request.application
    def view(request):
        request.session.get("user")
        return Response.stream(str(request.session.get("user")).encode() for _ in range(2))

    browser = Browser(site(**kept))
    browser.get("/sign-in")
    browser.app = validator(sessions(view, **kept))
    answer = browser.get("/")
    assert (answer.text, answer.all("Cache-Control")) == ("annann", ["private"])


@pytest.mark.parametrize("order", ["inside", "outside"])
def test_the_page_of_a_stream_that_fails_at_once_has_the_session(order, kept, caplog):
    @Request.application
    def view(request):
        return Response.stream(1 / 0 for _ in range(1))

    def page(request, error):
        return f"Sorry, {request.session['user']}"

    browser = Browser(site(**kept))
    browser.get("/sign-in")
    layers = [errors(handlers={500: page}), sessions(**kept)]
    browser.app = validator(stack(*layers[:: 1 if order == "inside" else -1], view))
    answer = browser.get("/")
    assert (answer.status, answer.text) == (500, "Sorry, ann")
    assert len(caplog.records) == 1
    if order == "outside":
        assert answer.all("Cache-Control") == ["private"]


def test_the_page_of_a_stream_that_fails_later_is_not_sent(kept, caplog):
    def blocks():
        yield b"begun"
        raise ZeroDivisionError

    def page(request, error):
        return f"Sorry, {request.session['user']}"

    def app(environ, start_response):
        environ |= browser.environ
        environ["HTTP_COOKIE"] = "=".join(*browser.jar.items())
        return inner(environ, start_response)

    browser = Browser(site(**kept))
    browser.get("/sign-in")
    view = Request.application(lambda request: Response.stream(blocks()))
    inner = stack(sessions(**kept), errors(handlers={500: page}), view)
    server = Server().serve(app)
    assert (server.sent, [*map(type, server.errors)]) == (b"begun", [ZeroDivisionError])


def test_a_start_that_fails_is_none(kept, caplog):
    def page(request, error):
        return f"Sorry, {request.session['user']}"

    def failing(app):
        def answer(environ, start_response):
            def start(status, headers, exc_info=None):
                if exc_info is None:
                    raise ZeroDivisionError
                return start_response(status, headers, exc_info)

            return app(environ, start)

        return answer

    layers = [failing, sessions(**kept), errors(handlers={500: page})]
    browser = Browser(site(**kept))
    browser.get("/sign-in")
    browser.app = validator(stack(*layers, router))
    answer = browser.get("/plain")
    assert (answer.status, answer.text) == (500, "Sorry, ann")
    assert answer.all("Cache-Control") == ["private"]


# Several at once


def test_requests_at_once_keep_what_the_others_changed():
    store = MemoryStore()
    barrier = Barrier(8)

    @Request.application
    def view(request):
        session = request.session
        if request.path == "/begin":
            session["gone"] = "soon"
            return "begun"
        barrier.wait(20)
        session[request.path] = request.path
        session["last"] = request.path
        session.pop("gone")
        return "changed"

    app = sessions(view, store=store)
    browser = Browser(app)
    browser.get("/begin")
    threads = [
        Thread(target=Browser(app, browser.jar).ask, args=(f"/{number}",)) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    browser.app = validator(site(store=store))
    left = json.loads(browser.get("/look").text)
    assert left.pop("last") in left
    assert sorted(left) == [f"/{number}" for number in range(8)]


def meanwhile(store, change, path, **options):
    """A request changes the session while another one, which has read it, is under way."""
    plain_app = site(store=store, **options)
    browser = Browser(plain_app)
    browser.get("/set/a/1")

    @Request.application
    def view(request):
        session = request.session
        Browser(plain_app, browser.jar).get(path)
        change(session)
        return "done"

    answer = Browser(sessions(view, store=store, **options), browser.jar).ask("/")
    return answer, browser.get("/look").text


def test_a_session_that_was_ended_meanwhile_stays_so():
    answer, left = meanwhile(MemoryStore(), lambda session: session.update(b="2"), "/sign-out")
    assert answer.all("Set-Cookie") == []
    assert left == "{}"


@pytest.mark.parametrize(("end", "left"), [("/sign-out", 0), ("/empty", 0), ("/sign-in", 1)])
def test_what_was_ended_meanwhile_gets_no_other_id(end, left):
    def change(session):
        session["b"] = "2"
        session.rotate()

    store = MemoryStore()
    answer, _ = meanwhile(store, change, end)
    assert answer.all("Set-Cookie") == []
    assert len(store._entries) == left


@pytest.mark.parametrize("end", ["/sign-out", "/sign-in"])
def test_what_begins_after_the_end_does_not_go_on_with_it(end):
    def change(session):
        session.clear()
        session["user"] = "bob"
        session.rotate()

    answer, _ = meanwhile(MemoryStore(), change, end)
    (cookie,) = answer.all("Set-Cookie")
    assert "; Max-Age=604800;" in cookie


def test_of_one_name_the_last_writes():
    _, left = meanwhile(MemoryStore(), lambda session: session.update(a="3"), "/set/a/2")
    assert left == '{"a": "3"}'


def test_emptied_by_two_it_is_over():
    answer, left = meanwhile(MemoryStore(), lambda session: session.pop("a"), "/set/a/2")
    assert answer.all("Set-Cookie")[0].startswith("__Host-session=; ")
    assert left == "{}"


def test_what_is_damaged_meanwhile_is_written_anew():
    store = MemoryStore()

    def damage(session):
        (name,) = store._entries
        store.set(name.decode(), b"1000000000 1000000000 damaged")
        session["b"] = "2"

    _, left = meanwhile(store, damage, "/plain", clock=Clock())
    assert left == '{"b": "2"}'


def test_use_is_not_noted_over_a_change():
    store, clock = MemoryStore(), Clock()

    def later(session):
        clock.now += DAY  # the use would be noted

    clock.now -= 2 * DAY
    answer, left = meanwhile(store, later, "/set/b/2", clock=clock)
    assert answer.all("Set-Cookie") == []
    assert left == '{"a": "1", "b": "2"}'


# Where it is used


def test_by_http_at_home_the_cookie_is_plain(kept, caplog):
    home = {"wsgi.url_scheme": "http", "HTTP_HOST": "localhost:8000", "REMOTE_ADDR": "127.0.0.1"}
    browser = Browser(site(**kept), **home)
    (cookie,) = browser.get("/count").all("Set-Cookie")
    assert cookie.startswith("session=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert browser.get("/count").text == "2"
    browser.get("/sign-out")
    assert browser.jar == {}
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("wsgikit.sessions", logging.WARNING)


def test_behind_a_proxy_that_speaks_https(kept, caplog):
    app = stack(proxy_headers(trusted=["10.0.0.1"]), sessions(**kept), router)
    proxied = {
        "wsgi.url_scheme": "http",
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_X_FORWARDED_FOR": "192.0.2.1",
        "HTTP_X_FORWARDED_PROTO": "https",
    }
    (cookie,) = Browser(app, **proxied).get("/count").all("Set-Cookie")
    assert cookie.startswith("__Host-session=")
    assert caplog.records == []


def test_over_the_network_without_https_if_that_is_meant(kept):
    plain = {"wsgi.url_scheme": "http", "REMOTE_ADDR": "192.0.2.1"}
    browser = Browser(site(secure=False, **kept), **plain)
    assert [browser.get("/count").text for _ in range(2)] == ["1", "2"]


# Options


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({}, ValueError, "either keys"),
        ({"keys": [KEY], "store": MemoryStore()}, ValueError, "either keys"),
        ({"keys": KEY}, TypeError, "keys takes a list"),
        ({"keys": ["short"]}, ValueError, "keys takes secrets"),
        ({"keys": [KEY], "idle": 0}, ValueError, "idle"),
        ({"keys": [KEY], "absolute": "1"}, TypeError, "absolute"),
        ({"keys": [KEY], "name": "a;b"}, ValueError, "name"),
        ({"keys": [KEY], "secure": "yes"}, TypeError, "secure"),
        ({"keys": [KEY], "same_site": "no"}, ValueError, "same_site"),
    ],
)
def test_bad_options_are_named(options, kind, message):
    with pytest.raises(kind, match=message):
        sessions(router, **options)


def test_doubts():
    assert check(stack(errors(), sessions(keys=[KEY]), router)) == []
    (finding,) = check(stack(errors(), sessions(keys=[KEY], secure=False), router))
    assert finding.mend == "serve https"
    (finding,) = check(stack(sessions(keys=[KEY]), errors(), router))
    assert "errors() outside" in finding.mend
