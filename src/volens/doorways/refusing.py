"""Saying no through a doorway, seeing what was said so, and putting it back.

Rules:
1. A no is recorded as any choice, in force when the call returns. What is already refused today is not recorded again: a second
   tap, or a program that taps all day, adds nothing to the record.
2. With it, in the same transaction: the doorway is looked at once more, a link is used up, and whoever holds the card is told,
   once a day at most.
3. Putting back is a new yes of the signed-in person, under the very text that she had accepted, if that text is still the one in
   force. Its proof names the no that it undoes and the yes that it restores. Where the text is another by now, she is asked anew.
4. It is put back only if she said nothing since it was looked at; never over a no of her own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day, zone
from volens.delivery.message import SMS, Draft
from volens.delivery.station import Delivery, Prepared
from volens.doorways.words import LANGUAGES, say, spoken
from volens.doorways.words import day as day_in
from volens.doorways.words import time as time_in
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import groups, log
from volens.evidence.log import EVENTS
from volens.holders import Database
from volens.permissions import store as permissions
from volens.permissions.ages import BROWSER
from volens.permissions.ledger import Also, Ledger, Spoken, Terms
from volens.permissions.state import ALL, DENYING, KINDS
from volens.permissions.undoing import Undone, undo

if TYPE_CHECKING:
    from sqlalchemy import Connection

RECEIPT_LINK, SINGLE_USE_LINK = "receipt link", "single-use link"
SURFACES = (RECEIPT_LINK, SINGLE_USE_LINK)
EVERYTHING = "everything"
TOLD = "refusal-told"
TOLD_ONCE_IN = timedelta(days=1)
THE_PERSON = "the person"


@dataclass(frozen=True)
class RefusedByLink:
    """What was refused at one moment through a doorway, or by somebody for the card holder."""

    seqs: tuple[int, ...]
    at: datetime
    surface: str
    actor: str
    purposes: tuple[str, ...]
    restorable: tuple[str, ...]
    """Purposes whose yes comes back with one step."""
    ask_anew: tuple[str, ...]
    """Purposes that stood permitted, and whose text is another by now."""

    @property
    def ended_something(self) -> bool:
        """Whether it took a yes away that is still away."""
        return bool(self.restorable or self.ask_anew)


@dataclass(frozen=True)
class Restored:
    """What an undoing did: events of the yeses that are back, and purposes that the person is asked about anew."""

    seqs: tuple[int, ...]
    ask_anew: tuple[str, ...]


@dataclass(frozen=True)
class Refusing:
    """Records refusals, finds them again and undoes them."""

    records: Database
    ledger: Ledger
    terms: Terms
    delivery: Delivery
    clock: Clock
    country: str
    shop: str
    address: str
    groups: Mapping[str, Collection[str]]
    """Purposes of each group that can be refused in one tap."""

    def refuse(
        self, customer: int, what: str, *, surface: str, language: str, proof: Mapping[str, Any], also: Also
    ) -> list[int]:
        """No to everything or to one group; the seqs that were recorded. `also` runs in the transaction, whatever is recorded.

        The person is told, by the channel that they allow.
        """
        purposes = None if what == EVERYTHING else self._purposes(what)
        said = self.ledger.refusals(customer, purposes, surface=surface, language=language, proof=proof)
        said = [choice for choice in said if choice.purpose not in self._refused_today(customer)]
        if not said:
            with self.records.writing() as connection:
                also(connection, [])
            return []
        message = self._message(customer, what, surface)

        def within(connection: Connection, seqs: list[int]) -> None:
            also(connection, seqs)
            if message is not None and not self.delivery.lately(connection, customer, TOLD, TOLD_ONCE_IN):
                self.delivery.queue(connection, message)

        return self.ledger.record(said, also=within)

    def of(self, customer: int) -> list[RefusedByLink]:
        """Every no that was said for a customer through a doorway or by somebody else, newest first."""
        history = self.ledger.history(customer)
        moments: dict[tuple[str, str, str], list[Spoken]] = {}
        for one in history:
            if _by_somebody_else(one):
                at, surface, actor = (str(one.how[name]) for name in ("at", "surface", "actor"))
                moments.setdefault((at, surface, actor), []).append(one)
        found = []
        for (at, surface, actor), noes in moments.items():
            seqs = tuple(one.seq for one in noes)
            undone = self._undone(customer, history, seqs, LANGUAGES[0])
            found.append(
                RefusedByLink(
                    seqs=seqs,
                    at=datetime.fromisoformat(at),
                    surface=surface,
                    actor=actor,
                    purposes=tuple(dict.fromkeys(one.purpose for one in noes)),
                    restorable=tuple(dict.fromkeys(choice.purpose for choice in undone.choices)),
                    ask_anew=undone.changed,
                )
            )
        return sorted(found, key=lambda one: one.seqs, reverse=True)

    def undo(self, customer: int, seqs: Sequence[int], *, surface: str, language: str) -> Restored:
        """Puts back what stood before some noes, in one transaction. The same again finds nothing to do.

        `BadInput` if one of them is no such no; `NotNow` if something was said meanwhile, so that nobody's newer word is lost.
        """
        with self.records.reading() as connection:
            position = log.size(connection, EVENTS)
        known = {seq for one in self.of(customer) for seq in one.seqs}
        if not seqs or not set(seqs) <= known:
            raise BadInput("That is not a no which somebody said for this customer.", "Look at the list again.")
        undone = self._undone(customer, self.ledger.history(customer), seqs, language, surface)
        if not undone.choices:
            return Restored((), undone.changed)

        def nothing_since(connection: Connection, ours: list[int]) -> None:
            alone = [row.seq for row in log.rows(connection, EVENTS, start=position, customer=customer) if row.kind in KINDS]
            among = [row.seq for row in groups.of_customer(connection, customer) if row.seq >= position]
            if {*alone, *among} - set(ours):
                raise NotNow("Another choice was made meanwhile.", "Look at the page again; nothing was changed.")

        return Restored(tuple(self.ledger.record(undone.choices, also=nothing_since)), undone.changed)

    def _undone(
        self, customer: int, history: Sequence[Spoken], seqs: Sequence[int], language: str, surface: str = "permission centre"
    ) -> Undone:
        """What puts back what stood before some noes. A no that came after them by the same kind of way does not stand against
        it: whoever taps an address on two days took one yes away."""
        with self.records.reading() as connection:
            ended = log.texts_ended(connection)
        noes = {one.seq for one in history if one.seq >= min(seqs) and _by_somebody_else(one)}
        about = {one.purpose for one in history if one.seq in set(seqs)}
        whole = undo(customer, history, noes, self.terms, ended, surface=surface, language=language)
        return Undone(
            tuple(choice for choice in whole.choices if choice.purpose in about),
            tuple(purpose for purpose in whole.changed if purpose in about),
        )

    def _purposes(self, what: str) -> Collection[str]:
        if what not in self.groups:
            raise BadInput(f"There is no group {what!r} to refuse.", f"Use one of: {', '.join([EVERYTHING, *self.groups])}.")
        return self.groups[what]

    def _refused_today(self, customer: int) -> set[str]:
        """Purposes that stand refused to everybody since today: an older no could still be outranked by what is imported."""
        today = legal_day(self.clock.now(), self.country)
        with self.records.reading() as connection:
            rows = list(permissions.of_customers(connection, [customer]))
        refused = {row.purpose for row in rows if row.recipient == ALL and row.kind in DENYING and row.day == today}
        return refused - {row.purpose for row in rows if row.permits}

    def _message(self, customer: int, what: str, surface: str) -> Prepared | None:
        """What the card holder is told; none for somebody who is erased meanwhile."""
        language = spoken(self.delivery.language_of(customer), spoken(None))
        now, form = self.clock.now(), "sms" if self.delivery.channel_of(customer) == SMS else "text"
        text = say(
            language, f"{TOLD}.{form}", shop=self.shop, address=self.address, what=say(language, f"what.{what}"),
            way=say(language, f"way.{surface}"),
            day=day_in(language, legal_day(now, self.country)), time=time_in(language, now, zone(self.country)),
        )  # fmt: skip
        try:
            return self.delivery.prepare(Draft(customer, TOLD, language, say(language, f"{TOLD}.subject"), text))
        except NotFound:
            return None


def _by_somebody_else(one: Spoken) -> bool:
    """Whether a no was said through a doorway, which anybody can hold, or by another person. Her own browser is nobody else."""
    surface, actor = one.how.get("surface"), one.how.get("actor")
    others = surface in SURFACES or actor not in (THE_PERSON, BROWSER)
    return one.kind in DENYING and bool(one.how.get("at")) and not one.imported and others
