"""Prices of people who refuse beside those who permit, through the gate; and sums as a till would add them up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pyroaring import BitMap
from tests.support.campaigning import (
    ANA,
    BRUNO,
    MEASURING,
    PEOPLE,
    SALE_START,
    campaigning,
    number,
)
from tests.support.house import FIRST_DAY, Line

from volens.app import House
from volens.campaigns.plan import FIELDS, Days
from volens.campaigns.prices import Compared
from volens.engines.spending import PolarsSpending
from volens.errors import BadInput, NotFound, Refused
from volens.gate.policy import ReadRequest
from volens.measuring.detriment import Finding
from volens.permissions.ledger import Choice

ADS = "targeted-ads"
LONG = 26
WEEKS = Days(FIRST_DAY, FIRST_DAY + timedelta(weeks=LONG))
GOODS = ("J1", "J2", "J3", "S1")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with alike(tmp_path_factory.mktemp("prices")) as opened:
        yield opened


def alike(home: Path, dearer_cents: int = 0) -> House:
    """Odd cards permit advertisements chosen for them, even ones do not. All buy the same, at one price or not."""
    opened = campaigning(home, today=WEEKS.end, sold=priced(dearer_cents))
    opened.permissions.record([Choice(number(opened, card), ADS, "given") for card in range(1, PEOPLE + 1, 2)])
    return opened


def priced(dearer_cents: int) -> list[Line]:
    """Everybody buys one thing a week, whose price changes from week to week; even cards pay so many cents more."""
    return [
        Line(card, week * 7 + card % 5, GOODS[(card // 2 + week) % 4], 1, 300 + 10 * week + dearer_cents * (card % 2 == 0))
        for card in range(1, PEOPLE + 1)
        for week in range(LONG)
    ]


def test_equal_prices_are_shown_to_be_equal_and_it_is_kept(house: House) -> None:
    found = house.campaigns.prices.compare(ADS, WEEKS, ANA)
    assert (found.refuse, found.permit) == (PEOPLE // 2, PEOPLE // 2)
    assert found.shelf.value == 1_000_000
    assert found.shelf_finding is Finding.SAME
    assert not found.fault
    assert house.campaigns.prices.all()[-1] == found
    assert house.audit().ok, house.audit().to_text()


def test_the_margin_is_declared_before_and_kept(house: House) -> None:
    assert house.campaigns.prices.compare(ADS, WEEKS, BRUNO, 5).margin_thousandths == 5
    with pytest.raises(BadInput):
        house.campaigns.prices.compare(ADS, WEEKS, BRUNO, 0)


def test_who_refused_to_be_measured_is_in_no_figure_and_on_no_page(house: House) -> None:
    """A refusal of everything is kept here too: nobody looks at her prices to show that they are equal."""
    whole = number(house, 4)
    house.permissions.refuse_everything(whole, surface="a test")
    before = len(house.uses_of(whole))
    found = house.campaigns.prices.compare(ADS, WEEKS, ANA)
    assert found.refuse == PEOPLE // 2 - 1
    assert len(house.uses_of(whole)) == before
    assert len(house.uses_of(number(house, 6))) > 0


@pytest.mark.parametrize(("use", "error"), [("accounting", BadInput), ("curiosity", NotFound)])
def test_only_a_use_that_can_be_refused_is_compared(house: House, use: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        house.campaigns.prices.compare(use, WEEKS, ANA)


def test_few_people_are_no_figure(house: House) -> None:
    with pytest.raises(BadInput, match="people who refuse"):
        house.campaigns.prices.compare("email-marketing", WEEKS, ANA)  # nobody permits it
    with pytest.raises(BadInput):
        house.campaigns.prices.compare(ADS, Days(WEEKS.start, WEEKS.start + timedelta(days=6)), ANA)


def test_a_dearer_price_is_a_fault(tmp_path: Path) -> None:
    with alike(tmp_path, dearer_cents=15) as opened:
        found: Compared = opened.campaigns.prices.compare(ADS, WEEKS, ANA)
    assert found.shelf_finding is Finding.MORE
    assert found.fault
    assert 1_030_000 < found.shelf.value < 1_040_000


def test_sums_are_those_of_the_till(house: House) -> None:
    """Whole cents, per person and period, of the permitted alone: added up from the lines as they were written."""
    weeks = [(FIRST_DAY, FIRST_DAY + timedelta(weeks=3)), (FIRST_DAY + timedelta(weeks=2), SALE_START)]
    request = ReadRequest("a test", MEASURING, "le-panier", FIELDS, FIRST_DAY, SALE_START)
    some = BitMap(number(house, card) for card in range(10, 20))
    with house.gate.open_purchases(request) as reading:
        customers, spent = PolarsSpending().spent(reading.opened.only(some), None, weeks, "EUR")
        reading.saw(some)
    till: list[dict[int, int]] = [defaultdict(int), defaultdict(int)]
    for line in priced(0):
        day = FIRST_DAY + timedelta(days=line.day)
        if line.card not in range(10, 20):
            continue
        for number_, (start, end) in enumerate(weeks):
            till[number_][number(house, line.card)] += line.amount_cents if start <= day < end else 0
    assert customers.tolist() == sorted(some)
    assert [dict(zip(customers.tolist(), one.tolist(), strict=True)) for one in spent] == till


def test_a_field_that_the_text_does_not_tell_is_not_read(house: House) -> None:
    with pytest.raises(Refused):
        house.gate.require(ReadRequest("a test", MEASURING, "le-panier", (*FIELDS, "account"), FIRST_DAY, SALE_START))
