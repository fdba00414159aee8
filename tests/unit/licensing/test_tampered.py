"""Whoever changes what licences keep is found, at the place; so is a hand-over that was recorded with every care."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import pytest
from sqlalchemy import Connection, text
from tests.support.licensing import OFFER, SHOPS, Studio, settled

from volens.audit.licences import DOOR, DOWNS, ITEMS, WORDS, check_licences
from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.licensing.using import OVER


@dataclass
class Life:
    """What happened: one use that is down after a withdrawal, one that is up, one that is planned and not told, a thing deleted."""

    studio: Studio
    up: int
    down: int
    planned: int
    other_item: str


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """One life for all: what is tampered with is undone each time."""
    studio = settled(tmp_path_factory.mktemp("tampered"))
    for purpose in ("own-site", SHOPS):
        studio.say(purpose=purpose)
    studio.say(2)
    studio.house.licences.giving.choose_instead(studio.number(3), OFFER)
    item, name = studio.add(), studio.write()
    hers = studio.add(2)
    up = studio.out(item)
    down = studio.out(name, purpose=SHOPS)
    studio.say(purpose=SHOPS, yes=False)
    studio.down(down.number)
    late = studio.out(item)
    studio.house.licences.using.refuse(studio.number(), late.number)
    gone = studio.add()
    studio.house.licences.items.delete(studio.number(), gone.item)
    planned = studio.plan(item)
    studio.clean()
    yield Life(studio, up.number, down.number, planned.number, hers.item)
    studio.house.close()


class Undone(Exception):
    """Takes back what was tampered with."""


def found(life: Life, change: Callable[[Connection], object]) -> list[tuple[str, str]]:
    """What the audit finds after a change, which is taken back."""
    report = Report()
    with suppress(Undone), life.studio.shop.records.writing() as connection:
        change(connection)
        check_licences(connection, life.studio.house._vault, report)
        raise Undone
    return [(one.check, one.where) for one in report.findings]


def run(statement: str) -> Callable[[Life, Connection], object]:
    """Raw SQL with the life's numbers in it."""
    return lambda life, connection: connection.execute(
        text(statement.format(up=life.up, down=life.down, planned=life.planned, other=life.other_item))
    )


def handed(day: str, use: str) -> Callable[[Life, Connection], object]:
    """A hand-over with its event, its leaf and its row, as the door would write them."""
    def forge(life: Life, connection: Connection) -> None:
        number = getattr(life, use)
        event = Event(OVER, customer=life.studio.number(), day=date.fromisoformat(day), detail={"use": number, "machine": "site"})
        seq = log.append(connection, EVENTS, [event])
        state = "handed" if use != "up" else "published"
        connection.execute(text(f"update licence_uses set state = '{state}', seq = {seq} where number = {number}"))

    return forge


TAMPERINGS: dict[str, tuple[Callable[[Life, Connection], object], str, str]] = {
    "a no becomes a yes": (run("update licences set state = 'given'"), WORDS, "licences "),
    "a yes is to other terms": (run("update licences set sha256 = 'ab' where purpose = 'own-site'"), WORDS, "licences "),
    "a yes is to another version": (run("update licences set version = 2"), WORDS, "licences "),
    "a yes is younger": (run("update licences set day = '2027-01-01'"), WORDS, "licences "),
    "a word is gone": (run("delete from licences where purpose = 'own-shops'"), WORDS, "licences "),
    "a word is another's": (run("update licences set customer = 5 where purpose = 'own-shops'"), WORDS, "licences "),
    "the way without is done": (run("update licence_insteads set state = 'done'"), WORDS, "licence_insteads "),
    "the way without is gone": (run("delete from licence_insteads"), WORDS, "licence_insteads "),
    "an item is another's": (run("update licence_items set customer = 5"), ITEMS, "licence_items "),
    "an item is said to be approved": (
        run("update licence_items set version = 7 where state = 'approved'"), ITEMS, "licence_items "),
    "another photo takes its place": (
        run("update licence_items set sealed = (select sealed from licence_items where kind = 'first-name') where kind = 'photo' "
            "and sealed is not null and item <> '{other}'"), ITEMS, "licence_items "),
    "a photo of somebody else": (
        run("update licence_items set sealed = (select sealed from licence_items where item = '{other}') where sealed is not null"),
        ITEMS, "licence_items "),
    "what was deleted is back": (
        run("update licence_items set sealed = 'x' where state = 'deleted'"), ITEMS, "licence_items "),
    "an item is gone": (run("delete from licence_items where item = '{other}'"), ITEMS, "licence_items "),
    "a use is elsewhere": (run("update licence_uses set territory = 'BE' where number = {up}"), DOWNS, "licence_uses "),
    "a use is planned only": (run("update licence_uses set state = 'planned' where number = {up}"), DOWNS, "licence_uses "),
    "she is said to be told": (run("update licence_uses set told = '2026-12-01' where number = {planned}"), DOWNS, "licence_uses "),
    "a use is gone": (run("delete from licence_uses where number = {up}"), DOWNS, "licence_uses "),
    "a ticket is gone": (run("delete from licence_takedowns"), DOWNS, "licence_takedowns "),
    "a ticket has longer": (run("update licence_takedowns set due = '2027-02-01'"), DOWNS, "licence_takedowns "),
    "a ticket is done": (run("update licence_takedowns set state = 'proven' where state = 'open'"), DOWNS, "licence_takedowns "),
    "a proof is another": (
        run("update licence_takedowns set proof = '{{}}' where number = {down}"), DOWNS, "licence_takedowns "),
    "a proof is gone": (run("update licence_takedowns set proof = null where number = {down}"), DOWNS, "licence_takedowns "),
    "handed out, and nobody was told": (handed("2026-12-24", "planned"), DOOR, "events "),
    "handed out after its ticket": (handed("2026-12-24", "down"), DOOR, "events "),
    "handed out after the last day": (handed("2027-06-01", "up"), DOOR, "events "),
    "handed out before the days of notice": (handed("2026-12-05", "up"), DOOR, "events "),
}  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_found_and_located(life: Life, tampering: str) -> None:
    change, check, where = TAMPERINGS[tampering]
    findings = found(life, lambda connection: change(life, connection))
    assert any(one == check and at.startswith(where) for one, at in findings), findings


def test_what_an_honest_door_wrote_is_clean(life: Life) -> None:
    assert found(life, lambda connection: None) == []
    assert found(life, lambda connection: handed("2026-12-24", "up")(life, connection)) == []


def test_a_use_that_is_out_without_a_licence_needs_a_ticket(life: Life) -> None:
    """The withdrawal is recorded with care, and nobody opened the tickets."""
    def withdraw(connection: Connection) -> None:
        who = life.studio.number()
        word = connection.execute(text(f"select * from licences where customer = {who} and purpose = 'own-site'")).mappings().one()
        detail = {name: word[name] for name in ("offer", "purpose", "version", "language", "country", "sha256")}
        seq = log.append(connection, EVENTS, [Event("licence-withdrawn", customer=who, day=date(2026, 12, 24), detail=detail)])
        changed = f"state = 'withdrawn', day = '2026-12-24', seq = {seq}"
        connection.execute(text(f"update licences set {changed} where customer = {who} and purpose = 'own-site'"))

    assert found(life, withdraw) == [(DOWNS, f"licence_uses {life.up}")]
