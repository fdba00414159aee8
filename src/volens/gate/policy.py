"""May this actor use these fields for this purpose and this recipient, for this customer? Pure: no database, no clock.

Rules:
1. No unless yes. Whatever is absent, unknown, expired, invalidated or not told in the accepted text is no.
2. Deny beats allow, and every verdict says why, in words that a page can show.
3. The same function shows a control and enforces it. `gate.reads` is its set-wise form; a test holds the two equal.
4. One polarity: only who permits is known here. Nobody keeps a list of who refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from volens.errors import Refused
from volens.permissions.state import Permission

YES: Mapping[str, frozenset[str]] = {
    "consent": frozenset({"given", "renewed"}),
    "legitimate-interest": frozenset({"notified"}),
    "contract": frozenset({"joined"}),
    "legal-obligation": frozenset(),
}
"""How a permission comes into being, for each lawful basis. A yes of another kind is none: silence under legitimate interest
does not become consent when the basis changes."""
FREE_OF_CHOICE = frozenset({"legal-obligation"})
"""Bases for which the law, not the person, decides. The read is recorded like any other."""


@dataclass(frozen=True)
class ReadRequest:
    """What somebody wants to read, and what for. Days are the store's; `end` is not included."""

    actor: str
    purpose: str
    recipient: str
    fields: tuple[str, ...]
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("a read covers at least one day")
        if not self.actor or not self.fields:
            raise ValueError("a read names its actor and its fields")


@dataclass(frozen=True)
class PurposeRule:
    """What the gate must know of a purpose; made from the programme by `app`."""

    basis: str
    fields: frozenset[str]
    recipients: frozenset[str]
    waiting_days: int
    """For legitimate interest: days between being told and being used."""
    renew_months: int | None
    texts: Mapping[str, TextRule]
    closed: frozenset[str] = frozenset()
    """Recipients to whom nothing goes for it, since more went than people were told (`volens.told`)."""


@dataclass(frozen=True)
class TextRule:
    """What one text told people, and whether it still counts."""

    recipients: frozenset[str]
    fields: frozenset[str]
    valid_from: date
    invalidated_on: date | None
    keep_months: int | None
    """How long purchases may be used under it: the shortest of all countries. None: no period was told."""

    def valid(self, day: date) -> bool:
        """Whether a yes under this text still counts on `day`."""
        return self.valid_from <= day and (self.invalidated_on is None or day < self.invalidated_on)


Rulebook = Mapping[str, PurposeRule]
"""The purposes of the programme, by id."""


def without_texts(rules: Rulebook, ended: Collection[str]) -> Rulebook:
    """The rules after some texts were invalidated in one operation: no yes under them counts on any day."""
    if not ended:
        return rules
    return {
        name: replace(
            rule,
            texts={text: replace(told, invalidated_on=date.min) if text in ended else told for text, told in rule.texts.items()},
        )
        for name, rule in rules.items()
    }


def without_flows(rules: Rulebook, closed: Collection[tuple[str, str]]) -> Rulebook:
    """The rules after some flows, each a purpose and a recipient, were closed."""
    if not closed:
        return rules
    return {
        name: replace(rule, closed=frozenset(recipient for purpose, recipient in closed if purpose == name))
        for name, rule in rules.items()
    }


@dataclass(frozen=True)
class Verdict:
    """Yes or no, and why. A yes has the reason that it rests on."""

    allowed: bool
    reasons: tuple[str, ...]

    def require(self) -> None:
        """Raises `Refused` with the reasons unless this is a yes."""
        if not self.allowed:
            raise Refused(self.reasons, "Ask for what the programme declares, or change the programme: volens check.")


def decide(request: ReadRequest, permission: Permission | None, rules: Rulebook, today: date) -> Verdict:
    """The verdict for one customer, whose permission for this purpose and recipient is `permission`."""
    request_verdict = decide_request(request, rules, today)
    if not request_verdict.allowed:
        return request_verdict
    rule = rules[request.purpose]
    if rule.basis in FREE_OF_CHOICE:
        return Verdict(True, ("this use is required by law and needs no choice",))
    if permission is None:
        return Verdict(False, ("no choice is recorded for this purpose and recipient",))
    against = list(_against(request, permission, rule, today))
    if against:
        return Verdict(False, tuple(against))
    return Verdict(True, (f"{permission.kind} on {permission.day.isoformat()} under the text {permission.text}",))


def decide_request(request: ReadRequest, rules: Rulebook, today: date) -> Verdict:
    """The part of the verdict that is the same for every customer."""
    rule = rules.get(request.purpose)
    if rule is None:
        return Verdict(False, (f"the purpose {request.purpose!r} is not declared",))
    against = []
    if request.recipient not in rule.recipients:
        against.append(f"{request.recipient!r} is not a declared recipient of {request.purpose!r}")
    if request.recipient in rule.closed:
        against.append(f"what goes to {request.recipient!r} for {request.purpose!r} is stopped: more went than people were told")
    undeclared = sorted(set(request.fields) - rule.fields)
    if undeclared:
        against.append(f"the purpose {request.purpose!r} may not read: {', '.join(undeclared)}")
    if rule.basis not in FREE_OF_CHOICE and not against and not usable_texts(request, rule, today):
        against.append("no text in force tells people of this recipient, these fields and purchases that old")
    return Verdict(not against, tuple(against) or ("declared",))


def usable_texts(request: ReadRequest, rule: PurposeRule, today: date) -> tuple[str, ...]:
    """The texts under which a yes covers this request: valid, naming the recipient, telling every field."""
    return tuple(
        sorted(
            name
            for name, text in rule.texts.items()
            if text.valid(today)
            and request.recipient in text.recipients
            and set(request.fields) <= text.fields
            and (text.keep_months is None or request.start >= accepted_from(text.keep_months, today))
        )
    )


@dataclass(frozen=True)
class Cover:
    """What a standing yes must be to cover a request today: the set-wise half of `decide`."""

    texts: tuple[str, ...]
    kinds: frozenset[str]
    notified_until: date
    accepted_from: date | None


def cover(request: ReadRequest, rule: PurposeRule, today: date) -> Cover:
    """The conditions on a permission, without the customer."""
    oldest = None if rule.renew_months is None else accepted_from(rule.renew_months, today)
    return Cover(usable_texts(request, rule, today), YES[rule.basis], notified_until(rule, today), oldest)


def _against(request: ReadRequest, permission: Permission, rule: PurposeRule, today: date) -> Iterable[str]:
    if (permission.purpose, permission.recipient) != (request.purpose, request.recipient):
        yield "the choice is about another purpose or recipient"
    if permission.kind not in YES[rule.basis] and permission.permits:
        yield f"{permission.kind!r} is not how {rule.basis} comes into being"
    if not permission.permits:
        yield f"the last word was {permission.kind!r}, on {permission.day.isoformat()}"
    if permission.text not in usable_texts(request, rule, today):
        yield f"the accepted text {permission.text!r} does not cover this recipient and these fields, or no longer counts"
    if permission.kind == "notified" and permission.day > notified_until(rule, today):
        yield f"people have {rule.waiting_days} days to object after they were told"
    if rule.renew_months is not None and permission.day < accepted_from(rule.renew_months, today):
        yield f"the yes is older than {rule.renew_months} months"


def counts(permission: Permission, rules: Rulebook, today: date) -> bool:
    """Whether a yes counts today for anything at all: the part of `decide` that no request is needed for."""
    rule = rules.get(permission.purpose)
    text = rule.texts.get(permission.text) if rule is not None else None
    if rule is None or text is None or not text.valid(today) or permission.recipient in rule.closed:
        return False
    if permission.recipient not in text.recipients & rule.recipients:
        return False
    if permission.kind not in YES[rule.basis] or not permission.permits:
        return False
    if permission.kind == "notified" and permission.day > notified_until(rule, today):
        return False
    return rule.renew_months is None or permission.day >= accepted_from(rule.renew_months, today)


def tells_no_more(text: str, other: str, rules: Rulebook) -> bool:
    """Whether nothing can be done under the first text, and no longer, that cannot be done under the second."""
    if text == other:
        return True
    told = {name: one for rule in rules.values() for name, one in rule.texts.items() if name in (text, other)}
    if len(told) < 2:
        return False
    less, more = told[text], told[other]
    return (
        less.fields <= more.fields
        and (more.keep_months is None or (less.keep_months is not None and less.keep_months <= more.keep_months))
        and (more.invalidated_on is None or (less.invalidated_on is not None and less.invalidated_on <= more.invalidated_on))
    )


def notified_until(rule: PurposeRule, today: date) -> date:
    """The last day on which somebody must have been told, for the waiting period to be over."""
    return today - timedelta(days=rule.waiting_days)


def accepted_from(renew_months: int, today: date) -> date:
    """The first day of acceptance that still counts: `renew_months` calendar months back, the last day of a short month."""
    months = today.year * 12 + today.month - 1 - renew_months
    year, month = divmod(months, 12)
    day = today.day
    while True:
        try:
            return date(year, month + 1, day)
        except ValueError:
            day -= 1
