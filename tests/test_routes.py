from __future__ import annotations

import pytest
from webtest import TestApp
from webtest.lint import WSGIWarning

from wsgikit import Converter, Request, Response, Router, describe, layer
from wsgikit.routes import Group, Route


def view(request, **params):
    return "view"


def other(request, **params):
    return "other"


@layer
def mark(app, *, name):
    """Adds ``name`` to the field X-Marks on the way out, so that the outermost comes last."""

    def answer(environ, start_response):
        def start(status, headers, exc_info=None):
            return start_response(status, [*headers, ("X-Marks", name)], exc_info)

        return app(environ, start)

    return answer


def marks(response):
    return response.headers.getall("X-Marks")


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_a_decorator_for_each_method(method):
    router = Router()
    assert getattr(router, method)("/a", name="a")(view) is view
    (route,) = router.routes
    assert route.methods == (method.upper(),)
    assert route.name == "a"
    assert TestApp(router).request("/a", method=method.upper()).text == "view"


def test_route_takes_methods():
    router = Router()
    router.route("/a", methods=["GET", "PURGE", "GET"])(view)
    assert router.routes[0].methods == ("GET", "PURGE")
    with pytest.warns(WSGIWarning, match="PURGE"):  # which WebTest does not know
        assert TestApp(router).request("/a", method="PURGE").text == "view"


def test_add_takes_an_application_and_leaves_the_path_whole():
    def app(environ, start_response):
        text = f"{environ['SCRIPT_NAME']} {environ['PATH_INFO']} {environ['wsgiorg.routing_args']}"
        return Response(text)(environ, start_response)

    router = Router()
    router.add("/a/{p:path}", app, methods=["GET", "POST"])
    assert TestApp(router).post("/a/b/c").text == " /a/b/c ((), {'p': 'b/c'})"


def test_a_route_reads_as_it_was_defined():
    router = Router()
    router.route("/a/{id:int}", methods=["GET", "POST"])(view)
    router.mount("/files", Response("files"))
    router.mount("/", Response("all"))
    assert [str(route) for route in router.routes] == ["GET POST /a/{id:int}", "/files/*", "/*"]
    assert repr(router.routes[0]) == "<Route GET POST /a/{id:int} to view>"
    assert all(route.router is router for route in router.routes)
    assert isinstance(router.routes[0], Route)


@pytest.mark.parametrize(
    ("methods", "error", "complaint"),
    [
        ("GET", TypeError, "methods of /a is a list of request methods, not 'GET'"),
        ([], ValueError, "methods of /a is empty"),
        (["get"], ValueError, "methods of /a: write 'GET', not 'get'"),
        (["Purge"], ValueError, "write 'PURGE', not 'Purge'"),
        (["GET POST"], ValueError, "'GET POST' is no request method"),
        ([""], ValueError, "'' is no request method"),
        ([5], ValueError, "5 is no request method"),
        (["GÉT"], ValueError, "'GÉT' is no request method"),
    ],
)
def test_methods_are_checked(methods, error, complaint):
    router = Router()
    with pytest.raises(error) as raised:
        router.route("/a", methods=methods)(view)
    assert complaint in str(raised.value)
    assert router.routes == []


@pytest.mark.parametrize("decorator", ["route", "get", "post", "put", "patch", "delete", "group"])
def test_a_decorator_without_its_template_is_refused(decorator):
    with pytest.raises(
        TypeError, match=r"begins with its \w+, as in \w+\('/\w+'\): <function view"
    ):
        getattr(Router(), decorator)(view)


@pytest.mark.parametrize(
    "define",
    [
        lambda router: router.get("/a", "no layer"),
        lambda router: router.add("/a", Response("a"), "no layer"),
        lambda router: router.mount("/a", Response("a"), "no layer"),
        lambda router: router.group("/a", "no layer"),
    ],
    ids=["route", "add", "mount", "group"],
)
def test_what_is_no_layer_is_refused_where_it_is_written(define):
    with pytest.raises(TypeError, match="/a: 'no layer' is no layer"):
        define(Router())


def test_a_group_without_prefix_names_itself():
    with pytest.raises(TypeError, match="group: 5 is no layer"):
        Router().group("", 5)


def test_a_layer_that_makes_no_application_is_refused():
    router = Router()
    with pytest.raises(TypeError, match="returned None, which is no application"):
        router.get("/a", lambda app: None)(view)
    router.get("/a")(view)


def test_a_view_is_called():
    with pytest.raises(TypeError, match="/a: 'view' is no view"):
        Router().get("/a")("view")


@pytest.mark.parametrize("define", ["add", "mount"])
def test_an_application_is_called(define):
    router = Router()
    with pytest.raises(TypeError, match="5 is no WSGI application"):
        getattr(router, define)("/a", 5)
    assert router.routes == []


@pytest.mark.parametrize("template", ["users", "", "{id}"])
def test_a_template_begins_with_a_slash(template):
    with pytest.raises(ValueError, match=f"template '{template}': a path begins with '/'"):
        Router().get(template)(view)


def test_a_template_in_a_group_begins_with_a_slash_too():
    with pytest.raises(ValueError, match="template 'list': a path begins with '/'"):
        Router().group("/users").get("list")(view)


@pytest.mark.parametrize("prefix", ["users", "/", "/users/", "//"])
def test_the_prefix_of_a_group_is_checked(prefix):
    with pytest.raises(ValueError, match=f"prefix of a group .*, not '{prefix}'"):
        Router().group(prefix)


@pytest.mark.parametrize("prefix", ["files", "", "/{id}", "/a/{p:path}"])
def test_the_prefix_of_a_mount_is_checked(prefix):
    with pytest.raises(ValueError, match=r"prefix of a mount is a path without parameters, not"):
        Router().mount(prefix, Response("a"))


@pytest.mark.parametrize("prefix", ["//", "/a//", "//evil.com", "/a/../b"])
def test_a_mount_at_no_path_is_refused(prefix):
    with pytest.raises(ValueError, match="template"):
        Router().mount(prefix, Response("a"))


def test_a_mount_in_a_group_with_parameters_is_refused():
    with pytest.raises(ValueError, match=r"without parameters, not '/\{id\}/files"):
        Router().group("/{id}").mount("/files", Response("a"))


# Groups and layers


def test_a_group_has_a_prefix():
    router = Router()
    users = router.group("/users/{user:int}")
    assert isinstance(users, Group)
    users.get("", name="user")(lambda request, user: f"user {user}")
    users.get("/")(lambda request, user: f"slash {user}")
    users.get("/posts/{slug}", name="post")(lambda request, user, slug: f"{user} {slug}")
    browser = TestApp(router)
    assert browser.get("/users/7").text == "user 7"
    assert browser.get("/users/7/").text == "slash 7"
    assert browser.get("/users/7/posts/red").text == "7 red"
    assert router.url("post", user=7, slug="red") == "/users/7/posts/red"
    assert users.group("/x").url("user", user=7) == "/users/7"


def test_a_group_without_prefix_is_for_its_layers():
    router = Router()
    router.group("", mark(name="group")).get("/a")(view)
    router.get("/b")(view)
    browser = TestApp(router)
    assert marks(browser.get("/a")) == ["group"]
    assert marks(browser.get("/b")) == []


def test_layers_go_around_from_the_outermost_to_the_view():
    router = Router()
    outer = router.group("/outer", mark(name="outer 1"), mark(name="outer 2"))
    inner = outer.group("/inner", mark(name="inner"))
    inner.get("/a", mark(name="route 1"), mark(name="route 2"))(view)
    inner.add("/b", Request.application(view), mark(name="app"))
    inner.mount("/m", Response("m"), mark(name="mount"))
    outer.get("/c")(view)
    browser = TestApp(router)
    around = ["inner", "outer 2", "outer 1"]
    assert marks(browser.get("/outer/inner/a")) == ["route 2", "route 1", *around]
    assert marks(browser.get("/outer/inner/b")) == ["app", *around]
    assert marks(browser.get("/outer/inner/m/x")) == ["mount", *around]
    assert marks(browser.get("/outer/c")) == ["outer 2", "outer 1"]


def test_layers_go_around_what_answers_and_not_around_other_methods():
    router = Router()
    router.get("/a", mark(name="layer"))(view)
    browser = TestApp(router)
    assert marks(browser.head("/a")) == ["layer"]
    assert marks(browser.options("/a")) == []
    assert marks(browser.post("/a", status=405)) == []


def test_a_decorated_view_stays_what_it_was_and_may_have_many_routes():
    router = Router()

    @router.get("/a")
    @router.get("/b")
    @router.post("/b")
    def both(request):
        return request.method

    browser = TestApp(router)
    assert [browser.get("/a").text, browser.get("/b").text, browser.post("/b").text] == [
        "GET",
        "GET",
        "POST",
    ]


def test_describe_tells_routes_mounts_and_layers():
    inner = Router(trailing_slash="redirect")
    inner.get("/", name="home")(view)
    router = Router()
    router.group("/users", mark(name="g")).get("/{id:int}")(view)
    router.mount("/inner", inner)
    tree = describe(router)
    assert tree.options == {}
    assert [label for label, _ in tree.parts] == ["GET /users/{id:int}", "/inner/*"]
    (_, users), (_, mounted) = tree.parts
    assert [part.heading() for part in users.layers()] == ["mark(name='g')"]
    assert mounted.heading() == "Router(trailing_slash='redirect')"
    assert [(label, part.name) for label, part in mounted.parts] == [("GET /", "view")]


# Routes that cannot be told apart


def hexadecimal():
    return Converter("hex", "[0-9a-f]+")


CLASHES = {
    "twice": ("/a", "GET", "/a", "GET"),
    "by one method": ("/a", "GET POST", "/a", "PUT POST"),
    "other names": ("/{a}/b/{c:int}", "GET", "/{x}/b/{y:int}", "GET"),
    "rest": ("/a/{p:path}", "GET", "/a/{q:path}", "GET"),
    "mounts": ("/m", "", "/m/", ""),
    "own beside built-in": ("/a/{x:hex}", "GET", "/a/{x:int}", "GET"),
    "built-in beside own": ("/a/{x:date}", "GET", "/a/{x:hex}/b", "POST"),
    "deep": ("/{a}/{b:hex}/c/d", "GET", "/{x}/{y:int}", "GET"),
    "two of one's own": ("/{a:hex}", "GET", "/{a:word}", "GET"),
    "new ground and a clash": ("/{a:hex}/x", "GET", "/{a:word}/{b:int}/{c}/d", "GET"),
}


def define(routes, template, methods, view=view):
    if methods:
        routes.route(template, methods=methods.split())(view)
    else:
        routes.mount(template, Response("mount"))


def tree_of(node):
    """All that a node of the tree holds, to compare."""
    return (
        node and (node.name, node.kind, node.forks, node.hopes, node.mount),
        node and (list(node.leaf.items()), list(node.rest.items())),
        node and [(segment, tree_of(child)) for segment, child in node.literal.items()],
        node and [(parse, tree_of(child)) for parse, child in node.typed],
        node and tree_of(node.text),
    )


def state(router):
    return (
        tree_of(router._root),
        {path: list(table.items()) for path, table in router._static.items()},
        dict(router._named),
        list(router.routes),
        router._depth,
    )


@pytest.mark.parametrize("grouped", [False, True], ids=["router", "group"])
@pytest.mark.parametrize(("one", "its", "two", "others"), CLASHES.values(), ids=CLASHES)
def test_a_clash_names_both_and_changes_nothing(one, its, two, others, grouped):
    router = Router(converters=[hexadecimal(), Converter("word", "[a-z]+")])
    routes = router.group("/g").group("/h") if grouped else router
    define(routes, one, its)
    before = state(router)
    with pytest.raises(
        ValueError, match=r"matches the same paths as|is ambiguous beside"
    ) as raised:
        define(router, ("/g/h" if grouped else "") + two, others, other)
    assert state(router) == before
    message = str(raised.value)
    assert message.startswith(f"<Route {others or ''}")
    assert two.rstrip("/") in message.partition(" to ")[0]
    assert repr(router.routes[0]) in message


def test_a_failed_definition_leaves_no_branch():
    router = Router(converters=[hexadecimal()])
    router.get("/a/{x:int}/b")(view)
    with pytest.raises(ValueError, match="ambiguous"):
        router.get("/a/{x:hex}/c")(view)
    with pytest.raises(TypeError):
        router.get("/b/{x:hex}", lambda app: 5)(view)
    with pytest.raises(ValueError, match="no converter"):
        router.get("/b/{x:hex}/{y:nothing}")(view)
    router.get("/a/{x:float}/b")(view)
    router.get("/b/{x:int}")(view)


def test_two_routes_of_one_name_are_refused():
    router = Router()
    router.get("/a", name="home")(view)
    before = state(router)
    with pytest.raises(
        ValueError, match="<Route POST /b to other> has the name 'home' of <Route GET /a to view>"
    ):
        router.post("/b", mark(name="layer"), name="home")(other)
    assert state(router) == before


def test_built_in_kinds_stand_side_by_side():
    router = Router()
    for kind in ("int", "float", "uuid", "date", "str", "path"):
        router.get(f"/{{x:{kind}}}")(lambda request, x: type(x).__name__)
    browser = TestApp(router)
    for text, kind in [
        ("7", "int"),
        ("7.5", "float"),
        ("2025-01-31", "date"),
        ("0189d3b4-7c5e-7f00-8000-00c0ffee0000", "UUID"),
        ("7e", "str"),
        ("7/8", "str"),
    ]:
        assert browser.get(f"/{text}").text == kind


def test_one_template_may_have_a_route_for_each_method():
    router = Router()
    router.get("/{a}")(lambda request, a: f"get {a}")
    router.post("/{b}")(lambda request, b: f"post {b}")
    browser = TestApp(router)
    assert browser.get("/x").text == "get x"
    assert browser.post("/x").text == "post x"


def test_a_converter_has_a_name_of_its_own():
    for name in ("int", "float", "hex"):
        with pytest.raises(ValueError, match=f"there is a converter '{name}' already"):
            Router(converters=[hexadecimal(), Converter(name, "x")])
