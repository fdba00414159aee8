"""The manual's pictures, taken where everything else is looked at.

`VOLENS_PICTURES=1` writes them to `docs/pictures`; without it they are taken and thrown away, so that tests leave the tree clean.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.pages import NAMED
from tests.browser.site import Site
from tests.browser.ways import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
PICTURES = (
    ("first", "fr", 390), ("first", "en", 390), ("first", "en", 1440), ("brands", "fr", 390), ("use-statistics", "en", 390),
    ("went", "fr", 390), ("went", "en", 1440), ("devices", "fr", 390), ("doorway", "fr", 390), ("doorway", "en", 390),
)  # fmt: skip
"""Name of the page, language, width."""
HIGH = {390: 844, 1440: 900}
BYTES_MAX = 120_000


@pytest.mark.parametrize(("name", "language", "width"), PICTURES)
def test_the_manual_shows_what_is_served(
    name: str, language: str, width: int, site: Site, chromium: Browser, tmp_path: Path
) -> None:
    at = NAMED[name]
    with site.open(chromium, at.who, language, width=width, height=HIGH[width], color_scheme="light") as page:
        visit(page, site, at)
        page.mouse.move(0, 0)
        taken = page.screenshot(path=tmp_path / "picture.png", animations="disabled", caret="hide")
    kept = FOLDER / f"{name}.{language}.{width}.png"
    if os.environ.get("VOLENS_PICTURES"):
        kept.write_bytes(taken)
    assert kept.exists(), f"VOLENS_PICTURES=1 python -m pytest {Path(__file__).name} takes it"
    assert len(taken) <= BYTES_MAX
