"""Sponsored products as the house hands them out (`house.sponsored`): proposed and approved, chosen, explained, heard, learned.

Rules:
1. By purchases only for whoever permits exactly that at this instant; by the page alone for everybody else, and as many.
2. A profile, and what somebody saw, die with the permission: `sweep` takes them away; nothing looks at them before.
3. Each advertisement says who pays for it and why it is there, for as long as that is known; the control stands beside it.
4. “Stop” is a withdrawal like any other. “Not this again” is on record; which one it was is sealed under its person's key.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from pyroaring import BitMap

from volens.audiences.goods import Shelf
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.gate.barrier import Barrier
from volens.gate.policy import ReadRequest, Rulebook
from volens.gate.reads import Gate
from volens.holders import Database, Sealer, Watch
from volens.permissions.ledger import Choice, Ledger
from volens.programme import nodes
from volens.programme.model import Programme, Purpose
from volens.sponsored import learning, store
from volens.sponsored.check import Checked, check, is_private, request_of, still_paid
from volens.sponsored.choosing import Page, Running, words_of
from volens.sponsored.deciding import Deciding, Ready, Shown, Wanted, read_page_id
from volens.sponsored.placement import SLUG, Placement, read
from volens.sponsored.registry import Registry
from volens.sponsored.shelves import Products
from volens.sponsored.shown import Seen, Told
from volens.sponsored.store import APPROVED, ENDED, Impression, Stored

LEARNED, HID = "ads-learned", "ad-hidden"
STOP, HIDE = "stop", "hide"
HEARD = (STOP, HIDE)
PERSONAL_ID = re.compile(r"[0-9a-f]{48}")
"""What the number of an impression looks like that purchases chose."""
FRESH_SECONDS = 1.0
SLOTS_MAX, SEARCH_MAX, VISIT_LEAST, VISIT_MOST = 12, 200, 8, 200
KEPT_DAYS = 60
"""How long it is kept what somebody saw of a placement after its last day."""
Progress = learning.Progress


class Sponsored:
    """Durable when a method returns."""

    def __init__(
        self, records: Database, gate: Gate, barrier: Barrier, ledger: Ledger, programme: Programme, rules: Rulebook,
        people: Sealer, mac: Callable[[str, bytes], bytes], purchases: Path, clock: Clock, found_by: Callable[[str, str], bytes],
    ) -> None:  # fmt: skip
        """`purchases`: the folder of the catalogue; `found_by`: what a card, an e-mail or a reference is found by."""
        self._records, self._gate, self._ledger, self._programme, self._people = records, gate, ledger, programme, people
        self._rules, self._mac, self._clock, self._found_by = rules, mac, clock, found_by
        self.registry = Registry(records, clock, programme.country)
        self._products = Products(purchases)
        self._deciding = Deciding(records, gate, barrier, mac, self._ready)
        self._lock = threading.Lock()
        self._by_number: dict[int, Placement] = {}
        self._loaded: tuple[Ready, tuple[int, date, object]] | None = None
        self._looked = 0.0

    @property
    def purpose(self) -> str:
        """The programme's purpose for advertisements by purchases; the empty text without one."""
        found = self._purpose()
        return found.id if found is not None else ""

    # Placements

    def read(self, written: str, file: str = "the placement") -> Placement:
        """A placement from YAML or JSON; `BadInput` says where and what to write instead."""
        try:
            return read(nodes.parse(written, file).data)
        except nodes.NotClean as error:
            raise BadInput(str(error.finding.message), error.finding.remedy) from None

    def read_file(self, path: Path) -> Placement:
        """A placement from a file."""
        try:
            return self.read(nodes.read_text(path, path.name), path.name)
        except nodes.NotClean as error:
            raise BadInput(str(error.finding.message), error.finding.remedy) from None

    def check(self, placement: Placement) -> Checked:
        """Everything that stands against a placement. Reads no purchases."""
        return check(placement, self._programme, self._rules, Shelf.of(self._products.table()), self._today())

    def define(self, placement: Placement, *, by: str) -> Stored:
        """Proposes a placement; `Refused` with every reason if something stands against it."""
        return self.registry.define(self.check(placement), by=by)

    def approve(self, placement: str, *, by: str) -> Stored:
        """Another person approves what was proposed."""
        found = self.registry.one(placement)
        return self.registry.approve(self.check(read(found.document)), found.number, by=by)

    def end(self, placement: str, *, by: str) -> None:
        """Ends a placement."""
        self.registry.end(placement, by=by)

    def all(self) -> list[tuple[Stored, Placement]]:
        """Every placement on record."""
        return [(one, read(one.document)) for one in self.registry.all()]

    def shown(self) -> dict[int, dict[str, dict[str, int]]]:
        """By placement's number and day: how often it was shown by purchases and by the page."""
        found: dict[int, dict[str, dict[str, int]]] = {}
        with self._records.reading() as connection:
            for number, day, way, times in store.shown_by_day(connection):
                found.setdefault(number, {}).setdefault(day, {})[way] = times
        return found

    def hidden(self) -> dict[int, int]:
        """By placement's number: how many people hid it."""
        with self._records.reading() as connection:
            return store.count_hidden(connection)

    # Choosing

    def warm_up(self) -> None:
        """Reads the catalogue before the first page asks."""
        self._products.look()

    def page(self, *, page: str = "", category: str = "", search: str = "", product: str = "") -> tuple[Page, frozenset[int]]:
        """Where the slots are, and what is not shown there: the product that is looked at."""
        if not (page or category or search or product):
            raise BadInput("Which page is it?", "Send page, category, search or product.")
        if len(search) > SEARCH_MAX or any(name and (len(name) > 64 or not SLUG.fullmatch(name)) for name in (page, category)):
            raise BadInput("This is no page.", f"Name page and category by slugs; a search has at most {SEARCH_MAX} characters.")
        key = self._products.key(product)
        return Page(page, category or self._products.category(key), words_of(search)), frozenset((key,) if key else ())

    def decide(
        self, page: tuple[Page, frozenset[int]], slots: int, who: int | tuple[str, str] | None = None, *, visit: str = "",
        without: Sequence[str] = (),
    ) -> tuple[Shown, ...]:  # fmt: skip
        """What stands in the slots of a page. On record before it returns.

        who: a customer's number, or the kind (card, email, reference) and value of what she is known by, or nobody."""
        if not 1 <= slots <= SLOTS_MAX:
            raise BadInput("How many slots are there?", f"Send a number from 1 to {SLOTS_MAX}.")
        if visit and not VISIT_LEAST <= len(visit) <= VISIT_MOST:
            raise BadInput("This is no key of a visit.", f"Draw one at random, of {VISIT_LEAST} to {VISIT_MOST} characters.")
        where, never = page
        self._products.look()
        wanted = Wanted(
            where, slots, self._found_by(*who) if isinstance(who, tuple) else who, self._visit(visit),
            never | {key for sku in without if (key := self._products.key(sku))},
        )  # fmt: skip
        return self._deciding.ask(wanted)

    def tell(self, shown: Shown) -> Told:
        """An advertisement with all that stands beside it."""
        slot = shown.slot
        category, bought = (slot.why.category, slot.why.bought) if slot.why is not None else ("", 0)
        return self._told(shown.impression, self._placement(slot.number), slot.product, category, bought)

    def why(self, impression: str) -> Told:
        """The same of one that was shown; `NotFound` for one that is not known, or any more."""
        with self._records.reading() as connection:
            row = store.impression(connection, impression)
        if row is not None and self._permits(row.customer):
            return self._told_of(row)
        slot = read_page_id(self._mac, impression)
        if slot is None:
            raise NotFound("This advertisement is not known.", "What was chosen by purchases is forgotten with the permission.")
        return self._told(impression, self._placement(slot.number), slot.product)

    def _placement(self, number: int) -> Placement:
        """A placement by its number: what was approved is not changed, so it is read once."""
        if number not in self._by_number:
            self._by_number = {stored.number: one for stored, one in self.all()}
        if number not in self._by_number:
            raise NotFound("This placement is not known.", "See: volens ad list")
        return self._by_number[number]

    def _told_of(self, row: Impression) -> Told:
        return self._told(row.impression, self._placement(row.number), row.product, row.category, row.bought)

    def _told(self, impression: str, placement: Placement, product: int, category: str = "", bought: int = 0) -> Told:
        advertiser = self._programme.recipients.get(placement.advertiser)  # it may have left the programme since
        return Told(
            impression, self._products.sku(product), self._products.names(product), placement.id,
            advertiser.legal_name if advertiser is not None else placement.advertiser, self._controller(), placement.purpose,
            self._products.category_names(category) if category else {}, bought,
            tuple((self._products.category_names(name), lack.days) for lack in placement.not_bought for name in lack.categories),
        )  # fmt: skip

    # Hearing

    def hear(self, impression: str, what: str, *, visit: str = "", language: str = "fr") -> None:
        """What somebody said to an advertisement: `stop` (none by my purchases), `hide` (not this again). Again is harmless."""
        if what not in HEARD:
            raise BadInput("What was said to the advertisement?", f"Send one of: {', '.join(HEARD)}.")
        with self._records.reading() as connection:
            row = store.impression(connection, impression)
        slot = read_page_id(self._mac, impression) if row is None else None
        if row is None and slot is None and what == STOP and PERSONAL_ID.fullmatch(impression):
            return  # it was stopped before: what was chosen by purchases is forgotten with the permission
        if row is None and slot is None:
            raise NotFound("This advertisement is not known.", "Load the page again.")
        if what == STOP:
            if row is None:
                raise BadInput("This advertisement was not chosen by purchases.", "Link to the page of settings.")
            self._stop(row.customer, language)
            return
        number = row.number if row is not None else slot.number if slot is not None else 0
        self._hide_from_visit(number, visit)
        if row is not None:
            self._hide(row.customer, number)

    def _stop(self, customer: int, language: str) -> None:
        purpose = self._purpose()
        standing = purpose is not None and any(
            one.purpose == purpose.id and one.permits for one in self._ledger.of_customer(customer)
        )
        if purpose is not None and standing:
            self._ledger.record([Choice(customer, purpose.id, "withdrawn", language=language, surface="advertisement")])
        with self._records.writing() as connection:
            store.forget_all(connection, [customer])

    def _hide(self, customer: int, number: int) -> None:
        with self._records.reading() as connection:
            if store.hides(connection, customer, number):
                return
        purpose = self._purpose()
        event = Event(
            HID, customer=customer, purpose=purpose.id if purpose is not None else None, day=self._today(),
            private={"placement": number},
        )  # fmt: skip
        sealed = log.sealed_beforehand(event, self._people)
        with self._records.writing() as connection:
            seq = log.append(connection, EVENTS, [sealed])
            if not store.hides(connection, customer, number):
                store.hide(connection, customer, number, seq)

    def _hide_from_visit(self, number: int, visit: str) -> None:
        key = self._visit(visit)
        if key is not None:
            with self._records.writing() as connection:
                store.add_to_visits(connection, self._today().isoformat(), {(key, number): 1_000_000})

    # Learning and forgetting

    def learn(self, progress: Progress = lambda step, done, total: None) -> dict[str, int]:
        """Learns everybody's profile anew. What was learned of people who do not permit any more is gone."""
        placements = [one for stored, one in self.all() if stored.state != ENDED and one.personal and one.until >= self._today()]
        categories = {name for one in placements for name in (one.watched or self._of_products(one)) if not is_private([name])}
        purpose = self._purpose()
        found = learning.watched(categories, self._products.categories())
        if purpose is None or not found:
            with self._records.writing() as connection:
                store.forget_profiles(connection, store.older_than(connection, None))
            return {"customers": 0, "categories": 0, "swept": self.sweep()}
        read, customers = learning.learn(self._gate, self._records, request_of(purpose, self._today(), "ads"), found, progress)
        event = Event(
            LEARNED, purpose=purpose.id, day=self._today(),
            detail={"read": read, "customers": customers, "categories": sorted(set(found.values()))},
        )  # fmt: skip
        with self._records.writing() as connection:
            log.append(connection, EVENTS, [event])
        return {"customers": customers, "categories": len(set(found.values())), "swept": self.sweep()}

    def sweep(self) -> int:
        """Takes away all that is kept of people who do not permit it any more; how many there were. Visits of before go too."""
        purpose, permitted = self._purpose(), BitMap()
        if purpose is not None:
            try:
                permitted, _ = self._gate.permitted(request_of(purpose, self._today(), "ads"))
            except Refused:
                permitted = BitMap()  # the text was ended: nobody permits
        with self._records.reading() as connection:
            gone = BitMap(store.somebody(connection)) - permitted
        over = self._today() - timedelta(days=KEPT_DAYS)
        with self._records.writing() as connection:
            if gone:
                store.forget_all(connection, gone)
            store.tidy(connection, self._today().isoformat(), over.isoformat())
        return len(gone)

    def seen_by(self, customer: int, most: int = 10) -> Seen | None:
        """What is known of somebody and what was chosen for her lately; nothing of whoever does not permit."""
        if not self._permits(customer):
            return None
        with self._records.reading() as connection:
            state, rows = store.profile(connection, customer), store.last_shown(connection, customer, most)
        first = self._request("ads").start
        known = Seen.days_of(state, first)
        return Seen(
            tuple((self._products.category_names(name), bought) for name, bought in known),
            tuple((row.day, self._told_of(row)) for row in rows),
        )

    def close(self) -> None:
        """Lets the deciding thread go."""
        self._deciding.close()

    # Below: how

    def _ready(self, watch: Watch) -> Ready:
        """What runs today, read again where something changed; looked for once a second."""
        if self._loaded is not None and time.monotonic() - self._looked < FRESH_SECONDS and self._loaded[0].today == self._today():
            return self._loaded[0]
        with self._lock:
            key = (store.newest_change(watch), self._today(), self._products.version())
            if self._loaded is None or self._loaded[1] != key:
                self._loaded = (self._read_ready(key[1]), key)
            self._looked = time.monotonic()
            return self._loaded[0]

    def _read_ready(self, today: date) -> Ready:
        running, purpose = list[Running](), self._purpose()
        for stored, one in self.all():
            if stored.state == APPROVED and one.first <= today <= one.until and still_paid(one, self._programme):
                if purpose is None or one.purpose != purpose.id:  # there is one purpose: under another, the page alone chooses
                    one = replace(one, personal=False)
                products = {key: self._products.category(key) for sku in one.products if (key := self._products.key(sku))}
                running.append(Running(stored.number, one, products, tuple(words_of(said) for said in one.contexts.words)))
        request = request_of(purpose, today, "ads") if purpose is not None else None
        return Ready(tuple(sorted(running, key=lambda one: one.number)), request, today)

    def _permits(self, customer: int) -> bool:
        return self._purpose() is not None and self._gate.decide_now(customer, self._request("ads")).verdict.allowed

    def _request(self, actor: str) -> ReadRequest:
        purpose = self._purpose()
        if purpose is None:
            raise NotFound("This programme has no purpose for advertisements.", "See docs/ads.md.")
        return request_of(purpose, self._today(), actor)

    def _purpose(self) -> Purpose | None:
        """The programme's purpose for advertisements by purchases; there is one."""
        return next((one for one in self._programme.purposes.values() if one.profiling_ads and "targeted-ads" in one.covers), None)

    def _controller(self) -> str:
        purpose = self._purpose()
        return self._programme.controller(purpose.controller).legal_name if purpose is not None else self._programme.name

    def _of_products(self, placement: Placement) -> set[str]:
        return {self._products.category(key) for sku in placement.products if (key := self._products.key(sku))}

    def _visit(self, visit: str) -> int | None:
        """A visit's key of this day, which leads back to nothing: 63 bits, so that two of a day's visits are never one."""
        said = f"{self._today().isoformat()}/{visit}".encode()
        return int.from_bytes(self._mac("ads/visit", said)[:8], "big") >> 1 if visit else None

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._programme.country)
