"""A campaign from its plan to its result, through the real gate; and what cannot happen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from pyroaring import BitMap
from tests.conftest import Urls
from tests.support.campaigning import (
    ANA,
    BRUNO,
    MEASURING,
    PEOPLE,
    PRE_WEEKS,
    SALE_END,
    SALE_START,
    SALE_WEEKS,
    at,
    campaigning,
    lines,
    number,
    spring,
)
from tests.support.house import FIRST_DAY, sell

from volens.app import House, open_house
from volens.campaigns.plan import Plan
from volens.campaigns.results import figure
from volens.campaigns.workflow import ABANDONED, CLOSED, LAUNCHED, MEASURED, PLANNED, TRANSITIONS, check_move
from volens.clock import fixed
from volens.errors import BadInput, NotFound, NotNow
from volens.measuring.holdout import ARM_MIN
from volens.permissions.ledger import Choice


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with campaigning(tmp_path) as opened:
        yield opened


def later(house: House, day: date) -> House:
    """The same house on another day."""
    house.close()
    return open_house(house.settings.home, clock=fixed(at(day)))


def run(house: House, tmp_path: Path, *, gains: bool = True) -> House:
    """Launches a planned campaign, lets people buy (those reached one euro more a week), and closes it."""
    house.campaigns.launch("spring", ANA)
    reached = house.campaigns.sides("spring").reached
    cards = frozenset(card for card in range(1, PEOPLE + 1) if number(house, card) in reached) if gains else frozenset()
    house = later(house, SALE_END)
    sell(house, tmp_path / "later", lines(range(PRE_WEEKS, PRE_WEEKS + SALE_WEEKS), more=cards), "later.csv")
    house.campaigns.close("spring", ANA)
    return house


def test_what_a_campaign_changed_is_found(house: House, tmp_path: Path) -> None:
    """One euro more in each of four weeks, for everybody reached; who would spend more than the cap counts up to it."""
    house.campaigns.plan(spring(), ANA)
    house = run(house, tmp_path)
    measured = house.campaigns.measure("spring", BRUNO)
    result, launched = measured.said(MEASURED), measured.said(LAUNCHED)
    assert result is not None
    assert launched is not None
    spent: Counter[int] = Counter()
    for line in lines(range(PRE_WEEKS, PRE_WEEKS + SALE_WEEKS)):
        spent[line.card] += line.amount_cents
    cap = launched["caps_cents"][1]
    truth = 1000 * sum(min(cents + 400, cap) - min(cents, cap) for cents in spent.values()) / PEOPLE
    found = figure(result["per_person_millicents"])
    # Which draw it is, is chance: five standard errors, so that no right one is called wrong.
    assert abs(found.value - truth) < 5 * (found.high - found.low) / 3.92
    assert found.low > 200_000
    assert result["reached"] + result["held"] == PEOPLE
    assert result["gone"] == [0, 0]
    assert figure(result["incremental_cents"]).value == pytest.approx(found.value * result["reached"] / 1000, abs=1)
    assert figure(result["iroas_thousandths"]).value == pytest.approx(figure(result["incremental_cents"]).value / 20, abs=1)
    assert result["narrower_thousandths"] > 500  # who bought a lot before buys a lot again
    assert house.audit().ok, house.audit().to_text()


def test_where_nothing_changed_nothing_is_found(house: House, tmp_path: Path) -> None:
    house.campaigns.plan(spring(), ANA)
    house = run(house, tmp_path, gains=False)
    result = house.campaigns.measure("spring", ANA).said(MEASURED)
    assert result is not None
    found = figure(result["per_person_millicents"])
    assert abs(found.value) < 5 * (found.high - found.low) / 3.92
    assert not result["gone_differs"]


def test_it_is_measured_once(house: House, tmp_path: Path) -> None:
    house.campaigns.plan(spring(), ANA)
    house = run(house, tmp_path)
    first = house.campaigns.measure("spring", ANA)
    sell(house, tmp_path / "more", lines(range(PRE_WEEKS, PRE_WEEKS + 1), range(1, 50))[:1], "more.csv")
    assert house.campaigns.measure("spring", BRUNO) == first


def test_who_said_no_in_between_is_on_neither_side(house: House, tmp_path: Path) -> None:
    house.campaigns.plan(spring(), ANA)
    house.campaigns.launch("spring", ANA)
    before = house.campaigns.sides("spring")
    who = [number(house, card) for card in range(1, 11)]
    house.permissions.record([Choice(one, MEASURING, "withdrawn") for one in who])
    after = house.campaigns.sides("spring")
    assert not (after.reached | after.held) & BitMap(who)
    house = later(house, SALE_END)
    sell(house, tmp_path / "later", lines(range(PRE_WEEKS, PRE_WEEKS + SALE_WEEKS)), "later.csv")
    house.campaigns.close("spring", ANA)
    result = house.campaigns.measure("spring", ANA).said(MEASURED)
    assert result is not None
    assert sum(result["gone"]) == 10
    assert result["gone"][0] == len(before.reached & BitMap(who))
    assert result["reached"] + result["held"] == PEOPLE - 10
    newest = max(house.uses_of(number(house, 200)), key=lambda use: use.read)
    assert newest.read == result["read"]
    assert newest.read not in {use.read for one in who for use in house.uses_of(one)}
    assert house.audit().ok


def test_everybody_drawn_sees_it_on_her_page(house: House) -> None:
    """Held out or not: her purchases were looked at."""
    house.campaigns.plan(spring(), ANA)
    launched = house.campaigns.launch("spring", ANA).said(LAUNCHED)
    assert launched is not None
    sides = house.campaigns.sides("spring")
    for one in (sides.reached.min(), sides.held.min()):
        assert launched["read"] in {use.read for use in house.uses_of(int(one))}


def test_the_sides_are_the_draw_and_are_fixed(house: House) -> None:
    planned = house.campaigns.plan(spring(), ANA)
    house.campaigns.launch("spring", ANA)
    sides = house.campaigns.sides("spring")
    everybody = np.array([number(house, card) for card in range(1, PEOPLE + 1)])
    assert BitMap(everybody[planned.draw.held(everybody)]) == sides.held
    assert sides.reached & sides.held == BitMap()
    assert len(sides.reached | sides.held) == PEOPLE


def test_an_audience_that_is_named_is_handed_in_and_no_other(house: House) -> None:
    house.campaigns.plan(spring(audience="juice-lovers"), ANA)
    with pytest.raises(BadInput, match="juice-lovers"):
        house.campaigns.launch("spring", ANA)
    some = BitMap(number(house, card) for card in range(1, 221))
    stranger = BitMap([2**30])
    house.campaigns.launch("spring", ANA, some | stranger)
    sides = house.campaigns.sides("spring")
    assert sides.reached | sides.held == some
    house.campaigns.plan(spring(id="other"), ANA)
    with pytest.raises(BadInput, match="everybody who permits"):
        house.campaigns.launch("other", ANA, some)


def test_power_is_said_before_and_changes_nothing(house: House) -> None:
    house.campaigns.plan(spring(), ANA)
    found = house.campaigns.power("spring", "Ana Exemple")
    assert found.power.reached + found.power.held == PEOPLE
    assert 0 < found.power.detectable_lift < 0.2
    assert found.placebo.runs == 200
    assert house.campaigns.find("spring").state == PLANNED


def test_a_document_is_looked_over_without_reading_anybody(house: House) -> None:
    found = house.campaigns.check(spring(category="jus-frais", brands=["midi-jus-frais"]))
    assert (found.permit, found.goods) == (PEOPLE, 1)
    assert house.uses_of(number(house, 1)) == []
    with pytest.raises(BadInput, match="no nobody in jus-frais"):
        house.campaigns.check(spring(category="jus-frais", brands=["nobody"]))
    with pytest.raises(NotFound):
        house.campaigns.check(spring(purpose="curiosity"))


def test_a_campaign_is_kept_alike_on_both_databases(urls: Urls, tmp_path: Path) -> None:
    records = None if urls.records.startswith("sqlite") else urls.records
    with campaigning(tmp_path, people=200, records_url=records) as house:
        house.campaigns.plan(spring(), ANA)
        launched = house.campaigns.launch("spring", ANA)
        assert house.campaigns.find("spring") == launched
        assert house.campaigns.launch("spring", ANA) == launched  # the answer to a first try was lost
        with pytest.raises(NotNow):
            house.campaigns.launch("spring", BRUNO)
        assert house.audit().ok


def test_too_few_people_cannot_be_launched(tmp_path: Path) -> None:
    with campaigning(tmp_path, people=ARM_MIN + 20) as house:
        house.campaigns.plan(spring(), ANA)
        with pytest.raises(BadInput):
            house.campaigns.launch("spring", ANA)
        assert house.campaigns.find("spring").state == PLANNED


def test_a_plan_stays_as_it_was_planned(house: House) -> None:
    first = house.campaigns.plan(spring(), ANA)
    assert house.campaigns.plan(spring(), ANA) == first  # the answer to a first try was lost
    for other, person in [(spring(cost_cents=1), ANA), (spring(), BRUNO)]:
        with pytest.raises(NotNow, match="already"):
            house.campaigns.plan(other, person)
    assert house.campaigns.plan(spring(id="spring-2"), ANA).draw.seed != first.draw.seed


def test_nothing_is_planned_for_days_that_began(house: House) -> None:
    house = later(house, SALE_START + timedelta(days=1))
    with pytest.raises(NotNow):
        house.campaigns.plan(spring(), ANA)


def test_who_gives_up_says_why_and_not_after_the_end(house: House, tmp_path: Path) -> None:
    house.campaigns.plan(spring(), ANA)
    house.campaigns.plan(spring(id="other"), ANA)
    with pytest.raises(BadInput):
        house.campaigns.abandon("other", ANA, " ")
    assert house.campaigns.abandon("other", ANA, "the budget is gone").state == ABANDONED
    house = run(house, tmp_path)
    with pytest.raises(NotNow):
        house.campaigns.abandon("spring", ANA, "the result will not please")
    assert house.audit().ok


def test_two_campaigns_at_a_time_are_counted(house: House, tmp_path: Path) -> None:
    house.campaigns.plan(spring(), ANA)
    house.campaigns.plan(spring(id="other"), ANA)
    house.campaigns.launch("other", ANA)
    theirs = house.campaigns.sides("other")
    house = run(house, tmp_path)
    mine = house.campaigns.sides("spring")
    result = house.campaigns.measure("spring", ANA).said(MEASURED)
    assert result is not None
    assert result["others"] == [
        {"campaign": "other", "reached": len(theirs.reached & mine.reached), "held": len(theirs.reached & mine.held)}
    ]


@pytest.mark.parametrize(("state", "to"), list(product(TRANSITIONS, TRANSITIONS)))
def test_what_is_not_in_the_table_cannot_happen(state: str, to: str) -> None:
    day = {LAUNCHED: SALE_START}.get(to, SALE_END)
    if to in TRANSITIONS[state]:
        check_move(spring(), state, to, day)
    else:
        with pytest.raises(NotNow):
            check_move(spring(), state, to, day)


@pytest.mark.parametrize(
    ("to", "state", "first", "last"),
    [(LAUNCHED, PLANNED, SALE_START, SALE_START), (CLOSED, LAUNCHED, SALE_END, SALE_END + timedelta(days=99))],
)
def test_each_step_has_its_days(to: str, state: str, first: date, last: date) -> None:
    check_move(spring(), state, to, first)
    check_move(spring(), state, to, last)
    with pytest.raises(NotNow):
        check_move(spring(), state, to, first - timedelta(days=1))


def test_a_launch_a_day_late_is_none() -> None:
    with pytest.raises(NotNow, match="beforehand"):
        check_move(spring(), PLANNED, LAUNCHED, SALE_START + timedelta(days=1))


@pytest.mark.parametrize(
    "changed",
    [
        {"hold_out_thousandths": 0}, {"hold_out_thousandths": 501}, {"cost_cents": 0}, {"cost_cents": "many"}, {"id": "Été"},
        {"brands": ["midi-jus-frais"]}, {"colour": "blue"}, {"currency": "euro"}, {"cap_thousandths": 899},
        {"sale_period": {"first": SALE_START, "last": SALE_START + timedelta(days=5)}},
        {"sale_period": {"first": SALE_START, "last": SALE_END}},
        {"sale_period": {"first": SALE_START + timedelta(days=29), "last": SALE_END + timedelta(days=28)}},
        {"pre_period": {"first": FIRST_DAY, "last": SALE_START}},
    ],
    ids=str,
)  # fmt: skip
def test_a_document_that_is_none(changed: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        spring(**changed)


def test_a_document_comes_back_from_the_record_as_it_was() -> None:
    for one in (spring(), replace(spring(), category="jus-frais", brands=("midi-jus-frais",), audience="some")):
        assert Plan.from_canonical(one.canonical()) == one


TAMPERED = [
    "update campaign_steps set content = replace(content, '20000', '2')",
    "update campaign_steps set actor = 'Somebody Else'",
    "update campaign_steps set day = '2025-01-01' where state = 'launched'",
    "update campaign_steps set state = 'closed' where state = 'launched'",
    "delete from campaign_steps where state = 'launched'",
    "delete from campaign_steps",
    "insert into campaign_steps select 9999, about, state, role, actor, day, content, salt from campaign_steps "
    "where seq = (select max(seq) from campaign_steps)",
]


@pytest.mark.parametrize("statement", TAMPERED)
def test_the_audit_finds_what_was_changed_afterwards(house: House, statement: str) -> None:
    import sqlite3

    house.campaigns.plan(spring(), ANA)
    house.campaigns.launch("spring", ANA)
    assert house.audit().ok
    with sqlite3.connect(house.settings.home / "records.db") as connection:
        connection.execute(statement)
    connection.close()
    assert not house.audit().ok
