from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit import Router
from wsgikit.converters import BUILT_IN, Converter

FLOAT, UUID_, DATE = BUILT_IN["float"], BUILT_IN["uuid"], BUILT_IN["date"]
SOME_UUID = "0189d3b4-7c5e-7f00-8000-00c0ffee0000"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (5, "5.0"),
        (-1.25, "-1.25"),
        (0.1, "0.1"),
        (1e15, "1000000000000000.0"),
        (1e16, "10000000000000000.0"),
        (1e300, f"1{'0' * 300}.0"),
        (1e-5, "0.00001"),
        (-1.25e-7, "-0.000000125"),
        (-1.2345678901234567e16, "-12345678901234568.0"),
        (5e-324, "0." + "0" * 323 + "5"),
    ],
)
def test_a_float_is_written_with_a_point_and_without_an_exponent(value, text):
    assert FLOAT.format(value) == text
    assert FLOAT.parse(text) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_comes_back(value):
    assert FLOAT.parse(FLOAT.format(value)) == value


@pytest.mark.parametrize(
    "text",
    ["", "5", "5.", ".5", "+1.5", "1e3", "1.0e3", "nan", "inf", "-inf", "1,5", "1_0.0", "٣.٥"]
    + [" 1.5", "1.5\n", "9" * 400 + ".0", "-" + "9" * 400 + ".0"],
)
def test_other_text_is_no_float(text):
    with pytest.raises(ValueError, match="is "):
        FLOAT.parse(text)


@pytest.mark.parametrize("value", [10**400, True, "1.5", None])
def test_what_is_no_float_is_refused(value):
    with pytest.raises(ValueError, match="is "):
        FLOAT.format(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")], ids=str)
def test_url_refuses_what_is_no_number(value):
    router = Router()
    router.get("/{x:float}", name="x")(lambda request, x: "")
    with pytest.raises(ValueError, match="is not of the kind 'float'"):
        router.url("x", x=value)


@given(st.uuids())
def test_every_uuid_comes_back(value):
    assert UUID_.parse(UUID_.format(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        SOME_UUID.upper(),
        SOME_UUID.replace("-", ""),
        "{" + SOME_UUID + "}",
        "urn:uuid:" + SOME_UUID,
        SOME_UUID + "\n",
        SOME_UUID[:-1],
    ],
)
def test_a_uuid_has_one_spelling(text):
    assert UUID_.parse(SOME_UUID) == UUID(SOME_UUID)
    with pytest.raises(ValueError, match="is not of the kind 'uuid'"):
        UUID_.parse(text)


@given(st.dates())
def test_every_date_comes_back(value):
    assert DATE.parse(DATE.format(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "2025-02-29",
        "2025-13-01",
        "0000-01-01",
        "2025-1-1",
        "20250101",
        "2025-W01-1",
        "2025-01-01T00",
    ]
    + ["٢٠٢٥-01-01", "2025-01-01\n", ""],
)
def test_other_text_is_no_date(text):
    with pytest.raises(ValueError, match=r"is not of the kind|out of range|must be in"):
        DATE.parse(text)


@pytest.mark.parametrize("value", [datetime(2025, 1, 1), "2025-02-29", "today", None], ids=str)
def test_url_refuses_what_is_no_date(value):
    router = Router()
    router.get("/{day:date}", name="day")(lambda request, day: "")
    with pytest.raises(ValueError, match=r"^/\{day:date\}: day="):
        router.url("day", day=value)
    assert router.url("day", day=date(2025, 1, 31)) == "/2025-01-31"


@given(st.text() | st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{1,5})?", fullmatch=True))
def test_no_text_is_of_two_built_in_kinds(text):
    kinds = []
    for converter in (*BUILT_IN.values(), Router()._converter("int")):
        try:
            converter.parse(text)
        except ValueError:
            continue
        kinds.append(converter.name)
    assert len(kinds) <= 1


def test_a_converter_of_ones_own():
    word = Converter("hex", "[0-9a-f]+", lambda text: int(text, 16), "{:x}".format)
    assert repr(word) == "<Converter hex>"
    assert word.name == "hex"
    assert word.parse("ff") == 255
    assert word.format(255) == "ff"
    with pytest.raises(ValueError, match="is not of the kind 'hex'"):
        word.parse("FF")


def test_a_pattern_alone_gives_text():
    lang = Converter("lang", "de|en")
    assert lang.parse("de") == "de"
    with pytest.raises(ValueError, match="lang"):
        lang.parse("den")


@pytest.mark.parametrize(
    ("options", "error", "complaint"),
    [
        (("a-b", "x"), ValueError, "name of a converter is an identifier, not 'a-b'"),
        (("", "x"), ValueError, "name of a converter"),
        ((5, "x"), ValueError, "name of a converter is an identifier, not 5"),
        (("a", "("), ValueError, "pattern of the converter 'a'"),
        (("a", b"x"), TypeError, "pattern of the converter 'a' is a str"),
        (("a", "x", 5), TypeError, "parse of the converter 'a' is a function, not 5"),
        (("a", "x", str, None), TypeError, "format of the converter 'a' is a function, not None"),
    ],
)
def test_options_are_checked(options, error, complaint):
    with pytest.raises(error) as raised:
        Converter(*options)
    assert complaint in str(raised.value)
