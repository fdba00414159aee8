"""Everything that is to be told is told, or nothing is shown."""

from __future__ import annotations

import pytest

from volens.errors import BadInput
from volens.measuring.disclosure import ANSWER_CHARACTERS_MAX, ITEMS, Answer, disclose

FULL = {item.id: Answer("said", applies=not item.may_not_apply) for item in ITEMS}


def test_a_full_list_is_told_in_its_order_and_in_two_languages() -> None:
    told = disclose(FULL)
    assert [one["id"] for one in told.as_json()] == [item.id for item in ITEMS]
    assert all(set(item.asks) == {"en", "fr"} and item.asks["en"] != item.asks["fr"] for item in ITEMS)


@pytest.mark.parametrize("item", [item.id for item in ITEMS])
def test_each_item_missing_or_empty_stops_it(item: str) -> None:
    with pytest.raises(BadInput, match=f"{item}: missing"):
        disclose({name: answer for name, answer in FULL.items() if name != item})
    with pytest.raises(BadInput, match=f"{item}: missing"):
        disclose({**FULL, item: Answer("  ")})


def test_what_always_applies_cannot_be_waved_away() -> None:
    with pytest.raises(BadInput, match="incrementality: always applies"):
        disclose({**FULL, "incrementality": Answer("not here", applies=False)})


def test_an_answer_to_nothing_and_one_too_long_are_refused() -> None:
    with pytest.raises(BadInput, match="colour: not asked"):
        disclose({**FULL, "colour": Answer("blue")})
    disclose({**FULL, "limits": Answer("x" * ANSWER_CHARACTERS_MAX)})
    with pytest.raises(BadInput, match="limits: longer"):
        disclose({**FULL, "limits": Answer("x" * (ANSWER_CHARACTERS_MAX + 1))})
