"""Do the trees stand as they were signed?

Rules:
1. The head row is not believed: rows are counted, hashed again and compared.
2. A row whose content no longer gives its leaf is named. A row whose leaf is not the one kept outside is named, also
   when every hash in the database was recomputed.
3. What is younger than the newest checkpoint outside is reported as not yet covered, never as fine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volens.audit.report import Report
from volens.errors import Tampered
from volens.evidence import checkpoint as notes
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC, TREES
from volens.evidence.merkle import Frontier, leaf_hash
from volens.evidence.outside import Outside

if TYPE_CHECKING:
    from sqlalchemy import Connection


def check_trees(connection: Connection, outside: Outside, report: Report) -> None:
    """Both trees against themselves and against what is kept outside."""
    for tree in TREES:
        leaves = _check_rows(connection, tree, report)
        _check_outside(tree, leaves, outside, report)
    _check_commitments(connection, outside, report)


def _check_rows(connection: Connection, tree: str, report: Report) -> list[bytes]:
    """Hashes every row again. Returns the leaves that the rows really give, in order."""
    leaves: list[bytes] = []
    name = f"rows of the {tree} tree give their leaves"
    with report.checking(name) as looked_at:
        expected = 0
        for row in log.rows(connection, tree):
            if row.seq != expected:
                missing = f"{tree} {expected}" if row.seq == expected + 1 else f"{tree} {expected} to {row.seq - 1}"
                report.found(name, missing, "the event is missing")
                expected = row.seq
            leaf = leaf_hash(row.entry())
            if leaf != row.leaf:
                report.found(name, f"{tree} {row.seq}", f"the row of kind {row.kind!r} was changed after it was recorded")
            leaves.append(leaf)
            expected += 1
        looked_at.append(len(leaves))
        frontier = Frontier()
        frontier.extend(leaves)
        if (log.size(connection, tree), log.head(connection, tree).root) != (frontier.size, frontier.root):
            report.found(name, f"{tree} head", "the head row does not belong to these rows")
    return leaves


def _check_outside(tree: str, leaves: list[bytes], outside: Outside, report: Report) -> None:
    name = f"the {tree} tree is the one that was signed"
    with report.checking(name) as looked_at:
        try:
            newest = outside.latest(tree)
            kept = outside.leaves(tree, newest.size) if newest is not None else []
        except Tampered as error:
            report.found(name, f"{tree} checkpoints", str(error))
            return
        looked_at.append(len(kept))
        report.not_covered[tree] = max(0, len(leaves) - len(kept))
        if len(leaves) < len(kept):
            report.found(
                name, f"{tree} {len(leaves)} to {len(kept) - 1}", "these events were signed and are gone (the tail was cut off)"
            )
        different = [seq for seq, (now, then) in enumerate(zip(leaves, kept, strict=False)) if now != then]
        for seq in _first_of_runs(different):
            report.found(name, f"{tree} {seq}", "from here on the rows are not those that were signed")
        _check_notes(tree, kept, outside, report, name)


def _check_notes(tree: str, kept: list[bytes], outside: Outside, report: Report, name: str) -> None:
    """Every checkpoint kept must be of the same, growing tree."""
    frontier = Frontier()
    for size in outside.sizes(tree):
        frontier.extend(kept[frontier.size : size])
        try:
            note = notes.verify(outside.note(tree, size), outside.vkey)
        except (notes.BadNote, OSError, UnicodeDecodeError) as error:
            report.found(name, f"{tree} checkpoint {size}", f"cannot be believed: {error}")
            continue
        if (note.size, note.root) != (frontier.size, frontier.root):
            report.found(name, f"{tree} checkpoint {size}", "was signed over other events than those kept")


def _check_commitments(connection: Connection, outside: Outside, report: Report) -> None:
    """Each checkpoint of `events` is committed to in the public tree, in order."""
    name = "the public tree commits to the checkpoints of events"
    with report.checking(name) as looked_at:
        committed = [row.commitment for row in log.rows(connection, PUBLIC, kinds=["checkpoint"])]
        known = set()
        for size in outside.sizes(EVENTS):
            salt = outside.folder / EVENTS / f"{size}.salt"
            text = notes.parse(outside.note(EVENTS, size)).checkpoint.text
            known.add(log.commit_to({"checkpoint": text}, salt.read_bytes() if salt.is_file() else b""))
        looked_at.append(len(committed))
        for place, commitment in enumerate(committed):
            if commitment not in known:
                report.found(name, f"public checkpoint event {place}", "no checkpoint kept outside opens this commitment")


def _first_of_runs(different: list[int]) -> list[int]:
    """The first of each run of neighbours: one inserted row shifts all that follow, and is one finding."""
    return [seq for place, seq in enumerate(different) if place == 0 or different[place - 1] != seq - 1]
