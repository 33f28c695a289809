"""Names with a hash of the content in them: such a file never changes, and is cached for good.

RFC 8246 (``immutable``). ``app.css`` is copied to ``app.3f2a1b9c.css``; ``manifest.json`` tells the
one name by the other.
"""

from __future__ import annotations

import errno
import json
import os
import posixpath
import re
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from itertools import pairwise
from urllib.parse import quote, unquote

from wsgikit.assets.references import replace_in_css, replace_in_script
from wsgikit.files.codings import SUFFIXES
from wsgikit.http.jsontext import loads
from wsgikit.http.media import guess_type
from wsgikit.http.problem import HTTPError
from wsgikit.trees.draft import Draft
from wsgikit.trees.opening import BLOCK_SIZE, open_file
from wsgikit.trees.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MANIFEST", "Digester", "NotOurs"]

#: The name of the file that tells the names with a hash by those without.
MANIFEST = "manifest.json"

# Hexadecimal digits of SHA-256 in a name.
_DIGITS = 8
_HASHED = re.compile(rf"(.+)\.([0-9a-f]{{{_DIGITS}}})((?:\.[^./]*)?)", re.DOTALL)

# Pages keep their names: people and other sites ask for them.
_PAGES = ("text/html", "application/xhtml+xml")
_REPLACE = {"text/css": replace_in_css, "text/javascript": replace_in_script}

_SCHEME = re.compile("[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# What may stand in the path of a URL as it is, and in CSS without quotes.
_SAFE = "/%:@!$&*+,;=~"


class NotOurs(Exception):
    """In the place of the manifest is something else, which must not be lost."""


class Digester:
    """Copies of the files in a directory, under names with a hash.

    :param root: the directory. What is in it and would not be served is passed over (see
        :func:`wsgikit.trees.walk.walk`), and so are pages, compressed siblings, the manifest, and
        the copies of earlier runs: what the manifest names, and files whose names have the hash of
        their own content.
    :param manifest: the name of the manifest in the directory.
    :raises NotOurs: when there is something else under that name, such as a web app's manifest.
    :raises OSError: when a file cannot be read.

    In style sheets, URLs in ``url()``, ``@import`` and ``sourceMappingURL`` that are relative and
    lead to one of the files are rewritten, in scripts that of the source map. A copy thus has
    another name when something changes that it refers to. Files that refer to each other in a
    circle cannot have each other's hash in them: there, the plain names stay.
    """

    def __init__(self, root: str, *, manifest: str = MANIFEST) -> None:
        self._root = root
        self._manifest = manifest
        #: The names with a hash by those without: what the manifest says.
        self.names: dict[str, str] = {}
        #: ``(name, URL)`` of what is referred to and is not there.
        self.missing: list[tuple[str, str]] = []
        #: ``(name, URL)`` of what is outside of the directory, and not looked for.
        self.outside: list[tuple[str, str]] = []
        #: Files that refer to each other, or one to itself: a list for each circle.
        self.circles: list[list[str]] = []
        before = self._read_manifest()
        self._present = set(walk(root))
        self._copies = {name for name in self._present if self._is_copy(name)}
        others = self._present.difference(self._copies, before.values())
        self._plain = set(filter(self._is_plain, others))
        self._texts: dict[str, str] = {}  # of those that refer to others
        for name in self._in_order():
            self._add(name)

    @property
    def stale(self) -> list[str]:
        """The copies that no name leads to any more."""
        return sorted(self._copies.difference(self.names.values()))

    def write(self) -> list[str]:
        """Write the copies that are not there yet, then the manifest.

        :returns: the names of what was written; empty where all was current.
        :raises OSError: when something cannot be written, or changed since it was looked at.
        :raises NotOurs: when the manifest did, to something else.
        """
        written = []
        for name, hashed in sorted(self.names.items()):
            if hashed not in self._copies:
                self._copy(name, hashed)
                written.append(hashed)
        manifest = f"{json.dumps(self.names, indent=2, sort_keys=True)}\n".encode()
        if self._read_text() != manifest:
            with Draft(self._root) as draft:
                draft.file.write(manifest)
                draft.replace(self._manifest)
            written.append(self._manifest)
        return written

    def prune(self) -> None:
        """Remove the stale copies, and the compressed siblings of each."""
        for name in self.stale:
            for suffix in ("", *SUFFIXES.values()):
                if name + suffix in self._present:
                    os.unlink(self._path(name + suffix))

    def _read_manifest(self) -> dict[str, str]:
        try:
            found = loads(self._read_text() or b"{}")
        except HTTPError:
            found = None
        if isinstance(found, dict):
            names = {name: str(hashed) for name, hashed in found.items()}
            if all(_plain_name(hashed) == name for name, hashed in names.items()):
                return names
        raise self._not_ours()

    def _read_text(self) -> bytes | None:
        """What is in the manifest; None where there is none."""
        try:
            return b"".join(self._blocks(self._manifest))
        except FileNotFoundError:
            if os.path.lexists(self._path(self._manifest)):  # a folder, a pipe
                raise self._not_ours() from None
            return None

    def _not_ours(self) -> NotOurs:
        return NotOurs(f"{self._path(self._manifest)} is no list of names with a hash")

    def _is_copy(self, name: str) -> bool:
        match = _HASHED.fullmatch(name)
        return match is not None and _hash(self._blocks(name)) == match[2]

    def _is_plain(self, name: str) -> bool:
        media, coding = guess_type(name)
        stem, suffix = os.path.splitext(name)
        sibling = coding is not None and suffix in SUFFIXES.values() and stem in self._present
        return name != self._manifest and media not in _PAGES and not sibling and _is_text(name)

    def _in_order(self) -> list[str]:
        """The files, each after those that it refers to; circles are opened for that."""
        self._targets = {name: self._targets_of(name) for name in sorted(self._plain)}
        while True:
            try:
                return list(TopologicalSorter(self._targets).static_order())
            except CycleError as error:
                circle: list[str] = error.args[1]
                for target, name in pairwise(circle):
                    self._targets[name].remove(target)
                self.circles.append(circle[:-1])

    def _targets_of(self, name: str) -> list[str]:
        replace = _REPLACE.get(guess_type(name)[0])
        if replace is None:
            return []
        text = b"".join(self._blocks(name)).decode("utf-8", "surrogateescape")
        targets: dict[str, None] = {}
        urls: list[str] = []
        replace(text, urls.append)
        for url in urls:
            target = _target(name, url)
            if target in self._plain:
                targets[target] = None
            elif target is not None and target.split("/")[0] == "..":
                self.outside.append((name, url))
            elif target is not None and target not in self._present:
                self.missing.append((name, url))
        if targets:
            self._texts[name] = text
        return list(targets)

    def _add(self, name: str) -> None:
        stem, extension = posixpath.splitext(name)
        self.names[name] = f"{stem}.{_hash(self._content(name))}{extension}"

    def _content(self, name: str) -> Iterable[bytes]:
        """What the copy of a file has in it. What that refers to has to have its name already."""
        text = self._texts.get(name)
        if text is None:
            return self._blocks(name)

        def replace(url: str) -> str | None:
            target = _target(name, url)
            if target not in self._targets[name]:
                return None
            path, rest = _split(url)
            folder = path[: path.rfind("/") + 1]
            return _quote(folder, _SAFE) + quote(posixpath.basename(self.names[target]), "") + rest

        new = _REPLACE[guess_type(name)[0]](text, replace)
        return (new.encode("utf-8", "surrogateescape"),)

    def _copy(self, name: str, hashed: str) -> None:
        folder, final = os.path.split(self._path(hashed))
        digest = sha256()
        with Draft(folder) as draft:
            for block in self._content(name):
                digest.update(block)
                draft.file.write(block)
            if digest.hexdigest()[:_DIGITS] not in final:
                raise OSError(errno.EBUSY, "it was changed meanwhile", self._path(name))
            draft.imitate(os.stat(self._path(name)))
            draft.replace(final)

    def _path(self, name: str) -> str:
        return os.path.join(self._root, name)

    def _blocks(self, name: str) -> Iterator[bytes]:
        file, _ = open_file(self._path(name))
        with file:
            while block := file.read(BLOCK_SIZE):
                yield block


def _hash(blocks: Iterable[bytes]) -> str:
    digest = sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()[:_DIGITS]


def _plain_name(hashed: str) -> str | None:
    match = _HASHED.fullmatch(hashed)
    return match and match[1] + match[3]


def _is_text(name: str) -> bool:
    """Whether JSON can hold the name: it is UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _split(url: str) -> tuple[str, str]:
    """The path of a URL, and what follows it: a query, a fragment."""
    path = re.split("[?#]", url, maxsplit=1)[0]
    return path, _quote(url[len(path) :], _SAFE + "?#")


def _quote(text: str, safe: str) -> str:
    """Percent-encoded, with the octets of the file where those are no UTF-8."""
    return quote(text, safe, errors="surrogateescape")


def _target(name: str, url: str) -> str | None:
    """The file that a URL in the file ``name`` leads to; None where it may be anything else."""
    path, _ = _split(url.strip())
    if not path or path[0] == "/" or _SCHEME.match(path):
        return None
    target = posixpath.join(posixpath.dirname(name), unquote(path, errors="surrogateescape"))
    return posixpath.normpath(target)
