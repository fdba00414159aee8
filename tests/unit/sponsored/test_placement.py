"""A placement is understood whole, or refused with its place; what stands against it is said all at once, with its article."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.adverts import Shop, document, settle

from volens.errors import BadInput, Refused
from volens.sponsored.placement import read


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = settle(tmp_path_factory.mktemp("ads"))
    yield made
    made.house.close()


JUICE = {"categories": ["jus-frais"]}


@pytest.mark.parametrize(
    "changed",
    [
        {"colour": "red"}, {"placement": "No Slug"}, {"name": {}}, {"products": []}, {"products": ["J1"] * 51 + ["x"]},
        {"contexts": {}}, {"contexts": {"shops": ["x"]}}, {"from": "soon"}, {"until": "2026-02-01"}, {"cap": {"day": 0}},
        {"cap": {"hour": 1}}, {"impressions": 0}, {"personal": "no"}, {"for": {}}, {"for": {"all": []}},
        {"for": {"not_bought": {"of": JUICE, "days": 9}}}, {"for": {"bought": {"of": JUICE}}},
        {"for": {"bought": {"of": {"brands": ["x"]}, "days": 9}}}, {"for": {"bought": {"of": JUICE, "days": 367}}},
        {"for": {"all": [{"bought": {"of": JUICE, "days": 9}}] * 11}},
        {"for": {"bought": {"of": JUICE, "days": 9}}, "personal": False}, {"for": {"lapsed": {"of": JUICE, "days": 9}}},
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_its_place(changed: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        read(document(**changed))
    assert "the placement" in refused.value.what


def test_a_missing_key_is_named() -> None:
    for key in ("placement", "advertiser", "contexts", "until"):
        left = {name: value for name, value in document().items() if name != key}
        with pytest.raises(BadInput, match=key):
            read(left)


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("ADS001", {"purpose": "email-marketing"}),
        ("ADS001", {"purpose": "nothing"}),
        ("ADS002", {"advertiser": "nobody"}),
        ("ADS002", {"advertiser": "maison-nette"}),
        ("ADS003", {"products": ["J2"]}),
        ("ADS003", {"products": ["S1"]}),
        ("ADS004", {"products": ["B1"]}),
        ("ADS004", {"name": {"fr": "Pour le ramadan"}}),
        ("ADS004", {"contexts": {"words": ["sans gluten"]}}),
        ("ADS005", {"for": {"bought": {"of": {"categories": ["bieres"]}, "days": 30}}}),
        ("ADS005", {"for": {"bought": {"of": {"categories": ["laits-infantiles"]}, "days": 30}}}),
        ("ADS006", {"products": ["L1"], "personal": False}),
        ("ADS007", {"products": ["J1", "X9"]}),
        ("ADS007", {"contexts": {"categories": ["jus-frai"]}}),
        ("ADS007", {"for": {"bought": {"of": {"categories": ["jus-frai"]}, "days": 30}}}),
        ("ADS008", {"until": "2027-06-30"}),
    ],
)
def test_what_stands_against_it(shop: Shop, rule: str, changed: dict[str, Any]) -> None:
    found = shop.house.sponsored.check(read(document(**changed)))
    assert rule in {one.rule for one in found.refusals}, [one.to_text() for one in found.refusals]
    assert all(one.article and one.remedy for one in found.refusals)
    with pytest.raises(Refused, match=rule):
        shop.house.sponsored.define(read(document(**changed)), by="Claire Exemple")


def test_nothing_stands_against_a_lawful_one_and_beer_may_stand_on_its_own_page_for_everybody(shop: Shop) -> None:
    assert shop.house.sponsored.check(read(document())).ok
    beer = document(products=["B1"], contexts={"categories": ["bieres"]}, personal=False)
    assert shop.house.sponsored.check(read(beer)).ok


def test_the_examples_are_understood(shop: Shop) -> None:
    folder = Path(__file__).parents[3] / "examples" / "le-panier" / "ads"
    found = [shop.house.sponsored.read_file(file) for file in sorted(folder.glob("*.yaml"))]
    assert {one.advertiser for one in found} == {"vergers-du-midi", "soleil-presse"}
    for one in found:
        against = {refusal.rule for refusal in shop.house.sponsored.check(one).refusals}
        assert against <= {"ADS007", "ADS008"}, "its articles and categories are the demo's, and its days are another year's"
