"""Distributed traces, passed on: W3C Trace Context (https://www.w3.org/TR/trace-context/)."""

from __future__ import annotations

import logging
import os
from contextvars import ContextVar

from wsgikit.compose import layer
from wsgikit.context import within
from wsgikit.http.traces import (
    RANDOM,
    SAMPLED,
    format_traceparent,
    format_tracestate,
    parse_traceparent,
    parse_tracestate,
)
from wsgikit.keys import TRACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Trace", "TraceFilter", "current_trace", "trace_context"]

#: What has to stand inside of this layer, and why.
ORDER = {
    "outside": {
        "access_log": "its lines would lack the ids of the trace",
        "errors": "what it logs would lack the ids of the trace",
    }
}


class Trace:
    """A request as a span of a trace.

    :param trace_id: 32 hexadecimal digits, the same for all that comes of one first request.
    :param span_id: 16 of them, for the work on this request.
    :param parent_id: those of the span that asked; None where the trace begins here.
    :param flags: :data:`~wsgikit.http.traces.SAMPLED`, :data:`~wsgikit.http.traces.RANDOM`.
    :param state: what tracing systems along the way have added.
    """

    __slots__ = ("flags", "parent_id", "span_id", "state", "trace_id")

    def __init__(
        self,
        trace_id: str,
        span_id: str,
        parent_id: str | None,
        flags: int,
        state: Mapping[str, str],
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_id = parent_id
        self.flags = flags
        self.state = state

    @property
    def traceparent(self) -> str:
        """The field that makes what is asked of another service a child of this span."""
        return format_traceparent(self.trace_id, self.span_id, self.flags)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """``traceparent`` and, if there is any, ``tracestate``: for requests to other services."""
        fields = [("traceparent", self.traceparent)]
        if self.state:
            fields.append(("tracestate", format_tracestate(self.state)))
        return fields

    def __repr__(self) -> str:
        return f"<Trace {self.traceparent}>"


#: The trace that the request being answered here and now is part of; None outside of one.
current_trace: ContextVar[Trace | None] = ContextVar("wsgikit.trace", default=None)


@layer
def trace_context(
    app: WSGIApplication, *, inbound: bool = True, sampled: bool = True
) -> WSGIApplication:
    """Each request is a span of a trace: of the client's, or of a new one.

    :param inbound: whether a trace that comes with the request goes on. If not, all begin here:
        that is for the edge to the public, whose ids mean nothing.
    :param sampled: whether traces that begin here ask those who record to record them.

    ``traceparent`` and ``tracestate`` are read strictly: what is malformed counts as absent. This
    layer gives the request a span id of its own and puts both fields into the environ anew, so that
    instrumented code inside goes on from there. It records nothing: the :class:`Trace` is
    ``wsgikit.trace`` in the environ and, while the request is answered, in :data:`current_trace`,
    for :class:`TraceFilter` and for requests to other services.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        given = parse_traceparent(environ.get("HTTP_TRACEPARENT", "")) if inbound else None
        if given is None:
            ids = os.urandom(24).hex()
            trace = Trace(ids[:32], ids[32:], None, RANDOM | SAMPLED if sampled else RANDOM, {})
        else:
            trace_id, parent_id, flags = given
            state = parse_tracestate(environ.get("HTTP_TRACESTATE", ""))
            trace = Trace(trace_id, os.urandom(8).hex(), parent_id, flags, state)
        environ["HTTP_TRACEPARENT"] = trace.traceparent
        if trace.state:
            environ["HTTP_TRACESTATE"] = format_tracestate(trace.state)
        else:
            environ.pop("HTTP_TRACESTATE", None)
        environ[TRACE] = trace
        return within(current_trace, trace, app, environ, start_response)

    return answer


class TraceFilter(logging.Filter):
    """Gives each log record a ``trace_id`` and a ``span_id``, ``-`` outside of a request.

    It belongs on a handler: a logger asks its filters only for what is logged by its own name.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        trace = current_trace.get()
        record.trace_id = trace.trace_id if trace else "-"
        record.span_id = trace.span_id if trace else "-"
        return True
