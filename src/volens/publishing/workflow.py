"""How a text comes into force: written → approved by one person → published by another.

Rules:
1. States are data: `TRANSITIONS` is the whole workflow, and whoever is not in it cannot happen.
2. Two people, always: one of marketing and one of data protection, in either order.
3. What is approved are the files as they were read. One more comma, and it is a text that nobody approved yet.
4. What is published stays: another wording is another version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from volens.errors import BadInput, NotNow

WRITTEN, APPROVED, DECLINED, PUBLISHED = "written", "approved", "declined", "published"

TRANSITIONS: Mapping[str, frozenset[str]] = {
    WRITTEN: frozenset({APPROVED, DECLINED}),
    APPROVED: frozenset({PUBLISHED, DECLINED}),
    DECLINED: frozenset({APPROVED}),
    PUBLISHED: frozenset(),
}

EVENTS: Mapping[str, str] = {APPROVED: "text-approved", DECLINED: "text-declined", PUBLISHED: "text"}
"""The public event of each step. A text of the first programme has the last alone."""

MARKETING, DPO = "marketing", "dpo"
ROLES = (MARKETING, DPO)
NAME_CHARACTERS_MAX = 120


@dataclass(frozen=True)
class Person:
    """A member of staff who acts, in one role."""

    name: str
    role: str

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > NAME_CHARACTERS_MAX:
            raise BadInput("Who does this?", f"Name a person, in at most {NAME_CHARACTERS_MAX} characters.")
        if self.role not in ROLES:
            raise BadInput(f"{self.role!r} has no say in what people are asked.", f"Act as one of: {', '.join(ROLES)}.")

    def is_same(self, name: str) -> bool:
        """Whether a name is this person's; nobody becomes two by a capital letter."""
        return self.name.strip().casefold() == name.strip().casefold()


@dataclass(frozen=True)
class Stands:
    """Where a text stands: its state, and who brought it there."""

    text: str
    state: str
    by: Person | None = None
    day: str = ""


def check_move(stands: Stands, to: str, person: Person) -> None:
    """Raises `NotNow` with the reason unless this person may take this step now. Used to show and to enforce."""
    if to not in TRANSITIONS[stands.state]:
        possible = ", ".join(sorted(TRANSITIONS[stands.state])) or "nothing more"
        raise NotNow(f"The text {stands.text} is {stands.state} and cannot become {to}.", f"What can follow: {possible}.")
    if to != PUBLISHED or stands.by is None:
        return
    if person.is_same(stands.by.name):
        raise NotNow(f"{person.name} approved the text {stands.text} and so cannot publish it.", "Ask a second person.")
    if person.role == stands.by.role:
        other = next(role for role in ROLES if role != person.role)
        raise NotNow(
            f"The text {stands.text} was approved by {stands.by.role}; {other} has not looked at it.",
            f"Ask somebody of {other} to publish it.",
        )
