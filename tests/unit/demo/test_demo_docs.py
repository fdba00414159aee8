"""The figures that docs/demo-data.md names are those of the data."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc

from volens import invented as people
from volens.demo import catalogue, feeds
from volens.demo.source import Journey

PAGE = Path(__file__).parents[3] / "docs" / "demo-data.md"


def test_the_figures_of_the_page(whole: Journey) -> None:
    page = PAGE.read_text(encoding="utf-8")
    holders = {number for number in whole.households.to_pylist() if people.person(number) is not None}
    firsts = whole.lines.group_by(["basket", "household"]).aggregate([])
    pairs = zip(firsts.column("basket").to_pylist(), firsts.column("household").to_pylist(), strict=True)
    named = catalogue.names()
    known = pc.is_in(whole.lines.column("product"), value_set=whole.products.column("product").combine_chunks())
    for figure, words in (
        (whole.lines.num_rows, "lines on"),
        (firsts.num_rows, "receipts"),
        (whole.products.num_rows, "products that were bought"),
        (len(holders), "invented people"),
        (sum(feeds.ordered_online(basket) and household in holders for basket, household in pairs), "web orders"),
        (len(whole.households) - len(holders), "cards"),
        (len(named.types), "product types"),
        (len(named.categories) - 1, "categories"),
        (whole.left_out["fuel"], "lines"),
        (pc.sum(pc.invert(known)).as_py(), "of these lines"),
    ):
        assert f"{figure:,} {words}" in page, (figure, words)
    assert f"**Lines with quantity 0**, {whole.left_out['nothing-bought']:,}" in page
