"""Variants of purchases put to use: reminders and sponsored products over HTTP at a steady rate, and a list for a platform.

Everybody in the house permits all three; decisions without any use are in `served`. Baskets are the shop's best-selling products.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from volens import app
from volens.bench.data import LAST_DAY, SEED, Size, feed_folder, make_feed
from volens.bench.files import silent
from volens.bench.served import answered_fast, answered_steadily
from volens.clock import legal_day, system
from volens.simulate.draws import mix
from volens.simulate.files import feed_mapping, people_mapping
from volens.simulate.people import customer_pieces

Options = Mapping[str, Any]
Work = Callable[[], dict[str, Any]]
REMINDERS, ADS, LISTS = "basket-reminder", "targeted-ads", "purchase-audience"
THINGS, CARDS, DRAWS = 12, 20_000, 4_096
AUDIENCE = "bench"


def activated_folder(work: Path, size: Size) -> Path:
    """Where the house of so many lines is, or will be."""
    return work / f"activated-{size.lines}"


def activated(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Makes a house in which everybody permits, with purchases, learned habits, placements and an audience, unless it is there."""

    def make() -> dict[str, Any]:
        folder, feed = activated_folder(work, size), feed_folder(work, size)
        if (folder / "cards.json").exists():
            return {}
        make_feed(work, size, silent)
        folder.mkdir(parents=True, exist_ok=True)
        cards = _choices(size, folder / "choices.parquet")
        with app.initialise(folder / "house", customers=size.shop.customers, clock=system()) as house:
            house.load_products(feed / "produits.csv")
            house.take_in_people(feed / "clients.parquet", people_mapping("parquet"))
            house.take_in(feed / "caisses", feed_mapping("parquet"))
            house.imports.take_in(folder / "choices.parquet")
            house.reminders.learn()
            today = legal_day(house.clock.now(), "FR")
            for one in _placements(feed / "produits.csv", today.isoformat(), (today + timedelta(days=60)).isoformat()):
                placement = house.sponsored.read(json.dumps(one), "bench")
                house.sponsored.define(placement, by="Ana Exemple")
                house.sponsored.approve(placement.id, by="Bruno Modèle")
            house.sponsored.learn()
            definition = house.audiences.read(json.dumps(_audience((today + timedelta(days=60)).isoformat())))
            house.audiences.define(definition, by="Ana Exemple")
            house.checkpoint()
        (folder / "cards.json").write_text(json.dumps(cards))
        return {}

    return make


def remind(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """So many checkouts a second; each is another customer's basket of a dozen things."""

    def bodies() -> Iterator[dict[str, Any]]:
        skus = _skus(work, size)
        draws = mix(np.arange(DRAWS), SEED) % np.uint64(max(1, len(skus) - THINGS))
        for number in count():
            at, card = int(draws[number % DRAWS]), cards[number % len(cards)]
            yield {"card": card, "basket": f"bench-{number}", "skus": skus[at : at + THINGS], "language": "fr"}

    cards = json.loads((activated_folder(work, size) / "cards.json").read_text())
    return answered_steadily(activated_folder(work, size) / "house", "/v1/reminders", bodies(), options, stack)


def advertise(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """So many pages a second, each with three slots, for one customer after the other."""

    def bodies() -> Iterator[dict[str, Any]]:
        for number in count():
            card = cards[number % len(cards)]
            yield {"slots": 3, "category": "jus-frais", "card": card, "visit": f"bench-visit-{number}"}

    cards = json.loads((activated_folder(work, size) / "cards.json").read_text())
    return answered_steadily(activated_folder(work, size) / "house", "/v1/ads", bodies(), options, stack)


def permit(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Decisions before a use, in the same house, as fast as they are answered."""
    folder = activated_folder(work, size)
    cards = json.loads((folder / "cards.json").read_text())
    return answered_fast(folder / "house", (("card", card, ADS, "le-panier") for card in cards), options, stack)


def export(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """An audience built from all lines, and its list handed over: both doors, and the file."""
    house = stack.enter_context(app.open_house(activated_folder(work, size) / "house", clock=system()))

    def build_and_hand_over() -> dict[str, Any]:
        house.audiences.build(AUDIENCE, by="Ana Exemple")
        handed = house.audiences.hand_over(AUDIENCE, by="Ana Exemple")
        return {"people": handed.listed.people, "lines": handed.listed.people}

    return build_and_hand_over


def _choices(size: Size, path: Path) -> list[str]:
    """A yes of everybody to all three, made on the last day of the purchases; the cards of some."""
    cards, writer = list[str](), None
    for _, choices in customer_pieces(size.shop):
        once = choices.filter(pc.equal(choices.column("kind"), "joined"))
        cards += once.column("card").slice(0, CARDS - len(cards)).to_pylist()
        for purpose in (REMINDERS, ADS, LISTS):
            said = {
                "purpose": purpose, "kind": "given", "text": f"{purpose}/1", "time": f"{LAST_DAY.isoformat()}T12:00:00Z",
            }  # fmt: skip
            table = once
            for name, value in said.items():
                table = table.set_column(table.schema.get_field_index(name), name, pa.repeat(value, table.num_rows))
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
    assert writer is not None  # every shop has customers
    writer.close()
    return cards


def _skus(work: Path, size: Size) -> list[str]:
    """What sells, in the order of the list."""
    listed = pa_csv.read_csv(feed_folder(work, size) / "produits.csv")
    return [str(one) for one in listed.column("sku").slice(0, 500).to_pylist()]


def _placements(products: Path, first: str, last: str) -> Iterator[dict[str, Any]]:
    listed = pa_csv.read_csv(products)
    for advertiser, brand in (("vergers-du-midi", "midi-jus-frais"), ("soleil-presse", "presse-jus-frais")):
        mine = listed.filter(pc.equal(listed.column("brand"), brand)).column("sku").slice(0, 5)
        yield {
            "placement": f"bench-{advertiser}", "name": {"fr": "Des jus", "en": "Juices"}, "purpose": ADS, "advertiser": advertiser,
            "products": [str(one) for one in mine.to_pylist()], "contexts": {"categories": ["jus-frais"]},
            "from": first, "until": last, "cap": {"day": 50, "campaign": 1_000, "visit": 100},
        }  # fmt: skip


def _audience(until: str) -> dict[str, Any]:
    return {
        "audience": AUDIENCE, "name": {"fr": "Tous ceux qui achètent", "en": "Everybody who buys"}, "purpose": LISTS,
        "recipient": "place-commune", "format": "custom-audience", "identifiers": ["email"], "until": until,
        "who": {"bought": {"of": {"everything": True}, "days": 180}},
    }  # fmt: skip
