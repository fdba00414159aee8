"""Filling slots: many pages in one round, and what is shown is on record before its answer leaves.

Rules:
1. One thread serves all who ask (`gate.rounds`). Everybody is looked up in the same way; whoever is nobody, refused, or is a minor
   gets what the page has, in the same shape and number as whoever permits (`choosing`).
2. What purchases choose is a use: whoever still permits it at the door has it, on record with what was shown; whoever said no
   since the look gets what the page has.
3. Caps, visits and the placements' limits are read in the transaction that counts against them.
4. What the page chose is counted without a person. Its id says, under the house's key, which placement and product it was.
5. Whoever gets no answer within `ANSWER_SECONDS` gets none: the shop goes on without advertisements.
"""

from __future__ import annotations

import json
import secrets
import struct
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from volens.evidence.journeys import together
from volens.gate import store as uses
from volens.gate.barrier import Barrier
from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate
from volens.gate.rounds import Rounds, Waiting, permitting
from volens.holders import Database, Watch
from volens.identity.store import found_by_watch
from volens.sponsored import store
from volens.sponsored.choosing import Candidate, Page, Running, Slot, Somebody, candidates, fill
from volens.sponsored.store import PAGE, PERSONAL, Impression

if TYPE_CHECKING:
    from sqlalchemy import Connection

ANSWER_SECONDS = 0.25
ID_BYTES = 24
UNLIMITED = 1 << 60
_PAGE_ID = struct.Struct(">QIHH")
"""Placement, product, day since 1970, and two bytes that tell one impression from the next."""
MAC_BYTES = ID_BYTES - _PAGE_ID.size

Mac = Callable[[str, bytes], bytes]
"""Keyed by the house (`Keys.mac`)."""
_Asked = Waiting["Wanted", "tuple[Shown, ...]"]


@dataclass(frozen=True)
class Wanted:
    """Slots of a page for somebody, or for nobody."""

    page: Page
    slots: int
    who: int | bytes | None = None
    """A customer's number, or what a card or e-mail is found by."""
    visit: int | None = None
    without: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Shown:
    """What stands in a slot."""

    impression: str
    slot: Slot


@dataclass(frozen=True)
class Ready:
    """What runs today, by number."""

    running: tuple[Running, ...]
    request: ReadRequest | None
    """The use by which purchases choose; none where the programme has no such purpose any more."""
    today: date


@dataclass
class _Round:
    """What one transaction knows and counts."""

    met: dict[int, store.Met]
    totals: dict[int, int]
    visits: dict[tuple[int, int], int]
    slots: dict[_Asked, list[Slot]] = field(default_factory=dict)
    who: dict[_Asked, int] = field(default_factory=dict)
    """Whose purchases chose something, by who waits."""


class Deciding:
    """Fills slots. One thread serves; it starts with the first who asks."""

    def __init__(
        self, records: Database, gate: Gate, barrier: Barrier, mac: Mac, ready: Callable[[Watch], Ready]
    ) -> None:
        self._records, self._gate, self._barrier, self._mac, self._ready = records, gate, barrier, mac, ready
        self._turn = secrets.randbelow(1 << 16)  # so that no placement is first in every process
        self._watch = records.watch()
        self._rounds = Rounds[Wanted, tuple[Shown, ...]]("volens-ads", self._serve, self._watch.close)

    def ask(self, wanted: Wanted) -> tuple[Shown, ...]:
        """What stands in the slots."""
        return self._rounds.ask(wanted, ANSWER_SECONDS) or ()

    def close(self) -> None:
        """Lets the thread go."""
        self._rounds.close()

    def _serve(self, some: Sequence[_Asked]) -> None:
        ready = self._ready(self._watch)
        pages = {one.question.page for one in some}
        ready = replace(ready, running=tuple(one for one in ready.running if any(one.fits(page) for page in pages)))
        if not ready.running:
            return
        who = self._who(some)
        people = sorted(set(who.values()))
        may = permitting(self._gate, people, ready.request, ANSWER_SECONDS) if ready.request is not None else []
        # Asked also for nobody, so that it takes as long to be refused as not to be known.
        learned = store.profiles_of(self._watch, may or [0])
        known = {number: _profile(learned[number]) for number in may if number in learned}
        if known:
            self._barrier.turn()
        with self._records.writing() as connection:
            shown = self._fill(connection, some, {one: number for one, number in who.items() if number in known}, known, ready)
        for one, told in shown.items():
            one.answer = told  # committed: now it may be told

    def _who(self, some: Sequence[_Asked]) -> dict[_Asked, int]:
        """The customers that are asked about, as far as there are such."""
        hashes = sorted({one.question.who for one in some if isinstance(one.question.who, bytes)})
        found = found_by_watch(self._watch, hashes)
        who = {one: found.get(one.question.who) if isinstance(one.question.who, bytes) else one.question.who for one in some}
        return {one: number for one, number in who.items() if number is not None}

    def _fill(
        self, connection: Connection, some: Sequence[_Asked], who: Mapping[_Asked, int],
        known: Mapping[int, Mapping[str, Sequence[int]]], ready: Ready,
    ) -> dict[_Asked, tuple[Shown, ...]]:  # fmt: skip
        """One transaction: chooses, passes the door, counts."""
        day = ready.today.isoformat()
        if known:
            uses.hold_ledger(connection)  # first, as every door does; then nobody waits for another in a circle
        keys = {one.question.visit for one in some if one.question.visit is not None}
        totals, visits, met = store.limits(connection, [one.number for one in ready.running], keys, list(known), day)
        round_ = _Round(met, totals, visits)
        for one in some:
            number = who.get(one)
            somebody = Somebody(known[number], round_.met[number]) if number is not None else None
            self._put(round_, one, ready, somebody, number)
        seq = self._door(connection, round_, ready)
        return self._count(connection, round_, day, seq)

    def _put(self, round_: _Round, one: _Asked, ready: Ready, somebody: Somebody | None, number: int | None) -> None:
        """Fills the slots of one page, and notes it against every limit."""
        self._turn += 1
        found = self._candidates(round_, one.question, ready)
        since = _days(ready.request.start) if ready.request is not None else 0
        slots = fill(found, one.question.slots, somebody, _days(ready.today), since)
        round_.slots[one] = slots
        _note(round_, one.question.visit, slots, 1)
        hers = [slot.number for slot in slots if slot.why is not None]
        if number is not None and hers:
            round_.who[one] = number
            met = round_.met[number]
            round_.met[number] = store.Met(_more(met.today, hers), _more(met.ever, hers), met.hidden)

    def _candidates(self, round_: _Round, wanted: Wanted, ready: Ready) -> list[Candidate]:
        left = {}
        for one in ready.running:
            most = one.placement.impressions
            rest = UNLIMITED if most is None else most - round_.totals.get(one.number, most)
            if wanted.visit is not None:
                rest = min(rest, one.placement.cap.visit - round_.visits.get((wanted.visit, one.number), 0))
            left[one.number] = rest
        return candidates(ready.running, wanted.page, wanted.without, left, self._turn)

    def _door(self, connection: Connection, round_: _Round, ready: Ready) -> int | None:
        """The door: who still permits it. Whoever does not gets what the page has."""
        if not round_.who or ready.request is None:
            return None
        count = sum(1 for one in round_.who for slot in round_.slots[one] if slot.why is not None)
        handed = self._barrier.hand_over_within(connection, ready.request, sorted(set(round_.who.values())), {"ads": count})
        for one in [one for one, number in round_.who.items() if number in handed.kept_back]:
            del round_.who[one]
            _note(round_, one.question.visit, round_.slots[one], -1)
            self._put(round_, one, ready, None, None)
        return handed.seq

    def _count(self, connection: Connection, round_: _Round, day: str, seq: int | None) -> dict[_Asked, tuple[Shown, ...]]:
        told = dict[_Asked, tuple[Shown, ...]]()
        shown, visits, rows = Counter[tuple[int, str]](), Counter[tuple[int, int]](), list[Impression]()
        number = _days(date.fromisoformat(day))
        for one, slots in round_.slots.items():
            said = []
            for slot in slots:
                id = secrets.token_hex(ID_BYTES) if slot.why is not None else page_id(self._mac, slot, number)
                shown[slot.number, PERSONAL if slot.why is not None else PAGE] += 1
                if one.question.visit is not None:
                    visits[one.question.visit, slot.number] += 1
                if slot.why is not None and seq is not None:
                    rows.append(
                        Impression(id, round_.who[one], slot.number, slot.product, day, seq, slot.why.category, slot.why.bought)
                    )
                said.append(Shown(id, slot))
            told[one] = tuple(said)
        with together(connection):
            store.keep_impressions(connection, rows)
            store.add_shown(connection, day, shown)
            store.add_to_visits(connection, day, visits)
        return told


def page_id(mac: Mac, slot: Slot, day: int) -> str:
    """The id of an impression that a page chose: what it was, and that this house says so."""
    said = _PAGE_ID.pack(slot.number, slot.product, day, secrets.randbelow(1 << 16))
    return (said + mac("ads/page", said)[:MAC_BYTES]).hex()


def read_page_id(mac: Mac, id: str) -> Slot | None:
    """What an id of `page_id` says; none if this house did not say it."""
    try:
        whole = bytes.fromhex(id)
    except ValueError:
        return None
    said = whole[: _PAGE_ID.size]
    if len(whole) != ID_BYTES or not secrets.compare_digest(mac("ads/page", said)[:MAC_BYTES], whole[_PAGE_ID.size :]):
        return None
    number, product, _, _ = _PAGE_ID.unpack(said)
    return Slot(number, product, None)


def _note(round_: _Round, visit: int | None, slots: Sequence[Slot], times: int) -> None:
    for slot in slots:
        round_.totals[slot.number] = round_.totals.get(slot.number, 0) + times
        if visit is not None:
            round_.visits[visit, slot.number] = round_.visits.get((visit, slot.number), 0) + times


def _more(before: Mapping[int, int], numbers: Sequence[int]) -> dict[int, int]:
    more = Counter(dict(before))
    more.update(numbers)
    return dict(more)


def _profile(state: bytes) -> Mapping[str, Sequence[int]]:
    found: Mapping[str, Sequence[int]] = json.loads(state)
    return found


def _days(day: date) -> int:
    return (day - date(1970, 1, 1)).days
