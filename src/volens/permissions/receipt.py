"""A receipt: one choice, as the person keeps it, with all that shows it is on the record. Checked by `evidence.verify`.

Rules:
1. A receipt is made of what is recorded and of nothing else: its `record` repeats the entry, the sealed rest and the public
   entry of the text. Lawful basis, periods and names come from the programme in force and are marked so (`declared`).
2. It is handed to the person alone: it opens what was sealed under her key. After erasure no new one can be made, and those
   that she holds still verify.
3. What would not verify is not handed out.
4. `since`: whoever holds an older receipt, package or witness's checkpoint is given the proof that today's log continues it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from volens.errors import BadInput, NotFound, Tampered, Unavailable
from volens.evidence import checkpoint as notes
from volens.evidence import groups, log
from volens.evidence.checkpoint import Checkpoint
from volens.evidence.groups import StoredRow
from volens.evidence.kept import KeptTree
from volens.evidence.log import EVENTS, PUBLIC, SALT_BYTES, Row
from volens.evidence.merkle import verify_inclusion
from volens.evidence.outside import Outside
from volens.evidence.verify import verify_bytes
from volens.evidence.verify_receipt import RECEIPT_FORMAT
from volens.holders import Database
from volens.permissions.state import ALL, DPV_STATUS, KINDS

if TYPE_CHECKING:
    from volens.programme.model import Programme

SCHEMA = "ISO/IEC TS 27560:2023, core fields"
TRIES = 5
"""The trees may be signed again between two looks; five times in a row they are not."""


class Opener(Protocol):
    """What receipts need of the vault."""

    def open(self, customer: int, sealed: bytes) -> bytes:
        """Decrypts what was sealed under the customer's key."""


@dataclass(frozen=True)
class Receipts:
    """The station that writes receipts. `sign` makes checkpoints of both trees and shows them to the witnesses."""

    programme: Programme
    records: Database
    outside: Outside
    people: Opener
    sign: Callable[[], object]
    address: str = ""

    def choices(self, customer: int) -> list[Row | StoredRow]:
        """Every choice of one customer, oldest first; the `seq` of each names its receipt, with its `place` where it has one."""
        with self.records.reading() as connection:
            alone = list(log.rows(connection, EVENTS, customer=customer, kinds=sorted(KINDS)))
            among = groups.of_customer(connection, customer)
        return sorted([*alone, *among], key=lambda row: (row.seq, place_of(row) or 0))

    def receipt(self, customer: int, seq: int, since: Path | bytes | None = None, place: int | None = None) -> bytes:
        """The receipt of one choice, as a JSON file. Signs the record first if the choice is younger than the newest checkpoint.

        since: an older package, receipt or checkpoint, by its path or as its bytes; the receipt then proves that today's log
        continues it. `Tampered` if that cannot be proven: the log of then is not the beginning of today's.
        place: of a row in an event of many (an import, an expiry), if this customer has several in it.
        """
        row = self._row(customer, seq, place)
        newest = self.outside.latest(EVENTS)
        if newest is None or newest.size <= seq or self._committing(newest) is None:
            self.sign()
        for _ in range(TRIES):
            found = self._assemble(row, since)
            if found is not None:
                return found
        raise Unavailable("The record was signed again at every look.", "Ask for the receipt again.")

    def _row(self, customer: int, seq: int, place: int | None) -> Row | StoredRow:
        found = [row for row in self.choices(customer) if row.seq == seq and (place is None or place_of(row) == place)]
        if not found:
            raise NotFound(f"Number {seq} is no choice of this customer.", "List them with: volens receipt, without --seq")
        if len(found) > 1:
            places = ", ".join(str(place_of(row)) for row in found)
            raise BadInput(f"Number {seq} holds several choices of this customer.", f"Say which with --place: {places}.")
        return found[0]

    def _assemble(self, row: Row | StoredRow, since: Path | bytes | None) -> bytes | None:
        """The receipt over the newest checkpoints; none if they changed while it was made."""
        events, public = self.outside.latest(EVENTS), self.outside.latest(PUBLIC)
        if events is None or public is None:
            raise Tampered("There are no checkpoints.", "Run: volens checkpoint")
        committing = self._committing(events)
        if committing is None or committing.seq >= public.size or row.seq >= events.size:
            return None
        text = self._text(row)
        if text.seq >= public.size:
            return None
        event, row_proof = self._event(row)
        private = self._private(row)
        salt = (self.outside.folder / EVENTS / f"{events.size}.salt").read_bytes()
        value: dict[str, Any] = {
            "format": RECEIPT_FORMAT,
            "house": self.programme.house,
            "record": self._record(row, private.get("value", {}), text.said()),
            "event": event.open_part(),
            "row": row_proof,
            "private": private or None,
            "proof": {**self._path(EVENTS, event, events), "checkpoint": self.outside.note(EVENTS, events.size)},
            "public": {
                "entry": committing.open_part(),
                "salt": salt.hex(),
                **self._path(PUBLIC, committing, public),
                "checkpoint": self.outside.note(PUBLIC, public.size),
            },
            "text": {"entry": text.open_part(), **self._path(PUBLIC, text, public)},
            "consistency": self._continuing(since, (events, public)),
            "key": self.outside.vkey,
            "address": self.address,
        }
        made = (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
        failed = [step for step in verify_bytes(made, since).steps if not step.ok]
        if failed:
            raise Tampered(f"The receipt would not verify: {failed[0].detail}.", "Run: volens audit")
        return made

    def _committing(self, events: Checkpoint) -> Row | None:
        """The public event that commits to this checkpoint of `events`; none if it is not there yet, or no longer the newest."""
        salt = self.outside.folder / EVENTS / f"{events.size}.salt"
        if not salt.is_file():
            return None
        with self.records.reading() as connection:
            newest = log.latest(connection, PUBLIC, "checkpoint")
        opened = log.commit_to({"checkpoint": events.text}, salt.read_bytes())
        return newest if newest is not None and newest.commitment == opened else None

    def _event(self, row: Row | StoredRow) -> tuple[Row, dict[str, Any] | None]:
        """The event of a choice; for one row of many also what shows that it is in it."""
        if isinstance(row, Row):
            return row, None
        with self.records.reading() as connection:
            event, proof = log.one(connection, EVENTS, row.seq), groups.row_proof(connection, row.seq, row.place)
        if event is None:
            raise Tampered(f"The event {row.seq} of a row is gone.", "Run: volens audit")
        return event, {"entry": dict(proof.row), "place": proof.place, "path": [step.hex() for step in proof.path]}

    def _text(self, row: Row | StoredRow) -> Row:
        """The public event that fixed the text under which the choice was made."""
        with self.records.reading() as connection:
            texts = [one for one in log.rows(connection, PUBLIC, kinds=["text"]) if one.text == row.text]
        if texts:
            return texts[0]
        raise Tampered(f"The text {row.text} is not on the public record.", "Run: volens audit")

    def _private(self, row: Row | StoredRow) -> dict[str, Any]:
        """The sealed rest with its salt. Nothing for what has none (an expiry); `NotFound` after erasure."""
        if row.sealed is None or row.customer is None:
            return {}
        plain = self.people.open(row.customer, row.sealed)
        return {"salt": plain[:SALT_BYTES].hex(), "value": json.loads(plain[SALT_BYTES:])}

    def _path(self, tree: str, row: Row, state: Checkpoint) -> dict[str, Any]:
        """The path of a row to a signed root. Kept nodes are believed only if it leads there."""
        kept = self.outside.tree(tree)
        path = _try(lambda: kept.inclusion(row.seq, state.size))
        if not verify_inclusion(row.leaf, row.seq, state.size, path, state.root):
            kept.rebuild(state.size)
            path = kept.inclusion(row.seq, state.size)
        return {"index": row.seq, "inclusion": [step.hex() for step in path]}

    def _continuing(self, since: Path | bytes | None, states: Sequence[Checkpoint]) -> list[dict[str, Any]]:
        """Proofs that the states continue those of an older file."""
        if since is None:
            return []
        older = older_states(since, self.outside.vkey)
        proofs = []
        for then in older:
            for state in states:
                if state.origin != then.origin:
                    continue
                if then.size > state.size:
                    raise Tampered(f"The file is of {then.size} events, and here are {state.size}.", "Run: volens audit")
                tree = state.origin.rsplit("/", 1)[-1]
                path = self._tree(state).consistency(then.size, state.size)
                proofs.append({"tree": tree, "from": then.size, "proof": [step.hex() for step in path]})
        if not proofs:
            raise BadInput(f"{_named(since)} is not of this house's log.", "Give an older receipt, package or checkpoint of it.")
        return proofs

    def _tree(self, state: Checkpoint) -> KeptTree:
        return self.outside.tree(state.origin.rsplit("/", 1)[-1])

    def _record(self, row: Row | StoredRow, private: Mapping[str, Any], text: Mapping[str, Any]) -> dict[str, Any]:
        """The core fields of ISO/IEC TS 27560, in its names. Under `declared`: what no entry holds."""
        purpose = self.programme.purposes.get(str(row.purpose))
        language = private.get("language")
        controller = self.programme.controllers.get(purpose.controller) if purpose is not None else None
        return {
            "schema_version": SCHEMA,
            "record_id": f"{self.programme.house}/events/{row.seq}" + (f"/{row.place}" if isinstance(row, StoredRow) else ""),
            "pii_principal_id": str(row.customer),
            "language": language,
            "collection_method": private.get("surface"),
            "privacy_notice": {"id": row.text, "sha256": text["bodies"].get(language)},
            "purposes": [
                {
                    "purpose": row.purpose,
                    "pii_information": text["fields"],
                    "recipient_third_parties": text["recipients"] if row.recipient == ALL else [row.recipient],
                }
            ],
            "event": [
                {
                    "event_type": row.kind,
                    "event_state": DPV_STATUS[row.kind],
                    "event_time": private.get("at", row.day),
                    "entity_id": private.get("actor"),
                }
            ],
            "declared": {
                "lawful_basis": purpose.basis.value if purpose is not None else None,
                "pii_controllers": [{"party_name": controller.legal_name}] if controller is not None else [],
                "retention_period_months": dict(purpose.keep_months) if purpose is not None else {},
                "withdrawal_method": "as easily as it was given: at the place where it was given, or any other of the shop's",
            },
        }


def place_of(row: Row | StoredRow) -> int | None:
    """The place of a row in its event; none for an event of its own."""
    return row.place if isinstance(row, StoredRow) else None


def older_states(since: Path | bytes, key: str) -> list[Checkpoint]:
    """The states that an older file shows: a package or receipt that verifies itself, or a signed checkpoint in a text file."""
    try:
        stored = since if isinstance(since, bytes) else since.read_bytes()
    except OSError as problem:
        raise BadInput(f"{_named(since)} cannot be read: {problem.strerror}.", "Give another file.") from problem
    if not stored.startswith(b"PK") and stored.lstrip()[:1] != b"{":
        try:
            return [notes.verify(stored.decode("utf-8"), key)]
        except (notes.BadNote, UnicodeDecodeError) as bad:
            raise BadInput(f"{_named(since)} is no checkpoint of this house: {bad}.", "Give another file.") from bad
    verdict = verify_bytes(stored)
    if not verdict.ok:
        raise BadInput(f"{_named(since)} does not verify.", "Look closer with: volens verify")
    return [state.checkpoint for state in verdict.found.states]


def _named(since: Path | bytes) -> str:
    return "The older file" if isinstance(since, bytes) else since.name


def _try(made: Callable[[], Iterable[bytes]]) -> tuple[bytes, ...]:
    """A proof from kept nodes; nothing where they are missing."""
    try:
        return tuple(made())
    except Tampered:
        return ()
