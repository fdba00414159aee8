"""For tills and web checkouts: what a voucher is worth, kept for a basket, used, or free again. Scope `vouchers`.

    POST /v1/vouchers/check       what it is worth now                       200
    POST /v1/vouchers/reserve     kept for one basket                        200
    POST /v1/vouchers/redeem      used, once; the same key again: done       200
    POST /v1/vouchers/rollback    the basket was not paid: free again        200

An answer never says whose voucher it is. 404: no such code; 409: in another basket, used, or over; 429: too many wrong codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import post
from litestar.params import JSONBody

from volens.web.given import TheHouse, Who
from volens.web.visitor import Machine, with_scope

GUARDS = [with_scope("vouchers")]
HOLD_SECONDS = 900


@dataclass
class Code:
    """A code, as it was typed or scanned."""

    code: str


@dataclass
class Basket:
    """A code and the basket that wants it. `key`: the till's own number of the basket, the same for every try."""

    code: str
    key: str
    seconds: int = HOLD_SECONDS
    """How long a reservation lasts, at most an hour."""


@post("/v1/vouchers/check", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def check(house: TheHouse, visitor: Who, data: JSONBody[Code]) -> dict[str, Any]:
    """What a voucher is worth now."""
    return house.wallet.vouchers.check(name_of(visitor), data.code).to_dict()


@post("/v1/vouchers/reserve", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def reserve(house: TheHouse, visitor: Who, data: JSONBody[Basket]) -> dict[str, Any]:
    """Keeps a voucher for one basket."""
    return house.wallet.vouchers.reserve(name_of(visitor), data.code, data.key, data.seconds).to_dict()


@post("/v1/vouchers/redeem", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def redeem(house: TheHouse, visitor: Who, data: JSONBody[Basket]) -> dict[str, Any]:
    """Uses a voucher."""
    return house.wallet.vouchers.redeem(name_of(visitor), data.code, data.key).to_dict()


@post("/v1/vouchers/rollback", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def rollback(house: TheHouse, visitor: Who, data: JSONBody[Basket]) -> dict[str, Any]:
    """A voucher is free again."""
    return house.wallet.vouchers.rollback(name_of(visitor), data.code, data.key).to_dict()


def name_of(visitor: object) -> str:
    """The machine that asks; the guard let nobody else in."""
    assert isinstance(visitor, Machine)
    return visitor.name


ROUTES = (check, reserve, redeem, rollback)
