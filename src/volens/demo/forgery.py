"""What somebody with *every* key of a house can do: rewrite a choice, compute every hash anew, sign everything again.

For the demo's last chapter and for the test of promise 5. Inside the house nothing shows it afterwards: rows, leaves, heads,
commitments, checkpoints and packages all belong together. What it cannot make is a witness's signature, and what it cannot
reach is what others hold.

Rules:
1. It works with the house's own functions: a better forger does not exist, since nobody has more than this one has.
2. Everything is put back when the block ends, so that a demo ends with an honest house.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from volens.databases.connect import SqlDatabase, connect
from volens.evidence import checkpoint as notes
from volens.evidence import log
from volens.evidence.container import PROOF
from volens.evidence.durable import write_durably
from volens.evidence.log import EVENTS, PUBLIC, TREES, Row, events, heads
from volens.evidence.merkle import Frontier, canonical_json, leaf_hash
from volens.evidence.outside import Outside
from volens.evidence.witness_client import FOLDER
from volens.identity import keys as house_keys
from volens.permissions.counts import choice_counts
from volens.permissions.state import KINDS, Said
from volens.permissions.store import keep, permissions
from volens.releases.package import proof_of
from volens.settings import Settings


@dataclass(frozen=True)
class Forger:
    """The database, the signing key, the folder of checkpoints and the packages: all that a house has."""

    records: SqlDatabase
    outside: Outside
    packages: Path

    def rewrite(self, seq: int, old: str, new: str) -> None:
        """One choice says `new` instead of `old`, and everything that follows from it is made anew."""
        salts = {size: (self.outside.folder / EVENTS / f"{size}.salt").read_bytes() for size in self.outside.sizes(EVENTS)}
        before = {self._commitment(self._state(size), salt): size for size, salt in salts.items()}
        self._choice(seq, old, new)
        signed = self._sign_again(EVENTS)
        for size, salt in salts.items():
            write_durably(self.outside.folder / EVENTS / f"{size}.salt", salt)
        after = {size: self._commitment(state, salts[size]) for size, state in signed.items()}
        self._commit_again({old_one: after[size] for old_one, size in before.items()})
        self._sign_again(PUBLIC)
        for file in self.packages.glob("*.volens"):
            self._pack_again(file)

    def _state(self, size: int) -> notes.Checkpoint:
        return notes.parse(self.outside.note(EVENTS, size)).checkpoint

    def _commitment(self, state: notes.Checkpoint, salt: bytes) -> bytes:
        return log.commit_to({"checkpoint": state.text}, salt)

    def _choice(self, seq: int, old: str, new: str) -> None:
        with self.records.reading() as connection:
            row = log.one(connection, EVENTS, seq)
            assert row is not None
            assert row.kind == old, f"number {seq} is {row.kind}, not {old}"
        self._store([replace(row, kind=new)])
        _refold(self.records, row)
        _recount(self.records, row, new)

    def _commit_again(self, commitments: dict[bytes, bytes]) -> None:
        with self.records.reading() as connection:
            rows = list(log.rows(connection, PUBLIC, kinds=["checkpoint"]))
        self._store([replace(row, commitment=commitments[row.commitment or b""]) for row in rows])

    def _store(self, changed: list[Row]) -> None:
        """Rows with their new leaves, and the head that belongs to them."""
        if not changed:
            return
        tree = changed[0].tree
        with self.records.writing() as connection:
            for row in changed:
                values = {"kind": row.kind, "commitment": row.commitment, "leaf": leaf_hash(row.entry())}
                connection.execute(events.update().where(events.c.tree == tree, events.c.seq == row.seq).values(**values))
            frontier = Frontier()
            frontier.extend(log.leaves(connection, tree))
            connection.execute(heads.update().where(heads.c.tree == tree).values(frontier=frontier.to_bytes()))

    def _sign_again(self, tree: str) -> dict[int, notes.Checkpoint]:
        """The same sizes, other roots, good signatures. Witnesses' signatures are gone: they cannot be made."""
        sizes, folder = self.outside.sizes(tree), self.outside.folder / tree
        with self.records.reading() as connection:
            leaves = log.leaves(connection, tree, 0, sizes[-1])
        shutil.rmtree(folder)
        self.outside.tree(tree).extend(0, leaves)
        signed = {}
        for size in sizes:
            root = self.outside.tree(tree).frontier(size).root
            signed[size] = notes.Checkpoint(self.outside.origin(tree), size, root)
            text = notes.sign(signed[size], f"volens/{self.outside.house}", self.outside.signing_key)
            for name in (f"{size}.note", "latest.note"):
                write_durably(folder / name, text.encode())
        return signed

    def _pack_again(self, file: Path) -> None:
        """The package as the forged log proves it."""
        with zipfile.ZipFile(file) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        told = json.loads(files[PROOF])
        size = notes.parse(told["checkpoint"]).checkpoint.size
        note, leaves = self.outside.note(PUBLIC, size), self.outside.leaves(PUBLIC, size)
        files[PROOF] = canonical_json(proof_of(told["entry"], leaves, note, told["key"], told.get("address", "")))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(files.items()):
                archive.writestr(name, content)
        file.write_bytes(buffer.getvalue())


@contextmanager
def every_key(settings: Settings, house: str, seq: int, old: str, new: str) -> Iterator[None]:
    """While the block runs, the house is a forged one in which choice `seq` says `new`. After it, all is as it was.

    Nothing may be recorded meanwhile: what is put back is what was there.
    """
    records = connect(settings.records_url, create=False)
    outside = Outside(settings.checkpoints, house, house_keys.load(settings.keys).signing_key())
    forger = Forger(records, outside, settings.releases)
    aside = settings.home / ".honest"
    folders = (settings.checkpoints, settings.releases)
    kept, counts = _rows(records, seq), _counts(records)
    for place, folder in enumerate(folders):
        if folder.is_dir():
            shutil.copytree(folder, aside / str(place), copy_function=shutil.copy2)
    try:
        forger.rewrite(seq, old, new)
        shutil.rmtree(settings.checkpoints / FOLDER, ignore_errors=True)
        yield
    finally:
        _put_back(records, kept)
        _count_again(records, counts)
        for place, folder in enumerate(folders):
            if (aside / str(place)).is_dir():
                shutil.rmtree(folder)
                shutil.copytree(aside / str(place), folder, copy_function=shutil.copy2)
        shutil.rmtree(aside)
        records.dispose()


def _rows(records: SqlDatabase, seq: int) -> list[Row]:
    """Every row that a forger of choice `seq` has to change."""
    with records.reading() as connection:
        choice = log.one(connection, EVENTS, seq)
        assert choice is not None
        return [choice, *log.rows(connection, PUBLIC, kinds=["checkpoint"])]


def _refold(records: SqlDatabase, choice: Row) -> None:
    """What stands between one customer and one purpose, from what the ledger now says."""
    with records.writing() as connection:
        named = {str(row.text): frozenset(row.said()["recipients"]) for row in log.rows(connection, PUBLIC, kinds=["text"])}
        rows = log.rows(connection, EVENTS, customer=choice.customer, kinds=sorted(KINDS))
        history = [
            Said(row.seq, row.customer or 0, str(row.purpose), str(row.recipient), row.kind, str(row.text),
                 date.fromisoformat(str(row.day)))
            for row in rows if row.purpose == choice.purpose
        ]
        of_choice = (permissions.c.customer == choice.customer, permissions.c.purpose == choice.purpose)
        connection.execute(permissions.delete().where(*of_choice))
        keep(connection, history, named)


def _recount(records: SqlDatabase, choice: Row, new: str) -> None:
    """The weekly counts, from which the old word is taken and to which the new one is added."""
    rows, old = _counts(records), {"purpose": choice.purpose, "text": choice.text, "kind": choice.kind}
    moved = next(row for row in rows if old.items() <= row.items() and row["n"])
    key = {name: value for name, value in moved.items() if name != "n"} | {"kind": new}
    beside = next((row for row in rows if key.items() <= row.items()), None)
    moved["n"] -= 1
    if beside is None:
        rows.append({**key, "n": 1})
    else:
        beside["n"] += 1
    _count_again(records, [row for row in rows if row["n"]])


def _counts(records: SqlDatabase) -> list[dict[str, Any]]:
    with records.reading() as connection:
        return [dict(row) for row in connection.execute(choice_counts.select()).mappings()]


def _count_again(records: SqlDatabase, rows: list[dict[str, Any]]) -> None:
    with records.writing() as connection:
        connection.execute(choice_counts.delete())
        connection.execute(choice_counts.insert(), rows)


def _put_back(records: SqlDatabase, kept: list[Row]) -> None:
    with records.writing() as connection:
        for row in kept:
            values = {"kind": row.kind, "commitment": row.commitment, "leaf": row.leaf}
            connection.execute(events.update().where(events.c.tree == row.tree, events.c.seq == row.seq).values(**values))
        for tree in TREES:
            frontier = Frontier()
            frontier.extend(log.leaves(connection, tree))
            connection.execute(heads.update().where(heads.c.tree == tree).values(frontier=frontier.to_bytes()))
    _refold(records, kept[0])
