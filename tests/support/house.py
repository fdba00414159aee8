"""A whole house for tests: the sample programme, a few products, receipts written as a till writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from volens.app import House
from volens.ingest.mapping import load as load_mapping

STATISTICS = "supplier-statistics"
JUICE_MAKER = "vergers-du-midi"
CATEGORY = "jus-frais"
FIRST_DAY = date(2025, 3, 3)
"""A Monday; three periods of 13 weeks from here lie within 2025."""

PRODUCTS = """sku,name_fr,name_en,category,category_fr,category_en,brand,brand_name,maker
J1,Jus d'orange,Orange juice,jus-frais,Jus frais,Chilled juices,midi-jus-frais,Verger du Midi,vergers-du-midi
J2,Jus de pomme,Apple juice,jus-frais,Jus frais,Chilled juices,presse-jus-frais,Soleil Pressé,soleil-presse
J3,Jus maison,House juice,jus-frais,Jus frais,Chilled juices,,,
S1,Savon,Soap,savons,Savons,Soaps,,,
"""

MAPPING = """source: caisse
format: csv
csv: {delimiter: ";", decimal: ","}
columns:
  {card: carte, store: magasin, till: caisse, receipt: ticket, time: heure, sku: article, quantity: quantite, amount: montant}
time: {format: "%d/%m/%Y %H:%M", zone: Europe/Paris}
"""

HEADER = "carte;magasin;caisse;ticket;heure;article;quantite;montant"


@dataclass(frozen=True)
class Line:
    """One line of a receipt. `day` counts from `FIRST_DAY`."""

    card: int
    day: int
    sku: str = "J1"
    quantity: int = 1
    amount_cents: int = 250
    receipt: int | None = None

    def to_csv(self) -> str:
        """As the till writes it."""
        when = FIRST_DAY + timedelta(days=self.day)
        receipt = self.receipt if self.receipt is not None else self.card * 10_000 + self.day
        amount = f"{self.amount_cents / 100:.2f}".replace(".", ",")
        return f"C{self.card:05};Lyon;1;{receipt};{when:%d/%m/%Y} 10:30;{self.sku};{self.quantity};{amount}"


def write_feed(folder: Path, lines: Sequence[Line], name: str = "caisse.csv") -> tuple[Path, Path]:
    """A till's file and its mapping."""
    folder.mkdir(parents=True, exist_ok=True)
    feed, mapping = folder / name, folder / "caisse.mapping.yaml"
    feed.write_text("\n".join([HEADER, *(line.to_csv() for line in lines)]) + "\n", encoding="utf-8")
    mapping.write_text(MAPPING, encoding="utf-8")
    return feed, mapping


def stock(house: House, folder: Path) -> None:
    """Loads the few products."""
    folder.mkdir(parents=True, exist_ok=True)
    products = folder / "products.csv"
    products.write_text(PRODUCTS, encoding="utf-8")
    house.load_products(products)


def sell(house: House, folder: Path, lines: Sequence[Line], name: str = "caisse.csv") -> None:
    """Takes receipts in through the real intake."""
    feed, mapping = write_feed(folder, lines, name)
    house.take_in(feed, load_mapping(mapping))


def a_year_of_juice(customers: int) -> list[Line]:
    """Every customer buys juice every second week of three quarters; every third buys another maker's as well."""
    lines = []
    for card in range(1, customers + 1):
        for visit in range(0, 39 * 7, 14):
            day = visit + card % 7
            lines.append(Line(card, day, "J1" if card % 2 else "J3", 1 + card % 3, 250 * (1 + card % 3)))
            if card % 3 == 0:
                lines.append(Line(card, day, "J2", 1, 300))
    return lines
