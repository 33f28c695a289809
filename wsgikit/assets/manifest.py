"""URLs of files whose names have a hash in them, looked up by the names without."""

from __future__ import annotations

import os
from time import time

from wsgikit import http
from wsgikit.files.versions import identity_of, is_settled
from wsgikit.http.problem import HTTPError
from wsgikit.trees.names import url_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsgikit.files.describer import AnyTree
    from wsgikit.files.versions import Identity

__all__ = ["Manifest"]


class Manifest:
    """What the manifests of some trees say, read once, and again when one has changed.

    A manifest is a JSON object in the root, as ``wsgikit digest`` writes it: ``{"app.css":
    "app.3f2a1b9c.css"}``.

    :param trees: the first whose manifest has a name counts.
    :param filename: the name of the manifests.
    :param base: what URLs begin with.
    :param watched: whether to look at each call for a manifest that changed.
    """

    __slots__ = ("_base", "_filename", "_known", "_trees", "_watched")

    def __init__(
        self, trees: Sequence[AnyTree], filename: str, base: str, *, watched: bool
    ) -> None:
        self._trees = trees
        self._filename = filename
        self._base = base
        self._watched = watched
        # For each tree the version of its manifest, None where that may still change, and its names
        self._known: dict[AnyTree, tuple[Identity | None, Mapping[str, str]]] = {}

    def url(self, name: str) -> str:
        """The URL of a file by its plain name, ``css/app.css``.

        That is of the file with a hash in its name, if there is one, and else of the file itself.

        :raises ValueError: when it is no path below the root, or a manifest is no JSON object.
        """
        for tree in self._trees:
            hashed = self._names(tree).get(name)
            if hashed is not None:
                return self._base + _encoded(hashed)
        return self._base + _encoded(name)

    def _names(self, tree: AnyTree) -> Mapping[str, str]:
        identity, names = self._known.get(tree, (None, {}))
        path = tree.path((self._filename,))
        if tree in self._known and (not self._watched or path is None):
            return names
        if identity is not None and path is not None:
            try:
                if identity_of(os.stat(path)) == identity:
                    return names
            except OSError:
                pass
        self._known[tree] = known = self._read(tree)
        return known[1]

    def _read(self, tree: AnyTree) -> tuple[Identity | None, Mapping[str, str]]:
        try:
            file, status = tree.open((self._filename,))
        except HTTPError:
            file = None
        if file is None:
            return None, {}
        with file:
            text = file.read().decode("utf-8", "replace")
        try:
            names = http.jsontext.loads(text)
        except HTTPError as error:
            raise ValueError(f"{self._filename} of {tree.root}: {error.detail}") from None
        if not isinstance(names, dict):
            raise ValueError(f"{self._filename} of {tree.root} is no JSON object")
        identity = identity_of(status) if is_settled(status, time()) else None
        return identity, {name: to for name, to in names.items() if isinstance(to, str)}


def _encoded(path: str) -> str:
    segments = [url_name(name) for name in path.split("/")]
    if None in segments:
        raise ValueError(f"url takes a path below the root, as 'css/app.css', not {path!r}")
    return "/".join(map(str, segments))
