"""Campaigns for machines: who gets one and who is held out, and the result with its list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.campaigning import ANA, PEOPLE, PRE_WEEKS, SALE_END, SALE_WEEKS, at, campaigning, lines, number, spring
from tests.support.house import sell

from volens.app import House, open_house
from volens.clock import fixed
from volens.web.server import application
from volens.web.visitor import Machine

TOOL = Machine("mail", frozenset({"campaigns"}), None)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Launched before its first day of sale."""
    with campaigning(tmp_path_factory.mktemp("campaigns")) as opened:
        opened.campaigns.plan(spring(), ANA)
        yield opened


def call(house: House, method: str, path: str, visitor: Machine = TOOL, **more: Any) -> tuple[int, Any]:
    with TestClient(application(house, recognise=lambda connection: visitor, local=True)) as client:
        answer = client.request(method, path, **more)
        return answer.status_code, answer.json()


def test_from_a_plan_to_a_result(house: House, tmp_path: Path) -> None:
    sides = "/v1/campaigns/spring/sides"
    cards = [f"C{card:05}" for card in range(1, PEOPLE + 1)]
    assert call(house, "POST", sides, json={"cards": cards})[0] == 409, "nobody was drawn yet"
    house.campaigns.launch("spring", ANA)
    status, found = call(house, "POST", sides, json={"cards": [*cards, "C99999"]})
    assert status == 200
    told, drawn = found["sides"]["cards"], house.campaigns.sides("spring")
    for card in range(1, PEOPLE + 1):
        who = number(house, card)
        assert told[f"C{card:05}"] == ("reached" if who in drawn.reached else "held" if who in drawn.held else None)
    assert set(told.values()) >= {"reached", "held"}
    assert told["C99999"] is None, "nobody, and whoever takes no part, are the same"
    assert [one["state"] for one in call(house, "GET", "/v1/campaigns")[1]["campaigns"]] == ["launched"]
    assert "disclosure" not in call(house, "GET", "/v1/campaigns/spring")[1]
    with open_house(house.settings.home, clock=fixed(at(SALE_END))) as later:
        sell(later, tmp_path, lines(range(PRE_WEEKS, PRE_WEEKS + SALE_WEEKS)), "later.csv")
        later.campaigns.close("spring", ANA)
        later.campaigns.measure("spring", ANA)
        status, one = call(later, "GET", "/v1/campaigns/spring?language=fr")
        assert (status, one["state"]) == (200, "measured")
        assert one["disclosure"]
        assert call(later, "GET", "/v1/campaigns/spring?language=xx")[0] == 400


def test_what_cannot_be_answered_is_said(house: House) -> None:
    assert call(house, "GET", "/v1/campaigns/autumn")[0] == 404
    for body in ({}, {"cards": [f"C{card}" for card in range(1_001)]}, {"cards": "C1"}):
        assert call(house, "POST", "/v1/campaigns/spring/sides", json=body)[0] == 400
    other = Machine("site", frozenset({"reminders"}), None)
    assert call(house, "GET", "/v1/campaigns", other)[0] == 403
    assert call(house, "POST", "/v1/campaigns/spring/sides", other, json={"cards": ["C1"]})[0] == 403
