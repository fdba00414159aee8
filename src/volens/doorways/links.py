"""Single-use links by e-mail or SMS: asked for by anybody, made for those whom the house knows, redeemed once.

Rules:
1. Asking writes one sealed request and nothing else. Whom it is about is looked up afterwards, when the answer has been given:
   neither what it says nor how long it takes tells whether the house knows somebody.
2. A link is bound to one purpose and good for fifteen minutes. At most three of a purpose are made for a person in that time;
   whoever asks more often gets no more messages, and is not told so.
3. It is followed by a form: opening it does nothing, so that programs which look at messages beforehand change nothing.
4. `redeem` works in the transaction of what the link does: both happen, or neither. A kill in between leaves a link that is
   good, and a second use finds it used.
5. What is asked for waits at most an hour to be looked at. After that it is forgotten: a link nobody waits for is not sent.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from volens.clock import Clock
from volens.delivery.message import EMAIL, SMS, Draft
from volens.delivery.station import Delivery, Prepared
from volens.doorways import store
from volens.doorways.store import Link, Request
from volens.doorways.words import say, spoken
from volens.errors import BadInput, NotFound, NotNow, Tampered, Unavailable, VolensError
from volens.holders import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

REFUSE, SIGN_IN = "refuse", "sign-in"
PATHS = {REFUSE: "/lien/", SIGN_IN: "/connexion/lien/"}
"""Where each purpose's link leads."""
MINUTES, LINKS_MAX = 15, 3
REQUESTS_MAX, REQUEST_MINUTES, AT_ONCE = 10_000, 60, 50
KEPT_DAYS = 7
"""How long a link that ended is told from one that never was."""
VALUE_CHARACTERS_MAX = 320
GOOD, EXPIRED, USED, UNKNOWN = "good", "expired", "used", "unknown"


class LinkUnknown(NotFound):
    """Not a link of this house, or not for this."""

    def __init__(self) -> None:
        super().__init__("This link is not one of ours, or a part of it is missing.", "Ask for a new link.")


class LinkExpired(NotNow):
    """It was good for a quarter of an hour."""

    def __init__(self) -> None:
        super().__init__(f"This link was good for {MINUTES} minutes, and they are over.", "Ask for a new link.")


class LinkUsed(NotNow):
    """It was redeemed."""

    def __init__(self) -> None:
        super().__init__("This link was used already.", "What it did counts. Ask for a new link to do more.")


class Finder(Protocol):
    """What links need of the vault."""

    def known(self, kind: str, values: Sequence[str]) -> Mapping[str, Any]:
        """Those of some references that lead to somebody."""


@dataclass(frozen=True)
class Links:
    """Asks, makes and redeems."""

    records: Database
    people: Finder
    seal: Callable[[bytes], bytes]
    open: Callable[[bytes], bytes]
    """Seal and open requests, under the intake key."""
    mac: Callable[[str, bytes], bytes]
    delivery: Delivery
    clock: Clock
    shop: str
    address: str
    soon: Callable[[], object] = field(default=lambda: None, repr=False)
    """Has `answer` run by somebody else, soon."""

    def ask(self, kind: str, value: str, purpose: str, language: str, *, by: str = EMAIL, after: str = "") -> None:
        """Somebody asks for a link, by a card's number or an e-mail. Says nothing about whether they are known.

        after: the page of this house to which the link leads on; nothing for the first page.
        """
        value = "".join(value.split())
        if purpose not in PATHS or by not in (EMAIL, SMS):
            raise BadInput("There is no such link.", f"Ask for one to {' or to '.join(PATHS)}, by email or sms.")
        if kind not in ("card", "email") or not 3 <= len(value) <= VALUE_CHARACTERS_MAX or (kind == "email") != ("@" in value):
            raise BadInput("That is neither an e-mail nor a card number.", "Write it as it stands on the card.")
        asked = {"kind": kind, "value": value, "purpose": purpose, "language": spoken(language), "by": by, "after": after}
        request = Request(secrets.token_hex(12), self.clock.now().isoformat(), self.seal(json.dumps(asked).encode()))
        with self.records.writing() as connection:
            if store.count_requests(connection) >= REQUESTS_MAX:
                raise Unavailable("Too many links are being asked for.", "Try again in some minutes.")
            store.add_request(connection, request)
        self.soon()

    def answer(self) -> int:
        """Makes the links that were asked for, with their messages. Returns how many. Killed, the same again does the rest."""
        made = 0
        while True:
            with self.records.reading() as connection:
                waiting = store.requests(connection, AT_ONCE)
            for request in waiting:
                made += self._answer(request)
            if not waiting:
                return made

    def _answer(self, request: Request) -> int:
        now = self.clock.now()
        asked = self._opened(request)
        customer = self._whose(asked) if asked and _instant(request.asked) > now - timedelta(minutes=REQUEST_MINUTES) else None
        link = self._prepare(customer, asked) if customer is not None and asked is not None else None
        with self.records.writing() as connection:
            if not store.take_request(connection, request.request) or link is None or customer is None or asked is None:
                return 0
            since = (now - timedelta(minutes=MINUTES)).isoformat()
            if store.links_since(connection, customer, asked["purpose"], since) >= LINKS_MAX:
                return 0
            self._keep(connection, customer, asked["purpose"], *link)
        return 1

    def issue(self, customer: int, purpose: str, language: str, *, by: str | None = None) -> None:
        """Makes a link for somebody who is known, with its message, by a channel or the one that they allow. For staff who are
        asked to; it is never shown to them."""
        asked = {"purpose": purpose, "language": spoken(language), "by": by, "value": "", "kind": ""}
        link = self._prepare(customer, asked)
        if link is None:
            raise NotFound("No customer has this number.", "It was never given, or its customer is erased.")
        with self.records.writing() as connection:
            self._keep(connection, customer, purpose, *link)
        self.soon()

    def state(self, token: str, purpose: str) -> str:
        """How a link stands; nothing about whose it is."""
        with self.records.looking() as connection:
            return self._state(store.link(connection, self._found_by(token)), token, purpose)

    def redeem(self, connection: Connection, token: str, purpose: str) -> int:
        """Uses a link up for its purpose, in the transaction of what it does; whose it is. Raises what is wrong with it."""
        found_by = self._found_by(token)
        link = store.redeem(connection, found_by, purpose, self.clock.now().isoformat())
        if link is not None and self._sealed(link, token):
            return link.customer
        raise self._wrong(None if link is not None else store.link(connection, found_by), token, purpose)

    def whose(self, token: str, purpose: str) -> int:
        """Whose link it is, if it is good now. For what must be known before the transaction that redeems it."""
        with self.records.looking() as connection:
            link = store.link(connection, self._found_by(token))
        if link is not None and self._state(link, token, purpose) == GOOD:
            return link.customer
        raise self._wrong(link, token, purpose)

    def _wrong(self, link: Link | None, token: str, purpose: str) -> VolensError:
        state = self._state(link, token, purpose)
        return LinkUsed() if state == USED else LinkExpired() if state == EXPIRED else LinkUnknown()

    def _state(self, link: Link | None, token: str, purpose: str) -> str:
        if link is None or link.purpose != purpose or not self._sealed(link, token):
            return UNKNOWN
        if link.redeemed is not None:
            return USED
        return GOOD if _instant(link.expires) > self.clock.now() else EXPIRED

    def _found_by(self, token: str) -> bytes:
        return self.mac("single-use-link", token.encode())

    def _seal(self, link: Link, token: str) -> bytes:
        return self.mac("single-use-link/seal", link.fixed() + b"/" + token.encode())

    def _sealed(self, link: Link, token: str) -> bool:
        return hmac.compare_digest(link.seal, self._seal(link, token))

    def tidy(self) -> int:
        """Forgets links that ended a week ago; how many."""
        with self.records.writing() as connection:
            return store.tidy_links(connection, (self.clock.now() - timedelta(days=KEPT_DAYS)).isoformat())

    def _opened(self, request: Request) -> dict[str, Any] | None:
        """What was asked; none for what does not open, which nobody asked here."""
        try:
            found: dict[str, Any] = json.loads(self.open(request.sealed))
        except Tampered:
            return None
        return found

    def _whose(self, asked: Mapping[str, Any]) -> int | None:
        found = self.people.known(asked["kind"], [asked["value"]]).get(asked["value"])
        return int(found.customer) if found is not None else None

    def _prepare(self, customer: int, asked: Mapping[str, Any]) -> tuple[Prepared, str] | None:
        """The message with a fresh token in it, and the token; none for somebody who is erased."""
        token = secrets.token_urlsafe(32)
        purpose, language, by = asked["purpose"], asked["language"], asked["by"]
        name, form = f"link-{purpose}", "sms" if by == SMS else "text"
        on = f"?{urlencode({'suite': asked['after']})}" if asked.get("after") else ""
        text = say(language, f"{name}.{form}", shop=self.shop, link=f"{self.address}{PATHS[purpose]}{token}{on}")
        address = asked["value"] if asked["kind"] == EMAIL and by == EMAIL else ""
        draft = Draft(customer, name, language, say(language, f"{name}.subject"), text, channel=by, address=address)
        try:
            return self.delivery.prepare(draft), token
        except NotFound:
            return None

    def _keep(self, connection: Connection, customer: int, purpose: str, message: Prepared, token: str) -> None:
        now = self.clock.now()
        link = Link(customer, purpose, now.isoformat(), (now + timedelta(minutes=MINUTES)).isoformat(), None)
        store.add_link(connection, self._found_by(token), replace(link, seal=self._seal(link, token)))
        self.delivery.queue(connection, message)


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)
