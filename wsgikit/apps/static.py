"""Files below a directory, and nothing else (RFC 9110 §9.3.1, §12.5.3, §13, §14)."""

from __future__ import annotations

import os

from wsgikit.assets.manifest import Manifest
from wsgikit.files.codings import SUFFIXES
from wsgikit.files.publish import MEMORY, publish
from wsgikit.files.rules import Rules
from wsgikit.trees.names import url_name
from wsgikit.trees.package import PackageTree
from wsgikit.trees.tree import LinkedTree, Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from importlib.resources.abc import Traversable
    from typing import Protocol, TypeAlias

    from wsgikit.files.describer import AnyTree
    from wsgikit.types import Body, StartResponse, WSGIEnvironment

    Root: TypeAlias = str | os.PathLike[str] | Traversable

    class Static(Protocol):
        """What :func:`static` gives: an application that knows the URLs of its files."""

        def __call__(self, environ: WSGIEnvironment, start_response: StartResponse, /) -> Body: ...

        def url(self, name: str, /) -> str:
            """The URL of a file by its plain name."""


__all__ = ["static"]

_CODINGS = ("zstd", "br", "gzip")


def static(
    root: Root,
    *more: Root,
    index: str | None = "index.html",
    hidden: bool = False,
    links: bool = False,
    frozen: bool = False,
    fallback: str | None = None,
    not_found: str | None = None,
    types: Mapping[str, str] | None = None,
    cache: Mapping[str, str] | None = None,
    headers: Mapping[str, Mapping[str, str]] | None = None,
    download: Collection[str] = (),
    codings: Sequence[str] = _CODINGS,
    memory: int = MEMORY,
    base_url: str = "",
    manifest: str = "manifest.json",
) -> Static:
    """Serve the files below ``root`` by PATH_INFO, to GET and HEAD.

    :param root: a directory; or one in a package or a zip file, as
        :func:`importlib.resources.files` and :class:`zipfile.Path` give it. Links in it are
        followed where they lead below it; ``root`` may be a link itself, and be changed to lead
        elsewhere.
    :param more: more of them. The first that has a file counts.
    :param index: the name of the file that answers for its directory; None for no such file.
    :param hidden: whether names that begin with a dot are served.
    :param links: whether links are followed that lead out of ``root``.
    :param frozen: whether all files are looked at now, and never again. Otherwise each request
        looks, so that files which changed, are new or are gone are so at once. A link to a folder
        that leads back to one it is in, or that is itself below another such link, is not followed
        now: what is below it is looked at when it is first asked for.
    :param fallback: the path of a file below the root that answers, by a 200, where nothing is and
        the client asks for a page: ``index.html`` for an application in the browser that has
        routes of its own. Scripts and pictures that are missing remain a 404.
    :param not_found: the path of a file below the root that is the content of a 404, which says
        ``no-cache`` whatever ``cache`` says of the file.
    :param types: media types by the end of the name, ``{".foo": "text/x-foo"}``, before those that
        are known anyway (:func:`wsgikit.http.media.guess_type`).
    :param cache: values of Cache-Control by pattern, ``{"fonts/*": "max-age=86400"}``, the first
        that matches; the empty string for no such field. Where none matches, it is ``no-cache``
        (kept, and asked for whether it changed), and for names with the hash of a content in them,
        ``app.3f2a1b9c.css``, a year and ``immutable``.
    :param headers: more fields by pattern, of all that match:
        ``{"*": {"Access-Control-Allow-Origin": "*"}}``.
    :param download: patterns of what browsers should save and not show.
    :param codings: the content codings, of ``zstd``, ``br`` and ``gzip``, whose siblings
        (``app.css.gz`` beside ``app.css``, as ``wsgikit compress`` writes them) are sent to clients
        that accept them; the empty list for none.
    :param memory: how many bytes of small files, up to 128 KiB each, are kept in memory.
    :param base_url: the URL at which this is mounted: what :meth:`url` begins with.
    :param manifest: the file in the root that tells the names with a hash, as ``wsgikit digest``
        writes it.
    :raises ValueError: when an option takes no such value; it says which one.

    Patterns are those of :mod:`fnmatch`, for the path below the root; ``*`` stands for slashes too.

    **What is answered.** Conditions and ranges are obeyed, several ranges too. The entity tag is
    the digest of what is sent, the same on all machines; a file of more than 64 MiB has one made of
    its times. ``/dir`` is redirected to ``/dir/`` (308) where that has an index. All that is not
    served is one 404: what is not there, hidden, outside of ``root``, no regular file, not
    readable, or has a name that Windows takes for something else
    (:func:`wsgikit.trees.names.safe_parts`), on every system. Methods other than GET and HEAD are a
    405, so that :func:`~wsgikit.apps.cascade` passes them on. A client that forbids what has no
    coding (``identity;q=0``) and accepts none that there is gets a 406.

    **Siblings** are sent where they are smaller than the file and of the same content: for gzip
    that is checked, the others must not be older than the file. All answers say
    ``Vary: Accept-Encoding``.

    **url(name)** of what is returned gives the URL of a file by its plain name: of the one with a
    hash in its name, where the manifest has it::

        assets = static("public", base_url="/static/")
        router.mount("/static", assets)
        assets.url("app.css")  # "/static/app.3f2a1b9c.css"
    """
    trees = [_tree(each, links) for each in (root, *more)]
    unknown = [coding for coding in codings if coding not in SUFFIXES]
    if unknown or isinstance(codings, str):
        takes = ", ".join(map(repr, SUFFIXES))
        raise ValueError(f"codings takes a list of {takes}, not {codings!r}")
    if type(memory) is not int or memory < 0:
        raise ValueError(f"memory takes a number of bytes, not {memory!r}")
    if url_name(manifest) is None:
        raise ValueError(f"manifest takes the name of a file, not {manifest!r}")
    vary = ("Accept-Encoding",) if codings else ()
    answer = publish(
        *trees,
        index=index,
        hidden=hidden,
        rules=Rules(types=types, cache=cache, headers=headers, download=download, vary=vary),
        codings=codings,
        memory=memory,
        frozen=frozen,
        fallback=fallback,
        not_found=not_found,
    )
    given = {
        "index": index,
        "hidden": hidden,
        "links": links,
        "frozen": frozen,
        "fallback": fallback,
        "not_found": not_found,
        "types": types,
        "cache": cache,
        "headers": headers,
        "download": download,
        "codings": codings,
        "memory": memory,
        "base_url": base_url,
        "manifest": manifest,
    }
    options: dict[str, object] = {"root": _named(root)}
    if more:
        options["more"] = [_named(each) for each in more]
    defaults = static.__kwdefaults__ or {}
    options |= {name: value for name, value in given.items() if value != defaults[name]}
    answer.__qualname__ = "static"
    answer.described = lambda: (options, [])  # type: ignore[attr-defined]
    answer.url = Manifest(trees, manifest, base_url, watched=not frozen).url  # type: ignore[attr-defined]
    return answer  # type: ignore[return-value]


def _tree(root: Root, links: bool) -> AnyTree:
    if isinstance(root, str | os.PathLike):
        return LinkedTree(root) if links else Tree(root)
    if hasattr(root, "iterdir") and hasattr(root, "joinpath"):
        return PackageTree(root)
    raise TypeError(f"root takes a path, or a directory of importlib.resources, not {root!r}")


def _named(root: Root) -> object:
    return os.fspath(root) if isinstance(root, os.PathLike) else root
