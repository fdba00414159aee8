"""What a page says was done, bound to what was recorded: an address that somebody wrote says nothing.

Rules:
1. The word is signed for one customer, and holds the number of her last word in the record: once something else was said, or
   after ten minutes, the page is silent.
2. It names what was done by an id of the words, never by words.
"""

from __future__ import annotations

import hashlib
import hmac

from volens.app import House

MINUTES = 10
MAC_HEX = 32


def token(house: House, customer: int, told: str) -> str:
    """What goes into the address of the page that answers."""
    return _signed(house, customer, told, house.permissions.newest(customer), _minute(house))


def told_by(house: House, customer: int, value: str) -> str:
    """What was done; empty for what was not signed here, for somebody else, is old, or is no longer the last word."""
    told, seq, minute, _ = (value.split(".") + [""] * 4)[:4]
    if not (seq.isascii() and seq.isdigit() and minute.isascii() and minute.isdigit()):
        return ""
    genuine = hmac.compare_digest(value.encode(), _signed(house, customer, told, int(seq), int(minute)).encode())
    fresh = _minute(house) - int(minute) in range(MINUTES)
    return told if genuine and fresh and house.permissions.newest(customer) == int(seq) else ""


def _signed(house: House, customer: int, told: str, seq: int, minute: int) -> str:
    said = f"{told}.{seq}.{minute}"
    mac = hmac.new(house.secret("told"), f"{customer}.{said}".encode(), hashlib.sha256).hexdigest()
    return f"{said}.{mac[:MAC_HEX]}"


def _minute(house: House) -> int:
    return int(house.clock.now().timestamp()) // 60
