"""SQL of machines and their keys. Rules stand in `machines`. No personal data: names of machines, hashes of keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, MetaData, String, Table, Text, insert, select, update

from volens.errors import Tampered

metadata = MetaData()

machine_keys = Table(
    "machine_keys",
    metadata,
    Column("key", String(16), primary_key=True),  # the public part of the key, by which it is found
    Column("machine", String(64), nullable=False),
    Column("recipient", Text),  # none: the house's own
    Column("scopes", Text, nullable=False),
    Column("addresses", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),  # SHA-256 of the whole key
    Column("seal", LargeBinary, nullable=False),  # of what the key may do, under the house's key
    Column("added", BigInteger, nullable=False),  # seq of `machine_key_added`
    Column("expires", String(10), nullable=False),  # the last legal day on which it works
    Column("ended", BigInteger),  # seq of `machine_key_revoked`
    Column("last_used", String(13)),  # UTC, to the hour
    Index("machine_keys_by_machine", "machine"),
)


@dataclass(frozen=True)
class KeyRow:
    """A machine's key as it is stored; the key itself is not."""

    key: str
    machine: str
    recipient: str | None
    scopes: tuple[str, ...]
    addresses: tuple[str, ...]
    secret: bytes
    seal: bytes
    added: int
    expires: str
    ended: int | None
    last_used: str | None


def _row(found: Any) -> KeyRow:
    values = dict(found)
    try:
        lists = {name: tuple(json.loads(values[name])) for name in ("scopes", "addresses")}
        return KeyRow(**{**values, **lists, "secret": bytes(values["secret"]), "seal": bytes(values["seal"])})
    except (ValueError, TypeError) as error:
        raise Tampered("The key of a machine cannot be read as it was written.", "Run: volens audit") from error


def add_key(connection: Connection, row: KeyRow) -> None:
    """Keeps a new key's hash, in the transaction of its event."""
    lists = {name: json.dumps(list(getattr(row, name))) for name in ("scopes", "addresses")}
    connection.execute(insert(machine_keys).values(vars(row) | lists))


def key_by(connection: Connection, key: str) -> KeyRow | None:
    """The key with this public part, or none."""
    found = connection.execute(select(machine_keys).where(machine_keys.c.key == key)).mappings().first()
    return _row(found) if found is not None else None


def keys_of(connection: Connection, machine: str | None = None) -> list[KeyRow]:
    """All keys, or those of one machine, oldest first."""
    query = select(machine_keys).order_by(machine_keys.c.added)
    if machine is not None:
        query = query.where(machine_keys.c.machine == machine)
    return [_row(found) for found in connection.execute(query).mappings()]


def end_keys(connection: Connection, keys: list[str], seq: int) -> None:
    """Marks keys as revoked by the event at `seq`."""
    connection.execute(update(machine_keys).where(machine_keys.c.key.in_(keys)).values(ended=seq))


def note_use(connection: Connection, key: str, hour: str) -> None:
    """The hour of the latest use."""
    connection.execute(update(machine_keys).where(machine_keys.c.key == key).values(last_used=hour))


def shorten(connection: Connection, key: str, last_day: str, seal: bytes) -> None:
    """A key ends earlier than it was made for."""
    connection.execute(update(machine_keys).where(machine_keys.c.key == key).values(expires=last_day, seal=seal))
