"""Step 2: the same answer as a WSGI application, on the server of the standard library."""

import os
from wsgiref.simple_server import make_server


def app(environ, start_response):
    body = b"<h1>Hello, web!</h1>"
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    with make_server("", int(os.environ.get("PORT", "8000")), app) as server:
        print(f"Listening on http://localhost:{server.server_port}", flush=True)
        server.serve_forever()
