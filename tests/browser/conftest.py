"""A real browser: Debian's Chromium, driven by Playwright. And a real house for it to look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.browser.site import Site, served
from tests.support.needs import chromium_program
from tests.support.serving import serving as serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser. Skips, or fails in CI, where there is none.

    Of a module, not of the session: while it runs, its event loop stands in the way of tests that start one.
    """
    program = chromium_program()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One house and one server for the tests of a module."""
    with served(tmp_path_factory.mktemp("site")) as found:
        yield found
