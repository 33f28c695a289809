from __future__ import annotations

import pytest

from wsgikit.http.location import location
from wsgikit.http.problem import HTTPError

# The table of targets is in tests/test_response.py, where redirects are.


def test_a_target_of_this_site_is_encoded():
    assert location("/ü?q=a b#é") == "/%C3%BC?q=a%20b#%C3%A9"


@pytest.mark.parametrize("target", ["", "//evil", "/\\evil", "https://evil/", "/\tevil"])
def test_a_target_that_leaves_it_is_an_answer(target):
    with pytest.raises(HTTPError) as caught:
        location(target)
    assert caught.value.status == 400


def test_a_target_elsewhere_is_said():
    assert location("https://example.org/a?b", external=True) == "https://example.org/a?b"
