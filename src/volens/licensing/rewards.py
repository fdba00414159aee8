"""What a licence earns: a claim of its own, apart from that for the act, and the same for the way without a licence.

Rules:
1. The first yes to any purpose of an offer's licence earns it, once for ever. Further yeses earn nothing more; a withdrawal, a
   refusal of another purpose, an expiry take nothing away: nothing here reverses a claim.
2. The way without a licence earns the same, once, for whoever earned nothing by a licence of that offer. It is set aside when
   she chooses it, so that it is paid when she is done.
3. Each is in the transaction of what earns it. Where the budget does not have it, the yes is not taken, and says why.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from volens.offers.document import Amount, Offer
from volens.wallet import claims
from volens.wallet import store as wallet
from volens.wallet.claims import Promise

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from volens.wallet.store import Claim

LICENCE, INSTEAD = "licence", "instead"
VOUCHER_DAYS = 365
"""How long a voucher of a licence holds where the offer's own reward has none."""


def key(what: str, offer: str, customer: int) -> str:
    """The claim of somebody's licence, or of the way without one."""
    return f"{what}:{offer}:{customer}"


def claim(connection: Connection, what: str, offer: str, customer: int) -> Claim | None:
    """What was promised or earned, if anything was."""
    return wallet.claim(connection, key(what, offer, customer))


def earn_by_licence(connection: Connection, offer: Offer, customer: int, country: str, today: date) -> None:
    """A yes earns what the licence earns; once."""
    licence = offer.licence
    if licence is None or not licence.reward.cents or claim(connection, LICENCE, offer.id, customer) is not None:
        return
    _promise(connection, LICENCE, offer, licence.reward, customer, country, today)
    _earn(connection, LICENCE, offer, licence.reward, customer, today)


def promise_instead(connection: Connection, offer: Offer, customer: int, country: str, today: date) -> None:
    """Sets aside what the way without a licence earns."""
    assert offer.licence is not None and offer.licence.instead is not None
    _promise(connection, INSTEAD, offer, offer.licence.instead.amount, customer, country, today)


def earn_instead(connection: Connection, offer: Offer, customer: int, today: date) -> None:
    """She is done: it is hers."""
    assert offer.licence is not None and offer.licence.instead is not None
    _earn(connection, INSTEAD, offer, offer.licence.instead.amount, customer, today)


def _promise(
    connection: Connection, what: str, offer: Offer, amount: Amount, customer: int, country: str, today: date
) -> None:
    promise = Promise(key(what, offer.id, customer), offer.id, offer.version, country, offer.currency, amount)
    claims.reserve(connection, promise, day=today)


def _earn(connection: Connection, what: str, offer: Offer, amount: Amount, customer: int, today: date) -> None:
    days = (offer.reward.voucher_days or VOUCHER_DAYS) if amount.voucher_cents else 0
    matures = today + timedelta(days=offer.reward.due_days)
    claims.earn(connection, key(what, offer.id, customer), customer, earned=today, matures=matures, voucher_days=days, why=what)
