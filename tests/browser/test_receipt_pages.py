"""Receipts in a real browser: read by everybody, printed whole, downloaded without JavaScript, checked by the page beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.house import STATISTICS
from tests.support.serving import serving

from volens.app import initialise
from volens.clock import fixed
from volens.evidence.verify import verify_bytes
from volens.permissions.ledger import Choice
from volens.web.server import application
from volens.web.visitor import Customer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
HOME = "/autorisations"
PAGES = (f"{HOME}/recus", f"{HOME}/recus/ancien", f"{HOME}/mes-choix", f"{HOME}/recus/texte/{STATISTICS}/1/fr")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served house and a customer who said yes and no."""
    clock = fixed(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    with initialise(tmp_path_factory.mktemp("served") / "house", customers=1_000, clock=clock) as house:
        house._vault.identify("card", ["C1"])
        said = (("loyalty", "joined"), (STATISTICS, "given"), ("basket-reminder", "refused"))
        house.permissions.record([Choice(1, purpose, kind, surface="website") for purpose, kind in said])
        with serving(application(house, recognise=lambda connection: Customer(1), local=True)) as found:
            yield found


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1440), ("dark", 390)])
def test_the_pages_can_be_read_by_everybody(chromium: Browser, address: str, language: str, scheme: Any, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with chromium.new_context(locale=language, color_scheme=scheme, viewport={"width": width, "height": 844}) as context:
        page = context.new_page()
        for path in PAGES:
            answer = page.goto(address + path)
            assert answer is not None
            assert answer.status == 200
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_receipt_is_downloaded_without_javascript_and_checked_by_the_page(
    chromium: Browser, address: str, tmp_path: Path
) -> None:
    file = tmp_path / "recu.json"
    with chromium.new_context(locale="fr", java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}{HOME}/recus")
        with page.expect_download() as given:
            page.get_by_role("link", name="Télécharger le reçu").first.click()
        given.value.save_as(file)
    assert given.value.suggested_filename.startswith("recu-")
    assert verify_bytes(file.read_bytes()).ok
    with chromium.new_context(locale="fr") as context:
        page = context.new_page()
        page.goto(f"{address}{HOME}/recus")
        fingerprint = page.inner_text("code")
        page.get_by_role("link", name="Ouvrir la page de vérification").click()
        page.set_input_files("#receipt", file)
        page.fill("#key", fingerprint)
        page.click("form button")
        page.wait_for_selector("#steps li")
        assert page.get_attribute("#result", "data-verdict") == "yes"
        assert page.locator("#facts dd").first.inner_text() == "Non"


def test_all_choices_are_printed_without_what_paper_cannot_use(chromium: Browser, address: str) -> None:
    with chromium.new_context(locale="fr", color_scheme="dark") as context:
        page = context.new_page()
        page.goto(f"{address}{HOME}/mes-choix")
        names = page.locator("main h3").all_inner_texts()
        page.emulate_media(media="print")
        for hidden in (".top nav", ".trail", ".screen"):
            assert not page.locator(hidden).first.is_visible()
        assert page.locator("main h3").all_inner_texts() == names
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert len(printed) > 10_000
