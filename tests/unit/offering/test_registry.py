"""Versions: proposed, approved by two people in two roles, in force with terms that nobody changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from tests.support.offers import PRESS
from tests.support.taking_part import ANNE, BRUNO, CLAIRE, OFFER, Shop, orders

from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.offering import registry, version_store
from volens.offering.registry import DOCUMENT_MAX

OTHER = "vingt-euros"


def other(**keys: object) -> str:
    """Another offer, not proposed yet."""
    return orders(**{"offer": OTHER, **keys})


def test_the_offer_of_the_press_is_refused_with_all_its_reasons(shop: Shop) -> None:
    with pytest.raises(Refused) as refused:
        shop.house.offering.propose_file(PRESS, by=CLAIRE)
    assert len({reason.split()[0] for reason in refused.value.reasons}) >= 8
    assert [one.offer for one in shop.house.offering.versions()] == [OFFER]


def test_an_offer_is_made_by_a_company_that_answers_for_the_programme(shop: Shop) -> None:
    with pytest.raises(Refused, match="made by Le Panier SAS") as refused:
        shop.house.offering.registry.propose(other(controller__name="Le Panier SAS"), by=CLAIRE)
    assert "Le Panier Distribution SA" in refused.value.remedy
    assert [one.offer for one in shop.house.offering.versions()] == [OFFER]


def test_two_people_in_two_roles_and_the_second_brings_it_into_force(shop: Shop) -> None:
    offering = shop.house.offering
    made = offering.registry.propose(other(), by=CLAIRE)
    assert (made.state, offering.newest(OTHER)) == ("proposed", None)
    assert offering.registry.propose(other(), by=ANNE) == made, "the same again is the same proposal"
    with pytest.raises(Refused, match="proposes an offer does not approve it for data protection"):
        offering.approve(OTHER, role="dpo", by="claire exemple ")
    assert offering.approve(OTHER, role="marketing", by=CLAIRE).state == "half"
    assert offering.approve(OTHER, role="marketing", by=CLAIRE).state == "half", "twice is once"
    with pytest.raises(NotNow, match="dpo has not looked"):
        offering.approve(OTHER, role="marketing", by=ANNE)
    with pytest.raises(NotFound, match="never in force"):
        offering.document(OTHER, 1)
    assert offering.approve(OTHER, role="dpo", by=BRUNO).state == "in-force"
    assert offering.document(OTHER, 1).id == OTHER
    shop.clean()


def test_one_person_does_not_approve_in_both_roles(shop: Shop) -> None:
    offering = shop.house.offering
    offering.registry.propose(other(), by=ANNE)
    offering.approve(OTHER, role="dpo", by=BRUNO)
    with pytest.raises(Refused, match="both roles"):
        offering.approve(OTHER, role="marketing", by="BRUNO MODÈLE")
    with pytest.raises(BadInput, match="no say"):
        offering.approve(OTHER, role="auditor", by=CLAIRE)
    with pytest.raises(BadInput, match="answers"):
        offering.approve(OTHER, role="marketing", by=" ")
    assert offering.approve(OTHER, role="marketing", by=ANNE).state == "in-force", "the proposer may approve for marketing"


def test_a_proposal_that_is_written_anew_has_no_approval(shop: Shop) -> None:
    offering = shop.house.offering
    first = offering.registry.propose(other(), by=CLAIRE)
    offering.approve(OTHER, role="marketing", by=CLAIRE)
    again = offering.registry.propose(other(reward__due_days=20), by=CLAIRE)
    assert (again.state, again.marketing) == ("proposed", "")
    with pytest.raises(NotNow, match="written anew"):
        offering.registry.approve(OTHER, 1, first.number, role="dpo", by=BRUNO)
    assert offering.decline(OTHER, role="dpo", by=BRUNO).state == "declined"
    with pytest.raises(NotNow):
        offering.approve(OTHER, role="dpo", by=BRUNO)
    assert offering.registry.propose(other(reward__due_days=10), by=CLAIRE).state == "proposed"
    shop.clean()


def test_it_is_checked_again_when_it_is_approved(shop: Shop) -> None:
    offering = shop.house.offering
    offering.registry.propose(other(), by=CLAIRE)
    shop.hand.pass_days(87)  # its last day
    offering.approve(OTHER, role="marketing", by=CLAIRE)
    offering.registry.propose(other(reward__due_days=20), by=CLAIRE)
    shop.hand.pass_days(1)
    for role, by in (("marketing", CLAIRE), ("dpo", BRUNO)):
        with pytest.raises(Refused, match="OFF006"):
            offering.approve(OTHER, role=role, by=by)
    assert offering.versions(OTHER)[0].state == "proposed"


def test_a_change_is_a_new_version_and_the_old_one_stays_as_it_was(shop: Shop) -> None:
    offering = shop.house.offering
    before = {language: offering.terms(OFFER, 1, language) for language in ("fr", "en")}
    with pytest.raises(NotNow, match="next number"):
        offering.registry.propose(orders(reward__due_days=10), by=CLAIRE)
    with pytest.raises(NotNow, match="gap"):
        offering.registry.propose(orders(version=3), by=CLAIRE)
    shop.put(orders(version=2, reward__due_days=10), budget_cents=None)
    newest = offering.newest(OFFER)
    assert newest is not None
    assert (newest.version, newest.reward.due_days) == (2, 10)
    assert offering.document(OFFER, 1).reward.due_days == 30
    assert {language: offering.terms(OFFER, 1, language) for language in ("fr", "en")} == before
    assert [(one.version, one.state) for one in offering.versions(OFFER)] == [(1, "replaced"), (2, "in-force")]
    shop.clean()


def test_both_records_have_the_hashes_of_what_people_read(shop: Shop) -> None:
    with shop.records.reading() as connection:
        (row,) = log.rows(connection, PUBLIC, kinds=[registry.PUBLISHED])
        (version,) = version_store.all_versions(connection)
        terms = version_store.terms_of(connection, version.number)
        document, sha256 = version_store.document(connection, version.number) or ("", "")
    assert registry.digest(document) == sha256 == row.said()["sha256"]
    assert row.said()["terms"] == {language: registry.digest(words) for language, (words, _) in terms.items()}
    assert terms["fr"][0] == shop.house.offering.terms(OFFER, 1, "fr")
    assert CLAIRE not in row.detail, "the public record names no staff"


@pytest.mark.parametrize("table", ["offer_terms", "offer_documents"])
@pytest.mark.parametrize("change", ["update {} set sha256 = 'x'", "delete from {}"])
def test_the_database_keeps_what_was_accepted(shop: Shop, table: str, change: str) -> None:
    engine = shop.records.engine
    with pytest.raises(DatabaseError, match="keeps what was written"), engine.begin() as connection:
        connection.execute(text(change.format(table)))


def test_bad_documents_and_limits(shop: Shop, tmp_path: Path) -> None:
    offering, ours = shop.house.offering, json.loads(other())
    with pytest.raises(BadInput, match="does not load"):
        offering.registry.propose("offer: [", by=CLAIRE)
    with pytest.raises(BadInput, match="does not load"):
        offering.registry.propose(json.dumps({**ours, "more": 1}), by=CLAIRE)
    long = other() + " " * (DOCUMENT_MAX - len(other()))
    assert offering.registry.propose(long, by=CLAIRE).state == "proposed"
    with pytest.raises(BadInput, match="too long"):
        offering.registry.propose(long + " ", by=CLAIRE)
    with pytest.raises(NotFound):
        offering.approve("nothing", role="dpo", by=BRUNO)
    with pytest.raises(BadInput):
        offering.propose_file(tmp_path, by=CLAIRE)
    with pytest.raises(NotFound, match="no terms in 'de'"):
        offering.terms(OFFER, 1, "de")
