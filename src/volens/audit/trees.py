"""Do the trees stand as they were signed?

Rules:
1. The head row is not believed: rows are counted, hashed again and compared.
2. A row whose content no longer gives its leaf is named. A row whose leaf is not the one kept outside is named, also
   when every hash in the database was recomputed.
3. What is younger than the newest checkpoint outside is reported as not yet covered, never as fine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volens.audit.report import Report
from volens.errors import Tampered, Unavailable
from volens.evidence import checkpoint as notes
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC, TREES, Row
from volens.evidence.merkle import Frontier, leaf_hash
from volens.evidence.outside import Outside

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Kept:
    """What was kept outside of one tree, read before the records are: they may grow meanwhile, never shrink."""

    size: int
    leaves: list[bytes]
    trouble: str = ""


def kept_outside(outside: Outside) -> dict[str, Kept]:
    """The newest checkpoint of each tree and its leaves; what cannot be believed becomes `trouble`."""
    kept = {}
    for tree in TREES:
        try:
            newest = outside.latest(tree)
            kept[tree] = Kept(newest.size, outside.leaves(tree, newest.size)) if newest is not None else Kept(0, [])
        except Tampered as error:
            kept[tree] = Kept(0, [], str(error))
    return kept


def check_trees(connection: Connection, outside: Outside, kept: Mapping[str, Kept], report: Report) -> None:
    """Both trees against themselves and against what is kept outside."""
    for tree in TREES:
        leaves = _check_rows(connection, tree, report)
        others = [one for name, one in kept.items() if name != tree]
        _check_outside(tree, leaves, kept[tree], outside, report, others)
    _check_commitments(connection, outside, report)
    strangers = log.strangers(connection)
    if strangers:
        report.found(f"rows of the {TREES[0]} tree give their leaves", "events", f"{strangers} rows of trees that do not exist")


def _check_rows(connection: Connection, tree: str, report: Report) -> list[bytes]:
    """Hashes every row again. Returns the leaves that the rows really give, in order."""
    leaves: list[bytes] = []
    name = f"rows of the {tree} tree give their leaves"
    declared = lost_ranges(connection, tree)
    with report.checking(name) as looked_at:
        expected = 0
        for row in log.rows(connection, tree):
            if row.seq != expected:
                missing = f"{tree} {expected}" if row.seq == expected + 1 else f"{tree} {expected} to {row.seq - 1}"
                report.found(name, missing, "the event is missing")
                expected = row.seq
            lost = row.kind == log.LOST
            report.lost[tree] = report.lost.get(tree, 0) + lost
            leaf = row.leaf if lost else _leaf_of(row)
            if lost and not any(row.seq in one for one in declared):
                report.found(name, f"{tree} {row.seq}", "what the event said is gone, and no restore says so")
            if leaf != row.leaf:
                report.found(name, f"{tree} {row.seq}", f"the row of kind {row.kind!r} was changed after it was recorded")
            if row.commitment is not None and row.customer is not None and row.sealed is None:
                report.found(name, f"{tree} {row.seq}", "the sealed part of the event is gone: how it was said cannot be shown")
            leaves.append(leaf)
            expected += 1
        looked_at.append(len(leaves))
        frontier = Frontier()
        frontier.extend(leaves)
        try:
            head = (log.size(connection, tree), log.head(connection, tree).root)
        except (ValueError, Unavailable):
            head = (-1, b"")
        if head != (frontier.size, frontier.root):
            report.found(name, f"{tree} head", "the head row does not belong to these rows")
    return leaves


def lost_ranges(connection: Connection, tree: str) -> list[range]:
    """The events of which a restore said, on the public record, that nothing but their leaves is left."""
    found = []
    for row in log.rows(connection, PUBLIC, kinds=[log.RESTORED]):
        try:
            start, end = row.said()["lost"][tree]
            found.append(range(int(start), int(end)))
        except (ValueError, KeyError, TypeError):
            continue  # a row that cannot be read is found where its leaf is judged
    return found


def _leaf_of(row: Row) -> bytes:
    """The leaf that a row gives; none that was ever signed if the row cannot even be read."""
    try:
        return leaf_hash(row.entry())
    except ValueError:
        return bytes(32)


def _check_outside(tree: str, leaves: list[bytes], kept: Kept, outside: Outside, report: Report, others: list[Kept]) -> None:
    name = f"the {tree} tree is the one that was signed"
    with report.checking(name) as looked_at:
        if kept.trouble:
            report.found(name, f"{tree} checkpoints", kept.trouble)
            return
        looked_at.append(kept.size)
        if leaves and kept.size == 0 and any(one.size for one in others):
            report.found(name, f"{tree} checkpoints", "they are gone, while those of the other tree are there")
        report.not_covered[tree] = max(0, len(leaves) - kept.size)
        if len(leaves) < kept.size:
            report.found(
                name, f"{tree} {len(leaves)} to {kept.size - 1}", "these events were signed and are gone (the tail was cut off)"
            )
        different = [seq for seq, (now, then) in enumerate(zip(leaves, kept.leaves, strict=False)) if now != then]
        for seq in _first_of_runs(different):
            report.found(name, f"{tree} {seq}", "from here on the rows are not those that were signed")
        _check_notes(tree, kept, outside, report, name)


def _check_notes(tree: str, kept: Kept, outside: Outside, report: Report, name: str) -> None:
    """Every checkpoint kept must be of the same, growing tree."""
    frontier = Frontier()
    for size in outside.sizes(tree):
        if size > kept.size:
            break  # signed after the newest was looked at
        frontier.extend(kept.leaves[frontier.size : size])
        try:
            note = notes.verify(outside.note(tree, size), outside.vkey)
        except (notes.BadNote, OSError, UnicodeDecodeError) as error:
            report.found(name, f"{tree} checkpoint {size}", f"cannot be believed: {error}")
            continue
        if (note.size, note.root) != (frontier.size, frontier.root):
            report.found(name, f"{tree} checkpoint {size}", "was signed over other events than those kept")


def _check_commitments(connection: Connection, outside: Outside, report: Report) -> None:
    """Each checkpoint of `events` is committed to in the public tree."""
    name = "the public tree commits to the checkpoints of events"
    with report.checking(name) as looked_at:
        committed = [(row.seq, row.commitment) for row in log.rows(connection, PUBLIC, kinds=["checkpoint"])]
        known = set()
        for size in outside.sizes(EVENTS):
            salt = outside.folder / EVENTS / f"{size}.salt"
            try:
                text = notes.parse(outside.note(EVENTS, size)).checkpoint.text
            except (notes.BadNote, OSError, UnicodeDecodeError):
                continue  # found by the check of the notes themselves
            known.add(log.commit_to({"checkpoint": text}, salt.read_bytes() if salt.is_file() else b""))
        looked_at.append(len(committed))
        for seq, commitment in committed:
            if commitment not in known:
                report.found(name, f"public {seq}", "no checkpoint kept outside opens this commitment")


def _first_of_runs(different: list[int]) -> list[int]:
    """The first of each run of neighbours: one inserted row shifts all that follow, and is one finding."""
    return [seq for place, seq in enumerate(different) if place == 0 or different[place - 1] != seq - 1]
