from __future__ import annotations

import gc
import importlib.util
import os
import weakref

import pytest

from wsgikit.stores import forks


class Told:
    def __init__(self, log: list[str]) -> None:
        self.log = log

    def before_fork(self) -> None:
        self.log.append("before")

    def after_fork(self) -> None:
        self.log.append("after")


def test_both_sides_of_a_fork_are_told() -> None:
    log: list[str] = []
    told = Told(log)
    forks.rest_at_forks(told)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, " ".join(log).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100) == b"before after"
    assert log == ["before", "after"]
    os.close(reader)
    os.close(writer)


def test_what_is_no_more_is_not_told() -> None:
    log: list[str] = []
    told = Told(log)
    gone = weakref.ref(told)
    forks.rest_at_forks(told)
    del told
    gc.collect()
    assert gone() is None
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert log == []


def test_it_is_imported_where_there_is_no_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork")
    spec = importlib.util.spec_from_file_location("forks_elsewhere", forks.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    told = Told([])
    module.rest_at_forks(told)
    assert told.log == []
