from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from wsgikit import HTTPError
from wsgikit.credentials import (
    MAX_REMEMBERED,
    PasswordCheck,
    PasswordFile,
    TokenFile,
    checked_name,
    hash_token,
)
from wsgikit.passwords import hash_password


def quick(password):
    """A hash that costs next to nothing."""
    return hash_password(password, n=2, r=1, p=1)


@pytest.fixture
def clock():
    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    return Clock()


# Names


@pytest.mark.parametrize(
    ("name", "checked"),
    [("ann", "ann"), ("a b", "a b"), ("e\u0301", "\u00e9"), ("n" * 255, "n" * 255)],
)
def test_names(name, checked):
    assert checked_name(name) == checked


@pytest.mark.parametrize("name", ["", " a", "a ", "#a", "a:b", "a\nb", "a\0", "\x85", "n" * 256])
def test_what_is_no_name(name):
    with pytest.raises(ValueError, match="a name has"):
        checked_name(name)


# Checks


def slow(password):
    """A hash whose check takes long enough to be seen."""
    return hash_password(password, n=2**14, r=8, p=5)


def test_right_and_wrong():
    check = PasswordCheck()
    stored = quick("right")
    for _ in range(2):
        assert check.verify("right", stored)
        assert not check.verify("wrong", stored)
        assert not check.verify("right", quick("other"))
        assert not check.verify("\ud800", stored)
    assert not check.verify("right", None)


def test_half_a_character_is_not_the_mark_of_another():
    check = PasswordCheck()
    stored = quick("a?")
    assert check.verify("a?", stored)
    assert not check.verify("a\ud800", stored)


def test_a_right_one_is_remembered_for_a_while(clock):
    check = PasswordCheck(remember=10, clock=clock)
    stored = quick("right")
    assert check.verify("right", stored)
    clock.now = 9.9
    assert check.verify("right", stored)
    assert [*check._right.values()] == [10.0]
    clock.now = 10.0
    assert check.verify("right", stored)  # and found out anew
    assert [*check._right.values()] == [20.0]


def test_what_is_remembered_is_not_the_password():
    check = PasswordCheck()
    check.verify("correct horse", quick("correct horse"))
    assert "horse" not in repr(vars(check))


def test_it_may_remember_nothing():
    check = PasswordCheck(remember=0)
    assert check.verify("right", quick("right"))
    assert check._right == {}


def test_only_so_many_are_remembered():
    check = PasswordCheck()
    stored = quick("right")
    check._right = {bytes([n % 256, n // 256]): 0.0 for n in range(MAX_REMEMBERED)}
    assert check.verify("right", stored)
    assert len(check._right) == 1


def test_too_many_at_once_are_turned_away_but_not_those_who_are_known():
    check = PasswordCheck(at_once=1)
    stored = slow("right")
    assert check.verify("right", stored)
    barrier = Barrier(8)

    def guess(number):
        barrier.wait(20)
        try:
            return check.verify(f"wrong {number}", stored)
        except HTTPError as error:
            assert check.verify("right", stored)
            return error

    with ThreadPoolExecutor(8) as pool:
        results = [*pool.map(guess, range(8))]
    errors = [result for result in results if result is not False]
    assert len(errors) == 6
    assert {error.status for error in errors} == {503}
    assert errors[0].headers == [("Retry-After", "2")]
    assert not check.verify("wrong again", stored)


def test_a_child_process_begins_with_free_places():
    check = PasswordCheck(at_once=1)
    stored = quick("right")
    with check._working:
        check._places.acquire()
        check._process = os.getpid() + 1  # as it is after a fork in the middle of two checks
        assert check.verify("right", stored)
    assert check._process == os.getpid()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"at_once": 0}, "at_once takes"),
        ({"at_once": True}, "at_once takes"),
        ({"remember": -1}, "remember takes"),
        ({"remember": float("nan")}, "remember takes"),
        ({"remember": None}, "remember takes"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        PasswordCheck(**options)


# Files of passwords


def test_a_file(tmp_path):
    path = tmp_path / "passwords"
    path.write_text(f"# people\n\nann:{quick('one')}\r\n  Zo\u00eb:{quick('two')}  \n", "utf-8")
    people = PasswordFile(path)
    assert people.verify("ann", "one")
    assert people.verify("Zoe\u0308", "two")
    assert not people.verify("ann", "two")
    assert not people.verify("bob", "one")
    assert not people.verify("# people", "")
    assert not people.verify("", "")


def test_what_changes_in_it_counts_at_once(tmp_path, caplog):
    path = tmp_path / "passwords"
    path.write_text(f"ann:{quick('one')}\n")
    people = PasswordFile(path)
    assert people.verify("ann", "one")
    path.write_text(f"ann:{quick('another')}\nbob:{quick('two')}\n")
    assert not people.verify("ann", "one")
    assert people.verify("ann", "another")
    assert people.verify("bob", "two")
    path.write_text("# nobody\n")
    assert not people.verify("ann", "another")
    assert caplog.records == []


def test_a_file_that_is_gone_lets_nobody_in_until_it_is_back(tmp_path, caplog):
    path = tmp_path / "passwords"
    path.write_text(f"ann:{quick('one')}\n")
    people = PasswordFile(path)
    kept = path.read_text()
    path.unlink()
    for _ in range(3):
        assert not people.verify("ann", "one")
    (record,) = caplog.records
    assert record.getMessage().startswith("nobody can sign in: ")
    path.write_text(kept)
    assert people.verify("ann", "one")


BAD = {
    "no hash": ("ann", "stored takes"),
    "plain password": ("ann:secret word", "stored takes"),
    "hash of a token": (f"ann:{hash_token('a')}", "stored takes"),
    "no name": (f":{quick('one')}", "a name has"),
    "twice": (f"ann:{quick('one')}\nann:{quick('two')}", "'ann' is there twice"),
}


@pytest.mark.parametrize(("lines", "message"), BAD.values(), ids=BAD)
def test_a_bad_line_is_told_with_its_number_and_without_its_secret(lines, message, tmp_path):
    path = tmp_path / "passwords"
    path.write_text(f"# people\n{lines}\n")
    with pytest.raises(ValueError, match=message) as error:
        PasswordFile(path)
    assert f"line {2 + lines.count(chr(10))}: " in str(error.value)
    assert "secret word" not in str(error.value)


def test_a_bad_line_that_comes_later_is_left_out_and_told(tmp_path, caplog):
    path = tmp_path / "passwords"
    path.write_text(f"ann:{quick('one')}\n")
    people = PasswordFile(path)
    path.write_bytes(b"ann:oops\nbob:" + quick("two").encode() + b"\n\xff\xfe\n")
    assert not people.verify("ann", "one")
    assert people.verify("bob", "two")
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "line 1" in caplog.records[0].getMessage()


def test_without_a_file_there_is_no_beginning(tmp_path):
    with pytest.raises(FileNotFoundError):
        PasswordFile(tmp_path / "nothing")


def test_several_may_share_a_check(tmp_path):
    path = tmp_path / "passwords"
    path.write_text(f"ann:{quick('one')}\n")
    check = PasswordCheck()
    assert PasswordFile(path, check=check).verify("ann", "one")
    assert len(check._right) == 1


# Files of tokens


def test_tokens(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"build:{hash_token('one')}\nadmin:{hash_token('two')}\n")
    programs = TokenFile(path)
    assert [programs.verify(token) for token in ("one", "two", "three", "", "\ud800")] == [
        "build",
        "admin",
        None,
        None,
        None,
    ]
    path.write_text(f"admin:{hash_token('two')}\n")
    assert programs.verify("one") is None
    assert programs.verify("two") == "admin"


@pytest.mark.parametrize(
    "stored", ["", "two", quick("a"), hash_token("a")[:-1], hash_token("a").upper()]
)
def test_what_is_no_hash_of_a_token(stored, tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"build:{stored}\n")
    with pytest.raises(ValueError, match="line 1: a token's hash is"):
        TokenFile(path)
