"""Do licences, items, uses and take-downs stand as the events say, and was nothing handed out that might not be?

Rules:
1. The events are replayed in their order. At each hand-over the very function of the door is asked again, with what stood then.
2. A yes is under terms that were kept, by their SHA-256; an approved item's bytes are those that its person said yes to.
3. What ended has no use in anybody's hands without a ticket; a ticket that is closed has the proof that its event names.
4. Of whoever was erased only what still has to come down may be there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from volens.audit.report import Report
from volens.errors import VolensError
from volens.evidence import log
from volens.evidence.log import EVENTS, SALT_BYTES
from volens.licensing import offered, store, takedowns
from volens.licensing.giving import INSTEAD_KIND
from volens.licensing.giving import KIND_OF as WORD_KINDS
from volens.licensing.items import KIND_OF as ITEM_KINDS
from volens.licensing.states import (
    APPROVED,
    CANCELLED,
    DELETED,
    DOWN,
    GIVEN,
    HANDED,
    OPEN,
    OUT,
    PLANNED,
    PROVEN,
    PUBLISHED,
    Stands,
    Wish,
    against,
    due_on,
)  # fmt: skip
from volens.licensing.station import WARNED
from volens.licensing.using import OVER, PLAN, SHOWN, TOLD
from volens.offering import store as offering

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from volens.offers.document import Licence

WORDS = "every licence stands as its person said, under terms that are kept"
ITEMS = "every licensed item is the very one that its person said yes to"
DOOR = "no item was handed out without a licence, an approval and the days of notice"
DOWNS = "whatever must come down has a ticket, and what is down has its proof"


class Opener(Protocol):
    """Opens what is sealed; None without a key, b"" where it does not open."""

    def reveal(self, sealed: Sequence[tuple[int, bytes]]) -> list[bytes | None]: ...


@dataclass
class _Item:
    customer: int
    offer: str
    kind: str
    state: str
    version: int | None
    seq: int
    approved: bytes | None = None
    """What its approval sealed."""


@dataclass
class _Use:
    customer: int
    said: dict[str, Any]
    recipient: str | None
    state: str
    seq: int
    told: str | None = None


@dataclass
class _Ticket:
    customer: int
    reason: str
    due: str
    state: str
    seq: int
    warned: str | None = None
    sha256: str | None = None


@dataclass
class _Fold:
    """What the events say, up to where they were read."""

    words: dict[tuple[int, str, str], tuple[Any, ...]] = field(default_factory=dict)
    items: dict[str, _Item] = field(default_factory=dict)
    uses: dict[int, _Use] = field(default_factory=dict)
    tickets: dict[int, _Ticket] = field(default_factory=dict)
    insteads: dict[tuple[int, str], tuple[str, int, int]] = field(default_factory=dict)


_STATES_OF_WORDS = {kind: state for state, kind in WORD_KINDS.items()}
_STATES_OF_ITEMS = {kind: state for state, kind in ITEM_KINDS.items()}
_STATES_OF_INSTEADS = {kind: state for state, kind in INSTEAD_KIND.items()}
_STATES_OF_USES = {OVER: HANDED, SHOWN: PUBLISHED, takedowns.GONE: DOWN, takedowns.CANCELLED_BY: CANCELLED}
_KINDS = (
    *_STATES_OF_WORDS, *_STATES_OF_ITEMS, *_STATES_OF_INSTEADS, *_STATES_OF_USES, PLAN, TOLD, takedowns.OPENED, takedowns.PROVED, WARNED,
)  # fmt: skip


def check_licences(connection: Connection, vault: Opener, report: Report) -> None:
    """The five tables against their events, and each hand-over against what stood then."""
    erased = log.customers_of_kind(connection, "erased")
    fold = _Fold()
    with report.checking(DOOR) as looked_at:
        for row in log.rows(connection, EVENTS, kinds=_KINDS):
            try:
                if row.kind == OVER:
                    looked_at.append(1)
                    _check_door(connection, fold, row, report)
                _apply(fold, row)
            except (KeyError, ValueError, TypeError, AttributeError, VolensError):
                report.found(DOOR, f"events {row.seq}", "it is about nothing that is on record")
    _check_words(connection, fold, erased, report)
    _check_items(connection, vault, fold, erased, report)
    _check_uses(connection, fold, erased, report)
    _check_tickets(connection, fold, erased, report)


def _apply(fold: _Fold, row: log.Row) -> None:
    said, who = row.said(), int(row.customer or 0)
    if row.kind in _STATES_OF_WORDS:
        state = _STATES_OF_WORDS[row.kind]
        fold.words[who, said["offer"], said["purpose"]] = (
            state, said["version"], said["language"], said["country"], said["sha256"], row.day, row.seq,
        )  # fmt: skip
    elif row.kind in _STATES_OF_ITEMS:
        before = fold.items.get(said["item"])
        sealed = row.sealed if row.kind == ITEM_KINDS[APPROVED] else before.approved if before is not None else None
        state = _STATES_OF_ITEMS[row.kind]
        fold.items[said["item"]] = _Item(who, said["offer"], said["item_kind"], state, said.get("version"), row.seq, sealed)
    elif row.kind in _STATES_OF_INSTEADS:
        fold.insteads[who, said["offer"]] = (_STATES_OF_INSTEADS[row.kind], said["version"], row.seq)
    elif row.kind == PLAN:
        fold.uses[row.seq] = _Use(who, said, row.recipient, PLANNED, row.seq)
    elif row.kind == TOLD:
        fold.uses[said["use"]].told = row.day
    elif row.kind in _STATES_OF_USES:
        use = fold.uses[said["use"]]
        again = row.kind == OVER and use.state == PUBLISHED
        use.state, use.seq = (PUBLISHED if again else _STATES_OF_USES[row.kind]), row.seq
    elif row.kind == takedowns.OPENED:
        fold.tickets[said["use"]] = _Ticket(who, said["reason"], said["due"], OPEN, row.seq)
    elif row.kind == takedowns.PROVED:
        ticket = fold.tickets[said["use"]]
        ticket.state, ticket.seq, ticket.sha256 = PROVEN, row.seq, said["sha256"]
    elif row.kind == WARNED:
        fold.tickets[said["use"]].warned = row.day


def _check_door(connection: Connection, fold: _Fold, row: log.Row, report: Report) -> None:
    """Asks the door again, with what the events before this one say."""
    number = int(row.said()["use"])
    use = fold.uses[number]
    said, item = use.said, fold.items.get(use.said["item"])
    word = fold.words.get((use.customer, said["offer"], said["use_purpose"]))
    if word is None or item is None or row.customer != use.customer or row.day is None:
        report.found(DOOR, f"events {row.seq}", "it was handed out, and there is no licence or no item")
        return
    licence = _licence(connection, said["offer"], word[1])
    told = date.fromisoformat(use.told) if use.told is not None else None
    stands = Stands(licence, word[1], word[0], item.state, item.kind, item.version, use.state, told, number in fold.tickets)
    wish = Wish(said["use_purpose"], said["medium"], said["territory"], None, date.fromisoformat(row.day))
    for reason in against(stands, wish):
        report.found(DOOR, f"events {row.seq}", f"it was handed out, although {reason}")


def _licence(connection: Connection, offer: str, version: int) -> Licence:
    return offered.licence_of(connection, offer, version)[1]


def _check_words(connection: Connection, fold: _Fold, erased: set[int], report: Report) -> None:
    with report.checking(WORDS) as looked_at:
        kept = {
            (one.offer, one.version, language): sha256
            for one in offering.all_versions(connection)
            for language, (_, sha256) in offering.terms_of(connection, one.number).items()
        }
        stored = store.words(connection)
        for one in stored:
            looked_at.append(1)
            where = f"licences {one.customer} {one.offer} {one.purpose}"
            told = fold.words.get((one.customer, one.offer, one.purpose))
            if told != (one.state, one.version, one.language, one.country, one.sha256, one.day, one.seq):
                report.found(WORDS, where, "it is not what its last event says")
            if one.state == GIVEN and kept.get((one.offer, one.version, one.language)) != one.sha256:
                report.found(WORDS, where, "no terms that are kept are those of this yes")
        _check_gone(WORDS, "licences", fold.words, {(one.customer, one.offer, one.purpose) for one in stored}, erased, report)
        for way in store.all_insteads(connection):
            looked_at.append(1)
            if fold.insteads.get((way.customer, way.offer)) != (way.state, way.version, way.seq):
                report.found(WORDS, f"licence_insteads {way.customer} {way.offer}", "it is not what its last event says")


def _check_gone(check: str, table: str, told: Iterable[tuple[Any, ...]], there: set[Any], erased: set[int], report: Report) -> None:
    for key in told:
        if key[0] in erased and key in there:
            report.found(check, f"{table} {key[0]}", "it is of somebody who was erased")
        elif key[0] not in erased and key not in there:
            report.found(check, f"{table} {key[0]}", "it has events and is gone")


def _check_items(connection: Connection, vault: Opener, fold: _Fold, erased: set[int], report: Report) -> None:
    with report.checking(ITEMS) as looked_at:
        stored = {one.item: one for one in store.items_of(connection)}
        for name, one in sorted(stored.items()):
            looked_at.append(1)
            told, where = fold.items.get(name), f"licence_items {name[:8]}"
            said = (told.customer, told.offer, told.kind, told.state, told.version, told.seq) if told is not None else None
            if said != (one.customer, one.offer, one.kind, one.state, one.version, one.seq):
                report.found(ITEMS, where, "it is not what its last event says")
                continue
            full = store.item(connection, name)
            sealed = full.sealed if full is not None else None
            if (sealed is None) != (one.state == DELETED):
                report.found(ITEMS, where, "its bytes are there and should not be, or the other way round")
            if sealed is not None and told is not None and one.state == APPROVED:
                _check_bytes(vault, one.customer, sealed, told, where, report)
        there = {(one.customer, name) for name, one in stored.items()}
        _check_gone(ITEMS, "licence_items", [(one.customer, name) for name, one in fold.items.items()], there, erased, report)


def _check_bytes(vault: Opener, customer: int, sealed: bytes, told: _Item, where: str, report: Report) -> None:
    plain, yes = vault.reveal([(customer, sealed), (customer, told.approved or b"")])
    if plain is None or yes is None:
        return  # the key is destroyed
    try:
        sha256 = json.loads(yes[SALT_BYTES:])["sha256"]
    except (ValueError, KeyError, TypeError):
        sha256 = ""
    if not plain or hashlib.sha256(plain).hexdigest() != sha256:
        report.found(ITEMS, where, "its bytes are not those that its person said yes to")


def _check_uses(connection: Connection, fold: _Fold, erased: set[int], report: Report) -> None:
    with report.checking(DOWNS) as looked_at:
        stored = {one.number: one for one in store.uses_of(connection)}
        for number, one in sorted(stored.items()):
            looked_at.append(1)
            told, where = fold.uses.get(number), f"licence_uses {number}"
            if told is None or _said(told) != (
                one.customer, one.recipient, one.offer, one.version, one.item, one.purpose, one.medium, one.territory, one.machine,
                one.state, one.told, one.seq,
            ):  # fmt: skip
                report.found(DOWNS, where, "it is not what its last event says")
                continue
            ended = fold.words.get((one.customer, one.offer, one.purpose), ("",))[0] != GIVEN
            gone = one.item in fold.items and fold.items[one.item].state == DELETED
            if one.state in OUT and (ended or gone) and number not in fold.tickets:
                report.found(DOWNS, where, "what permitted it ended, and nobody was told to take it down")
            if one.customer in erased and (number not in fold.tickets):
                report.found(DOWNS, where, "it is of somebody who was erased")
        there = {(one.customer, number) for number, one in stored.items()}
        for number, told in fold.uses.items():
            if told.customer not in erased and (told.customer, number) not in there:
                report.found(DOWNS, f"licence_uses {number}", "it has events and is gone")


def _said(told: _Use) -> tuple[Any, ...]:
    said = told.said
    return (
        told.customer, told.recipient, said["offer"], said["version"], said["item"], said["use_purpose"], said["medium"],
        said["territory"], said["machine"], told.state, told.told, told.seq,
    )  # fmt: skip


def _check_tickets(connection: Connection, fold: _Fold, erased: set[int], report: Report) -> None:
    with report.checking(DOWNS) as looked_at:
        stored = {one.number: one for one in store.takedowns_of(connection)}
        for number, one in sorted(stored.items()):
            looked_at.append(1)
            told, where = fold.tickets.get(number), f"licence_takedowns {number}"
            said = (told.customer, told.reason, told.due, told.state, told.warned, told.seq) if told is not None else None
            if said != (one.customer, one.reason, one.due, one.state, one.warned, one.seq):
                report.found(DOWNS, where, "it is not what its last event says")
            if one.proof is not None and (told is None or takedowns.digest(one.proof) != told.sha256):
                report.found(DOWNS, where, "its proof is not the one that was given")
            if (one.proof is None) != (one.state == OPEN):
                report.found(DOWNS, where, "it is done without a proof, or open with one")
            use = fold.uses.get(number)
            if use is not None and one.due > _latest(connection, use, one):
                report.found(DOWNS, where, "its last day is later than the licence says")
        for number, ticket in fold.tickets.items():
            if number not in stored and (ticket.customer not in erased or ticket.state == OPEN):
                report.found(DOWNS, f"licence_takedowns {number}", "it has events and is gone")


def _latest(connection: Connection, use: _Use, one: store.Takedown) -> str:
    licence = _licence(connection, use.said["offer"], use.said["version"])
    return due_on(date.fromisoformat(one.opened), licence).isoformat()
