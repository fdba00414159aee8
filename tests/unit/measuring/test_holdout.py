"""Who is held out: by the seed, the campaign and the number alone, and as many as were to be."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.panel import shoppers

from volens.errors import BadInput
from volens.measuring.holdout import ARM_MIN, SHARE_MAX, SHARE_MIN, Holdout, balance

SEED = "7a" * 32
NUMBERS = st.lists(st.integers(0, 2**31 - 1), unique=True, max_size=60)


def held(draw: Holdout, customers: Sequence[int]) -> list[bool]:
    return draw.held(np.array(customers, dtype=np.int64)).tolist()


@settings(deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(SHARE_MIN, SHARE_MAX))
def test_anybody_with_the_seed_computes_it_again_in_five_lines(customer: int, share: int) -> None:
    hashed = hashlib.blake2b(f"spring\n{customer // 8}".encode(), digest_size=64, key=bytes.fromhex(SEED)).digest()
    word = int.from_bytes(hashed[customer % 8 * 8 : customer % 8 * 8 + 8], "big")
    assert held(Holdout("spring", SEED, share), [customer]) == [word < (share << 64) // 1000]


@settings(deadline=None)
@given(NUMBERS, st.randoms())
def test_who_else_takes_part_and_in_which_order_changes_nothing(customers: list[int], order: object) -> None:
    draw = Holdout("spring", SEED, 300)
    together = dict(zip(customers, held(draw, customers), strict=True))
    shuffled = sorted(customers, key=lambda _: order.random())  # type: ignore[attr-defined]
    assert dict(zip(shuffled, held(draw, shuffled), strict=True)) == together
    assert all(held(draw, [one]) == [is_held] for one, is_held in together.items())


@settings(deadline=None)
@given(NUMBERS, st.integers(SHARE_MIN, SHARE_MAX - 1))
def test_a_larger_share_holds_out_the_same_people_and_more(customers: list[int], share: int) -> None:
    fewer, more = held(Holdout("spring", SEED, share), customers), held(Holdout("spring", SEED, share + 1), customers)
    assert all(after for before, after in zip(fewer, more, strict=True) if before)


def test_the_share_is_what_was_declared_and_two_campaigns_have_nothing_to_do_with_each_other() -> None:
    people = np.arange(200_000)
    one, other = Holdout("spring", SEED, 100).held(people), Holdout("summer", SEED, 100).held(people)
    limit = 5 * math.sqrt(0.1 * 0.9 / people.size)
    assert abs(one.mean() - 0.1) < limit
    assert abs((one & other).mean() - 0.01) < 5 * math.sqrt(0.01 * 0.99 / people.size)
    assert (Holdout("spring", "7b" * 32, 100).held(people) != one).any()


def test_a_draw_is_looked_at_before_anything_happens() -> None:
    draw, before = Holdout("spring", SEED, 200), shoppers(1, 5_000).before
    mask = draw.held(np.arange(before.size))
    found = balance(draw, mask, before)
    found.require()
    assert found.people == before.size
    assert found.held == mask.sum()
    assert found.before.value == pytest.approx(before[~mask].mean() - before[mask].mean())


def test_a_share_that_no_draw_gives_is_a_defect() -> None:
    draw, before = Holdout("spring", SEED, 200), shoppers(1, 5_000).before
    wrong = np.arange(before.size) < 1_200  # a fifth would be 1,000: seven standard errors
    with pytest.raises(BadInput, match="should be"):
        balance(draw, wrong, before).require()


def test_too_few_held_out_is_said_before_the_start() -> None:
    draw, before = Holdout("spring", SEED, 10), shoppers(1, 4_000).before
    few = np.arange(before.size) < ARM_MIN - 1
    enough = np.arange(before.size) < ARM_MIN
    with pytest.raises(BadInput):
        balance(draw, few, before)
    balance(draw, enough, before).require()


@pytest.mark.parametrize(("campaign", "seed", "share"), [("Été", SEED, 100), ("a", "7a", 100), ("a", SEED, 9), ("a", SEED, 501)])
def test_a_draw_that_is_none_cannot_be_made(campaign: str, seed: str, share: int) -> None:
    with pytest.raises(BadInput):
        Holdout(campaign, seed, share)
