"""A phone for tests: it makes its own key, counts its messages and signs them, as an app does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from volens.app import House
from volens.devices.intake import Arrived
from volens.devices.registry import Newcomer
from volens.devices.signing import message, written
from volens.devices.station import EVENTS, REPORTS
from volens.permissions.ledger import Choice

CAMERA, SHOP, NOTIFICATIONS = "device-camera", "device-location", "device-notifications"
"""The sample programme's purposes for camera, location and notifications."""


@dataclass
class Phone:
    """One device, which remembers how many messages it has sent."""

    device: str = ""
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    counter: int = 0
    kept: Path | None = None
    """Where it remembers itself, if a test's process does not last as long as the phone."""

    @staticmethod
    def at(path: Path) -> Phone:
        """The phone that is kept in a file, or a new one that will be."""
        if not path.exists():
            return Phone(kept=path)
        known = json.loads(path.read_text(encoding="utf-8"))
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(known["key"]))
        return Phone(known["device"], key, known["counter"], path)

    def keep(self) -> None:
        """Remembers number, key and how many messages were sent."""
        if self.kept is not None:
            known = {"device": self.device, "key": self.key.private_bytes_raw().hex(), "counter": self.counter}
            self.kept.write_text(json.dumps(known), encoding="utf-8")

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def join(self, house: House, customer: int, label: str = "Téléphone d'exemple", platform: str = "android") -> Phone:
        """Registers it as its owner's."""
        new = Newcomer("le-panier", platform, label, "4.2.0", self.public_key)
        self.keep()
        self.device = house.devices.register(customer, new)
        self.keep()
        return self

    def body(self, at: datetime, **said: Any) -> bytes:
        """The next message, as it is sent."""
        self.counter += 1
        self.keep()
        return json.dumps({"device": self.device, "counter": self.counter, "at": at.isoformat(), **said}).encode()

    def sign(self, route: str, body: bytes) -> str:
        """Its signature."""
        return written(self.key.sign(message(route, body)))

    def report(self, house: House, **states: str) -> int:
        """Says what it allows; how many states were new."""
        body = self.body(house.clock.now(), states=states, app_version="4.2.0")
        house.devices.signed_by_device(REPORTS, body, self.sign(REPORTS, body))
        return house.devices.report(body)

    def send(self, house: House, *categories: str, **more: Any) -> Arrived:
        """Sends something of each category."""
        body = self.body(house.clock.now(), events=[{"category": name, **more} for name in categories])
        house.devices.signed_by_device(EVENTS, body, self.sign(EVENTS, body))
        return house.devices.send(body, signed=True)


def say(house: House, customer: int, kind: str, purpose: str = CAMERA) -> None:
    """One choice of a customer."""
    house.permissions.record([Choice(customer, purpose, kind, surface="a test")])
