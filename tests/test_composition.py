"""Random stacks of all layers over every kind of application that PEP 3333 allows.

An application is a *script*: what it does in the call, and what while its body is iterated. Each
layer has a model: the script that the application behind it seems to follow from outside. The
standard library's server runs the real stack, the model says what must come out.
"""

from __future__ import annotations

import logging
import sys
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from io import BytesIO
from wsgiref.handlers import SimpleHandler
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.apps import cascade
from wsgikit.compose import layer, stack, when
from wsgikit.describe import describe
from wsgikit.metrics import Metrics
from wsgikit.middleware import (
    access_log,
    allowed_hosts,
    ban,
    basic_auth,
    bearer_auth,
    body_limit,
    cache,
    cache_control,
    canary,
    compress,
    concurrency,
    conditional,
    cors,
    csrf,
    deadline,
    debugger,
    error_pages,
    errors,
    etag,
    fallback,
    hang_watchdog,
    head,
    https_redirect,
    maintenance,
    method_override,
    metrics,
    options,
    profile,
    proxy_headers,
    rate_limit,
    redirects,
    request_id,
    security_headers,
    server_timing,
    sessions,
    trace_context,
    trailing_slash,
)
from wsgikit.middleware.on_close import on_close as after_close
from wsgikit.request import Request
from wsgikit.stores import MemoryStore
from wsgikit.wrap import Transformer, add_headers, on_close, on_start, transform, without_body

LINES = {
    200: "200 OK",
    404: "404 Not Found",
    500: "500 Internal Server Error",
    503: "503 Service Unavailable",
}


# What happens, in order. A restart calls start_response with exc_info.


@dataclass(frozen=True)
class Start:
    status: int
    again: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Write:
    data: bytes


@dataclass(frozen=True)
class Block:
    data: bytes | None  # None: a layer's own page, whatever it says


@dataclass(frozen=True)
class Fail:
    pass


@dataclass(frozen=True)
class Script:
    call: tuple[object, ...]
    body: tuple[object, ...]


class Failure(Exception):
    """What applications fail with here."""


class Ledger:
    """Counts what was opened and closed; at the end of a response they must be equal."""

    def __init__(self):
        self.opened, self.closed = Counter(), Counter()


# Applications


def play(script, shape, ledger):
    """An application that follows ``script`` and returns a body of the given shape."""

    def app(environ, start_response):
        write = None

        def do(event):
            nonlocal write
            match event:
                case Start(status, again=False):
                    write = start_response(LINES[status], [("Content-Type", "text/plain")])
                case Start(status):
                    try:
                        raise Failure("to be replaced")
                    except Failure:
                        fields = [("Content-Type", "text/plain")]
                        write = start_response(LINES[status], fields, sys.exc_info())
                case Write(data):
                    write(data)
                case Fail():
                    raise Failure("failed")

        def blocks():
            for event in script.body:
                if isinstance(event, Block):
                    yield event.data
                else:
                    do(event)

        for event in script.call:
            do(event)
        return SHAPES[shape](blocks, environ, ledger)

    return app


class Iterator:
    def __init__(self, blocks, environ, ledger):
        self.blocks, self.ledger, self.ended = blocks(), ledger, False
        ledger.opened[self] += 1

    def __iter__(self):
        return self

    def __next__(self):
        assert not self.ended, "asked for a block after the end"
        try:
            return next(self.blocks)
        except BaseException:
            self.ended = True
            raise

    def close(self):
        self.ended = True
        self.ledger.closed[self] += 1


class Iterable(Iterator):
    def __iter__(self):
        return self.blocks


class File(BytesIO):
    def __init__(self, content, ledger):
        super().__init__(content)
        self.ledger = ledger
        ledger.opened["file"] += 1

    def close(self):
        self.ledger.closed["file"] += 1
        super().close()


def file(blocks, environ, ledger):
    return environ["wsgi.file_wrapper"](File(b"".join(blocks()), ledger), 2)


#: Of these, the blocks are known in the call.
EAGER = {
    "list": lambda blocks, environ, ledger: list(blocks()),
    "tuple": lambda blocks, environ, ledger: tuple(blocks()),
    "file": file,
}
LAZY = {
    "iterator": Iterator,
    "iterable": Iterable,
    "generator": lambda blocks, environ, ledger: blocks(),
    "without close": lambda blocks, environ, ledger: map(bytes, blocks()),
}
SHAPES = EAGER | LAZY

data = st.sampled_from([b"", b"a", b"bc"])
statuses = st.sampled_from([200, 404, 503])


@st.composite
def scripts(draw):
    late = draw(st.booleans())
    start = [Start(draw(statuses))]
    if not late:
        start += map(Write, draw(st.lists(data, max_size=2)))
    if draw(st.booleans()):
        start.append(Start(draw(statuses), again=True))
    body = [Block(block) for block in draw(st.lists(data, max_size=3))]
    match draw(st.sampled_from(["well", "well", "fails", "fails at once", "replaces"])):
        case "fails":
            body.append(Fail())
        case "fails at once":
            start, body = [*start[: draw(st.integers(0, len(start)))], Fail()], []
        case "replaces":
            body += [Start(draw(statuses), again=True), Block(b"replaced")]
    return Script((), (*start, *body)) if late else Script(tuple(start), tuple(body))


@st.composite
def applications(draw):
    script = draw(scripts())
    eager = all(isinstance(event, Block) for event in script.body)
    return script, draw(st.sampled_from(sorted(SHAPES if eager else LAZY)))


# Layers, each with its model


@layer
def plain(app):
    def answer(environ, start_response):
        return app(environ, start_response)

    return answer


@layer
def adding(app, *, tag):
    def answer(environ, start_response):
        return app(environ, add_headers(start_response, [("X-Tag", tag)]))

    return answer


@layer
def editing(app, *, tag):
    def edit(status, headers):
        return status, [*headers, ("X-Tag", tag)]

    def answer(environ, start_response):
        return app(environ, on_start(start_response, edit))

    return answer


@layer
def hooked(app, *, ledger):
    def answer(environ, start_response):
        body = app(environ, start_response)
        key = object()
        ledger.opened[key] += 1
        return on_close(body, lambda: ledger.closed.update([key]), environ)

    return answer


@layer
def bodiless(app):
    head = without_body(app)

    def answer(environ, start_response):
        return (head if environ["REQUEST_METHOD"] == "HEAD" else app)(environ, start_response)

    return answer


@layer
def unpacking(app):
    """A client that takes gzip, and shows what was in it."""

    def begin(status, headers):
        return Unpacked(headers) if ("Content-Encoding", "gzip") in headers else None

    def answer(environ, start_response):
        environ["HTTP_ACCEPT_ENCODING"] = "gzip"
        if environ["REQUEST_METHOD"] == "HEAD":
            return app(environ, start_response)
        return transform(app, environ, start_response, begin)

    return answer


def same(name, password):
    return name == password


def signed_in(layer, field):
    """A client that sends what lets it in, around the layer."""

    def sending(app):
        def answer(environ, start_response):
            environ["HTTP_AUTHORIZATION"] = field
            return app(environ, start_response)

        return answer

    def wrap(app):
        return stack(sending, layer, app)

    return wrap


def using(sessions, **options):
    """Sessions, and in them an application that uses its own, or does not."""

    def used(app):
        def use(environ, start_response):
            if environ["REQUEST_METHOD"] != "HEAD":
                Request(environ).session["used"] = True
            return app(environ, start_response)

        return use

    def wrap(app):
        return stack(sessions(**options), used, app)

    return wrap


class Unpacked(Transformer):
    def __init__(self, headers):
        self.headers = headers

    def whole(self, content):
        content = zlib.decompress(content, 31)
        self.stream()
        self.headers.append(("Content-Length", str(len(content))))
        return content

    def stream(self):
        self.unpack = zlib.decompressobj(31)
        gone = ("Content-Encoding", "Content-Length")
        self.headers[:] = [field for field in self.headers if field[0] not in gone]
        return True

    def feed(self, block):
        return self.unpack.decompress(block)

    def finish(self):
        assert self.unpack.eof
        return b""


def refuse(environ, start_response):
    start_response(LINES[404], [("Content-Type", "text/plain")])
    return [b"refused"]


def other(environ, start_response):
    start_response(LINES[200], [("Content-Type", "text/plain")])
    return [b"other"]


OTHER = Script((Start(200),), (Block(b"other"),))


def as_it_is(script, tag, method):
    return script


def tagging(script, tag, method):
    def tagged(event):
        return replace(event, tags=(*event.tags, tag)) if isinstance(event, Start) else event

    return Script(tuple(map(tagged, script.call)), tuple(map(tagged, script.body)))


def started(script):
    """The script of whoever waits for the start: the call, what was pulled, and the rest."""
    if any(isinstance(event, Start | Fail) for event in script.call):
        return script.call, (), script.body
    for index, event in enumerate(script.body):
        if isinstance(event, Block):
            return script.body[:index], (event,), script.body[index + 1 :]
    return script.body, (), ()


def without_content(script, tag, method):
    if method != "HEAD":
        return script
    call = tuple(event for event in started(script)[0] if not isinstance(event, Write))
    return Script(call, (Block(b""),))


class Judged:
    """What is seen of a script whose 404 is held back, as long as nothing was sent."""

    def __init__(self):
        self.seen, self.is_open, self.again = [], False, False
        self.sent = self.written = False

    def goes_on(self, event):
        """Whether the script goes on after this event."""
        match event:
            case Start(_, again=True) if self.written and not self.is_open:
                event = Fail()
            case Start(status, again) if not self.is_open or (again and not self.sent):
                self.again = self.again or self.is_open
                self.is_open = status != 404
            case Write() if not self.is_open:
                self.written = True
        if self.is_open or isinstance(event, Fail):
            self.seen.append(event)
            self.sent = self.sent or isinstance(event, Write | Block)
        return not isinstance(event, Fail)


def passed_over(script, tag, method):
    """cascade(app, other): a 404 is held back, with what is written to it."""
    call, pulled, rest = started(script)
    judged = Judged()
    if not all(map(judged.goes_on, call)):
        return Script((*judged.seen,), ())
    called, judged.seen = (*judged.seen,), []
    if not judged.is_open:
        return Script((*called, Start(200, judged.again)), OTHER.body)
    for event in pulled + rest:
        if isinstance(event, Block) and not judged.is_open:
            break
        if not judged.goes_on(event):
            return Script(called, (*judged.seen,))
    if not judged.is_open:
        judged.seen += [Start(200, again=True), *OTHER.body]
    return Script(called, (*judged.seen,))


def answered(script, tag, method):
    """errors(), debugger(): a failure is a page of 500, unless something was sent before."""
    rescue = Start(500, again=True)
    for index, event in enumerate(script.call):
        if isinstance(event, Fail):
            return Script((*script.call[:index], rescue), (Block(None),))
    for index, event in enumerate(script.body):
        if isinstance(event, Fail):
            return Script(script.call, (*script.body[:index], rescue, Block(None)))
    return script


def redirected(script, tag, method):
    """https_redirect(), as the requests here come by http."""
    return Script((Start(308),), (Block(b""),))


def held(script, which):
    """transform(): a response of these statuses starts once it has to, and as the last one says."""
    call, pulled, rest = started(script)
    seen, pending, is_open = [], None, False
    for event in call:
        if isinstance(event, Start) and not is_open:
            pending, is_open = event, event.status not in which
            seen += [event] if is_open else []
        elif isinstance(event, Write) and not is_open:
            seen += [pending, event]
            is_open = True
        else:
            seen.append(event)
        if isinstance(event, Fail):
            return Script(tuple(seen), ())
    return Script((*seen,) if is_open else (*seen, pending), pulled + rest)


def marked(script, tag, method):
    """etag(): what it lets through, it does not touch."""
    return script if method == "HEAD" else held(script, {200})


def asked(script, tag, method):
    """cache(): what is not to be kept is let through, once it has started."""
    return held(script, set())


def waited_for(script, tag, method):
    """error_pages(): what has no page is let through, once it has started."""
    call, pulled, rest = started(script)
    return Script(call, pulled + rest)


def packed(script, tag, method):
    """compress(), unpacked: other blocks of the same content."""
    if method == "HEAD":
        return without_content(script, tag, method)
    script = held(script, {*LINES, 308})
    return Script(script.call, tuple(map(copied, script.body)))


def copied(event):
    return Block(event.data) if isinstance(event, Block) else event


#: The layers of wsgikit, and one for each function of wsgikit.wrap: how to make one, and its model.
LAYERS = {
    "plain": (lambda tag, ledger: plain(), as_it_is),
    "add_headers": (lambda tag, ledger: adding(tag=tag), tagging),
    "on_start": (lambda tag, ledger: editing(tag=tag), tagging),
    "wrap.on_close": (lambda tag, ledger: hooked(ledger=ledger), as_it_is),
    "without_body": (lambda tag, ledger: bodiless(), without_content),
    "cascade, last": (lambda tag, ledger: lambda app: cascade(refuse, app), as_it_is),
    "cascade, first": (lambda tag, ledger: lambda app: cascade(app, other), passed_over),
    "errors": (lambda tag, ledger: errors(), answered),
    "debugger": (lambda tag, ledger: debugger(), answered),
    "proxy_headers": (lambda tag, ledger: proxy_headers(trusted=["127.0.0.1"]), as_it_is),
    "allowed_hosts": (lambda tag, ledger: allowed_hosts(), as_it_is),
    "https_redirect": (lambda tag, ledger: https_redirect(), redirected),
    "security_headers": (lambda tag, ledger: security_headers(), as_it_is),
    "cors": (lambda tag, ledger: cors(origins=["https://app.example"]), as_it_is),
    "ban": (
        lambda tag, ledger: ban(store=MemoryStore(), offences=100, seconds=60, duration=60),
        as_it_is,
    ),
    "csrf": (lambda tag, ledger: csrf(), as_it_is),
    "basic_auth": (lambda tag, ledger: signed_in(basic_auth(verify=same), "Basic YTph"), as_it_is),
    "bearer_auth": (lambda tag, ledger: signed_in(bearer_auth(verify=str), "Bearer a"), as_it_is),
    "body_limit": (lambda tag, ledger: body_limit(max_size=1), as_it_is),
    "cache": (lambda tag, ledger: cache(), asked),
    "canary": (lambda tag, ledger: canary(to=other, share=0), as_it_is),
    "error_pages": (lambda tag, ledger: error_pages(pages={418: other}), waited_for),
    "fallback": (lambda tag, ledger: fallback(to=other), passed_over),
    "maintenance": (lambda tag, ledger: maintenance(file="/nowhere"), as_it_is),
    "redirects": (lambda tag, ledger: redirects(table={"/old": "/new"}), as_it_is),
    "cache_control": (lambda tag, ledger: cache_control(rules={"*": "no-cache"}), as_it_is),
    "compress": (lambda tag, ledger: lambda app: unpacking(compress(app, min_size=0)), packed),
    "concurrency": (lambda tag, ledger: concurrency(store=MemoryStore(), requests=1), as_it_is),
    "conditional": (lambda tag, ledger: conditional(), as_it_is),
    "etag": (lambda tag, ledger: etag(), marked),
    "deadline": (lambda tag, ledger: deadline(seconds=600), as_it_is),
    "method_override": (lambda tag, ledger: method_override(), as_it_is),
    "head": (lambda tag, ledger: head(), without_content),
    "options": (lambda tag, ledger: options(), as_it_is),
    "trailing_slash": (lambda tag, ledger: trailing_slash(), as_it_is),
    "access_log": (lambda tag, ledger: access_log(logger="tests.composition"), as_it_is),
    "rate_limit": (
        lambda tag, ledger: rate_limit(store=MemoryStore(), requests=100, seconds=60),
        as_it_is,
    ),
    "request_id": (lambda tag, ledger: request_id(), as_it_is),
    "trace_context": (lambda tag, ledger: trace_context(), as_it_is),
    "metrics": (lambda tag, ledger: metrics(into=Metrics()), as_it_is),
    "server_timing": (lambda tag, ledger: server_timing(), as_it_is),
    "sessions": (lambda tag, ledger: using(sessions, keys=["a key of enough bytes"]), as_it_is),
    "profile": (lambda tag, ledger: profile(directory="/nowhere"), as_it_is),
    "hang_watchdog": (lambda tag, ledger: hang_watchdog(seconds=600), as_it_is),
    "on_close": (lambda tag, ledger: after_close(), as_it_is),
}

choices = st.tuples(st.sampled_from(sorted(LAYERS)), st.sampled_from(["always", "when", "unless"]))
stacks = st.lists(choices, max_size=5)


def build(chosen, app, ledger, check):
    """The stack of the chosen layers; ``check`` goes inside and outside of each."""
    layers = []
    for number, (name, condition) in enumerate(chosen):
        part = LAYERS[name][0](f"{number}", ledger)
        if condition != "always":
            part = when(lambda environ, on=condition == "when": on, part)
        layers += [check, part, check] if check else [part]
    return stack(*layers, app)


def model(chosen, script, method):
    for number, (name, condition) in reversed([*enumerate(chosen)]):
        if condition != "unless":
            script = LAYERS[name][1](script, f"{number}", method)
    return script


@dataclass
class Outcome:
    status: int = 0
    tags: tuple[str, ...] = ()
    body: bytes | None = b""
    sent: bool = False
    failed: bool = False


def expected(script):
    """What a server makes of a script: a failure before anything is sent is its own affair."""
    outcome = Outcome()
    for event in script.call + script.body:
        match event:
            case Start(status, again, tags):
                if again and outcome.sent:
                    outcome.failed = True
                    break
                outcome.status, outcome.tags = status, tags
            case Fail():
                outcome.failed = True
                break
            case Write(data) | Block(data):
                outcome.sent = True
                known = outcome.body is not None and data is not None
                outcome.body = outcome.body + data if known else None
    return outcome


class Server(SimpleHandler):
    """The standard library's, without its socket."""

    http_version = "1.1"
    origin_server = False

    def __init__(self, method):
        environ = {"REQUEST_METHOD": method, "QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1"}
        setup_testing_defaults(environ)
        self.out, self.raised, self.saw_file = BytesIO(), [], False
        super().__init__(
            environ["wsgi.input"], self.out, environ["wsgi.errors"], environ, False, False
        )

    def log_exception(self, exc_info):
        self.raised.append(exc_info[1])

    def sendfile(self):
        self.saw_file = True
        return False

    def outcome(self):
        head, _, body = self.out.getvalue().partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")]
        return Outcome(
            status=int(fields[0][1][:3]),
            tags=tuple(value for name, value in fields if name == "X-Tag"),
            body=body,
        )


@pytest.fixture(autouse=True, scope="module")
def _quiet():
    """The tracebacks of failures that are asked for here need no place in the report."""
    logger = logging.getLogger("wsgikit")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    logging.getLogger("tests.composition").setLevel(logging.INFO)  # so that access_log works
    yield
    logger.setLevel(level)


@given(
    chosen=stacks,
    application=applications(),
    method=st.sampled_from(["GET", "HEAD"]),
    checked=st.booleans(),
)
def test_random_stacks_answer_as_they_should(chosen, application, method, checked):
    script, shape = application
    ledger = Ledger()
    app = build(chosen, play(script, shape, ledger), ledger, validator if checked else None)
    server = Server(method)
    server.run(app)

    assert ledger.closed == ledger.opened
    assert set(ledger.closed.values()) <= {1}
    should = expected(model(chosen, script, method))
    assert [type(error) for error in server.raised] == [Failure] * should.failed
    outcome = server.outcome()
    if should.sent or not should.failed:
        assert (outcome.status, outcome.tags) == (should.status, should.tags)
        assert should.body in (None, outcome.body)
    if shape == "file" and script.body and not checked and not should.failed:
        # Where the file's own blocks come out, it was still the server's to recognise.
        sent = model(chosen, script, method).body
        assert server.saw_file == any(event is script.body[0] for event in sent)


@given(chosen=stacks, application=applications(), blocks=st.integers(0, 2))
def test_random_stacks_may_be_broken_off_at_any_block(chosen, application, blocks):
    ledger = Ledger()
    app = build(chosen, play(*application, ledger), ledger, None)
    environ = {"QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1"}
    setup_testing_defaults(environ)
    environ["wsgi.file_wrapper"] = SimpleHandler.wsgi_file_wrapper

    def start_response(status, headers, exc_info=None):
        if exc_info and taken:
            raise exc_info[1]
        return taken.append

    taken = []
    try:
        body = app(environ, start_response)
    except Failure:
        assert ledger.closed == ledger.opened
        return
    try:
        for block, _ in zip(body, range(blocks), strict=False):
            taken.append(block)
    except Failure:
        pass
    finally:
        if hasattr(body, "close"):
            body.close()
    assert ledger.closed == ledger.opened
    assert set(ledger.closed.values()) <= {1}


@given(chosen=stacks)
def test_random_stacks_describe_themselves(chosen):
    lines = str(describe(build(chosen, other, Ledger(), None)))
    names = {"add_headers": "adding", "on_start": "editing", "wrap.on_close": "hooked"}
    for name, condition in chosen:
        if condition == "always":
            assert names.get(name, name.replace("without_body", "bodiless").split(",")[0]) in lines
        else:
            assert "when(" in lines


def test_every_layer_of_wsgikit_is_here():
    import wsgikit.middleware

    assert set(wsgikit.middleware.__all__) <= set(LAYERS)
