"""Sphinx: ``python -m sphinx -W --keep-going -b html docs docs/_build``; needs no network."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from docutils.nodes import literal
from sphinx.util.logging import getLogger

import wsgikit
from wsgikit import request

project = "wsgikit"
author = copyright = "the wsgikit authors"
version = release = wsgikit.__version__

extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
highlight_language = "python"
# Annotations name a class without its module, and there may be two of that name.
suppress_warnings = ["ref.python"]

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True

html_theme = "alabaster"
html_theme_options = {
    "description": "The web layer that the standard library lacks",
    "page_width": "70rem",
    "body_max_width": "50rem",
    "fixed_sidebar": True,
}
html_static_path = ["_static"]
html_show_copyright = html_show_sphinx = html_show_sourcelink = html_copy_source = False

# The request's own cached property: for autodoc a property like any other.
for _name, _value in list(vars(request.Request).items()):
    if isinstance(_value, request.computed):
        setattr(request.Request, _name, property(_value._compute))


# Those with names that are defined in a module of theirs.
PACKAGES = (
    "wsgikit.middleware",
    "wsgikit.apps",
    "wsgikit.server",
    "wsgikit.stores",
    "wsgikit.wrap",
    "wsgikit",
)


def _where_defined(target):
    """``wsgikit.Request.url`` is documented as ``wsgikit.request.Request.url``."""
    for package in PACKAGES:
        name, _, rest = target.removeprefix(f"{package}.").partition(".")
        value = getattr(import_module(package), name, None)
        if target.startswith(f"{package}.") and hasattr(value, "__qualname__"):
            return f"{value.__module__}.{value.__qualname__}" + (f".{rest}" if rest else "")
    return None


def _resolve(app, env, node, content):
    """Find public names where they are defined; what we refer to of our own has to be there."""
    target = node.get("reftarget") or ""
    if node.get("refdomain") != "py" or not target.startswith("wsgikit."):
        return None
    found = _where_defined(target)
    reference = found and env.domains.python_domain.resolve_xref(
        env, node["refdoc"], app.builder, node["reftype"], found, node, content
    )
    if not reference and "refwarn" in node:  # written by us, not taken from an annotation
        getLogger(__name__).warning("no such name: %s", target, location=node)
    return reference


def _test(name, rawtext, text, lineno, inliner, options=None, content=()):
    """``:test:`tests/test_lint.py::test_name```: a test, by what pytest calls it."""
    path, _, function = text.partition("::")
    return [literal(rawtext, f"{path} {function}")], []


def setup(app):
    app.add_role("test", _test)
    app.connect("missing-reference", _resolve)
