from __future__ import annotations

import pytest

from wsgikit.forms import Files, Form, Upload
from wsgikit.forms.form import MultipartForm
from wsgikit.forms.upload import Storage
from wsgikit.http.parts import Part
from wsgikit.http.problem import MissingField
from wsgikit.http.query import MultiDict


def uploads(storage, *names):
    return [
        Upload(Part(name, f"{number}.txt", "", b""), storage) for number, name in enumerate(names)
    ]


def test_a_form_without_files():
    form = Form([("a", "1"), ("b", "2"), ("a", "3")])
    assert form["a"] == "1"
    assert form.get_all("a") == ["1", "3"]
    assert form == MultiDict([("a", "1"), ("b", "2"), ("a", "3")])
    assert repr(form) == "Form([('a', '1'), ('b', '2'), ('a', '3')])"
    assert not form.files
    with pytest.raises(MissingField, match="The field 'c' is missing"):
        form["c"]
    form.close()


def test_files():
    storage = Storage(0)
    given = uploads(storage, "a", "b", "a")
    files = MultipartForm([], given, storage).files
    assert isinstance(files, Files)
    assert files["a"] is files.get("a") is given[0]
    assert files.get_all("a") == [given[0], given[2]]
    assert list(files) == files.keys() == ["a", "b"]
    assert files.items() == [("a", given[0]), ("b", given[1]), ("a", given[2])]
    assert "b" in files
    assert len(files) == 2
    assert files.get("c") is None
    with pytest.raises(MissingField, match="The file 'c' is missing") as caught:
        files["c"]
    assert caught.value.status == 400


def test_a_form_is_closed_by_with():
    storage = Storage(0)
    with MultipartForm([], uploads(storage, "a"), storage) as form:
        assert form.files["a"].read() == b""
    assert storage.closed
    with pytest.raises(ValueError, match="gone"):
        form.files["a"].read()
