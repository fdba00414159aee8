"""Baskets that were not paid for, as the website told them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Column, Connection, Index, Integer, LargeBinary, MetaData, String, Table, delete, func, select

from volens.evidence.journeys import insert_rows, rows_about

metadata = MetaData()

baskets = Table(
    "left_baskets",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("basket", LargeBinary, primary_key=True),  # keyed hash of what the shop calls it
    Column("at", String(32), nullable=False),  # when it changed last
    Column("day", String(10), nullable=False),
    Column("products", LargeBinary, nullable=False),  # 32-bit numbers; empty: paid or shown, and not to be shown (again)
    Index("left_baskets_by_day", "day"),
)


@dataclass(frozen=True)
class Left:
    """One basket."""

    customer: int
    basket: bytes
    at: str
    day: str
    products: tuple[int, ...]


def keep(connection: Connection, left: Left) -> None:
    """Puts a basket in the place of what was known of it."""
    packed = np.array(left.products, np.int32).tobytes()
    row = (left.customer, left.basket, left.at, left.day, packed)
    insert_rows(connection, baskets, ("customer", "basket", "at", "day", "products"), [row], key=("customer", "basket"))


def of(connection: Connection, customer: int) -> list[Left]:
    """Somebody's baskets, the newest first."""
    query = select(baskets).where(baskets.c.customer == customer).order_by(baskets.c.at.desc(), baskets.c.basket)
    return [_left(row) for row in connection.execute(query).mappings()]


def waiting(connection: Connection, until: str, since: str, most: int) -> list[Left]:
    """Baskets with something in them in which nothing changed between a day and a moment, the oldest first."""
    there = (func.length(baskets.c.products) > 0, baskets.c.at <= until, baskets.c.day >= since)
    query = select(baskets).where(*there).order_by(baskets.c.at, baskets.c.customer, baskets.c.basket).limit(most)
    return [_left(row) for row in connection.execute(query).mappings()]


def settle(connection: Connection, customer: int, basket: bytes, at: str, day: str) -> bool:
    """Leaves of a basket only that it is paid or shown; whether there was still something in it."""
    held = connection.execute(
        select(baskets.c.products).where(baskets.c.customer == customer, baskets.c.basket == basket)
    ).scalar_one_or_none()
    keep(connection, Left(customer, basket, at, day, ()))
    return bool(held)


def drop(connection: Connection, customer: int, some: Sequence[bytes]) -> None:
    """Takes some of somebody's baskets away; that one was paid or shown stays known."""
    mine = baskets.c.customer == customer
    connection.execute(delete(baskets).where(mine, baskets.c.basket.in_(some), func.length(baskets.c.products) > 0))


def whose(connection: Connection) -> list[int]:
    """Of whom there are baskets, ascending."""
    query = select(baskets.c.customer).distinct().order_by(baskets.c.customer)
    return [int(one) for one in connection.execute(query).scalars()]


def forget_all(connection: Connection, customers: Iterable[int]) -> None:
    """Takes everything of some people away."""
    for _ in rows_about(connection, "delete from left_baskets where customer in (?) returning customer", customers):
        continue


def tidy(connection: Connection, before: str) -> None:
    """Takes away what changed last before a day."""
    connection.execute(delete(baskets).where(baskets.c.day < before))


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """Deletes what is kept of somebody, in the transaction of her erasure."""
    connection.execute(delete(baskets).where(baskets.c.customer == customer))


def _left(row: object) -> Left:
    value = dict(row)  # type: ignore[call-overload]
    products = tuple(np.frombuffer(value.pop("products"), np.int32).tolist())
    return Left(**{**value, "basket": bytes(value["basket"])}, products=products)
