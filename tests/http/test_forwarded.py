from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.forwarded import MAX_ELEMENTS, parse_address, parse_forwarded, parse_node

# RFC 7239 §4 and §7.1: its examples
EXAMPLES = {
    'for="_gazonk"': [{"for": "_gazonk"}],
    'For="[2001:db8:cafe::17]:4711"': [{"for": "[2001:db8:cafe::17]:4711"}],
    "for=192.0.2.60;proto=http;by=203.0.113.43": [
        {"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}
    ],
    "for=192.0.2.43, for=198.51.100.17": [{"for": "192.0.2.43"}, {"for": "198.51.100.17"}],
    'for=192.0.2.43, for="[2001:db8:cafe::17]", for=unknown': [
        {"for": "192.0.2.43"},
        {"for": "[2001:db8:cafe::17]"},
        {"for": "unknown"},
    ],
    "for=_hidden, for=_SEVKISEK": [{"for": "_hidden"}, {"for": "_SEVKISEK"}],
    'host="a:80";x=1': [{"host": "a:80", "x": "1"}],
    "for=a;;for_=b;": [{"for": "a", "for_": "b"}],
    'for="a\\"b, c"': [{"for": 'a"b, c'}],
    'for=""': [{"for": ""}],
    "": [],
    " , ,": [],
    ";": [{}],
}

MALFORMED = {
    "for": [None],
    "for=": [None],
    "=a": [None],
    "for=a:80": [None],  # a colon has to be in quotes
    "for=[::1]": [None],
    "for = a": [None],
    "f r=a": [None],
    "for=a b": [None],
    "for=a;for=b": [None],
    "for=a;FOR=a": [None],
    'for="a': [None],
    'for="a"b': [None],
    'for="a\\"': [None],
    "for=\x00": [None],
    "for=\ud800": [None],
    "x, for=b": [None, {"for": "b"}],
    "for=b, x": [{"for": "b"}, None],
}


@pytest.mark.parametrize(("text", "elements"), (EXAMPLES | MALFORMED).items())
def test_elements(text, elements):
    assert parse_forwarded(text) == elements


@pytest.mark.parametrize(
    "appended",
    ["for=1.2.3.4", 'for="1.2.3.4:5"', 'for="[::1]";by="[::2]";proto=https', 'host="a";for=b'],
)
@pytest.mark.parametrize("before", ['for="', 'for="x', '"', 'for="x\\', "for=\\", 'for="x", y="'])
def test_an_open_quote_swallows_what_follows_and_forges_nothing(before, appended):
    elements = parse_forwarded(f"{before}, {appended}")
    assert elements[-1] in (None, parse_forwarded(appended)[0])


@given(st.text('for="\\;, a1.:[]_', max_size=60), st.ip_addresses())
def test_nothing_in_front_changes_who_was_appended(before, address):
    node = f'"[{address}]:80"' if address.version == 6 else f"{address}"
    last = parse_forwarded(f"{before}, for={node}")[-1]
    assert last is None or parse_node(last["for"])[0] in (address, parse_address(str(address)))


@given(st.text() | st.text('for="\\;,= a1', max_size=60))
def test_any_text(text):
    for element in parse_forwarded(text):
        for value in (element or {}).values():
            parse_node(value)


def test_long_text_is_read_in_linear_time():
    assert parse_forwarded('for="' * 1_000_000) == [None]
    assert parse_forwarded("a" * 10_000_000) == [None]
    assert parse_forwarded("for=a," * 500_000 + "for=b")[-2:] == [{"for": "a"}, {"for": "b"}]
    assert len(parse_forwarded("for=a," * 500_000)) == MAX_ELEMENTS


NODES = {
    "192.0.2.43": (IPv4Address("192.0.2.43"), ""),
    "192.0.2.43:47011": (IPv4Address("192.0.2.43"), "47011"),
    "192.0.2.43:_hidden": (IPv4Address("192.0.2.43"), ""),
    "[2001:db8:cafe::17]": (IPv6Address("2001:db8:cafe::17"), ""),
    "[2001:DB8:cafe::17]:47011": (IPv6Address("2001:db8:cafe::17"), "47011"),
    "[::ffff:192.0.2.43]:1": (IPv4Address("192.0.2.43"), "1"),
    "unknown": (None, ""),
    "Unknown:80": (None, "80"),
    "_SEVKISEK": (None, ""),
    "_a.b-c_1:_p": (None, ""),
}


@pytest.mark.parametrize(("text", "node"), NODES.items(), ids=NODES)
def test_nodes(text, node):
    assert parse_node(text) == node


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_",
        "example.com",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.043",
        "192.0.2.43:",
        "192.0.2.43:x",
        "192.0.2.43:65536",
        "192.0.2.43:1:2",
        "192.0.2.43 ",
        "2001:db8::17",
        "[2001:db8::17",
        "[192.0.2.43]",
        "[unknown]",
        "[::1]x",
        "[::1]80",
        "[::1%eth0]",
        "_a b",
        "_" + "a" * 100,
        "\ud800",
        "1" * 10_000_000,
        "[" + ":" * 10_000_000,
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_what_is_no_node(text):
    assert parse_node(text) is None


def test_addresses():
    assert parse_address("::ffff:10.0.0.1") == IPv4Address("10.0.0.1")
    assert parse_address("fe80::1%eth0") is None
    assert parse_address("localhost") is None


@given(st.ip_addresses())
def test_every_address_is_read(address):
    assert parse_address(str(address)) == (getattr(address, "ipv4_mapped", None) or address)
    assert ip_address(str(parse_address(str(address)))) == parse_address(str(address))
