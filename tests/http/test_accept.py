from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.accept import (
    MAX_ITEMS,
    Accept,
    CharsetAccept,
    EncodingAccept,
    LanguageAccept,
    MediaAccept,
)

BROWSER = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
EVERY = [Accept, CharsetAccept, EncodingAccept, LanguageAccept, MediaAccept]
OFFERS = {
    Accept: ["a", "b"],
    CharsetAccept: ["utf-8", "iso-8859-1"],
    EncodingAccept: ["br", "gzip", "identity"],
    LanguageAccept: ["de", "de-CH", "en"],
    MediaAccept: ["text/html", "text/html;level=1", "application/json"],
}
ANY_TEXT = st.text(st.one_of(st.sampled_from(',;=q.10 */-"\\ab'), st.characters()), max_size=200)
# Fields that are nearly well-formed reach further than any text does.
FIELDS = st.lists(
    st.tuples(
        st.sampled_from(
            ["*", "*/*", "text/*", "text/html", "de", "de-ch", "en", "gzip", "identity", "a"]
        ),
        st.sampled_from(["", ";q=0", ";q=0.5", "; q=1", ";level=1", ";level=1;q=0.3", ";q=x"]),
    ).map("".join)
).map(",".join)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        pytest.param("1", 1.0, id="one"),
        pytest.param("0.5", 0.5, id="one-digit"),
        pytest.param("0.123", 0.123, id="three-digits"),
        pytest.param("1.000", 1.0, id="one-with-zeros"),
        pytest.param("0.", 0.0, id="zero-and-point"),
        pytest.param("1.", 1.0, id="one-and-point"),
        pytest.param("0.000", 0.0, id="zero-with-zeros"),
        pytest.param(".2", 0.2, id="no-zero-before-the-point"),
    ],
)
def test_weights(weight: str, expected: float) -> None:
    assert list(Accept(f"a;q={weight}, b;q=0")) == sorted(
        [("a", {}, expected), ("b", {}, 0.0)], key=lambda item: -item[2]
    )


@pytest.mark.parametrize(
    "weight",
    [
        "",
        ".",
        "2",
        "1.1",
        "1.001",
        "-1",
        "+1",
        "0.1234",
        "1e0",
        "nan",
        "inf",
        "0_1",
        " 1",
        "a",
    ]
    + ["0.5 5", "\u0661", "0.\u0665", "00.5", "0.5."],
    ids=ascii,
)
def test_an_item_with_a_malformed_weight_is_skipped(weight: str) -> None:
    assert "a" not in [value for value, _, _ in Accept(f"a;q={weight}, b")]


@pytest.mark.parametrize(
    "item",
    ["a ; q=0.5", "a;Q=0.5", "a\t;\tq=0.5", "a;q=0.5;b=c", "a;b=c;q=0.5", 'a;b=";q=1";q=0.5'],
)
def test_the_weight_is_found_among_other_parameters(item: str) -> None:
    assert Accept(item).quality("a") == 0.5


def test_iterating_gives_the_best_first() -> None:
    assert list(Accept("B;q=0.2, A, c;q=0.2;x=y")) == [
        ("a", {}, 1.0),
        ("b", {}, 0.2),
        ("c", {"x": "y"}, 0.2),
    ]


def test_a_malformed_item_leaves_the_others() -> None:
    assert Accept("a b, (c), d;q=0.1, ,").best(["a", "c", "d"]) == "d"


def test_items_beyond_the_cap_are_skipped() -> None:
    text = ",".join(f"a{n}" for n in range(MAX_ITEMS + 5))
    assert len(list(Accept(text))) == MAX_ITEMS


def test_repr_shows_the_items() -> None:
    assert repr(CharsetAccept("a;q=0.5")) == "<CharsetAccept [('a', {}, 0.5)]>"


@pytest.mark.parametrize("text", [None, "", " ", ",,", ";q=1", "a;q=x"], ids=repr)
@pytest.mark.parametrize("kind", [Accept, CharsetAccept, LanguageAccept, MediaAccept])
def test_nothing_asked_for_is_everything_accepted(kind: type[Accept], text: str | None) -> None:
    offers = OFFERS[kind]
    accept = kind(text)
    assert list(accept) == []
    assert accept.best(offers) == offers[0]
    assert [accept.quality(offer) for offer in offers] == [1.0] * len(offers)
    assert all(offer in accept for offer in offers)


@pytest.mark.parametrize("kind", EVERY)
def test_no_offers_no_choice(kind: type[Accept]) -> None:
    assert kind(None).best([]) is None
    assert kind("*").best(iter([])) is None


@pytest.mark.parametrize(
    ("kind", "offer"),
    [
        pytest.param(Accept, "a b", id="token"),
        pytest.param(EncodingAccept, "gzip, br", id="coding"),
        pytest.param(LanguageAccept, "de_CH", id="language-underscore"),
        pytest.param(LanguageAccept, "*", id="language-star"),
        pytest.param(MediaAccept, "html", id="media-without-slash"),
        pytest.param(MediaAccept, "text/*", id="media-range"),
        pytest.param(MediaAccept, "", id="media-empty"),
    ],
)
@pytest.mark.parametrize("text", [None, "*"])
def test_an_offer_that_is_none_is_an_error(kind: type[Accept], offer: str, text: str) -> None:
    with pytest.raises(ValueError, match="an offer takes a"):
        kind(text).quality(offer)
    with pytest.raises(ValueError, match="an offer takes a"):
        kind(text).best([offer])


@pytest.mark.parametrize(
    ("text", "offers", "best"),
    [
        pytest.param("utf-8, *;q=0.1", ["latin1", "UTF-8"], "UTF-8", id="named"),
        pytest.param("utf-8;q=0.2, *;q=0.3", ["utf-8", "latin1"], "latin1", id="star"),
        pytest.param("utf-8", ["latin1"], None, id="not-named"),
        pytest.param("*, utf-8;q=0", ["utf-8"], None, id="excluded"),
        pytest.param("a;q=0.5, a;q=0.9", ["a"], "a", id="twice"),
        pytest.param("b, a", ["a", "b"], "a", id="server-order-breaks-ties"),
    ],
)
def test_charsets(text: str, offers: list[str], best: str | None) -> None:
    assert CharsetAccept(text).best(offers) == best


@pytest.mark.parametrize(
    ("text", "offers", "best"),
    [
        pytest.param("gzip, br", ["br", "gzip", "identity"], "br", id="server-order"),
        pytest.param("gzip, br;q=0.5", ["br", "gzip"], "gzip", id="weights"),
        pytest.param("gzip", ["identity", "gzip"], "gzip", id="named-before-identity"),
        pytest.param("gzip;q=0.001", ["gzip", "identity"], "gzip", id="least-weight"),
        pytest.param("compress;q=0.5, gzip;q=1.0", ["compress", "gzip"], "gzip", id="rfc-example"),
        pytest.param(
            "gzip;q=1.0, identity; q=0.5, *;q=0", ["br", "identity"], "identity", id="rfc-2"
        ),
        pytest.param("gzip;q=0", ["gzip", "identity"], "identity", id="excluded"),
        pytest.param("br", ["gzip"], None, id="not-named"),
        pytest.param("gzip, identity;q=0", ["identity"], None, id="identity-excluded"),
        pytest.param("gzip, *;q=0", ["identity", "gzip"], "gzip", id="identity-excluded-by-star"),
        pytest.param("*;q=0", ["identity", "gzip"], None, id="all-excluded"),
        pytest.param("*;q=0, identity", ["gzip", "identity"], "identity", id="identity-named"),
        pytest.param("*", ["br", "identity"], "br", id="star"),
        pytest.param("x-gzip", ["gzip"], "gzip", id="alias-in-field"),
        pytest.param("gzip", ["x-gzip"], "x-gzip", id="alias-in-offer"),
        pytest.param("GZip", ["gzip"], "gzip", id="case"),
        pytest.param("", ["gzip", "identity"], "identity", id="empty-field"),
        pytest.param("", ["gzip"], None, id="empty-field-accepts-no-coding"),
        pytest.param("gzip;q=x", ["gzip", "identity"], "identity", id="nothing-readable"),
        pytest.param(None, ["gzip", "identity"], "identity", id="absent-prefers-identity"),
        pytest.param(None, ["br", "gzip"], "br", id="absent-accepts-each"),
    ],
)
def test_encodings(text: str | None, offers: list[str], best: str | None) -> None:
    assert EncodingAccept(text).best(offers) == best


@pytest.mark.parametrize(
    ("text", "offers", "best"),
    [
        pytest.param("da, en-gb;q=0.8, en;q=0.7", ["en", "da"], "da", id="rfc-9110-example"),
        pytest.param("de-CH", ["en", "de"], "de", id="lookup"),
        pytest.param("de-CH", ["de", "de-CH"], "de-CH", id="exact-before-lookup"),
        pytest.param("de-CH-1996", ["de", "de-CH"], "de", id="two-lookups-alike"),
        pytest.param("de", ["en", "de-CH"], "de-CH", id="basic-filtering"),
        pytest.param("de-de", ["de-DE-1996", "de-Deva"], "de-DE-1996", id="rfc-4647-example"),
        pytest.param("d", ["de"], None, id="whole-subtags-only"),
        pytest.param("de-CH", ["de-AT"], None, id="siblings"),
        pytest.param("de;q=0.3, de-CH;q=0.8, *;q=0.5", ["de-AT", "en"], "en", id="longest-decides"),
        pytest.param("de-CH;q=0.8, de;q=0.3", ["de-CH", "de"], "de-CH", id="longest-first"),
        pytest.param("de;q=0, *", ["de", "de-AT"], None, id="excluded"),
        pytest.param("de-CH;q=0, de", ["de-CH", "de-AT"], "de-AT", id="only-the-longer-excluded"),
        pytest.param("de-CH;q=0", ["de"], None, id="no-lookup-of-the-excluded"),
        pytest.param("de-CH;q=0, *;q=0.1", ["de"], "de", id="star-after-excluded-lookup"),
        pytest.param("*", ["en", "de"], "en", id="star"),
        pytest.param("en, *;q=0.1", ["de", "en"], "en", id="named-before-star"),
        pytest.param("fr, en", ["en", "fr"], "en", id="server-order-breaks-ties"),
        pytest.param("de-Latn-abcdefghi, e1, de--ch, -, é", ["en", "de"], "en", id="malformed"),
        pytest.param("ZH-hant-tw", ["zh-Hans", "zh-Hant"], "zh-Hant", id="script"),
    ],
)
def test_languages(text: str, offers: list[str], best: str | None) -> None:
    assert LanguageAccept(text).best(offers) == best


@pytest.mark.parametrize(
    ("text", "offers", "best"),
    [
        pytest.param(BROWSER, ["application/json", "text/html"], "text/html", id="browser"),
        pytest.param(
            BROWSER, ["application/json", "text/plain"], "application/json", id="browser-star"
        ),
        pytest.param("*/*", ["application/json", "text/html"], "application/json", id="curl"),
        pytest.param(
            "audio/*; q=0.2, audio/basic", ["audio/x", "audio/basic"], "audio/basic", id="rfc"
        ),
        pytest.param("text/*", ["application/json", "text/csv"], "text/csv", id="type-range"),
        pytest.param("text/html;q=0, */*", ["text/html"], None, id="excluded"),
        pytest.param("*/*;q=0", ["text/html"], None, id="all-excluded"),
        pytest.param("application/json", ["text/html"], None, id="not-named"),
        pytest.param("Text/HTML", ["text/html"], "text/html", id="case-of-range"),
        pytest.param("text/html", ["Text/HTML"], "Text/HTML", id="case-of-offer"),
        pytest.param(
            "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
            ["application/json"],
            "application/json",
            id="java",
        ),
        pytest.param(
            "*/html, text, /html, text/, a/b/c, */*;q=0.1", ["text/html"], "text/html", id="bad"
        ),
        pytest.param(
            "application/json;charset=utf-8", ["application/json"], "application/json", id="charset"
        ),
        pytest.param(
            "text/html;charset=utf-8",
            ["text/html; charset=UTF-8"],
            "text/html; charset=UTF-8",
            id="charset-case",
        ),
        pytest.param("text/html;charset=utf-8", ["text/html;charset=x"], None, id="other-charset"),
        pytest.param("text/html;level=1", ["text/html"], None, id="parameter-missing"),
        pytest.param("text/html;level=1", ["text/html;level=2"], None, id="parameter-differs"),
        pytest.param(
            "text/html", ["text/html;level=2"], "text/html;level=2", id="parameter-not-asked"
        ),
        pytest.param('a/b;c=";,"', ['a/b;c=";,"'], 'a/b;c=";,"', id="quoted-separators"),
    ],
)
def test_media_types(text: str, offers: list[str], best: str | None) -> None:
    assert MediaAccept(text).best(offers) == best


@pytest.mark.parametrize(
    ("offer", "quality"),
    [
        ("text/plain;format=flowed", 1.0),
        ("text/plain", 0.7),
        ("text/html", 0.3),
        ("image/jpeg", 0.5),
        ("text/plain;format=fixed", 0.4),
        ("text/html;level=3", 0.3),
    ],
)
def test_the_most_specific_range_decides(offer: str, quality: float) -> None:
    # The example of RFC 9110, section 12.5.1.
    text = (
        "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
        "text/plain;format=fixed;q=0.4, */*;q=0.5"
    )
    assert MediaAccept(text).quality(offer) == quality


def test_ranges_are_iterated_with_their_parameters() -> None:
    assert list(MediaAccept("*, text/HTML;Level=1;q=0.3")) == [
        ("*/*", {}, 1.0),
        ("text/html", {"level": "1"}, 0.3),
    ]


@given(text=st.one_of(ANY_TEXT, FIELDS), kind=st.sampled_from(EVERY))
def test_any_text_is_read(text: str, kind: type[Accept]) -> None:
    accept = kind(text)
    offers = OFFERS[kind]
    weights = [weight for _, _, weight in accept]
    assert weights == sorted(weights, reverse=True)
    assert all(0 <= weight <= 1 for weight in weights)
    qualities = {offer: accept.quality(offer) for offer in offers}
    best = accept.best(offers)
    if best is None:
        assert not any(qualities.values())
    else:
        assert 0 < qualities[best] == max(qualities.values()) <= 1


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("unit", [",", ";", "a,", '"', "q=", "a;", "-", "*/*,", "a-"], ids=ascii)
def test_hostile_length_is_linear_work(kind: type[Accept], unit: str) -> None:
    accept = kind(unit * 100_000)
    assert accept.best(OFFERS[kind]) in [*OFFERS[kind], None]
