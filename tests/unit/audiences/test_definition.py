"""A definition is understood whole or refused with its place; what could tell of private things stands against it."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some
from pyroaring import BitMap
from tests.support.audience import definition, document

from volens.audiences import sensitive
from volens.audiences.check import ARTICLES, Checked, check
from volens.audiences.definition import PREDICATES_MAX, read
from volens.audiences.goods import Shelf
from volens.audiences.sizes import Size, step_for, told
from volens.errors import BadInput
from volens.programme.load import load
from volens.programme.start import sample
from volens.purchases.catalogue import PRODUCTS
from volens.rulebooks import rulebook

TODAY = date(2026, 3, 2)
NAMES = Path(__file__).parents[3] / "src" / "volens" / "demo" / "names" / "categories.csv"
JUICE = {"categories": ["jus-frais"]}


def rows() -> Iterator[dict[str, Any]]:
    """Every category of the demo's shop, as one product; and a product that only its own name gives away."""
    with NAMES.open(encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            yield {"product": number, "sku": f"S{number}", "name_fr": row["fr"], "name_en": row["en"], "category": row["slug"],
                   "category_fr": row["fr"], "category_en": row["en"]}  # fmt: skip
    yield {"product": 9_000, "sku": "SECRET", "name_fr": "Jus spécial grossesse", "name_en": None, "category": "jus-frais"}


SHELF = Shelf.of(pa.Table.from_pylist(list(rows()), schema=PRODUCTS))
PROGRAMME = load(sample())


def checked(who: Any = None, **changed: Any) -> Checked:
    """What stands against the juice audience, changed."""
    one = definition(**({"who": who} if who is not None else {}), **changed)
    return check(one, PROGRAMME, rulebook(PROGRAMME), SHELF, TODAY, due=False)


def rules(*args: Any, **changed: Any) -> set[str]:
    return {one.rule for one in checked(*args, **changed).refusals}


def bought(*categories: str) -> dict[str, Any]:
    return {"bought": {"of": {"categories": list(categories)}, "days": 100}}


def test_the_juice_audience_is_lawful() -> None:
    found = checked()
    assert found.ok, found.refusals
    assert found.definition.fields == ("customer", "day", "product", "quantity")
    assert found.left_out == 1, "the product that its own name gives away"


@pytest.mark.parametrize(
    "wrong",
    [
        {"who": {"bought": {"of": JUICE}}},
        {"who": {"bought": {"of": JUICE, "days": 0}}},
        {"who": {"bought": {"of": JUICE, "days": 10, "visits": 1, "quantity": 2}}},
        {"who": {"bought": {"of": {}, "days": 10}}},
        {"who": {"bought": {"of": {"everything": True, "brands": ["a"]}, "days": 10}}},
        {"who": {"lapsed": {"of": JUICE, "days": 10, "silent": 10}}},
        {"who": {"share": {"of": JUICE, "in": {"everything": True}, "days": 9, "by": "visits"}}},
        {"who": {"sql": "select *"}},
        {"who": {"all": []}},
        {"who": {"all": [bought("jus-frais")], "any": [bought("jus-frais")]}},
        {"who": {"bought": {"of": JUICE, "days": 10, "amount": 500}}},  # no currency
        {"who": {"any": [{"bought": {"of": JUICE, "days": day}} for day in range(1, PREDICATES_MAX + 2)]}},
        {"minimum": 99},
        {"until": "soon"},
        {"identifiers": ["customer"]},
        {"identifiers": []},
        {"format": "pdf"},
        {"cap": {"lists": 0, "days": 7}},
        {"audience": "Not A Slug"},
        {"name": {}},
        {"unknown": 1},
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="In the audience"):
        read(document(**wrong))


def test_it_is_nested_so_far_and_no_further() -> None:
    node: Any = bought("jus-frais")
    for _ in range(6):
        node = {"not": node}
    assert definition(who=node)
    with pytest.raises(BadInput, match="nested"):
        definition(who={"not": node})


@pytest.mark.parametrize(
    "category",
    ["protections-incontinence", "antidouleurs", "antiacides", "laxatifs", "pharmacie", "contraception", "vitamines", "bieres",
     "vins-importes", "spiritueux", "cigarettes", "tabac", "arret-tabac", "regimes-particuliers", "soins-cheveux-crepus",
     "allergies-sinus", "rhume-grippe", "premiers-soins", "sante-a-domicile"],
)  # fmt: skip
def test_goods_that_tell_of_private_things_are_refused(category: str) -> None:
    assert "AUD005" in rules(bought(category))


@pytest.mark.parametrize("category", ["jus-frais", "pommes", "pates", "lait", "lessives", "vinaigrettes-mayonnaises"])
def test_goods_that_tell_nothing_are_not(category: str) -> None:
    assert rules(bought(category)) == set()


def test_a_product_that_its_own_name_gives_away_is_in_no_goods() -> None:
    everything, juice = definition(who={"bought": {"of": {"everything": True}, "days": 9}}), definition()
    for one in (everything, juice):
        assert not SHELF.mask(one.leaves[0].of)[9_000]
    assert not SHELF.mask(everything.leaves[0].of)[0], "nor is a product that nobody knows"
    assert "AUD005" in rules({"bought": {"of": {"products": ["SECRET"]}, "days": 9}})


@pytest.mark.parametrize(
    ("who", "refused"),
    [
        ({"not_bought": {"of": {"categories": ["porc"]}, "days": 100}}, True),
        ({"not": {"any": [bought("porc", "bacon")]}}, True),
        ({"lapsed": {"of": {"categories": ["hygiene-feminine"]}, "days": 100, "silent": 50}}, True),
        ({"recency": {"of": {"categories": ["hygiene-feminine"]}, "at_least": 60, "at_most": 90}}, True),
        ({"share": {"of": {"categories": ["porc"]}, "in": {"everything": True}, "days": 90, "by": "quantity", "at_most": 5}}, True),
        ({"share": {"of": {"categories": ["boeuf"]}, "in": {"categories": ["porc", "boeuf"]}, "days": 90, "by": "quantity",
                    "at_least": 90, "at_most": 100}}, True),
        ({"share": {"of": {"categories": ["boeuf"]}, "in": {"categories": ["porc", "boeuf"]}, "days": 90, "by": "quantity",
                    "at_least": 20, "at_most": 60}}, False),
        ({"not": {"share": {"of": {"categories": ["boeuf"]}, "in": {"categories": ["porc", "boeuf"]}, "days": 90, "by": "quantity",
                            "at_least": 0, "at_most": 80}}}, True),
        ({"all": [bought("boeuf"), {"not": {"due": {"of": {"categories": ["porc"]}, "within": 30}}}]}, True),
        ({"due": {"of": {"categories": ["porc"]}, "within": 30}}, False),
        (bought("porc"), False),
        ({"not": {"not": bought("porc")}}, False),
        ({"not": {"lapsed": {"of": {"categories": ["porc"]}, "days": 100, "silent": 50}}}, False),
    ],
)
def test_what_somebody_does_not_buy_can_tell_too(who: Any, refused: bool) -> None:
    assert ("AUD007" in rules(who)) is refused


def test_things_that_tell_nothing_apart_can_tell_together() -> None:
    assert rules(bought("couches")) == set()
    assert rules(bought("hygiene-feminine")) == set()
    assert rules({"all": [bought("couches"), bought("hygiene-feminine")]}) == {"AUD006"}
    assert rules({"any": [bought("hygiene-feminine"), {"not": bought("toilette-bebe")}]}) == {"AUD006"}


@pytest.mark.parametrize("name", ["Ramadan shoppers", "Futures mamans, grossesse", "Diabète", "Wine lovers"])
def test_a_list_is_what_it_is_called(name: str) -> None:
    assert rules(name={"en": name}) == {"AUD008"}


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"purpose": "email-marketing"}, "AUD001"),
        ({"purpose": "nowhere"}, "AUD001"),
        ({"recipient": "voyages-horizon"}, "AUD002"),
        ({"recipient": "nobody"}, "AUD002"),
        ({"purpose": "social-audience"}, "AUD003"),
        ({"who": {"bought": {"of": JUICE, "days": 9, "amount": 500}}, "currency": "EUR"}, "AUD003"),
        ({"identifiers": ["email", "phone"]}, "AUD004"),
        ({"who": {"bought": {"of": JUICE, "days": 365}}}, "AUD009"),
        ({"until": "2026-03-01"}, "AUD010"),
        ({"until": "2027-03-01"}, "AUD010"),
        ({"who": bought("jus-fraiss")}, "AUD011"),
        ({"who": {"share": {"of": JUICE, "in": {"categories": ["pommes"]}, "days": 9, "by": "visits", "at_least": 5}}}, "AUD011"),
        ({"who": {"due": {"of": JUICE, "within": 7}}}, "AUD012"),
    ],
)
def test_every_rule_refuses_with_its_article(changed: dict[str, Any], rule: str) -> None:
    found = [one for one in checked(**changed).refusals if one.rule == rule]
    assert found
    assert found[0].article
    assert found[0].remedy


def test_every_rule_is_tried_here() -> None:
    assert set(ARTICLES) == {f"AUD{number:03}" for number in range(1, 13)}


def test_what_combinations_look_for_is_in_the_shop() -> None:
    words = [word for row in rows() for word in (row["category"], row["name_fr"], row["name_en"]) if word]
    for one in sensitive.COMBINATIONS:
        assert sensitive.tells(words, one.second)


def mac(purpose: str, value: bytes) -> bytes:
    return hashlib.sha256(purpose.encode() + value).digest()


@given(some.integers(0, 20_000))
def test_a_size_is_never_exact_and_never_below_the_minimum(count: int) -> None:
    size = told(BitMap(range(count)), 100, mac)
    if count < 100:
        assert size == Size(None, 100)
    else:
        assert size.about is not None
        assert size.about == 100 or size.about % step_for(count) == 0
        assert size.about >= 100
        assert abs(size.about - count) < step_for(count) or size.about == 100


def test_the_same_people_have_the_same_size_however_the_set_came_about() -> None:
    one, other = BitMap(range(5_000)), BitMap(range(10_000))
    other &= BitMap(range(5_000))
    one.run_optimize()
    assert told(one, 100, mac) == told(other, 100, mac)


def test_one_person_more_does_not_show() -> None:
    """Of many pairs of sets that differ in one person, the sizes differ as often downwards as upwards."""
    ups = downs = 0
    for start in range(400):
        without = BitMap(range(start, start + 1_030))
        first, second = told(without, 100, mac).about, told(without | BitMap([999_999]), 100, mac).about
        assert first is not None
        assert second is not None
        ups, downs = ups + (second > first), downs + (second < first)
    assert downs > 40
    assert ups > 40
