"""The customer master again and again: moves, new cards, former e-mails, closings, birth dates."""

from __future__ import annotations

import pytest
from tests.support.shop import JUICE, REMINDERS, STATISTICS, Shop
from tests.unit.identity.test_vault import Somebody

from volens.audit.run import audit
from volens.customers.enrolment import Enrolled
from volens.errors import NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS

CAMILLE = Somebody("card-0", "camille@example.org", "FR", {"family_name": "Fictive", "city": "Lyon"}, line=2)


def permitted(shop: Shop) -> set[int]:
    return set(shop.gate.permitted(shop.request(JUICE))[0])


def events(shop: Shop) -> int:
    with shop.records.reading() as connection:
        return log.size(connection, EVENTS)


def holder(shop: Shop, card: str) -> int:
    return shop.vault.find("card", card).customer


def clean(shop: Shop) -> bool:
    shop.outside.publish(shop.records)
    report = audit(shop.records, shop.outside, shop.vault)
    assert report.ok, report.to_text()
    return report.ok


def test_the_same_master_twice_records_nothing(shop: Shop) -> None:
    people = [CAMILLE, Somebody("card-1", "camille@example.org", replaces="card-0", closed="", line=3),
              Somebody("card-2", None, reference="P7", closed="2026-03-01", line=4),
              Somebody("card-3", None, reference="P7", details={"city": "Nice"}, line=5)]  # fmt: skip
    shop.enrol(people)
    before = events(shop)
    assert shop.enrol(people) == Enrolled()
    assert shop.enrol(people[:2]) == shop.enrol(people[2:]) == Enrolled(), "in other pieces too"
    assert events(shop) == before
    assert clean(shop)


def test_a_move_is_sealed_anew(shop: Shop) -> None:
    shop.enrol([CAMILLE])
    moved = Somebody("card-0", None, "BE", {"family_name": "Fictive", "city": "Gand"})
    assert shop.enrol([moved]).changed == 1
    assert shop.vault.person(1)["city"] == "Gand"
    with shop.records.reading() as connection:
        assert shop.vault.country_of(connection, [1]) == {1: "BE"}
    assert shop.vault.find("email", "camille@example.org").customer == 1, "a line without an e-mail takes none away"
    assert clean(shop)


def test_a_former_email_leads_to_nobody(shop: Shop) -> None:
    shop.enrol([CAMILLE])
    assert shop.enrol([Somebody("card-0", "new@example.org")]).emails_ended == 1
    with pytest.raises(NotFound):
        shop.vault.find("email", "camille@example.org")
    assert shop.vault.find("email", "new@example.org").customer == 1
    (stranger,) = shop.vault.identify("email", ["camille@example.org"])
    assert stranger.customer != 1, "an order under it is a stranger's"
    assert shop.enrol([Somebody("card-0", "camille@example.org")]).stayed == [(0, 1, stranger.customer)]
    assert clean(shop)


def test_a_card_that_nobody_knew_is_simply_hers(shop: Shop) -> None:
    shop.enrol([CAMILLE])
    shop.say(1, "given")
    done = shop.enrol([
        Somebody("card-9", replaces="card-0"), Somebody("card-8", replaces="card-9"), Somebody("card-7", reference="P1"),
        Somebody("card-6", reference="P1"), Somebody("card-5", replaces="card-4"),
    ])  # fmt: skip
    assert holder(shop, "card-9") == holder(shop, "card-8") == 1
    assert holder(shop, "card-7") == holder(shop, "card-6") == shop.vault.find("reference", "P1").customer
    assert (done.linked, permitted(shop)) == ([], {1})
    assert clean(shop)


def test_cards_that_replace_each_other_end_somewhere(shop: Shop) -> None:
    shop.enrol([Somebody("a", replaces="b"), Somebody("b", replaces="a"), Somebody("c", replaces="c")])
    assert holder(shop, "a") == holder(shop, "b") != holder(shop, "c")


def test_a_card_with_a_life_of_its_own_is_linked_and_the_stricter_counts(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.enrol([CAMILLE, Somebody("card-1", "second@example.org", details={"city": "Nice"}, line=3)])
    shop.say(one, "given")
    done = shop.enrol([Somebody("card-1", "second@example.org", replaces="card-0", details={"city": "Nice"}, line=3)])
    assert done.linked == [(3, two, one)]
    assert done.stayed == [], "the e-mail of its line comes along"
    assert holder(shop, "card-1") == shop.vault.find("email", "second@example.org").customer == one
    assert permitted(shop) == set()
    assert shop.vault.person(two) == {}, "nothing about her stays under a number that is nobody's"
    assert shop.vault.person(one)["city"] == "Lyon"
    assert clean(shop)


def test_the_retailers_own_number_ties_known_cards(shop: Shop) -> None:
    one, two, three = shop.people(3)
    shop.enrol([Somebody(f"card-{n}", reference="P1", line=n + 2) for n in range(3)])
    assert {holder(shop, f"card-{n}") for n in range(3)} == {one}
    assert {row.former for row in shop.linking.pending()} == {two, three}
    assert clean(shop)


def test_the_last_closing_ends_what_stands_the_contract_too(shop: Shop) -> None:
    shop.enrol([CAMILLE, Somebody("card-1", replaces="card-0")])
    shop.say(1, "given")
    shop.say(1, "notified", REMINDERS)
    assert shop.enrol([Somebody("card-0", "camille@example.org", closed="2026-03-01")]).permissions_ended == 0
    assert permitted(shop) == {1}
    done = shop.enrol([Somebody("card-1", closed="closed")])
    assert (done.closed, done.permissions_ended, permitted(shop)) == (1, 3, set())
    assert {row.kind for row in shop.ledger.of_customer(1)} == {"revoked"}
    assert shop.vault.identify("card", ["card-1"])[0].customer == 1, "late receipts come in under her number"
    assert shop.enrol([Somebody("card-1", closed="")]).opened == 1
    assert permitted(shop) == set(), "an open card brings nothing back"
    assert clean(shop)


def test_a_day_to_come_closes_nothing_yet(shop: Shop) -> None:
    shop.enrol([Somebody("card-0", closed="2026-04-01")])
    assert shop.enrol([Somebody("card-0", closed="2026-04-01")]).closed == 0
    shop.hand.pass_days(31)
    assert shop.enrol([Somebody("card-0", closed="2026-04-01")]).closed == 1


def test_a_birth_date_that_arrives_or_another_country_ends_what_a_child_cannot_give(shop: Shop) -> None:
    (child,) = shop.people(1)
    shop.say(child, "given")
    born = {"birth_date": "2010-12-24"}
    assert shop.enrol([Somebody("card-0", details=born)]).permissions_ended == 0, "fifteen, in France"
    assert permitted(shop) == {child}
    assert shop.enrol([Somebody("card-0", country="DE", details=born)]).permissions_ended == 2, "below sixteen, in Germany"
    assert permitted(shop) == set()
    assert {row.kind for row in shop.ledger.of_customer(child) if row.purpose == STATISTICS} == {"invalidated"}
    shop.enrol([Somebody("card-0", country="DE", details={"birth_date": "1980-12-24"})])
    shop.say(child, "given")
    assert permitted(shop) == {child}, "it was a slip of the pen"
    assert clean(shop)


def test_a_link_to_a_childs_card_makes_both_as_young(shop: Shop) -> None:
    one, _ = shop.people(2)
    shop.enrol([Somebody("card-1", details={"birth_date": "2014-06-10"})])
    shop.say(one, "given")
    shop.linking.link(shop.vault.find("card", "card-1").account, one, by="service desk")
    shop.enrol([Somebody("card-1", details={"birth_date": "2014-06-10"})])
    assert permitted(shop) == set()
    with pytest.raises(Exception, match="below the age"):
        shop.say(one, "given")
    assert clean(shop)
    shop.linking.unlink(shop.vault.find("card", "card-1").account, by="service desk")
    shop.linking.relabel()
    shop.say(one, "given")
    assert permitted(shop) == {one}, "it was a mistake; one is nobody's child"
    assert clean(shop)
