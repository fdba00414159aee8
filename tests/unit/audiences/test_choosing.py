"""The fast way against plain Python: any definition over any lines finds the same people, through the gate and real files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pyroaring import BitMap
from tests.support.audience import definition

from volens.audiences import evaluate
from volens.audiences.check import build_request
from volens.audiences.definition import Definition
from volens.audiences.evaluate import members
from volens.audiences.goods import Shelf
from volens.audiences.plan import plan_for
from volens.engines.chooser import PolarsChooser
from volens.gate.reads import OpenedPurchases
from volens.purchases.catalogue import PRODUCTS
from volens.purchases.lines import LINES, PartitionFiles

TODAY = date(2026, 3, 2)
CATEGORIES = {1: "jus", 2: "jus", 3: "savons", 4: "pates"}
PRODUCT_ROWS = [{"product": key, "sku": f"S{key}", "category": name} for key, name in CATEGORIES.items()]
SHELF = Shelf.of(pa.Table.from_pylist(PRODUCT_ROWS, schema=PRODUCTS))
Row = tuple[int, int, int, int, int, str]
"""Customer, product, age in days, quantity, amount, currency."""


# The reference: one customer, one predicate, written as it is read.


def inside(goods: Mapping[str, Any], product: int) -> bool:
    return product in CATEGORIES and (goods.get("everything") is True or CATEGORIES[product] in goods.get("categories", ()))


def count(lines: list[Row], goods: Mapping[str, Any], first: int, end: int, by: str) -> int:
    ours = [line for line in lines if inside(goods, line[1]) and first <= line[2] < end]
    if by == "visits":
        return len({line[2] for line in ours if line[3] > 0})
    if by == "quantity":
        return sum(line[3] for line in ours)
    return sum(line[4] for line in ours if line[5] == "EUR")


def holds(who: Mapping[str, Any], lines: list[Row]) -> bool:
    ((key, said),) = who.items()
    if key in ("all", "any"):
        return (all if key == "all" else any)(holds(part, lines) for part in said)
    if key == "not":
        return not holds(said, lines)
    if key == "bought":
        by = next((measure for measure in ("quantity", "amount") if measure in said), "visits")
        return count(lines, said["of"], 0, said["days"], by) >= said.get(by, 1) * (1_000 if by == "quantity" else 1)
    if key == "not_bought":
        return count(lines, said["of"], 0, said["days"], "visits") == 0
    if key == "lapsed":
        before = count(lines, said["of"], said["silent"], said["days"], "visits")
        return before > 0 and count(lines, said["of"], 0, said["silent"], "visits") == 0
    if key == "recency":
        ages = [line[2] for line in lines if inside(said["of"], line[1]) and line[3] > 0 and line[2] >= 0]
        return bool(ages) and said["at_least"] <= min(ages) <= said["at_most"]
    whole = count(lines, said["in"], 0, said["days"], said["by"])
    part = max(count(lines, said["of"], 0, said["days"], said["by"]), 0)
    return whole > 0 and said["at_least"] * whole <= 100 * part <= said["at_most"] * whole


# Any definition, any lines


goods = some.sampled_from(
    [{"categories": ["jus"]}, {"categories": ["jus", "savons"]}, {"categories": ["pates"]}, {"everything": True}]
)
days = some.integers(2, 7)


@some.composite
def predicate(draw: Any) -> dict[str, Any]:
    """One of the closed grammar."""
    kind = draw(some.sampled_from(["visits", "quantity", "amount", "not_bought", "lapsed", "recency", "share"]))
    of, back = draw(goods), draw(days)
    if kind in ("visits", "quantity", "amount"):
        return {"bought": {"of": of, "days": back, kind: draw(some.integers(1, 4 if kind != "amount" else 900))}}
    if kind == "not_bought":
        return {"not_bought": {"of": of, "days": back}}
    if kind == "lapsed":
        return {"lapsed": {"of": of, "days": back, "silent": draw(some.integers(1, back - 1))}}
    low, high = sorted((draw(some.integers(0, 7)), draw(some.integers(0, 7))))
    if kind == "recency":
        return {"recency": {"of": of, "at_least": low, "at_most": high}}
    low, high = sorted((draw(some.sampled_from([0, 33, 50])), draw(some.sampled_from([25, 50, 99]))))
    by = draw(some.sampled_from(["visits", "quantity", "amount"]))
    return {"share": {"of": of, "in": {"everything": True}, "days": back, "by": by, "at_least": low, "at_most": high}}


whos = some.recursive(
    predicate(),
    lambda inner: some.one_of(
        some.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        some.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)
lines_of_people = some.lists(
    some.tuples(
        some.integers(1, 4), some.integers(0, 5), some.integers(-1, 8), some.sampled_from([1_000, 2_000, 500, -1_000, 0]),
        some.sampled_from([250, 100, -250, 900]), some.sampled_from(["EUR", "CHF"]),
    ),
    max_size=25,
)  # fmt: skip


def opened(files: tuple[PartitionFiles, ...], permitted: BitMap, one: Definition) -> OpenedPurchases:
    """What the gate would hand out; only the gate can make the real thing."""
    request = build_request(one, TODAY, "a test")
    return cast(OpenedPurchases, SimpleNamespace(request=request, permitted=permitted, files=files))


def written(folder: Path, lines: list[Row]) -> tuple[PartitionFiles, ...]:
    """The lines as the table's files: a bucket each for even and odd customers, other columns empty."""
    parts = []
    for bucket in (0, 1):
        rows = [
            {"customer": customer, "product": product, "day": TODAY - timedelta(days=age), "quantity": quantity, "amount": amount,
             "currency": currency}
            for customer, product, age, quantity, amount, currency in lines if customer % 2 == bucket
        ]  # fmt: skip
        path = folder / f"{bucket}.parquet"
        loose = pa.schema([pa.field(column.name, column.type) for column in LINES])
        pq.write_table(pa.Table.from_pylist(rows, schema=loose), path)
        parts.append(PartitionFiles(bucket, (str(path),)))
    return tuple(parts)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(whos, lines_of_people, some.sets(some.integers(1, 6), min_size=1))
def test_any_definition_finds_whom_plain_python_finds(who: dict[str, Any], lines: list[Row], permit: set[int]) -> None:
    one = definition(who=who, currency="EUR")
    plan = plan_for(one, SHELF, TODAY)
    with tempfile.TemporaryDirectory() as folder:
        read = opened(written(Path(folder), lines), BitMap(permit), one)
        holding = PolarsChooser().holding(read, plan)
        found = members(one.who, holding, BitMap(permit))
    assert all(people <= BitMap(permit) for people in holding.values()), "nobody else's lines are looked at"
    by_customer = {customer: [line for line in lines if line[0] == customer] for customer in permit}
    assert set(found) == {customer for customer in permit if holds(who, by_customer[customer])}


def test_a_return_of_everything_is_no_purchase_of_money() -> None:
    lines: list[Row] = [(1, 1, 3, 1_000, 250, "EUR"), (1, 1, 2, -1_000, -250, "EUR")]
    bought = {"bought": {"of": {"categories": ["jus"]}, "days": 9, "amount": 1}}
    assert not holds(bought, lines)
    assert holds({"bought": {"of": {"categories": ["jus"]}, "days": 9}}, lines), "the visit was one"


def test_days_are_counted_alike_in_a_square_and_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    customer, age = np.array([0, 0, 2, 2, 2, 0]), np.array([3, 3, 0, 9, 0, 4])
    in_a_square = evaluate._distinct(customer, age, 3, 10)
    monkeypatch.setattr(evaluate, "SQUARE_MAX", 0)
    assert evaluate._distinct(customer, age, 3, 10).tolist() == in_a_square.tolist() == [2, 0, 2]
