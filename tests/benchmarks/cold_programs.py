"""Each library's smallest program, as text: a new process runs it."""

from __future__ import annotations

REQUEST = """
from io import BytesIO
environ = {
    "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/hello", "QUERY_STRING": "",
    "SERVER_NAME": "localhost", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "localhost:8000", "HTTP_ACCEPT": "*/*", "REMOTE_ADDR": "127.0.0.1",
    "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": BytesIO(),
    "wsgi.errors": None, "wsgi.multithread": True, "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}
print(b"".join(app(environ, lambda status, headers, exc_info=None: print(status))).decode())
"""
ANSWER = ["200 OK", "Hello, World!"]

PROGRAMS = {
    "bare": """
def app(environ, start_response):
    if environ["PATH_INFO"] != "/hello":
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    body = "Hello, World!".encode()
    length = str(len(body))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", length)])
    return [body]
""",
    "wsgikit": """
from wsgikit import Router
app = Router()
@app.get("/hello")
def hello(request):
    return "Hello, World!"
""",
    "wheezy.web": """
from wheezy.http import HTTPResponse, WSGIApplication
from wheezy.web.middleware import bootstrap_defaults, path_routing_middleware_factory
def hello(request):
    response = HTTPResponse("text/plain; charset=utf-8")
    response.write("Hello, World!")
    return response
app = WSGIApplication(
    [bootstrap_defaults([("hello", hello, None, "hello")]), path_routing_middleware_factory],
    {"render_template": None},
)
""",
    "falcon": """
import falcon
class Hello:
    def on_get(self, request, response):
        response.content_type = "text/plain; charset=utf-8"
        response.text = "Hello, World!"
app = falcon.App()
app.add_route("/hello", Hello())
""",
    "bottle": """
from bottle import Bottle, response
app = Bottle()
@app.get("/hello")
def hello():
    response.content_type = "text/plain; charset=utf-8"
    return "Hello, World!"
""",
    "werkzeug": """
from werkzeug import Request, Response
from werkzeug.routing import Map, Rule
def hello(request):
    return Response("Hello, World!")
urls = Map([Rule("/hello", endpoint=hello, methods=["GET"])])
@Request.application
def app(request):
    view, values = urls.bind_to_environ(request.environ).match()
    return view(request, **values)
""",
    "flask": """
from flask import Flask, Response
app = Flask("hello")
@app.get("/hello")
def hello():
    return Response("Hello, World!", mimetype="text/plain")
""",
}
