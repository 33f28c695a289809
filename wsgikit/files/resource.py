"""What is served under one path: the file, and what it is in other codings (RFC 9110 §12.5.3)."""

from __future__ import annotations

import os
from time import monotonic

from wsgikit import http
from wsgikit.files.versions import identity_of
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wsgikit.files.representation import Representation
    from wsgikit.files.versions import Identity
    from wsgikit.types import WSGIEnvironment

__all__ = ["IDENTITY", "Choices", "Resource"]

#: The coding of what is in none.
IDENTITY = "identity"

# For how many seconds a look at the version alone will do, before all is looked at once more: what
# leads to the file, and what lies beside it.
_TRUSTED = 1.0

# Browsers send few different values of Accept-Encoding. Longer ones than they do are not kept.
_MOST_CHOICES = 100
_LONGEST = 100


class Choices(dict[str | None, str]):
    """The coding for each value of Accept-Encoding, None for no such field, worked out once.

    :param offers: the codings to choose from, the one to prefer first.

    To look one up raises :class:`~wsgikit.HTTPError` 406 where none is acceptable, which is for
    clients that forbid what has no coding.
    """

    __slots__ = ("_offers",)

    def __init__(self, offers: Sequence[str]) -> None:
        self._offers = offers

    def __missing__(self, field: str | None) -> str:
        coding = http.accept.EncodingAccept(field).best(self._offers)
        if coding is None:
            vary = [("Vary", "Accept-Encoding")]
            raise HTTPError(406, "There is no such coding of the file.", headers=vary)
        if len(field or "") <= _LONGEST:
            if len(self) >= _MOST_CHOICES:
                self.clear()
            self[field] = coding
        return coding


class Resource:
    """The representations of one file, by their content coding.

    :param forms: what there is; the file as it is under :data:`IDENTITY`.
    :param choices: how one of them is chosen; None where there is nothing to choose.
    """

    __slots__ = ("_choices", "_plain", "forms")

    def __init__(self, forms: Mapping[str, Representation], choices: Choices | None) -> None:
        self.forms = forms
        self._plain = forms[IDENTITY]
        self._choices = choices

    def chosen(self, environ: WSGIEnvironment) -> Representation:
        """The representation for this request.

        :raises HTTPError: 406 when the client accepts none.
        """
        if self._choices is None:
            return self._plain
        return self.forms[self._choices[environ.get("HTTP_ACCEPT_ENCODING")]]

    def is_current(self) -> bool:
        """Whether this is what would be found if one looked again."""
        return True


class WatchedResource(Resource):
    """A resource whose file is looked at each time.

    :param path: where the file was found.
    :param identity: the version that was found there.
    :param beside: the versions of its siblings: what lay there in other codings, used or not.
    :param before: where it was looked for first. Should something appear there, that is served.

    It is not trusted, and thus described anew for each request, until :meth:`trust` is called.
    """

    __slots__ = ("_before", "_beside", "_due", "_identity", "_path")

    def __init__(
        self,
        forms: Mapping[str, Representation],
        choices: Choices | None,
        path: str,
        identity: Identity,
        beside: Sequence[Identity | None],
        before: Sequence[str],
    ) -> None:
        super().__init__(forms, choices)
        self._path = path
        self._identity = identity
        self._beside = beside
        self._before = before
        self._due = 0.0

    def trust(self) -> None:
        """Take note that all was looked at just now."""
        self._due = monotonic() + _TRUSTED

    def is_of(
        self,
        path: str | None,
        identity: Identity,
        beside: Sequence[Identity | None],
        before: Sequence[str],
    ) -> bool:
        """Whether it was made of just that, and could be trusted."""
        return self._due > 0 and (self._path, self._identity, self._beside, self._before) == (
            path,
            identity,
            beside,
            before,
        )

    def is_current(self) -> bool:
        """Whether the path still leads to the version that was found there.

        That takes a system call, and one for each root before. It is only asked for a second;
        after that, the answer is no, and everything is to be looked at.
        """
        try:
            current = identity_of(os.stat(self._path)) == self._identity
        except OSError:
            return False
        if not current or monotonic() >= self._due:
            return False
        return not self._before or not any(map(os.path.exists, self._before))
