"""How an answer leaves the house: requested → drawn → approved by a second person → published.

Rules:
1. States are data: `TRANSITIONS` is the whole workflow, and whoever is not in it cannot happen.
2. Who requested a release does not approve it, and neither does who is not named: two people, always.
3. A state and its public event are one transaction.
4. What is published is the stored vector and nothing else; publishing again gives the same package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from volens.errors import BadInput, NotNow
from volens.evidence.merkle import canonical_json
from volens.holders import Database
from volens.releases import store
from volens.releases.store import Move, Stored

REQUESTED, DRAWN, APPROVED, PUBLISHED, DECLINED = "requested", "drawn", "approved", "published", "declined"

TRANSITIONS: Mapping[str, frozenset[str]] = {
    REQUESTED: frozenset({DRAWN, DECLINED}),
    DRAWN: frozenset({APPROVED, DECLINED}),
    APPROVED: frozenset({PUBLISHED, DECLINED}),
    PUBLISHED: frozenset(),
    DECLINED: frozenset({REQUESTED}),
}

SECOND_PERSON = frozenset({APPROVED, DECLINED})
"""Steps that who requested the release may not take. Who asks may not decide, in either direction."""


class Workflow:
    """Moves releases, one step at a time."""

    def __init__(self, records: Database) -> None:
        self._records = records

    def request(self, plan: str, supplier: str, pack: Mapping[str, Any], actor: str) -> Stored:
        """A release for a plan; the one that exists if there is one (a plan is drawn once and released once)."""
        _named(actor)
        with self._records.writing() as connection:
            store.hold(connection)
            known = store.for_plan(connection, plan)
            if known is not None and known.state == DECLINED:
                again = replace(known, state=REQUESTED)
                store.move(connection, again, actor, {})
                return again
            if known is not None:
                return known
            new = Stored(
                release=f"{supplier}-{plan[:8]}"[-32:],
                plan=plan,
                supplier=supplier,
                pack=canonical_json(dict(pack)).decode(),
                state=REQUESTED,
                certificate=None,
            )
            store.create(connection, new, actor)
        return new

    def drawn(self, release: str, actor: str) -> Stored:
        """The answer is stored; a second person may look at it."""
        return self._move(release, DRAWN, actor, {})[0]

    def approve(self, release: str, actor: str) -> Stored:
        """By a second person."""
        return self._move(release, APPROVED, actor, {})[0]

    def decline(self, release: str, actor: str) -> Stored:
        """By a second person, from any state before publication. What was charged stays charged."""
        return self._move(release, DECLINED, actor, {})[0]

    def publish(self, release: str, actor: str, certificate: str) -> tuple[Stored, int]:
        """Commits the certificate's hash to the public tree; returns the release and the event's seq."""
        return self._move(release, PUBLISHED, actor, {"certificate": certificate}, certificate)

    def find(self, release: str) -> Stored:
        """The release as it stands."""
        with self._records.reading() as connection:
            return store.find(connection, release)

    def all(self) -> list[Stored]:
        """Every release."""
        with self._records.reading() as connection:
            return store.everything(connection)

    def moves(self, release: str) -> list[Move]:
        """The steps that a release took, oldest first."""
        with self._records.reading() as connection:
            return store.moves_of(connection, release)

    def _move(
        self, release: str, to: str, actor: str, detail: Mapping[str, Any], certificate: str | None = None
    ) -> tuple[Stored, int]:
        _named(actor)
        with self._records.writing() as connection:
            store.hold(connection)
            stands = store.find(connection, release)
            asked = [move.actor for move in store.moves_of(connection, release) if move.state == REQUESTED]
            check_move(stands, to, actor, requested_by=asked[-1])
            moved = replace(stands, state=to, certificate=certificate or stands.certificate)
            seq = store.move(connection, moved, actor, detail)
        return moved, seq


def check_move(stands: Stored, to: str, actor: str, requested_by: str) -> None:
    """Raises `NotNow` with the reason unless this person may take this step now. Used to show and to enforce."""
    if to not in TRANSITIONS[stands.state]:
        possible = ", ".join(sorted(TRANSITIONS[stands.state])) or "nothing more"
        raise NotNow(
            f"The release {stands.release} is {stands.state} and cannot become {to}.", f"What can follow: {possible}."
        )
    if to in SECOND_PERSON and actor.strip().casefold() == requested_by.strip().casefold():
        raise NotNow(
            f"{actor} requested the release {stands.release} and so cannot decide on it.",
            "Ask a second person: volens report approve --by NAME",
        )


def _named(actor: str) -> None:
    if not actor.strip():
        raise BadInput("Who does this?", "Name a person with --by.")
