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

#: True where ``wsgi.input`` ends by itself where the body ends, so that a body without a
#: Content-Length can be read to its end. Written by servers, ours always.
INPUT_TERMINATED = "wsgi.input_terminated"

#: The server's class or function for bodies that are files (PEP 3333, "Optional Platform-Specific
#: File Handling").
FILE_WRAPPER = "wsgi.file_wrapper"
