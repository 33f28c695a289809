"""The files of some trees as resources: looked up once, and again where one has changed."""

from __future__ import annotations

from threading import Lock

from wsgikit.files.describer import Found
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from wsgikit.files.describer import AnyTree, Describer
    from wsgikit.files.representation import Growing
    from wsgikit.files.resource import Resource

__all__ = ["Catalog"]

# So many resources are known at a time, about 2 kB each; the oldest go first.
_MOST = 20_000


class Catalog:
    """Resources by key, described when they are first asked for.

    :param trees: where files are looked for: the first that has one counts.
    :param describer: makes resources of what is found.
    """

    __slots__ = ("_describer", "_limit", "_lock", "_stays", "_trees", "resources")

    def __init__(self, trees: Sequence[AnyTree], describer: Describer) -> None:
        self._trees = trees
        self._describer = describer
        self._limit = _MOST
        self._stays = False  # what is known: what is new is not kept, where there is no room
        self._lock = Lock()
        #: What is known by now: by path as PATH_INFO has it, but other keys may be used too.
        self.resources: dict[Hashable, Resource] = {}

    def find(self, names: Sequence[str]) -> Found:
        """What the first tree has that has anything of these names. A file is to be closed.

        :raises HTTPError: 404 when none has.
        :raises OSError: when the system is out of descriptors or the disk fails.
        """
        before: list[str] = []
        for tree in self._trees:
            try:
                return Found(tree, names, *tree.open(names), before)
            except HTTPError:
                path = tree.path(names)
                if path is not None:
                    before.append(path)
        raise HTTPError(404)

    def find_file(self, names: Sequence[str]) -> Found | None:
        """What :meth:`find` finds, if it is a file."""
        try:
            found = self.find(names)
        except HTTPError:
            return None
        return None if found.file is None else found

    def resource(self, key: Hashable, found: Found, vary: Sequence[str] = ()) -> Resource:
        """The resource of a file: what is known under ``key``, if it is still right, else anew.

        :param found: the file, which is closed.
        :param vary: the fields of the request that led to it, beside the path.
        :raises Changed: when it is written to meanwhile.
        """
        known = self.resources.get(key)
        try:
            if known is None or not self._describer.confirm(known, found):
                known = self._describer.describe(found, vary)
                self._keep(key, known)
        finally:
            found.close()
        return known

    def growing(self, found: Found) -> Growing:
        """A file that is added to, for one answer: as it was opened, which is to be closed."""
        return self._describer.growing(found)

    def scan(self, index: str | None, *, hidden: bool) -> set[str]:
        """Describe all there is, once and for all; the smallest first, as memory is for them.

        Directories that cannot be read are passed over. Not entered are links to directories that
        lead back to one that they are in, and those that only another such link leads to: there
        may be more ways through links than anybody can follow.

        :return: the paths of these links. What is below them is described when it is asked for.
        """
        self._limit = 1 << 62
        sizes: dict[tuple[str, ...], int] = {}
        closed: set[str] = set()
        for tree in self._trees:
            for names, size in _walk(tree, hidden, closed):
                sizes.setdefault(names, size)
        for names in sorted(sizes, key=lambda names: sizes[names]):
            found = self.find_file(names)
            if found is None:
                continue
            path = native(names)
            resource = self.resource(path, found)
            if names[-1] == index:
                self.resources[path[: -len(native((index,))) + 1]] = resource
        self._limit = len(self.resources) + _MOST
        self._stays = True
        return closed

    def _keep(self, key: Hashable, resource: Resource) -> None:
        with self._lock:
            old = self.resources.pop(key, None)
            if old is None and len(self.resources) >= self._limit:
                old = resource if self._stays else self.resources.pop(next(iter(self.resources)))
            if old is not resource:
                self.resources[key] = resource
        if old is not None:
            self._describer.forget(old)


def native(names: Sequence[str]) -> str:
    """The path of these names as PATH_INFO has it (PEP 3333)."""
    octets = "".join([f"/{name}" for name in names]).encode("utf-8", "surrogateescape")
    return octets.decode("latin-1")


def _walk(tree: AnyTree, hidden: bool, closed: set[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """The names and sizes of the files of a tree.

    :param closed: where the paths of links that are not entered are added.
    """
    _, status = tree.open(())
    folders: list[tuple[tuple[str, ...], frozenset[tuple[int, int]], bool]] = [
        ((), frozenset({(status.st_dev, status.st_ino)}), False)
    ]
    while folders:
        above, within, linked = folders.pop()
        try:
            entries = tree.scan(above, hidden=hidden)
        except HTTPError:
            continue
        for entry in entries:
            names = (*above, entry.name)
            if entry.status is None:
                continue
            if not entry.is_folder:
                yield names, entry.status.st_size
                continue
            folder = (entry.status.st_dev, entry.status.st_ino)
            if folder in within or (linked and entry.is_link):
                closed.add(native(names))
            else:
                folders.append((names, within | {folder}, linked or entry.is_link))
