"""What layers say of their order: data for whoever checks a stack."""

from __future__ import annotations

import importlib

import pytest

import wsgikit.middleware

ORDERS = {
    name: module.ORDER
    for name in wsgikit.middleware.__all__
    if hasattr(module := importlib.import_module(f"wsgikit.middleware.{name}"), "ORDER")
}


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_has_a_reason_for_each_layer(name):
    assert ORDERS[name].keys() <= {"inside", "outside"}
    for others in ORDERS[name].values():
        for other, reason in others.items():
            assert other.isidentifier()
            assert other != name
            assert reason


def test_no_orders_contradict_each_other():
    inner = {name: set() for name in ORDERS}
    for name, order in ORDERS.items():
        for other in order.get("outside", ()):
            inner[name].add(other)
        for other in order.get("inside", ()):
            inner.setdefault(other, set()).add(name)

    def visit(name, way):
        assert name not in way, f"a circle: {' outside '.join([*way, name])}"
        for other in inner.get(name, ()):
            visit(other, [*way, name])

    for name in inner:
        visit(name, [])
