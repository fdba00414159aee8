"""Campaigns on the staff's pages: from a plan to a result with its chart and its list; and prices of people who refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.campaigning import (
    ANA,
    PRE_WEEKS,
    SALE_END,
    SALE_WEEKS,
    at,
    campaigning,
    lines,
    spring,
)
from tests.support.house import sell
from tests.web.conftest import Browser, Served

from volens.app import House, open_house
from volens.clock import fixed
from volens.web.visitor import Customer, Nobody, Staff

CLAIRE = Staff("claire", "Claire Exemple", frozenset({"marketing"}))
AUDITOR = Staff("alix", "Alix Exemple", frozenset({"auditor"}))
HOME, SPRING = "/staff/campaigns", "/staff/campaigns/spring"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with campaigning(tmp_path) as opened:
        opened.campaigns.plan(spring(), ANA)
        yield opened


def test_nobody_else_comes_in(house: House) -> None:
    served = Served(house, 1, Nobody())
    with served.open() as client:
        for who in (Nobody(), Customer(1), Staff("s", "Sam Exemple", frozenset({"support"}))):
            served.visitor = who
            for page in (HOME, SPRING):
                assert client.get(page, follow_redirects=False).status_code in (303, 401, 403), (who, page)


def test_from_a_launch_to_a_result(house: House, tmp_path: Path) -> None:
    with Served(house, 1, CLAIRE).open() as client:
        browser = Browser(client, "en")
        assert "Orange juice in spring" in browser.get(HOME).text
        shown = browser.get(SPRING).text
        assert "40.0% of the people" in shown
        assert 'value="closed"' not in shown, "a step that cannot be taken has no button"
        assert "Who is held out is fixed" in browser.press(SPRING, f"{SPRING}/step", step="launched").text
        assert "four cases of five" in browser.get(SPRING).text
        assert browser.press(SPRING, f"{SPRING}/step", step="closed").status_code == 409
    house.close()
    with open_house(house.settings.home, clock=fixed(at(SALE_END))) as later:
        sell(later, tmp_path / "later", lines(range(PRE_WEEKS, PRE_WEEKS + SALE_WEEKS)), "later.csv")
        with Served(later, 1, CLAIRE).open() as client:
            browser = Browser(client, "en")
            browser.press(SPRING, f"{SPRING}/step", step="closed")
            measured = browser.press(SPRING, f"{SPRING}/step", step="measured").text
            assert "Measured. It stays as it is." in measured
            assert "95 times out of 100" in measured
            assert '<svg class="chart"' in measured
            assert "Whether incrementality was tested" in measured
            assert "<form" not in measured.split("<main", 1)[1].split("</main", 1)[0], "nothing is left to do"
        with Served(later, 1, AUDITOR).open() as client:
            shown = Browser(client, "fr").get(SPRING).text
            assert "A-t-elle marché" in shown
            assert "Si l'incrémentalité a été testée" in shown.replace("&#39;", "'")


def test_giving_up_needs_a_reason(house: House) -> None:
    with Served(house, 1, CLAIRE).open() as client:
        browser = Browser(client, "fr")
        assert browser.press(SPRING, f"{SPRING}/step", step="abandoned", why=" ").status_code == 400
        assert browser.press(SPRING, f"{SPRING}/step", step="dance").status_code == 400
        assert "Abandonnée" in browser.press(SPRING, f"{SPRING}/step", step="abandoned", why="Plus de budget.").text


def test_an_audience_is_launched_where_it_is_built(house: House) -> None:
    house.campaigns.plan(spring(id="for-some", audience="juice-lovers"), ANA)
    with Served(house, 1, CLAIRE).open() as client:
        shown = Browser(client, "en").get(f"{HOME}/for-some").text
        assert "juice-lovers" in shown
        assert 'value="launched"' not in shown
