"""The station behind the permission centre: what stands for a customer, and what they say about it.

Rules:
1. What is shown is read from the records at this moment. Records that do not answer raise, and the page says no.
2. One tap is one call: a choice is in force when it returns. Saying no never asks for anything else.
3. A yes is taken under the text that was on the page (`text`), with the proof of how it stood there; if another is in force by
   now, the page is shown anew.
4. What is undone is one act: everything that one tap refused. A no that was said apart is taken back by a yes.
5. What was said already, here and today, is not recorded again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from volens.centre.standing import Group, Passed, Use, deeds, groups, passed_on, shared, uses
from volens.centre.went import Change, Journey, changes, journeys, looking_back
from volens.clock import Clock, legal_day
from volens.errors import NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import PUBLIC, texts_ended
from volens.gate import seen as seen_by
from volens.gate import store as gate_store
from volens.gate.policy import Rulebook
from volens.holders import Database
from volens.identity import store as identity
from volens.permissions.ages import BROWSER
from volens.permissions.ledger import Choice, Ledger, Spoken, Terms
from volens.permissions.state import ALL, DENYING, PERMITTING, SILENT
from volens.permissions.undoing import Undone, undo
from volens.programme.model import Basis, Programme

UNDO_MINUTES = 10
REFUSED, PAUSED, SIGNAL = "permission centre", "permission centre: pause", "Global Privacy Control"
"""Surfaces. A pause is a no to everything that the person means to take back."""
EVERYTHING = "everything"
THE_PERSON = "the person"


class TextChanged(NotNow):
    """A yes to a text that is not the one in force, or that was not shown."""

    def __init__(self) -> None:
        super().__init__("The text changed while the page was open.", "Read the new one, and choose again.")


class NothingToChoose(NotNow):
    """An answer to what the card or the law needs."""

    def __init__(self) -> None:
        super().__init__("There is nothing to choose here.", "The card or the law needs it; you can give the card back.")


class Closed(NotNow):
    """A yes that this person's age does not allow."""

    def __init__(self) -> None:
        super().__init__("This is closed at this age.", "A parent decides, where the law lets one.")


@dataclass(frozen=True)
class Act:
    """A refusal of many uses by one tap, and what comes back when it is undone."""

    seqs: tuple[int, ...]
    """The noes that ended a yes."""
    at: datetime
    what: str
    """A group, or `EVERYTHING`."""
    back: tuple[Use, ...]


@dataclass(frozen=True)
class Signalled:
    """Uses to which a browser's setting said no, where nothing was said since."""

    day: str
    uses: tuple[Use, ...]


@dataclass(frozen=True)
class Picture:
    """Everything that the first screen says."""

    groups: tuple[Group, ...]
    passed: tuple[Passed, ...]
    """What other companies pay for or receive."""
    deeds: tuple[str, ...]
    """What purchases serve beside the card, and what is paid for or passed on without them. An e-mail of the house's own is
    none of it."""
    card: bool
    """Whether purchases serve the card."""
    pause: Act | None
    """The pause that stands: there are answers that come back when it ends."""
    undo: Act | None
    """The newest refusal of the last minutes that one tap takes back."""
    signalled: Signalled | None

    @property
    def uses(self) -> tuple[Use, ...]:
        """All uses that are in a group."""
        return tuple(use for group in self.groups for use in group.uses)


@dataclass(frozen=True)
class Centre:
    """What a customer permits, and the ways to change it."""

    programme: Programme
    rules: Rulebook
    terms: Terms
    ledger: Ledger
    records: Database
    clock: Clock

    def picture(self, customer: int) -> Picture:
        """The first screen."""
        found = self.uses(customer)
        history = self.ledger.history(customer)
        return Picture(
            groups=groups(self.programme, found),
            passed=passed_on(self.programme, found),
            deeds=deeds(self.programme, found),
            card=any(use.yes for use in found if use.purpose.basis is Basis.CONTRACT),
            pause=self._pause(customer, found, history),
            undo=self._lately_refused(customer, found, history),
            signalled=_signalled(found, history),
        )

    def uses(self, customer: int) -> tuple[Use, ...]:
        """Every declared use, as it stands for one customer today."""
        with self.records.reading() as connection:
            rules = gate_store.in_force(connection, self.rules)
            known = identity.ages_of(connection, [customer]).get(customer)
        if known is None:
            raise NotFound("Nobody is known by this number.", "Sign in again.")
        country, minor_until = known
        today = legal_day(self.clock.now(), country)
        self.ledger.turn(legal_day(self.clock.now(), self.programme.country))
        permissions = self.ledger.of_customer(customer)
        return uses(self.programme, rules, permissions, today, self.terms.ages, minor_until, country)

    def groups(self, customer: int) -> tuple[Group, ...]:
        """The four groups."""
        return groups(self.programme, self.uses(customer))

    def use(self, customer: int, purpose: str) -> Use:
        """One use; `NotFound` for a purpose that is not declared."""
        self.programme.purpose(purpose)
        return next(use for use in self.uses(customer) if use.purpose.id == purpose)

    def went(self, customer: int) -> tuple[Journey, ...]:
        """Every recorded use and release that had this customer, newest first."""
        with self.records.reading() as connection:
            seen = seen_by.seen_of(connection, customer)
            plans = [str(row.said().get("plan_hash")) for row in log.rows(connection, PUBLIC, kinds=["published"])]
        return journeys(seen, self.ledger.history(customer), plans)

    def would_change(self, customer: int) -> Mapping[str, Change]:
        """For each purpose: uses of the last 90 days that had this customer, and those that did not."""
        today = legal_day(self.clock.now(), self.programme.country)
        with self.records.reading() as connection:
            used = seen_by.used_since(connection, looking_back(today))
            mine = [one.seq for one in seen_by.seen_of(connection, customer)]
        return changes(used, mine, self.programme.purposes)

    def history(self, customer: int) -> list[Spoken]:
        """Everything that was said for this customer, in order."""
        return self.ledger.history(customer)

    def refuse_everything(self, customer: int, *, language: str, surface: str = REFUSED) -> list[int]:
        """No to everything that can be refused. Seqs of what was recorded."""
        said = self.ledger.refusals(customer, surface=surface, language=language, proof={"refused": EVERYTHING})
        return self._record_new(customer, said)

    def refuse_group(self, customer: int, group: str, *, language: str) -> list[int]:
        """No to everything of one group, in one transaction."""
        chosen = [use for one in self.groups(customer) if one.id == group for use in one.asked]
        if not chosen:
            raise NotFound(f"There is no group {group!r} with anything to refuse.", "Choose one on the first page.")
        proof = {"refused": group}
        said = [replace(self._choice(customer, use, False, ALL, language, REFUSED), proof=proof) for use in chosen]
        return self._record_new(customer, said)

    def say(
        self, customer: int, purpose: str, yes: bool, *, recipient: str = ALL, text: str = "", language: str,
        surface: str = REFUSED, proof: Mapping[str, Any] | None = None,
    ) -> list[int]:  # fmt: skip
        """A yes or a no to one use; nothing is recorded of what was said already. `text`: the one that was on the page, and
        `proof` how it stood there."""
        use = self.use(customer, purpose)
        if not use.choosable:
            raise NothingToChoose
        if yes and use.closed:
            raise Closed
        if yes and (use.text is None or use.text.id != text):
            raise TextChanged
        said = replace(self._choice(customer, use, yes, recipient, language, surface), proof=proof if yes and proof else {})
        return self._record_new(customer, [said])

    def undo(self, customer: int, noes: Sequence[int], *, language: str) -> Undone:
        """Puts back what stood before one refusal of the last minutes. `noes`: its seqs, as the page named them."""
        act = self.picture(customer).undo
        if act is None or set(noes) != set(act.seqs):
            raise NotNow("This can no longer be undone in one step.", "Choose use by use.")
        return self._put_back(customer, act, language)

    def pause(self, customer: int, *, language: str) -> list[int]:
        """No to everything until the person says `resume`."""
        if self.picture(customer).pause is not None:
            return []
        return self.refuse_everything(customer, language=language, surface=PAUSED)

    def resume(self, customer: int, *, language: str) -> Undone:
        """Puts back what stood before the pause."""
        act = self.picture(customer).pause
        if act is None:
            raise NotNow("There is no pause to end.", "Choose use by use.")
        return self._put_back(customer, act, language)

    def heed_signal(self, customer: int, *, language: str) -> tuple[Use, ...]:
        """Global Privacy Control (W3C): a browser that says so objects to what is sold or shared, once.
        The uses to which it said no now.

        A yes that was said after the objection, or in sight of the signal, was said to the very use, and stands.
        """
        standing = [use for use in self.uses(customer) if use.yes and self.signal_is_about(use)]
        if not standing:
            return ()
        heeded = {one.purpose for one in self.ledger.history(customer) if SIGNAL in (one.how.get("surface"), _against(one))}
        ended = tuple(use for use in standing if use.purpose.id not in heeded)
        said = [replace(self._choice(customer, use, False, ALL, language, SIGNAL), actor=BROWSER) for use in ended]
        if said:
            self.ledger.record(said)
        return ended

    def signal_is_about(self, use: Use) -> bool:
        """Whether a browser's signal objects to a use."""
        return use.choosable and shared(self.programme, use.purpose)

    def accounts(self, customer: int) -> int:
        """How many cards and logins these answers hold for."""
        with self.records.reading() as connection:
            return len(identity.accounts_of(connection, customer))

    def _choice(self, customer: int, use: Use, yes: bool, recipient: str, language: str, surface: str) -> Choice:
        told = use.purpose.basis is Basis.LEGITIMATE_INTEREST
        stands = use.yes or use.waiting
        kind = ("notified" if told else "given") if yes else "objected" if told else "withdrawn" if stands else "refused"
        text = use.text.id if use.text is not None else None
        return Choice(customer, use.purpose.id, kind, recipient, text, language=language, surface=surface)

    def _record_new(self, customer: int, said: Sequence[Choice]) -> list[int]:
        """Records what was not said already by the same person, here and today: an older word could be outranked by an import."""
        history = self.ledger.history(customer)
        oldest = legal_day(self.clock.now(), self.programme.country).isoformat()
        fresh = [choice for choice in said if not _repeats(choice, history, oldest)]
        return self.ledger.record(fresh) if fresh else []

    def _lately_refused(self, customer: int, found: Sequence[Use], history: Sequence[Spoken]) -> Act | None:
        """The newest refusal by one tap of the last minutes that ended a yes which can come back."""
        oldest = self.clock.now() - timedelta(minutes=UNDO_MINUTES)
        taps = {_at(one): one for one in history if one.how.get("surface") == REFUSED and _refused(one) and _at(one) >= oldest}
        for at in sorted(taps, reverse=True):
            act = self._act(customer, found, history, REFUSED, at)
            if act is not None:
                return act
        return None

    def _pause(self, customer: int, found: Sequence[Use], history: Sequence[Spoken]) -> Act | None:
        """The newest pause, if there are answers that wait for its end."""
        moments = [_at(one) for one in history if one.how.get("surface") == PAUSED]
        return self._act(customer, found, history, PAUSED, moments[-1]) if moments else None

    def _act(self, customer: int, found: Sequence[Use], history: Sequence[Spoken], surface: str, at: datetime) -> Act | None:
        """What one tap refused, if something comes back."""
        noes = [one for one in history if one.how.get("surface") == surface and one.kind in DENYING and _at(one) == at]
        back = self._undone(customer, history, {one.seq for one in noes}, "fr").choices
        if not back:
            return None
        purposes = {choice.purpose for choice in back}
        return Act(
            seqs=tuple(sorted({int(choice.proof["undoes"]) for choice in back})),
            at=at,
            what=_refused(noes[0]) or EVERYTHING,
            back=tuple(use for use in found if use.purpose.id in purposes),
        )

    def _put_back(self, customer: int, act: Act, language: str) -> Undone:
        history = self.ledger.history(customer)
        noes = {one.seq for one in history if one.how and _at(one) == act.at and one.kind in DENYING}
        found = self._undone(customer, history, noes, language)
        if found.choices:
            self.ledger.record(list(found.choices))
        return found

    def _undone(self, customer: int, history: Sequence[Spoken], noes: set[int], language: str) -> Undone:
        with self.records.reading() as connection:
            ended = texts_ended(connection)
        return undo(customer, history, noes, self.terms, ended, surface=REFUSED, language=language)


def _at(one: Spoken) -> datetime:
    return datetime.fromisoformat(str(one.how["at"]))


def _proof(one: Spoken) -> Mapping[str, Any]:
    return one.how.get("proof") or {}


def _refused(one: Spoken) -> str:
    """What the tap refused that this no was part of; empty for a no that was said apart."""
    return str(_proof(one).get("refused", "")) if one.kind in DENYING else ""


def _against(one: Spoken) -> str:
    """The signal in sight of which a yes was said."""
    return str(_proof(one).get("against", "")) if one.kind in PERMITTING else ""


def _repeats(choice: Choice, history: Sequence[Spoken], today: str) -> bool:
    """Whether the last word about this use and recipient was the very same, of this person, here and today."""
    words = [one for one in history if one.purpose == choice.purpose and one.kind not in SILENT]
    about = [one for one in words if choice.recipient == ALL or one.recipient in (ALL, choice.recipient)]
    if not about or about[-1].recipient not in (ALL, choice.recipient):
        return False
    last = about[-1]
    here = (last.how.get("surface"), last.how.get("actor"), last.day) == (choice.surface, THE_PERSON, today)
    if choice.kind in PERMITTING:
        return here and last.kind in PERMITTING and last.text == choice.text
    return here and last.kind in DENYING


def _signalled(found: Sequence[Use], history: Sequence[Spoken]) -> Signalled | None:
    last = {one.purpose: one for one in history if one.kind not in SILENT}
    days = {purpose: one.day for purpose, one in last.items() if one.how.get("surface") == SIGNAL}
    return Signalled(max(days.values()), tuple(use for use in found if use.purpose.id in days)) if days else None
