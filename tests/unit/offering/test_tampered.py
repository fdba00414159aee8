"""Whoever changes a row of an offer is found, and the place is named."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from tests.support.taking_part import BRUNO, OFFER, REASON, Shop, orders

from volens.audit.offering import check_offering
from volens.audit.report import Report

TAMPERINGS = {
    "a proposer who never was": ("update offer_versions set proposed_by = 'Somebody'", "offer_versions dix-euros 1"),
    "an approval that never was": ("update offer_versions set dpo = 'Somebody' where version = 2", "offer_versions dix-euros 2"),
    "one person in both roles": ("update offer_versions set dpo = marketing where version = 1", "offer_versions dix-euros 1"),
    "a version that is in force by hand": (
        "update offer_versions set state = 'in-force' where version = 2", "offer_versions dix-euros 2",
    ),
    "a version that is gone": ("delete from offer_versions where version = 1", "offer_versions dix-euros 1"),
    "a country that is open by hand": ("update offer_countries set state = 'launched'", "offer_countries dix-euros FR"),
    "another reason": ("update offer_countries set reason = '{}'", "offer_countries dix-euros FR"),
    "a country that is gone": ("delete from offer_countries", "offer_countries dix-euros FR"),
    "an act more": ("update offer_participations set done = 2 where state = 'open'", "offer_participations "),
    "a reward by hand": ("update offer_participations set state = 'done' where state = 'open'", "offer_participations "),
    "another version": ("update offer_participations set version = 2", "offer_participations "),
    "another reward": ("update offer_participations set claim = 'participation:1'", "offer_participations "),
    "somebody else's": ("update offer_participations set customer = 1", "offer_participations "),
    "a participation that is gone": ("delete from offer_participations where done = 1", "offer_participations "),
    "an act of somebody else": ("update offer_acts set customer = 99", "offer_acts of "),
    "an act that is gone": ("delete from offer_acts", "offer_participations "),
    "a crowd": ("update offer_counts set times = 1000 where what = 'joined'", "offer_counts dix-euros 1 FR joined"),
    "praise": ("update offer_answers set yes = 100, no = 0", "offer_answers dix-euros"),
    "praise that is shown": ("update offer_answers set shown_yes = 10", "offer_answers dix-euros"),
    "answers that are gone": ("delete from offer_answers", "offer_answers dix-euros"),
}  # fmt: skip


@pytest.fixture
def lived(shop: Shop) -> Shop:
    """Something of everything."""
    shop.join(1)
    shop.order(1, "a/1")
    left = shop.join(2)
    shop.house.offering.leave(shop.number(2), left.id)
    shop.house.offering.answer(shop.number(2), left.id, False)
    shop.house.offering.suspend(OFFER, "FR", REASON, by=BRUNO)
    shop.house.offering.registry.propose(orders(version=2, reward__due_days=10), by="Anne Essai")
    return shop


def findings(shop: Shop) -> list[str]:
    report = Report()
    with shop.records.reading() as connection:
        check_offering(connection, report)
    return [one.where for one in report.findings]


def test_every_tampering_is_found(lived: Shop) -> None:
    assert findings(lived) == []
    missed = {}
    for name, (statement, place) in TAMPERINGS.items():
        with lived.records.engine.connect() as connection:
            connection.execute(text(statement))
            report = Report()
            check_offering(connection, report)
            found = [one.where for one in report.findings]
            connection.rollback()
        if not any(one.startswith(place) for one in found):
            missed[name] = found
    assert missed == {}
    assert findings(lived) == []
