from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from wsgikit.folders.upload import Receipt
from wsgikit.folders.upload_page import HEADERS, form, refused, stored


def soup(html):
    return BeautifulSoup(html, "html.parser")


def test_the_form_sends_files_with_or_without_a_script():
    drawn = soup(form(2_000_000, overwrite=False)).form
    assert (drawn["method"], drawn["enctype"]) == ("post", "multipart/form-data")
    names = [field["name"] for field in drawn.select("[name]")]
    assert names == ["existing", "file"]  # in the order in which they are needed
    assert drawn["data-most"] == "2000000"
    assert "At most 2.0\xa0MB at once." in drawn.get_text()
    assert drawn.select_one(".drop").has_attr("hidden")  # until the script shows it


def test_every_field_has_a_label():
    drawn = soup(form(1, overwrite=True))
    labelled = {label["for"] for label in drawn.select("label")}
    for field in drawn.select("select, input"):
        about = field.get("aria-labelledby")
        assert field.get("id") in labelled or drawn.find(id=about)


@pytest.mark.parametrize(
    ("overwrite", "choices"),
    [(False, ["number", "refuse"]), (True, ["number", "refuse", "replace"])],
)
def test_what_can_be_done_with_taken_names(overwrite, choices):
    options = soup(form(1, overwrite=overwrite)).select("option")
    assert [option["value"] for option in options] == choices


@pytest.mark.parametrize(
    ("count", "text"),
    [
        ("1", "1 file was stored."),
        ("2", "2 files were stored."),
        ("1234", "1,234 files were stored."),
        ("0", ""),
        ("", ""),
        ("12345", ""),
        ("-1", ""),
        ("²", ""),
        ("<b>", ""),
    ],
)
def test_what_was_stored(count, text):
    assert soup(stored(count)).get_text() == text


def test_what_was_refused():
    receipt = Receipt()
    receipt.refused += [("<b>.txt", 409, "a & b"), ("c", 400, "d")]
    drawn = soup(refused(receipt))
    assert [item.get_text() for item in drawn.select("[role=alert] li")] == [
        "<b>.txt: a & b",
        "c: d",
    ]
    assert drawn.select("[role=status]") == []
    receipt.stored += ["e"]
    assert soup(refused(receipt)).select_one("[role=status]").get_text() == "1 file was stored."


def test_the_policy_of_the_page():
    policy = dict(HEADERS)["Content-Security-Policy"]
    assert policy.count("script-src") == 1
    assert "unsafe-inline" not in policy.partition("script-src")[2]
    assert dict(HEADERS)["X-Content-Type-Options"] == "nosniff"
