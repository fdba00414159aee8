"""The shape of shopping: how skewed, how often, when. Public numbers, taken from the sizes of real shops.

What they are measured against is in `docs/simulate.md`. With 29 lines a card (a year of a chain, all cards that were handed
out) half of those who buy have 19 lines at most, one in a hundred more than 165; the busiest of 1.7 million have about 700.
"""

from __future__ import annotations

import math
from datetime import date
from statistics import NormalDist

ACTIVITY_SIGMA = 0.85
"""Standard deviation of the logarithm of how active a card is. Basket sizes and chance add the rest of the spread."""
ACTIVITY_CLASSES = 1024
BASKET_MEDIAN, BASKET_SIGMA, BASKET_MOST = 5.0, 1.08, 120
"""Lines of a basket: log-normal, mean about 9, in the Complete Journey 9.4."""
PRODUCT_EXPONENT = 0.95
"""Zipf: the product at rank r is bought in proportion to r to the power of minus this."""
HABIT_IN_256, HABITS = 128, 16
"""Every second line is one of the customer's own few products, the others are drawn from the whole shop."""
HOME_STORE_IN_256 = 218
RETURNED_ONE_IN = 256
PROMOTED_IN_256 = 34
PROMOTIONS = (10, 20, 20, 25, 30, 34, 50, 20)
"""Per cent off."""
PIECES = {1: 0.78, 2: 0.14, 3: 0.04, 4: 0.02, 6: 0.015, 12: 0.005}
WEEKDAYS = (0.90, 0.88, 0.92, 0.98, 1.22, 1.45, 0.65)
"""Monday to Sunday."""
MONTHS = (0.97, 0.95, 0.99, 1.00, 1.00, 1.00, 0.95, 0.90, 1.02, 1.01, 1.00, 1.21)
CLOSED = ((1, 1), (5, 1), (12, 25))
"""(month, day) on which nothing is sold, in most of France."""
OPENS, CLOSES, SUNDAY_CLOSES = 8 * 60 + 30, 20 * 60 + 30, 13 * 60
PRICE_MEDIAN, PRICE_SIGMA = 2.29, 0.75
KG_PRICE_MEDIAN, KG_PRICE_SIGMA = 6.90, 0.80


def activity() -> list[float]:
    """How active each class of cards is, as quantiles of a log-normal."""
    return [math.exp(ACTIVITY_SIGMA * z) for z in _normal_quantiles(ACTIVITY_CLASSES)]


def baskets() -> list[float]:
    """The weight of each basket size, from 1 line on."""
    normal = NormalDist(math.log(BASKET_MEDIAN), BASKET_SIGMA)
    return [normal.cdf(math.log(size + 0.5)) - normal.cdf(math.log(size - 0.5)) for size in range(1, BASKET_MOST + 1)]


def zipf(products: int) -> list[float]:
    """The weight of each rank."""
    return [rank**-PRODUCT_EXPONENT for rank in range(1, products + 1)]


def prices(median: float, sigma: float, steps: int) -> list[int]:
    """Prices in cents as quantiles of a log-normal, ending in 9 or 5 as prices do."""
    raw = [100 * median * math.exp(sigma * z) for z in _normal_quantiles(steps)]
    return [max(19, round(cents / 10) * 10 - (1 if place % 4 else 5)) for place, cents in enumerate(raw)]


def day_weight(day: date) -> float:
    """How much is sold on a day, 1 being an average one."""
    if (day.month, day.day) in CLOSED:
        return 0.0
    before_christmas = 1.35 if day.month == 12 and 18 <= day.day <= 24 else 1.0
    return WEEKDAYS[day.weekday()] * MONTHS[day.month - 1] * before_christmas


def minutes(sunday: bool) -> list[float]:
    """The weight of each minute of the day: a peak before noon and a higher one after work."""
    closes = SUNDAY_CLOSES if sunday else CLOSES
    return [
        (math.exp(-(((minute - 660) / 75) ** 2)) + (0 if sunday else 1.25 * math.exp(-(((minute - 1080) / 80) ** 2))) + 0.25)
        if OPENS <= minute < closes
        else 0.0
        for minute in range(24 * 60)
    ]


def _normal_quantiles(steps: int) -> list[float]:
    normal = NormalDist()
    return [normal.inv_cdf((place + 0.5) / steps) for place in range(steps)]
