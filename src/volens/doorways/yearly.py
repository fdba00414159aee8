"""The page of the year: what somebody permits, what was used, by whom, and how to stop it. On one sheet, and as text.

Rules:
1. What it says is permitted is what the gate would let happen today, by the same function; what was used is what the record of
   uses says of the last 365 days.
2. Once a year and at most once: who had a page less than 365 days ago has none. That it was sent, its row and its message are
   one transaction, so a kill in between sends nothing, and the same again sends it.
3. It goes by the channel that the person allows. Who allows none gets none; the page is always there to be asked for.
4. A night sends no more than is needed to reach everybody within 300 days, so that no mail server is flooded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pyroaring import BitMap

from volens.clock import Clock, legal_day
from volens.delivery.message import NONE, SMS, Draft
from volens.delivery.station import Delivery
from volens.doorways import store
from volens.doorways.lines import Lines, qr_svg
from volens.doorways.words import day as day_in
from volens.doorways.words import say, spoken
from volens.errors import NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.gate import store as uses
from volens.gate.policy import Rulebook, counts
from volens.holders import Database
from volens.permissions import store as permissions
from volens.programme.model import Basis, Programme

YEAR_DAYS, SPREAD_DAYS = 365, 300
A_NIGHT_AT_LEAST = 1_000
AT_ONCE = 100
SUMMARY, SENT = "summary", "summary-sent"
LISTED_MAX = 40
"""Lines of each part: a sheet has one side."""


@dataclass(frozen=True)
class Page:
    """One person's page, ready to be printed or sent."""

    language: str
    subject: str
    text: str
    html: str

    def __repr__(self) -> str:
        return "Page(…)"


@dataclass(frozen=True)
class Yearly:
    """Writes pages, and sends those that are due."""

    records: Database
    programme: Programme
    rules: Rulebook
    delivery: Delivery
    lines: Lines
    clock: Clock
    doorway: Callable[[int], str | None]
    """The short address of one of a customer's cards, if she has one."""

    def page(self, customer: int, language: str | None = None) -> Page:
        """The page of one customer as of today; `NotFound` for somebody who does not exist."""
        chosen = spoken(language or self.delivery.language_of(customer), spoken(self.programme.languages[0]))
        url = self.doorway(customer)
        shown = self.shown(customer, chosen)
        sheet = _templates().get_template("summary.html.j2").render(
            lang=chosen, qr=Markup(qr_svg(url)) if url else "", **shown
        )
        return Page(chosen, say(chosen, "summary.subject"), _as_text(shown), sheet)

    def due(self, limit: int | None = None) -> list[int]:
        """Whom a page is due for, longest ago first; by default as many as a night sends."""
        before = (self._today() - timedelta(days=YEAR_DAYS - 1)).isoformat()
        with self.records.reading() as connection:
            night = max(A_NIGHT_AT_LEAST, -(-store.count_customers(connection) // SPREAD_DAYS))
            return store.summaries_due(connection, before, night if limit is None else limit)

    def send(self, limit: int | None = None) -> int:
        """Puts the pages that are due into the outbox. Returns how many. Killed, the same again does the rest."""
        return sum(self.send_one(customer) for customer in self.due(limit))

    def send_one(self, customer: int) -> bool:
        """One person's page, if it is due and she allows a channel. It is then on record, and not due for a year."""
        channel = self.delivery.channel_of(customer)
        if channel == NONE:
            return False
        try:
            page = self.page(customer)
            sms = channel == SMS
            # An SMS cannot hold a page: it says where to see it.
            text = self.lines.line(page.language, self.doorway(customer)) if sms else page.text
            draft = Draft(customer, SUMMARY, page.language, page.subject, text, "" if sms else page.html)
            message = self.delivery.prepare(draft)
        except NotFound:
            return False  # erased since we looked
        today = self._today()
        with self.records.writing() as connection:
            log.lock(connection, EVENTS)
            last = store.summary_day(connection, customer)
            if last is not None and date.fromisoformat(last) > today - timedelta(days=YEAR_DAYS):
                return False
            if not uses.existing(connection, BitMap([customer])):
                return False
            detail = {"channel": channel}
            seq = log.append(connection, EVENTS, [Event(SENT, customer=customer, day=today, detail=detail)])
            store.keep_summary(connection, customer, today.isoformat(), seq)
            self.delivery.queue(connection, message)
        return True

    def shown(self, customer: int, language: str) -> dict[str, Any]:
        """The lines of the page, by their place on it."""
        today, url = self._today(), self.doorway(customer)
        with self.records.reading() as connection:
            if not uses.existing(connection, BitMap([customer])):
                raise NotFound("No customer has this number.", "It was never given, or its customer is erased.")
            rules = uses.in_force(connection, self.rules)
            rows = [row for row in permissions.of_customers(connection, [customer]) if counts(row, rules, today)]
            read = uses.uses_of(connection, customer)
        since = (today - timedelta(days=YEAR_DAYS)).isoformat()
        with self.records.reading() as connection:
            days = {one.read: str(row.day) for one in read if (row := log.one(connection, EVENTS, one.read)) is not None}
        lately = [(one.purpose, one.recipient, days[one.read]) for one in read if days.get(one.read, "") >= since]
        address = self.lines.address
        stop = [say(language, "summary.stop.code", url=url)] if url else []
        controller = next(iter(self.programme.controllers.values()))
        return {
            "title": say(language, "summary.title", shop=self.programme.name),
            "day": say(language, "summary.day", day=day_in(language, today)),
            "permitted_title": say(language, "summary.permitted"),
            "permitted": self._permitted(language, rows) or [say(language, "summary.permitted.none")],
            "used_title": say(language, "summary.used"),
            "used": self._used(language, lately) or [say(language, "summary.used.none")],
            "stop_title": say(language, "summary.stop"),
            "stop": [*stop, say(language, "summary.stop.centre", address=address), say(language, "summary.stop.free")],
            "why": say(language, "summary.why", address=address),
            "who": say(
                language, "summary.who", legal_name=controller.legal_name, postal=controller.address, contact=controller.contact
            ),
        }

    def _permitted(self, language: str, rows: Sequence[Any]) -> list[str]:
        """A line a purpose that people decide about; what the card itself needs is not one of them."""
        said = []
        for purpose in self.programme.purposes.values():
            ours = [row for row in rows if row.purpose == purpose.id]
            if not ours or purpose.basis not in (Basis.CONSENT, Basis.LEGITIMATE_INTEREST):
                continue
            names = ", ".join(sorted({self._name(row.recipient) for row in ours}))
            line = say(
                language, "summary.permitted.line", plain=purpose.plain[language], recipients=names,
                day=day_in(language, min(row.day for row in ours)),
            )  # fmt: skip
            payers = purpose.payers({row.recipient for row in ours})
            if payers:
                line += " " + say(language, "summary.paid", payers=", ".join(self._name(one) for one in payers))
            said.append(line)
        return said[:LISTED_MAX]

    def _used(self, language: str, lately: Sequence[tuple[str, str, str]]) -> list[str]:
        """A line for each purpose and recipient, with how often and when last."""
        counted: dict[tuple[str, str], list[str]] = {}
        for purpose, recipient, day in lately:
            counted.setdefault((purpose, recipient), []).append(day)
        said = []
        for (purpose, recipient), days in sorted(counted.items()):
            known = self.programme.purposes.get(purpose)
            values: Mapping[str, object] = {
                "plain": known.plain[language] if known is not None else f"{purpose}.",
                "recipient": self._name(recipient), "count": len(days), "day": day_in(language, date.fromisoformat(max(days))),
            }  # fmt: skip
            said.append(say(language, "summary.used.once" if len(days) == 1 else "summary.used.times", **values))
        return said[:LISTED_MAX]

    def _name(self, entity: str) -> str:
        """The legal name of a recipient, or of a controller, which is one."""
        known = self.programme.recipients.get(entity) or self.programme.controllers.get(entity)
        return known.legal_name if known is not None else entity

    def _today(self) -> date:
        return legal_day(self.clock.now(), self.programme.country)


def _as_text(shown: Mapping[str, Any]) -> str:
    parts = [
        shown["title"], shown["day"], "",
        shown["permitted_title"], *(f"- {line}" for line in shown["permitted"]), "",
        shown["used_title"], *(f"- {line}" for line in shown["used"]), "",
        shown["stop_title"], *shown["stop"], "", shown["who"], shown["why"],
    ]  # fmt: skip
    return "\n".join(parts)


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("volens.doorways"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
