"""A house with enough people for an audience: 140 who took orange juice and lapsed, 40 who still do; all of them permit it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.house import Line, sell, stock
from tests.support.shop import HandClock
from volens.app import House, initialise
from volens.audiences.definition import Definition, read
from volens.ingest.mapping import Mapping
from volens.permissions.ledger import Choice

PURPOSE, NETWORK = "purchase-audience", "place-commune"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = 364
"""The day of `NOW`, counted from the shop's first day."""
LAPSED, LOYAL = range(1, 141), range(141, 181)
MASTER = Mapping(
    source="master", format="csv", contents="customers", time_format="%d/%m/%Y",
    columns={name: name for name in ("card", "given_name", "family_name", "email", "phone", "country")},
)  # fmt: skip


def document(**changed: Any) -> dict[str, Any]:
    """Who bought orange juice and lapsed."""
    juice = {"categories": ["jus-frais"]}
    return {
        "audience": "juice-lapsed",
        "name": {"fr": "Jus d'orange, perdus de vue", "en": "Orange juice, lapsed"},
        "purpose": PURPOSE,
        "recipient": NETWORK,
        "format": "custom-audience",
        "identifiers": ["email"],
        "until": "2026-06-30",
        "who": {"all": [{"bought": {"of": juice, "days": 180}}, {"not_bought": {"of": juice, "days": 56}}]},
        **changed,
    }


def definition(**changed: Any) -> Definition:
    """The same, read."""
    return read(document(**changed))


@dataclass
class Town:
    """The house and its people."""

    house: House
    hand: HandClock = field(default_factory=lambda: HandClock(NOW))

    def number(self, card: int) -> int:
        """The customer of a card."""
        return self.house.customer("card", f"C{card:05}").customer

    def say(self, card: int, kind: str = "withdrawn") -> None:
        """One word about lists chosen by purchases."""
        self.house.permissions.record([Choice(self.number(card), PURPOSE, kind)])

    def handed(self, **changed: Any) -> Any:
        """Defined, built and handed over."""
        audiences = self.house.audiences
        one = audiences.define(definition(**changed), by="Claire Exemple").audience
        audiences.build(one, by="Claire Exemple")
        return audiences.hand_over(one, by="Claire Exemple")


def settle(folder: Path, records_url: str | None = None) -> Town:
    """A new house with everybody in it."""
    hand = HandClock(NOW)
    house = initialise(folder / "house", records_url=records_url, customers=1_000, clock=hand.clock)
    stock(house, folder)
    everybody = [*LAPSED, *LOYAL]
    lines = ["card,given_name,family_name,email,phone,country"]
    lines += [f"C{card:05},Ana,Exemple,P{card}@example.org,06 39 98 {card // 100:02} {card % 100:02},FR" for card in everybody]
    (folder / "master.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    house.take_in_people(folder / "master.csv", MASTER)
    sold = [Line(card, TODAY - 100, "J1") for card in everybody] + [Line(card, TODAY - 10, "J2") for card in LOYAL]
    sell(house, folder, sold)
    town = Town(house, hand)
    house.permissions.record([Choice(town.number(card), PURPOSE, "given") for card in everybody])
    return town
