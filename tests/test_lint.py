from __future__ import annotations

import gc
import logging
from io import BytesIO
from wsgiref.handlers import SimpleHandler
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

import wsgikit
from tests.test_composition import (
    Failure,
    Ledger,
    Server,
    applications,
    build,
    expected,
    model,
    play,
    stacks,
)
from wsgikit import Router, describe, lint, stack, when
from wsgikit.apps import cascade
from wsgikit.compose import layer
from wsgikit.lint import Violation
from wsgikit.middleware import body_limit, compress, errors, request_id

FIELDS = [("Content-Type", "text/plain")]


def hello(environ, start_response):
    start_response("200 OK", FIELDS)
    return [b"hello"]


@layer
def plain(app, *, name="plain"):
    return lambda environ, start_response: app(environ, start_response)


def environ_of(method="GET", body=b""):
    environ = {
        "REQUEST_METHOD": method,
        "QUERY_STRING": "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    setup_testing_defaults(environ)
    return environ


def exchanged(app, *, method="GET", body=b"", written=None):
    """What an application answers to a server that does all as it should."""

    def start_response(status, headers, exc_info=None):
        return blocks.append if written is None else written

    blocks = []
    response = app(environ_of(method, body), start_response)
    try:
        blocks += response
    finally:
        if hasattr(response, "close"):
            response.close()
    return b"".join(blocks)


def violation(app, **options):
    with pytest.raises(Violation) as raised:
        exchanged(lint(app), **options)
    return raised.value


# what is sound


def test_what_is_sound_passes():
    app = lint(stack(request_id(), compress(), errors(), hello))
    assert exchanged(app) == b"hello"
    assert TestApp(app).get("/").text == "hello"


def test_the_application_stays_as_it_is():
    app = stack(plain(), hello)
    seen = str(describe(app))
    assert lint(app) is not app
    assert str(describe(app)) == seen == "plain\nhello"


def test_an_application_alone_may_be_linted():
    assert exchanged(lint(hello)) == b"hello"
    assert violation(lambda environ, start_response: None).layer.endswith("lambda")


def test_it_is_public():
    assert wsgikit.lint is lint


@pytest.fixture
def _quiet():
    logger = logging.getLogger("wsgikit")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("_quiet")
@given(chosen=stacks, application=applications(), method=st.sampled_from(["GET", "HEAD"]))
def test_all_layers_of_wsgikit_pass(chosen, application, method):
    script, shape = application
    ledger = Ledger()
    app = lint(build(chosen, play(script, shape, ledger), ledger, None))
    server = Server(method)
    server.run(app)
    should = expected(model(chosen, script, method))
    assert [type(error) for error in server.raised] == [Failure] * should.failed
    assert ledger.closed == ledger.opened
    if should.sent or not should.failed:
        outcome = server.outcome()
        assert (outcome.status, outcome.tags) == (should.status, should.tags)
        assert should.body in (None, outcome.body)


# applications that break the rules


def started(*args, **options):
    """An application that calls start_response so."""

    def guilty(environ, start_response):
        start_response(*args, **options)
        return [b""]

    return guilty


def returning(body, status="200 OK", fields=FIELDS):
    def guilty(environ, start_response):
        start_response(status, fields)
        return body

    return guilty


def writing(*args, **options):
    def guilty(environ, start_response):
        start_response("200 OK", FIELDS)(*args, **options)
        return []

    return guilty


def reading(use):
    """An application that does something with the streams of the environ."""

    def guilty(environ, start_response):
        use(environ["wsgi.input"], environ["wsgi.errors"])
        start_response("200 OK", FIELDS)
        return [b""]

    return guilty


def twice(environ, start_response):
    start_response("200 OK", FIELDS)
    start_response("200 OK", FIELDS)
    return []


def twice_with_none(environ, start_response):
    start_response("200 OK", FIELDS)
    start_response("200 OK", FIELDS, None)
    return []


LONG = [*FIELDS, ("Content-Length", "3")]


def too_much_written(environ, start_response):
    write = start_response("200 OK", LONG)
    write(b"ab")
    write(b"cd")
    return []


APPLICATIONS = {
    "no status": (started("OK", FIELDS), "a status is a str such as '200 OK', not 'OK'"),
    "by name": (started(status="200 OK", headers=[]), "start_response is called with (status, "),
    "a field": (started("200 OK", [("X-A", "a\n")]), "X-A"),
    "twice": (twice, "start_response is called a second time only with exc_info"),
    "twice, None": (twice_with_none, "start_response is called a second time only with exc_info"),
    "None": (returning(None), "the body is an iterable of bytes, not None"),
    "bytes": (returning(b"hello"), "the body is an iterable of bytes, not bytes"),
    "a str among blocks": (returning([b"a", "b"]), "a block is bytes, not str"),
    "a bytearray": (returning([bytearray(b"a")]), "a block is bytes, not bytearray"),
    "no start": (lambda environ, start_response: [], "start_response was not called"),
    "late start": (lambda environ, start_response: [b""], "is called before the first block"),
    "more than said": (returning([b"ab", b"cd"], fields=LONG), "more content than Content-Length"),
    "more written": (too_much_written, "there is more content than Content-Length says"),
    "less than said": (returning([b"a", b"b"], fields=LONG), "less content than Content-Length"),
    "nothing of what is said": (returning([], fields=LONG), "less content than Content-Length"),
    "less written": (lambda environ, start: start("200 OK", LONG)(b"ab") or [], "less content"),
    "content in a 204": (returning([b"", b"a"], "204 No Content", []), "a 204 has no content"),
    "content in a 304": (returning([b"a"], "304 Not Modified", []), "a 304 has no content"),
    "a str written": (writing("a"), "a block is bytes, not str"),
    "nothing written": (writing(), "write() takes a block of bytes, by position"),
    "written by name": (writing(data=b"a"), "write() takes a block of bytes, by position"),
    "input closed": (reading(lambda input, errors: input.close()), "the server's to close"),
    "errors closed": (reading(lambda input, errors: errors.close()), "the server's to close"),
    "read": (reading(lambda input, errors: input.read(1, 2)), "take a size at most"),
    "readline": (reading(lambda input, errors: input.readline(1, 2)), "take a size at most"),
    "readlines": (reading(lambda input, errors: input.readlines(1, 2)), "take a size at most"),
    "bytes to errors": (reading(lambda input, errors: errors.write(b"a")), "takes str, not bytes"),
    "lines": (reading(lambda input, errors: errors.writelines(["a", b"b"])), "str, not bytes"),
}


@pytest.mark.parametrize(("app", "fault"), APPLICATIONS.values(), ids=APPLICATIONS)
def test_an_application_that_breaks_the_rules_is_named(app, fault):
    app.__qualname__ = "guilty"
    for stacked in (app, stack(plain(), app), stack(plain(), errors(), plain(), app)):
        found = violation(stacked)
        assert found.layer == "guilty"
        assert str(found).startswith("guilty: ")
        assert fault in str(found)


def read_whole(environ, start_response):
    environ["wsgi.input"].read()
    start_response("200 OK", FIELDS)
    return [b"read"]


LET_THROUGH = {
    "a 304 that tells the length of the 200": (returning([], "304 Not Modified", LONG), "GET", b""),
    "a HEAD that tells the length of the GET": (returning([], fields=LONG), "HEAD", b""),
    "blocks without content in a 204": (returning([b""], "204 No Content", []), "GET", b""),
    "a length of 0": (returning([], fields=[*FIELDS, ("Content-Length", "0")]), "GET", b""),
    "no Content-Type": (returning([b"a"], fields=[]), "GET", b"a"),
    "a Content-Type with a 204": (returning([], "204 No Content"), "GET", b""),
    "read() without a size": (read_whole, "POST", b"read"),
    "a name that ends in _": (returning([b"a"], fields=[*FIELDS, ("X-A_", "b")]), "GET", b"a"),
    "a name that ends in -": (returning([b"a"], fields=[*FIELDS, ("X-A-", "b")]), "GET", b"a"),
}


@pytest.mark.parametrize(("app", "method", "content"), LET_THROUGH.values(), ids=LET_THROUGH)
def test_what_is_allowed_is_let_through(app, method, content):
    assert exchanged(lint(stack(plain(), app)), method=method) == content


def test_less_content_is_told_of_the_one_that_sends_it():
    def cut(app, environ, start_response):
        body = app(environ, start_response)
        block, *_ = body
        body.close()
        return [block]

    app = stack(plain(), guilty_layer(cut), returning([b"ab", b"c"], fields=LONG))
    found = violation(app)
    assert (found.layer, str(found)[-47:]) == (
        "guilty(level=6)",
        " there is less content than Content-Length says",
    )


def test_a_body_that_is_closed_before_its_end_is_not_too_short():
    body = lint(stack(plain(), returning([b"a", b"b"], fields=LONG)))(environ_of(), start_response)
    assert next(iter(body)) == b"a"
    body.close()


# layers that break the rules


def guilty_layer(call):
    """``call(app, environ, start_response)`` as a layer."""

    @layer
    def guilty(app, *, level=1):
        return lambda environ, start_response: call(app, environ, start_response)

    return guilty(level=6)


def drained(app, environ, start_response):
    """Joins the body and forgets to close it."""
    return [b"".join(app(environ, start_response))]


def closing_twice(app, environ, start_response):
    body = app(environ, start_response)
    blocks = [*body]
    body.close()
    body.close()
    return blocks


def reading_on(app, environ, start_response):
    body = app(environ, start_response)
    body.close()
    return [*body]


def without_write(app, environ, start_response):
    def start(status, headers, exc_info=None):
        start_response(status, headers, exc_info)

    return app(environ, start)


def with_bad_field(app, environ, start_response):
    def start(status, headers, exc_info=None):
        return start_response(status, [*headers, ("X-Bad", 1)], exc_info)

    return app(environ, start)


def with_longer_content(app, environ, start_response):
    def start(status, headers, exc_info=None):
        return start_response(status, [*headers, ("Content-Length", "5")], exc_info)

    return [*app(environ, start), b"!"]


class Text:
    """An input that gives text."""

    def read(self, size=-1):
        return "text"

    readline = read

    def readlines(self, hint=-1):
        return ["text"]

    def __iter__(self):
        return iter(["text"])


def with_text_as_input(app, environ, start_response):
    environ["wsgi.input"] = Text()
    return app(environ, start_response)


LAYERS = {
    "by name": (
        lambda app, environ, start: app(environ=environ, start_response=start),
        "an application is called with (environ, start_response), by position",
    ),
    "an environ that is none": (
        lambda app, environ, start: app([*environ], start),
        "environ is a dict, not list",
    ),
    "without arguments": (lambda app, environ, start: app(), "an application is called with"),
    "an environ too small": (
        lambda app, environ, start: app({"PATH_INFO": "/"}, start),
        "environ has no REQUEST_METHOD",
    ),
    "a number in the environ": (
        lambda app, environ, start: app(environ | {"X": 1}, start),
        "X is a str of Latin-1 characters, not 1",
    ),
    "not closed": (drained, " was not closed"),
    "closed twice": (closing_twice, " was closed twice"),
    "read on": (reading_on, "a body is asked for no block after it was closed"),
    "no write()": (without_write, "start_response returns write(data), not None"),
    "a field": (with_bad_field, "the name and the value of a field are str"),
    "too long": (with_longer_content, "there is more content than Content-Length says"),
}


@pytest.mark.parametrize(("call", "fault"), LAYERS.values(), ids=LAYERS)
def test_a_layer_that_breaks_the_rules_is_named(call, fault):
    part = guilty_layer(call)
    for layers in ((part,), (plain(), part, plain()), (errors(), part), (plain(), part)):
        app = stack(*layers, hello)
        found = violation(app)
        assert found.layer == "guilty(level=6)"
        assert fault in str(found)


@pytest.mark.parametrize(
    "read",
    [
        lambda stream, errors: stream.read(),
        lambda stream, errors: stream.read(5),
        lambda stream, errors: stream.readline(),
        lambda stream, errors: stream.readlines(),
        lambda stream, errors: [*stream],
    ],
    ids=["read", "read some", "readline", "readlines", "iterate"],
)
def test_a_layer_whose_input_gives_text_is_named(read):
    app = stack(plain(), guilty_layer(with_text_as_input), plain(), reading(read))
    found = violation(app)
    assert found.layer == "guilty(level=6)"
    assert str(found).endswith("wsgi.input gives bytes, not str")


def test_streams_are_used_as_ever():
    def app(environ, start_response):
        stream, log = environ["wsgi.input"], environ["wsgi.errors"]
        log.write("a")
        log.writelines(["b", "c"])
        log.flush()
        start_response("200 OK", FIELDS)
        return [stream.readline(), stream.read(2), stream.readlines(1)[0], b"|", *stream]

    app = lint(stack(body_limit(max_size=100), app))
    assert exchanged(app, method="POST", body=b"a\nbcd\ne\nf\n") == b"a\nbcd\n|e\nf\n"


def test_writing_works():
    def app(environ, start_response):
        start_response("200 OK", [*FIELDS, ("Content-Length", "4")])(b"ab")
        return [b"cd"]

    assert exchanged(lint(stack(plain(), app))) == b"abcd"


def test_foreign_layers_are_named():
    class Foreign:
        def __init__(self, app):
            self.app = app

        def __call__(self, environ, start_response):
            return [b"".join(self.app(environ, start_response))]

    found = violation(stack(plain(), Foreign, hello))
    assert found.layer.endswith("Foreign")


def test_a_layer_under_a_condition_is_named_with_it():
    part = when(lambda environ: True, guilty_layer(drained))
    found = violation(stack(plain(), part, hello))
    assert found.layer.startswith("when(predicate=")
    assert "layer=guilty(level=6)" in found.layer


def test_a_layer_made_of_layers_is_looked_into():
    def hardened(app):
        return stack(plain(), guilty_layer(drained), plain(), app)

    assert exchanged(lint(stack(plain(), lambda app: stack(plain(), app), hello))) == b"hello"
    assert violation(stack(plain(), hardened, hello)).layer == "guilty(level=6)"


def test_a_layer_that_gives_an_application_with_parts():
    def refuse(environ, start_response):
        start_response("404 Not Found", FIELDS)
        return [b""]

    app = stack(plain(), lambda app: cascade(refuse, app), guilty_layer(drained), hello)
    assert violation(app).layer == "guilty(level=6)"


def test_a_layer_that_adds_nothing():
    assert exchanged(lint(stack(lambda app: app, hello))) == b"hello"


def test_what_a_router_holds_is_looked_into():
    router = Router()
    router.mount("/", stack(plain(), guilty_layer(drained), hello), plain())
    assert violation(stack(plain(), router)).layer == "guilty(level=6)"


def test_what_answers_a_head_in_place_of_get_is_looked_into():
    router = Router()
    router.add("/", hello, guilty_layer(drained))
    assert violation(router, method="HEAD").layer == "guilty(level=6)"


# the server


def start_response(status, headers, exc_info=None):
    return lambda data: None


SERVERS = {
    "environ": (lambda app: app({}, start_response), "environ has no REQUEST_METHOD"),
    "start_response": (lambda app: app(environ_of(), None), "start_response is a function"),
    "no write()": (lambda app: app(environ_of(), lambda *args: None), "returns write(data)"),
    "read on": (lambda app: read_on(app), "a body is asked for no block after it was closed"),
}


def read_on(app):
    body = app(environ_of(), start_response)
    body.close()
    next(iter(body))


@pytest.mark.parametrize(("serve", "fault"), SERVERS.values(), ids=SERVERS)
def test_a_server_that_breaks_the_rules_is_named(serve, fault):
    with pytest.raises(Violation, match="the server: ") as raised:
        serve(lint(stack(hello)))
    assert raised.value.layer == "the server"
    assert fault in str(raised.value)


def test_a_server_may_close_again():
    body = lint(stack(plain(), hello))(environ_of(), start_response)
    body.close()
    body.close()


def test_a_server_may_use_its_environ_again():
    app = lint(stack(plain(), hello))
    environ = environ_of()
    for _ in range(2):
        body = app(environ, start_response)
        assert [*body] == [b"hello"]
        body.close()


# failures


@pytest.mark.usefixtures("_quiet")
def test_what_a_layer_catches_is_not_lost():
    """``errors`` would answer it by a page of 500, and the test would look at that."""

    def late(environ, start_response):
        start_response("200 OK", FIELDS)
        yield b"a"
        yield "b"

    late.__qualname__ = "late"
    assert violation(stack(errors(), late)).layer == "late"
    assert violation(stack(plain(), errors(), plain(), errors(), late)).layer == "late"


def swallowing(app):
    """A layer that makes another failure of each."""

    def answer(environ, start_response):
        try:
            body = app(environ, start_response)
            blocks = [*body]
            body.close()
        except AssertionError:
            raise KeyError("something else") from None
        return blocks

    return answer


def swallowing_late(app):
    def answer(environ, start_response):
        try:
            body = app(environ, start_response)
            yield from body
            body.close()
        except AssertionError:
            if environ["REQUEST_METHOD"] == "GET":
                raise KeyError("something else") from None
        start_response("200 OK", FIELDS)

    return answer


def swallowing_when_closed(app):
    class Closing:
        def __init__(self, body):
            self.body = body

        def __iter__(self):
            return iter([b""])

        def close(self):
            try:
                list(self.body)
            except AssertionError:
                pass
            self.body.close()

    def answer(environ, start_response):
        start_response("200 OK", FIELDS)
        return Closing(app(environ, lambda *args: lambda data: None))

    return answer


@pytest.mark.parametrize("part", [swallowing, swallowing_late, swallowing_when_closed])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_layer_makes_something_else_of_is_not_lost(part, method):
    found = violation(stack(part, guilty_layer(drained), returning(["text"])), method=method)
    assert found.layer == "returning.guilty"


@pytest.mark.parametrize("part", [lambda app: app, swallowing, plain()], ids=["-", "made", "plain"])
def test_failures_pass(part):
    def failing(environ, start_response):
        raise Failure("in the call")

    def failing_later(environ, start_response):
        start_response("200 OK", FIELDS)
        yield b"a"
        raise Failure("in the body")

    for app in (failing, failing_later):
        with pytest.raises(Failure):
            exchanged(lint(stack(part, app)))


def test_a_body_that_fails_to_close_is_closed_once():
    closed = []

    class Body:
        def __iter__(self):
            return iter([b"a"])

        def close(self):
            closed.append(self)
            raise Failure("when closed")

    body = lint(stack(plain(), returning(Body())))(environ_of(), start_response)
    assert [*body] == [b"a"]
    with pytest.raises(Failure):
        body.close()
    body.close()
    assert len(closed) == 1


def test_the_server_of_the_standard_library_serves_it():
    class Handler(SimpleHandler):
        http_version = "1.1"
        origin_server = False

    out = BytesIO()
    environ = environ_of()
    handler = Handler(environ["wsgi.input"], out, environ["wsgi.errors"], environ)
    handler.run(lint(stack(compress(), hello)))
    assert out.getvalue().endswith(b"\r\n\r\nhello")


def test_nothing_is_left_behind():
    body = lint(stack(plain(), hello))(environ_of(), start_response)
    del body
    gc.collect()  # a body that nobody iterates says nothing when it goes


def test_the_body_that_was_not_closed_is_named():
    found = violation(stack(guilty_layer(drained), hello))
    assert str(found) == "guilty(level=6): the body of hello was not closed"
    found = violation(stack(guilty_layer(closing_twice), plain(), hello))
    assert str(found) == "guilty(level=6): the body of plain() was closed twice"
