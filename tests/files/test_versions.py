from __future__ import annotations

import os
from time import time
from types import SimpleNamespace

import pytest

from wsgikit.files import versions
from wsgikit.files.versions import (
    Changed,
    Grown,
    check_version,
    etag_of_times,
    identity_of,
    is_settled,
    modified_of,
    status_since,
)

NOW = 1_700_000_000
NANO = 10**9


def status(*, mtime=1_600_000_000.0, ctime=1_600_000_000.0, size=5, inode=1, device=1):
    values = (0o100644, inode, device, 1, 0, 0, size, 0, int(mtime), int(ctime))
    nanos = {"st_mtime_ns": int(mtime * NANO), "st_ctime_ns": int(ctime * NANO)}
    return os.stat_result(values, nanos)


@pytest.mark.parametrize(
    "changed",
    [{"mtime": 1.5}, {"ctime": 1.5}, {"size": 6}, {"inode": 2}, {"device": 2}],
    ids=str,
)
def test_each_change_gives_another_identity(changed):
    assert identity_of(status()) == identity_of(status())
    assert identity_of(status()) != identity_of(status(**changed))


def test_the_identity_of_a_real_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    os.utime(path, (1, 1))
    first = identity_of(os.stat(path))
    assert identity_of(os.stat(path)) == first
    (tmp_path / "other").write_bytes(b"two")
    os.utime(tmp_path / "other", (1, 1))
    os.replace(tmp_path / "other", path)  # same size, same time of the content
    assert identity_of(os.stat(path)) != first


@pytest.mark.parametrize(
    ("now", "error"),
    [
        ({"size": 6, "mtime": NOW, "ctime": NOW}, Grown),
        ({"size": 5, "mtime": NOW, "ctime": NOW}, Changed),
        ({"size": 4, "mtime": NOW, "ctime": NOW}, Changed),
        ({"size": 6, "inode": 2}, Changed),
        ({"size": 6, "device": 2}, Changed),
    ],
    ids=str,
)
def test_what_became_of_a_file(now, error):
    check_version(status(), identity_of(status()))
    with pytest.raises(Changed) as raised:
        check_version(status(**now), identity_of(status()))
    assert raised.type is error


@pytest.mark.parametrize(
    ("told", "looks"),
    [
        ([{}], 1),
        ([{"mtime": NOW, "size": 6}], 1),
        ([{"mtime": NOW, "inode": 2}], 1),
        ([{"mtime": NOW}, {"mtime": NOW, "size": 6}], 2),
        ([{"mtime": NOW}, {"mtime": NOW}, {"mtime": NOW}, {"mtime": NOW, "size": 6}], 4),
        ([{"mtime": NOW}] * 9, 4),
    ],
    ids=["unchanged", "grown", "another", "growing", "growing slowly", "written over"],
)
def test_the_time_of_a_write_is_told_before_its_size(told, looks, monkeypatch):
    rest = iter(told)
    fake = SimpleNamespace(fstat=lambda descriptor: status(**next(rest)))
    monkeypatch.setattr(versions, "os", fake)
    seen = status_since(0, identity_of(status()))
    assert identity_of(seen) == identity_of(status(**told[looks - 1]))
    assert len(list(rest)) == len(told) - looks


@pytest.mark.parametrize(
    ("ctime", "settled"),
    [(NOW - 60, True), (NOW - 2.1, True), (NOW - 2, False), (NOW, False), (NOW + 60, False)],
)
def test_what_has_just_changed_may_change_again_unseen(ctime, settled):
    assert is_settled(status(ctime=ctime), NOW) is settled
    assert etag_of_times(status(ctime=ctime), NOW).weak is not settled


@pytest.mark.parametrize(
    ("mtime", "modified"),
    [
        (NOW - 60.5, NOW - 61),
        (NOW - 1, NOW - 1),
        (NOW - 0.1, NOW - 1),
        (NOW, None),  # the second is not over (RFC 9110 §8.8.2.2)
        (NOW + 0.3, None),
        (NOW + 60, None),  # §8.8.2.1
        (4e9, None),
        (0, None),  # a build that is to be the same everywhere
        (1, None),
        (315532800, None),  # 1980: where the dates of zip files begin
        (631151999, None),
        (631152000, 631152000),
        (-1e9, None),
    ],
)
def test_what_is_told_of_the_time(mtime, modified):
    assert modified_of(status(mtime=mtime), NOW + 0.5) == modified


def test_a_tag_of_times_tells_versions_apart():
    tags = {
        str(etag_of_times(each, NOW))
        for each in (status(), status(mtime=1.5), status(ctime=1.5), status(size=6))
    }
    assert len(tags) == 4


def test_a_tag_of_times_does_not_tell_the_inode():
    assert etag_of_times(status(), NOW) == etag_of_times(status(inode=99, device=9), NOW)


def test_a_tag_can_be_made_of_any_time():
    assert not etag_of_times(status(mtime=-1e9, ctime=-1e9), NOW).weak
    assert etag_of_times(os.stat(os.devnull), time())
