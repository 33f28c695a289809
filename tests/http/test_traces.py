from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.traces import (
    RANDOM,
    SAMPLED,
    format_traceparent,
    format_tracestate,
    parse_traceparent,
    parse_tracestate,
)

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{SPAN}-01"

hexdigits = st.text("0123456789abcdef", min_size=1)


# traceparent


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        (GOOD, 1),
        (f"00-{TRACE}-{SPAN}-00", 0),
        (f"00-{TRACE}-{SPAN}-03", 3),
        (f"00-{TRACE}-{SPAN}-ff", 3),
        (f"00-{TRACE}-{SPAN}-09", 1),
        (f"cc-{TRACE}-{SPAN}-01", 1),
        (f"01-{TRACE}-{SPAN}-01-what-the-future-will-be-like", 1),
        (f"01-{TRACE}-{SPAN}-01-", 1),
    ],
    ids=["sampled", "not", "random", "all flags", "unknown flag", "version", "more", "dash"],
)
def test_traceparent_is_read(text, flags):
    assert parse_traceparent(text) == (TRACE, SPAN, flags)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD + " ",
        " " + GOOD,
        GOOD + "-more",
        GOOD + ".",
        GOOD + "\n",
        f"01-{TRACE}-{SPAN}-01.more",
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0A",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}1-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}",
        f"00_{TRACE}_{SPAN}_01",
        f"{GOOD},{GOOD}",
        f"00-{TRACE}-{SPAN}-\u0660\u0661",
        "\x00" * 55,
        "\ud800",
    ],
)
def test_traceparent_that_is_malformed_counts_as_absent(text):
    assert parse_traceparent(text) is None


@given(st.text())
def test_traceparent_is_none_or_well_formed(text):
    assert parse_traceparent(text) is None


@given(
    st.integers(1, 2**128 - 1).map("{:032x}".format),
    st.integers(1, 2**64 - 1).map("{:016x}".format),
    st.sampled_from([0, SAMPLED, RANDOM, SAMPLED | RANDOM]),
)
def test_traceparent_round_trips(trace_id, span_id, flags):
    text = format_traceparent(trace_id, span_id, flags)
    assert len(text) == 55
    assert parse_traceparent(text) == (trace_id, span_id, flags)


def test_traceparent_of_any_length_is_read_in_no_time():
    assert parse_traceparent("0" * 10_000_000) is None
    assert parse_traceparent(f"01-{TRACE}-{SPAN}-01-{'x' * 10_000_000}") is not None


# tracestate


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("foo=1,bar=2", {"foo": "1", "bar": "2"}),
        (" \t a=1 , b=2\t,,  ", {"a": "1", "b": "2"}),
        ("a=1,b=2,a=3", {"a": "1", "b": "2"}),
        ("t61rcwkgmze@vendor=00f067aa0ba902b7", {"t61rcwkgmze@vendor": "00f067aa0ba902b7"}),
        ("0a_-*/=x y", {"0a_-*/": "x y"}),
        ("a= b", {"a": " b"}),
        ("a=!~\"'<>;:+", {"a": "!~\"'<>;:+"}),
        (f"{'a' * 256}={'1' * 256}", {"a" * 256: "1" * 256}),
        (",".join(f"k{n}=v" for n in range(32)), {f"k{n}": "v" for n in range(32)}),
    ],
)
def test_tracestate_is_read(text, members):
    assert parse_tracestate(text) == members
    assert list(parse_tracestate(text)) == list(members)
    assert parse_tracestate(format_tracestate(members)) == members


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a=",
        "=1",
        "A=1",
        "_a=1",
        "a =1",
        "a=1=2",
        "a=1;b=\x00",
        "a=\xe9",
        "a=1,b",
        f"{'a' * 257}=1",
        f"a={'1' * 257}",
        ",".join(f"k{n}=v" for n in range(33)),
        "a=1," * 1_000_000,
        "a=\ud800",
    ],
)
def test_tracestate_that_is_malformed_is_nothing(text):
    assert parse_tracestate(text) == {}


@given(st.text("ab=,@ \t1", max_size=40))
def test_tracestate_that_is_read_can_be_passed_on(text):
    members = parse_tracestate(text)
    assert parse_tracestate(format_tracestate(members)) == members


@given(st.text())
def test_tracestate_takes_any_text(text):
    parse_tracestate(text)
