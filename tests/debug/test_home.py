from __future__ import annotations

import pytest

from wsgikit.debug.home import is_at_home

HOME = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:8000"},
        {"REMOTE_ADDR": "::ffff:127.0.0.1"},
        {"HTTP_HOST": "127.0.0.1"},
        {"HTTP_HOST": "app.LOCALHOST."},
        {"HTTP_ORIGIN": "http://localhost:8000"},
    ],
    ids=str,
)
def test_at_home(changes):
    assert is_at_home({**HOME, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"REMOTE_ADDR": "10.0.0.1"},
        {"REMOTE_ADDR": ""},
        {"HTTP_HOST": "evil.example"},
        {"HTTP_HOST": "localhost.evil.example"},
        {"HTTP_HOST": ""},
        {"HTTP_HOST": "localhost:80:80"},
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"HTTP_VIA": "1.1 proxy"},
    ],
    ids=str,
)
def test_not_at_home(changes):
    assert not is_at_home({**HOME, **changes})


def test_an_environ_without_either_is_nobodys_home():
    assert not is_at_home({})
