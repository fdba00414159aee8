"""What happens to participations in the night: what is over ends, and what is under a card that moved follows it.

1. Where nothing can be counted any more (`rules.over`) a participation ends, and its reward goes back to the budget.
2. Where every card of a number is another's by now, what is under it comes to the other, in the night, as her wallet does.
3. That is one event about the one it comes to; who joined at first stays on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.identity import links
from volens.identity import store as identity
from volens.offering import participations, store, version_store
from volens.offering.registry import accepted
from volens.offering.rules import over

if TYPE_CHECKING:
    from sqlalchemy import Connection

FOLLOWED = "offer-followed"
TOGETHER, REST_SECONDS = 200, 0.005


def close(records: Database, clock: Clock) -> int:
    """Ends what is over; how many participations."""
    ended = 0
    with records.reading() as connection:
        open_ones = store.open_versions(connection)
    for offer, version, country in open_ones:
        today, after = legal_day(clock.now(), country), -1
        while True:
            with records.writing() as connection:
                log.lock(connection, EVENTS)
                one, where = accepted(connection, offer, version), version_store.country(connection, offer, country)
                some = store.open_of(connection, offer, version, country, after, TOGETHER)
                gone = [each for each in some if over(each, one, where, today)]
                for each in gone:
                    participations.end(connection, each.id, "over", on=today)
            ended += len(gone)
            if len(some) < TOGETHER:
                break
            after = some[-1].id
            records.rest(REST_SECONDS)
    return ended


def follow(records: Database, clock: Clock, country: str) -> int:
    """Lets participations follow the cards; of how many people."""
    with records.reading() as connection:
        found = [(one, to) for one in links.formers(connection) if (to := _moved_to(connection, one)) is not None]
    return sum(_follow(records, former, to, clock, country) for former, to in found)


def _follow(records: Database, former: int, to: int, clock: Clock, country: str) -> bool:
    day = legal_day(clock.now(), country)
    with records.writing() as connection:
        log.lock(connection, EVENTS)
        if _moved_to(connection, former) != to:
            return False
        ids = sorted(one.id for one in store.of_customer(connection, former))
        log.append(connection, EVENTS, [Event(FOLLOWED, to, day=day, detail={"from": former, "participations": ids})])
        store.give_to(connection, former, to)
    return True


def _moved_to(connection: Connection, former: int) -> int | None:
    """Whoever has the cards now of somebody who takes part in something and has no card any more."""
    if not store.of_customer(connection, former) or identity.accounts_of(connection, former):
        return None
    if not identity.is_known(connection, former):
        return None
    went = [one.customer for one in links.standing(connection, [former]) if one.former == former]
    return next((one for one in reversed(went) if identity.accounts_of(connection, one)), None)
