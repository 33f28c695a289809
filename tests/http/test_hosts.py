from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.hosts import (
    host_name,
    host_pattern,
    is_loopback,
    is_loopback_address,
    split_host,
    wildcards,
)

HOSTS = {
    "example.com": ("example.com", ""),
    "EXAMPLE.com:8000": ("example.com", "8000"),
    "example.com:": ("example.com", ""),
    "example.com.": ("example.com", ""),
    "example.com.:80": ("example.com", "80"),
    "localhost:65535": ("localhost", "65535"),
    "a_b.net": ("a_b.net", ""),
    "XN--bcher-kva.example": ("xn--bcher-kva.example", ""),
    "127.0.0.1:8000": ("127.0.0.1", "8000"),
    "[::1]": ("[::1]", ""),
    "[::1]:": ("[::1]", ""),
    "[0:0::1]:8000": ("[::1]", "8000"),
    "[2001:DB8::1]": ("[2001:db8::1]", ""),
}

NO_HOSTS = [
    "",
    ":80",
    ".",
    "..",
    ".example.com",
    "example..com",
    "example.com..",
    "example.com:80:80",
    "example.com:x",
    "example.com:-1",
    "example.com:65536",
    "example.com:" + "0" * 60,
    "example.com:\xb2",
    "example.com/",
    "user@example.com",
    "exa mple.com",
    "example.com\x00",
    "example.com\n",
    "*.example.com",
    "b\xfccher.example",
    "[::1",
    "[::1]x",
    "[::1]:x",
    "[::1]80",
    "[::1%25eth0]",
    "[example.com]",
    "[]",
    "::1",
    "\ud800",
    "a" * 64 + ".example.com",
    "a." * 127 + "com",
    "a" * 10_000_000,
]


@pytest.mark.parametrize(("authority", "parts"), HOSTS.items(), ids=HOSTS)
def test_a_host_is_split_and_has_one_spelling(authority, parts):
    assert split_host(authority) == parts
    assert host_name(authority) == parts[0]


@pytest.mark.parametrize("authority", NO_HOSTS, ids=lambda text: ascii(text[:30]))
def test_what_is_no_host(authority):
    assert split_host(authority) is None
    assert host_name(authority) is None


def test_the_longest_names_and_labels():
    assert host_name("a" * 63 + ".com") == "a" * 63 + ".com"
    assert host_name("a." * 126 + "a.") == "a." * 126 + "a"


@given(st.text() | st.text("[]:.%*0aA-_ ", max_size=20))
def test_any_text_is_a_host_or_none(text):
    name = host_name(text)
    assert name is None or host_name(name) == name


PATTERNS = {
    "example.com": "example.com",
    "Example.COM.": "example.com",
    "*.Example.com": "*.example.com",
    "[0::1]": "[::1]",
    "127.0.0.1": "127.0.0.1",
}


@pytest.mark.parametrize(("pattern", "spelled"), PATTERNS.items(), ids=PATTERNS)
def test_a_pattern_has_one_spelling(pattern, spelled):
    assert host_pattern(pattern) == spelled


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "*.",
        "**.example.com",
        "a.*.com",
        "*example.com",
        "example.com:80",
        "*.example.com:80",
        "[::1]:80",
        "*.[::1]",
        "::1",
        "http://example.com",
    ],
)
def test_what_is_no_pattern(pattern):
    assert host_pattern(pattern) is None


def test_a_host_is_of_the_wildcards_above_it():
    assert list(wildcards("a.b.example.com")) == ["*.b.example.com", "*.example.com", "*.com"]
    assert list(wildcards("localhost")) == []


LOOPBACK = ["localhost", "app.localhost", "a.b.localhost", "127.0.0.1", "127.255.255.255", "[::1]"]
OTHERS = [
    "",
    "localhost.example.com",
    "notlocalhost",
    "127.0.0.1.nip.io",
    "126.0.0.1",
    "127.0.0.256",
    "127.0.1",
    "127.0.0." + "1" * 5000,
    "127.0.0.\xb2",
    "0.0.0.0",
    "[::2]",
    "[::]",
    "::1]",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", OTHERS, ids=lambda text: ascii(text[:30]))
def test_not_loopback(host):
    assert not is_loopback(host)


@pytest.mark.parametrize("address", ["::1", "127.1.2.3", "::ffff:127.0.0.1"])
def test_addresses_of_loopback(address):
    assert is_loopback_address(address)


@pytest.mark.parametrize("address", ["", "localhost", "::2", "::ffff:10.0.0.1", "10.0.0.1"])
def test_other_addresses(address):
    assert not is_loopback_address(address)
