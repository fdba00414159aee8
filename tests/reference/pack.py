"""A pack's exact stage in plain Python: slow, obvious, and written from the definitions, not from the engines.

Lines are dictionaries with the columns of the purchases table. Nothing here is shared with `src/`, except the plan.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from volens.insights.plan import Plan

Line = Mapping[str, Any]
TWO_24 = 2**24
ONE_LINE_AT_MOST = 2**31 - 1


def _between(low: int, value: int, high: int) -> int:
    return max(low, min(value, high))


def seen(lines: Iterable[Line], permitted: set[int], plan: Plan) -> set[int]:
    """Permitted customers with any line of the currency between the pack's first and last day."""
    return {
        line["customer"]
        for line in lines
        if line["customer"] in permitted and plan.start <= line["day"] < plan.end and line["currency"] == plan.pack.currency
    }


def values(
    lines: Iterable[Line], permitted: set[int], plan: Plan, row_of_product: Mapping[int, str]
) -> dict[str, dict[int, dict[tuple[str, str], int]]]:
    """What each customer counts, unclipped: measure → customer → (row, column) → value, for every row and column.

    Columns are the periods and `whole`, rows the brands, `rest` and `category`, for all four measures.
    """
    quantity: dict[tuple[int, str, str], int] = defaultdict(int)
    amount: dict[tuple[int, str, str], int] = defaultdict(int)
    baskets: dict[tuple[int, str, str], set[tuple[str, int]]] = defaultdict(set)
    for line in lines:
        row = row_of_product.get(line["product"])
        inside = [period for period in plan.pack.periods if period.start <= line["day"] < period.end]
        if row is None or not inside or line["customer"] not in permitted:
            continue
        if line["currency"] != plan.pack.currency:
            continue
        (period,) = inside
        for shown_row in (row, "category"):
            for column in (period.label, "whole"):
                key = (line["customer"], shown_row, column)
                quantity[key] += _between(-ONE_LINE_AT_MOST, line["quantity"], ONE_LINE_AT_MOST)
                amount[key] += _between(-ONE_LINE_AT_MOST, line["amount"], ONE_LINE_AT_MOST)
                if line["quantity"] > 0:
                    baskets[key].add((period.label, line["basket"]))
    result: dict[str, dict[int, dict[tuple[str, str], int]]] = {
        name: defaultdict(dict) for name in ("buyers", "trips", "units", "spend")
    }
    for key in quantity:
        customer, cell = key[0], key[1:]
        result["buyers"][customer][cell] = 1 if quantity[key] > 0 else 0
        result["trips"][customer][cell] = len(baskets[key])
        result["units"][customer][cell] = quantity[key]
        result["spend"][customer][cell] = amount[key]
    return result


def bounded(counted: Mapping[tuple[str, str], int], plan: Plan, measure: str) -> tuple[dict[tuple[str, str], int], int]:
    """One customer's bounded vector in a measure, and what the customer adds to the loss."""
    bounds = plan.measure(measure)
    cells = [(row, column) for row in bounds.rows for column in bounds.columns]
    cap = {cell: bounds.caps[bounds.rows.index(cell[0])] for cell in cells}
    ceiling = {cell: bounds.ceilings[bounds.rows.index(cell[0])] for cell in cells}
    value = {cell: counted.get(cell, 0) for cell in cells}
    part = {cell: _between(0, value[cell], cap[cell]) * TWO_24 // cap[cell] for cell in cells}
    squares = sum(p * p for p in part.values())
    shrink = min(1.0, float(bounds.radius_fixed) / math.sqrt(float(max(squares, 1))))
    weight = math.floor(float(TWO_24) * shrink)
    kept = {cell: part[cell] * weight // TWO_24 for cell in cells}
    lost = max(_between(0, value[cell], ceiling[cell]) * TWO_24 // cap[cell] - kept[cell] for cell in cells)
    return kept, _between(0, lost, bounds.loss_limit_fixed)


def exact(
    lines: Sequence[Line], permitted: set[int], plan: Plan, row_of_product: Mapping[int, str]
) -> tuple[dict[str, list[int]], dict[str, int], set[int]]:
    """(sums by measure, losses by measure, customers seen), as `ExactSums` has them."""
    everybody = values(lines, permitted, plan, row_of_product)
    sums: dict[str, list[int]] = {}
    losses: dict[str, int] = {}
    for bounds in plan.measures:
        cells = [(row, column) for row in bounds.rows for column in bounds.columns]
        sums[bounds.measure] = [0] * len(cells)
        losses[bounds.measure] = 0
        for counted in everybody[bounds.measure].values():
            kept, lost = bounded(counted, plan, bounds.measure)
            losses[bounds.measure] += lost
            for index, cell in enumerate(cells):
                sums[bounds.measure][index] += kept[cell]
    return sums, losses, seen(lines, permitted, plan)


def truth(
    lines: Sequence[Line], permitted: set[int], plan: Plan, row_of_product: Mapping[int, str]
) -> dict[tuple[str, str, str], float]:
    """The figures without any clipping or noise: (measure, row, column) → value, in the units of `estimates`.

    Cells that add up are net of returns per cell and never below zero for a customer, as the figures are defined.
    """
    everybody = values(lines, permitted, plan, row_of_product)
    rows, labels = plan.pack.rows, [period.label for period in plan.pack.periods]
    figures: dict[tuple[str, str, str], float] = {}
    for measure in ("buyers", "trips", "units", "spend"):
        people = everybody[measure].values()

        def total(row: str, column: str, people: Any = people) -> int:
            return sum(max(0, counted.get((row, column), 0)) for counted in people)

        for row in rows:
            for column in plan.pack.columns:
                columns = labels if column == "whole" and measure != "buyers" else [column]
                parts = rows[:-1] if row == "category" and measure in ("units", "spend") else (row,)
                value = sum(total(part, each) for part in parts for each in columns)
                figures[measure, row, column] = value / 1000 if measure == "units" else value
    return figures
