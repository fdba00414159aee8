"""How a licence, an item, a use and a take-down move, and what stands against a use. Pure.

Rules:
1. A step that `…_STEPS` does not name is not taken; `None` is what has not begun.
2. Nothing is handed out unless everything speaks for it: `against` gives every reason that does not, and an unknown value is one.
3. A deadline counts calendar days from the legal day on which it began. Sundays and holidays do not make it longer: what people
   read is “3 days at most”, and a website can be changed on any day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from volens.errors import NotNow
from volens.offers.document import Licence, Medium, Purpose

GIVEN, REFUSED, WITHDRAWN, EXPIRED = "given", "refused", "withdrawn", "expired"
ADDED, APPROVED, DELETED = "added", "approved", "deleted"
PLANNED, HANDED, PUBLISHED, DOWN, CANCELLED = "planned", "handed", "published", "down", "cancelled"
OPEN, PROVEN = "open", "proven"
CHOSEN, DONE = "chosen", "done"

Steps = Mapping[str | None, frozenset[str]]
LICENCE_STEPS: Steps = {
    None: frozenset({GIVEN, REFUSED}),
    GIVEN: frozenset({GIVEN, WITHDRAWN, EXPIRED}),  # again, under the next version of the offer
    REFUSED: frozenset({GIVEN}),
    WITHDRAWN: frozenset({GIVEN}),
    EXPIRED: frozenset({GIVEN, REFUSED}),
}
ITEM_STEPS: Steps = {
    None: frozenset({ADDED}),
    ADDED: frozenset({APPROVED, DELETED}),
    APPROVED: frozenset({APPROVED, DELETED}),  # again, under the next version that she accepted
    DELETED: frozenset(),
}
USE_STEPS: Steps = {
    None: frozenset({PLANNED}),
    PLANNED: frozenset({HANDED, CANCELLED}),
    HANDED: frozenset({HANDED, PUBLISHED, DOWN}),
    PUBLISHED: frozenset({PUBLISHED, DOWN}),  # handed out again, for the same place
    DOWN: frozenset(),
    CANCELLED: frozenset(),
}
TAKEDOWN_STEPS: Steps = {None: frozenset({OPEN}), OPEN: frozenset({PROVEN}), PROVEN: frozenset()}
INSTEAD_STEPS: Steps = {None: frozenset({CHOSEN}), CHOSEN: frozenset({DONE}), DONE: frozenset()}
OUT = frozenset({HANDED, PUBLISHED})
"""States of a use in which something of hers is in somebody's hands."""


def step(steps: Steps, before: str | None, after: str) -> None:
    """`NotNow` if this step is not one."""
    if after not in steps[before]:
        raise NotNow(f"What is {before or 'not there'} does not become {after}.", "Look at it again; somebody may have been faster.")


@dataclass(frozen=True)
class Stands:
    """What there is at the door, read under the lock."""

    licence: Licence
    """Of the version that the person accepted."""
    version: int
    choice: str | None
    """Her last word about the purpose."""
    item: str | None
    """The state of the item, and"""
    item_kind: str
    item_version: int | None
    """the version under which she approved it."""
    use: str | None
    told: date | None
    """The legal day on which she was told of this use."""
    ticket: bool = False
    """Whether it has to come down, or did."""


@dataclass(frozen=True)
class Wish:
    """What a publisher wants to do with it."""

    purpose: str
    medium: str
    territory: str
    recipient: str | None
    """The legal name of who asks; none for the house itself."""
    on: date


def against(stands: Stands, wish: Wish) -> tuple[str, ...]:
    """Every reason why an item is not handed out for a use; none: it may be."""
    return (*not_licensed(stands, wish), *_not_approved(stands), *_not_told(stands, wish.on))


def not_licensed(stands: Stands, wish: Wish) -> tuple[str, ...]:
    """What of it stands against even planning the use."""
    return tuple(_not_licensed(stands, wish))


def _not_licensed(stands: Stands, wish: Wish) -> Iterator[str]:
    licence = stands.licence
    if stands.choice != GIVEN:
        yield f"the licence for this purpose is {stands.choice or 'not given'}"
    if wish.on < licence.starts:
        yield f"the licence starts on {licence.starts}"
    if licence.ends is None or wish.on > licence.ends:
        yield f"the licence ended on {licence.ends}"
    if wish.purpose not in licence.purposes or wish.purpose == Purpose.ANY:
        yield "the licence does not name this purpose"
    if wish.medium not in licence.media or wish.medium == Medium.ANY:
        yield "the licence does not name this medium"
    if wish.territory not in licence.territories:
        yield "the licence does not name this territory"
    if wish.recipient is not None and wish.recipient.casefold() not in {one.name.casefold() for one in licence.recipients}:
        yield "the licence does not name this recipient"
    if stands.item_kind not in licence.items:
        yield "the licence does not name this kind of item"


def not_approved(stands: Stands) -> tuple[str, ...]:
    """What stands against an item itself."""
    return tuple(_not_approved(stands))


def _not_approved(stands: Stands) -> Iterator[str]:
    if stands.item != APPROVED:
        yield "its person has not approved the item" if stands.item == ADDED else "the item is not there any more"
    elif stands.item_version != stands.version:
        yield "its person approved the item under another version of the offer"


def _not_told(stands: Stands, on: date) -> Iterator[str]:
    if stands.use not in (PLANNED, *OUT):
        yield f"this use is {stands.use or 'not planned'}"
    if stands.ticket:
        yield "this use has to come down"
    if stands.told is None:
        yield "its person has not been told of this use yet"
    elif on < (ready := ready_on(stands.told, stands.licence)):
        yield f"its person has until {ready} to look at it"


def ready_on(told: date, licence: Licence) -> date:
    """The first legal day on which a use may happen of which its person was told on a day."""
    return told + timedelta(days=licence.notice_days)


def due_on(ended: date, licence: Licence) -> date:
    """The last legal day on which something may still be up that had to come down from a day on."""
    return ended + timedelta(days=licence.withdrawal.effect_days)


def is_over(licence: Licence, today: date) -> bool:
    """Whether a licence has run out."""
    return licence.ends is None or today > licence.ends
