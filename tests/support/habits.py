"""A shop whose customers have habits: a basket a week of the same dozen things, now and then without one of them."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.house import FIRST_DAY, Line, sell
from volens import app
from volens.app import House
from volens.clock import Clock, legal_day, system
from volens.gate import resident
from volens.ingest.master import Person
from volens.permissions.ledger import Choice
from volens.reminders.model import Model, Reminder
from volens.reminders.tables import Tables
from volens.reminders.trees import Trees
from volens.reminding import modelled, speaking

PURPOSE = "basket-reminder"
CUSTOMERS, WEEKS = 40, 40
THINGS = {
    "J1": ("jus-frais", "orange"), "J2": ("jus-frais", "orange"), "L1": ("lait", ""), "B1": ("beurre", ""), "C1": ("cafe", ""),
    "P1": ("pates", ""), "O1": ("oeufs", ""), "A1": ("pommes", ""), "K1": ("carottes", ""), "Y1": ("yaourts", ""),
    "T1": ("tomates", ""), "N1": ("oignons", ""), "S1": ("savons", ""), "X1": ("bieres", ""),
}  # fmt: skip
"""SKU → (category, type). Beer is bought by everybody, each week, and never named."""
USUAL = [sku for sku in THINGS if sku != "J2"]


def bought(card: int, week: int) -> list[str]:
    """What a card buys in a week: eleven or twelve of the usual things, the same at each run."""
    draw = sha256(f"{card}/{week}".encode()).digest()
    return [sku for place, sku in enumerate(USUAL) if sku == "X1" or draw[place] >= 26]


def lines(card: int, weeks: int = WEEKS) -> Iterator[Line]:
    """A year's receipts of a card, the last one some days ago."""
    last = (legal_day(system().now(), "FR") - FIRST_DAY).days - 3
    for week in range(weeks):
        yield from (Line(card, last - 7 * (weeks - 1 - week), sku) for sku in bought(card, week))


@contextmanager
def shop_with_habits(folder: Path, records_url: str | None, clock: Clock | None = None) -> Iterator[House]:
    """The house, with everybody's purchases; all but card 40 permit reminders."""
    with unhurried(), app.initialise(folder / "house", records_url=records_url, customers=100, clock=clock or system()) as house:
        products = folder / "products.csv"
        made = {"J1": "midi-jus-frais,vergers-du-midi", "J2": "presse-jus-frais,soleil-presse"}
        rows = [
            f"{sku},Article {sku},Item {sku},{category},{kind},{made.get(sku, ',')}" for sku, (category, kind) in THINGS.items()
        ]
        products.write_text("\n".join(["sku,name_fr,name_en,category,type,brand,maker", *rows]) + "\n", encoding="utf-8")
        house.load_products(products)
        cards, named = range(1, CUSTOMERS + 1), {"given_name": "Camille"}
        house.customers.enrol([Person(card=f"C{card:05}", email=None, country="FR", details=named) for card in cards])
        who = {card: house.customer("card", f"C{card:05}").customer for card in cards}
        said = [Choice(number, "loyalty", "joined", surface="test") for number in who.values()]
        said += [Choice(number, PURPOSE, "given", surface="test") for card, number in who.items() if card < CUSTOMERS]
        house.permissions.record(said)
        sell(house, folder / "feed", [line for card in who for line in lines(card)])
        yield house


def day_ago(days: int) -> int:
    """A day as `Line` counts it."""
    return (legal_day(system().now(), "FR") - timedelta(days=days) - FIRST_DAY).days


@contextmanager
def standing_in() -> Iterator[None]:
    """A model without a tree, and a choice that names the juice: for tests of everything around them."""

    def named(*given: object, refused: Container[int], said: Container[int], **more: object) -> Reminder | None:
        need = int(given[1].needs[0])  # type: ignore[attr-defined]
        return None if need in refused or need in said else Reminder(need, 1, (), 0.5, 0.5, 3, 3, 30, 30)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modelled, "model_of", lambda habits, needs, allowed: without_trees(allowed))
        patch.setattr(speaking, "choose", named)
        with unhurried():
            yield


@contextmanager
def unhurried() -> Iterator[None]:
    """Whoever asks waits for the answer, on however busy a machine: what hurry does has a test of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speaking, "ANSWER_SECONDS", 30.0)
        patch.setattr(resident, "ANSWER_SECONDS", 30.0)
        yield


def without_trees(allowed: npt.NDArray[np.bool_]) -> Model:
    """Knows nothing."""
    ints, floats, needs = np.zeros(0, np.int32), np.zeros(0, np.float32), len(allowed)
    trees = Trees(ints, ints, floats, ints, floats)
    tables = Tables(np.zeros((6, needs), np.float32), np.zeros(needs + 1, np.int32), ints, floats, np.zeros(needs, np.int32))
    return Model(tables, trees, trees, np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0, 1.0, 0.5, 0.5]]))
