"""The page in a real browser: nothing is cut off, nothing is fetched, nothing is refused by its own policy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.needs import require
from tests.unit.releases.made_up import facts, figures, labels, pack

from volens.releases.package import contents

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium; missing in CI is a failure, on a machine without it the reason to skip."""
    found = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        found = None
    if found is None:
        require("browser", "no chromium or no playwright on this machine")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages")
    for name, asked, buyers in (("one", pack(), 700.0), ("three", pack(3, "month", 9), 30_000.0)):
        for file, content in contents(facts(), figures(asked, buyers), labels(asked)).files.items():
            (made / f"{name}.{file}").write_bytes(content)
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1440])
@pytest.mark.parametrize("page", ["one.report.fr.html", "three.report.en.html"])
def test_nothing_is_cut_off_fetched_or_refused(browser: Any, folder: Path, page: str, width: int, scheme: str) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto((folder / page).as_uri())
    opened.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [(folder / page).as_uri()]
    assert said == []
    assert opened.evaluate("getComputedStyle(document.body).maxWidth") != "none", "its style is in force"
    too_small = opened.evaluate(
        "[...document.querySelectorAll('main *')].filter(part => part.childElementCount === 0 && part.textContent.trim()"
        " && part.checkVisibility() && !part.closest('svg') && parseFloat(getComputedStyle(part).fontSize) < 14)"
        ".map(part => part.outerHTML)"
    )
    assert too_small == []
    opened.close()
