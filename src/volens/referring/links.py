"""The link that a sponsor shares: what its token says, and when it leads somewhere.

Rules:
1. A token is chance and the house's signature over it. It tells nothing of anybody, and the records alone do not make one.
2. A first name stands beside it only if its owner wrote one there; it is sealed under her key.
3. One link for one offer. Ended, it leads nowhere within the same second; whoever accepted it before stays invited.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from volens.errors import NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database, Sealer
from volens.identity.names import first_name
from volens.offering import participations
from volens.referring import store
from volens.referring.store import ENDED, LIVE, Link

if TYPE_CHECKING:
    from sqlalchemy import Connection

Mac = Callable[[str, bytes], bytes]
LINKED, UNLINKED = "referral-linked", "referral-unlinked"
HANDLE_BYTES = SIGNATURE_BYTES = 9
PATH = "/parrainage/"


class LinkGone(NotFound):
    """There is no such link, or it was ended. Both look alike."""

    def __init__(self) -> None:
        super().__init__("This invitation does not exist, or it was ended.", "Ask whoever sent it to you for a new one.")


def token_of(mac: Mac, handle: bytes) -> str:
    """What stands in the address."""
    return base64.urlsafe_b64encode(handle + _signature(mac, handle)).decode()


def handle_of(mac: Mac, token: str) -> bytes | None:
    """What a token says, if this house signed it."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii"))
    except (ValueError, binascii.Error):
        return None
    handle, signature = raw[:HANDLE_BYTES], raw[HANDLE_BYTES:]
    return handle if hmac.compare_digest(signature, _signature(mac, handle)) else None


class Links:
    """Durable when a method returns."""

    def __init__(self, records: Database, people: Sealer, mac: Mac, today: Callable[[], date]) -> None:
        self._records, self._people, self._mac, self._today = records, people, mac, today

    def make(self, customer: int, offer: str, *, shown: str | None = None) -> Link:
        """Somebody's link for an offer that she takes part in. The same again is the one that is there. `shown`: the first name
        that it shows from now on, or the empty text for none; left out, it stays. `NotNow` for who does not take part."""
        name = first_name(shown or "")
        sealed = self._people.seal(customer, name.encode()) if name else None
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = participations.current(connection, customer, offer)
            before = store.live_link(connection, customer, offer)
            if one is None and before is None:
                raise NotNow("Whoever invites takes part in the offer.", "Join it first.")
            if before is not None and (shown is None or (before.shown is None and sealed is None)):
                return before
            detail = {"offer": offer, "country": before.country if before is not None else one.country if one is not None else ""}
            number = log.append(connection, EVENTS, [Event(LINKED, customer=customer, day=self._today(), detail=detail)])
            if before is not None:
                store.show(connection, before.number, sealed, number)
                return Link(**{**vars(before), "shown": sealed, "seq": number})
            if store.generation(connection, customer) is None:
                store.place(connection, customer, 0)
            made = Link(number, secrets.token_bytes(HANDLE_BYTES), customer, offer, detail["country"], LIVE, sealed, number)
            store.add_link(connection, made)
            return made

    def end(self, customer: int, offer: str) -> None:
        """The link leads nowhere from now on. Twice is once."""
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = store.live_link(connection, customer, offer)
            if found is None:
                return
            event = Event(UNLINKED, customer=customer, day=self._today(), detail={"offer": offer, "link": found.number})
            store.end_link(connection, found.number, log.append(connection, EVENTS, [event]))

    def find(self, connection: Connection, token: str) -> Link:
        """The link that a token stands for; `LinkGone` for one that leads nowhere."""
        handle = handle_of(self._mac, token) if len(token) <= 64 else None
        found = store.link_by(connection, handle) if handle is not None else None
        if found is None or found.state == ENDED:
            raise LinkGone
        return found

    def token(self, link: Link) -> str:
        """What stands in the address of a link."""
        return token_of(self._mac, link.handle)


def _signature(mac: Mac, handle: bytes) -> bytes:
    return mac("referral/link", handle)[:SIGNATURE_BYTES]
