"""What was taken for offers and licences, counted in the tables of those who took it. Reads only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from volens.licensing.store import items
from volens.licensing.store import uses as shown
from volens.offering.store import acts, participations
from volens.offers.document import Uses
from volens.referring.signal_store import signals
from volens.referring.store import ties
from volens.wallet.store import claims, payouts

ACTS = "acts"
"""What an act tells depends on its kind."""
OF_ORDERS = ("payment", "address")
"""Signals that come with an order."""
Taken = dict[str, dict[str, int]]


def taken(connection: Connection) -> Taken:
    """By offer: how often each thing was known of somebody. Under `ACTS` stand acts that were counted."""
    of_act = select(participations.c.offer, func.count()).join(acts, acts.c.participation == participations.c.id)
    paid = select(claims.c.offer, func.count(payouts.c.payout.distinct())).join(payouts, payouts.c.customer == claims.c.customer)
    of_orders = select(signals.c.offer, func.count()).where(signals.c.kind.in_(OF_ORDERS))
    queries = (
        (Uses.ACCOUNT, select(participations.c.offer, func.count()).group_by(participations.c.offer)),
        (ACTS, of_act.group_by(participations.c.offer)),
        (Uses.INVITATION, select(ties.c.offer, func.count()).group_by(ties.c.offer)),
        (Uses.ORDERS, of_orders.group_by(signals.c.offer)),
        (Uses.PAYOUT, paid.group_by(claims.c.offer)),
    )
    found = Taken()
    for what, query in queries:
        for offer, times in connection.execute(query):
            _add(found, offer, str(what), int(times))
    return found


def published(connection: Connection) -> Taken:
    """By offer: how often each kind of thing, each purpose and each medium was put to use, or planned to be."""
    found = Taken()
    query: Any = select(shown.c.offer, items.c.kind, shown.c.purpose, shown.c.medium, func.count())
    query = query.join(items, items.c.item == shown.c.item)
    for offer, *words, times in connection.execute(query.group_by(shown.c.offer, items.c.kind, shown.c.purpose, shown.c.medium)):
        for word in words:
            _add(found, offer, word, int(times))
    return found


def _add(found: Taken, offer: str, what: str, times: int) -> None:
    mine = found.setdefault(offer, {})
    mine[what] = mine.get(what, 0) + times
