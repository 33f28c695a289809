from __future__ import annotations

import pytest

from wsgikit.http.peers import TrustedPeers


def test_networks_of_both_versions():
    peers = TrustedPeers(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"])
    trusted = ["10.255.0.1", "::ffff:10.0.0.1", "2001:db8::1", "192.0.2.7"]
    assert [peers[peer] for peer in trusted] == [True] * 4
    others = ["11.0.0.1", "2001:db9::1", "192.0.2.8", "", "unix:", "localhost", "fe80::1%a", "x"]
    assert [peers[peer] for peer in others] == [False] * 8


@pytest.mark.parametrize("peer", ["", "unix:", "localhost"])
def test_a_peer_on_a_unix_socket_as_servers_call_it(peer):
    assert TrustedPeers(["unix"])[peer]
    assert not TrustedPeers(["unix"])["127.0.0.1"]


def test_no_more_peers_are_remembered_than_are_of_use():
    peers = TrustedPeers(["10.0.0.0/8"])
    for number in range(3000):
        assert peers[f"10.0.{number // 256}.{number % 256}"]
    assert len(peers) <= 1000


@pytest.mark.parametrize(
    ("networks", "error"),
    [
        ("10.0.0.0/8", TypeError),
        (["10.0.0.1/8"], ValueError),
        (["10.0.0"], ValueError),
        (["UNIX"], ValueError),
        (["0.0.0.0/0"], ValueError),
        (["::/0"], ValueError),
    ],
)
def test_what_is_no_network(networks, error):
    with pytest.raises(error, match=r"^proxies takes "):
        TrustedPeers(networks, "proxies")
