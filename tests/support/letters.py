"""A house whose customers are written to: twelve of them, with e-mail, phone and address, who permit every channel there is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.shop import HandClock
from volens.app import House, initialise, open_house
from volens.ingest.mapping import Mapping
from volens.messaging.message import Answer, Caller, read
from volens.messaging.noes import read as read_reports
from volens.permissions.ledger import Choice

NOW = datetime(2026, 9, 15, 9, 0, tzinfo=UTC)
"""A Tuesday, eleven o'clock in Paris."""
PEOPLE = range(1, 13)
EMAIL, SMS, PHONE = "email-marketing", "sms-marketing", "phone-marketing"
TOOL = Caller("mail-tool", "envoi-clair")
CENTRE = Caller("call-centre", "voix-douce")
CLAIRE = Caller("Claire Exemple")
MASTER = Mapping(
    source="master", format="csv", contents="customers", time_format="%d/%m/%Y",
    columns={
        name: name for name in ("card", "given_name", "family_name", "email", "phone", "street", "postcode", "city", "country",
                                "language")
    },
)  # fmt: skip
HEAD = "card,given_name,family_name,email,phone,street,postcode,city,country,language"


def line(number: int, *, email: str = "", card: str = "", country: str = "FR") -> str:
    """One person of the customer master."""
    language = "en" if number % 2 == 0 else "fr"
    return (
        f"{card or f'C{number:05}'},Ana,Exemple,{email or f'p{number}@example.org'},06 39 98 00 {number:02},{number} rue Haute,"
        f"69001,Lyon,{country},{language}"
    )


@dataclass
class Letters:
    """The house and its people."""

    house: House
    folder: Path
    hand: HandClock = field(default_factory=lambda: HandClock(NOW))

    def number(self, person: int) -> int:
        """The customer of a card."""
        return self.house.customer("card", f"C{person:05}").customer

    def say(self, person: int, kind: str, purpose: str = EMAIL) -> None:
        """One word about a purpose."""
        self.house.permissions.record([Choice(self.number(person), purpose, kind, surface="test")])

    def take_in(self, *lines: str) -> None:
        """The real intake of the customer master."""
        file = self.folder / "master.csv"
        file.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
        self.house.take_in_people(file, MASTER)

    def ask(self, *messages: dict[str, Any], caller: Caller = TOOL, addresses: bool = False) -> list[Answer]:
        """A batch of a tool."""
        return self.house.messages.send(read(list(messages)), caller, addresses=addresses)

    def one(self, person: int, key: str = "", *, caller: Caller = TOOL, addresses: bool = False, **changed: Any) -> Answer:
        """One message."""
        (answer,) = self.ask(message(person, key, **changed), caller=caller, addresses=addresses)
        return answer

    def report(self, caller: Caller = TOOL, **one: str) -> int:
        """One report of a tool."""
        return self.house.messages.suppress(read_reports([one]), caller)

    def audited(self) -> None:
        """Nothing is wrong."""
        self.house.checkpoint()
        found = self.house.audit()
        assert found.ok, found.to_text()

    def declare(self, **channels: str) -> None:
        """Other channels in the programme, or none (`messages.yaml` goes); the house is opened again."""
        file = self.house.settings.programme / "messages.yaml"
        self.house.close()
        reminders = file.with_name("reminders.yaml")  # which would write about baskets by a channel that goes
        reminders.write_text(reminders.read_text(encoding="utf-8").replace(", message: basket-message", ""), encoding="utf-8")
        if channels:
            lines = [f"  {name}: {told}" for name, told in channels.items()]
            file.write_text("\n".join(["sender: le-panier", "channels:", *lines]) + "\n", encoding="utf-8")
        else:
            file.unlink()
        self.house = open_house(self.house.settings.home, clock=self.hand.clock)


def message(person: int, key: str = "", **changed: Any) -> dict[str, Any]:
    """A message as a tool asks."""
    named = {} if {"email", "reference", "card"} & changed.keys() else {"card": f"C{person:05}"}
    return {"key": key or f"k{person}", "channel": "email", "campaign": "autumn", **named, **changed}


def settle(folder: Path, records_url: str | None = None) -> Letters:
    """A new house with everybody in it; all of them say yes to every channel."""
    hand = HandClock(NOW)
    house = initialise(folder / "house", records_url=records_url, customers=1_000, clock=hand.clock)
    made = Letters(house, folder, hand)
    made.take_in(*(line(person) for person in PEOPLE))
    house.permissions.record(
        [Choice(made.number(person), purpose, "given", surface="test") for person in PEOPLE for purpose in (EMAIL, SMS, PHONE)]
    )
    return made


def copied(made: Letters, to: Path) -> Letters:
    """Another house like one that was closed, on SQLite."""
    shutil.copytree(made.folder, to)
    return Letters(open_house(to / "house", clock=made.hand.clock), to, made.hand)
