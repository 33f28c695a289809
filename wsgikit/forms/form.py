"""A submitted form: its fields, and the files that came with it."""

from __future__ import annotations

from wsgikit.http.problem import MissingField
from wsgikit.http.query import MultiDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self, overload

    from wsgikit.forms.upload import Storage, Upload

    class _Uploads:
        """What MultiDict has, for uploads in the place of text."""

        def __init__(self, pairs: list[tuple[str, Upload]] = ...) -> None: ...
        @overload
        def get(self, name: str) -> Upload | None: ...
        @overload
        def get(self, name: str, default: Upload) -> Upload: ...
        @overload
        def get(self, name: str, default: None) -> Upload | None: ...
        def get(self, name: str, default: Upload | None = None) -> Upload | None: ...
        def get_all(self, name: str) -> list[Upload]: ...
        def items(self) -> list[tuple[str, Upload]]: ...
        def keys(self) -> list[str]: ...
        def to_dict(self) -> dict[str, list[Upload]]: ...
        def __contains__(self, name: object) -> bool: ...
        def __iter__(self) -> Iterator[str]: ...
        def __len__(self) -> int: ...

else:
    _Uploads = MultiDict

__all__ = ["Files", "Form", "MultipartForm"]


class Files(_Uploads):
    """The files of a form by the names of their fields: a
    :class:`~wsgikit.http.query.MultiDict` of :class:`~wsgikit.forms.upload.Upload`.

    ``files["photo"]`` is the first file of that name, ``get_all`` has all, as ``<input type="file"
    multiple>`` sends them. A file field that was left empty is not here.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> Upload:
        """The first file of the name.

        :raises MissingField: when there is none: a :class:`KeyError` that is answered by a 400.
        """
        upload = self.get(name)
        if upload is None:
            raise MissingField(400, f"The file {name!r:.100} is missing.")
        return upload


class Form(MultiDict):
    """The fields of a form, as a :class:`~wsgikit.http.query.MultiDict`, and its files.

    The files are there until the form is closed: by :meth:`wsgikit.Request.application` when the
    request ends, however it ends. Whoever reads a form elsewhere, in a layer or in a plain WSGI
    application, closes it: ``with request.form() as form:``.
    """

    __slots__ = ()

    #: The files, by the names of their fields.
    files: Files = Files()

    def close(self) -> None:
        """Give up the contents of all files; a second call does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class MultipartForm(Form):
    """A form that may have files."""

    __slots__ = ("_storage", "files", "source")

    #: The ``wsgi.input`` that the form was read from, as it was left.
    source: object

    def __init__(
        self, pairs: list[tuple[str, str]], uploads: list[Upload], storage: Storage
    ) -> None:
        super().__init__(pairs)
        self.files = Files([(upload.name, upload) for upload in uploads])
        self._storage = storage

    @property
    def closed(self) -> bool:
        """Whether the contents of the files are gone."""
        return self._storage.closed

    def close(self) -> None:
        """Give up the contents of all files; a second call does nothing."""
        self._storage.close()
