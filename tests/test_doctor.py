from __future__ import annotations

import itertools

import pytest
from hypothesis import given

import wsgikit
from tests.test_composition import Ledger, build, stacks
from wsgikit import Router, check, stack, when
from wsgikit.apps import cascade
from wsgikit.compose import layer
from wsgikit.doctor import Finding
from wsgikit.metrics import Metrics
from wsgikit.middleware import (
    access_log,
    allowed_hosts,
    ban,
    basic_auth,
    bearer_auth,
    body_limit,
    cache,
    compress,
    concurrency,
    conditional,
    cors,
    deadline,
    debugger,
    errors,
    etag,
    hang_watchdog,
    maintenance,
    metrics,
    proxy_headers,
    rate_limit,
    request_id,
    security_headers,
    sessions,
    trace_context,
)
from wsgikit.stores import MemoryStore


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def layer_of(module, *, source="ORDER = {}", options=""):
    """A layer as it stands in a module of its own name."""
    name = module.rpartition(".")[2]
    namespace = {"__name__": module, "layer": layer}
    program = f"""
{source}
@layer
def {name}(app, *, {options or "level=1"}):
    return lambda environ, start_response: app(environ, start_response)
"""
    exec(program, namespace)
    return namespace[name]


def told(app):
    return [str(finding) for finding in check(app)]


# order


def test_a_sound_stack_is_told_nothing():
    app = stack(
        proxy_headers(trusted=["10.0.0.0/8"]),
        request_id(),
        access_log(),
        allowed_hosts(hosts=["example.com", "localhost"]),
        security_headers(),
        compress(),
        conditional(),
        etag(),
        cors(origins=["https://app.example"]),
        errors(),
        debugger(),
        hello,
    )
    assert check(app) == []
    assert check(hello) == []


def test_a_wrong_order_is_told_with_its_reason_and_its_mend():
    (finding,) = check(stack(errors(), etag(), compress(level=6), hello))
    assert finding.layer == "etag()"
    assert finding.other == "compress(level=6)"
    assert finding.problem == "etag() stands outside of compress(level=6)"
    assert "compressed content" in finding.reason
    assert finding.mend == "put compress(level=6) outside of etag()"
    assert finding.where == ""
    assert str(finding) == f"{finding.problem}: {finding.reason}; {finding.mend}"
    assert repr(finding) == f"<Finding: {finding}>"


def test_either_layer_may_state_the_order():
    (finding,) = check(stack(errors(), cors(origins=["https://app.example"]), hello))
    assert finding.layer == "cors(origins=['https://app.example'])"
    assert finding.other == "errors()"
    assert finding.problem == f"{finding.layer} stands inside of errors()"
    assert finding.mend == f"put {finding.layer} outside of errors()"


def test_a_debugger_outside_of_errors_is_told():
    (finding,) = check(stack(debugger(), errors(), hello))
    assert (finding.layer, finding.other) == ("errors()", "debugger()")
    assert check(stack(errors(), debugger(), hello)) == []


def test_what_is_between_does_not_matter():
    between = [request_id(), lambda app: lambda *args: app(*args), compress()]
    (finding,) = check(stack(debugger(), *between, errors(), hello))
    assert finding.layer == "errors()"


def test_layers_of_routes_are_examined_with_those_around_them():
    api = Router()
    api.add("/tagged", hello, etag())
    api.add("/compressed", hello, compress())
    router = Router()
    router.mount("/api", api, compress(level=6))
    app = stack(etag(), router)
    first, second, third = check(app)
    assert [finding.where for finding in (first, second, third)] == [
        "/api/*",
        "/api/* > GET /tagged",
        "/api/* > GET /compressed",
    ]
    assert first.mend == "put compress(level=6) outside of etag()"
    assert second.problem == "etag() is there twice"
    assert third.mend == "put compress() outside of etag()"
    assert str(first).startswith("/api/*: etag() stands outside of compress(level=6): ")


def test_layers_of_two_routes_have_no_order():
    router = Router()
    router.add("/a", hello, etag())
    router.add("/b", hello, compress())
    assert check(router) == []


def test_a_layer_under_a_condition_is_judged():
    def is_api(environ):
        raise NotImplementedError

    (finding,) = check(stack(when(is_api, when(is_api, etag())), compress(), hello))
    assert finding.mend == "put compress() outside of etag()"
    assert check(stack(when(is_api, lambda app: app), compress(), hello)) == []


def test_the_same_is_said_once():
    inner = stack(etag(), compress(), hello)
    assert len(check(stack(etag(), compress(), hello))) == 1
    assert len(told(cascade(inner, inner))) == 2  # in two places
    findings = told(stack(etag(), compress(), compress(), hello))
    assert len(findings) == len(set(findings)) == 2


# twice


def test_a_layer_that_is_there_twice_is_told():
    (finding,) = check(stack(compress(level=6), request_id(), compress(level=6), hello))
    assert finding.problem == "compress(level=6) is there twice"
    assert (finding.layer, finding.other) == ("compress(level=6)", "compress(level=6)")
    assert finding.mend == "leave one out"


def test_a_layer_with_other_options_or_a_condition_may_be_there_again():
    def is_api(environ):
        raise NotImplementedError

    assert check(stack(compress(level=6), compress(level=5), hello)) == []
    assert check(stack(when(is_api, compress()), compress(), hello)) == []
    assert check(stack(compress(), when(is_api, compress()), hello)) == []


# options


DOUBTFUL = {
    "credentials below a name": (
        cors(origins=["https://a.example", "https://*.a.example"], credentials=True),
        "name each origin in place of 'https://*.a.example'",
    ),
    "inline scripts": (
        security_headers(csp="; script-src 'self' 'unsafe-inline'"),
        "write script-src 'nonce-{nonce}' 'strict-dynamic'",
    ),
    "inline scripts by default": (
        security_headers(csp="default-src 'unsafe-inline'"),
        "write script-src 'nonce-{nonce}' 'strict-dynamic'",
    ),
}


@pytest.mark.parametrize(("part", "mend"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_doubtful_options_are_told(part, mend):
    (finding,) = check(stack(part, hello))
    assert finding.layer == finding.problem == repr(part)
    assert finding.other == ""
    assert finding.reason
    assert finding.mend == mend


UNDOUBTED = {
    "a name without credentials": cors(origins=["https://*.a.example"]),
    "anybody": cors(origins=["*"]),
    "credentials": cors(origins=["https://a.example"], credentials=True),
    "the default policy": security_headers(),
    "no policy": security_headers(csp=None),
    "inline for old browsers": security_headers(csp="script-src 'nonce-{nonce}' 'unsafe-inline'"),
    "inline styles": security_headers(csp="script-src 'self'; style-src 'unsafe-inline'"),
}


@pytest.mark.parametrize("part", UNDOUBTED.values(), ids=UNDOUBTED)
def test_usual_options_are_told_nothing(part):
    assert check(stack(part, hello)) == []


def test_a_layer_gets_its_options_with_the_defaults():
    source = """
def doubts(options):
    yield f"{options}", "choose"
"""
    own = layer_of("shop.own", source=source, options="level=1, size")
    (finding,) = check(stack(own(size=2), hello))
    assert finding.reason == "{'level': 1, 'size': 2}"
    assert str(finding) == f"own(size=2): {finding.reason}; choose"
    bare = layer_of("shop.bare", source=source, options="level")
    assert check(stack(bare(level=3), hello))[0].reason == "{'level': 3}"


def test_a_layer_may_ask_what_stands_outside():
    source = """
def doubts(options, outside):
    yield f"{options} {outside}", "choose"
"""
    own = layer_of("shop.own", source=source)
    other = layer_of("shop.other", options="size=1, color='red'")
    foreign = layer_of("others.foreign")

    def is_api(environ):
        raise NotImplementedError

    (finding,) = check(
        stack(other(size=2), foreign(), when(is_api, errors()), own(), debugger(), hello)
    )
    assert finding.reason == "{'level': 1} {'other': {'size': 2, 'color': 'red'}}"


@pytest.mark.parametrize("hosts", [["a.example"], ["*.a.example", "b.example"]])
def test_a_debugger_that_no_name_of_this_machine_reaches(hosts):
    (finding,) = check(stack(allowed_hosts(hosts=hosts), errors(), debugger(), hello))
    assert finding.problem == "debugger()"
    assert "no name of this machine" in finding.reason
    assert "localhost" in finding.mend


@pytest.mark.parametrize(
    "hosts", [[], ["localhost"], ["a.example", "127.0.0.1"], ["[::1]"], ["*.localhost"]]
)
def test_a_debugger_that_can_be_reached(hosts):
    assert check(stack(allowed_hosts(hosts=hosts), errors(), debugger(), hello)) == []


def test_a_debugger_outside_of_proxy_headers_is_told():
    (finding,) = check(stack(debugger(), proxy_headers(hops=1), hello))
    assert finding.mend == "put proxy_headers(hops=1) outside of debugger()"


# what the catalogue has to tell


STORE = MemoryStore()
CORS = cors(origins=["https://a.example"])
WRONG = {
    "compression inside of tags": (etag(), compress()),
    "CORS inside of passwords": (
        basic_auth(verify=lambda name, password: False),
        cors(origins=["https://a.example"]),
    ),
    "CORS inside of tokens": (
        bearer_auth(verify=lambda token: None),
        cors(origins=["https://a.example"]),
    ),
    "sessions outside of what is stored": (sessions(keys=["of a test, and long enough"]), cache()),
    "what is stored outside of passwords": (
        cache(),
        basic_auth(verify=lambda name, password: False),
    ),
    "the debugger outside of errors": (debugger(), errors()),
    "a log that does not know the client": (access_log(), proxy_headers(hops=1)),
    "a limit that does not know the client": (
        rate_limit(store=MemoryStore(), requests=1, seconds=1),
        proxy_headers(hops=1),
    ),
    "what is kept outside of a ban": (
        cache(),
        ban(store=STORE, offences=1, seconds=1, duration=1),
    ),
    "a ban that scripts cannot read": (
        ban(store=STORE, offences=1, seconds=1, duration=1),
        CORS,
    ),
    "a limit of bodies that scripts cannot read": (body_limit(max_size=1), CORS),
    "a limit of requests at once that scripts cannot read": (
        concurrency(store=STORE, requests=1),
        CORS,
    ),
    "a deadline that scripts cannot read": (deadline(seconds=1), CORS),
    "places of a proxy": (concurrency(store=STORE, requests=1), proxy_headers(hops=1)),
    "hangs without the id": (hang_watchdog(), request_id()),
    "hangs without the ids of the trace": (hang_watchdog(), trace_context()),
    "maintenance that is not counted": (maintenance(file="closed"), metrics(into=Metrics())),
}


@pytest.mark.parametrize(("outer", "inner"), WRONG.values(), ids=WRONG)
def test_a_wrong_order_of_the_catalogue(outer, inner):
    assert check(stack(outer, inner, hello))[0].mend == f"put {inner!r} outside of {outer!r}"
    assert check(stack(inner, outer, hello)) == []


# who is judged


def test_layers_of_ones_own_state_their_order():
    audit = layer_of("shop.audit", source="ORDER = {'inside': {'sign_in': 'nobody is known'}}")
    sign_in = layer_of("shop.more.sign_in")
    (finding,) = check(stack(audit(), sign_in(), hello))
    assert finding.reason == "nobody is known"
    assert check(stack(sign_in(), audit(), hello)) == []


def test_layers_of_ones_own_may_name_those_of_wsgikit():
    audit = layer_of("shop.audit", source="ORDER = {'outside': {'errors': 'failures are missed'}}")
    (finding,) = check(stack(errors(), audit(level=2), hello))
    assert finding.mend == "put audit(level=2) outside of errors()"


def test_layers_of_others_are_not_judged_by_their_names():
    foreign = layer_of("others.compress")
    assert check(stack(etag(), foreign(), hello)) == []

    def compress(app):
        return lambda environ, start_response: app(environ, start_response)

    assert check(stack(etag(), compress, hello)) == []
    assert check(stack(etag(), compress, compress, hello)) == []


def test_only_a_module_of_the_name_of_the_layer_speaks_for_it():
    source = "ORDER = ['small', 'large']\ndoubts = 'many'"
    namespace = {"__name__": "shop.views", "layer": layer}
    exec(source + "\n@layer\ndef audit(app):\n    return lambda *args: app(*args)", namespace)
    assert check(stack(namespace["audit"](), errors(), hello)) == []


@pytest.mark.parametrize("order", ["['errors']", "{'outsid': {}}", "{'inside': ['errors']}"])
def test_an_order_that_is_none_is_an_error(order):
    audit = layer_of("shop.audit", source=f"ORDER = {order}")
    with pytest.raises(TypeError) as raised:
        check(stack(audit(), errors(), hello))
    takes = "shop.audit.ORDER takes {'inside' or 'outside': {layer: reason}}, not "
    assert str(raised.value).startswith(takes)


def test_every_pair_of_layers_has_an_order_that_is_right():
    parts = [
        proxy_headers(hops=1),
        access_log(),
        compress(),
        conditional(),
        etag(),
        errors(),
        debugger(),
        request_id(),
        security_headers(),
    ]
    for one, other in itertools.combinations(parts, 2):
        assert not (check(stack(one, other, hello)) and check(stack(other, one, hello)))


@given(chosen=stacks)
def test_random_stacks_can_be_examined(chosen):
    app = build(chosen, hello, Ledger(), None)
    findings = check(app)
    assert len(set(map(str, findings))) == len(findings)
    for finding in findings:
        assert finding.layer in finding.problem
        assert finding.other in finding.problem
        assert finding.reason
        assert finding.mend


# trees


class Shelf:
    """An application that holds others."""

    def __init__(self, parts):
        self.parts = parts

    def __call__(self, environ, start_response):
        raise NotImplementedError

    def described(self):
        return {}, self.parts


def test_what_holds_itself_is_not_followed_for_ever():
    shelf = Shelf([])
    shelf.parts.append(("again", stack(compress(), shelf)))
    assert check(stack(etag(), shelf))[0].where == "again"


def test_a_finding_of_ones_own():
    finding = Finding("a()", "", "a()", "it hurts", "rest", "/b")
    assert str(finding) == "/b: a(): it hurts; rest"


def test_it_is_public():
    assert wsgikit.check is check
