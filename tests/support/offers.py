"""Offers for tests: the examples as documents, and offers built value by value."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from volens.offers import document as d
from volens.offers.reading import Reading, read, read_words

EXAMPLES = Path(__file__).parents[2] / "examples" / "le-panier" / "offers"
LAWFUL, PRESS = EXAMPLES / "cent-euros-parrainage.yaml", EXAMPLES / "cent-euros-presse.yaml"
ON = date(2026, 12, 1)


def lawful() -> d.Offer:
    """The example that nothing stands against."""
    offer = read(LAWFUL).offer
    assert offer is not None
    return offer


def written() -> dict[str, Any]:
    """The same as plain values, to be changed."""
    document = read(LAWFUL).document
    assert document is not None
    plain: dict[str, Any] = copy.deepcopy(document.data)
    return plain


def changed(**keys: Any) -> Reading:
    """The lawful example with other values; `__` leads into a table, and `...` takes a key away."""
    plain = written()
    for path, value in keys.items():
        *into, last = path.split("__")
        table = plain
        for name in into:
            table = table[name]
        if value is ...:
            del table[last]
        else:
            table[last] = value
    return read_words(json.dumps(plain), "offer.json")


QUESTIONS = ({"fr": "Que vous manque-t-il ?", "en": "What do you miss?"},)


def built(values: Mapping[str, Any]) -> d.Offer:
    """An offer of a value for each name; see tests/unit/offers/test_space.py."""
    v = values
    money, vouchers = v["amount"]
    licence = None
    if v["licence"]:
        reason = {"fr": "Chacun peut dire non.", "en": "All can say no."}
        ceiling = None if v["ceiling"] is None else d.Ceiling(v["ceiling"], reason)
        licence = d.Licence(
            consent=v["consent"], choice=v["choice"], items=frozenset(v["items"]), one_by_one=v["one_by_one"], shows=v["shows"],
            purposes=frozenset(v["purposes"]), media=frozenset(v["media"]), territories=frozenset(v["territories"]),
            starts=date(2026, 12, 1), ends=v["licence_ends"], recipients=(), sublicence=v["sublicence"], sold=v["sold"],
            preview=v["preview"], notice_days=v["notice_days"],
            withdrawal=d.Withdrawal(v["how"], v["effect_days"], v["taken_down"], v["withdrawn"], v["fee_cents"]),
            reward=d.Amount(v["paid"], 0), ceiling=ceiling,
            instead=None if v["instead"] is None else d.Instead(d.Kind.SURVEY, d.Amount(v["instead"], 0), QUESTIONS),
        )  # fmt: skip
    return d.Offer(
        id="an-offer", version=1, name={"fr": "Une offre", "en": v["name"]}, languages=v["languages"], countries=("FR",),
        controller=d.Controller("Le Panier SAS", "1 rue de l'Exemple, Paris", "dpo@le-panier.example"), min_age=v["min_age"],
        currency="EUR", promised_cents=v["promised"], starts=date(2026, 11, 1), ends=v["ends"], shown=v["shown"],
        changes=v["changes"], law=v["law"], waived=frozenset(v["waived"]),
        act=d.Act(v["kind"], 2, frozenset(v["uses"]), v["entry_cents"], v["purchase"], v["depth"], v["cap"], v["friend"],
                  v["disclosed"]),
        reward=d.Reward(d.Amount(money, vouchers), 30, v["voucher_days"] if vouchers else 0, v["depends"], v["suspended"]),
        licence=licence,
    )  # fmt: skip
