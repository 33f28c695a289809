"""Every environ key that wsgikit reads or writes beyond those of PEP 3333.

Keys of our own start with ``wsgikit.``; the others belong to the conventions named beside them.
Reading one is done through the public objects (:class:`~wsgikit.Request`); the keys are documented
because other people's layers may want them.
"""

from __future__ import annotations

#: ``(positional, named)`` path parameters, as the wsgiorg.routing_args convention has it. Written
#: by the router, read by :meth:`wsgikit.Request.application`.
ROUTING_ARGS = "wsgiorg.routing_args"

#: The :class:`~wsgikit.routes.Route` that was chosen. Written by the router.
ROUTE = "wsgikit.route"

#: A ``dict`` for the application's own values, shared by all layers and views of one request.
STATE = "wsgikit.state"

#: ``draw(error, environ, start_response)``: an application with the :class:`~wsgikit.HTTPError`
#: in front, which answers in place of the built-in drawing. Written by the ``errors`` layer, read
#: where an error is answered.
DRAW_ERROR = "wsgikit.draw_error"

#: The :class:`~wsgikit.forms.form.Form` that was made of a multipart body. Written and read by
#: :meth:`wsgikit.Request.form`; :meth:`wsgikit.Request.application` closes it at the end.
FORM = "wsgikit.form"

#: What the :class:`~wsgikit.sessions.session.Session` of this request is opened with when it is
#: first asked for. Written by the ``sessions`` layer, and where a failure is answered
#: (:mod:`wsgikit.wrap.guard`); read by :attr:`wsgikit.Request.session`.
SESSION = "wsgikit.session"

#: True where ``wsgi.input`` ends by itself where the body ends, so that a body without a
#: Content-Length can be read to its end. Written by servers, ours always.
INPUT_TERMINATED = "wsgi.input_terminated"

#: The server's class or function for bodies that are files (PEP 3333, "Optional Platform-Specific
#: File Handling").
FILE_WRAPPER = "wsgi.file_wrapper"

#: The version of uWSGI, where that is the server.
UWSGI = "uwsgi.version"

#: The address of the nearest proxy, which REMOTE_ADDR was. Written by the ``proxy_headers`` layer
#: where it puts the client's address into REMOTE_ADDR, and by our server where a PROXY header does.
PEER = "wsgikit.peer"

#: ``on`` where the client came by TLS. What else is told of it has keys as under Apache's mod_ssl:
#: :mod:`wsgikit.server.tls_environ` lists them. Written by our server.
HTTPS = "HTTPS"

#: The process, user and group that connected to a Unix socket: a
#: :class:`~wsgikit.server.unix_listener.PeerCredentials`. Written by our server, where the system
#: tells it (Linux).
PEER_CREDENTIALS = "wsgikit.peer_credentials"

#: Who has signed in, as CGI has it (RFC 3875 §4.1.11), and how: ``Basic`` or ``Bearer``. Written by
#: the ``basic_auth`` and ``bearer_auth`` layers.
REMOTE_USER = "REMOTE_USER"
AUTH_TYPE = "AUTH_TYPE"

#: The nonce of this response's Content-Security-Policy, for ``<script nonce="...">``. Written by
#: the ``security_headers`` layer where its policy has one.
CSP_NONCE = "wsgikit.csp_nonce"

#: The :func:`time.monotonic` by which the request should be answered, a ``float``. Written by the
#: ``deadline`` layer; whatever waits (a query, a lock, a client) may look how long it still can.
DEADLINE = "wsgikit.deadline"

#: The REQUEST_METHOD as the client sent it. Written by the ``method_override`` layer where it puts
#: another in its place.
ORIGINAL_METHOD = "wsgikit.original_method"

#: The target of the request as it came, still percent-encoded, with the query: of Apache and
#: others, and of Gunicorn. Servers that have neither leave it to be rebuilt of SCRIPT_NAME and
#: PATH_INFO.
REQUEST_URI = "REQUEST_URI"
RAW_URI = "RAW_URI"

#: The id of this request, as the log and the response have it. Written by the ``request_id`` layer.
REQUEST_ID = "wsgikit.request_id"

#: The :class:`~wsgikit.middleware.trace_context.Trace` that this request is part of. Written by the
#: ``trace_context`` layer.
TRACE = "wsgikit.trace"

#: ``add(name, seconds, description)``: tells what a part of the work took. Written by the
#: ``server_timing`` layer; :func:`wsgikit.middleware.server_timing.span` calls it.
SERVER_TIMING = "wsgikit.server_timing"

#: A list of functions without arguments, to be called when the response is over; append yours.
#: Written by the ``on_close`` layer.
ON_CLOSE = "wsgikit.on_close"

#: True where the ``access_log`` layer writes the line of this request; our server writes none then.
LOGGED = "wsgikit.logged"

#: The status of the error that a page stands for, an ``int``. Written by the ``error_pages`` layer,
#: for its pages.
ERROR_STATUS = "wsgikit.error_status"
