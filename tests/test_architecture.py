"""The rules of the house, as ``docs/design.rst`` has them, checked on every module."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import wsgikit

PACKAGE = Path(wsgikit.__file__).parent
ROOT = PACKAGE.parent

# Imports point strictly down; a folder stands for all that is in it.
FLOORS = {
    0: "types keys lazy arguments remembered http",
    1: "wrap compose describe doctor conformance between lint stopwatch flame asking page environ"
    " signing passwords credentials context",
    2: "request response errors forms stores sessions files trees folders archives assets templates"
    " failures debug",
    3: "paths pathtree converters routes router apps caching metrics tallies access clients"
    " limiter",
    4: "middleware",
    5: "server",
    6: "cli __main__ commands load testing demo",
}
FLOOR = {part: floor for floor, parts in FLOORS.items() for part in parts.split()}
# A module may import its neighbours as long as that makes no circle, but here each stands alone.
ALONE = {"middleware", "apps"}


def modules():
    """{dotted name: path} of all there is."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()
PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}
every_module = pytest.mark.parametrize("module", MODULES)


def tree_of(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def part_of(module):
    """The file or folder below ``wsgikit`` that a module is of; "" for the package itself."""
    return module.split(".")[1] if "." in module else ""


def targets(node, module):
    """The modules that an import statement names: as far as they are of wsgikit, exactly."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.level == 0, f"{module}: imports are written out, not relative"
    return [
        f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in MODULES else node.module
        for alias in node.names
    ]


def is_typing_only(node):
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and (node.test.id == "TYPE_CHECKING")
    )


def imports(module):
    """(imported module, for types only) for every import statement, wherever it stands."""

    def walk(node, typing_only):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((target, typing_only) for target in targets(node, module))
        elif is_typing_only(node):
            for child in node.body:
                yield from walk(child, True)
            for child in node.orelse:
                yield from walk(child, typing_only)
        else:
            for child in ast.iter_child_nodes(node):
                yield from walk(child, typing_only)

    return list(walk(tree_of(module), False))


def own(imported):
    return imported.partition(".")[0] == "wsgikit"


def at_run_time(module):
    return {target for target, typing_only in imports(module) if own(target) and not typing_only}


def attributes_used(module, package):
    """What is loaded through a lazy package: ``http.cookies`` where ``http`` was imported."""
    name = package.rpartition(".")[2]
    return {
        f"{package}.{node.attr}"
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    } & set(MODULES)


def depends_on(module):
    """The modules of ours that a module needs, now or on first use."""
    needed = at_run_time(module)
    return needed.union(*(attributes_used(module, target) for target in needed & PACKAGES))


def test_every_module_has_its_floor():
    assert {part_of(module) for module in MODULES} - {""} <= set(FLOOR)


@every_module
def test_imports_point_down(module):
    part = part_of(module)
    if not part:
        assert at_run_time(module) == {"wsgikit.lazy"}
        return
    for target in depends_on(module) - {"wsgikit"}:
        there = part_of(target)
        assert FLOOR[there] <= FLOOR[part], f"{module} imports {target}, which is above it"
        if there == part and part in ALONE and module not in PACKAGES:
            raise AssertionError(f"{module} imports its neighbour {target}")


def test_no_circles():
    graph = {module: depends_on(module) & set(MODULES) - {"wsgikit"} for module in MODULES}
    done: set[str] = set()

    def visit(module, path):
        assert module not in path, f"a circle: {' -> '.join([*path, module])}"
        if module not in done:
            for target in graph[module]:
                visit(target, [*path, module])
            done.add(module)

    for module in graph:
        visit(module, [])


@every_module
def test_what_is_imported_for_types_is_below_too(module):
    # wsgikit.types has nothing at run time. Other types may be named from below, never from above:
    # that would be a dependency in all but name. The __init__ of a lazy package names its contents.
    if module in PACKAGES:
        return
    for target, typing_only in imports(module):
        if typing_only and own(target) and target != "wsgikit.types":
            assert FLOOR[part_of(target)] <= FLOOR[part_of(module)], f"{module} names {target}"


@every_module
def test_nothing_is_imported_inside_a_function(module):
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = [
                child for child in ast.walk(node) if isinstance(child, ast.Import | ast.ImportFrom)
            ]
            assert not inside, f"{module}:{inside[0].lineno}"


@every_module
def test_nothing_third_party_is_imported(module):
    for target, typing_only in imports(module):
        top = target.partition(".")[0]
        assert (
            top in sys.stdlib_module_names
            or own(target)
            or (
                typing_only and top == "_typeshed"  # known to type checkers alone
            )
        ), f"{module} imports {target}"


@every_module
def test_annotations_are_not_evaluated(module):
    tree = tree_of(module)
    statements = [node for node in tree.body if not isinstance(node, ast.Expr)]
    if not statements or module == "wsgikit.keys":  # names with values, and nothing else
        return
    first = statements[0]
    assert isinstance(first, ast.ImportFrom), f"{module} begins without the __future__ import"
    assert first.module == "__future__"
    assert [alias.name for alias in first.names] == ["annotations"]


@every_module
def test_nothing_is_asserted(module):
    asserted = [node.lineno for node in ast.walk(tree_of(module)) if isinstance(node, ast.Assert)]
    assert asserted == []


@every_module
def test_every_module_says_what_it_is(module):
    assert ast.get_docstring(tree_of(module))


def undocumented(name, value):
    """What of a public object has no docstring; what overrides a method needs none of its own."""
    if not value.__doc__:
        yield name
    for member, there in vars(value).items() if isinstance(value, type) else ():
        inherited = any(hasattr(base, member) for base in value.__mro__[1:])
        described = callable(there) or isinstance(there, property | classmethod | staticmethod)
        if described and not member.startswith("_") and not inherited and not there.__doc__:
            yield f"{name}.{member}"


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"wsgikit.__main__", "wsgikit.types"}))
def test_public_names_resolve_and_have_docstrings(module):
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", ()):
        value = getattr(loaded, name)
        if getattr(value, "__name__", None) == name:  # a function or class, no value
            assert [*undocumented(name, value)] == []


def test_the_public_names_of_the_package_resolve():
    assert len(wsgikit.__all__) == len(set(wsgikit.__all__))
    assert set(wsgikit.__all__) <= set(dir(wsgikit))
    names: dict[str, object] = {}
    exec("from wsgikit import *", names)
    assert set(wsgikit.__all__) <= set(names)


# Interpreters of their own


def python(program, path=ROOT, cwd=None):
    """What a bare interpreter prints: no site-packages, no environment, wsgikit from ``path``."""
    start = f"import sys; sys.path.insert(0, {str(path)!r})\n"
    flags = ["-S", "-I", "-B", "-X", "dev", "-W", "error"]
    run = subprocess.run(
        [sys.executable, *flags, "-c", start + program],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    return run.stdout


def loads(program):
    """The names of the modules that ``program`` adds to those of a bare interpreter."""
    before = "bare = set(sys.modules)\n"
    after = "\nprint(*sorted(set(sys.modules) - bare))"
    return set(python(before + program + after).split())


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"wsgikit.__main__"}))
def test_every_module_is_imported_with_the_standard_library_alone(module):
    loaded = loads(f"import importlib; importlib.import_module({module!r})")
    others = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    # The standard library's record of its own build has the platform in its name.
    assert {name for name in others if not name.startswith("_sysconfigdata")} == {"wsgikit"}


def test_importing_the_package_loads_next_to_nothing():
    assert {name for name in loads("import wsgikit") if own(name)} == {"wsgikit", "wsgikit.lazy"}


COSTLY = {
    "argparse",
    "collections",
    "dataclasses",
    "datetime",
    "email",
    "enum",
    "functools",
    "inspect",
    "json",
    "logging",
    "re",
    "typing",
    "urllib",
    "wsgiref",
}
HELLO = """
from wsgikit import Request, Response, Router, stack
router = Router()
@router.get("/hello/{name}")
def hello(request, name):
    return f"Hello, {name}!"
def start_response(status, headers, exc_info=None):
    print(status) if status != "200 OK" else None
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/hello/you"}
body = stack(lambda app: app, router)(environ, start_response)
if b"".join(body) != b"Hello, you!": raise SystemExit("another answer")
"""


@pytest.mark.parametrize(
    "program",
    ["import wsgikit", "from wsgikit import Request, Response, Router, stack", HELLO],
    ids=["package", "names", "hello"],
)
def test_the_core_loads_nothing_costly(program):
    assert {name.partition(".")[0] for name in loads(program)} & COSTLY == set()


ORDERS = {
    "function first": "from wsgikit.middleware import errors",
    "module first": "import wsgikit.middleware.errors; from wsgikit.middleware import errors",
    "neighbour first": (
        "from wsgikit.middleware import debugger; from wsgikit.middleware import errors"
    ),
    "from the module": (
        "from wsgikit.middleware.errors import errors as first; import wsgikit.middleware;"
        " errors = wsgikit.middleware.errors; errors is first or sys.exit('two of them')"
    ),
}


@pytest.mark.parametrize("statement", ORDERS.values(), ids=ORDERS)
def test_a_middleware_is_found_in_every_order_of_imports(statement):
    assert python(f"{statement}; print(callable(errors), errors.__name__)") == "True errors\n"


def test_one_file_is_loaded_and_not_its_neighbours():
    loaded = loads("from wsgikit.middleware import errors")
    assert {name for name in loaded if name.startswith("wsgikit.middleware.")} == {
        "wsgikit.middleware.errors"
    }
    loaded = loads("from wsgikit.apps import cascade")
    assert {name for name in loaded if name.startswith("wsgikit.apps.")} == {"wsgikit.apps.cascade"}
    loaded = loads("from wsgikit.wrap import on_start")
    assert {name for name in loaded if name.startswith("wsgikit.wrap.")} == {"wsgikit.wrap.start"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The package in a zip file, with nothing else of the checkout beside it."""
    path = tmp_path_factory.mktemp("archive") / "wsgikit.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(PACKAGE.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(ROOT))
    return path


def test_it_works_from_a_zip(archive, tmp_path):
    program = (
        """
import wsgikit
if "wsgikit.zip" not in wsgikit.__file__: raise SystemExit(wsgikit.__file__)
"""
        + HELLO
        + """
from wsgikit.middleware import errors
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/none", "HTTP_ACCEPT": "text/html"}
page = b"".join(errors(router)(environ, start_response)).decode()
print(page.startswith("<!DOCTYPE html>"), "Not Found" in page)
"""
    )
    printed = python(program, path=archive, cwd=tmp_path)
    assert printed == "404 Not Found\nTrue True\n"


def test_every_module_is_imported_from_a_zip(archive, tmp_path):
    names = sorted(set(MODULES) - {"wsgikit.__main__"})
    program = f"import importlib\nfor name in {names!r}: importlib.import_module(name)"
    assert python(program, path=archive, cwd=tmp_path) == ""


def test_no_module_asks_where_its_file_is():
    # Inside a zip there is no such file.
    for module in MODULES:
        names = {node.id for node in ast.walk(tree_of(module)) if isinstance(node, ast.Name)}
        assert "__file__" not in names, module


def test_the_types_are_marked_as_such():
    assert (PACKAGE / "py.typed").read_bytes() == b""
    assert os.path.exists(PACKAGE / "types.py")
