"""Answering requests with the files of trees: what ``static`` and ``listing`` have in common.

A request for a file that is known chooses among what stands ready (:mod:`wsgikit.files.resource`):
nothing is parsed, opened or put together but what this very request wants. All others go a longer
way (:mod:`wsgikit.files.site`), on which the file is looked for, step by step and safely.
"""

from __future__ import annotations

import os

from wsgikit.errors import answer_error
from wsgikit.files.catalog import Catalog
from wsgikit.files.describer import Describer
from wsgikit.files.memory import Memory
from wsgikit.files.rules import Rules
from wsgikit.files.send import send
from wsgikit.files.site import Site, Spare
from wsgikit.files.versions import Changed
from wsgikit.http.problem import HTTPError
from wsgikit.trees.names import url_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Mapping, Sequence

    from wsgikit.files.describer import AnyTree
    from wsgikit.files.resource import Resource
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["MEMORY", "publish"]

#: How many bytes of small files are kept in memory.
MEMORY = 16 * 1024 * 1024


def publish(
    *trees: AnyTree,
    index: str | None,
    hidden: bool,
    folder: Callable[[list[str]], WSGIApplication] | None = None,
    rules: Rules | None = None,
    codings: Sequence[str] = (),
    memory: int = MEMORY,
    frozen: bool = False,
    fallback: str | None = None,
    not_found: str | None = None,
) -> WSGIApplication:
    """An application that answers GET and HEAD with the files of ``trees`` that PATH_INFO names.

    :param trees: of several, the first that has a file counts.
    :param index: the name of the file that answers for its directory, or None.
    :param hidden: whether names that begin with a dot are served.
    :param folder: gives what answers for a directory of these names that has no index; without it,
        that is a 404.
    :param rules: what is said of files by name.
    :param codings: the content codings whose siblings are sent to clients that accept them.
    :param memory: how many bytes of small files are kept.
    :param frozen: whether all files are looked at now, and never again; below links that a scan
        does not enter (:meth:`wsgikit.files.catalog.Catalog.scan`), when they are first asked for.
    :param fallback: the path of the file that answers, by a 200, when a page is not there.
    :param not_found: the path of the file whose content a 404 has.
    :raises ValueError: when ``index`` is no name of a file, or ``fallback`` or ``not_found`` no
        path of one.

    A directory asked for without a slash at the end is redirected to the one with it, below
    SCRIPT_NAME, by 308. What is not there, or not to be served for whatever reason, is one and the
    same 404; other methods are a 405.
    """
    if index is not None and url_name(index) is None:
        raise ValueError(f"index takes the name of a file or None, not {index!r}")
    page = None if fallback is None else Spare("fallback", fallback, ("Accept",))
    vary = () if fallback is None else ("Accept",)
    lost = None if not_found is None else Spare("not_found", not_found, vary)
    describer = Describer(
        rules or Rules(), codings, Memory(memory, evicts=not frozen), watched=not frozen
    )
    catalog = Catalog(trees, describer)
    closed: Collection[str] = ()
    if frozen:
        closed = catalog.scan(index, hidden=hidden)
        for spare in (page, lost):
            if spare is not None:
                spare.require(catalog)
    site = Site(catalog, index=index, hidden=hidden, folder=folder, fallback=page, lost=lost)
    known = catalog.resources
    return _answering(site, known, _known_folders(known, closed) if frozen else _probe(trees))


def _answering(
    site: Site, known: Mapping[Hashable, Resource], may_lead: Callable[[str], bool]
) -> WSGIApplication:
    missing = site.missing

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        path = environ.get("PATH_INFO", "")
        method = environ["REQUEST_METHOD"]
        if method == "GET" or method == "HEAD":
            resource = known.get(path)
            if resource is None:
                if not may_lead(path):
                    return missing(environ, start_response)
            elif resource.is_current():
                try:
                    return send(resource.chosen(environ), environ, start_response)
                except Changed:
                    pass
                except HTTPError as error:
                    return answer_error(error, environ, start_response)
        return site.look(environ, start_response)

    return answer


def _known_folders(
    known: Mapping[Hashable, Resource], closed: Collection[str]
) -> Callable[[str], bool]:
    """Tells of the paths that are redirected to the index of a folder, of all that was found in a
    scan, and of those below the links that it did not enter.
    """
    indices = (path for path in known if isinstance(path, str) and path.endswith("/"))
    folders = frozenset({"", *(path[:-1] for path in indices)})
    if not closed:
        return folders.__contains__
    sizes = sorted({len(path) for path in closed})

    def may_lead(path: str) -> bool:
        if path in folders:
            return True
        return any(path[:size] in closed and path[size : size + 1] in ("", "/") for size in sizes)

    return may_lead


def _probe(trees: Sequence[AnyTree]) -> Callable[[str], bool]:
    """Tells of most paths to which nothing leads that it is so, by one system call for a tree.

    What there is may still not be served: it is looked for on the safe way then.
    """
    roots = [tree.root for tree in trees]
    prefixes = [root.rstrip("/") for root in roots if isinstance(root, str)]
    # Elsewhere, a path like these may lead to a device.
    if os.sep != "/" or len(prefixes) < len(roots):
        return lambda path: True
    first, *others = prefixes
    access = os.access

    def may_lead(path: str) -> bool:
        if not path.isascii() or "/." in path or "\0" in path or path[:1] != "/":
            return True
        there = access(first + path, os.F_OK)
        return there or (others != [] and any(access(each + path, os.F_OK) for each in others))

    return may_lead
