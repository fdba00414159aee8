"""The 27 real campaigns: all of them are there, and none is said to have caused anything."""

from __future__ import annotations

from datetime import date

import pytest

from volens.demo.campaigns import Campaign, real_campaigns
from volens.measuring.observational import Cannot, May


@pytest.fixture(scope="module")
def campaigns() -> list[Campaign]:
    return real_campaigns()


def test_all_that_the_source_has(campaigns: list[Campaign]) -> None:
    assert len(campaigns) == 27
    assert sum(one.sent for one in campaigns) == 6_589
    assert sum(one.redemptions for one in campaigns) == 2_102
    assert [one.start for one in campaigns] == sorted(one.start for one in campaigns)


def test_each_is_compared_or_says_why_not(campaigns: list[Campaign]) -> None:
    assert all((one.compared is None) == bool(one.why_not) for one in campaigns)
    why_not = {one.id: one.why_not for one in campaigns if one.why_not}
    assert "weeks before it" in why_not[24]  # it began before the source does
    assert why_not[1].startswith("13 people sent it")
    assert why_not[23] == "The source ends in its first week."
    assert len(why_not) == 8


def test_none_passes_every_check_so_none_may_be_read_as_an_effect(campaigns: list[Campaign]) -> None:
    """Households were chosen, campaigns overlap, and who was sent one was mostly already growing."""
    compared = [one.compared for one in campaigns if one.compared is not None]
    assert all(one.may == (May.DIFFERENCE,) for one in compared)
    assert all({Cannot.CAUSE, Cannot.RETURN, Cannot.MIXED} <= set(one.cannot) for one in compared)


def test_the_largest_as_computed_by_hand(campaigns: list[Campaign]) -> None:
    """Campaign 18 ran for eight weeks; its numbers of households and coupons by a query of their own."""
    largest = next(one for one in campaigns if one.id == 18)
    assert (largest.start, largest.end, largest.sent) == (date(2017, 10, 30), date(2017, 12, 24), 1_133)
    assert (largest.redeemed, largest.redemptions) == (214, 653)
    assert largest.compared is not None
    assert largest.compared.sent + largest.compared.alone == 1_133
