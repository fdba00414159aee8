"""What stands between one customer and each use. Pure: programme, permissions and a day in, frozen values out.

Rules:
1. A use is shown as permitted exactly if the gate would let it happen today: `gate.policy.counts` says so for both.
2. Every use belongs to one of four groups. What another company receives of purchases stands under its own group whatever it is
   called, and a kind of use that nobody placed is advertising: nothing is hidden under "for me".
3. Passed on is what another company pays for or receives, recipient by recipient: nobody whom she refused is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from volens.gate.policy import Rulebook, counts
from volens.permissions.ages import Ages
from volens.permissions.state import SILENT, Permission
from volens.programme.model import Basis, Delivery, Programme, Purpose, Role, Text

ME, ADVERTISING, BRANDS, PHONE = "me", "advertising", "brands", "phone"
GROUPS = (ME, ADVERTISING, BRANDS, PHONE)
GROUP_OF = MappingProxyType(
    {
        "loyalty": ME, "order-delivery": ME, "onsite-personalisation": ME, "basket-reminder": ME,
        "special-category-inference": ME,
    }
)  # fmt: skip
"""The group of each kind of use that is not advertising, while nobody else receives anything."""
OTHERS = frozenset({Role.SUPPLIER, Role.PARTNER, Role.AD_NETWORK, Role.JOINT_CONTROLLER})
"""Who acts for themselves with what they receive."""
LIST, DATA, FIGURES, ATTENTION = "list", "data", "figures", "attention"
RECEIVED = (LIST, DATA, FIGURES, ATTENTION)
"""What another company gets: her purchases one by one, other data about her, figures; or nothing, and it pays for being shown."""
TOLD, SOLD_FIGURES, FREE_FIGURES = "told", "sold-figures", "free-figures"
DEEDS_MAX = 3
"""Beyond this many, what is done for her alone is left to its group."""


@dataclass(frozen=True)
class Use:
    """One purpose for one customer, today."""

    purpose: Purpose
    text: Text | None
    """The text that is shown when asking; none when nobody can be asked."""
    permitted: tuple[str, ...]
    """Recipients for whom it is permitted."""
    last: Permission | None
    """The newest word, whatever it was."""
    accepted: Text | None
    """The text that was accepted, if it is permitted."""
    closed: str | None
    """Why it cannot be permitted by this person: `minor` or `parent`; none if it can."""

    @property
    def yes(self) -> bool:
        """Whether anything may happen."""
        return bool(self.permitted)

    @property
    def answered(self) -> bool:
        """Whether anything was said; a question that was put or left open is no answer."""
        return self.last is not None and self.last.kind not in SILENT

    @property
    def refused(self) -> tuple[str, ...]:
        """Recipients to whom it is not permitted while it is to others: a plain yes would hide them."""
        return tuple(one for one in self.purpose.recipients if one not in self.permitted) if self.permitted else ()

    @property
    def payers(self) -> tuple[str, ...]:
        """Who pays: for what stands, and while nothing does, for the whole use."""
        return self.purpose.payers(self.permitted) if self.yes else self.purpose.paid_by

    @property
    def choosable(self) -> bool:
        """Whether there is something to say: what a contract or a law needs is not asked."""
        return self.purpose.basis in (Basis.CONSENT, Basis.LEGITIMATE_INTEREST)

    @property
    def since(self) -> date | None:
        """The day of the newest word."""
        return self.last.day if self.last is not None else None

    @property
    def waiting(self) -> bool:
        """Told, and the days to object are not over: not permitted yet, and it will be unless the person objects."""
        return self.last is not None and self.last.kind == "notified" and not self.yes


@dataclass(frozen=True)
class Group:
    """Some uses that belong together."""

    id: str
    uses: tuple[Use, ...]

    @property
    def asked(self) -> tuple[Use, ...]:
        """Those that a person decides about."""
        return tuple(use for use in self.uses if use.choosable)

    @property
    def yes(self) -> int:
        """How many are permitted."""
        return sum(use.yes for use in self.asked)

    @property
    def mixed(self) -> bool:
        """Whether one of them is permitted to some recipients only."""
        return any(use.refused for use in self.asked)


@dataclass(frozen=True)
class Passed:
    """What some companies get under standing yeses, all of them the same and on the same terms."""

    what: str
    """One of `RECEIVED`."""
    paid: bool
    group: str
    """For `ATTENTION`, the group of the use that is paid for; else empty."""
    who: tuple[str, ...]
    fields: tuple[str, ...]
    """The columns and details that it rests on, as they are declared."""
    purchases: bool
    """Whether purchases are used for it."""


def group_of(purpose: Purpose, programme: Programme) -> str:
    """Where a use is shown: the group that shows most of it."""
    if reads_purchases(purpose, programme) and shared(programme, purpose):
        return BRANDS
    found = {PHONE if kind.startswith("device-") else GROUP_OF.get(kind, ADVERTISING) for kind in purpose.covers}
    return next(group for group in (ADVERTISING, PHONE, ME) if group in found)


def uses(
    programme: Programme, rules: Rulebook, permissions: Sequence[Permission], today: date, ages: Ages,
    minor_until: date | None, country: str,
) -> tuple[Use, ...]:  # fmt: skip
    """Every declared use, in the programme's order."""
    found = []
    for purpose in programme.purposes.values():
        ours = [one for one in permissions if one.purpose == purpose.id]
        counted = [one for one in ours if counts(one, rules, today)]
        last = max(ours, key=lambda one: one.seq, default=None)
        standing = [text for text in programme.texts_of(purpose.id) if text.stands(today)]
        accepted = max(counted, key=lambda one: one.seq).text if counted else None
        closed = None
        if ages.closed_to_minors(purpose.id, minor_until, today):
            closed = "minor"
        elif ages.needs_parent(purpose.id, minor_until, country, today):
            closed = "parent"
        found.append(
            Use(
                purpose=purpose,
                text=standing[-1] if standing else None,
                permitted=tuple(sorted(one.recipient for one in counted)),
                last=last,
                accepted=programme.texts.get(accepted) if accepted else None,
                closed=closed,
            )
        )
    return tuple(found)


def groups(programme: Programme, of: Sequence[Use]) -> tuple[Group, ...]:
    """The four groups, each with its uses. What the law asks for stands apart and is in none."""
    asked = [use for use in of if use.purpose.basis is not Basis.LEGAL_OBLIGATION]
    return tuple(Group(id, tuple(use for use in asked if group_of(use.purpose, programme) == id)) for id in GROUPS)


def deeds(programme: Programme, of: Sequence[Use]) -> tuple[str, ...]:
    """What is done with somebody beside her card: groups, and what goes to others. Nothing that is paid for is missing."""
    found = {deed for use in of if use.yes and use.choosable for deed in _deeds(programme, use)}
    said = tuple(deed for deed in (TOLD, SOLD_FIGURES, FREE_FIGURES, ADVERTISING, PHONE, BRANDS, ME) if deed in found)
    return said if len(said) <= DEEDS_MAX or said[-1] != ME else said[:-1]


def _deeds(programme: Programme, use: Use) -> Iterator[str]:
    others = [one for one in use.permitted if programme.recipient(one).role in OTHERS]
    if use.purpose.delivers is Delivery.PERSONS and others:
        yield TOLD
    elif use.purpose.delivers is Delivery.STATISTICS:
        yield SOLD_FIGURES if use.payers else FREE_FIGURES
    elif use.payers or reads_purchases(use.purpose, programme):
        yield group_of(use.purpose, programme)


def passed_on(programme: Programme, of: Sequence[Use]) -> tuple[Passed, ...]:
    """What other companies pay for or receive of this customer today, what is paid for first."""
    found: dict[tuple[str, bool, str], list[tuple[Use, str]]] = {}
    for use in of:
        if use.yes and use.purpose.basis is not Basis.LEGAL_OBLIGATION:
            for key, who in _passed(programme, use):
                found.setdefault(key, []).append((use, who))
    order = sorted(found, key=lambda one: (not one[1], RECEIVED.index(one[0]), one[2]))
    return tuple(
        Passed(
            *key,
            who=tuple(dict.fromkeys(who for _, who in found[key])),
            fields=tuple(name for name in programme.fields if any(name in _passed_fields(use, key[0]) for use, _ in found[key])),
            purchases=any(reads_purchases(use.purpose, programme) for use, _ in found[key]),
        )
        for key in order
    )


def _passed(programme: Programme, use: Use) -> Iterator[tuple[tuple[str, bool, str], str]]:
    """For one use: each company outside, with what it gets and whether it pays."""
    bought = any(programme.categories[programme.fields[name].category].store == "purchases" for name in use.purpose.leaving)
    received = {Delivery.STATISTICS: FIGURES, Delivery.PERSONS: LIST if bought else DATA}
    receivers = [
        one for one in use.purpose.recipients
        if one in use.permitted and use.purpose.delivers is not Delivery.NOTHING and programme.recipient(one).role in OTHERS
    ]  # fmt: skip
    for one in receivers:
        yield (received[use.purpose.delivers], one in use.payers, ""), one
    for one in use.payers:
        if one not in receivers:
            yield (ATTENTION, True, group_of(use.purpose, programme)), one


def _passed_fields(use: Use, what: str) -> frozenset[str]:
    """What something that is passed on rests on: what leaves, where data do, else everything that is read."""
    return use.purpose.leaving if what in (LIST, DATA) else use.purpose.fields


def reads_purchases(purpose: Purpose, programme: Programme) -> bool:
    """Whether a use looks at what somebody bought."""
    return any(programme.categories[name].store == "purchases" for name in purpose.categories)


def shared(programme: Programme, purpose: Purpose) -> bool:
    """Whether a use sells to others or shares with them, who then act for themselves."""
    return purpose.delivers is not Delivery.NOTHING and any(programme.recipient(one).role in OTHERS for one in purpose.recipients)
