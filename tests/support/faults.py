"""Breaks writes: the n-th one, so that it is lost, or so that it is kept but reported lost.

A write is whatever is durable when it returns, at the port where it becomes so:

    records, customer keys    `SqlDatabase.writing`: lost is rolled back; kept is committed, and then the answer is an error
    files                     `os.fsync`: lost fails before the disk was asked, kept after it
    the purchases table       the catalog's commit

`SITES` is every place in the product that writes through one of these, found by reading its source: each must have been
broken in some scenario, or stand in `EXEMPT` with its reason.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy import Connection

from volens.databases.connect import SqlDatabase
from volens.errors import Unavailable

SOURCE = Path(__file__).parents[2] / "src" / "volens"
PORTS = {"writing", "fsync", "write_durably", "durable_file", "sync_folder", "add_files", "replace"}
"""Calls by which a function of the product writes. `replace` only as `os.replace`."""
LOST, KEPT = "lost", "kept but reported lost"
MODES = (LOST, KEPT)

Site = tuple[str, str]
"""A module of the product, and the function in it that writes."""

EXEMPT: dict[str, str] = {
    "demo": "the demo makes a throw-away folder anew each time",
    "simulate": "invented files, made anew by the same command",
    "evidence/witness": "a process of its own, with its own tests (unit/evidence)",
    "programme/rules/write.py": "writes the manual, by the developer",
    "evidence/durable.py": "the port itself: its callers are broken",
    "purchases/durable.py": "the port itself: its callers are broken",
    "app/manifest.py": "backing up and restoring are killed after each step in unit/app",
    "app/marker.py": "backing up and restoring are killed after each step in unit/app",
    "app/restoring.py": "backing up and restoring are killed after each step in unit/app",
    "databases/copies.py": "backing up and restoring are killed after each step in unit/app",
    "purchases/copies.py": "backing up and restoring are killed after each step in unit/app",
    "access/machines.py: revoke_all": "a part of restoring, which is killed after each step in unit/app",
    "app/upkeep.py: _recover": "writes only after a break; it is what the step that is taken again goes through",
    "followers/counts.py": "counts of answers: nothing rests on them, and what is lost or counted twice is ten seconds of them",
    "publishing/comparing.py: conclude": "needs a hundred people under each text; one transaction, as stopping (unit/publishing)",
    "reminding/station.py: _stop": "withdraws through the ledger, whose writes are broken; what goes besides is swept nightly",
    "campaigns/prices.py: compare": "needs fifty people on each side; one transaction, as a campaign's step (unit/campaigns)",
    "bench/rewards.py: _claim": "measures, on invented claims in records that are thrown away",
    "bench/rewards.py: _house": "makes those records",
    "offering/nights.py: _follow": "one transaction, as the wallet's, which is broken; where it leads is in unit/offering",
    "audiences/activation.py: settle": "writes only after a break; what a list without its file becomes is in unit/audiences",
    "evidence/outside.py: keep_cosignature": "needs a witness that answers (unit/evidence)",
}
"""Beginnings of `module: function` whose writes are not broken here, with the reason."""


@dataclass
class Faults:
    """Counts writes and breaks one of them."""

    break_at: int | None = None
    mode: str = LOST
    count: int = 0
    seen: list[frozenset[Site]] = field(default_factory=list)
    """For each write, the places of the product that it went through."""
    broken: frozenset[Site] | None = None

    def turn(self) -> bool:
        """One more write; whether it is the one to break."""
        place = self.count
        self.count += 1
        self.seen.append(_sites_on_the_stack())
        if place == self.break_at:
            self.broken = self.seen[-1]
            return True
        return False


def _sites_on_the_stack() -> frozenset[Site]:
    found, frame = set(), sys._getframe(2)
    every = sites()
    at: Any = frame
    while at is not None:
        name = at.f_code.co_filename
        if "/volens/" in name:
            site = (name.rsplit("/volens/", 1)[1], at.f_code.co_name)
            if site in every:
                found.add(site)
        at = at.f_back
    return frozenset(found)


@cache
def sites() -> frozenset[Site]:
    """Every function of the product that writes by itself."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(_writes(call) for call in _calls(node)):
                found.add((path.relative_to(SOURCE).as_posix(), node.name))
    return frozenset(found)


def _calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """The calls in a function's own body, not in functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting += ast.iter_child_nodes(node)


def _writes(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    name = called.rsplit(".", 1)[-1]
    return name in PORTS and (name != "replace" or called == "os.replace")


def exempt(site: Site) -> bool:
    """Whether a place has a reason not to be broken here."""
    return any(f"{site[0]}: {site[1]}".startswith(start) for start in EXEMPT)


@contextmanager
def faults(break_at: int | None = None, mode: str = LOST) -> Iterator[Faults]:
    """Counts every write of the block, and breaks the one at `break_at`, if one is given."""
    made = Faults(break_at, mode)
    writing, fsync, commit = SqlDatabase.writing, os.fsync, SqlCatalog.commit_table

    @contextmanager
    def breaking(self: SqlDatabase) -> Iterator[Connection]:
        with writing(self) as connection:
            yield connection
            mine = made.turn()
            if mine and mode == LOST:
                raise Unavailable("The records do not answer: broken by a test.", "Run the same command again.")
        if mine:
            raise Unavailable("The records do not answer: broken by a test.", "Run the same command again.")

    def syncing(handle: int) -> None:
        mine = made.turn()
        if mine and mode == LOST:
            raise OSError(5, "broken by a test")
        fsync(handle)
        if mine:
            raise OSError(5, "broken by a test")

    def committing(self: SqlCatalog, *args: Any, **kwargs: Any) -> Any:
        mine = made.turn()
        if mine and mode == LOST:
            raise OSError(5, "broken by a test")
        response = commit(self, *args, **kwargs)
        if mine:
            raise OSError(5, "broken by a test")
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlDatabase, "writing", breaking)
        patch.setattr(os, "fsync", syncing)
        patch.setattr(SqlCatalog, "commit_table", committing)
        yield made
