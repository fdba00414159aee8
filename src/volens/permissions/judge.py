"""May this line of an import become a choice? A row, or the reason why not. Pure.

Rules:
1. Every line shows how it came to be: which text, when, where. What cannot show it is never a yes, and waits in quarantine.
2. A yes counts only under the text that was in force in the person's country on the day when it was said, in a language in
   which that text exists, and to recipients whom it names.
3. A no needs no text. It needs its time like every line, for without it nobody can tell whether it came before or after a yes.
4. A line with a payment-card number or an IBAN anywhere in it is refused first, and nothing of it is kept. Excused is the number
   of a card by which a customer is known: it is the shop's own.
5. The house's own acts (`expired`, `invalidated`) cannot be imported: they follow from the choices.
5. A yes that is older than the last erasure before its card was met may be that of somebody who was erased and came back. Nobody
   can tell, since no store leads from the erased to a card; so it waits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

from volens.clock import legal_day
from volens.permissions.layout import Line, Mapped, instant
from volens.permissions.ledger import Terms
from volens.permissions.state import ALL, KINDS, PERMITTING

OF_THE_HOUSE = frozenset({"expired", "invalidated"})

PAYMENT = "payment-number"
"""The reason of lines of which nothing is kept but their place."""
REASONS = MappingProxyType(
    {
        PAYMENT: "a payment-card number or an IBAN stands in the line; nothing of the line was kept",
        "unreadable-line": "the line does not have as many columns as the header, or is not a JSON object",
        "missing-account": "neither a card number nor an e-mail",
        "unknown-customer": "no customer is known by that card or e-mail; ingest the customer master first",
        "unknown-purpose": "the programme has no such purpose",
        "no-choice": "the purpose rests on a legal obligation: there is nothing to choose",
        "unknown-kind": "not a kind of choice that people make; say in the mapping what the file's words mean",
        "wrong-basis": "the purpose's lawful basis does not know this kind of yes",
        "unreadable-time": "no time, or one that cannot be read, or without its zone: nobody can tell what came first",
        "future-time": "the time lies in the future",
        "missing-surface": "it is not said where the choice was made",
        "missing-text": "a yes that does not say which text was shown",
        "unknown-text": "the programme has no such text for this purpose",
        "text-not-in-force": "the text was not the one in force on that day",
        "text-invalidated": "the text was invalidated: no yes under it counts",
        "unknown-language": "the text does not exist in that language, so nobody can have accepted it",
        "too-young": "the person is too young for this yes; a parent's is recorded with volens permit --by parent",
        "older-than-an-erasure": "the card was met after somebody had been erased, and this yes is older: it may be hers; ask anew",
    "card-moved": "purchases of a card that moved still stand under this number; run volens customer relabel first",
        "unknown-recipient": "no text of the purpose, or not this one, names that recipient",
    }
)


_WORDS = ("purpose", "recipient", "kind", "text", "language", "surface")


@dataclass(frozen=True)
class Imported:
    """A line that becomes a choice. `how` is sealed under the person's key."""

    line: int
    customer: int
    purpose: str
    recipient: str
    kind: str
    text: str
    day: str
    how: Mapping[str, Any]


@dataclass(frozen=True)
class Judge:
    """What the lines of one import are judged by."""

    terms: Terms
    mapped: Mapped
    now: datetime
    ended: Collection[str]
    """Texts that were invalidated."""
    payment: Callable[[str], bool]
    """Whether a payment number stands anywhere in a text."""

    def account(self, line: Line) -> tuple[str, str] | None:
        """Kind and value of the account that a line names."""
        said = line.said or {}
        for kind in ("card", "email"):
            value = str(said.get(kind) or self.mapped.constants.get(kind) or "").strip()
            if value:
                return kind, value
        return None

    def judge(self, line: Line, customer: int | None, country: str, erased_until: date | None = None) -> Imported | str:
        """The choice, or the key of the reason against it in `REASONS`.

        `erased_until`: the day of the last erasure before the line's account was met, if there was one.
        """
        if self.payment(self._all_words(line, customer is not None)):
            return PAYMENT
        if line.said is None:
            return "unreadable-line"
        if customer is None:
            return "unknown-customer" if self.account(line) is not None else "missing-account"
        said = {name: self._word(line.said, name) for name in _WORDS}
        purpose, kind = said["purpose"], self.mapped.kinds.get(said["kind"], said["kind"])
        known = self.terms.kinds.get(purpose)
        if not known:
            return "unknown-purpose" if known is None else "no-choice"
        if kind not in KINDS or kind in OF_THE_HOUSE:
            return "unknown-kind"
        if kind not in known:
            return "wrong-basis"
        time = line.said.get("time") or self.mapped.constants.get("time")
        at = instant(time, self.mapped.zone)
        if at is None:
            return "unreadable-time"
        if at > self.now:
            return "future-time"
        if not said["surface"]:
            return "missing-surface"
        recipient, day = said["recipient"] or ALL, legal_day(at, country)
        text = f"{purpose}/{said['text']}" if said["text"].isdigit() else said["text"]
        against = self._against_text(purpose, kind, recipient, text, said["language"], day)
        if against:
            return against
        if kind in PERMITTING and erased_until is not None and day <= erased_until:
            return "older-than-an-erasure"
        how = {
            "at": at.astimezone(UTC).isoformat(),
            "language": said["language"],
            "surface": said["surface"],
            "actor": self._word(line.said, "actor") or "the person",
            "proof": {"reference": reference} if (reference := self._word(line.said, "proof")) else {},
        }
        stands_under = text or self.terms.current.get(purpose) or self._newest.get(purpose, "")
        return Imported(line.number, customer, purpose, recipient, kind, stands_under, day.isoformat(), how)

    def _against_text(self, purpose: str, kind: str, recipient: str, text: str, language: str, day: date) -> str | None:
        if text and (text not in self.terms.texts or text.split("/")[0] != purpose):
            return "unknown-text"
        if kind in PERMITTING:
            if not text:
                return "missing-text"
            if self.terms.in_force(purpose, day) != text:
                return "text-not-in-force"
            if text in self.ended:
                return "text-invalidated"
            if language not in self.terms.languages[text]:
                return "unknown-language"
            if recipient != ALL and recipient not in self.terms.texts[text]:
                return "unknown-recipient"
        elif recipient != ALL and recipient not in self._ever_named.get(purpose, frozenset()):
            return "unknown-recipient"
        return None

    def _all_words(self, line: Line, known: bool) -> str:
        """Everything that the line says, one below the other, but the card by which the customer is known."""
        account = self.account(line)
        own = account is not None and known and account[0] == "card"
        said = {**self.mapped.constants, **(line.said or {})}
        words = [str(word) for name, word in said.items() if word is not None and not (own and name == "card")]
        return "\n".join([*words, line.beside])

    def _word(self, said: Mapping[str, Any], name: str) -> str:
        value = said.get(name)
        if value is None or value == "":
            value = self.mapped.constants.get(name, "")
        return value.strip() if isinstance(value, str) else str(value).strip()

    @cached_property
    def _ever_named(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for text, names in self.terms.texts.items():
            purpose = text.split("/")[0]
            found[purpose] = found.get(purpose, frozenset()) | names
        return found

    @cached_property
    def _newest(self) -> dict[str, str]:
        """The last text of each purpose: what a no without a text is filed under when none is in force."""
        return {text.split("/")[0]: text for text in self.terms.texts}


