"""A witness: it signs the newest state of a log, and only if that continues the last one that it signed.

It speaks the open protocol C2SP tlog-witness (https://c2sp.org/tlog-witness) and signs as C2SP tlog-cosignature says. It has no
database and meets no personal data: a log's name, a number of entries and a hash are all that it ever sees.

    witness.json           the witness's name
    key                    its signing key, 32 bytes, mode 0600
    logs/<hash>.json       one small file a log: whose it is, the newest checkpoint that was signed, how many were refused
    evidence/<id>.json     a refused checkpoint that the log's own key signed, beside the one that it does not continue

Rules:
1. Whatever was signed last is on the disk before it is answered: a witness that is killed never signs two histories.
2. A checkpoint is compared and kept under one lock, which other processes respect: no request overtakes another.
3. It never signs what is not shown to continue the last state: same size with another root, a proof that does not lead there.
4. What it refuses although the log's own key signed it is kept with both notes. Two states of one size with two roots are proof
   for anybody. One without a valid proof is a question to the log's owner: it is taken back if the same state comes with its proof.
5. Nothing raises for what comes from outside: every body has an answer.

The first state of a log is signed as it comes: a witness knows nothing of the time before it was asked.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from volens.clock import Clock
from volens.errors import BadInput, KeysMissing, NotFound, Tampered
from volens.evidence import checkpoint as notes
from volens.evidence.checkpoint import BadNote, Checkpoint, VerifierKey
from volens.evidence.cosignature import CosignerKey, cosign, cosigner_key
from volens.evidence.durable import write_durably
from volens.evidence.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency

FORMAT = "volens-witness/1"
EVIDENCE_FORMAT = "volens-witness-evidence/1"
BODY_BYTES_MAX = 64 * 1024
PROOF_LINES_MAX = 63
EVIDENCE_MAX = 100
"""Refused checkpoints that are kept for one log; further ones are counted. The first ones are the proof."""
CONTRADICTION, UNPROVEN = "contradiction", "unproven"
PLAIN, SIZE_TYPE = "text/plain; charset=utf-8", "text/x.tlog.size"
OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class BadRequest(ValueError):
    """A body that is not what the protocol says. The message says why."""


@dataclass(frozen=True)
class Asked:
    """An `add-checkpoint` request, its shape checked and nothing believed."""

    old: int
    proof: tuple[bytes, ...]
    note: str


@dataclass(frozen=True)
class Answer:
    """What goes back: an HTTP status, a media type and a body."""

    status: int
    media_type: str
    body: str


@dataclass(frozen=True)
class WitnessedLog:
    """One log as its file has it. `note` is the newest checkpoint, cosigned; empty before the first. `at`: when, in seconds."""

    origin: str
    keys: tuple[str, ...]
    note: str = ""
    at: int = 0
    cosigned: int = 0
    contradictions: int = 0
    unproven: int = 0

    @property
    def state(self) -> Checkpoint:
        """The newest state that was signed; the empty tree before the first."""
        return notes.parse(self.note).checkpoint if self.note else Checkpoint(self.origin, 0, EMPTY_ROOT)


def parse_request(body: bytes) -> Asked:
    """Reads a body of `add-checkpoint`. Raises `BadRequest`."""
    if len(body) > BODY_BYTES_MAX:
        raise BadRequest("the body is too long")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("the body is not UTF-8") from None
    head, separator, note = text.partition("\n\n")
    if not separator:
        raise BadRequest("there is no empty line after the proof")
    first, *lines = head.split("\n")
    old = OLD.fullmatch(first)
    if old is None or int(old[1]) >= 1 << 63:
        raise BadRequest("the first line is not 'old' and a size in its one decimal form")
    if len(lines) > PROOF_LINES_MAX:
        raise BadRequest(f"the proof has more than {PROOF_LINES_MAX} lines")
    return Asked(int(old[1]), tuple(map(_hash, lines)), note)


def write_request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body that `parse_request` reads."""
    lines = [f"old {old}", *(base64.b64encode(step).decode("ascii") for step in proof)]
    return ("\n".join(lines) + "\n\n" + note).encode("utf-8")


def _hash(line: str) -> bytes:
    try:
        value = base64.b64decode(line.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("a line of the proof is not base64") from None
    if len(value) != HASH_BYTES or base64.b64encode(value).decode("ascii") != line:
        raise BadRequest("a line of the proof is not a hash of 32 bytes in its one form")
    return value


def make(folder: Path, name: str) -> None:
    """Makes a witness with a fresh key in an empty folder. Nothing is ever overwritten."""
    try:
        CosignerKey(name, bytes(32))
    except BadNote as bad:
        raise BadInput(f"{name!r} cannot be a witness's name: {bad}.", "Use an address, such as witness.example.org") from bad
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder} already holds something.", "Choose an empty folder; a key is never overwritten.")
    folder.mkdir(parents=True, exist_ok=True)
    for inner in ("logs", "evidence"):
        (folder / inner).mkdir()
    descriptor = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Ed25519PrivateKey.generate().private_bytes_raw())
        file.flush()
        os.fsync(file.fileno())
    write_durably(folder / "witness.json", _json({"format": FORMAT, "name": name}))


class Witness:
    """A witness in its folder. Threads and processes may share it: every change is made under one lock."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self._clock = folder, clock
        if not (folder / "witness.json").is_file():
            raise NotFound(f"There is no witness in {folder}.", "Make one with: volens witness init FOLDER --name NAME")
        self.name = str(_read(folder / "witness.json").get("name"))
        key = folder / "key"
        if not key.is_file() or key.stat().st_mode & 0o077 or key.stat().st_size != 32:
            raise KeysMissing(f"The key {key} is gone, broken, or open to others.", f"Restore it, or run: chmod 600 {key}")
        self._key = Ed25519PrivateKey.from_private_bytes(key.read_bytes())

    @property
    def key(self) -> CosignerKey:
        """The public key: houses and verifiers are given it."""
        return cosigner_key(self.name, self._key)

    def add_log(self, vkey: str, origins: Sequence[str] = ()) -> list[str]:
        """Watches a log from now on; returns its origins. A further key for the same origins is trusted beside the first.

        Without origins: the two trees of a Volens house, whose names follow from its key's.
        """
        try:
            key = VerifierKey.parse(vkey.strip())
            wanted = list(origins) or [f"{key.name}/events", f"{key.name}/public"]
            for origin in wanted:
                Checkpoint(origin, 0, EMPTY_ROOT)
        except BadNote as bad:
            raise BadInput(f"This is not a log's key or name: {bad}.", "Give the key as the house prints it.") from bad
        with self._alone():
            for origin in wanted:
                known = self.log(origin) or WitnessedLog(origin, ())
                self._keep(replace(known, keys=tuple(dict.fromkeys((*known.keys, str(key))))))
        return wanted

    def logs(self) -> list[WitnessedLog]:
        """Every log that is watched, by name."""
        found = [self._load(file) for file in (self.folder / "logs").glob("*.json")]
        return sorted(found, key=lambda log: log.origin)

    def log(self, origin: str) -> WitnessedLog | None:
        """One log, or none."""
        file = self._file(origin)
        return self._load(file) if file.is_file() else None

    def evidence(self) -> list[dict[str, Any]]:
        """Everything that was refused and kept, oldest first: see rule 4."""
        found = [{"id": file.stem, **_read(file)} for file in (self.folder / "evidence").glob("*.json")]
        return sorted(found, key=lambda one: (one["at"], one["id"]))

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answers one request of the protocol: 200 with a cosignature, or 400, 403, 404, 409 or 422 with the reason."""
        try:
            asked = parse_request(body)
            note = notes.parse(asked.note)
        except (BadRequest, BadNote) as bad:
            return Answer(400, PLAIN, f"{bad}\n")
        with self._alone():
            log = self.log(note.checkpoint.origin)
            if log is None:
                return Answer(404, PLAIN, "this witness does not watch a log of this name\n")
            signed = _signed_by(asked.note, log.keys)
            if not signed:
                return Answer(403, PLAIN, "none of the log's known keys signed this checkpoint\n")
            if asked.old > note.checkpoint.size:
                return Answer(400, PLAIN, "the old size is larger than the new one\n")
            return self._judge(log, asked, note, signed)

    def _judge(self, log: WitnessedLog, asked: Asked, note: notes.Note, signed: str) -> Answer:
        """The log's own key signed it: does it continue what was signed last?"""
        known, new = log.state, note.checkpoint
        if log.note and new.size == known.size and new.root != known.root:
            self._refuse(replace(log, contradictions=log.contradictions + 1), CONTRADICTION, asked, signed)
            return Answer(409, SIZE_TYPE, f"{known.size}\n")
        if asked.old != known.size:
            return Answer(409, SIZE_TYPE, f"{known.size}\n")
        if not verify_consistency(known.size, new.size, known.root, new.root, asked.proof):
            self._refuse(replace(log, unproven=log.unproven + 1), UNPROVEN, asked, signed)
            return Answer(422, PLAIN, "the proof does not lead from the last signed state to this one\n")
        at = max(log.at, int(self._clock.now().timestamp()))  # a clock that was set back must not turn the order round
        line = cosign(note.body, self.name, self._key, at)
        self._keep(replace(log, note=signed + line, at=at, cosigned=log.cosigned + 1))
        # From here on the state is on the disk. Killed before the answer: asking again with the new size gives a cosignature.
        (self.folder / "evidence" / f"{_evidence_id(UNPROVEN, new)}.json").unlink(missing_ok=True)
        return Answer(200, PLAIN, line)

    def _refuse(self, log: WitnessedLog, kind: str, asked: Asked, signed: str) -> None:
        """Counts a refusal and keeps both notes, each of them once."""
        refused = notes.parse(signed).checkpoint
        file = self.folder / "evidence" / f"{_evidence_id(kind, refused)}.json"
        of_log = list((self.folder / "evidence").glob(f"*-{_short(log.origin)}-*.json"))
        if log.note and not file.exists() and len(of_log) < EVIDENCE_MAX:
            told = {
                "format": EVIDENCE_FORMAT,
                "kind": kind,
                "origin": log.origin,
                "at": int(self._clock.now().timestamp()),
                "witness": str(self.key),
                "keys": list(log.keys),
                "cosigned": log.note,
                "refused": signed,
                "old": asked.old,
                "proof": [base64.b64encode(step).decode("ascii") for step in asked.proof],
            }
            write_durably(file, _json(told))
        self._keep(log)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Held by the process that answers. A second one on the same folder is refused, with a reason."""
        with (self.folder / ".serving").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as busy:
                raise BadInput(f"A witness is already running on {self.folder}.", "Stop that one first.") from busy
            yield

    def _file(self, origin: str) -> Path:
        return self.folder / "logs" / f"{sha256(origin.encode('utf-8')).hexdigest()}.json"

    def _keep(self, log: WitnessedLog) -> None:
        write_durably(self._file(log.origin), _json(vars(log)))

    def _load(self, file: Path) -> WitnessedLog:
        """A log's file. One that cannot be read stops the witness: without it, it could sign a second history."""
        stored = _read(file)
        try:
            log = WitnessedLog(**{**stored, "keys": tuple(stored["keys"])})
            if log.note:
                notes.parse(log.note)
        except (TypeError, KeyError, BadNote) as broken:
            raise Tampered(f"{file} is not what this witness wrote.", "Restore it from a back-up before signing on.") from broken
        return log


def _signed_by(text: str, keys: Sequence[str]) -> str:
    """The note with those signature lines alone that a known key of the log made; empty if there is none."""
    note, lines = notes.parse(text), []
    for vkey in keys:
        key = VerifierKey.parse(vkey)
        try:
            notes.verify(text, vkey)
        except BadNote:
            continue
        lines += [one.line for one in note.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
    return note.body.decode("utf-8") + "\n" + "".join(dict.fromkeys(lines)) if lines else ""


def _short(origin: str) -> str:
    return sha256(origin.encode("utf-8")).hexdigest()[:12]


def _evidence_id(kind: str, refused: Checkpoint) -> str:
    return f"{kind}-{_short(refused.origin)}-{refused.size}-{refused.root.hex()[:16]}"


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=list) + "\n").encode("utf-8")


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as broken:
        raise Tampered(f"{file} cannot be read.", "Restore it from a back-up before signing on.") from broken
    if not isinstance(found, dict):
        raise Tampered(f"{file} is not what this witness wrote.", "Restore it from a back-up before signing on.")
    return found
