"""Which devices there are: registered by who is signed in, signed out or forgotten by who owns them.

Rules:
1. A device comes to an account by somebody who is signed in, or by a machine that names the account; it brings a key of its own.
2. Signed out: nothing it signs is taken from the commit on, and what it said stays to be seen. Forgotten: nothing of it is left
   but its events, sealed under its owner's key.
3. Only its owner signs a device out or forgets it; somebody else's device is one that does not exist.
4. Each change is an event about the customer in the same transaction. What the device is called stands in the sealed part alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.devices import store
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.identity import store as identity
from volens.permissions.ledger import People
from volens.programme.devices import PLATFORMS, App

if TYPE_CHECKING:
    from sqlalchemy import Connection

DEVICES_MAX = 20
"""Of one account, signed in. Who has more signs one out."""
LABEL_CHARACTERS_MAX = 60
VERSION_CHARACTERS_MAX = 32
REGISTERED, SIGNED_OUT, FORGOTTEN, REPORTED = "device-registered", "device-signed-out", "device-forgotten", "device-reported"
KINDS = (REGISTERED, SIGNED_OUT, FORGOTTEN, REPORTED)
"""The kinds of event that devices make."""


@dataclass(frozen=True)
class Newcomer:
    """A device as it introduces itself."""

    app: str
    platform: str
    label: str
    """What its owner knows it by, such as `Pixel 8`."""
    app_version: str = ""
    public_key: bytes | None = None

    def __post_init__(self) -> None:
        if self.platform not in PLATFORMS:
            raise BadInput(f"There is no platform {self.platform[:20]!r}.", f"Use one of: {', '.join(PLATFORMS)}.")
        if not self.label.strip() or len(self.label) > LABEL_CHARACTERS_MAX or not self.label.isprintable():
            raise BadInput("The device needs a name.", f"At most {LABEL_CHARACTERS_MAX} characters, on one line.")
        require_version(self.app_version)


def require_version(version: str) -> None:
    """Raises `BadInput` for what is no version of an app."""
    if len(version) > VERSION_CHARACTERS_MAX or not version.isprintable():
        raise BadInput("The version of the app cannot be read.", f"At most {VERSION_CHARACTERS_MAX} characters.")


class Registry:
    """Registers, signs out and forgets. Durable when a method returns."""

    def __init__(self, records: Database, people: People, clock: Clock, country: str, apps: Mapping[str, App]) -> None:
        self._records, self._people, self._clock, self._country, self._apps = records, people, clock, country, apps

    def register(self, customer: int, account: int | None, new: Newcomer) -> str:
        """Adds a device to one of a customer's accounts (by default the one that the customer signs in with); its number.

        The same key for the same customer is the same device, and changes nothing.
        """
        app = self._apps.get(new.app)
        if app is None or new.platform not in app.platforms:
            raise BadInput(
                "The programme declares no such app for this platform.",
                f"It declares: {', '.join(sorted(self._apps)) or 'none'} (devices.yaml).",
            )
        now, number = self._clock.now(), secrets.token_hex(16)
        said = {"device": number, "label": new.label.strip(), "app": new.app, "platform": new.platform}
        with self._people.sealer([customer]) as sealer:
            label = sealer.seal(customer, new.label.strip().encode())
            event = log.sealed_beforehand(self._event(REGISTERED, customer, now, said), sealer)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            if new.public_key is not None and (known := store.by_key(connection, new.public_key)) is not None:
                if known.customer == customer and known.signed_out is None:
                    return known.device
                raise BadInput("This key belongs to a device already.", "Make a new key each time somebody signs in.")
            account = self._account(connection, customer, account)
            here = [one for one in store.of_customer(connection, customer) if one.signed_out is None]
            if len(here) >= DEVICES_MAX:
                raise NotNow(f"There are {DEVICES_MAX} devices already.", "Sign one of them out first.")
            seq = log.append(connection, EVENTS, [event])
            store.add(connection, {
                "device": number, "account": account, "platform": new.platform, "app": new.app, "label": label,
                "sealed_for": customer, "public_key": new.public_key, "counter": 0, "registered": seq,
                "registered_at": now.isoformat(), "app_version": new.app_version or None,
            })  # fmt: skip
        return number

    def sign_out(self, customer: int, device: str) -> bool:
        """Takes nothing from a device any more; whether it was signed in until now."""
        event, now = self._prepared(SIGNED_OUT, customer, device)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            if owned(connection, customer, device).signed_out is not None:
                return False
            store.sign_out(connection, device, log.append(connection, EVENTS, [event]), now.isoformat())
        return True

    def forget(self, customer: int, device: str) -> None:
        """Deletes all that is known of a device: what it said, how often data came from it, its key and its name."""
        event, _ = self._prepared(FORGOTTEN, customer, device)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            owned(connection, customer, device)
            log.append(connection, EVENTS, [event])
            store.forget(connection, [device])

    def _prepared(self, kind: str, customer: int, device: str) -> tuple[Event, datetime]:
        now = self._clock.now()
        with self._people.sealer([customer]) as sealer:
            return log.sealed_beforehand(self._event(kind, customer, now, {"device": device}), sealer), now

    def _event(self, kind: str, customer: int, now: datetime, private: Mapping[str, Any]) -> Event:
        private = {**private, "at": now.isoformat()}
        return Event(kind, customer=customer, day=legal_day(now, self._country), private=private)

    @staticmethod
    def _account(connection: Connection, customer: int, account: int | None) -> int:
        held = [(kind != "email", number) for number, kind in identity.accounts_of(connection, customer) if kind in identity.LOGINS]
        if account is not None:
            held = [one for one in held if one[1] == account]
        if not held:
            raise NotFound("This customer has no such card or login.", "Look the customer up: volens customer show")
        return min(held)[1]


def owned(connection: Connection, customer: int, device: str) -> store.Device:
    """A customer's own device; `NotFound` for somebody else's as for one that does not exist."""
    found = store.device(connection, device)
    if found is None or found.customer != customer:
        raise NotFound("There is no such device.", "It may have been forgotten; look at the list again.")
    return found
