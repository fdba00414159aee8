"""What is kept outside the records: checkpoints, and the leaf hashes under them.

    checkpoints/<tree>/leaves             32 bytes a leaf, in order; grows at each checkpoint
    checkpoints/<tree>/<size>.note        the signed checkpoint at that size
    checkpoints/<tree>/latest.note        the newest one again
    checkpoints/events/<size>.salt        what opens the commitment to that checkpoint in the public tree

Rules:
1. Nothing is signed that does not extend what was signed before: the records' leaves are compared with those kept here,
   and a difference raises `Tampered` and names the first row.
2. Files are durable before the next step: leaves, then the note, then `latest`. A crash in between leaves a file of
   leaves that is longer than the newest note says; the next checkpoint takes it up where the note ends.
3. The folder lies outside every back-up of the records. Copy it, publish it: there is nothing personal in it.
4. A leaf hash tells nothing by itself: what concerns people is behind a salted commitment.

Because the leaf hashes are here as well, the audit names the very row that was changed, also when somebody who holds
the database recomputed every hash in it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from volens.errors import Tampered
from volens.evidence import checkpoint as notes
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC, SALT_BYTES, Event
from volens.evidence.merkle import HASH_BYTES, Frontier, root_of
from volens.holders import Database


@dataclass(frozen=True)
class Outside:
    """The folder of checkpoints of one house, and the key that signs them."""

    folder: Path
    house: str
    signing_key: Ed25519PrivateKey

    @property
    def vkey(self) -> str:
        """The verifier's key of this house's log, to be printed and compared."""
        return notes.verifier_key(f"volens/{self.house}", self.signing_key)

    def origin(self, tree: str) -> str:
        """The name of a tree in its checkpoints."""
        return f"volens/{self.house}/{tree}"

    def latest(self, tree: str) -> notes.Checkpoint | None:
        """The newest checkpoint kept here, its signature and its leaves checked; none before the first."""
        file = self.folder / tree / "latest.note"
        if not file.is_file():
            return None
        try:
            found = notes.verify(file.read_text(encoding="utf-8"), self.vkey)
        except (notes.BadNote, UnicodeDecodeError) as error:
            raise Tampered(f"The newest checkpoint of {tree} is not this house's: {error}.", f"Look at {file}.") from error
        if found.origin != self.origin(tree):
            raise Tampered(f"The newest checkpoint of {tree} names another log.", f"Look at {file}.")
        return found

    def note(self, tree: str, size: int) -> str:
        """The signed text of the checkpoint at `size`."""
        return (self.folder / tree / f"{size}.note").read_text(encoding="utf-8")

    def sizes(self, tree: str) -> list[int]:
        """The sizes at which checkpoints are kept, smallest first."""
        return sorted(int(file.stem) for file in (self.folder / tree).glob("*.note") if file.stem.isdigit())

    def leaves(self, tree: str, size: int) -> list[bytes]:
        """The first `size` leaf hashes as they were when they were signed."""
        file = self.folder / tree / "leaves"
        data = file.read_bytes() if file.is_file() else b""
        if len(data) < size * HASH_BYTES:
            raise Tampered(f"The leaves kept for {tree} are fewer than its checkpoint says.", f"Restore {file} from a copy.")
        return [data[place : place + HASH_BYTES] for place in range(0, size * HASH_BYTES, HASH_BYTES)]

    def _leaf(self, tree: str, seq: int) -> bytes:
        """One kept leaf hash, without reading the others; nothing (b"") if it is not there."""
        file = self.folder / tree / "leaves"
        if not file.is_file():
            return b""
        with file.open("rb") as leaves:
            leaves.seek(seq * HASH_BYTES)
            return leaves.read(HASH_BYTES)

    def publish(self, records: Database) -> notes.Checkpoint:
        """Signs both trees as they stand and keeps the checkpoints. Returns the public one.

        A tree that did not grow gets no new checkpoint. The public tree gets a salted commitment to the newest checkpoint of
        `events` first, so that who holds a public checkpoint has fixed that one too. One process at a time.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            new = self._publish(records, EVENTS)
            if new.size:
                self._commit(records, new)
            return self._publish(records, PUBLIC)

    def _commit(self, records: Database, new: notes.Checkpoint) -> None:
        """Commits to the newest checkpoint of `events` in the public tree, also after a run that was killed before it."""
        salt = (self.folder / EVENTS / f"{new.size}.salt").read_bytes()
        commitment = log.commit_to({"checkpoint": new.text}, salt)
        with records.writing() as connection:
            newest = log.latest(connection, PUBLIC, "checkpoint")
            if newest is None or newest.commitment != commitment:
                log.append(connection, PUBLIC, [Event("checkpoint", commitment=commitment)])

    def require_not_older(self, records: Database) -> None:
        """Raises `Tampered` if the records lack, or contradict, what was signed: an old database must not open.

        It would serve people's withdrawn permissions and a budget that is spent. Compares each tree's size and the leaf at
        the newest checkpoint; `volens audit` compares everything.
        """
        for tree in (EVENTS, PUBLIC):
            newest = self.latest(tree)
            if newest is None or newest.size == 0:
                continue
            with records.reading() as connection:
                row = log.one(connection, tree, newest.size - 1)
            if row is None or row.leaf != self._leaf(tree, newest.size - 1):
                raise Tampered(
                    f"These records are not, or no longer, those of which {newest.size} events of {tree} were signed.",
                    "Nothing is served from them. Restore the newest back-up, and look closer with: volens audit",
                )

    def _publish(self, records: Database, tree: str) -> notes.Checkpoint:
        before = self.latest(tree)
        start = before.size if before is not None else 0
        with records.reading() as connection:
            size, root = log.size(connection, tree), log.head(connection, tree).root
            fresh = log.leaves(connection, tree, start, size)
        if before is not None and size < before.size:
            raise Tampered(
                f"The {tree} tree has {size} events, but {before.size} were signed: its tail was cut off.",
                "Nothing is signed. Restore the records, then run: volens audit",
            )
        kept = self.leaves(tree, start)
        if before is not None and root_of(kept) != before.root:
            raise Tampered(f"The leaves kept for {tree} do not give the signed root.", "Restore them from a copy.")
        frontier = Frontier()
        frontier.extend(kept)
        frontier.extend(fresh)
        if len(fresh) != size - start or frontier.root != root:
            raise Tampered(
                f"The {tree} tree in the records does not extend what was signed at {start}.",
                "Nothing is signed. Find the row with: volens audit",
            )
        if before is not None and size == before.size:
            return before
        new = notes.Checkpoint(self.origin(tree), size, root)
        text = notes.sign(new, f"volens/{self.house}", self.signing_key)
        self._extend(tree, start, fresh)
        if tree == EVENTS:
            write_durably(self.folder / tree / f"{size}.salt", secrets.token_bytes(SALT_BYTES))
        write_durably(self.folder / tree / f"{size}.note", text.encode())
        # From here on the checkpoint exists; a crash before the next line costs nothing but its place as the newest.
        write_durably(self.folder / tree / "latest.note", text.encode())
        return new

    def _extend(self, tree: str, start: int, fresh: list[bytes]) -> None:
        file = self.folder / tree / "leaves"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("r+b" if file.exists() else "w+b") as leaves:
            leaves.seek(start * HASH_BYTES)
            leaves.write(b"".join(fresh))
            leaves.truncate()
            leaves.flush()
            os.fsync(leaves.fileno())


def write_durably(file: Path, content: bytes) -> None:
    """Replaces a file as one step that survives a power cut (write aside, sync, rename, sync the folder)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(file.name + ".new")
    with aside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
