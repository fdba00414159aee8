"""The tables of devices: which there are, what each last said it allows, how often data of each kind arrived.

Rules:
1. A device belongs to an account, and with it to whoever holds the account now: when a card or login moves, its devices move.
2. Nothing that a device sent is in here: only how often, and when last. A device's name is sealed under its owner's key.
3. A row leads to the event that made it: `registered`, `signed_out`, and `seq` of a state.
4. Counting is adding: two calls at the same time are both counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    RowMapping,
    String,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from volens.evidence.journeys import tell
from volens.identity.store import accounts
from volens.permissions.state import PERMITTING, Permission
from volens.permissions.store import permissions

metadata = MetaData()

devices = Table(
    "devices",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("account", Integer, nullable=False),
    Column("platform", String(8), nullable=False),
    Column("app", String(64), nullable=False),
    Column("label", LargeBinary, nullable=False),  # its name, sealed under the key of `sealed_for`
    Column("sealed_for", Integer, nullable=False),
    Column("public_key", LargeBinary, unique=True),  # Ed25519, raw; none for a device that a machine speaks for
    Column("counter", BigInteger, nullable=False),  # of the newest message that was taken
    Column("registered", BigInteger, nullable=False),
    Column("registered_at", String(40), nullable=False),
    Column("app_version", String(32)),
    Column("reported_at", String(40)),
    Column("signed_out", BigInteger),
    Column("signed_out_at", String(40)),
    Index("devices_by_account", "account"),
)

states = Table(
    "device_states",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("category", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("since", String(40), nullable=False),  # when this state was first reported
    Column("reported_at", String(40), nullable=False),
    Column("app_version", String(32), nullable=False),
    Column("seq", BigInteger, nullable=False),  # of the event since which it is so
)

counts = Table(
    "device_counts",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("category", String(32), primary_key=True),
    Column("purpose", String(64), primary_key=True),  # empty where the programme declares no use
    Column("day", String(10), primary_key=True),
    Column("accepted", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("last_accepted", String(40)),
    Column("last_refused", String(40)),
)

_COUNT = (
    "insert into device_counts (device, category, purpose, day, accepted, refused, last_accepted, last_refused) "
    "values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (device, category, purpose, day) do update set "
    "accepted = device_counts.accepted + excluded.accepted, refused = device_counts.refused + excluded.refused, "
    "last_accepted = coalesce(excluded.last_accepted, device_counts.last_accepted), "
    "last_refused = coalesce(excluded.last_refused, device_counts.last_refused)"
)


@dataclass(frozen=True)
class Device:
    """A device and whose it is now."""

    device: str
    account: int
    customer: int
    platform: str
    app: str
    label: bytes
    sealed_for: int
    public_key: bytes | None
    counter: int
    registered: int
    registered_at: str
    app_version: str | None
    reported_at: str | None
    signed_out: int | None
    signed_out_at: str | None


@dataclass(frozen=True)
class State:
    """What a device last said about one category."""

    device: str
    category: str
    state: str
    since: str
    reported_at: str
    app_version: str
    seq: int


@dataclass(frozen=True)
class Count:
    """How often data of one kind came from one device on one day, and what became of it."""

    device: str
    category: str
    purpose: str
    day: str
    accepted: int
    refused: int
    last_accepted: str | None
    last_refused: str | None


_WITH_OWNER = select(devices, accounts.c.customer).join(accounts, accounts.c.account == devices.c.account)


def device(connection: Connection, number: str) -> Device | None:
    """One device, if it is there and its account is anybody's."""
    row = connection.execute(_WITH_OWNER.where(devices.c.device == number)).mappings().first()
    return _device(row) if row is not None else None


def by_key(connection: Connection, public_key: bytes) -> Device | None:
    """The device that a public key belongs to."""
    row = connection.execute(_WITH_OWNER.where(devices.c.public_key == public_key)).mappings().first()
    return _device(row) if row is not None else None


def of_customer(connection: Connection, customer: int) -> list[Device]:
    """The devices of everything that a customer holds, oldest first."""
    query = _WITH_OWNER.where(accounts.c.customer == customer).order_by(devices.c.registered)
    return [_device(row) for row in connection.execute(query).mappings()]


def _device(row: RowMapping) -> Device:
    key = row["public_key"]
    return Device(**{**row, "label": bytes(row["label"]), "public_key": bytes(key) if key is not None else None})


def add(connection: Connection, values: Mapping[str, Any]) -> None:
    """Stores a new device; part of the transaction that records it."""
    connection.execute(insert(devices).values(**values))


def advance(connection: Connection, number: str, seen: int, counter: int, **values: Any) -> bool:
    """Moves a device's counter from what was seen to a higher one, with what else is new; whether it still stood there."""
    where = and_(devices.c.device == number, devices.c.counter == seen, devices.c.signed_out.is_(None))
    return connection.execute(update(devices).where(where).values(counter=counter, **values)).rowcount == 1


def sign_out(connection: Connection, number: str, seq: int, at: str) -> None:
    """From the commit on nothing that the device signs is taken; part of the transaction that records it."""
    connection.execute(update(devices).where(devices.c.device == number).values(signed_out=seq, signed_out_at=at))


def forget(connection: Connection, numbers: Iterable[str]) -> None:
    """Deletes all that is known of some devices; part of the transaction that records it."""
    for number in numbers:
        for table in (counts, states, devices):
            connection.execute(delete(table).where(table.c.device == number))


def forget_accounts(connection: Connection, gone: Iterable[int]) -> int:
    """Deletes the devices of accounts that are erased, in the erasure's transaction; how many."""
    listed = sorted(gone)
    numbers = [str(number) for (number,) in connection.execute(select(devices.c.device).where(devices.c.account.in_(listed)))]
    forget(connection, numbers)
    return len(numbers)


def states_of(connection: Connection, number: str) -> dict[str, State]:
    """What a device last said, by category."""
    query = select(states).where(states.c.device == number)
    return {row["category"]: State(**row) for row in connection.execute(query).mappings()}


def keep_states(connection: Connection, reported: Sequence[State]) -> None:
    """Replaces what one device said about some categories; part of the transaction that records what is new in it."""
    for one in reported:
        connection.execute(delete(states).where(states.c.device == one.device, states.c.category == one.category))
        connection.execute(insert(states).values(**vars(one)))


def count(connection: Connection, counted: Iterable[Count]) -> None:
    """Adds to what was counted."""
    for one in counted:
        tell(connection, _COUNT, tuple(vars(one).values()))


def counts_of(connection: Connection, numbers: Sequence[str]) -> list[Count]:
    """All that was counted for some devices, oldest first."""
    query = select(counts).where(counts.c.device.in_(list(numbers))).order_by(counts.c.day)
    return [Count(**row) for row in connection.execute(query).mappings()] if numbers else []


def totals(connection: Connection, since: date) -> dict[tuple[str, str], tuple[int, int]]:
    """How often data were taken and refused since a day, from everybody, by category and purpose."""
    query = select(counts.c.category, counts.c.purpose, func.sum(counts.c.accepted), func.sum(counts.c.refused))
    found = connection.execute(query.where(counts.c.day >= since.isoformat()).group_by(counts.c.category, counts.c.purpose))
    return {(str(category), str(purpose)): (int(taken), int(refused)) for category, purpose, taken, refused in found}


def unused_since(
    connection: Connection, purpose: str, day: date, limit: int, customer: int | None = None
) -> list[Permission]:
    """Up to `limit` standing yeses to a purpose that were given before a day and not used on it or after it."""
    cutoff = day.isoformat()
    used = exists().where(
        counts.c.purpose == purpose,
        counts.c.accepted > 0,
        counts.c.day >= cutoff,
        counts.c.device == devices.c.device,
        devices.c.account == accounts.c.account,
        accounts.c.customer == permissions.c.customer,
    )
    query = select(permissions).where(
        permissions.c.purpose == purpose, permissions.c.kind.in_(sorted(PERMITTING)), permissions.c.day < cutoff, ~used
    )
    if customer is not None:
        query = query.where(permissions.c.customer == customer)
    found = connection.execute(query.order_by(permissions.c.customer).limit(limit)).mappings()
    return [Permission(**{**row, "day": date.fromisoformat(row["day"])}) for row in found]


def drop_counts(connection: Connection, before: date) -> int:
    """Deletes what was counted before a day; how many rows."""
    return connection.execute(delete(counts).where(counts.c.day < before.isoformat())).rowcount


def everything(connection: Connection) -> Iterator[tuple[Device | None, dict[str, Any]]]:
    """Every row of `devices`, with its owner if there is one: for the audit."""
    query = select(devices, accounts.c.customer).outerjoin(accounts, accounts.c.account == devices.c.account)
    for row in connection.execute(query.order_by(devices.c.device)).mappings():
        yield (_device(row) if row["customer"] is not None else None), dict(row)


def all_states(connection: Connection) -> Iterator[State]:
    """Every reported state: for the audit."""
    for row in connection.execute(select(states).order_by(states.c.device, states.c.category)).mappings():
        yield State(**row)


def strays(connection: Connection) -> int:
    """Rows about devices that are not there: for the audit."""
    known = select(devices.c.device)
    return sum(
        int(connection.execute(select(func.count()).select_from(table).where(table.c.device.not_in(known))).scalar_one())
        for table in (states, counts)
    )
