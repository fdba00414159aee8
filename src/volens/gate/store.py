"""The record of uses: what was read, for what, for whom, and exactly about whom.

Rules:
1. A read is two events: `opened` before the first row, `closed` with the customers really seen. A read that was never
   closed counts as having seen everybody who was permitted when it opened.
2. The set of customers is kept in blocks of 65,536 ids, so that one person's page reads one small block a use.
3. The event holds a salted commitment to the set; salt and set stand here. Changing either is found by `volens audit`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from pyroaring import BitMap
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from volens.errors import Unavailable
from volens.evidence.ended import anything_ended, ended
from volens.evidence.groups import customers_since
from volens.evidence.journeys import rows_about
from volens.evidence.log import EVENTS, RULES, SALT_BYTES, Event, append, lock, require_programme, size
from volens.evidence.merkle import canonical_json
from volens.gate.policy import Cover, ReadRequest, Rulebook, without_flows, without_texts
from volens.holders import Watch
from volens.identity import store as identity
from volens.permissions import store as permissions

BLOCK_BITS = 16
"""A block holds 2¹⁶ consecutive customer numbers."""

metadata = MetaData()

uses = Table(
    "uses",
    metadata,
    Column("read", BigInteger, primary_key=True, autoincrement=False),  # seq of `opened`
    Column("actor", Text, nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("fields", Text, nullable=False),
    Column("first_day", String(10), nullable=False),
    Column("end_day", String(10), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("closed", BigInteger),  # seq of `closed`; none while it runs, or when it was killed
    Column("customers", Integer),
    Column("salt", LargeBinary, nullable=False),
)

doors = Table(
    "doors",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("door", String(16), nullable=False),  # drawn | handed_over
    Column("read", BigInteger),  # the read that a draw rests on
    Column("purpose", String(64), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("fields", Text, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("salt", LargeBinary, nullable=False),
)

customer_sets = Table(
    "customer_sets",
    metadata,
    Column("owner", BigInteger, primary_key=True, autoincrement=False),  # a read's number, or a door's seq
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("bitmap", LargeBinary, nullable=False),
)


@dataclass(frozen=True)
class Use:
    """One recorded read. `closed` is none for a read that was killed or still runs."""

    read: int
    actor: str
    purpose: str
    recipient: str
    fields: tuple[str, ...]
    first_day: str
    end_day: str
    position: int
    closed: int | None
    customers: int | None
    salt: bytes


@dataclass(frozen=True)
class Door:
    """Something that left: an answer that was drawn, or people who were handed over."""

    seq: int
    door: str
    read: int | None
    purpose: str
    recipient: str
    fields: tuple[str, ...]
    customers: int
    salt: bytes


def open_use(connection: Connection, request: ReadRequest, programme: str, today: date) -> int:
    """Appends `opened` and its row; returns the read's number, which is the event's seq."""
    detail = {
        "public": require_programme(connection, programme),
        "actor": request.actor,
        "fields": list(request.fields),
        "start": request.start.isoformat(),
        "end": request.end.isoformat(),
        "programme": programme,
    }
    event = Event("opened", purpose=request.purpose, recipient=request.recipient, day=today, detail=detail)
    read = append(connection, EVENTS, [event])
    connection.execute(
        insert(uses).values(
            read=read,
            actor=request.actor,
            purpose=request.purpose,
            recipient=request.recipient,
            fields=",".join(request.fields),
            first_day=request.start.isoformat(),
            end_day=request.end.isoformat(),
            position=read + 1,  # until the snapshot is taken: everything up to this event
            salt=secrets.token_bytes(SALT_BYTES),
        )
    )
    return read


def record_door(
    connection: Connection,
    door: str,
    request: ReadRequest,
    read: int | None,
    customers: BitMap,
    detail: Mapping[str, Any],
    programme: str,
    today: date,
) -> int:
    """Appends what left through a door, with a commitment to exactly the customers in it. Returns its seq."""
    salt = secrets.token_bytes(SALT_BYTES)
    detail = {
        **detail,
        "programme": programme,
        "public": require_programme(connection, programme),
        "read": read,
        "fields": list(request.fields),
        "start": request.start.isoformat(),
        "end": request.end.isoformat(),
    }
    event = Event(
        door,
        purpose=request.purpose,
        recipient=request.recipient,
        day=today,
        detail=detail,
        commitment=commitment(salt, customers),
    )
    seq = append(connection, EVENTS, [event])
    connection.execute(
        insert(doors).values(
            seq=seq,
            door=door,
            read=read,
            purpose=request.purpose,
            recipient=request.recipient,
            fields=",".join(request.fields),
            customers=len(customers),
            salt=salt,
        )
    )
    _keep_set(connection, seq, customers)
    return seq


def place(connection: Connection, read: int, position: int, permitted_then: BitMap) -> None:
    """Notes the position at which the permitted customers were read, and who they were; part of opening.

    Until the read is closed these are the customers on whose page it stands: it may have seen any of them.
    """
    connection.execute(update(uses).where(uses.c.read == read).values(position=position))
    _keep_set(connection, read, permitted_then)


def close_use(connection: Connection, read: int, position: int, seen: BitMap) -> int:
    """Appends `closed` with a commitment to the customers really seen, and stores them. Returns its seq."""
    row = connection.execute(select(uses.c.salt, uses.c.purpose, uses.c.recipient).where(uses.c.read == read)).one()
    seq = append(
        connection,
        EVENTS,
        [
            Event(
                "closed",
                purpose=row.purpose,
                recipient=row.recipient,
                detail={"read": read, "position": position},
                commitment=commitment(bytes(row.salt), seen),
            )
        ],
    )
    connection.execute(
        update(uses).where(uses.c.read == read).values(closed=seq, position=position, customers=len(seen))
    )
    connection.execute(delete(customer_sets).where(customer_sets.c.owner == read))
    _keep_set(connection, read, seen)
    return seq


def _keep_set(connection: Connection, owner: int, customers: BitMap) -> None:
    stored = [{"owner": owner, "block": block, "bitmap": part.serialize()} for block, part in blocks(customers)]
    if stored:
        connection.execute(insert(customer_sets), stored)


def blocks(customers: BitMap) -> list[tuple[int, BitMap]]:
    """The set cut into blocks of 65,536 numbers; each part keeps the full numbers."""
    parts = []
    for block in sorted({int(number) >> BLOCK_BITS for number in _block_starts(customers)}):
        low = block << BLOCK_BITS
        parts.append((block, customers & BitMap(range(low, low + (1 << BLOCK_BITS)))))
    return parts


def _block_starts(customers: BitMap) -> list[int]:
    """One member of each block that is not empty, found by jumping instead of walking."""
    found = []
    remaining = customers
    while remaining:
        first = int(remaining.min())
        found.append(first)
        remaining = remaining - BitMap(range(first, ((first >> BLOCK_BITS) + 1) << BLOCK_BITS))
    return found


def commitment(salt: bytes, customers: BitMap) -> bytes:
    """SHA-256 over salt and the sorted numbers: silent about the set as long as the salt is not shown."""
    return hashlib.sha256(salt + canonical_json([int(number) for number in customers])).digest()


def customers_of(connection: Connection, owner: int) -> BitMap:
    """The customers that a closed read saw, or that left through a door."""
    whole = BitMap()
    for (bitmap,) in connection.execute(select(customer_sets.c.bitmap).where(customer_sets.c.owner == owner)):
        whole |= BitMap.deserialize(bytes(bitmap))
    return whole


def stored_sets(connection: Connection) -> dict[int, dict[int, bytes]]:
    """Every stored block by owner and number, for the audit."""
    found: dict[int, dict[int, bytes]] = {}
    for owner, block, bitmap in connection.execute(select(customer_sets)):
        found.setdefault(int(owner), {})[int(block)] = bytes(bitmap)
    return found


def all_uses(connection: Connection) -> list[Use]:
    """Every recorded read, oldest first."""
    return [
        Use(**{**row, "fields": tuple(row["fields"].split(","))})
        for row in connection.execute(select(uses).order_by(uses.c.read)).mappings()
    ]


def uses_of(connection: Connection, customer: int) -> list[Use]:
    """The reads that saw one customer, or may have (those never closed), oldest first. Reads one block a use."""
    query = (
        select(uses, customer_sets.c.bitmap)
        .join(customer_sets, customer_sets.c.owner == uses.c.read)
        .where(customer_sets.c.block == customer >> BLOCK_BITS)
        .order_by(uses.c.read)
    )
    found = []
    for row in connection.execute(query).mappings():
        if customer in BitMap.deserialize(bytes(row["bitmap"])):
            columns = {key: value for key, value in row.items() if key != "bitmap"}
            found.append(Use(**{**columns, "fields": tuple(columns["fields"].split(","))}))
    return found


def all_doors(connection: Connection) -> list[Door]:
    """Everything that ever left, oldest first."""
    return [
        Door(**{**row, "fields": tuple(row["fields"].split(","))})
        for row in connection.execute(select(doors).order_by(doors.c.seq)).mappings()
    ]


def hold_ledger(connection: Connection) -> int:
    """Takes the ledger's head row until the end of the transaction; returns how many events there are."""
    return lock(connection, EVENTS)


def ledger_position(connection: Connection) -> int:
    """How many events stand in this snapshot: whoever reads permissions in it sees exactly those."""
    return size(connection, EVENTS)


@dataclass(frozen=True)
class Look:
    """What one statement sees of the records, and so at one moment."""

    position: int
    rules_at: tuple[int | None, int | None]
    """As `evidence.log.newest_rules`."""
    found: Mapping[bytes, int]
    """Which customer each hash leads to, where it leads to one."""


def look(watch: Watch, hashes: Sequence[bytes]) -> Look:
    """Where the ledger and the rules stand, and who some cards or e-mails belong to."""
    padded = [*hashes, *[hashes[-1]] * (_round_up(len(hashes)) - len(hashes))] if hashes else []
    rows = watch.rows(_look_for(len(padded)), padded)
    if not rows:
        raise Unavailable("The events tree has no head row.", "Restore the records from a back-up, then run: volens audit")
    found = {bytes(found_by): int(customer) for *_, found_by, customer in rows if found_by is not None}
    position, programme, ended = rows[0][:3]
    return Look(int(position), (programme, ended), found)


def _round_up(number: int) -> int:
    """To a power of two, so that there are few statements to prepare."""
    return 1 << (number - 1).bit_length()


@cache
def _look_for(hashes: int) -> str:
    return (
        f"select heads.size, rules.*, found_by, customer from ({RULES.statement}) as rules, heads "  # noqa: S608  # our own words
        f"left join accounts on found_by in ({', '.join('?' * hashes) or 'null'}) where tree = 'events'"
    )


def changed_since(connection: Connection, position: int) -> BitMap:
    """Customers about whom anything was recorded at or after `position`."""
    return BitMap(customers_since(connection, position))


def in_force(connection: Connection, rules: Rulebook) -> Rulebook:
    """The programme's rules without the texts that were invalidated and the flows that are closed, as this transaction sees it."""
    gone = ended(connection)
    return without_flows(without_texts(rules, gone.texts), gone.flows)


def ended_since(connection: Connection, position: int) -> bool:
    """Whether any text or flow ended at or after `position`: then everybody's yes has to be looked at again."""
    return anything_ended(connection, position)


def existing(connection: Connection, customers: BitMap) -> BitMap:
    """Those of some customers behind whom somebody stands."""
    return BitMap(identity.lives_in(rows_about(connection, identity.LIVES, customers)))


def permitted(
    connection: Connection, purpose: str, recipient: str, covered: Cover, among: BitMap | None = None
) -> BitMap:
    """Customers (of `among`, if given) whose standing yes for a purpose and recipient is what `covered` asks for, as this
    transaction sees it."""
    return permissions.permitted(
        connection, purpose, recipient, covered.texts, covered.kinds, covered.notified_until, covered.accepted_from,
        None if among is None else list(among),
    )  # fmt: skip
