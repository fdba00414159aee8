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

from volens.errors import NotFound
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


def licence_key(offer: str, customer: int) -> str:
    """The claim of somebody's licence: one for ever, whatever the version."""
    return f"{LICENCE}:{offer}:{customer}"


def instead_key(offer: str, version: int, customer: int) -> str:
    """The claim of the way without one: what lapsed may be chosen again under the next version."""
    return f"{INSTEAD}:{offer}:{version}:{customer}"


def earned(connection: Connection, offer: str, customer: int) -> Claim | None:
    """What somebody's licence earned, if anything."""
    return wallet.claim(connection, licence_key(offer, customer))


def earn_by_licence(connection: Connection, offer: Offer, customer: int, country: str, today: date) -> None:
    """A yes earns what the licence earns; once."""
    licence = offer.licence
    if licence is None or not licence.reward.cents or earned(connection, offer.id, customer) is not None:
        return
    name = licence_key(offer.id, customer)
    _promise(connection, name, offer, licence.reward, country, today)
    _earn(connection, name, LICENCE, offer, licence.reward, customer, today)


def promise_instead(connection: Connection, offer: Offer, customer: int, country: str, today: date) -> None:
    """Sets aside what the way without a licence earns."""
    _promise(connection, instead_key(offer.id, offer.version, customer), offer, _instead(offer), country, today)


def earn_instead(connection: Connection, offer: Offer, customer: int, today: date) -> None:
    """She is done: it is hers."""
    _earn(connection, instead_key(offer.id, offer.version, customer), INSTEAD, offer, _instead(offer), customer, today)


def _instead(offer: Offer) -> Amount:
    if offer.licence is None or offer.licence.instead is None:
        raise NotFound("This offer has no way without a licence.", "See its terms.")
    return offer.licence.instead.amount


def give_instead_back(connection: Connection, offer: str, version: int, customer: int, today: date) -> None:
    """What was set aside and not earned is the offer's again."""
    claims.give_back(connection, instead_key(offer, version, customer), day=today)


def _promise(connection: Connection, name: str, offer: Offer, amount: Amount, country: str, today: date) -> None:
    promise = Promise(name, offer.id, offer.version, country, offer.currency, amount)
    claims.reserve(connection, promise, day=today)


def _earn(
    connection: Connection, name: str, why: str, offer: Offer, amount: Amount, customer: int, today: date
) -> None:
    days = (offer.reward.voucher_days or VOUCHER_DAYS) if amount.voucher_cents else 0
    matures = today + timedelta(days=offer.reward.due_days)
    claims.earn(connection, name, customer, earned=today, matures=matures, voucher_days=days, why=why)
