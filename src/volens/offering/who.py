"""Who may take part, and what is forgotten of whoever did.

Rules:
1. Old enough is what somebody declares, and never who the house knows to be younger. Nothing else is asked about her.
2. A reward that was only reserved for somebody who is erased goes back; what she earned is the wallet's to keep for her.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.journeys import rows_about
from volens.evidence.log import EVENTS
from volens.identity import store as identity
from volens.offering import store
from volens.offers.document import Offer
from volens.permissions.ages import MAJORITY, UNKNOWN
from volens.wallet import claims

if TYPE_CHECKING:
    from sqlalchemy import Connection

ELSEWHERE, TOO_YOUNG, OFTEN = "elsewhere", "too-young", "often"
_SAID = {ELSEWHERE: "the offer is for people of another country", TOO_YOUNG: "this person is too young for the offer"}


def against(connection: Connection, customer: int, offer: Offer, country: str, today: date) -> list[str]:
    """What stands against somebody's joining, apart from what she declares."""
    life = identity.lives_in(rows_about(connection, identity.LIVES, [customer])).get(customer)
    if life is None:
        raise NotFound("No customer has this number.", "It was never given, or its customer is erased.")
    found = []
    if life.country != country:
        found.append(ELSEWHERE)
    if life.minor_until is not None and life.minor_until != UNKNOWN and today < _old_enough(life.minor_until, offer):
        found.append(TOO_YOUNG)
    first, last = (f"{today.year}-01-01", f"{today.year}-12-31") if offer.act.cap_a_year else ("0001-01-01", "9999-12-31")
    if store.joined_between(connection, customer, offer.id, first, last) >= (offer.act.cap_a_year or 1):
        found.append(OFTEN)
    return found


def require_may(connection: Connection, customer: int, offer: Offer, country: str, today: date, *, adult: bool) -> None:
    """Raises unless somebody may join, by what the house knows and by what she declares."""
    found = against(connection, customer, offer, country, today)
    if OFTEN in found:
        raise NotNow("She had this reward as often as the offer gives it.", "Its terms say how often.")
    if found:
        raise Refused([_SAID[word] for word in found], "The terms say who can take part.")
    if not adult:
        raise BadInput(f"Nobody said that she is {offer.min_age} years old or older.", "Ask her: it is hers to declare.")


def _old_enough(minor_until: date, offer: Offer) -> date:
    """Counted back in whole years from the coarse day of her 18th birthday: a month late at most, never early."""
    return minor_until.replace(year=minor_until.year - max(0, MAJORITY - offer.min_age))


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """In the transaction of an erasure: what was only reserved goes back, and what is kept of somebody goes."""
    newest = log.one(connection, EVENTS, log.size(connection, EVENTS) - 1)
    day = newest.day if newest is not None and newest.day is not None else date.min.isoformat()
    for claim in store.open_claims(connection, customer):
        claims.give_back(connection, claim, day=date.fromisoformat(day))
    store.forget(connection, customer)
