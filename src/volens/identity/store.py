"""The tables of identity, and what may be read of them without opening a name.

Names, cards and e-mails are in them sealed or as keyed hashes; `identity.vault` alone opens them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

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

from volens.errors import Tampered
from volens.evidence import log
from volens.holders import Watch
from volens.identity.keys import KEK_ID_BYTES, WRAPPED_BYTES

CHUNK = 500
LOGINS = ("card", "email")
"""Kinds of account that a person shops with."""
FORMER_EMAIL = "former-email"
"""The kind of an e-mail that leads to nobody any more."""

LIVES = (
    "select customer, country, minor_until, case when person is null then 0 else 1 end from customers where customer in (?)"
)
"""What a choice needs to know of who makes it (`lives_in`)."""

metadata = MetaData()
keys_metadata = MetaData()

customers = Table(
    "customers",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("country", String(2), nullable=False),
    Column("minor_until", String(10)),  # first of a month; none for adults and where no birth date is known
    Column("person", LargeBinary),  # names, post, birth date, language: sealed under the customer's key
    Index("customers_by_age", "minor_until"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", Integer, primary_key=True, autoincrement=False),
    Column("customer", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("found_by", LargeBinary, nullable=False, unique=True),  # keyed hash of kind and value
    Column("value", LargeBinary, nullable=False),  # the value, sealed under the customer's key
    Column("closed", String(10)),  # day; none while it is open
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


@dataclass(frozen=True)
class Life:
    """A customer's country, until when they are a minor, and whether a person is known behind the number."""

    country: str
    minor_until: date | None
    person: bool


def lives_in(rows: Iterable[Sequence[Any]]) -> dict[int, Life]:
    """What `LIVES` found, by customer; who is not in it does not exist."""
    return {
        int(number): Life(str(country), date.fromisoformat(until) if until else None, bool(person))
        for number, country, until, person in rows
    }


def linked(connection: Connection) -> dict[int, tuple[int, str]]:
    """Customer number and kind of every account, by account number. No name, no value."""
    query = select(accounts.c.account, accounts.c.customer, accounts.c.kind)
    return {int(account): (int(customer), str(kind)) for account, customer, kind in connection.execute(query)}


def accounts_by(connection: Connection, hashes: Sequence[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """(what it is found by, customer, account) of those of some hashes that lead to somebody; a few hundred at once.

    Given to the driver as they are: for every hash, the layers above it would cost several times the look-up.
    """
    statement = "select found_by, customer, account from accounts where found_by "
    if connection.dialect.paramstyle == "qmark":
        found = connection.exec_driver_sql(statement + f"in ({','.join('?' * len(hashes))})", tuple(hashes))
    else:
        found = connection.exec_driver_sql(statement + "= any(%s)", (list(hashes),))
    for found_by, customer, account in found:
        yield bytes(found_by), int(customer), int(account)


def found_by_watch(watch: Watch, hashes: Sequence[bytes]) -> dict[bytes, int]:
    """Which customer each of some hashes leads to, where it leads to one."""
    if not hashes:
        return {}
    statement = f"select found_by, customer from accounts where found_by in ({', '.join('?' * len(hashes))})"  # noqa: S608
    return {bytes(found_by): int(customer) for found_by, customer in watch.rows(statement, hashes)}


def account(connection: Connection, number: int) -> tuple[int, str] | None:
    """Customer number and kind of one account."""
    query = select(accounts.c.customer, accounts.c.kind).where(accounts.c.account == number)
    row = connection.execute(query).first()
    return (int(row.customer), str(row.kind)) if row is not None else None


def accounts_of(connection: Connection, customer: int) -> list[tuple[int, str]]:
    """Number and kind of every account of a customer."""
    query = select(accounts.c.account, accounts.c.kind).where(accounts.c.customer == customer).order_by(accounts.c.account)
    return [(int(number), str(kind)) for number, kind in connection.execute(query)]


def sealed_accounts(connection: Connection, wanted: Iterable[int], kinds: Iterable[str]) -> list[tuple[int, str, bytes]]:
    """(customer, kind, sealed value) of the open accounts of some customers that are of some kinds."""
    listed, chosen, found = sorted(set(wanted)), sorted(set(kinds)), list[tuple[int, str, bytes]]()
    for start in range(0, len(listed), CHUNK):
        query = select(accounts.c.customer, accounts.c.kind, accounts.c.value).where(
            accounts.c.customer.in_(listed[start : start + CHUNK]), accounts.c.kind.in_(chosen), accounts.c.closed.is_(None)
        )
        found += [(int(customer), str(kind), bytes(value)) for customer, kind, value in connection.execute(query)]
    return found


def all_customers(connection: Connection) -> dict[int, tuple[str, str | None]]:
    """Country of every customer, and the hash of what is sealed about the person."""
    return {
        int(row.customer): (str(row.country), hashed(bytes(row.person)) if row.person else None)
        for row in connection.execute(select(customers))
    }


def hashed(sealed: bytes) -> str:
    """What an event says of something sealed: changing it later is found by the audit."""
    return hashlib.sha256(sealed).hexdigest()


def persons(connection: Connection, wanted: Iterable[int]) -> dict[int, tuple[str, bytes | None]]:
    """Country and sealed person of some customers."""
    listed, found = sorted(set(wanted)), dict[int, tuple[str, bytes | None]]()
    for start in range(0, len(listed), CHUNK):
        query = select(customers.c.customer, customers.c.country, customers.c.person).where(
            customers.c.customer.in_(listed[start : start + CHUNK])
        )
        for number, country, person in connection.execute(query):
            found[int(number)] = (str(country), bytes(person) if person is not None else None)
    return found


def keep_persons(connection: Connection, rows: Mapping[int, tuple[str, bytes]]) -> None:
    """Stores country and sealed person of some customers; part of the transaction that records it."""
    statement = (
        update(customers)
        .where(customers.c.customer == bindparam("who"))
        .values(country=bindparam("land"), person=bindparam("what"))
    )
    if rows:
        connection.execute(
            statement, [{"who": who, "land": country, "what": sealed} for who, (country, sealed) in rows.items()]
        )


def closings(connection: Connection, wanted: Iterable[int]) -> dict[int, str]:
    """The day on which some accounts were closed; an open one is left out."""
    listed, found = sorted(set(wanted)), dict[int, str]()
    for start in range(0, len(listed), CHUNK):
        query = select(accounts.c.account, accounts.c.closed).where(
            accounts.c.account.in_(listed[start : start + CHUNK]), accounts.c.closed.is_not(None)
        )
        found.update({int(account): str(day) for account, day in connection.execute(query)})
    return found


def all_closings(connection: Connection) -> dict[int, str]:
    """The day of every closed account, for the audit."""
    query = select(accounts.c.account, accounts.c.closed).where(accounts.c.closed.is_not(None))
    return {int(account): str(day) for account, day in connection.execute(query)}


def close(connection: Connection, account: int, day: str | None) -> None:
    """Closes an account, or opens it again; part of the transaction that records it."""
    connection.execute(update(accounts).where(accounts.c.account == account).values(closed=day))


def with_open_accounts(connection: Connection, wanted: Iterable[int]) -> set[int]:
    """Those of some customers who have a card or login that is open."""
    listed, found = sorted(set(wanted)), set[int]()
    for start in range(0, len(listed), CHUNK):
        query = select(accounts.c.customer).distinct().where(
            accounts.c.customer.in_(listed[start : start + CHUNK]), accounts.c.closed.is_(None), accounts.c.kind.in_(LOGINS)
        )
        found |= {int(customer) for (customer,) in connection.execute(query)}
    return found


def ages_of(connection: Connection, wanted: Iterable[int]) -> dict[int, tuple[str, date | None]]:
    """Country and `minor_until` of each customer that exists."""
    listed, found = sorted(set(wanted)), dict[int, tuple[str, date | None]]()
    for start in range(0, len(listed), CHUNK):
        query = select(customers.c.customer, customers.c.country, customers.c.minor_until).where(
            customers.c.customer.in_(listed[start : start + CHUNK])
        )
        for number, country, until in connection.execute(query):
            found[int(number)] = (str(country), date.fromisoformat(until) if until else None)
    return found


def keep_ages(connection: Connection, until: Mapping[int, date | None]) -> None:
    """Stores `minor_until` of some customers; part of the transaction that records it."""
    statement = update(customers).where(customers.c.customer == bindparam("who")).values(minor_until=bindparam("day"))
    connection.execute(statement, [{"who": who, "day": day.isoformat() if day else None} for who, day in until.items()])


def of_age(connection: Connection, today: date, limit: int) -> list[int]:
    """Up to `limit` customers who are no longer minors and still stand as such."""
    query = select(customers.c.customer).where(customers.c.minor_until <= today.isoformat()).limit(limit)
    return [int(customer) for (customer,) in connection.execute(query)]


def minors_until(connection: Connection, until: date, limit: int) -> list[int]:
    """Up to `limit` customers who stand as minors until exactly a day."""
    query = select(customers.c.customer).where(customers.c.minor_until == until.isoformat()).limit(limit)
    return [int(customer) for (customer,) in connection.execute(query)]


def nobody_knows(connection: Connection, limit: int | None, among: Iterable[int] | None = None) -> list[int]:
    """Customers of whom no person is known, and who do not stand as minors; up to `limit`, or those of some."""
    query = select(customers.c.customer).where(customers.c.person.is_(None), customers.c.minor_until.is_(None)).limit(limit)
    if among is None:
        return [int(customer) for (customer,) in connection.execute(query)]
    listed, found = sorted(set(among)), list[int]()
    for start in range(0, len(listed), CHUNK):
        some = query.where(customers.c.customer.in_(listed[start : start + CHUNK]))
        found += [int(customer) for (customer,) in connection.execute(some)]
    return found


def all_ages(connection: Connection) -> dict[int, str]:
    """`minor_until` of everybody who has one, for the audit."""
    query = select(customers.c.customer, customers.c.minor_until).where(customers.c.minor_until.is_not(None))
    return {int(customer): str(until) for customer, until in connection.execute(query)}


def numbers_given(connection: Connection) -> dict[str, int]:
    """The last number given, of customers and of accounts."""
    return {str(name): int(last) for name, last in connection.execute(select(numbers.c.name, numbers.c.last))}


def require_new(connection: Connection, first: int) -> None:
    """Raises `Tampered` if anything was ever recorded about a customer number from `first` on: it would be given twice."""
    highest = log.highest_customer(connection)
    if highest is not None and highest >= first:
        raise Tampered(
            f"The next customer number would be {first}, and number {highest} was given before.",
            "Nothing was taken in. Look closer with: volens audit",
        )


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


def raise_numbers(connection: Connection, at_least: int, skipped: int) -> None:
    """After a loss: the next numbers lie above everything known and above whatever may have been given since."""
    for name in ("customer", "account"):
        last = int(connection.execute(select(numbers.c.last).where(numbers.c.name == name).with_for_update()).scalar_one())
        connection.execute(update(numbers).where(numbers.c.name == name).values(last=max(last, at_least) + skipped))


def customers_there(connection: Connection) -> set[int]:
    """The numbers behind which somebody stands."""
    return {int(customer) for (customer,) in connection.execute(select(customers.c.customer))}


def with_a_key(connection: Connection) -> set[int]:
    """The numbers that have a key in the store of customer keys."""
    return {int(customer) for (customer,) in connection.execute(select(customer_keys.c.customer))}


def destroy_keys(connection: Connection, wanted: Sequence[int]) -> None:
    """Deletes keys that seal nothing: their customers are in no records."""
    for start in range(0, len(wanted), 500):
        connection.execute(delete(customer_keys).where(customer_keys.c.customer.in_(wanted[start : start + 500])))
