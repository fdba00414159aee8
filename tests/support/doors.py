"""A house with doorways for tests: the sample programme, two invented people, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.support.shop import HandClock
from volens import app
from volens.app import House
from volens.gate.policy import ReadRequest
from volens.ingest.master import Person
from volens.permissions.ledger import Choice

STATISTICS, EMAILS, SITE = "supplier-statistics", "email-marketing", "onsite-personalisation"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADDRESS = "https://lepanier.example"


@dataclass
class Doors:
    """The house, and the two people in it."""

    house: House
    hand: HandClock
    camille: int
    sacha: int

    def permits(self, customer: int, purpose: str = STATISTICS, recipient: str = "vergers-du-midi") -> bool:
        """What the gate says."""
        rule = self.house.programme.purpose(purpose)
        day = self.hand.now().date()
        request = ReadRequest("a test", purpose, recipient, (sorted(rule.fields)[0],), day, date(2030, 1, 1))
        return self.house.gate.explain(customer, request).verdict.allowed

    def code(self, card: str = "C00001") -> str:
        """The code on a card."""
        found = self.house.doorways.cards("card", [card])[card]
        assert found is not None
        return found.code

    def later(self, **how: int) -> None:
        """Lets time pass."""
        self.hand.instant += timedelta(**how)

    def events(self, customer: int) -> int:
        """How many choices of a customer are on record."""
        return len(self.house.permissions.history(customer))

    def letters(self, customer: int) -> list[str]:
        """What a customer's messages say, oldest first, as staff see them."""
        return [
            self.house.delivery.show(one.message, by="a test").text
            for one in reversed(self.house.delivery.newest(100, customer))
        ]

    def token(self, customer: int) -> str:
        """The token of the newest link that a customer was sent."""
        text = self.letters(customer)[-1]
        return text.split(f"{ADDRESS}/")[1].split()[0].rsplit("/", 1)[1]


@contextmanager
def made(folder: Path, records_url: str | None, hand: HandClock) -> Iterator[Doors]:
    """A new house. Camille permits statistics and e-mails; Sacha has a card, a phone, and no e-mail."""
    with app.initialise(folder, records_url=records_url, customers=100, clock=hand.clock) as house:
        pass
    settings = folder / "volens.toml"
    settings.write_text(f'{settings.read_text("utf-8")}web_address = "{ADDRESS}"\n', encoding="utf-8")
    with app.open_house(folder, clock=hand.clock) as house:
        named = {"given_name": "Camille", "family_name": "Exemple", "phone": "+33600000001"}
        other = {"given_name": "Sacha", "family_name": "Modèle", "phone": "+33600000002"}
        house.customers.enrol(
            [Person("C00001", "camille@example.org", "FR", named), Person("C00002", None, "FR", other)]
        )
        camille, sacha = (house.customer("card", card).customer for card in ("C00001", "C00002"))
        yes = [(STATISTICS, "given"), (EMAILS, "given"), ("loyalty", "joined"), (SITE, "notified")]
        house.permissions.record([Choice(camille, purpose, kind, surface="a test") for purpose, kind in yes])
        yield Doors(house, hand, camille, sacha)
