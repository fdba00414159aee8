"""Releases on record: their state, who moved them, and the public event of each move.

Rules:
1. A state and its event are one transaction.
2. The public tree names roles, not staff; it holds a salted commitment to the name, whose salt stands here.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, String, Table, Text, insert, select, update

from volens.errors import NotFound
from volens.evidence.log import PUBLIC, SALT_BYTES, Event, append, commit_to, lock

metadata = MetaData()

releases = Table(
    "releases",
    metadata,
    Column("release", String(32), primary_key=True),
    Column("plan", String(64), nullable=False),
    Column("supplier", String(64), nullable=False),
    Column("pack", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("certificate", String(64)),  # sha256 of the certificate, once it is published
)

moves = Table(
    "release_moves",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # its event in the public tree
    Column("release", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("actor", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
)


@dataclass(frozen=True)
class Stored:
    """A release as it stands."""

    release: str
    plan: str
    supplier: str
    pack: str
    state: str
    certificate: str | None


@dataclass(frozen=True)
class Move:
    """One step of a release, by one person."""

    seq: int
    release: str
    state: str
    actor: str
    salt: bytes


def hold(connection: Connection) -> None:
    """Takes the public tree's head row: from here to the commit nobody else moves a release."""
    lock(connection, PUBLIC)


def create(connection: Connection, new: Stored, actor: str) -> None:
    """A new release in its first state."""
    connection.execute(insert(releases).values(**vars(new)))
    _move(connection, new, new.state, actor, {})


def move(connection: Connection, moved: Stored, actor: str, detail: Mapping[str, Any]) -> int:
    """Stores the state that `moved` has now, with its event. Returns the event's seq."""
    seq = _move(connection, moved, moved.state, actor, detail)
    connection.execute(
        update(releases)
        .where(releases.c.release == moved.release)
        .values(state=moved.state, certificate=moved.certificate)
    )
    return seq


def asked(release: Stored) -> dict[str, Any]:
    """What the public record says of a release in every step."""
    pack = hashlib.sha256(release.pack.encode()).hexdigest()
    return {"release": release.release, "plan_hash": release.plan, "pack": pack}


def _move(connection: Connection, release: Stored, state: str, actor: str, detail: Mapping[str, Any]) -> int:
    salt = secrets.token_bytes(SALT_BYTES)
    event = Event(
        state,
        recipient=release.supplier,
        detail={**asked(release), **detail},
        commitment=commit_to({"actor": actor}, salt),
    )
    seq = append(connection, PUBLIC, [event])
    connection.execute(
        insert(moves).values(seq=seq, release=release.release, state=state, actor=actor, salt=salt)
    )
    return seq


def find(connection: Connection, release: str) -> Stored:
    """The release, or `NotFound`."""
    row = connection.execute(select(releases).where(releases.c.release == release)).mappings().first()
    if row is None:
        raise NotFound(f"There is no release {release!r}.", "List them with: volens report list")
    return Stored(**row)


def for_plan(connection: Connection, plan: str) -> Stored | None:
    """The release of a plan, if there is one."""
    row = connection.execute(select(releases).where(releases.c.plan == plan)).mappings().first()
    return Stored(**row) if row is not None else None


def everything(connection: Connection) -> list[Stored]:
    """All releases, in order of their names."""
    return [Stored(**row) for row in connection.execute(select(releases).order_by(releases.c.release)).mappings()]


def moves_of(connection: Connection, release: str | None = None) -> list[Move]:
    """The steps of one release, or of all, oldest first."""
    query = select(moves).order_by(moves.c.seq)
    if release is not None:
        query = query.where(moves.c.release == release)
    return [Move(**row) for row in connection.execute(query).mappings()]
