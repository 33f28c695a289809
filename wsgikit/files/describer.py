"""Describing a file: its representations, with the compressed siblings that are of its content."""

from __future__ import annotations

import os
from time import time

from wsgikit.files.codings import SUFFIXES
from wsgikit.files.content import Content, read
from wsgikit.files.representation import Growing, Packaged, Stored
from wsgikit.files.resource import IDENTITY, Choices, Resource, WatchedResource
from wsgikit.files.versions import Changed, etag_of_times, identity_of, is_settled, modified_of
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO, TypeAlias

    from wsgikit.files.memory import Memory
    from wsgikit.files.representation import Representation
    from wsgikit.files.rules import Rules
    from wsgikit.files.versions import Identity
    from wsgikit.trees.package import PackageTree
    from wsgikit.trees.tree import PathTree
    from wsgikit.types import HeaderList

    AnyTree: TypeAlias = PathTree | PackageTree

__all__ = ["Describer", "Found"]

# So many contents that were read are not read again under another name; the oldest go first.
_MOST_CONTENTS = 10_000

# A sibling this much older than its file (ns) is of an earlier version. Copies of both may have
# been made in any order, and some archives tell times to two seconds.
_OLDER = 2 * 10**9

# The version of what is looked at once only.
_ANY = (0, 0, 0, 0, 0)


class Found:
    """A file or a directory: in which tree, opened, and what the system tells of it.

    :param tree: where it is.
    :param names: its directories' names in the tree, and its own.
    :param file: the file, or None for a directory.
    :param status: what was opened.
    :param before: where other trees, looked into before, would have it.
    """

    __slots__ = ("before", "file", "names", "path", "status", "tree")

    def __init__(
        self,
        tree: AnyTree,
        names: Sequence[str],
        file: BinaryIO | None,
        status: os.stat_result,
        before: Sequence[str] = (),
    ) -> None:
        self.tree = tree
        self.names = names
        self.file = file
        self.status = status
        self.before = before
        #: Where it is in the file system; None for what is not there.
        self.path = tree.path(names)

    def close(self) -> None:
        """Close the file, if it is one."""
        if self.file is not None:
            self.file.close()

    def reopen(self) -> BinaryIO:
        """The file once more, from its beginning.

        :raises HTTPError: 404 when it is there no longer.
        """
        return Found(self.tree, self.names, *self.tree.open(self.names)).opened()

    def opened(self) -> BinaryIO:
        """The file.

        :raises HTTPError: 404 for a directory.
        """
        if self.file is None:
            raise HTTPError(404)
        return self.file


class Describer:
    """Makes resources of files.

    :param rules: what is said of files by name.
    :param codings: the content codings whose siblings are looked for.
    :param memory: where small contents are kept.
    :param watched: whether files are looked at at each request.
    """

    __slots__ = ("_choices", "_codings", "_contents", "_memory", "_rules", "_watched")

    def __init__(
        self, rules: Rules, codings: Sequence[str], memory: Memory, *, watched: bool
    ) -> None:
        self._rules = rules
        self._codings = codings
        self._memory = memory
        self._watched = watched
        self._choices: dict[Sequence[str], Choices] = {}
        self._contents: dict[Identity, Content] = {}

    def describe(self, found: Found, vary: Sequence[str]) -> Resource:
        """The resource of a file.

        :param vary: the fields of the request that led to it, beside the path.
        :raises Changed: when it is written to meanwhile. A file that is looked at once only has a
            tag made of its times then.
        """
        beside = self.beside(found)
        content = self._content(found)
        fields = self._rules.fields(found.names, content.digest, vary)
        forms = {IDENTITY: self._representation(found, fields, content)}
        settled = is_settled(found.status, time())
        for coding, version in zip(self._codings, beside, strict=True):
            sibling = self._sibling(found, coding) if version is not None else None
            if sibling is None:
                continue
            with sibling.opened() as file:
                settled = settled and is_settled(sibling.status, time())
                if _is_of(sibling, file, coding, found, content):
                    file.seek(0)
                    encoded = [*fields, ("Content-Encoding", coding)]
                    coded = self._content(sibling)
                    forms[coding] = self._representation(sibling, encoded, coded)
        choices = self._choices_of(forms)
        if found.path is None or not self._watched:
            return Resource(forms, choices)
        identity = identity_of(found.status)
        watched = WatchedResource(forms, choices, found.path, identity, beside, found.before)
        if settled:
            watched.trust()
        return watched

    def growing(self, found: Found) -> Growing:
        """A file that is added to while it is looked at, for one answer, as it was opened.

        :raises Changed: for a small one, which is read at once: it was rather written over.
        """
        status, now = found.status, time()
        if status.st_size <= self._memory.largest:
            found.close()
            raise Changed("a small file has changed each time that it was read")
        fields = self._rules.fields(found.names)
        etag = etag_of_times(status, now)
        return Growing(fields, status, etag, modified_of(status, now), found.opened())

    def confirm(self, known: Resource, found: Found) -> bool:
        """Whether ``known`` tells of what was found, and of what is beside it."""
        if not (
            isinstance(known, WatchedResource)
            and known.is_of(found.path, identity_of(found.status), self.beside(found), found.before)
        ):
            return False
        for shown in known.forms.values():
            self._memory.renew(shown)
        known.trust()
        return True

    def forget(self, resource: Resource) -> None:
        """Keep the contents of a resource no longer."""
        for shown in resource.forms.values():
            self._memory.drop(shown)

    def beside(self, found: Found) -> list[Identity | None]:
        """The versions of what lies beside a file under the names of its siblings."""
        if found.path is None:
            return [_ANY] * len(self._codings)
        paths = [found.path + SUFFIXES[coding] for coding in self._codings]
        if self._watched:
            return [_version(path) for path in paths]
        return [_ANY if os.access(path, os.F_OK) else None for path in paths]

    def _sibling(self, found: Found, coding: str) -> Found | None:
        *folders, name = found.names
        names = [*folders, name + SUFFIXES[coding]]
        try:
            sibling = Found(found.tree, names, *found.tree.open(names))
        except HTTPError:
            return None
        return None if sibling.file is None else sibling

    def _content(self, found: Found) -> Content:
        status = found.status
        key = identity_of(status)
        wanted = self._memory.largest
        known = self._contents.get(key)
        if known is not None and status.st_size > wanted:
            return known
        try:
            content = read(found.opened(), status, wanted, stored=found.path is not None)
        except Changed:
            if self._watched:
                raise
            return Content(etag_of_times(status, time()))
        if found.path is not None and content.data is None and is_settled(status, time()):
            if len(self._contents) >= _MOST_CONTENTS:
                self._contents.clear()
            self._contents[key] = content
        return content

    def _representation(self, found: Found, fields: HeaderList, content: Content) -> Representation:
        shown: Representation
        if found.path is None:
            shown = Packaged(fields, found.status.st_size, content.etag, found.reopen)
        else:
            modified = modified_of(found.status, time())
            shown = Stored(fields, found.status, content.etag, modified, found.path)
        if content.data is not None:
            self._memory.keep(shown, content.data)
        return shown

    def _choices_of(self, forms: Mapping[str, Representation]) -> Choices | None:
        """How one of the forms is chosen: the smallest of those that a client likes alike."""
        if not self._codings:
            return None
        offers = tuple(sorted(forms, key=lambda coding: forms[coding].size))
        return self._choices.setdefault(offers, Choices(offers))


def _version(path: str) -> Identity | None:
    try:
        return identity_of(os.stat(path))
    except OSError:
        return None


def _is_of(sibling: Found, file: BinaryIO, coding: str, found: Found, content: Content) -> bool:
    """Whether a sibling saves anything, and is not of an earlier version of the file.

    gzip tells of what content it is (RFC 1952, section 2.3.1); for the others the times have to do.
    """
    size = found.status.st_size
    if sibling.status.st_size >= size:
        return False
    if coding == "gzip" and content.checksum is not None:
        file.seek(max(sibling.status.st_size - 8, 0))
        end = content.checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
        return file.read() == end
    return sibling.status.st_mtime_ns + _OLDER >= found.status.st_mtime_ns
