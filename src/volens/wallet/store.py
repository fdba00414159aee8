"""What the wallet keeps: accounts and postings, budgets, claims; the rest is in `out_store` and `contest_store`.

Rules:
1. Postings and the balances of days are added and never changed; the database refuses it too (migration 0023).
2. An account's row holds what its postings add up to. It is written with them; the head row of the events is held meanwhile.
3. Nothing here decides: callers have looked at the states under that lock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
    update,
)

from volens.evidence.journeys import insert_rows, streamed

metadata = MetaData()

accounts = Table(
    "wallet_accounts",
    metadata,
    Column("account", String(120), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),  # the event of its newest posting
    CheckConstraint("cents >= 0 or kind = 'outside'", name="wallet_never_below_zero"),
)

entries = Table(
    "wallet_entries",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # the event it belongs to
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("source", String(120), nullable=False),
    Column("target", String(120), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("day", String(10), nullable=False),
    Column("source_before", BigInteger, nullable=False),
    Column("source_after", BigInteger, nullable=False),
    Column("target_before", BigInteger, nullable=False),
    Column("target_after", BigInteger, nullable=False),
    CheckConstraint("cents > 0", name="wallet_moves_something"),
    CheckConstraint("source <> target", name="wallet_moves_somewhere"),
    CheckConstraint("source_after = source_before - cents and target_after = target_before + cents", name="wallet_adds_up"),
    Index("wallet_entries_by_source", "source", "seq"),
    Index("wallet_entries_by_target", "target", "seq"),
)

budgets = Table(
    "wallet_budgets",
    metadata,
    Column("offer", String(64), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("currency", String(3), nullable=False),
    Column("cents", BigInteger, nullable=False),  # all that was ever given, less what was taken back
    Column("seq", BigInteger, nullable=False),
)

days = Table(
    "wallet_days",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("cents", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
)

claims = Table(
    "wallet_claims",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("customer", Integer),  # nobody's until it is earned
    Column("offer", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("country", String(2), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("money_cents", BigInteger, nullable=False),
    Column("voucher_cents", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("earned", String(10)),
    Column("matures", String(10)),
    Column("voucher_days", Integer, nullable=False),
    Column("why", String(64), nullable=False),
    Column("reason", Text, nullable=False),  # JSON: the sentence in each language, while it is held or after it was reversed
    Column("seq", BigInteger, nullable=False),  # the event of its state
    CheckConstraint("money_cents >= 0 and voucher_cents >= 0 and money_cents + voucher_cents > 0", name="wallet_claims_something"),
    Index("wallet_claims_by_customer", "customer"),
    Index("wallet_claims_by_day", "state", "matures"),
)

contests = Table(
    "wallet_contests",
    metadata,
    Column("contest", BigInteger, primary_key=True, autoincrement=False),  # the seq of its event
    Column("claim", String(160), nullable=False),
    Column("customer", Integer, nullable=False),
    Column("state", String(10), nullable=False),  # open | answered
    Column("due", String(10), nullable=False),
    Column("words", LargeBinary),  # what she wrote, and the answer: both sealed under her key
    Column("answer", LargeBinary),
    Column("seq", BigInteger, nullable=False),
    Index("wallet_contests_by_customer", "customer"),
)

vouchers = Table(
    "wallet_vouchers",
    metadata,
    Column("voucher", BigInteger, primary_key=True, autoincrement=False),  # the seq of its issue
    Column("claim", String(160), nullable=False),
    Column("place", Integer, nullable=False),
    Column("customer", Integer, nullable=False),
    Column("offer", String(64), nullable=False),
    Column("country", String(2), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("code_hash", LargeBinary, nullable=False, unique=True),
    Column("code", LargeBinary, nullable=False),  # sealed under the person's key
    Column("state", String(10), nullable=False),
    Column("moved", String(10), nullable=False),  # the day of its state
    Column("issued", String(10), nullable=False),
    Column("until", String(10), nullable=False),  # the last day on which it is taken
    Column("reservation", String(140), nullable=False),  # machine and key of whoever holds it
    Column("reserved_until", String(32), nullable=False),
    Column("seq", BigInteger, nullable=False),
    UniqueConstraint("claim", "place", name="wallet_vouchers_once"),
    Index("wallet_vouchers_by_customer", "customer"),
    Index("wallet_vouchers_by_state", "state", "until"),
)

bearers = Table(
    "wallet_bearers",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),  # a number that is erased, or about to be
    Column("code_hash", LargeBinary, nullable=False, unique=True),
    Column("day", String(10), nullable=False),
    Column("seq", BigInteger, nullable=False),
)

payouts = Table(
    "wallet_payouts",
    metadata,
    Column("payout", BigInteger, primary_key=True, autoincrement=False),  # the seq of its asking
    Column("key", String(64), nullable=False, unique=True),  # of the form it was asked with
    Column("customer", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("account", LargeBinary),  # name and IBAN, sealed under the person's key; gone a while after it was paid
    Column("last4", String(4), nullable=False),
    Column("language", String(2), nullable=False),  # of the page it was asked on; she is written to in it
    Column("state", String(10), nullable=False),
    Column("asked", String(10), nullable=False),
    Column("moved", String(10), nullable=False),  # the day of its state
    Column("run", String(40)),
    Column("seq", BigInteger, nullable=False),
    Index("wallet_payouts_by_customer", "customer"),
    Index("wallet_payouts_by_state", "state", "currency"),
)

runs = Table(
    "wallet_runs",
    metadata,
    Column("run", String(40), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),  # the seq of its preparing
    Column("day", String(10), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("count", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("prepared_by", String(120), nullable=False),
    Column("released_by", String(120), nullable=False),
    Column("seq", BigInteger, nullable=False),
)

# Made once: making a statement costs more than running it, and these run for everybody who joins.
_HOLDING = select(accounts.c.account, accounts.c.currency, accounts.c.cents).where(
    accounts.c.account.in_(bindparam("names", expanding=True))
)
_CLAIM = select(claims).where(claims.c.key == bindparam("name"))
_BUDGET = select(budgets).where(budgets.c.offer == bindparam("of"), budgets.c.country == bindparam("there"))
_ADD_CLAIM = insert(claims)
_ACCOUNT = ("account", "currency", "kind", "cents", "seq")
_ENTRY = tuple(column.name for column in entries.c)


@dataclass(frozen=True)
class Entry:
    """One posting: money that moved from one account to another."""

    seq: int
    place: int
    key: str
    source: str
    target: str
    cents: int
    currency: str
    day: str
    source_before: int
    source_after: int
    target_before: int
    target_after: int


@dataclass(frozen=True)
class Account:
    """What an account holds after its newest posting."""

    account: str
    currency: str
    kind: str
    cents: int
    seq: int


@dataclass(frozen=True)
class Budget:
    """What was given for an offer in a country altogether."""

    offer: str
    country: str
    currency: str
    cents: int
    seq: int


@dataclass(frozen=True)
class Claim:
    """One reward: promised, earned, and what became of it."""

    key: str
    customer: int | None
    offer: str
    version: int
    country: str
    currency: str
    money_cents: int
    voucher_cents: int
    state: str
    earned: str | None
    matures: str | None
    voucher_days: int
    why: str
    reason: str
    seq: int

    @property
    def cents(self) -> int:
        """Money and voucher together."""
        return self.money_cents + self.voucher_cents


# The books


def balances(connection: Connection, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """What some accounts hold, by (account, currency); those without a posting are left out."""
    found = connection.execute(_HOLDING, {"names": sorted({account for account, _ in wanted})})
    return {(account, currency): int(cents) for account, currency, cents in found}


def put(connection: Connection, written: Sequence[Entry], holding: Sequence[Account]) -> None:
    """Adds postings, and what their accounts hold now."""
    insert_rows(connection, entries, _ENTRY, [tuple(vars(one).values()) for one in written])
    insert_rows(connection, accounts, _ACCOUNT, [tuple(vars(one).values()) for one in holding], key=("account", "currency"))


def all_accounts(connection: Connection) -> list[Account]:
    """Every account, by name."""
    rows = connection.execute(select(accounts).order_by(accounts.c.account, accounts.c.currency)).mappings()
    return [Account(**row) for row in rows]


def accounts_named(connection: Connection, names: Collection[str]) -> list[Account]:
    """Some accounts, in every currency."""
    rows = connection.execute(select(accounts).where(accounts.c.account.in_(sorted(names)))).mappings()
    return [Account(**row) for row in rows]


def by_kind(connection: Connection) -> list[tuple[str, str, int]]:
    """(currency, kind of account, cents): the trial balance, which is zero in each currency."""
    total = func.sum(accounts.c.cents)
    query = select(accounts.c.currency, accounts.c.kind, total).group_by(accounts.c.currency, accounts.c.kind)
    rows = connection.execute(query.order_by(accounts.c.currency, accounts.c.kind))
    return [(row[0], row[1], int(row[2])) for row in rows]


def all_entries(connection: Connection, first: str = "", last: str = "9999-12-31") -> Iterator[Entry]:
    """Every posting of some days, in its order."""
    query = select(entries).where(entries.c.day >= first, entries.c.day <= last).order_by(entries.c.seq, entries.c.place)
    for row in streamed(connection, query):
        yield Entry(**row)


def entries_of(connection: Connection, names: Collection[str]) -> list[Entry]:
    """The postings of some accounts, in their order."""
    listed = sorted(names)
    query = select(entries).where(entries.c.source.in_(listed) | entries.c.target.in_(listed))
    return [Entry(**row) for row in connection.execute(query.order_by(entries.c.seq, entries.c.place)).mappings()]


# Budgets


def budget(connection: Connection, offer: str, country: str) -> Budget | None:
    """The budget of an offer in a country."""
    row = connection.execute(_BUDGET, {"of": offer, "there": country}).one_or_none()
    return Budget(*row) if row is not None else None


def all_budgets(connection: Connection) -> list[Budget]:
    """Every budget, by offer and country."""
    rows = connection.execute(select(budgets).order_by(budgets.c.offer, budgets.c.country)).mappings()
    return [Budget(**row) for row in rows]


def keep_budget(connection: Connection, one: Budget) -> None:
    """Puts a budget in the place of what it was."""
    insert_rows(connection, budgets, tuple(vars(one)), [tuple(vars(one).values())], key=("offer", "country"))


# Claims


def claim(connection: Connection, key: str) -> Claim | None:
    """A claim by its key."""
    row = connection.execute(_CLAIM, {"name": key}).one_or_none()
    return Claim(*row) if row is not None else None


def add_claim(connection: Connection, one: Claim) -> None:
    """A claim that was not there before."""
    connection.execute(_ADD_CLAIM, vars(one))


def move_claim(connection: Connection, key: str, **values: Any) -> None:
    """A claim's next state, with what comes with it."""
    connection.execute(update(claims).where(claims.c.key == key).values(**values))


def claims_of(connection: Connection, customer: int) -> list[Claim]:
    """Somebody's claims, newest first."""
    query = select(claims).where(claims.c.customer == customer).order_by(claims.c.seq.desc(), claims.c.key)
    return [Claim(**row) for row in connection.execute(query).mappings()]


def due(connection: Connection, state: str, country: str, day: str, most: int) -> list[Claim]:
    """Claims of a state in a country whose day has come, the oldest first."""
    query = select(claims).where(claims.c.state == state, claims.c.country == country, claims.c.matures <= day)
    rows = connection.execute(query.order_by(claims.c.matures, claims.c.key).limit(most)).mappings()
    return [Claim(**row) for row in rows]


def all_claims(connection: Connection) -> Iterator[Claim]:
    """Every claim, by key."""
    query = select(claims).order_by(claims.c.key)
    for row in streamed(connection, query):
        yield Claim(**row)
