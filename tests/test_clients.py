from __future__ import annotations

import pytest

from wsgikit.clients import Clients, client_address


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("", ""),
        ("unix:", "unix:"),
        ("a:b", "a:b"),
    ],
)
def test_the_address_of_a_client(address, client):
    assert client_address({"REMOTE_ADDR": address}) == client


def test_without_an_address_all_are_one():
    assert client_address({}) == ""


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.1.2.3", False),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("", False),
        ("unix:", False),
    ],
)
def test_who_is_in_the_safelist_is_nobody(address, is_safe):
    clients = Clients(client_address, ["10.0.0.0/8", "2001:db8::/32"])
    environ = {"REMOTE_ADDR": address}
    for _ in range(2):
        assert clients.key(environ) == (None if is_safe else client_address(environ))


def test_only_so_many_addresses_are_remembered():
    clients = Clients(client_address, ["10.0.0.0/8"])
    for number in range(2500):
        address = f"10.0.{number >> 8}.{number & 255}"
        assert clients.key({"REMOTE_ADDR": address}) is None
        assert clients.key({"REMOTE_ADDR": f"1{address}"}) == f"1{address}"
        network = f"2001:db8:1:{number + 1:x}"
        assert client_address({"REMOTE_ADDR": f"{network}::1"}) == f"{network}::/64"


def test_a_key_of_ones_own():
    clients = Clients(lambda environ: environ.get("REMOTE_USER"), ())
    assert clients.key({"REMOTE_USER": "ann"}) == "ann"
    assert clients.key({}) is None


def test_a_key_that_is_no_text_is_told():
    with pytest.raises(TypeError, match="key returned 7: it has to return a str"):
        Clients(lambda environ: 7, ()).key({})


@pytest.mark.parametrize(
    ("key", "safelist", "error", "message"),
    [
        ("REMOTE_ADDR", (), TypeError, "key takes a function"),
        (client_address, "10.0.0.0/8", TypeError, "safelist takes a list"),
        (client_address, ["10.0.0.1/8"], ValueError, "safelist takes networks such as"),
        (client_address, ["localhost"], ValueError, "safelist takes networks such as"),
    ],
    ids=range(4),
)
def test_options_are_checked(key, safelist, error, message):
    with pytest.raises(error, match=message):
        Clients(key, safelist)
