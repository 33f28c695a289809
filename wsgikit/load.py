"""The application that a command line names: ``module:name`` or ``path/to/app.py:name``."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from wsgikit.types import WSGIApplication

__all__ = ["LoadError", "load"]

# What is looked for where no name is given.
_APPLICATIONS = ("app", "application")
_FACTORIES = ("make_app", "create_app")

_VARIADIC = 0x04  # of a code object: it takes *args


class LoadError(Exception):
    """There is no such application; the message is one line for the person who named it.

    Where code of the application failed, ``__cause__`` is what it raised.
    """


def load(target: str, *, factory: bool = False) -> WSGIApplication:
    """Import a module, or run a file as one, and return the application in it.

    :param target: ``module:name``, ``package.module:name.attribute``, or the same with the path of
        a file in the place of the module. Without a name it is ``app`` or ``application``, for a
        factory ``make_app`` or ``create_app``. A name that ends with ``()`` is a factory.
    :param factory: whether the name is that of a function without arguments that makes the
        application.
    :raises LoadError: where there is no such module, file or name, where the module or the factory
        fails, and for what cannot be called.

    The current directory is put on ``sys.path``, as ``python -m`` does, and the directory of a
    file, as ``python path/to/app.py`` does. A file is not run as ``__main__``.
    """
    place, name = _split(target)
    if name.endswith("()"):
        name, factory = name[:-2], True
    _look_in(os.getcwd())
    if place.endswith(".py") or "/" in place or os.sep in place:
        module = _run_file(place)
    else:
        module = _import(place)
    name = name or _usual(module, place, _FACTORIES if factory else _APPLICATIONS)
    with _code_of(f"{place}:{name}"):
        value = _find(module, place, name)
    if factory:
        name += "()"
        if not callable(value):
            raise LoadError(f"{place}:{name} cannot be called: it is {_article(value)}")
        with _code_of(f"{place}:{name}"):
            value = value()
    if not callable(value):
        raise LoadError(f"{place}:{name} is no WSGI application but {_article(value)}")
    code = getattr(value, "__code__", None)
    if code is not None and not code.co_argcount and not code.co_flags & _VARIADIC:
        takes = "takes no arguments, so it is no WSGI application"
        raise LoadError(f"{place}:{name} {takes}; --factory has it called to make one")
    return value


def _split(target: str) -> tuple[str, str]:
    place, colon, name = target.rpartition(":")
    if not colon or "/" in name or os.sep in name:  # C:\app.py has a colon, too
        return target, ""
    return place, name


def _look_in(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _import(name: str) -> ModuleType:
    if not all(name.split(".")):
        raise LoadError(f"{name!r} names no module; a file is named by its path, as in dir/app.py")
    with _code_of(name):
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name or ""
            if not f"{name}.".startswith(f"{missing}."):
                raise  # it is there, and imports what is not
            head, dot, tail = name.rpartition(".")
            hint = f"; a name in a module comes after a colon: {head}:{tail}" if dot else ""
            where = f"in {os.getcwd()} or elsewhere on sys.path"
            raise LoadError(f"there is no module {missing!r} {where}{hint}") from None


def _run_file(path: str) -> ModuleType:
    if not os.path.isfile(path):
        exists = os.path.exists(path)
        raise LoadError(f"{path} is no file" if exists else f"there is no file {path}")
    folder, file = os.path.split(os.path.abspath(path))
    name = file.removesuffix(".py")
    # json.py must not become what others get by "import json".
    while name in sys.modules or name in sys.stdlib_module_names:
        name += "_"
    _look_in(folder)
    loader = SourceFileLoader(name, os.path.join(folder, file))
    spec = spec_from_file_location(name, loader.path, loader=loader)
    module = module_from_spec(spec)  # type: ignore[arg-type]  # with a loader there is a spec
    sys.modules[name] = module
    try:
        with _code_of(path):
            loader.exec_module(module)
    except LoadError:
        del sys.modules[name]
        raise
    return module


def _usual(module: ModuleType, place: str, names: tuple[str, ...]) -> str:
    for name in names:
        if hasattr(module, name):
            return name
    raise LoadError(f"{place} has no {' or '.join(names)}{_offer(module)}")


def _find(module: ModuleType, place: str, name: str) -> object:
    value: object = module
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            raise LoadError(f"{place} has no {name!r}{_offer(module)}") from None
    return value


def _offer(module: ModuleType) -> str:
    """What in the module might be meant: it is called, and not a thing that was imported there."""
    names = []
    for name, value in vars(module).items():
        own = getattr(value, "__module__", "") == module.__name__
        imported = getattr(value, "__name__", "") == name and not own
        if callable(value) and name[0] != "_" and not isinstance(value, type) and not imported:
            names.append(name)
    return f"; it has {', '.join(names[:8])}" if names else ""


def _article(value: object) -> str:
    kind = type(value).__name__
    return "None" if value is None else f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


@contextmanager
def _code_of(what: str) -> Iterator[None]:
    """Tell what the application's code raises in one line, with its place."""
    try:
        yield
    except LoadError:
        raise
    except (Exception, SystemExit) as error:
        first, *_ = str(error).splitlines() or [""]
        if isinstance(error, SyntaxError):
            first, file, line = error.msg, error.filename, error.lineno
        else:
            file, line = _place(error)
        where = f" ({_short(file)}, line {line})" if file and line else ""
        told = f"{type(error).__name__}: {first}" if first else type(error).__name__
        raise LoadError(f"{what} failed with {told}{where}") from error


def _place(error: BaseException) -> tuple[str, int]:
    """The file and the line where it was raised; the machinery of imports does not count."""
    place = ("", 0)
    step = error.__traceback__
    while step is not None:
        module = str(step.tb_frame.f_globals.get("__name__"))
        if module.partition(".")[0] != "importlib" and module != __name__:
            place = (step.tb_frame.f_code.co_filename, step.tb_lineno)
        step = step.tb_next
    return place


def _short(path: str) -> str:
    here = os.path.join(os.getcwd(), "")
    return path.removeprefix(here)
