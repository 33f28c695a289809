"""Each target of the fuzz run, with a few examples of what it goes on with for hours."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wsgikit.http
from tests.targets import SEEDS, TARGETS

# What of wsgikit.http reads nothing that clients send.
WRITERS = {"encoders", "headers", "openmetrics", "problem", "status", "structured"}
# These have their target in the name of another module.
TOGETHER = {"compressible": "media", "variants": "etags"}


def test_every_parser_has_a_target():
    modules = {path.stem for path in Path(wsgikit.http.__file__).parent.glob("[a-z]*.py")}
    assert modules - WRITERS - TOGETHER.keys() == TARGETS.keys() - {"forms", "protocol"}
    assert set(TOGETHER.values()) <= TARGETS.keys() == SEEDS.keys()


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds(name):
    for seed in SEEDS[name]:
        for stop in range(len(seed) + 1):
            TARGETS[name](seed[:stop])


def mutations(seeds):
    """A seed with pieces of itself and of others put in, taken out and doubled."""

    @st.composite
    def mutated(draw):
        data = draw(st.sampled_from(seeds))
        for _ in range(draw(st.integers(0, 4))):
            start = draw(st.integers(0, len(data)))
            stop = draw(st.integers(start, len(data)))
            piece = draw(st.binary(max_size=4) | st.sampled_from([*seeds, data[start:stop] * 2]))
            data = data[:start] + piece + data[stop:]
        return data

    return mutated()


def property_of(name):
    @given(st.binary(max_size=200) | mutations(SEEDS[name]))
    def holds(data):
        TARGETS[name](data)

    return holds


PROPERTIES = {name: property_of(name) for name in TARGETS}


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_there_is_an_answer(name):
    PROPERTIES[name]()
