"""The same application in four frameworks: it greets, streams, takes uploads, and fails.

What an application raises is left to the layers and the server. Bodies are counted, where they can
be closed: an ``o`` goes into the file ``ledger`` for each one, and a ``c`` each time one is closed.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

PLACE = Path(os.environ.get("MATRIX_PLACE", "."))
GREETING = "Hello, Ada! " * 100
TAG = '"v1"'


def blocks():
    """Three blocks; the second comes when the client tells that it has the first."""
    yield b"first\n"
    with open(PLACE / "go", "rb") as go:
        go.read()
    yield b"second\n"
    yield b"third\n"


def digest(content):
    return hashlib.sha256(content).hexdigest()


def with_flask():
    import flask

    app = flask.Flask("matrix")
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.get("/hello")
    def hello():
        return flask.Response(GREETING, mimetype="text/plain")

    @app.get("/tagged")
    def tagged():
        known = TAG in flask.request.headers.get("If-None-Match", "")
        text, status = ("", 304) if known else (GREETING, 200)
        return flask.Response(text, status, {"ETag": TAG}, mimetype="text/plain")

    @app.get("/stream")
    def stream():
        return flask.Response(blocks(), mimetype="text/plain")

    @app.post("/upload")
    def upload():
        return flask.Response(digest(flask.request.get_data()), mimetype="text/plain")

    @app.get("/error")
    def error():
        raise LookupError("asked for")

    return app


def with_django():
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse, StreamingHttpResponse
    from django.urls import path

    plain = "text/plain"

    def hello(request):
        if request.method == "HEAD":  # Django leaves that to its middleware, or to the server
            length = str(len(GREETING))
            return HttpResponse(b"", content_type=plain, headers={"Content-Length": length})
        return HttpResponse(GREETING, content_type=plain)

    def tagged(request):
        known = TAG in request.headers.get("If-None-Match", "")
        text, status = (b"", 304) if known else (GREETING, 200)
        return HttpResponse(text, content_type=plain, status=status, headers={"ETag": TAG})

    def stream(request):
        return StreamingHttpResponse(blocks(), content_type=plain)

    def upload(request):
        return HttpResponse(digest(request.body), content_type=plain)

    def error(request):
        raise LookupError("asked for")

    class Pages:
        urlpatterns = [path(view.__name__, view) for view in (hello, tagged, stream, upload, error)]

    settings.configure(
        ALLOWED_HOSTS=["*"],
        DEBUG_PROPAGATE_EXCEPTIONS=True,
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # Content-Length
        ROOT_URLCONF=Pages,
        SECRET_KEY="of a test",
    )
    return get_wsgi_application()


def with_bottle():
    import bottle

    app = bottle.Bottle(catchall=False)

    @app.get("/hello")
    def hello():
        bottle.response.content_type = "text/plain"
        return GREETING

    @app.get("/tagged")
    def tagged():
        known = TAG in bottle.request.headers.get("If-None-Match", "")
        bottle.response.set_header("ETag", TAG)
        bottle.response.content_type = "text/plain"
        bottle.response.status = 304 if known else 200
        return "" if known else GREETING

    @app.get("/stream")
    def stream():
        bottle.response.content_type = "text/plain"
        return blocks()

    @app.post("/upload")
    def upload():
        bottle.response.content_type = "text/plain"
        return digest(bottle.request.body.read())

    @app.get("/error")
    def error():
        raise LookupError("asked for")

    return app


def with_falcon():
    import falcon

    class Hello:
        def on_get(self, request, response):
            response.content_type, response.text = "text/plain", GREETING

        on_head = on_get

    class Tagged:
        def on_get(self, request, response):
            known = TAG in request.headers.get("IF-NONE-MATCH", "")
            response.set_header("ETag", TAG)
            response.content_type = "text/plain"
            response.status, response.text = (304, "") if known else (200, GREETING)

    class Stream:
        def on_get(self, request, response):
            response.content_type, response.stream = "text/plain", blocks()

    class Upload:
        def on_post(self, request, response):
            response.content_type = "text/plain"
            response.text = digest(request.bounded_stream.read())

    class Error:
        def on_get(self, request, response):
            raise LookupError("asked for")

    def pass_on(request, response, error, parameters):
        raise error

    app = falcon.App()
    app.add_error_handler(LookupError, pass_on)
    for resource in Hello, Tagged, Stream, Upload, Error:
        app.add_route(f"/{resource.__name__.lower()}", resource())
    return app


APPLICATIONS = {
    "flask": with_flask,
    "django": with_django,
    "bottle": with_bottle,
    "falcon": with_falcon,
}


class Counted:
    """A body that tells when it is closed."""

    def __init__(self, body):
        self.body = body
        note(b"o")

    def __iter__(self):
        return iter(self.body)

    def close(self):
        note(b"c")
        self.body.close()


def note(mark):
    with open(PLACE / "ledger", "ab", buffering=0) as ledger:
        ledger.write(mark)


def counted(app):
    """A layer of others: it knows nothing of wsgikit."""

    def answer(environ, start_response):
        body = app(environ, start_response)
        return Counted(body) if hasattr(body, "close") else body

    return answer
