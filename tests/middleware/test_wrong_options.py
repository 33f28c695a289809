"""What no option takes is refused where it is written, by an error that names the option."""

from __future__ import annotations

import inspect

import pytest

import wsgikit.middleware
from wsgikit import Response
from wsgikit.metrics import Metrics
from wsgikit.stores import MemoryStore

STORE = MemoryStore()
APP = Response("the application")

# What each layer needs, where that is something.
NEEDED = {
    "ban": {"store": STORE, "offences": 5, "seconds": 60, "duration": 60},
    "basic_auth": {"verify": len},
    "bearer_auth": {"verify": len},
    "body_limit": {"max_size": 10},
    "cache_control": {"rules": {"*": "no-store"}},
    "canary": {"to": APP, "share": 0.5},
    "concurrency": {"store": STORE, "requests": 5},
    "cors": {"origins": ["https://a.example"]},
    "deadline": {"seconds": 1},
    "error_pages": {"pages": {404: APP}},
    "fallback": {"to": APP},
    "hang_watchdog": {"seconds": 1},
    "maintenance": {"file": "closed"},
    "metrics": {"into": Metrics()},
    "profile": {"directory": "profiles"},
    "proxy_headers": {"hops": 1},
    "rate_limit": {"store": STORE, "requests": 5, "seconds": 5},
    "redirects": {"table": {"/a": "/b"}},
    "sessions": {"keys": ["a secret of thirty-two characters"]},
}
ODD = [
    None,
    True,
    5,
    -1,
    float("nan"),
    float("inf"),
    "",
    "x y",
    "a\r\nB: c",
    b"x",
    "☃",
    [],
    [5],
    [None],
    [""],
    ["a\r\nb"],
    {},
    {5: 5},
    {"": ""},
    object(),
    10**30,
]
WRONG = [
    ("cache", {"store": "redis://localhost"}),
    ("cache", {"clock": 5}),
    ("canary", {"cookie": "a b"}),
    ("canary", {"draw": None}),
    ("fallback", {"statuses": ""}),
    ("fallback", {"statuses": None}),
    ("maintenance", {"clock": 5}),
    ("maintenance", {"file": ""}),
    ("maintenance", {"safelist": None}),
    ("method_override", {"field": ""}),
    ("method_override", {"field": 5}),
    ("method_override", {"max_size": -1}),
    ("method_override", {"max_size": "x"}),
    ("method_override", {"max_size": None}),
    ("method_override", {"methods": [5]}),
    ("request_id", {"header": 5}),
    ("request_id", {"make": None}),
    ("security_headers", {"csp": 5}),
    ("security_headers", {"reporting_endpoints": {5: 5}}),
    ("security_headers", {"hsts": False}),
    ("server_timing", {"total": []}),
    ("sessions", {"keys": 5}),
    ("sessions", {"clock": None}),
]


def put_on(name, options):
    middleware = getattr(wsgikit.middleware, name)
    return middleware(APP, **{**NEEDED.get(name, {}), **options})


def options_of(name):
    parameters = inspect.signature(getattr(wsgikit.middleware, name)).parameters.values()
    return [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]


def refusal(name, options):
    """What is told of the options; None where they are taken. Nothing else is raised."""
    try:
        put_on(name, options)
    except (TypeError, ValueError) as error:
        return str(error)
    return None


@pytest.mark.parametrize(("name", "options"), WRONG, ids=str)
def test_what_an_option_does_not_take_is_refused(name, options):
    with pytest.raises((TypeError, ValueError), match=next(iter(options))):
        put_on(name, options)


@pytest.mark.parametrize("name", wsgikit.middleware.__all__)
def test_whatever_is_refused_is_named(name):
    put_on(name, {})
    for option in options_of(name):
        refusals = [refusal(name, {option: value}) for value in ODD]
        assert all(option in told for told in refusals if told is not None), refusals
