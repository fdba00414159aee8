"""Whether an offer can be joined, whether an act counts, what ends: pure, each with its reasons.

Rules:
1. Used to show and to enforce: what a page says is what joining and counting do.
2. While an offer is stopped in a country nobody new joins. Whoever had done a part of it goes on to her last day as before. Of
   everybody else, what was done up to the day of the stop counts, also if it is reported later; what is done after it does not.
3. The last day is that of the accepted version, whatever came after. What is reported up to `GRACE_DAYS` later still counts.
4. What is earned is not asked about again: nothing here takes anything back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from volens.errors import NotNow
from volens.offering.store import Participation
from volens.offering.version_store import Country
from volens.offering.workflow import CLOSED, ENDED, LAUNCHED, OPEN, RESUMING, STOPPED, SUSPENDED
from volens.offers.document import Offer

GRACE_DAYS = 14
"""How long after the last day an act of before it may be reported."""
REPORTED_DAYS_MAX = 120
"""How old an act may be that is reported."""


@dataclass(frozen=True)
class Reason:
    """One reason why not, by a word that pages know, and what belongs into its sentence."""

    code: str
    says: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence, in English."""
        return SENTENCES[self.code].format(**self.says)

    def to_dict(self) -> dict[str, str]:
        """For machines."""
        return {"reason": self.code, "text": self.text}


@dataclass(frozen=True)
class Verdict:
    """Yes, or every reason why not."""

    reasons: tuple[Reason, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is none."""
        return not self.reasons

    @property
    def codes(self) -> tuple[str, ...]:
        """The reasons as words."""
        return tuple(one.code for one in self.reasons)

    def require(self, what: str) -> None:
        """`NotNow` with every reason, if there is one."""
        if self.reasons:
            raise NotNow(what, " ".join(one.text for one in self.reasons))


SENTENCES: Mapping[str, str] = {
    "no-version": "No version of it is in force.",
    "other-country": "It is not made in this country.",
    "not-launched": "It is not launched in this country.",
    "suspended": "It is suspended in this country since {day}.",
    "ended": "It ended in this country on {day}.",
    "not-begun": "It starts on {day}.",
    "over": "Its last day was {day}.",
    "budget": "The money that was set aside for it is given out.",
    "not-open": "Nothing is to be done there any more.",
    "before-joining": "This was before she took part.",
    "after-end": "This was after the last day, {day}.",
    "ahead": "This day lies ahead.",
    "too-old": "This is too long ago to be reported.",
    "stopped": "The offer was stopped on {day}, and nothing had been done before.",
    "nobody": "Nobody by this takes part in it.",
    "other-act": "The offer is for something else.",
    "again": "This was counted before.",
}
"""In English, for machines and the command line; pages have words of their own by the same keys."""


def opening(offer: Offer | None, country: str, where: Country | None, on: date, left_cents: int | None = None) -> Verdict:
    """Whether somebody can join a version in a country on a day. `left_cents`: what is left of its budget, if it is known."""
    found = []
    if offer is None:
        found.append(Reason("no-version"))
    elif country not in offer.countries:
        found.append(Reason("other-country"))
    state = where.state if where is not None else CLOSED
    if state != LAUNCHED:
        word = {CLOSED: "not-launched", ENDED: "ended", SUSPENDED: "suspended", RESUMING: "suspended"}[state]
        found.append(Reason(word, {"day": where.day if where is not None else ""}))
    if offer is not None:
        if on < offer.starts:
            found.append(Reason("not-begun", {"day": offer.starts.isoformat()}))
        if offer.ends is not None and on > offer.ends:
            found.append(Reason("over", {"day": offer.ends.isoformat()}))
        if left_cents is not None and left_cents < offer.reward.amount.cents:
            found.append(Reason("budget"))
    return Verdict(tuple(found))


def counting(one: Participation, offer: Offer, where: Country | None, on: date, today: date) -> Verdict:
    """Whether something that was done on a day counts for a participation."""
    found = []
    if one.state != OPEN:
        found.append(Reason("not-open"))
    if on < date.fromisoformat(one.joined):
        found.append(Reason("before-joining"))
    if offer.ends is not None and on > offer.ends:
        found.append(Reason("after-end", {"day": offer.ends.isoformat()}))
    if on > today:
        found.append(Reason("ahead"))
    if today - on > timedelta(days=REPORTED_DAYS_MAX):
        found.append(Reason("too-old"))
    if where is not None and where.state in STOPPED and not one.done and on > date.fromisoformat(where.day):
        found.append(Reason("stopped", {"day": where.day}))
    return Verdict(tuple(found))


def over(one: Participation, offer: Offer, where: Country | None, today: date) -> bool:
    """Whether nothing can be counted any more for an open participation: its reward goes back to the budget."""
    grace = timedelta(days=GRACE_DAYS)
    if offer.ends is not None and today > offer.ends + grace:
        return True
    gone = where is not None and where.state == ENDED and not one.done
    return gone and where is not None and today > date.fromisoformat(where.day) + grace
