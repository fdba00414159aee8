"""What the shop says of orders of people who invite or were invited. Scope `referrals`.

    POST /v1/referrals/orders    an order, a refund or a return; once by its key    200

The answer is the same whoever it is about. What was bought is not sent; payment and address come as keyed hashes, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import post
from litestar.params import JSONBody

from volens.errors import BadInput
from volens.referring.orders import Reported
from volens.web.given import TheHouse
from volens.web.visitor import with_scope


@dataclass
class Said:
    """Exactly one of `card`, `email` and `reference`."""

    kind: str
    """`order`, `refund` or `return`."""
    key: str
    """The report's own number: it is taken once."""
    order: str
    """The order's number."""
    at: str
    """With its time zone."""
    amount_cents: int
    card: str = ""
    email: str = ""
    reference: str = ""
    payment_token_hash: str = ""
    address_hash: str = ""


@post("/v1/referrals/orders", guards=[with_scope("referrals")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def orders(house: TheHouse, data: JSONBody[Said]) -> dict[str, Any]:
    """Takes a report in. It is on record when this answers, if it is about anybody."""
    who = [(kind, value) for kind, value in (("card", data.card), ("email", data.email), ("reference", data.reference)) if value]
    if len(who) != 1:
        raise BadInput("Whose order is it?", "Send exactly one of card, email and reference.")
    try:
        at = datetime.fromisoformat(data.at)
    except ValueError:
        raise BadInput("When was it?", "Send `at` as 2026-12-03T10:15:00+01:00.") from None
    said = Reported(data.kind, data.key, data.order, at, data.amount_cents, data.payment_token_hash, data.address_hash)
    house.referring.report(who[0], said)
    return {"heard": data.key}


ROUTES = (orders,)
