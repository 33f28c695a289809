from __future__ import annotations


def test_demo(served, get):
    assert "<h1>The stack</h1>" in served(["demo", "--port", "0"], get)
