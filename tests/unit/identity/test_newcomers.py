"""A feed's new customers are one event: every account is still accounted for, whatever breaks and whoever changes a row."""

from __future__ import annotations

import hmac
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.support.faults import KEPT, MODES, faults
from tests.support.shop import START, Shop
from tests.unit.identity.test_vault import Somebody
from tests.unit.rights.test_erasure import WHO, Eraser

from volens.audit.run import audit
from volens.errors import Tampered, Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.identity import first_links
from volens.identity.first_links import FEWEST, MOST, NEWCOMERS, FirstLink
from volens.identity.vault import Vault

MANY = FEWEST + 30


def cards(how_many: int, name: str = "n") -> list[str]:
    return [f"{name}-{place}" for place in range(how_many)]


def kinds(shop: Shop) -> list[str]:
    with shop.records.reading() as connection:
        return [row.kind for row in log.rows(connection, EVENTS)]


def told_of(shop: Shop) -> list[FirstLink]:
    with shop.records.reading() as connection:
        return [one for row in log.rows(connection, EVENTS, kinds=[NEWCOMERS]) for one in first_links.said(row)]


def where(shop: Shop) -> set[str]:
    return {finding.where for finding in audit(shop.records, shop.outside, shop.vault).findings}


def test_many_new_customers_are_one_event_and_a_few_have_one_each(shop: Shop) -> None:
    found = shop.vault.identify("card", cards(FEWEST))
    assert kinds(shop) == [NEWCOMERS]
    assert [(one.customer, one.account) for one in told_of(shop)] == [tuple(one) for one in found]
    shop.vault.identify("card", cards(FEWEST - 1, "few"))
    assert kinds(shop) == [NEWCOMERS, *["linked"] * (FEWEST - 1)]
    assert not where(shop)


def test_more_than_one_event_may_say_is_said_by_several(shop: Shop) -> None:
    shop.vault.identify("card", cards(MOST + FEWEST))
    assert kinds(shop) == [NEWCOMERS, NEWCOMERS]
    assert len(told_of(shop)) == shop.vault.count_accounts() == MOST + FEWEST


def test_newcomers_are_linked_named_and_erased_as_all_others(shop: Shop) -> None:
    found = shop.vault.identify("card", cards(MANY))
    shop.enrol([Somebody("n-7", "camille@example.org", "FR", {"family_name": "Fictive"})])
    shop.linking.link(found[3].account, found[4].customer, by="service desk")
    eraser = Eraser(shop)
    eraser.station.erase(found[5].customer, **WHO)
    report = audit(shop.records, shop.outside, shop.vault, None, eraser.stones)
    assert report.ok, report.to_text()
    shop.vault.identify("card", [*cards(MANY), "n-5"])
    assert shop.vault.find("card", "n-5").customer > MANY, "a number that was erased is never given again"


def test_two_spellings_of_one_card_are_one_account(shop: Shop) -> None:
    one, other = shop.vault.identify("card", ["AB 12", "ab12"])
    assert one == other
    assert shop.vault.count_accounts() == 1


TAMPERINGS = {
    "an account is given to another": ("update accounts set customer = 9 where account = 40", "accounts 40"),
    "an account is removed": ("delete from accounts where account = 40", "accounts 40"),
    "an account is of another kind": ("update accounts set kind = 'reference' where account = 40", "accounts 40"),
    "a customer is removed": ("delete from customers where customer = 40", "customers 40"),
    "a customer moves abroad": ("update customers set country = 'DE' where customer = 40", "customers 40"),
    "the event speaks of one less": (f"update events set detail = replace(detail, '{MANY}', '{MANY - 1}')", f"accounts {MANY}"),
    "the event speaks of others": ("update events set detail = replace(detail, '\"customer\":1', '\"customer\":2')", "accounts 40"),
    "the event speaks of millions": (f"update events set detail = replace(detail, '{MANY}', '2000000000')", "events 0"),
    "the event says it in words": (f"update events set detail = replace(detail, '{MANY}', '\"many\"')", "events 0"),
    "the event is of another kind": ("update events set kind = 'linked'", "accounts 40"),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_changed_account_is_found_and_named(shop: Shop, tampering: str) -> None:
    shop.vault.identify("card", cards(MANY))
    shop.outside.publish(shop.records)
    assert not where(shop)
    statement, place = TAMPERINGS[tampering]
    with shop.records.writing() as connection:
        connection.execute(text(statement.replace(":", r"\:")))
    assert place in where(shop)


@pytest.mark.parametrize("mode", MODES)
def test_broken_at_each_write_nothing_is_twice_and_nothing_is_missing(shop: Shop, mode: str) -> None:
    with faults() as counted:
        shop.vault.identify("card", cards(MANY, "counted"))
    assert counted.count == 3, "numbers, keys, accounts"
    for place in range(counted.count):
        name = f"broken-{place}"
        with faults(place, mode), pytest.raises(Unavailable):
            shop.vault.identify("card", cards(MANY, name))
        stored = shop.vault.count_accounts()
        assert stored == (place + 1 + (place == 2 and mode == KEPT)) * MANY, "all of a transaction or nothing"
        again = shop.vault.identify("card", cards(MANY, name))
        assert len({one.customer for one in again}) == len({one.account for one in again}) == MANY
    assert shop.vault.count_accounts() == 4 * MANY
    assert not where(shop)


def test_keys_that_are_there_already_stop_the_intake_before_any_account(shop: Shop) -> None:
    shop.vault.identify("card", cards(MANY))
    with shop.records.writing() as connection:
        connection.execute(text("update numbers set last = 0 where name = 'customer'"))
    with pytest.raises(Tampered, match="given twice"):
        shop.vault.identify("card", cards(MANY, "m"))
    assert shop.vault.count_accounts() == MANY


def test_two_intakes_at_once_with_the_same_cards_agree(shop: Shop) -> None:
    """Each sees some of the cards first; nobody gets two accounts, and whoever comes second takes the other's number."""
    mine = cards(4 * MANY)
    vaults = [Vault(shop.records, shop.key_store, shop.keys, shop.hand.clock, "FR") for _ in range(4)]
    orders = [mine, mine[::-1], mine[MANY:] + mine[:MANY], mine[::2] + mine[1::2]]

    def identify(vault: Vault, order: list[str]) -> dict[str, tuple[int, int]]:
        found = {}
        for start in range(0, len(order), MANY):
            some = order[start : start + MANY]
            found |= dict(zip(some, vault.identify("card", some), strict=True))
        return found

    with ThreadPoolExecutor(len(vaults)) as pool:
        first, *others = pool.map(identify, vaults, orders)
    assert all(other == first for other in others)
    assert len(set(first.values())) == shop.vault.count_accounts() == len(mine)
    assert not where(shop)


def test_what_comes_between_look_and_store_is_kept_and_the_rest_added(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Vault(shop.records, shop.key_store, shop.keys, shop.hand.clock, "FR")
    seal = Vault._sealed

    def meanwhile(self: Vault, kind: str, wanted: dict) -> list:
        rows = seal(self, kind, wanted)
        if self is shop.vault:
            other.identify(kind, ["n-60", "n-1"])
        return rows

    monkeypatch.setattr(Vault, "_sealed", meanwhile)
    found = shop.vault.identify("card", cards(MANY))
    assert (found[60], found[1]) == tuple(other.identify("card", ["n-60", "n-1"]))
    assert shop.vault.count_accounts() == MANY
    assert not where(shop)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from(["FR", "DE", None])), max_size=12), st.data())
def test_events_say_exactly_the_links(steps: list[tuple[int, int, str | None]], data: st.DataObject) -> None:
    account = customer = 1
    links = []
    for by_account, by_customer, country in steps:
        run = data.draw(st.sampled_from([1, FEWEST - 1, FEWEST, MOST + 1])) if country else 1
        account, customer = account + by_account, customer + by_customer
        for _ in range(run):
            links.append(FirstLink(account, customer, "card", country))
            account, customer = account + 1, customer + 1
        if len(links) > MOST:
            break
    events = first_links.told(links, START.date())
    back = []
    for event in events:
        if event.kind == NEWCOMERS:
            row = log._row(EVENTS, 0, event, None, None)
            back += list(first_links.said(row))
        else:
            back.append(FirstLink(event.detail["account"], event.customer or 0, event.detail["kind"], event.detail["country"]))
    assert back == links


def test_many_keyed_hashes_are_those_of_the_standard_library(shop: Shop) -> None:
    values = [b"", b"a", bytes(200)]
    expected = [hmac.digest(shop.keys.lookup, b"basket\x00" + value, "sha256") for value in values]
    assert shop.keys.macs("basket", values) == expected == [shop.keys.mac("basket", value) for value in values]
