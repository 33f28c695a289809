"""Step 4: a router, and pages from Jinja2 templates."""

import os
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from wsgikit import Request, Response, Router, serve
from wsgikit.templates import templates

engine = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
page = templates(lambda template, values: engine.get_template(template).render(values))
router = Router()


@router.get("/")
def home(request: Request) -> Response:
    return hello(request, "web")


@router.get("/hello/{name}", name="hello")
def hello(request: Request, name: str) -> Response:
    again = request.url_for("hello", name="Ada")
    return page("hello.html", name=name, again=again, root=request.root_path)


if __name__ == "__main__":
    serve(router, port=int(os.environ.get("PORT", "8000")))
