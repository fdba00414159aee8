"""What the wallet keeps of days: the balance at which each was closed, and what becomes available on those to come."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from volens.evidence.journeys import insert_rows
from volens.wallet.store import claims, days


def curve(connection: Connection, state: str) -> list[tuple[str, str, int]]:
    """(currency, day, cents): what matures when."""
    total = func.sum(claims.c.money_cents + claims.c.voucher_cents)
    query = select(claims.c.currency, claims.c.matures, total).where(claims.c.state == state)
    rows = connection.execute(query.group_by(claims.c.currency, claims.c.matures).order_by(claims.c.currency, claims.c.matures))
    return [(row[0], row[1], int(row[2])) for row in rows]


def keep_day(connection: Connection, day: str, seq: int, kinds: Sequence[tuple[str, str, int]]) -> None:
    """The trial balance at the end of a day."""
    rows = [(day, currency, kind, cents, seq) for currency, kind, cents in kinds]
    insert_rows(connection, days, ("day", "currency", "kind", "cents", "seq"), rows)


def has_day(connection: Connection, day: str) -> bool:
    """Whether a day's balance is written."""
    return connection.execute(select(days.c.day).where(days.c.day == day).limit(1)).first() is not None


def all_days(connection: Connection) -> list[tuple[str, str, str, int, int]]:
    """(day, currency, kind, cents, event) of every day that was closed."""
    rows = connection.execute(select(days).order_by(days.c.day, days.c.currency, days.c.kind))
    return [(row.day, row.currency, row.kind, int(row.cents), int(row.seq)) for row in rows]
