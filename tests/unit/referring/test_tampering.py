"""Whoever can write into the database cannot change who invited whom, or what became of it, without being found."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from tests.support.inviting import FRIENDS, OTHER, SPONSOR, Inviting, settle

from volens.audit.referring import check_referring
from volens.audit.report import Report

TAMPERED = {
    "another's friend": "update referral_ties set sponsor = 2",
    "another person": "update referral_ties set friend = 77 where state = 'counted'",
    "not held any more": "update referral_ties set state = 'counted' where state = 'held'",
    "open again": "update referral_ties set state = 'open' where state = 'blocked'",
    "an event that is another": "update referral_ties set seq = seq - 1 where state = 'counted'",
    "counts for another": "update referral_ties set participation = participation + 1 where state = 'counted'",
    "counts by another act": "update referral_ties set act = 'x' where state = 'counted'",
    "an invitation less": "delete from referral_ties where state = 'counted'",
    "an invitation more": "insert into referral_ties select number + 9000, 77, 1, sponsor, 0, offer, country, state, accepted, "
                          "ordered, participation, act, rules, due, contested, \"by\", shown, seq from referral_ties "
                          "where state = 'open'",
    "a generation": "update referral_people set generation = 4 where generation = 1",
    "a link of another": "update referral_links set customer = 2 where state = 'live'",
    "a link that lives again": "update referral_links set state = 'live' where state = 'ended'",
    "a link for another offer": "update referral_links set offer = 'x' where state = 'live'",
}  # fmt: skip


def looked(shop: Inviting) -> Report:
    report = Report()
    with shop.records.reading() as connection:
        check_referring(connection, shop.house._vault, report)
    return report


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Inviting:
    """Somebody with friends in every state; another ended her link."""
    shop = settle(tmp_path_factory.mktemp("invited"))
    held, counted, blocked, still = FRIENDS[:4]
    shop.token(OTHER)
    shop.house.referring.end_link(shop.number(OTHER), "amis")
    shop.invite(counted)
    shop.invite(held, email="h@yopmail.com")
    shop.invite(still)
    shop.invite(blocked, email="c3+b@example.org")
    shop.ordered(counted)
    shop.house.offering.join(shop.number(SPONSOR), "amis", country="FR", language="fr", version=1, adult=True, key="again")
    shop.ordered(held)
    assert looked(shop).findings == []
    assert all(number for _, number in looked(shop).checks)
    return shop


@pytest.mark.parametrize("statement", TAMPERED.values(), ids=TAMPERED)
def test_every_change_is_found(lived: Inviting, statement: str) -> None:
    """The triggers and constraints that would refuse it are taken away first: whoever holds the file can."""
    with lived.records.engine.connect() as connection:
        connection.exec_driver_sql("pragma defer_foreign_keys=on")
        for table in ("referral_ties", "referral_people"):
            connection.execute(text(f"drop trigger {table}_unchanged"))
        assert connection.execute(text(statement)).rowcount
        report = Report()
        check_referring(connection, lived.house._vault, report)
        connection.rollback()
    assert report.findings, "nobody noticed"
