from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.server.proxy_protocol import (
    LONGEST_BLOCK,
    LONGEST_LINE,
    SIGNATURE,
    read_proxy_header,
)

PORTS = st.integers(0, 65535)
PAIRS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)),
    st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6)),
)


def line(text):
    return f"PROXY {text}\r\n".encode("latin-1")


def block(family, rest, *, command=0x21):
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest)) + rest


def ends(source, target, ports=(1, 2)):
    return source.packed + target.packed + struct.pack("!HH", *ports)


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


ONE, TWO = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
V2 = ends(ONE, TWO)


def normal(address):
    return str(getattr(address, "ipv4_mapped", None) or address)


@given(PAIRS, PORTS, PORTS, st.binary(max_size=50))
def test_version_1_in_every_split(pair, port, other, rest):
    source, target = pair
    data = line(f"TCP{source.version} {source} {target} {port} {other}")
    header = read_proxy_header(data + rest)
    assert header == (len(data), (normal(source), port), False)
    assert all(read_proxy_header(data[:end]) is None for end in range(len(data)))


@given(PAIRS, PORTS, PORTS, st.binary(max_size=50), st.lists(st.binary(max_size=20), max_size=3))
def test_version_2_in_every_split(pair, port, other, rest, values):
    source, target = pair
    values = b"".join(tlv(4, value) for value in values)
    data = block(
        0x11 if source.version == 4 else 0x21, ends(source, target, (port, other)) + values
    )
    header = read_proxy_header(data + rest)
    assert header == (len(data), (normal(source), port), False)
    assert all(read_proxy_header(data[:end]) is None for end in range(len(data)))


@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=120).map(lambda rest: b"PROXY " + rest),
        st.binary(max_size=60).map(lambda rest: b"PROXY TCP4 " + rest + b"\r\n"),
        st.binary(max_size=300).map(lambda rest: SIGNATURE + rest),
        st.tuples(st.integers(0, 255), st.binary(max_size=300)).map(lambda it: block(*it)),
    )
)
def test_whatever_comes_is_a_header_or_none_or_refused(data):
    try:
        header = read_proxy_header(data)
    except ValueError:
        return
    if header is None:
        assert len(data) < 16 + LONGEST_BLOCK
        return
    assert 0 < header.size <= len(data)
    if header.client is not None:
        address, port = header.client
        assert ip_address(address)
        assert 0 <= port <= 65535
    assert read_proxy_header(data[: header.size]) == header


@given(st.binary(min_size=LONGEST_LINE))
def test_nobody_is_waited_for_beyond_the_longest_line(rest):
    data = b"PROXY " + rest
    try:
        assert read_proxy_header(data) is not None
    except ValueError:
        pass


@pytest.mark.parametrize(
    "data",
    [
        line("UNKNOWN"),
        line("UNKNOWN ffff::1 ffff::2 1 2"),
        line("UNKNOWN what \xff ever"),
        block(0x00, b""),
        block(0x00, b"what ever"),
        block(0x11, V2, command=0x20),
        block(0x12, V2),
        block(0x31, bytes(216)),
    ],
    ids=["v1", "v1 addresses", "v1 any", "v2", "v2 any", "v2 local", "v2 datagrams", "v2 unix"],
)
def test_a_client_that_is_not_told(data):
    assert read_proxy_header(data + b"GET /") == (len(data), None, False)


def test_an_address_of_ipv4_in_one_of_ipv6():
    mapped = IPv6Address("::ffff:192.0.2.1")
    told = [line(f"TCP6 {mapped} ::1 1 2"), block(0x21, ends(mapped, IPv6Address("::1")))]
    assert {read_proxy_header(data).client for data in told} == {("192.0.2.1", 1)}


@pytest.mark.parametrize(
    ("values", "secure"),
    [
        (b"", False),
        (tlv(0x20, b"\x01" + bytes(4)), True),
        (tlv(0x20, b"\x00" + bytes(4)), False),
        (tlv(0x20, b""), False),
        (tlv(0x01, b"h2") + tlv(0x20, b"\x07" + bytes(4) + tlv(0x21, b"TLSv1.3")), True),
    ],
    ids=["nothing", "by TLS", "not by TLS", "empty", "among others"],
)
def test_whether_the_client_came_by_tls(values, secure):
    assert read_proxy_header(block(0x11, V2 + values)).secure is secure


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n", "there is no PROXY header", id="a request"),
        pytest.param(b"\x16\x03\x01", "there is no PROXY header", id="a TLS handshake"),
        pytest.param(b"proxy TCP4", "there is no PROXY header", id="lower case"),
        pytest.param(b"PROXY\tTCP4", "there is no PROXY header", id="tab"),
        pytest.param(b"\r\n\r\nGET", "there is no PROXY header", id="half a signature"),
        pytest.param(line(""), "malformed", id="nothing"),
        pytest.param(line("TCP4"), "malformed", id="no addresses"),
        pytest.param(line("TCP4 1.1.1.1 1.1.1.1 1"), "malformed", id="one port"),
        pytest.param(line("TCP4 1.1.1.1 1.1.1.1 1 2 3"), "malformed", id="three ports"),
        pytest.param(line("TCP4 1.1.1.1  1.1.1.1 1 2"), "malformed", id="two spaces"),
        pytest.param(line("UDP4 1.1.1.1 1.1.1.1 1 2"), "malformed", id="UDP"),
        pytest.param(line("unknown"), "malformed", id="unknown in lower case"),
        pytest.param(line("TCP4 1.1.1.1 1.1.1.1 01 2"), "port", id="leading zero"),
        pytest.param(line("TCP4 1.1.1.1 1.1.1.1 1 65536"), "port", id="large port"),
        pytest.param(line("TCP4 1.1.1.1 1.1.1.1 -1 2"), "port", id="negative port"),
        pytest.param(line("TCP4 1.1.1.01 1.1.1.1 1 2"), "eading zero", id="octet with zero"),
        pytest.param(line("TCP4 1.1.1 1.1.1.1 1 2"), "4 octets", id="three octets"),
        pytest.param(line("TCP4 1.1.1.1 ::1 1 2"), "4 octets", id="one of each"),
        pytest.param(line("TCP6 1.1.1.1 ::1 1 2"), "t least 3 parts", id="the other of each"),
        pytest.param(line("TCP6 fe80::1%a ::1 1 2"), "zone", id="zone"),
        pytest.param(b"PROXY UNKNOWN\n", "CRLF", id="bare LF"),
        pytest.param(b"PROXY UNKNOWN\nGET / HTTP/1.1\r\n", "CRLF", id="LF, then CRLF"),
        pytest.param(b"PROXY UNKNOWN\rx", "CRLF", id="bare CR"),
        pytest.param(b"PROXY UNKNOWN\r\r\n", "CRLF", id="two CR"),
        pytest.param(b"PROXY UNKNOWN ".ljust(107, b"x") + b"\r\n", "longer than 107", id="long"),
        pytest.param(block(0x11, V2, command=0x11), "version and command 0x11", id="version 1"),
        pytest.param(block(0x11, V2, command=0x22), "version and command 0x22", id="command"),
        pytest.param(block(0x41, V2), "transport 0x41", id="family"),
        pytest.param(block(0x13, V2), "transport 0x13", id="transport"),
        pytest.param(block(0x11, V2[:11]), "shorter than its addresses", id="short v4"),
        pytest.param(block(0x21, bytes(35)), "shorter than its addresses", id="short v6"),
        pytest.param(block(0x31, bytes(215)), "shorter than its addresses", id="short unix"),
        pytest.param(block(0x11, bytes(4097)), "longer than 4096 bytes", id="large"),
        pytest.param(block(0x11, V2 + b"\x04\x00"), "within a value", id="half a value's head"),
        pytest.param(block(0x11, V2 + b"\x04\0\x05x"), "within a value", id="half a value"),
    ],
)
def test_what_is_no_header(data, reason):
    with pytest.raises(ValueError, match=reason):
        read_proxy_header(data)


def test_the_longest_line_there_is():
    text = "UNKNOWN " + " ".join(["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] * 2 + ["65535"] * 2)
    assert len(line(text)) == LONGEST_LINE
    assert read_proxy_header(line(text)).size == LONGEST_LINE
