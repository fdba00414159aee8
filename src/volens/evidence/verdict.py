"""What a check found: steps that held or failed, and the states of logs that a file shows.

Only the standard library and the files beside it: copied beside the stand-alone verifier.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __package__:
    from volens.evidence import checkpoint as notes
    from volens.evidence import merkle
    from volens.evidence.container import Broken, shown
    from volens.evidence.cosignature import Cosigned
else:  # copied into a folder: the other files lie beside this one, also where Python was told to ignore it
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import checkpoint as notes  # type: ignore[import-not-found, no-redef]
    import merkle  # type: ignore[import-not-found, no-redef]
    from container import Broken, shown  # type: ignore[import-not-found, no-redef]
    from cosignature import Cosigned  # type: ignore[import-not-found, no-redef]

PACKAGE, RECEIPT = "package", "receipt"

TITLES = {
    "package": "The package can be opened",
    "files": "Every file is the one the certificate names",
    "certificate": "The certificate is the one in the public log",
    "proof": "The proof can be read",
    "receipt": "The receipt can be read",
    "told": "What the receipt says is what was recorded",
    "text": "The text is the one on the public record",
    "inclusion": "The log's entry is where the proof says",
    "log": "The list of entries is the log that was signed",
    "commitment": "The public log commits to this state",
    "signature": "The state of the log is signed",
    "key": "The key is the one you trust",
    "witness": "The witnesses you trust signed it",
    "since": "The log continues the older one",
}


@dataclass(frozen=True)
class Step:
    """One check. `name` is a key of TITLES; `detail` says what was found, or what is wrong."""

    name: str
    ok: bool
    detail: str

    def __post_init__(self) -> None:
        if self.name not in TITLES:
            raise ValueError(f"no step is called {self.name!r}")


def take(name: str, check: Callable[[], str]) -> Step:
    """One step: what the check says, or why it is broken."""
    try:
        return Step(name, True, check())
    except Broken as broken:
        return Step(name, False, str(broken))


@dataclass(frozen=True)
class State:
    """A signed state of one log, and what shows that it continues older ones: all leaves, or proofs by older size."""

    note: str
    checkpoint: notes.Checkpoint
    leaves: tuple[bytes, ...] | None = None
    proofs: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)

    def continues(self, older: notes.Checkpoint) -> str:
        """Raises `Broken` if this state is not shown to begin with exactly the older one."""
        new, rewritten = self.checkpoint, f"the first {older.size} entries are not those of then: the log was rewritten or forked"
        if older.size > new.size:
            raise Broken("the log is shorter than the older one: entries were cut off, or you gave the two in reverse")
        if self.leaves is not None:
            if len(self.leaves) < older.size or merkle.root_of(self.leaves[: older.size]) != older.root:
                raise Broken(rewritten)
        elif older.size not in self.proofs and older.size != new.size:
            raise Broken(
                f"this file holds no proof that the log continues the one of {older.size} entries; the house makes one with:"
                " volens receipt --since OLDER. If it cannot, the log was rewritten"
            )
        elif not merkle.verify_consistency(older.size, new.size, older.root, new.root, self.proofs.get(older.size, ())):
            raise Broken(rewritten)
        return f"{older.size} entries then, {new.size} now"


@dataclass(frozen=True)
class Found:
    """What one file holds, after its own checks. `kind` is "package" or "receipt"; `name` the release's or record's."""

    kind: str
    steps: tuple[Step, ...]
    name: str = ""
    key: str = ""
    states: tuple[State, ...] = ()
    address: str = ""
    """The fixed address at which the house publishes its checkpoints, as the file says; empty if it says none."""

    @property
    def vkey(self) -> notes.VerifierKey | None:
        """The key that signed, if it can be read."""
        try:
            return notes.VerifierKey.parse(self.key)
        except notes.BadNote:
            return None


@dataclass(frozen=True)
class Verdict:
    """All steps in order, and what they are about.

    compared: an older state was given. trusted: a key to trust was given. cosigned: signatures of the witnesses that were
    named. claimed: names of others that claim to have signed, unchecked.
    """

    steps: tuple[Step, ...]
    found: Found
    compared: bool = False
    trusted: bool = False
    cosigned: tuple[Cosigned, ...] = ()
    claimed: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every step held."""
        return bool(self.steps) and all(step.ok for step in self.steps)

    @property
    def release(self) -> str:
        """The release, or the record of a receipt."""
        return self.found.name

    @property
    def key(self) -> notes.VerifierKey | None:
        """The key in the file, if it can be read."""
        return self.found.vkey

    @property
    def size(self) -> int:
        """Entries of the signed public log."""
        return max((state.checkpoint.size for state in self.found.states if state.checkpoint.origin.endswith("/public")), default=0)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "ok": self.ok,
            "kind": self.found.kind,
            "release": self.release,
            "key": str(self.key) if self.key else None,
            "fingerprint": self.key.fingerprint if self.key else None,
            "size": self.size,
            "address": self.found.address or None,
            "witnesses": [{"witness": str(one.key), "at": one.at} for one in self.cosigned],
            "unchecked_witnesses": list(self.claimed),
            "steps": [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in self.steps],
        }


def state_of(note: str) -> State | None:
    """The state that a note states, its signature not yet looked at; none if it cannot be read."""
    try:
        return State(note, notes.parse(note).checkpoint)
    except notes.BadNote:
        return None


def signed_state(note: str, key: str, origin: str) -> str:
    """Raises `Broken` unless `key` signed this note of this log."""
    try:
        checkpoint = notes.verify(note, key)
    except notes.BadNote as bad:
        raise Broken(str(bad)) from None
    if checkpoint.origin != origin:
        raise Broken(f"it is another house's log that was signed: {shown(checkpoint.origin)}")
    return f"by {shown(notes.VerifierKey.parse(key).name)}"


def included(entry: dict[str, Any], index: int, path: tuple[bytes, ...], state: State | str) -> str:
    """Raises `Broken` unless the entry is the leaf at `index` of the signed log."""
    if isinstance(state, str):
        raise Broken(f"the signed state of the log cannot be read: {state}")
    try:
        leaf = merkle.leaf_hash(merkle.canonical_json(entry))
    except (ValueError, RecursionError):
        raise Broken("the log's entry holds something that an entry never holds") from None
    if entry.get("seq") != index:
        raise Broken("the entry bears another number than the one that the proof gives it")
    if not merkle.verify_inclusion(leaf, index, state.checkpoint.size, path, state.checkpoint.root):
        raise Broken("the proof does not lead from this entry to the signed state of the log")
    return f"entry {index + 1} of {state.checkpoint.size}"
