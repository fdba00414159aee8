"""A comparison without a draw: never a cause, and it says when even the comparison is not worth much."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from volens.errors import BadInput
from volens.measuring.observational import SENT_MIN, Cannot, Compared, May, Panel, compare

PEOPLE, WEEKS, MATCH, LAUNCH = 1_200, 22, 8, 16


def panel(
    seed: int = 1, *, effect: float = 0.0, growing: float = 0.0, drift: float = 0.0, sent: int = 300, mixed: float = 0.0,
    rough: float = 0.3,
) -> Panel:  # fmt: skip
    """Heavy buyers are sent it more often. `growing`: those sent it bought more from the second stretch on, for another reason."""
    chance = np.random.default_rng(seed)
    habit = np.exp(chance.normal(8, 0.4, PEOPLE))
    weekly = habit[:, None] * np.exp(chance.normal(0, rough, (PEOPLE, WEEKS)))
    other = habit[:, None] * np.exp(chance.normal(0, rough, (PEOPLE, WEEKS)))
    order = np.argsort(-habit * np.exp(chance.normal(0, 1.0, PEOPLE)))
    chosen = np.zeros(PEOPLE, dtype=bool)
    chosen[order[:sent]] = True
    weekly[np.ix_(chosen, range(LAUNCH, WEEKS))] += effect
    weekly[np.ix_(chosen, range(MATCH, WEEKS))] += growing
    other[np.ix_(chosen, range(LAUNCH, WEEKS))] += drift
    return Panel(weekly, other, chosen, chance.random(PEOPLE) < mixed, MATCH, LAUNCH)


def test_it_has_no_place_to_say_what_a_campaign_caused_or_returned() -> None:
    names = {one.name for one in dataclasses.fields(Compared)} | set(vars(Compared))
    assert not {name for name in names if "iroas" in name or "increment" in name or "effect" in name}
    assert {Cannot.CAUSE, Cannot.RETURN, Cannot.EVERYBODY} <= set(compare(panel()).cannot)


def test_people_like_them_are_found_though_heavy_buyers_were_chosen() -> None:
    """Beside everybody else the chosen buy far more; beside people like them they do not."""
    them = panel()
    found = compare(them)
    assert them.sales[them.sent].mean() > 1.15 * them.sales[~them.sent].mean()
    assert abs(found.difference.value) < 0.03 * found.mean_cents
    assert found.alone < 0.1 * SENT_MIN * 10
    assert found.side_by_side
    assert found.may == (May.DIFFERENCE,)


def test_a_difference_that_passes_every_check_is_consistent_with_an_effect_and_no_more() -> None:
    found = compare(panel(effect=600.0))
    assert found.difference.low < 600 < found.difference.high
    assert found.may == (May.DIFFERENCE, May.CONSISTENT)
    assert Cannot.CAUSE in found.cannot


def test_who_was_already_growing_apart_is_said_to_be() -> None:
    found = compare(panel(effect=600.0, growing=900.0))
    assert not found.side_by_side
    assert Cannot.APART in found.cannot
    assert found.may == (May.DIFFERENCE,)


def test_sales_that_it_cannot_have_moved_moved() -> None:
    found = compare(panel(effect=600.0, drift=900.0))
    assert Cannot.DRIFT in found.cannot
    assert May.CONSISTENT not in found.may


def test_other_campaigns_at_the_time_are_said() -> None:
    assert Cannot.MIXED in compare(panel(mixed=0.5)).cannot
    assert Cannot.MIXED not in compare(panel(mixed=0.02)).cannot


def test_not_shown_to_be_apart_is_not_shown_to_be_together() -> None:
    """Few people: the test of the past finds nothing, and so proves nothing."""
    found = compare(panel(seed=2, sent=34, rough=1.0))
    assert not found.before.shows
    assert not found.side_by_side


def test_too_few_people_are_not_compared() -> None:
    with pytest.raises(BadInput, match="nothing is said about fewer"):
        compare(panel(sent=SENT_MIN - 1))


def test_too_little_past_is_no_panel() -> None:
    whole = panel()
    with pytest.raises(BadInput):
        dataclasses.replace(whole, matched_until=3)
    with pytest.raises(BadInput):
        dataclasses.replace(whole, matched_until=13)


def test_who_has_nobody_near_is_left_out_and_counted() -> None:
    whole = panel()
    rows = np.flatnonzero(whole.sent)[:5]
    far = whole.sales.copy()
    far[rows] *= 1000
    assert compare(dataclasses.replace(whole, sales=far)).alone >= 5
