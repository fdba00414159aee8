"""The token of an unsubscription: made by the house's key for one message, and good for that alone.

1. A token is a number that follows from the message's key, and a seal over it. Who does not hold the house's key makes none; one
   that was never given out is told from one that is old without a look at the records.
2. The records hold a keyed hash of the number: whoever reads them has no link.
3. The same message has the same link, so that a tool which asks again gets the same answer.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from volens.messaging.points import Mac

NUMBER_BYTES, SEAL_BYTES = 15, 15
TOKEN_CHARACTERS = 40


def make(mac: Mac, message: bytes) -> str:
    """The token of a message, named by its key's hash."""
    number = mac("messages/unsubscribe", message)[:NUMBER_BYTES]
    return base64.urlsafe_b64encode(number + _seal(mac, number)).decode()


def read(mac: Mac, token: str) -> bytes | None:
    """What a token is found by in the records; none for one that the house never made."""
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True) if len(token) == TOKEN_CHARACTERS else b""
    except (binascii.Error, UnicodeEncodeError):
        return None
    number, seal = raw[:NUMBER_BYTES], raw[NUMBER_BYTES:]
    return found_by(mac, number) if hmac.compare_digest(seal, _seal(mac, number)) else None


def found_by(mac: Mac, number: bytes) -> bytes:
    """What the records hold of a token's number."""
    return mac("messages/link", number)


def link_of(mac: Mac, token: str) -> bytes:
    """What the records hold of a token that was just made."""
    found = read(mac, token)
    assert found is not None
    return found


def _seal(mac: Mac, number: bytes) -> bytes:
    return mac("messages/unsubscribe/seal", number)[:SEAL_BYTES]
