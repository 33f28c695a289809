from __future__ import annotations

import logging
import re
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import stack
from wsgikit.http.traces import parse_traceparent
from wsgikit.keys import TRACE
from wsgikit.middleware import errors, trace_context
from wsgikit.middleware.trace_context import Trace, TraceFilter, current_trace

TEXT = [("Content-Type", "text/plain")]
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


class Inner:
    """An application that keeps what it finds in its environ."""

    def __call__(self, environ, start_response):
        self.trace = environ[TRACE]
        assert current_trace.get() is self.trace
        self.parent = environ["HTTP_TRACEPARENT"]
        self.state = environ.get("HTTP_TRACESTATE")
        start_response("200 OK", TEXT)
        return [b"text"]


def ask(fields=(), **options):
    inner = Inner()
    app = TestApp(validator(trace_context(validator(inner), **options)))
    app.get("/", headers=dict(fields))
    assert current_trace.get() is None
    return inner


def test_a_trace_goes_on_with_a_span_of_its_own():
    inner = ask({"traceparent": PARENT, "tracestate": "a=1, b=2"})
    trace = inner.trace
    assert (trace.trace_id, trace.parent_id, trace.flags) == (TRACE_ID, SPAN_ID, 1)
    assert re.fullmatch("[0-9a-f]{16}", trace.span_id)
    assert trace.span_id != SPAN_ID
    assert trace.state == {"a": "1", "b": "2"}
    assert inner.parent == trace.traceparent == f"00-{TRACE_ID}-{trace.span_id}-01"
    assert inner.state == "a=1,b=2"


def test_a_trace_that_is_not_sampled_stays_so():
    assert ask({"traceparent": PARENT[:-1] + "0"}).parent.endswith("-00")


@pytest.mark.parametrize(("sampled", "flags"), [(True, "03"), (False, "02")])
def test_a_trace_begins_here(sampled, flags):
    first, second = ask(sampled=sampled), ask(sampled=sampled)
    assert first.trace.parent_id is None
    assert first.trace.state == {}
    assert first.trace.trace_id != second.trace.trace_id
    assert first.parent == f"00-{first.trace.trace_id}-{first.trace.span_id}-{flags}"
    assert parse_traceparent(first.parent) is not None


@pytest.mark.parametrize(
    "parent",
    [None, "", "nonsense", PARENT.upper(), f"{PARENT},{PARENT}", PARENT + "-x"],
    ids=["none", "empty", "nonsense", "upper", "twice", "longer"],
)
def test_a_malformed_parent_counts_as_absent_and_its_state_with_it(parent):
    fields = {"tracestate": "a=1"} | ({} if parent is None else {"traceparent": parent})
    inner = ask(fields)
    assert inner.trace.parent_id is None
    assert inner.trace.trace_id != TRACE_ID
    assert inner.state is None


def test_a_malformed_state_is_dropped_alone():
    inner = ask({"traceparent": PARENT, "tracestate": "a=1,=2"})
    assert inner.trace.trace_id == TRACE_ID
    assert inner.state is None


def test_traces_of_the_public_may_be_ignored():
    inner = ask({"traceparent": PARENT, "tracestate": "a=1"}, inbound=False)
    assert inner.trace.trace_id != TRACE_ID
    assert inner.state is None


@given(st.text(), st.text())
def test_whatever_comes_what_goes_on_is_well_formed(parent, state):
    inner = Inner()
    environ = {"HTTP_TRACEPARENT": parent, "HTTP_TRACESTATE": state}
    trace_context(inner)(environ, lambda status, headers, exc_info=None: None)
    assert parse_traceparent(inner.parent)[1] == inner.trace.span_id


def test_fields_for_other_services():
    trace = Trace(TRACE_ID, SPAN_ID, None, 1, {})
    assert trace.headers == [("traceparent", PARENT)]
    trace = Trace(TRACE_ID, SPAN_ID, None, 1, {"a": "1", "b": "2"})
    assert trace.headers == [("traceparent", PARENT), ("tracestate", "a=1,b=2")]
    assert repr(trace) == f"<Trace {PARENT}>"


def test_a_layer_inside_is_a_span_below():
    seen = []

    def noted(app):
        def outer(environ, start_response):
            seen.append(environ[TRACE])
            return app(environ, start_response)

        return outer

    inner = Inner()
    TestApp(stack(trace_context(), noted, trace_context(), inner)).get("/")
    assert inner.trace.trace_id == seen[0].trace_id
    assert inner.trace.parent_id == seen[0].span_id


def test_what_is_logged_has_the_ids(caplog):
    def app(environ, start_response):
        raise LookupError

    caplog.handler.addFilter(TraceFilter())
    app = TestApp(stack(trace_context(), errors(), app))
    app.get("/", headers={"traceparent": PARENT}, status=500)
    logging.getLogger("shop").warning("outside")
    inside, outside = caplog.records
    assert inside.trace_id == TRACE_ID
    assert re.fullmatch("[0-9a-f]{16}", inside.span_id)
    assert (outside.trace_id, outside.span_id) == ("-", "-")


def test_blocks_have_the_trace():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        yield current_trace.get().trace_id.encode()

    answer = TestApp(validator(trace_context(validator(app))))
    assert answer.get("/", headers={"traceparent": PARENT}).text == TRACE_ID
