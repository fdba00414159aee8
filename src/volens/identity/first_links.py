"""The first link of a card or login to its customer, as an event: one alone, or those of many new customers in one event.

Rules:
1. Numbers are given out in rows: account a belongs to customer c, a + 1 to c + 1, and so on, all of one kind and country. An
   event `newcomers` says so of `FEWEST` to `MOST` of them in five numbers and words, which are all that it has to say: it
   needs no rows of its own. Fewer, and a login of somebody who is there already, have an event each (`linked`).
2. Written and read here alone: what is read is one link at a time, so that the audit compares each with the account that is
   stored and names the one that differs.
3. What does not say it in this form is no such event (`ValueError`), however many links it claims.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from volens.evidence.log import Event, Row

LINKED, NEWCOMERS = "linked", "newcomers"
FEWEST, MOST = 100, 5_000
"""How many new customers one event speaks of. From 100 on a feed's newcomers cost less than their events would."""


@dataclass(frozen=True)
class FirstLink:
    """An account and whose it became; `country` is that of a customer who is new with it."""

    account: int
    customer: int
    kind: str
    country: str | None


def told(links: Sequence[FirstLink], day: date) -> list[Event]:
    """The events that say these links, in their order."""
    events: list[Event] = []
    for run in _runs(links):
        if len(run) >= FEWEST:
            detail: dict[str, object] = {**vars(run[0]), "links": len(run)}
            events.append(Event(NEWCOMERS, day=day, detail=detail))
            continue
        for one in run:
            detail = {"account": one.account, "kind": one.kind, "country": one.country}
            events.append(Event(LINKED, customer=one.customer, day=day, detail=detail))
    return events


def said(row: Row) -> Iterator[FirstLink]:
    """The links that an event `newcomers` says. `ValueError` if it cannot be read as one was written."""
    detail = row.said()
    account, first, links = (detail.get(name) for name in ("account", "customer", "links"))
    kind, country = detail.get("kind"), detail.get("country")
    if not (isinstance(account, int) and isinstance(first, int) and isinstance(links, int) and FEWEST <= links <= MOST):
        raise ValueError("no newcomers stand in this event")
    if not (isinstance(kind, str) and isinstance(country, str)):
        raise ValueError("newcomers have a kind and a country")
    return (FirstLink(account + place, first + place, kind, country) for place in range(links))


def _runs(links: Sequence[FirstLink]) -> Iterator[list[FirstLink]]:
    """Neighbours whose numbers go on together; whoever was there already stands alone."""
    run: list[FirstLink] = []
    for one in links:
        if run and (len(run) == MOST or not _goes_on(run[-1], one)):
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def _goes_on(last: FirstLink, one: FirstLink) -> bool:
    return (
        one.country is not None
        and (one.kind, one.country) == (last.kind, last.country)
        and (one.account, one.customer) == (last.account + 1, last.customer + 1)
    )
