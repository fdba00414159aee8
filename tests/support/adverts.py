"""A shop with sponsored products: people who buy juice, some who permit that it chooses what they see, and some who do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.house import FIRST_DAY, Line, sell
from tests.support.shop import HandClock
from volens.app import House, initialise
from volens.ingest.master import Person
from volens.permissions.ledger import Choice
from volens.sponsored.deciding import Shown
from volens.sponsored.placement import Placement, read

PURPOSE = "targeted-ads"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = (NOW.date() - FIRST_DAY).days
PERMITTING, REFUSING, SILENT, MINOR, OF_SOAP = range(1, 9), 9, 10, 11, 12
"""Cards. All but the last buy juice; eight permit it, one refuses, one never said anything, one is a child; the last permits it,
and buys soap."""
CARDS = range(1, 13)
PRODUCTS = """sku,name_fr,name_en,category,category_fr,category_en,brand,brand_name,maker
J1,Jus d'orange,Orange juice,jus-frais,Jus frais,Chilled juices,midi-jus-frais,Verger du Midi,vergers-du-midi
J4,Jus de raisin,Grape juice,jus-frais,Jus frais,Chilled juices,midi-jus-frais,Verger du Midi,vergers-du-midi
J2,Jus de pomme,Apple juice,jus-frais,Jus frais,Chilled juices,presse-jus-frais,Soleil Pressé,soleil-presse
C1,Compote,Compote,compotes,Compotes,Compotes,presse-compotes,Soleil Pressé,soleil-presse
S1,Savon,Soap,savons,Savons,Soaps,,,
B1,Bière,Beer,bieres,Bières,Beers,midi-bieres,Verger du Midi,vergers-du-midi
L1,Lait infantile,Infant formula,laits-infantiles,Laits infantiles,Infant formula,midi-laits,Verger du Midi,vergers-du-midi
"""


def document(**changed: Any) -> dict[str, Any]:
    """Juice by Vergers du Midi, for who buys juice."""
    return {
        "placement": "oranges-du-midi",
        "name": {"fr": "Oranges du Midi", "en": "Oranges from the South"},
        "purpose": PURPOSE,
        "advertiser": "vergers-du-midi",
        "products": ["J1", "J4"],
        "contexts": {"categories": ["jus-frais", "compotes"], "pages": ["home"], "words": ["jus d'orange", "juice"]},
        "from": "2026-03-01",
        "until": "2026-06-30",
        "cap": {"day": 3, "campaign": 5, "visit": 20},
        **changed,
    }


def apples(**changed: Any) -> dict[str, Any]:
    """Compote and juice by Soleil Pressé, for who buys compote."""
    return document(
        **{
            "placement": "pommes-pressees", "name": {"fr": "Pommes", "en": "Apples"}, "advertiser": "soleil-presse",
            "products": ["J2", "C1"], "for": {"bought": {"of": {"categories": ["compotes"]}, "days": 90}}, **changed,
        }
    )  # fmt: skip


def placement(**changed: Any) -> Placement:
    """The first, read."""
    return read(document(**changed))


@dataclass
class Shop:
    """The house and its people."""

    house: House
    hand: HandClock = field(default_factory=lambda: HandClock(NOW))

    def number(self, card: int) -> int:
        """The customer of a card."""
        return self.house.customer("card", f"C{card:05}").customer

    def say(self, card: int, kind: str = "withdrawn") -> None:
        """One word about advertisements by purchases."""
        self.house.permissions.record([Choice(self.number(card), PURPOSE, kind, surface="test")])

    def run(self, *documents: dict[str, Any]) -> None:
        """Proposes, approves, learns."""
        for one in documents or (document(), apples()):
            stored = self.house.sponsored.define(read(one), by="Claire Exemple")
            self.house.sponsored.approve(stored.placement, by="Bruno Modèle")
        self.house.sponsored.learn()

    def ask(self, card: int | None, slots: int = 2, visit: str = "", **page: str) -> tuple[Shown, ...]:
        """What stands in the slots of a page for a card, or for nobody."""
        ads = self.house.sponsored
        who = ("card", f"C{card:05}") if card is not None else None
        return ads.decide(ads.page(**(page or {"category": "jus-frais"})), slots, who, visit=visit)

    def personal(self, card: int | None, slots: int = 2, **page: str) -> list[str]:
        """The articles among them that purchases chose."""
        return [self.house.sponsored.tell(one).sku for one in self.ask(card, slots, **page) if one.slot.why is not None]

    def clean(self) -> None:
        """The audit finds nothing."""
        report = self.house.audit()
        assert report.ok, report.to_text()


def settle(folder: Path, records_url: str | None = None) -> Shop:
    """A new house with everybody in it."""
    hand = HandClock(NOW)
    house = initialise(folder / "house", records_url=records_url, customers=100, clock=hand.clock)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    house.load_products(folder / "products.csv")
    people = [
        Person(card=f"C{card:05}", email=None, country="FR", details={"given_name": "Camille", "birth_date": _born(card)})
        for card in CARDS
    ]
    house.customers.enrol(people)
    shop = Shop(house, hand)
    sold = [Line(card, TODAY - ago, "S1" if card == OF_SOAP else "J1") for card in CARDS for ago in (1, 40, 80, 120)]
    sold += [Line(card, TODAY - 20, "C1") for card in (1, 2)]
    sell(house, folder / "feed", sold)
    for card in (*PERMITTING, OF_SOAP):
        shop.say(card, "given")
    shop.say(REFUSING, "refused")
    return shop


def _born(card: int) -> str:
    return "2014-05-15" if card == MINOR else "1984-05-15"
