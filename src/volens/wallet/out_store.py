"""What the wallet keeps of vouchers, payouts and their runs, and of bearers. The tables are in `store`.

A voucher changes its state in one statement that names the state it had: of two who try, one finds no row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from volens.evidence.journeys import insert_rows, streamed
from volens.wallet.store import bearers, claims, contests, payouts, runs, vouchers


@dataclass(frozen=True)
class Voucher:
    """A code that is worth something, once."""

    voucher: int
    claim: str
    place: int
    customer: int
    offer: str
    country: str
    currency: str
    cents: int
    code_hash: bytes
    code: bytes
    state: str
    moved: str
    issued: str
    until: str
    reservation: str
    reserved_until: str
    seq: int


@dataclass(frozen=True)
class Payout:
    """Money that somebody asked for, on its way to her bank."""

    payout: int
    key: str
    customer: int
    currency: str
    cents: int
    account: bytes | None
    last4: str
    language: str
    state: str
    asked: str
    moved: str
    run: str | None
    seq: int


@dataclass(frozen=True)
class Run:
    """Payouts that go to the bank in one file."""

    run: str
    number: int
    day: str
    currency: str
    count: int
    cents: int
    state: str
    prepared_by: str
    released_by: str
    seq: int


_VOUCHER = tuple(Voucher.__annotations__)
_MOVING = ("state", "moved", "reservation", "reserved_until", "seq")
# Made once: making a statement costs more than running it, and these run for every basket.
_BY_CODE = select(*(vouchers.c[name] for name in _VOUCHER)).where(vouchers.c.code_hash == bindparam("code_hash"))
_MOVE_VOUCHER = (
    update(vouchers)
    .where(vouchers.c.voucher == bindparam("number"))
    .where(vouchers.c.state == bindparam("state_seen"), vouchers.c.seq == bindparam("seq_seen"))
    .values({name: bindparam(name) for name in _MOVING})
)


# Vouchers


def issue(connection: Connection, made: Sequence[Voucher]) -> None:
    """New vouchers."""
    insert_rows(connection, vouchers, _VOUCHER, [tuple(vars(one).values()) for one in made])


def by_code(connection: Connection, code_hash: bytes) -> Voucher | None:
    """The voucher of a code."""
    row = connection.execute(_BY_CODE, {"code_hash": code_hash}).one_or_none()
    return Voucher(*row) if row is not None else None


def voucher(connection: Connection, number: int) -> Voucher | None:
    """A voucher by its number."""
    row = connection.execute(select(vouchers).where(vouchers.c.voucher == number)).mappings().one_or_none()
    return Voucher(**row) if row is not None else None


def move_voucher(connection: Connection, before: Voucher, after: Voucher) -> bool:
    """The next state of a voucher, if it still is as it was seen; whether it was."""
    seen = {"number": before.voucher, "state_seen": before.state, "seq_seen": before.seq}
    now = {name: getattr(after, name) for name in _MOVING}
    return connection.execute(_MOVE_VOUCHER, {**seen, **now}).rowcount == 1


def vouchers_of(connection: Connection, customer: int) -> list[Voucher]:
    """Somebody's vouchers, those that end first before the others."""
    query = select(vouchers).where(vouchers.c.customer == customer).order_by(vouchers.c.until, vouchers.c.voucher)
    return [Voucher(**row) for row in connection.execute(query).mappings()]


def vouchers_over(connection: Connection, states: Collection[str], country: str, today: str, most: int) -> list[Voucher]:
    """Vouchers of a country whose last day is over."""
    where = (vouchers.c.state.in_(sorted(states)), vouchers.c.country == country, vouchers.c.until < today)
    query = select(vouchers).where(*where).order_by(vouchers.c.voucher).limit(most)
    return [Voucher(**row) for row in connection.execute(query).mappings()]


def held_too_long(connection: Connection, state: str, now: str, most: int) -> list[Voucher]:
    """Reservations whose time is over."""
    query = select(vouchers).where(vouchers.c.state == state, vouchers.c.reserved_until < now)
    return [Voucher(**row) for row in connection.execute(query.order_by(vouchers.c.voucher).limit(most)).mappings()]


def countries(connection: Connection) -> list[str]:
    """Where there are vouchers."""
    return sorted(connection.execute(select(vouchers.c.country).distinct()).scalars())


def all_vouchers(connection: Connection) -> Iterator[Voucher]:
    """Every voucher, in the order in which they were issued."""
    for row in streamed(connection, select(vouchers).order_by(vouchers.c.voucher)):
        yield Voucher(**row)


def count_vouchers(connection: Connection, country: str | None = None) -> list[tuple[str, str, str, int, int]]:
    """(offer, currency, state, how many, cents), of one country or of all."""
    columns = (vouchers.c.offer, vouchers.c.currency, vouchers.c.state)
    query = select(*columns, func.count(), func.sum(vouchers.c.cents)).group_by(*columns).order_by(*columns)
    if country is not None:
        query = query.where(vouchers.c.country == country)
    return [(row[0], row[1], row[2], int(row[3]), int(row[4])) for row in connection.execute(query)]


def reseal_voucher(connection: Connection, number: int, code: bytes) -> None:
    """The same code under another key, or none any more."""
    connection.execute(update(vouchers).where(vouchers.c.voucher == number).values(code=code))


# Payouts


def ask_for(connection: Connection, one: Payout) -> None:
    """Somebody asks for her money."""
    connection.execute(insert(payouts).values(**vars(one)))


def payout(connection: Connection, number: int) -> Payout | None:
    """A payout by its number."""
    return _payout(connection, payouts.c.payout == number)


def payout_by_key(connection: Connection, key: str) -> Payout | None:
    """A payout by the key of the form it was asked with."""
    return _payout(connection, payouts.c.key == key)


def _payout(connection: Connection, where: Any) -> Payout | None:
    row = connection.execute(select(payouts).where(where)).mappings().one_or_none()
    return Payout(**row) if row is not None else None


def payouts_where(
    connection: Connection, *, customer: int | None = None, state: str | None = None, run: str | None = None,
    currency: str | None = None, most: int | None = None,
) -> list[Payout]:  # fmt: skip
    """Payouts, in the order in which they were asked for."""
    query = select(payouts).order_by(payouts.c.payout).limit(most)
    for column, value in (
        (payouts.c.customer, customer), (payouts.c.state, state), (payouts.c.run, run), (payouts.c.currency, currency),
    ):  # fmt: skip
        if value is not None:
            query = query.where(column == value)
    return [Payout(**row) for row in connection.execute(query).mappings()]


def move_payout(connection: Connection, number: int, **values: Any) -> None:
    """The next state of a payout."""
    connection.execute(update(payouts).where(payouts.c.payout == number).values(**values))


def forget_accounts(connection: Connection, states: Collection[str], before: str) -> int:
    """Takes away the bank accounts of payouts that were settled before a day; how many."""
    where = (payouts.c.state.in_(sorted(states)), payouts.c.moved < before, payouts.c.account.is_not(None))
    return connection.execute(update(payouts).where(*where).values(account=None)).rowcount


def forget_account(connection: Connection, number: int) -> None:
    """Takes away the bank account of one payout."""
    connection.execute(update(payouts).where(payouts.c.payout == number).values(account=None))


def count_payouts(connection: Connection) -> list[tuple[str, str, int, int]]:
    """(currency, state, how many, cents)."""
    columns = (payouts.c.currency, payouts.c.state)
    query = select(*columns, func.count(), func.sum(payouts.c.cents)).group_by(*columns).order_by(*columns)
    return [(row[0], row[1], int(row[2]), int(row[3])) for row in connection.execute(query)]


def add_run(connection: Connection, one: Run) -> None:
    """A run that was not there before."""
    connection.execute(insert(runs).values(**vars(one)))


def run(connection: Connection, name: str) -> Run | None:
    """A run by its name."""
    row = connection.execute(select(runs).where(runs.c.run == name)).mappings().one_or_none()
    return Run(**row) if row is not None else None


def all_runs(connection: Connection) -> list[Run]:
    """Every run, newest first."""
    return [Run(**row) for row in connection.execute(select(runs).order_by(runs.c.number.desc())).mappings()]


def move_run(connection: Connection, name: str, **values: Any) -> None:
    """The next state of a run."""
    connection.execute(update(runs).where(runs.c.run == name).values(**values))


# Bearers


def add_bearer(connection: Connection, customer: int, code_hash: bytes, day: str, seq: int) -> None:
    """From now on a number's money is owed to whoever holds a code."""
    connection.execute(insert(bearers).values(customer=customer, code_hash=code_hash, day=day, seq=seq))


def give_to(connection: Connection, former: int, customer: int) -> None:
    """All that is kept of one number is another's from now on."""
    for table in (claims, vouchers, payouts, contests):
        connection.execute(update(table).where(table.c.customer == former).values(customer=customer))


def bearers_among(connection: Connection, customers: Collection[int]) -> set[int]:
    """Those of some numbers that have a bearer's code."""
    query = select(bearers.c.customer).where(bearers.c.customer.in_(sorted(customers)))
    return {int(one) for one in connection.execute(query).scalars()}


def bearer(connection: Connection, code_hash: bytes) -> int | None:
    """The number that a bearer's code stands for."""
    return connection.execute(select(bearers.c.customer).where(bearers.c.code_hash == code_hash)).scalar_one_or_none()


def all_bearers(connection: Connection) -> list[tuple[int, bytes, int]]:
    """(number, hash of its code, event)."""
    rows = connection.execute(select(bearers).order_by(bearers.c.customer))
    return [(int(row.customer), bytes(row.code_hash), int(row.seq)) for row in rows]
