"""The schema's space, enumerated: nothing unlawful passes, and nothing lawful is refused.

What is lawful is said here a second time, from the table of clauses to refuse and not from the code. Each block of values
that a rule can read together is run in full by `make prove` and in part by `make test`; blocks are combined two values at a time,
and at random.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from tests.support.offers import ON, built

from volens.errors import BadInput
from volens.offers.check import RULES, check
from volens.offers.document import (
    Changes,
    Choice,
    Consent,
    Earned,
    Friend,
    Growth,
    Item,
    Kind,
    Law,
    Medium,
    Purpose,
    Right,
    Shown,
    Shows,
    Uses,
    Withdraw,
)  # fmt: skip

Space = dict[str, list[Any]]
"""The first value of each is lawful with the first of all others."""

AROUND: Space = {
    "waived": [(), *((right,) for right in Right)],
    "changes": list(Changes),
    "law": list(Law),
    "languages": [("fr", "en"), ("fr",), ("en",)],
    "shown": list(Shown),
    "promised": [10000, 11000],
    "ends": [date(2027, 2, 28), ON, date(2026, 11, 30), None],
    "min_age": [18, 17, 15, 14],
    "licence": [True, False],
    "name": ["An offer", "Your photo, in perpetuity", "€5,000 for everybody"],
}
ACT: Space = {
    "kind": list(Kind),
    "uses": [(Uses.ACCOUNT,), (Uses.ACCOUNT, Uses.CONTACTS), (Uses.FINGERPRINT,), (Uses.LOCATION,)],
    "entry_cents": [0, 1],
    "purchase": [False, True],
    "depth": [1, 2],
    "cap": [5, None],
    "friend": list(Friend),
    "disclosed": [True, False],
    "depends": list(Growth),
    "suspended": list(Earned),
    "amount": [(2000, 8000), (10000, 0), (0, 0)],
    "voucher_days": [90, 89],
}
WHAT: Space = {
    "consent": list(Consent),
    "choice": list(Choice),
    "items": [(Item.PHOTO,), (Item.PHOTO, Item.FIRST_NAME), (Item.HEALTH,), (Item.RELIGION, Item.PHOTO), (Item.OPINIONS,),
              (Item.ANYTHING,)],
    "one_by_one": [True, False],
    "shows": list(Shows),
    "purposes": [(Purpose.SITE,), (Purpose.SITE, Purpose.SHOPS), (Purpose.ANY,)],
    "media": [(Medium.WEBSITE,), (Medium.WEBSITE, Medium.ANY)],
    "territories": [("FR",), ("FR", "world")],
    "licence_ends": [date(2027, 5, 31), date(2028, 12, 1), date(2028, 12, 2), None],
    "sublicence": [False, True],
    "sold": [False, True],
}  # fmt: skip
HOW: Space = {
    "preview": [True, False],
    "notice_days": [7, 6],
    "how": list(Withdraw),
    "effect_days": [7, 8],
    "taken_down": [True, False],
    "withdrawn": list(Earned),
    "fee_cents": [0, 1],
    "paid": [1000, 0, 1500, 1501, 5001],
    "ceiling": [1500, 5000, 5001, None],
    "instead": [1000, 999, 1500, 0, None],
}
BLOCKS = {"around": AROUND, "act": ACT, "what": WHAT, "how": HOW}
EVERYTHING: Space = {name: values for block in BLOCKS.values() for name, values in block.items()}
FIRST = {name: values[0] for name, values in EVERYTHING.items()}


def lawful_act(v: Mapping[str, Any]) -> bool:
    """What an offer may be, but for its licence."""
    referral = v["kind"] == "referral"
    return (
        v["name"] == "An offer" and (v["voucher_days"] >= 90 or not v["amount"][1])
        and v["waived"] == () and v["changes"] == "new-acceptance" and v["law"] == "consumer" and "fr" in v["languages"]
        and v["shown"] == "before" and v["promised"] == sum(v["amount"]) > 0 and v["ends"] is not None and v["ends"] >= ON
        and v["min_age"] >= 15 and not {"contacts", "fingerprint", "location"} & set(v["uses"])
        and v["entry_cents"] == 0 and (v["kind"] == "order" or not v["purchase"]) and v["depth"] == 1
        and v["depends"] == "fixed" and v["suspended"] == "kept"
        and (v["cap"] is not None and v["disclosed"] and v["friend"] == "shared-link" if referral
             else v["friend"] == "nobody")
    )  # fmt: skip


def lawful_licence(v: Mapping[str, Any]) -> bool:
    """What a licence may be."""
    return (
        v["min_age"] >= 18 and v["consent"] == "own-choice" and "any" not in v["purposes"]
        and (v["choice"] == "each" or len(v["purposes"]) == 1)
        and not {"health", "religion", "political-opinions", "anything"} & set(v["items"]) and v["one_by_one"]
        and v["shows"] == "only-self" and "any" not in v["media"] and "world" not in v["territories"]
        and v["licence_ends"] is not None and v["licence_ends"] <= date(2028, 12, 1)
        and not v["sublicence"] and not v["sold"] and v["preview"] and v["notice_days"] >= 7
        and v["how"] == "one-click" and v["effect_days"] <= 7 and v["taken_down"] and v["withdrawn"] == "kept"
        and v["fee_cents"] == 0 and v["ceiling"] is not None and 0 < v["paid"] <= v["ceiling"] <= 5000
        and v["instead"] == v["paid"]
    )  # fmt: skip


def holds(values: Mapping[str, Any]) -> bool:
    """Whether the check says what the table says; gives whether both say yes."""
    wanted = lawful_act(values) and (not values["licence"] or lawful_licence(values))
    try:
        passes = check(built(values), ON).ok
    except BadInput:
        passes = False  # an offer that cannot be built passes nothing
    assert passes == wanted, {name: value for name, value in values.items() if value != FIRST[name]}
    return passes


def combinations(block: Space) -> Iterator[dict[str, Any]]:
    """Every combination of a block's values, with the first of all others."""
    for chosen in itertools.product(*block.values()):
        yield {**FIRST, **dict(zip(block, chosen, strict=True))}


def some(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Combinations of everything, near the lawful ones: most values are the first."""
    chance = random.Random(seed)
    for _ in range(count):
        changed = chance.sample(list(EVERYTHING), chance.randint(0, 6))
        yield {**FIRST, **{name: chance.choice(EVERYTHING[name]) for name in changed}}


def pairs() -> Iterator[dict[str, Any]]:
    """Every two values of any two names."""
    for (one, firsts), (other, seconds) in itertools.combinations(EVERYTHING.items(), 2):
        for first, second in itertools.product(firsts, seconds):
            yield {**FIRST, one: first, other: second}


def test_every_value_by_itself_and_every_two_of_them() -> None:
    passed = sum(map(holds, pairs()))
    assert passed > 100, "lawful combinations are among them"


@pytest.mark.parametrize("name", BLOCKS)
def test_a_part_of_every_block(name: str) -> None:
    """A prime stride, so that it meets every value of every name."""
    assert sum(map(holds, itertools.islice(combinations(BLOCKS[name]), 0, None, 101))) > 0


def test_some_of_everything() -> None:
    assert 0 < sum(map(holds, some(20261128, 3_000))) < 3_000


@pytest.mark.prove
@pytest.mark.parametrize("name", BLOCKS)
def test_every_combination_of_a_block(name: str) -> None:
    passed = sum(map(holds, combinations(BLOCKS[name])))
    print(f"{name}: {passed:,} lawful combinations pass, of all that there are")
    assert passed > 0


@pytest.mark.prove
def test_many_of_everything() -> None:
    assert 0 < sum(map(holds, some(7, 200_000))) < 200_000


@pytest.mark.prove
@pytest.mark.parametrize("rule", list(RULES))
def test_without_any_one_rule_something_unlawful_passes(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The enumeration notices the loss of each rule."""
    monkeypatch.delitem(RULES, rule)
    with pytest.raises(AssertionError):
        sum(map(holds, pairs()))
