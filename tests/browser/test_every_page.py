"""Every page, in each language and theme, on a phone and a large screen: axe finds nothing, it reflows, spacing breaks nothing.

A sample for every change; the whole matrix is among the proofs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.browser.pages import PAGES, At
from tests.browser.site import Site
from tests.browser.survey import survey
from tests.browser.ways import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {390: 844, 1440: 900}
NARROW = 320
"""1280 pixels at 400 %: WCAG 1.4.10."""
SPACING = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    "p { margin-bottom: 2em !important }"
)
"""WCAG 1.4.12."""
ids = {"ids": lambda value: value.name if isinstance(value, At) else None}


def axe(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.0 to 2.2, A and AA."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": STANDARDS}, "resultTypes": ["violations"]})
    return [f"{one['id']}: {node['html'][:120]}" for one in found.response["violations"] for node in one["nodes"]]


def looked_at(page: Page, theme: Any, width: int) -> list[str]:
    """Findings of axe on the open page in one theme and width."""
    page.set_viewport_size({"width": width, "height": SIZES[width]})
    page.emulate_media(color_scheme=theme)
    return [f"{theme} {width}: {one}" for one in axe(page)]


def narrow(page: Page) -> list[str]:
    """What does not fit at 400 %, and what is cut off when text is spaced out."""
    page.set_viewport_size({"width": NARROW, "height": 256})
    found = [f"{NARROW} px: {wide} px too wide"] if (wide := survey(page).wide) > 0 else []
    page.evaluate(
        "(rule) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(rule);"
        " document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]; }",
        SPACING,
    )
    spaced = survey(page)
    if spaced.wide > 0 or spaced.clipped:
        found.append(f"spaced out: {spaced.wide} px too wide, {spaced.clipped} cut off")
    return found


@pytest.mark.parametrize("at", PAGES, **ids)
def test_m12_and_m13_a_page_is_for_everybody(at: At, site: Site, chromium: Browser) -> None:
    language, theme, width = (("fr", "light", 390), ("en", "dark", 1440))[PAGES.index(at) % 2]
    with site.open(chromium, at.who, language) as page:
        visit(page, site, at)
        found = looked_at(page, theme, width) + narrow(page)
    assert not found, "\n".join(found)


@pytest.mark.prove
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("at", PAGES, **ids)
def test_m12_and_m13_in_each_language_theme_and_width(at: At, language: str, site: Site, chromium: Browser) -> None:
    if language not in at.languages:
        pytest.skip("not in this language")
    with site.open(chromium, at.who, language) as page:
        visit(page, site, at)
        found = [one for theme in ("light", "dark") for width in SIZES for one in looked_at(page, theme, width)] + narrow(page)
    assert not found, "\n".join(found)


def test_axe_is_there_and_finds_a_planted_fault(site: Site, chromium: Browser) -> None:
    with site.open(chromium, "camille") as page:
        page.goto("/autorisations")
        page.evaluate("document.documentElement.removeAttribute('lang')")
        assert any(one.startswith("html-has-lang") for one in axe(page))
