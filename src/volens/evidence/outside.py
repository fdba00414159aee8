"""What is kept outside the records: checkpoints, and the leaf hashes under them.

    checkpoints/<tree>/leaves             32 bytes a leaf, in order; grows at each checkpoint
    checkpoints/<tree>/nodes/             roots of complete subtrees, made of the leaves, so that a proof takes milliseconds
    checkpoints/<tree>/<size>.note        the signed checkpoint at that size, with the cosignatures of witnesses
    checkpoints/<tree>/latest.note        the newest one again
    checkpoints/events/<size>.salt        what opens the commitment to that checkpoint in the public tree
    checkpoints/published/                what a web server may show to everybody: see `PUBLISHED`

Rules:
1. Nothing is signed that does not extend what was signed before. At each checkpoint the kept subtree roots must give the
   newest signed root, and together with the records' new leaves the root of the records' head: O(new + log n). `volens audit`
   hashes every row and every kept leaf again, and names the first that differs.
2. Files are durable before the next step: leaves, nodes, the note, then `latest`. A crash in between leaves files that are
   longer than the newest note says; the next checkpoint takes them up where the note ends.
3. The folder lies outside every back-up of the records. Copy it: there is no name in it, and no purchase. Only `published/` is
   meant for everybody: some leaves can be guessed by whoever knows a customer's number, and salts open commitments.

Because the leaf hashes are here as well, the audit names the very row that was changed, also when somebody who holds
the database recomputed every hash in it.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from volens.errors import Tampered
from volens.evidence import checkpoint as notes
from volens.evidence import log
from volens.evidence.cosignature import CosignerKey
from volens.evidence.durable import write_durably as write_durably
from volens.evidence.kept import KeptTree
from volens.evidence.log import EVENTS, PUBLIC, SALT_BYTES, Event
from volens.evidence.merkle import Frontier
from volens.holders import Database

PUBLISHED = "published"
"""`published/<tree>/checkpoint`, the newest note of each tree, and `published/key`: any static web server can serve it."""


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

    def tree(self, tree: str) -> KeptTree:
        """The hashes kept of a tree."""
        return KeptTree(self.folder / tree)

    def leaves(self, tree: str, size: int) -> list[bytes]:
        """The first `size` leaf hashes as they were when they were signed."""
        return self.tree(tree).leaves(size)

    def publish(self, records: Database) -> notes.Checkpoint:
        """Signs both trees as they stand and keeps the checkpoints. Returns the public one.

        A tree that did not grow gets no new checkpoint. The public tree gets a salted commitment to the newest checkpoint of
        `events` first, so that who holds a public checkpoint has fixed that one too. One process at a time.
        """
        with self._alone():
            key = self.folder / PUBLISHED / "key"
            if not key.is_file() or key.read_text(encoding="utf-8") != f"{self.vkey}\n":
                write_durably(key, f"{self.vkey}\n".encode())
            new = self._publish(records, EVENTS)
            if new.size:
                self._commit(records, new)
            return self._publish(records, PUBLIC)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

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
            if row is None or row.leaf != self.tree(tree).leaf(newest.size - 1):
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
        frontier = self._signed(tree, before)
        frontier.extend(fresh)
        if len(fresh) != size - start or frontier.root != root:
            raise Tampered(
                f"The {tree} tree in the records does not extend what was signed at {start}.",
                "Nothing is signed. Find the row with: volens audit",
            )
        if before is not None and size == before.size:
            self._show(tree)
            return before
        new = notes.Checkpoint(self.origin(tree), size, root)
        text = notes.sign(new, f"volens/{self.house}", self.signing_key)
        self.tree(tree).extend(start, fresh)
        if tree == EVENTS:
            write_durably(self.folder / tree / f"{size}.salt", secrets.token_bytes(SALT_BYTES))
        write_durably(self.folder / tree / f"{size}.note", text.encode())
        # From here on the checkpoint exists; a crash before the next lines costs nothing but its place as the newest.
        self._newest(tree, text)
        return new

    def keep_cosignature(self, tree: str, size: int, witness: CosignerKey, line: str) -> None:
        """Puts a witness's verified signature under the note at `size`, in place of an older one of the same witness."""
        with self._alone():
            note = notes.parse(self.note(tree, size))
            others = (one for one in note.signatures if (one.name, one.key_id) != (witness.name, witness.key_id))
            kept = [one.line for one in others]
            text = note.body.decode("utf-8") + "\n" + "".join(kept) + line
            write_durably(self.folder / tree / f"{size}.note", text.encode())
            newest = self.latest(tree)
            if newest is not None and newest.size == size:
                self._newest(tree, text)

    def _newest(self, tree: str, text: str) -> None:
        """Makes a note the newest: for this house, then for everybody."""
        write_durably(self.folder / tree / "latest.note", text.encode())
        self._show(tree)

    def _show(self, tree: str) -> None:
        """Publishes the newest note, also after a run that was cut off when only this house had it."""
        newest, shown = self.folder / tree / "latest.note", self.folder / PUBLISHED / tree / "checkpoint"
        if not shown.is_file() or shown.read_bytes() != newest.read_bytes():
            write_durably(shown, newest.read_bytes())

    def _signed(self, tree: str, newest: notes.Checkpoint | None) -> Frontier:
        """The frontier of what was signed last; the kept hashes must give its root."""
        if newest is None:
            return Frontier()
        kept = self.tree(tree)
        try:
            frontier = kept.frontier(newest.size)
        except Tampered:
            frontier = Frontier()
        if frontier.root != newest.root:  # a copy without nodes, or a wrong node: only the leaves count
            kept.rebuild(newest.size)
            frontier = kept.frontier(newest.size)
        if frontier.root != newest.root:
            raise Tampered(f"The leaves kept for {tree} do not give the signed root.", "Restore them from a copy.")
        return frontier
