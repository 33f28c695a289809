"""Layers: each wraps an application and adds one thing to it. They load on first use.

``from wsgikit.middleware import errors`` gives the function, to be used both ways: ``errors(app)``
wraps now, ``errors(handlers=...)`` is a layer for :func:`wsgikit.stack`.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.middleware.access_log import access_log as access_log
    from wsgikit.middleware.allowed_hosts import allowed_hosts as allowed_hosts
    from wsgikit.middleware.ban import ban as ban
    from wsgikit.middleware.basic_auth import basic_auth as basic_auth
    from wsgikit.middleware.bearer_auth import bearer_auth as bearer_auth
    from wsgikit.middleware.body_limit import body_limit as body_limit
    from wsgikit.middleware.cache import cache as cache
    from wsgikit.middleware.cache_control import cache_control as cache_control
    from wsgikit.middleware.canary import canary as canary
    from wsgikit.middleware.compress import compress as compress
    from wsgikit.middleware.concurrency import concurrency as concurrency
    from wsgikit.middleware.conditional import conditional as conditional
    from wsgikit.middleware.cors import cors as cors
    from wsgikit.middleware.csrf import csrf as csrf
    from wsgikit.middleware.deadline import deadline as deadline
    from wsgikit.middleware.debugger import debugger as debugger
    from wsgikit.middleware.error_pages import error_pages as error_pages
    from wsgikit.middleware.errors import errors as errors
    from wsgikit.middleware.etag import etag as etag
    from wsgikit.middleware.fallback import fallback as fallback
    from wsgikit.middleware.hang_watchdog import hang_watchdog as hang_watchdog
    from wsgikit.middleware.head import head as head
    from wsgikit.middleware.https_redirect import https_redirect as https_redirect
    from wsgikit.middleware.maintenance import maintenance as maintenance
    from wsgikit.middleware.method_override import method_override as method_override
    from wsgikit.middleware.metrics import metrics as metrics
    from wsgikit.middleware.on_close import on_close as on_close
    from wsgikit.middleware.options import options as options
    from wsgikit.middleware.profile import profile as profile
    from wsgikit.middleware.proxy_headers import proxy_headers as proxy_headers
    from wsgikit.middleware.rate_limit import rate_limit as rate_limit
    from wsgikit.middleware.redirects import redirects as redirects
    from wsgikit.middleware.request_id import request_id as request_id
    from wsgikit.middleware.security_headers import security_headers as security_headers
    from wsgikit.middleware.server_timing import server_timing as server_timing
    from wsgikit.middleware.sessions import sessions as sessions
    from wsgikit.middleware.trace_context import trace_context as trace_context
    from wsgikit.middleware.trailing_slash import trailing_slash as trailing_slash

_NAMES = (
    "access_log allowed_hosts ban basic_auth bearer_auth body_limit cache cache_control canary"
    " compress concurrency conditional cors csrf deadline debugger error_pages errors etag"
    " fallback hang_watchdog head https_redirect maintenance method_override metrics on_close"
    " options profile proxy_headers rate_limit redirects request_id security_headers server_timing"
    " sessions trace_context trailing_slash"
).split()
_EXPORTS = {name: name for name in _NAMES}

__all__ = list(_EXPORTS)

lazy(__name__, _EXPORTS)
