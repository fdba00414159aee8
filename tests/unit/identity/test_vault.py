"""Who and what live apart: names are sealed under a key per customer and found by keyed hash alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.support.shop import Shop

from volens.customers.enrolment import Enrolled
from volens.errors import BadInput, KeysMissing, NotFound, Tampered
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.identity import keys as house_keys
from volens.identity.pseudonymise import Pseudonymiser


@dataclass(frozen=True)
class Somebody:
    card: str
    email: str | None = None
    country: str = "FR"
    details: dict[str, str] = field(default_factory=dict)
    reference: str | None = None
    replaces: str | None = None
    closed: str | None = None
    line: int = 0


CAMILLE = Somebody("card-1", "camille@example.org", "FR", {"family_name": "Fictive", "language": "fr"})


def test_the_same_card_is_the_same_customer_and_numbers_are_dense(shop: Shop) -> None:
    first = shop.vault.identify("card", ["a", "b", "a"])
    again = shop.vault.identify("card", ["b", "c"])
    assert first[0] == first[2]
    assert again[0] == first[1]
    assert sorted({one.customer for one in (*first, *again)}) == [1, 2, 3]


def test_card_and_email_of_one_person_are_one_customer(shop: Shop) -> None:
    shop.enrol([CAMILLE])
    assert shop.vault.find("card", "card-1").customer == shop.vault.find("email", " Camille@Example.org ").customer
    assert shop.vault.person(1)["family_name"] == "Fictive"


def test_a_card_without_a_person_stays_a_card(shop: Shop) -> None:
    (found,) = shop.vault.identify("card", ["anonymous"])
    assert shop.vault.person(found.customer) == {}


def test_the_same_master_twice_changes_nothing(shop: Shop) -> None:
    shop.enrol([CAMILLE])
    assert shop.enrol([CAMILLE]) == Enrolled()
    assert shop.vault.count_accounts() == 2


def test_an_email_of_somebody_else_stays_with_them(shop: Shop) -> None:
    shop.enrol([CAMILLE])
    assert shop.enrol([Somebody("card-2", "camille@example.org")]).stayed == [(0, 2, 1)]
    assert shop.vault.find("email", "camille@example.org").customer == shop.vault.find("card", "card-1").customer


def test_no_name_card_or_email_is_readable_in_either_store(shop: Shop) -> None:
    shop.enrol([CAMILLE])
    found = []
    for database in (shop.records, shop.key_store):
        with database.reading() as connection:
            listing = (
                "select name from sqlite_master where type = 'table'"
                if database.name == "sqlite"
                else "select table_name from information_schema.tables where table_schema = current_schema()"
            )
            for (table,) in list(connection.execute(text(listing))):
                for row in connection.execute(text(f'select * from "{table}"')):
                    found += [bytes(value) if isinstance(value, memoryview) else str(value).encode() for value in row]
    everything = b"\n".join(found).lower()
    for word in (b"camille", b"fictive", b"card-1", b"example.org"):
        assert word not in everything


def test_without_the_customers_key_nothing_can_be_read(shop: Shop) -> None:
    shop.enrol([CAMILLE])
    assert shop.vault.destroy_key(1)
    assert not shop.vault.destroy_key(1)
    with pytest.raises(NotFound, match="destroyed"):
        shop.vault.person(1)


def test_what_is_sealed_for_one_customer_does_not_open_for_another(shop: Shop) -> None:
    one, two = shop.people(2)
    sealed = shop.vault.seal(one, b"secret")
    assert shop.vault.open(one, sealed) == b"secret"
    with pytest.raises(Tampered):
        shop.vault.open(two, sealed)
    with pytest.raises(Tampered):
        shop.vault.open(one, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_unknown_references_are_not_found_and_not_told(shop: Shop) -> None:
    with pytest.raises(NotFound) as raised:
        shop.vault.find("card", "4970101234567890")
    assert "4970101234567890" not in str(raised.value)
    with pytest.raises(BadInput, match="card"):
        shop.vault.find("shoe size", "42")


def test_baskets_have_keyed_names(shop: Shop, tmp_path: Path) -> None:
    house_keys.make(tmp_path / "other")
    here = Pseudonymiser(shop.vault, shop.keys)
    there = Pseudonymiser(shop.vault, house_keys.load(tmp_path / "other"))
    receipts = [b"till 1/1", b"till 1/2", b"till 1/1"]
    first = here.basket_keys(receipts)
    assert first[0] == first[2] != first[1]
    assert not set(first.tolist()) & set(there.basket_keys(receipts).tolist())
    assert len(here.basket_keys([])) == 0


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    house_keys.make(tmp_path / "keys")
    (tmp_path / "keys" / "kek").chmod(0o644)
    with pytest.raises(KeysMissing, match="Other users"):
        house_keys.load(tmp_path / "keys")


def test_missing_short_or_existing_keys_are_said(tmp_path: Path) -> None:
    with pytest.raises(KeysMissing, match="no key"):
        house_keys.load(tmp_path / "keys")
    house_keys.make(tmp_path / "keys")
    with pytest.raises(BadInput, match="never overwritten"):
        house_keys.make(tmp_path / "keys")
    (tmp_path / "keys" / "log").write_bytes(b"short")
    with pytest.raises(KeysMissing, match="32 bytes"):
        house_keys.load(tmp_path / "keys")


def test_another_houses_key_opens_nothing(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        house_keys.make(tmp_path / name)
    wrapped = house_keys.load(tmp_path / "ours").wrap(bytes(32))
    with pytest.raises(Tampered):
        house_keys.load(tmp_path / "theirs").unwrap(wrapped)


def test_a_quarantined_row_opens_with_the_intake_key_alone(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        house_keys.make(tmp_path / name)
    keys, others = (house_keys.load(tmp_path / name) for name in ("ours", "theirs"))
    sealed = keys.seal_intake(b"a line")
    assert keys.open_intake(sealed) == b"a line"
    assert keys.seal_intake(b"a line") != sealed, "a fresh nonce each time"
    with pytest.raises(Tampered):
        others.open_intake(sealed)


def test_a_number_that_was_given_is_never_given_again(shop: Shop) -> None:
    """Also when somebody turned the counter back in the records."""
    shop.people(3)
    with shop.records.writing() as connection:
        log.append(connection, EVENTS, [Event("erased", customer=3)])
        connection.exec_driver_sql("update numbers set last = 1 where name = 'customer'")
    with pytest.raises(Tampered, match="was given before"):
        shop.vault.identify("card", ["somebody new"])
    with shop.records.writing() as connection:
        connection.exec_driver_sql("delete from numbers where name = 'customer'")
    with pytest.raises(Tampered, match="not on record"):
        shop.vault.identify("card", ["somebody new"])
