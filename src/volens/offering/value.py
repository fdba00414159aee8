"""Does it pay: by programme and month, what it cost, who took part, who permits something since, and what that was used for.

Rules:
1. Counts alone leave this module; nobody's number does.
2. A customer is won if she said a first yes to a purpose herself, here, after she had joined, and it still stands. A yes that came
   with an import, a notice or the card is none. That she said it after joining does not say that she did so because of it.
3. The cost is that of the wallet's claims that stand, in the month in which they were earned. Nobody's yes earns anything.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyroaring import BitMap

from volens.gate import store as uses
from volens.offering import store, version_store
from volens.offering.registry import document

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Month:
    """One programme in one month."""

    offer: str
    month: str
    currency: str
    joined: int
    """Participations that began in it."""
    rewards: int
    """Rewards earned in it that stand."""
    cost_cents: int
    won: int
    """Of the people who joined in it: those who permit something since, of their own accord."""
    purposes: dict[str, int]
    """Among them, by purpose."""
    uses: dict[str, int]
    """By purpose: how often it was used of at least one of them."""

    @property
    def cents_each(self) -> int | None:
        """What a permitting customer cost, rounded up; none if there is none."""
        return -(-self.cost_cents // self.won) if self.won else None

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {**vars(self), "cents_each": self.cents_each}


def months(connection: Connection) -> list[Month]:
    """Every programme and month in which somebody joined or earned something."""
    joined, costs, currencies = Counter[tuple[str, str]](), dict[tuple[str, str], tuple[int, int]](), dict[str, str]()
    for offer, _, _, month, what, times in store.all_counts(connection):
        if what == "joined":
            joined[offer, month] += times
    for offer, _, currency, month, count, money, vouchers in store.costs(connection):
        currencies[offer] = currency
        rewards, cents = costs.get((offer, month), (0, 0))
        costs[offer, month] = (rewards + count, cents + money + vouchers)
    found = []
    for version in version_store.all_versions(connection):
        currencies.setdefault(version.offer, document(connection, version).currency)
    won = {offer: _won(connection, offer) for offer in {offer for offer, _ in (*joined, *costs)}}
    used = _used(connection, won)
    for offer, month in sorted({*joined, *costs}):
        people = won[offer].get(month, {})
        rewards, cents = costs.get((offer, month), (0, 0))
        purposes = {purpose: len(some) for purpose, some in sorted(people.items())}
        all_won, currency = len(BitMap.union(*people.values())) if people else 0, currencies[offer]
        uses_of_it = used.get((offer, month), {})
        found.append(Month(offer, month, currency, joined[offer, month], rewards, cents, all_won, purposes, uses_of_it))
    return found


Won = dict[str, dict[str, BitMap]]
"""By month of joining and purpose: who was won."""


def _won(connection: Connection, offer: str) -> Won:
    first = dict[int, tuple[int, str]]()
    for customer, id, month in store.everybody(connection, offer):
        first.setdefault(customer, (id, month))
    said = set[tuple[int, str]]()
    found: Won = {}
    stands = store.permitting(connection, first)
    for customer, purpose, _, seq, herself in store.yeses_of(connection, first):
        id, month = first[customer]
        if (customer, purpose) in said:
            continue
        said.add((customer, purpose))
        if herself and seq > id and (customer, purpose) in stands:
            found.setdefault(month, {}).setdefault(purpose, BitMap()).add(customer)
    return found


def _used(connection: Connection, won: dict[str, Won]) -> dict[tuple[str, str], dict[str, int]]:
    """How often each purpose was used, of at least one of the people who were won for it."""
    wanted = {purpose for months in won.values() for purposes in months.values() for purpose in purposes}
    found = dict[tuple[str, str], dict[str, int]]()
    reads = [(use.read, use.purpose) for use in uses.all_uses(connection) if use.purpose in wanted and use.closed is not None]
    doors = [(door.seq, door.purpose) for door in uses.all_doors(connection) if door.purpose in wanted]
    for owner, purpose in (*reads, *doors):
        seen = uses.customers_of(connection, owner)
        for offer, by_month in won.items():
            for month, purposes in by_month.items():
                if purpose in purposes and seen & purposes[purpose]:
                    counts = found.setdefault((offer, month), {})
                    counts[purpose] = counts.get(purpose, 0) + 1
    return found
