"""What was told and what was done, on the page of staff: the incident, and who may open a flow again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.adverts import Shop, settle
from tests.unit.told.test_told import passed_by_the_gate, read
from tests.web.conftest import Browser, Served

from volens.web.visitor import Customer, Nobody, Staff

DORA = Staff("dora", "Dora Protège", frozenset({"dpo"}))
CLAIRE = Staff("claire", "Claire Exemple", frozenset({"marketing"}))
HOME = "/staff/dit-et-fait"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = settle(tmp_path)
    yield made
    made.house.close()


def test_an_incident_is_shown_and_opened_by_the_dpo_alone(shop: Shop) -> None:
    read(shop.house, "customer", "product")
    served = Served(shop.house, 1, CLAIRE)
    with served.open() as client:
        browser = Browser(client, "fr")
        page = browser.get(HOME).text
        assert "Tout ce qui a servi avait été dit" in page
        assert "2 sur 3" in page
        assert "On pourra en juger à partir du 31 mai 2026" in page
        passed_by_the_gate(shop.house, "phone")
        shop.house.told.check()
        page = browser.get(HOME).text
        assert "votre numéro de téléphone" in page
        assert "Rouvrir" not in page
        served.visitor = DORA
        assert "Rouvrir" in browser.get(HOME).text
        done = browser.press(HOME, f"{HOME}/ouvrir", name="targeted-ads", recipient="le-panier", why="n'est plus lu")
        assert "rouvert" in done.text
        assert "Rouvert depuis" in browser.get(HOME).text
        passed_by_the_gate(shop.house, "photo")
        shop.house.told.check()
        assert browser.press(HOME, f"{HOME}/ouvrir", name="targeted-ads", recipient="le-panier", why="").status_code == 400


def test_nobody_else_comes_in(shop: Shop) -> None:
    served = Served(shop.house, 1, Nobody())
    with served.open() as client:
        for who in (Nobody(), Customer(1), Staff("s", "Sam Exemple", frozenset({"support"}))):
            served.visitor = who
            assert client.get(HOME, follow_redirects=False).status_code in (303, 401, 403), who
