"""The tables of identity, and what may be read of them without opening a name.

Names, cards and e-mails are in them sealed or as keyed hashes; `identity.vault` alone opens them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)

from volens.identity.keys import KEK_ID_BYTES, WRAPPED_BYTES

metadata = MetaData()
keys_metadata = MetaData()

customers = Table(
    "customers",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("country", String(2), nullable=False),
    Column("person", LargeBinary),  # names, post, birth date, language: sealed under the customer's key
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", Integer, primary_key=True, autoincrement=False),
    Column("customer", Integer, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("found_by", LargeBinary, nullable=False, unique=True),  # keyed hash of kind and value
    Column("value", LargeBinary, nullable=False),  # the value, sealed under the customer's key
    Index("accounts_by_customer", "customer"),
)

numbers = Table(
    "numbers",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("last", Integer, nullable=False),
)

customer_keys = Table(
    "customer_keys",
    keys_metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),  # begins with the id of the key that wraps it
)

wrapping = Table(
    "wrapping",
    keys_metadata,
    Column("name", String(8), primary_key=True),  # one row: `kek`
    Column("kek", String(16), nullable=False),  # the id of the key that new customer keys are wrapped under
)


def linked(connection: Connection) -> dict[int, tuple[int, str]]:
    """Customer number and kind of every account, by account number. No name, no value."""
    query = select(accounts.c.account, accounts.c.customer, accounts.c.kind)
    return {int(account): (int(customer), str(kind)) for account, customer, kind in connection.execute(query)}


def all_customers(connection: Connection) -> dict[int, tuple[str, str | None]]:
    """Country of every customer, and the hash of what is sealed about the person."""
    return {
        int(row.customer): (str(row.country), hashlib.sha256(bytes(row.person)).hexdigest() if row.person else None)
        for row in connection.execute(select(customers))
    }


def numbers_given(connection: Connection) -> dict[str, int]:
    """The last number given, of customers and of accounts."""
    return {str(name): int(last) for name, last in connection.execute(select(numbers.c.name, numbers.c.last))}


def forget(connection: Connection, customer: int) -> list[int]:
    """Deletes a customer's accounts and what is sealed about the person; the numbers of the accounts that were there.

    Part of an erasure: afterwards no store leads from a name, card or e-mail to the number, or back.
    """
    mine = accounts.c.customer == customer
    gone = sorted(int(account) for (account,) in connection.execute(select(accounts.c.account).where(mine)))
    connection.execute(delete(accounts).where(mine))
    connection.execute(delete(customers).where(customers.c.customer == customer))
    return gone


def is_known(connection: Connection, customer: int) -> bool:
    """Whether somebody stands behind a number."""
    return connection.execute(select(customers.c.customer).where(customers.c.customer == customer)).first() is not None


def wrap_under(connection: Connection) -> str:
    """The id of the key that customer keys are to be wrapped under; empty before the first change of that key.

    Held until the end of the caller's transaction: a change of the key waits for whoever is about to wrap under the old one.
    """
    query = select(wrapping.c.kek).where(wrapping.c.name == "kek").with_for_update(read=True)
    return str(connection.execute(query).scalar_one())


def set_wrap_under(connection: Connection, kek: str) -> None:
    """From the commit on, nothing is wrapped under another key."""
    connection.execute(update(wrapping).where(wrapping.c.name == "kek").values(kek=kek))


def wrapped_between(connection: Connection, above: int, end: int, limit: int) -> list[tuple[int, bytes]]:
    """Up to `limit` customers in (above, end] with their wrapped keys, locked until the end of the transaction."""
    wanted = customer_keys.c.customer.between(above + 1, end)
    query = select(customer_keys).where(wanted).order_by(customer_keys.c.customer)
    return [(int(who), bytes(key)) for who, key in connection.execute(query.limit(limit).with_for_update())]


def rewrap(connection: Connection, fresh: Sequence[tuple[int, bytes]]) -> None:
    """Replaces wrapped keys. A key that was destroyed meanwhile stays destroyed: nothing is ever inserted here."""
    statement = update(customer_keys).where(customer_keys.c.customer == bindparam("who")).values(wrapped=bindparam("key"))
    connection.execute(statement, [{"who": who, "key": key} for who, key in fresh])


def count_keys(connection: Connection) -> tuple[int, int]:
    """How many customers have a key, and the highest number among them."""
    count, highest = connection.execute(select(func.count(), func.max(customer_keys.c.customer))).one()
    return int(count), int(highest or 0)


def count_by_kek(connection: Connection) -> dict[str, int]:
    """Customer keys by the id of the key that wraps them; empty for those wrapped before ids were written."""
    # The same expression twice must be the same text, so its numbers are no parameters.
    under = func.substr(customer_keys.c.wrapped, literal_column("1"), literal_column(str(KEK_ID_BYTES)))
    length = func.length(customer_keys.c.wrapped)
    query = select(under, length, func.count()).group_by(under, length)
    found: dict[str, int] = {}
    for prefix, size, count in connection.execute(query):
        name = bytes(prefix).hex() if size > WRAPPED_BYTES else ""
        found[name] = found.get(name, 0) + int(count)
    return found
