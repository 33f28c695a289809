"""The browser of the tests here. Without CI set, they are left out where there is none."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.browser.driver import Driver


@pytest.fixture(scope="module")
def browser():
    if shutil.which("chromedriver") is None and not os.environ.get("CI"):
        pytest.skip("needs chromedriver")
    driver = Driver()
    try:
        yield driver
    finally:
        driver.close()
