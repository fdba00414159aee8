"""The tables of identity, and what may be read of them without opening a name.

Names, cards and e-mails are in them sealed or as keyed hashes; `identity.vault` alone opens them.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    select,
)

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
    Column("wrapped", LargeBinary, nullable=False),
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
