"""With a keyboard alone: every task is done with Tab and Enter, and where one stands is always seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.browser.pages import HOME, PAGES, At
from tests.browser.site import Site
from tests.browser.ways import visit
from tests.support.house import STATISTICS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
STOPS_MAX = 120
HERE = """() => {
  const node = document.activeElement; const style = getComputedStyle(node); const box = node.getBoundingClientRect();
  return { name: node.textContent.replace(/\\s+/g, " ").trim(), tag: node.tagName, top: box.top + scrollY,
    outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth };
}"""
STOPS = "a[href], button, input:not([type=radio], [type=hidden]), summary, select, textarea"


def go(page: Page, name: str, about: str = "") -> int:
    """Presses Tab until a control with this name has the focus, then Enter. How many presses it took."""
    for count in range(1, STOPS_MAX):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        assert here["outline"], f"the focus is not seen on {here['name']}"
        assert here["inside"], f"the focus is out of sight on {here['name']}"
        if here["name"].startswith(name) and about in here["name"]:
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return count
    raise AssertionError(f"no {name} within {STOPS_MAX} stops")


def test_is_it_sold_refuse_everything_and_take_it_back(site: Site, chromium: Browser) -> None:
    who = site.person(STATISTICS)
    with site.open(chromium, who) as page:
        page.goto("/")
        go(page, "Je suis client")
        go(page, "Tout refuser")
        assert site.permitted(who) == set()
        go(page, "Annuler ce refus")
        assert site.permitted(who) == {STATISTICS}


def test_one_use_is_found_permitted_and_refused(site: Site, chromium: Browser) -> None:
    who = site.person()
    use = site.house.programme.purpose("email-marketing").plain["fr"]
    with site.open(chromium, who) as page:
        page.goto(HOME)
        go(page, "Choisir")
        go(page, "Oui", use)
        assert site.permitted(who) == {"email-marketing"}
        go(page, "Non", use)
        assert site.permitted(who) == set()
        go(page, "Tout savoir", use)
        assert page.locator("h1").inner_text() == use


def test_from_a_receipts_address(site: Site, chromium: Browser) -> None:
    who = site.person(STATISTICS, "email-marketing")
    with site.open(chromium) as page:
        page.goto(site.doorway(who))
        go(page, "Refuser la publicité")
        assert site.permitted(who) == {STATISTICS}


def test_pausing_and_coming_back(site: Site, chromium: Browser) -> None:
    who = site.person(STATISTICS)
    with site.open(chromium, who) as page:
        page.goto(f"{HOME}/plus")
        go(page, "Mettre en pause")
        assert site.permitted(who) == set()
        page.goto(f"{HOME}/plus")
        go(page, "Retrouver mes réponses")
        assert site.permitted(who) == {STATISTICS}


@pytest.mark.prove
@pytest.mark.parametrize("at", PAGES, ids=lambda at: at.name)
def test_on_every_page_each_stop_is_seen_and_the_order_is_that_of_the_page(at: At, site: Site, chromium: Browser) -> None:
    with site.open(chromium, at.who) as page:
        visit(page, site, at)
        wanted = sum(one.is_visible() for one in page.locator(STOPS).all())
        places: list[float] = []
        for _ in range(wanted + 30):
            page.keyboard.press("Tab")
            here = page.evaluate(HERE)
            if here["tag"] == "BODY":
                break
            if here["tag"] == "IFRAME":  # a page of its own, which is in the list
                continue
            assert here["outline"], here["name"]
            assert here["inside"], here["name"]
            places.append(here["top"])
        assert len(places) >= wanted
        main = [one for one in places if one > 60]
        assert main == sorted(main)
