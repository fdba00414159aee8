"""The pages without an account in a real browser: on a telephone, without scripts, by keyboard, and for axe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.support.serving import serving

from volens import app
from volens.app import House
from volens.clock import system
from volens.ingest.master import Person
from volens.permissions.ledger import Choice
from volens.web.server import application

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
TELEPHONE = {"width": 390, "height": 844}


@dataclass
class Open:
    """A house on a real socket."""

    house: House
    customer: int
    address: str

    @property
    def door(self) -> str:
        """Where a receipt's QR code leads, here."""
        found = self.house.doorways.cards("card", ["C00001"])["C00001"]
        assert found is not None
        return f"{self.address}/n/{found.code}"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    with app.initialise(tmp_path_factory.mktemp("doors") / "house", customers=100, clock=system()) as house:
        house.customers.enrol([Person(card="C00001", email="camille@example.org", country="FR", details={})])
        customer = house.customer("card", "C00001").customer
        with serving(application(house, local=True)) as address:
            yield Open(house, customer, address)


def permits(opened: Open) -> None:
    opened.house.permissions.record([Choice(opened.customer, "supplier-statistics", "given", surface="a test")])


def standing(opened: Open) -> bool:
    return any(row.permits for row in opened.house.permissions.of_customer(opened.customer))


@pytest.mark.parametrize("scripts", [False, True], ids=["without scripts", "with scripts"])
def test_from_the_receipt_to_no_in_two_taps_on_a_telephone(chromium: Browser, opened: Open, scripts: bool) -> None:
    """The first tap opens the address, the second refuses; nothing has to be scrolled to."""
    permits(opened)
    with chromium.new_context(viewport=TELEPHONE, locale="fr-FR", java_script_enabled=scripts) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(opened.door)
        button = page.get_by_role("button", name="Tout refuser")
        box = button.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= TELEPHONE["height"]
        assert min(box["width"], box["height"]) >= 44
        assert standing(opened)
        button.click()
        assert page.get_by_role("status").inner_text() == "C'est fait. Tout est refusé."
    assert not standing(opened)


def test_by_keyboard_alone(chromium: Browser, opened: Open) -> None:
    permits(opened)
    with chromium.new_context(viewport=TELEPHONE, locale="fr-FR") as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(opened.door)
        for key in ("Tab", "Enter", "Tab"):  # to the skip link, along it, to the first button
            page.keyboard.press(key)
        assert page.evaluate("document.activeElement.textContent") == "Tout refuser"
        page.keyboard.press("Enter")
        page.get_by_role("status").wait_for()
    assert not standing(opened)


@pytest.mark.parametrize("language", ["fr-FR", "en-GB"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_without_an_account_is_for_everybody(
    chromium: Browser, opened: Open, language: str, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    places = [opened.door, f"{opened.address}/n/wrong", f"{opened.address}/lien", f"{opened.address}/vrai-ou-faux"]
    with chromium.new_context(
        viewport=TELEPHONE, locale=language, color_scheme=scheme, bypass_csp=True  # type: ignore[arg-type]
    ) as context:
        page = context.new_page()
        for place in places:
            page.goto(place)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= TELEPHONE["width"], f"{place} has to be scrolled sideways"
            found = Axe().run(page)
            assert found.violations_count == 0, f"{place}: {found.generate_report()}"
