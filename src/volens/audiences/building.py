"""The first door: purchases are read through the gate, and what comes out is a set of numbers at a position.

Rules:
1. One read, under the audience's own purpose and recipient, for its fields alone; the population is who permits it, nobody else.
   That somebody bought nothing is read too: the read has seen everybody who permits.
2. Who is suppressed, and who is on as many lists as her cap allows, is taken out here and once more at the door.
3. Below the minimum an audience is not built, and its size is not told.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from volens.audiences import kept_out, store
from volens.audiences.check import build_request
from volens.audiences.definition import All, Cap, Definition, Due, Leaf, Node
from volens.audiences.evaluate import members
from volens.audiences.goods import Shelf
from volens.audiences.plan import Plan, plan_for
from volens.audiences.sizes import Mac, Size, told
from volens.clock import Clock, legal_day
from volens.errors import BadInput, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, SALT_BYTES, Event
from volens.gate.reads import Gate, OpenedPurchases
from volens.gate.store import commitment, customers_of
from volens.holders import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

BUILT = "audience-built"
SUPPRESSED, CAPPED, UNFIT = "suppressed", "capped", "unfit"


class Chooser(Protocol):
    """Reads the files of an opened read and answers a plan's predicates."""

    def holding(self, opened: OpenedPurchases, plan: Plan) -> dict[Leaf, BitMap]:
        """For each predicate the permitted customers for whom it holds. Changes nothing; the same twice for the same arguments.
        Lines of others are dropped inside the scan. `Refused` if the read does not cover the plan."""
        ...


class DueSource(Protocol):
    """Says who is expected to buy again."""

    def due(self, opened: OpenedPurchases, products: Iterable[int], within_days: int) -> BitMap:
        """Those of the read's permitted customers who are due to buy one of these products within the next days."""
        ...


@dataclass(frozen=True)
class LeftOut:
    """Why some of those who permit are not in an audience."""

    why: str
    """`unfit`, `suppressed` or `capped`."""
    part: Node | None
    """The part of the definition that does not hold, for `unfit`."""
    people: BitMap


@dataclass(frozen=True)
class Chosen:
    """What a read found. Secret: only sizes are told, and only as `sizes` tells them."""

    definition: Definition
    position: int
    permitted: BitMap
    left_out: tuple[LeftOut, ...]
    members: BitMap


@dataclass(frozen=True)
class Sizes:
    """How many people, as it may be told: who permits, why others are left out, who is in."""

    audience: str
    position: int
    permitted: Size
    left_out: tuple[tuple[LeftOut, Size], ...]
    people: Size


class Building:
    """Chooses and builds. Durable when a method returns."""

    def __init__(
        self, records: Database, gate: Gate, chooser: Chooser, products: Callable[[], pa.Table], clock: Clock, country: str,
        mac: Mac, due: DueSource | None,
    ) -> None:  # fmt: skip
        """`products` reads the catalogue; `mac` keys the moving of sizes."""
        self._records, self._gate, self._chooser, self._products = records, gate, chooser, products
        self._clock, self._country, self._mac, self.due = clock, country, mac, due

    def shelf(self) -> Shelf:
        """The catalogue as it stands."""
        return Shelf.of(self._products())

    def choose(self, definition: Definition, actor: str) -> Chosen:
        """Reads, and finds who is in. The definition has passed `check`."""
        today = legal_day(self._clock.now(), self._country)
        plan = plan_for(definition, self.shelf(), today)
        with self._gate.open_purchases(build_request(definition, today, actor)) as reading:
            opened = reading.opened
            # holding: predicate → permitted customers; single lines stay below
            holding = self._chooser.holding(opened, plan)
            for leaf in definition.leaves:
                if isinstance(leaf, Due):
                    holding[leaf] = self._who_is_due(opened, plan, leaf)
            reading.saw(opened.permitted)
        with self._records.reading() as connection:
            others = (
                (SUPPRESSED, BitMap(kept_out.suppressed(connection))),
                (CAPPED, capped(connection, definition.id, definition.cap, opened.permitted, self._clock.now())),
            )
        return _funnel(definition, opened, holding, others)

    def _who_is_due(self, opened: OpenedPurchases, plan: Plan, leaf: Due) -> BitMap:
        if self.due is None:
            raise Refused(("nobody here says when people are due",), "Use `lapsed`, or wire a source of what is due.")
        products = np.flatnonzero(self.shelf().mask(leaf.of)).tolist()
        return self.due.due(opened, products, leaf.within_days) & opened.permitted

    def sizes(self, chosen: Chosen) -> Sizes:
        """What may be told of a choice."""
        least = chosen.definition.minimum

        def size(people: BitMap) -> Size:
            return told(people, least, self._mac)

        left_out = tuple((one, size(one.people)) for one in chosen.left_out)
        return Sizes(chosen.definition.id, chosen.position, size(chosen.permitted), left_out, size(chosen.members))

    def build(self, defined: store.Defined, definition: Definition, by: str) -> tuple[store.Built, Sizes]:
        """Puts the set of an audience on record. `BadInput` below the minimum: nothing is kept then."""
        chosen = self.choose(definition, by)
        sizes = self.sizes(chosen)
        if sizes.people.about is None:
            raise BadInput(f"The audience {definition.id!r} has fewer than {definition.minimum:,} people.",
                           "Widen it. So few people are not handed to anybody, nor counted.")  # fmt: skip
        salt, today = secrets.token_bytes(SALT_BYTES), legal_day(self._clock.now(), self._country)
        detail = {
            "audience": definition.id, "defined": defined.seq, "position": chosen.position, "people": len(chosen.members), "by": by,
        }  # fmt: skip
        event = Event(
            BUILT, purpose=definition.purpose, recipient=definition.recipient, day=today, detail=detail,
            commitment=commitment(salt, chosen.members),
        )  # fmt: skip
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            now = store.defined(connection, definition.id)
            if now != defined:
                raise BadInput("The audience was changed while it was built.", "Build it again.")
            seq = log.append(connection, EVENTS, [event])
            made = store.Built(
                definition.id, seq, defined.seq, chosen.position, self._clock.now().isoformat(), len(chosen.members), salt
            )
            store.keep_build(connection, made, chosen.members)
        return made, sizes


def capped(connection: Connection, audience: str, cap: Cap, people: BitMap, now: datetime) -> BitMap:
    """Those of some people who are on as many lists of other audiences lately as their cap allows."""
    since = (now - timedelta(days=cap.days)).isoformat()
    lately: dict[str, BitMap] = {}
    for one in store.lists(connection, since=since):
        if one.audience != audience and one.state != store.LOST:
            lately[one.audience] = lately.get(one.audience, BitMap()) | (customers_of(connection, one.list) & people)
    if len(lately) < cap.lists:
        return BitMap()
    on = np.zeros(int(people.max()) + 1 if people else 1, dtype=np.int16)
    for some in lately.values():
        on[np.frombuffer(some.to_array(), dtype=np.uint32)] += 1
    return BitMap(np.flatnonzero(on >= cap.lists).astype(np.uint32))


def _funnel(
    definition: Definition, opened: OpenedPurchases, holding: dict[Leaf, BitMap], others: Iterable[tuple[str, BitMap]]
) -> Chosen:
    """Takes people out part by part, so that everybody who is left out has exactly one reason."""
    parts = definition.who.parts if isinstance(definition.who, All) else (definition.who,)
    left, left_out = opened.permitted, list[LeftOut]()
    for part in parts:
        fit = members(part, holding, opened.permitted)
        left_out.append(LeftOut(UNFIT, part, left - fit))
        left = left & fit
    for why, people in others:
        if left & people:
            left_out.append(LeftOut(why, None, left & people))
        left = left - people
    return Chosen(definition, opened.position, opened.permitted, tuple(left_out), left)


def built_until(built: store.Built, hours: int) -> datetime:
    """Until when a built set may pass the door."""
    return datetime.fromisoformat(built.at) + timedelta(hours=hours)


def day_of(instant: str, country: str) -> date:
    """The legal day of a stored instant."""
    return legal_day(datetime.fromisoformat(instant), country)
