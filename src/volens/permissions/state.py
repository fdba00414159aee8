"""What is permitted, as a pure fold of what was said. No database, no clock, no settings.

Rules:
1. Only `given`, `renewed`, `notified` and `joined` permit. Every other kind, and no event at all, is no.
2. For each purpose and recipient the highest seq wins, and within one event of many rows the last of them.
3. A yes for all covers exactly the recipients that its text names. A no for all covers every recipient of the purpose
   about whom anything was ever said, and those that its text names: nobody is left permitted by a change of text.
4. `requested` and `deferred` record that a question was put or left open. They decide nothing: being asked again does
   not undo a yes, and a question without an answer is no.
5. What was imported ranks by the day on which it was said, wherever it stands in the ledger. It takes the place only of what
   was said on an earlier day; on the same day a no takes the place of a yes and nothing else changes. Days, not instants:
   only the day is in the open part for ever. Who is asked by accident once more loses nothing; a yes that outlives a no does.
6. A no for all is also kept as such, under `ALL`. It is what an imported yes to somebody new is measured against: no row
   stands yet for that recipient, and still everybody was refused after that yes was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

ALL = "*"

PERMITTING = frozenset({"given", "renewed", "notified", "joined"})
DENYING = frozenset({"refused", "withdrawn", "revoked", "objected", "expired", "invalidated"})
SILENT = frozenset({"requested", "deferred"})
KINDS = PERMITTING | DENYING | SILENT

DPV_STATUS = {
    "requested": "ConsentRequested",
    "deferred": "ConsentRequestDeferred",
    "refused": "ConsentRefused",
    "given": "ConsentGiven",
    "renewed": "RenewedConsentGiven",
    "withdrawn": "ConsentWithdrawn",
    "revoked": "ConsentRevoked",
    "objected": "ConsentWithdrawn",
    "notified": "ConsentGiven",
    "joined": "ConsentGiven",
    "expired": "ConsentExpired",
    "invalidated": "ConsentInvalidated",
}
"""Each kind has one status of the W3C Data Privacy Vocabulary. For bases other than consent it is the nearest one."""


@dataclass(frozen=True)
class Said:
    """One choice, as the fold needs it."""

    seq: int
    customer: int
    purpose: str
    recipient: str
    """An entity's id, or `ALL`."""
    kind: str
    text: str
    day: date
    """The legal day in the person's country: of the recording, or for what was imported of the saying."""
    imported: bool = False
    place: int = 0
    """Among the rows of one event."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of choice {self.kind!r}")


@dataclass(frozen=True)
class Permission:
    """What stands between one customer, one purpose and one recipient."""

    customer: int
    purpose: str
    recipient: str
    kind: str
    text: str
    day: date
    seq: int

    @property
    def permits(self) -> bool:
        """Whether the last decided word was a yes. The gate asks more than this before it opens."""
        return self.kind in PERMITTING


Standing = Mapping[str, Permission]
"""One customer's permissions for one purpose, by recipient."""


def apply(standing: Standing, said: Said, named: frozenset[str]) -> dict[str, Permission]:
    """The permissions after one more choice. `named` are the recipients that the choice's text names."""
    after = dict(standing)
    for recipient in covered(standing, said, named):
        if _takes_the_place(said, recipient, standing):
            after[recipient] = Permission(
                said.customer, said.purpose, recipient, said.kind, said.text, said.day, said.seq
            )
    return after


def _takes_the_place(said: Said, recipient: str, standing: Standing) -> bool:
    """Whether a choice becomes the last word between its customer and one recipient that it covers."""
    before = standing.get(recipient)
    if before is not None and (before.seq > said.seq or said.kind in SILENT):
        return False
    if not said.imported or said.kind in SILENT:
        return True
    if said.kind in PERMITTING:
        everybody = standing.get(ALL)
        return all(rival is None or rival.kind in SILENT or rival.day < said.day for rival in (before, everybody))
    return (
        before is None
        or before.kind in SILENT
        or before.day < said.day
        or (before.day == said.day and before.kind in PERMITTING)
    )


def covered(standing: Standing, said: Said, named: frozenset[str]) -> frozenset[str]:
    """The recipients that one choice is about."""
    if said.recipient == ALL:
        return named | frozenset(standing) | {ALL} if said.kind in DENYING else named
    if said.kind in PERMITTING and said.recipient not in named:
        # A yes to somebody whom the text does not name was given to nobody.
        return frozenset()
    return frozenset({said.recipient})


def fold(history: Iterable[Said], named: Mapping[str, frozenset[str]]) -> dict[tuple[int, str], dict[str, Permission]]:
    """Everything that stands after a history, by (customer, purpose). `named` maps texts to their recipients.

    A text that `named` does not know names nobody, so a yes under it permits nothing.
    """
    standing: dict[tuple[int, str], dict[str, Permission]] = {}
    for said in sorted(history, key=lambda one: (one.seq, one.place)):
        key = (said.customer, said.purpose)
        standing[key] = apply(standing.get(key, {}), said, named.get(said.text, frozenset()))
    return standing
