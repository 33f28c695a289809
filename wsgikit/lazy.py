"""Packages that load their parts on first use (PEP 562): importing one costs next to nothing.

A package calls :func:`lazy` with a table ``{public name: submodule}``. The name is then the object
of that name in the submodule, or the submodule itself where the table says ``None``.

The import system binds a submodule to its package under the submodule's own name once it is loaded.
In a package whose public names are those of its submodules (``middleware.errors``) that would put
the module where people expect the function, depending on what was imported before. The package
therefore stores the exported object instead, in every order of imports.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
else:
    ModuleType = type(sys)  # the same without importing types


def lazy(package: str, exports: Mapping[str, str | None]) -> None:
    """Make the module ``package`` load each name of ``exports`` when it is first asked for."""
    module = sys.modules[package]

    def load(name: str) -> object:
        try:
            submodule = exports[name]
        except KeyError:
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None
        full = f"{package}.{submodule or name}"
        __import__(full)
        value: object = sys.modules[full]
        if submodule is not None:
            value = getattr(value, name)
        module.__dict__[name] = value
        return value

    module.__dict__["__getattr__"] = load
    module.__dict__["__dir__"] = lambda: sorted({*module.__dict__, *exports})
    if any(name == submodule for name, submodule in exports.items()):
        module.__dict__["_exports"] = exports
        module.__class__ = Shadowed


class Shadowed(ModuleType):
    """A package that exports objects under the names of the submodules that define them."""

    _exports: Mapping[str, str | None]

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and self._exports.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)
