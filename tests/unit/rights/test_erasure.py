"""Promise 8: after an erasure no store leads to the person, the gate has her in no read, and the record still verifies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from tests.support.shop import REMINDERS, START, Shop
from tests.unit.identity.test_vault import Somebody

from volens.audit.report import Report
from volens.audit.run import audit
from volens.errors import BadInput, NotFound, Tampered
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate.barrier import Drawn, Leaving
from volens.holders import Sealer
from volens.identity.keys import HeldKeys
from volens.identity.tombstones import Stones, Tombstones
from volens.permissions.ledger import Choice
from volens.rights.erasure import GROUNDS, Erasure

WHO = {"by": "Alice Exemple", "why": "consent-withdrawn"}
STEPS = ("tombstone", "noes kept", "key destroyed", "recorded", "done")


class Eraser:
    """The erasure of a shop, with what it asked of the purchases."""

    def __init__(self, shop: Shop) -> None:
        self.asked: list[tuple[int, date, date]] = []
        self.stones = Tombstones(shop.folder / "keys" / "tombstones")
        self.gone: list[tuple[int, list[int]]] = []
        self.station = Erasure(
            shop.records, shop.vault, shop.ledger, self.stones, shop.hand.clock, "FR", self._ask, others=[self._forget]
        )

    def _ask(self, connection: Connection, customer: int, today: date, due: date) -> None:
        self.asked.append((customer, today, due))

    def _forget(self, connection: Connection, customer: int, accounts: Sequence[int]) -> None:
        self.gone.append((customer, list(accounts)))


@pytest.fixture
def camille(shop: Shop) -> int:
    """A customer with a card, an e-mail, a name, two standing permissions and a use that saw her."""
    shop.enrol([Somebody("card-1", "camille@example.org", "FR", {"family_name": "Fictive"})])
    customer = shop.vault.find("card", "card-1").customer
    shop.say(customer, "given")
    shop.say(customer, "notified", REMINDERS)
    with shop.gate.open_purchases(shop.request()) as reading:
        reading.saw(reading.opened.permitted)
    return customer


def judged(shop: Shop, eraser: Eraser) -> Report:
    return audit(shop.records, shop.outside, shop.vault, None, eraser.stones)


def test_nothing_leads_to_her_any_more_and_the_record_still_verifies(shop: Shop, camille: int) -> None:
    eraser = Eraser(shop)
    shop.outside.publish(shop.records)
    erased = eraser.station.erase(camille, **WHO)
    assert (erased.accounts, erased.permissions_ended) == (2, 3)
    assert eraser.asked == [(camille, date(2026, 3, 2), date(2026, 3, 16))]
    assert [(who, len(accounts)) for who, accounts in eraser.gone] == [(camille, 2)]
    for kind, value in (("card", "card-1"), ("email", "camille@example.org")):
        with pytest.raises(NotFound):
            shop.vault.find(kind, value)
    assert shop.vault.keyless([camille]) == {camille}
    assert not [row for row in shop.ledger.of_customer(camille) if row.permits]
    shop.outside.publish(shop.records)
    report = judged(shop, eraser)
    assert report.ok, report.to_text()


def test_her_card_shown_again_is_a_new_customer(shop: Shop, camille: int) -> None:
    eraser = Eraser(shop)
    eraser.station.erase(camille, **WHO)
    (again,) = shop.vault.identify("card", ["card-1"])
    assert again.customer != camille
    assert not shop.ledger.of_customer(again.customer)
    assert judged(shop, eraser).ok


def test_the_gate_has_her_in_no_read_and_the_door_lets_nothing_of_her_out(shop: Shop, camille: int) -> None:
    with shop.gate.open_purchases(shop.request()) as reading:
        assert camille in reading.opened.permitted
        reading.saw(reading.opened.permitted)
    Eraser(shop).station.erase(camille, **WHO)
    leaving = shop.barrier.draw(reading.opened, reading.opened.permitted, {"plan": "ab" * 32})
    assert isinstance(leaving, Leaving)
    assert camille in leaving.customers
    with shop.gate.open_purchases(shop.request()) as later:
        assert camille not in later.opened.permitted
        later.saw(later.opened.permitted)
    assert isinstance(shop.barrier.draw(later.opened, later.opened.permitted, {"plan": "cd" * 32}), Drawn)


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_any_step_the_next_opening_finishes_it(shop: Shop, camille: int, step: str) -> None:
    class Killed(BaseException):
        pass

    def die(told: str) -> None:
        if told == step:
            raise Killed

    with pytest.raises(Killed):
        Eraser(shop).station.erase(camille, **WHO, on_step=die)
    eraser = Eraser(shop)
    eraser.station.finish()
    assert eraser.station.finished == ((camille,) if step != "done" else ())
    assert shop.vault.keyless([camille]) == {camille}
    with shop.records.reading() as connection:
        assert log.customers_of_kind(connection, "erased") == {camille}
        (told,) = log.rows(connection, EVENTS, kinds=["erased"])
    assert told.said()["by"] == "Alice Exemple"
    report = judged(shop, eraser)
    assert report.ok, report.to_text()
    eraser.station.finish()
    assert eraser.station.finished == ()


@pytest.mark.parametrize("step", STEPS[:2])
def test_killed_half_way_the_same_command_takes_it_up(shop: Shop, camille: int, step: str) -> None:
    class Killed(BaseException):
        pass

    def die(told: str) -> None:
        if told == step:
            raise Killed

    with pytest.raises(Killed):
        Eraser(shop).station.erase(camille, **WHO, on_step=die)
    eraser = Eraser(shop)
    eraser.station.erase(camille, **WHO)
    assert judged(shop, eraser).ok


def test_a_choice_that_was_on_its_way_is_not_recorded_after_the_erasure(shop: Shop, camille: int) -> None:
    """The ledger looked her up, then she was erased, then it wanted to write."""
    eraser = Eraser(shop)
    keys_read = shop.vault.sealer

    def erased_meanwhile(wanted: Iterable[int]) -> AbstractContextManager[Sealer]:
        with keys_read(wanted) as sealer:
            on_its_way = HeldKeys(dict(sealer.keys))  # type: ignore[attr-defined]
        shop.vault.sealer = keys_read  # type: ignore[method-assign]
        eraser.station.erase(camille, **WHO)
        return nullcontext(on_its_way)

    shop.vault.sealer = erased_meanwhile  # type: ignore[method-assign,assignment]
    with pytest.raises(NotFound, match="does not exist"):
        shop.ledger.record([Choice(camille, "statistics", "given")])
    assert not [row for row in shop.ledger.of_customer(camille) if row.permits]
    assert judged(shop, eraser).ok


def test_records_in_which_somebody_erased_is_there_again_do_not_open(shop: Shop, camille: int) -> None:
    eraser = Eraser(shop)
    eraser.stones.begin(camille, [], at=shop.hand.now(), **WHO)
    eraser.stones.end([camille])
    with pytest.raises(Tampered, match="volens restore"):
        eraser.station.finish()
    assert any("these records do not know it" in finding.what for finding in judged(shop, eraser).findings)
    assert eraser.station.erase_again(eraser.stones.read()) == [camille]
    eraser.station.finish()
    assert judged(shop, eraser).ok


def test_an_older_list_of_the_erased_is_completed_from_the_records(shop: Shop, camille: int) -> None:
    eraser = Eraser(shop)
    eraser.station.erase(camille, **WHO)
    eraser.stones.file.unlink()
    assert any(finding.where == f"tombstones {camille}" for finding in judged(shop, eraser).findings)
    eraser.station.finish()
    assert eraser.stones.read().done == {camille}
    assert judged(shop, eraser).ok


BACK = {
    "an account": (
        "insert into accounts (account, customer, kind, found_by, value) values (77, 1, 'card', :bytes, :bytes)", "accounts 77"),
    "the person": ("insert into customers (customer, country) values (1, 'FR')", "customers 1"),
}  # fmt: skip


@pytest.mark.parametrize("what", BACK)
def test_somebody_erased_who_is_there_again_is_found(shop: Shop, camille: int, what: str) -> None:
    eraser = Eraser(shop)
    eraser.station.erase(camille, **WHO)
    statement, where = BACK[what]
    with shop.records.writing() as connection:
        connection.execute(text(statement), {"bytes": b"x"} if ":bytes" in statement else {})
    assert where in {finding.where for finding in judged(shop, eraser).findings}


def test_a_key_that_went_without_an_erasure_or_came_back_after_one_is_found(shop: Shop, camille: int) -> None:
    eraser = Eraser(shop)
    with shop.key_store.reading() as connection:
        kept = connection.execute(text("select * from customer_keys where customer = :who"), {"who": camille}).mappings().one()
    shop.vault.destroy_key(camille)
    assert any("no event says" in finding.what for finding in judged(shop, eraser).findings)
    eraser.station.erase(camille, **WHO)
    assert judged(shop, eraser).ok
    with shop.key_store.writing() as connection:
        names = ", ".join(kept)
        connection.execute(text(f"insert into customer_keys ({names}) values (:{', :'.join(kept)})"), dict(kept))
    assert any("there again" in finding.what for finding in judged(shop, eraser).findings)


def test_a_wrong_ground_or_nobody_is_said(shop: Shop, camille: int) -> None:
    eraser = Eraser(shop)
    with pytest.raises(BadInput, match="ground"):
        eraser.station.erase(camille, by="Alice Exemple", why="she asked by letter, Mrs Fictive of Lyon")
    with pytest.raises(BadInput, match="Who"):
        eraser.station.erase(camille, by=" ", why=next(iter(GROUNDS)))
    with pytest.raises(NotFound):
        eraser.station.erase(4_711, **WHO)
    assert not eraser.stones.file.exists()


def test_a_line_that_was_changed_or_removed_is_found_and_a_torn_one_dropped(tmp_path: Path) -> None:
    stones = Tombstones(tmp_path / "tombstones")
    assert stones.read() == Stones()
    for customer in (3, 5, 8):
        stones.begin(customer, [], at=START, **WHO)
        stones.end([customer])
    whole = stones.file.read_bytes()
    stones.file.write_bytes(whole + b'{"check":"ab')
    assert stones.read().everybody == {3, 5, 8}
    stones.begin(9, [2, 4], at=START, **WHO)
    assert stones.read().everybody == {3, 5, 8, 9}
    assert stones.file.stat().st_mode & 0o077 == 0
    lines = whole.splitlines(keepends=True)
    for tampered in (lines[:1] + lines[2:], [lines[0].replace(b"3", b"4", 1), *lines[1:]], [lines[1], lines[0], *lines[2:]]):
        stones.file.write_bytes(b"".join(tampered))
        with pytest.raises(Tampered, match="Line"):
            stones.read()

