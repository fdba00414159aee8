"""The public dimensions of a purchase: products and stores, with small dense keys.

1. A key, once given, is never changed and never given to anything else; keys start at 1, 0 means unknown.
2. What a product is called, or which category it is in, may change: the newest file wins, its key stays.
   A product that is missing from a newer file stays, since old lines still name it.
3. Nothing here is about a customer. The files are Parquet, replaced as a whole: a reader sees the old one or
   the new one, never half of one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from volens.errors import BadInput
from volens.purchases.durable import durable_file, sync_folder

PRODUCTS = pa.schema(
    [
        pa.field("product", pa.int32(), nullable=False),
        pa.field("sku", pa.string(), nullable=False),
        pa.field("gtin", pa.string()),
        pa.field("name_fr", pa.string()),
        pa.field("name_en", pa.string()),
        pa.field("category", pa.string(), nullable=False),
        pa.field("category_fr", pa.string()),
        pa.field("category_en", pa.string()),
        pa.field("type", pa.string()),  # what of its category it is: of two products of a type, one can stand for the other
        pa.field("brand", pa.string()),
        pa.field("brand_name", pa.string()),
        pa.field("maker", pa.string()),
    ]
)
STORES = pa.schema(
    [
        pa.field("store", pa.int32(), nullable=False),
        pa.field("code", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("zone", pa.string()),
    ]
)
NEEDS = pa.schema([pa.field("need", pa.int32(), nullable=False), pa.field("code", pa.string(), nullable=False)])
REQUIRED = {"products": ("sku", "category"), "stores": ("code",)}
SLUGS = ("category", "type", "brand", "maker")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Loaded:
    """What loading a dimension's file did."""

    added: int
    changed: int
    total: int


@dataclass(frozen=True)
class Names:
    """What people call a category, in each language, and its brands. Where nothing was loaded, the slug in words."""

    category: Mapping[str, str]
    brands: Mapping[str, str]


@dataclass(frozen=True)
class Needs:
    """What people need, whichever product of it they take: a type of a category, or a category where no types are told."""

    of_product: npt.NDArray[np.int32]
    """By product key; 0 where there is no such product, or nobody gave its need a number yet."""
    categories: Mapping[int, str]
    """By need."""
    types: Mapping[int, str]
    """By need; the empty text for a category whose types are not told."""


@dataclass(frozen=True)
class Catalogue:
    """Products and stores as they stand; made by `read`, extended by `load_*` and `with_stores`."""

    folder: Path | None
    """None: in memory only, as for an explanation."""
    products: pa.Table
    stores: pa.Table

    def product_keys(self, codes: pa.Array) -> np.ndarray:
        """int32 key per code (a sku, or else a GTIN); 0 where there is no such product or the code is null."""
        keys = _look_up(codes, self.products, "sku", "product")
        if (keys == 0).any() and self.products.column("gtin").null_count < self.products.num_rows:
            by_gtin = _look_up(codes, self.products.filter(pc.is_valid(self.products.column("gtin"))), "gtin", "product")
            keys = np.where(keys == 0, by_gtin, keys).astype(np.int32)
        return keys

    def store_keys(self, codes: pa.Array) -> np.ndarray:
        """int32 key per store code; 0 where there is no such store."""
        return _look_up(codes, self.stores, "code", "store")

    def needs(self) -> Needs:
        """The needs, with the numbers that `number_needs` gave them."""
        listed = _read(self.folder / "needs.parquet", NEEDS) if self.folder is not None else NEEDS.empty_table()
        numbers = dict(zip(listed.column("code").to_pylist(), listed.column("need").to_pylist(), strict=True))
        keys, codes = self.products.column("product").to_pylist(), _needs_of(self.products)
        of_product = np.zeros(max(keys, default=0) + 1, dtype=np.int32)
        of_product[keys] = [numbers.get(code, 0) for code in codes]
        parts = {number: code.split("/", 1) for code, number in numbers.items()}
        return Needs(of_product, {one: part[0] for one, part in parts.items()}, {one: part[1] for one, part in parts.items()})

    def names(self, category: str, brands: Sequence[str]) -> Names:
        """The names of a category and of some of its brands."""
        inside = self.products.filter(pc.equal(self.products.column("category"), category))

        def named(table: pa.Table, column: str, slug: str) -> str:
            given = [name for name in table.column(column).to_pylist() if name]
            return given[0] if given else slug.replace("-", " ").capitalize()

        of_brand = {brand: inside.filter(pc.equal(inside.column("brand"), brand)) for brand in brands}
        return Names(
            {"fr": named(inside, "category_fr", category), "en": named(inside, "category_en", category)},
            {brand: named(table, "brand_name", brand) for brand, table in of_brand.items()},
        )

    def zones(self, default: str) -> tuple[str, ...]:
        """The time zone of every store key, index 0 included: its own, or the default."""
        named = dict(zip(self.stores["store"].to_pylist(), self.stores["zone"].to_pylist(), strict=True))
        return tuple(named.get(key) or default for key in range(max(named, default=0) + 1))

    def with_stores(self, codes: Iterable[str]) -> Catalogue:
        """Gives keys to store codes that have none yet. Durable when it returns; the same again changes nothing.

        A shop that opened is no mistake of the feed, so nobody has to declare it first.
        """
        known = set(self.stores["code"].to_pylist())
        new = sorted(set(codes) - known)
        if not new:
            return self
        rows = pa.Table.from_pylist([{"code": code} for code in new], schema=pa.schema([STORES.field("code")]))
        stores, _ = _merge(self.stores, rows, "code", "store", STORES)
        if self.folder is not None:
            _replace(self.folder / "stores.parquet", stores)
        return Catalogue(self.folder, self.products, stores)


def read(folder: Path) -> Catalogue:
    """The dimensions in a folder; empty ones where nothing was loaded yet."""
    return Catalogue(folder, _read(folder / "products.parquet", PRODUCTS), _read(folder / "stores.parquet", STORES))


def load_products(folder: Path, path: Path) -> Loaded:
    """Adds or updates products from a CSV (UTF-8, `,` or `;`) or Parquet file with the columns of `PRODUCTS`.

    `sku` and `category` are required; `category`, `brand` and `maker` are slugs. `BadInput` names the line.
    Durable when it returns.
    """
    rows = _read_given(path, "products", PRODUCTS)
    for name in SLUGS:
        if name in rows.column_names:
            _check_slugs(rows.column(name), name, path)
    current = read(folder)
    products, changed = _merge(current.products, rows, "sku", "product", PRODUCTS)
    _replace(folder / "products.parquet", products)
    return Loaded(products.num_rows - current.products.num_rows, changed, products.num_rows)


def number_needs(folder: Path) -> Needs:
    """Gives a number to each need that has none yet. Durable when it returns; the same again changes nothing."""
    current = _read(folder / "needs.parquet", NEEDS)
    products = read(folder)
    new = sorted(set(_needs_of(products.products)) - set(current.column("code").to_pylist()))
    if new:
        merged, _ = _merge(current, pa.table({"code": new}), "code", "need", NEEDS)
        _replace(folder / "needs.parquet", merged)
    return products.needs()


def load_stores(folder: Path, path: Path) -> Loaded:
    """Adds or updates stores: `code` is required, `name` and `zone` (an IANA time zone) are optional."""
    rows = _read_given(path, "stores", STORES)
    if "zone" in rows.column_names:
        for line, zone in enumerate(rows.column("zone").to_pylist(), start=2):
            try:
                ZoneInfo(zone or "UTC")
            except (ZoneInfoNotFoundError, ValueError):
                raise BadInput(
                    f"{path.name}, line {line}: there is no time zone {zone!r}.", "Write for example Europe/Paris."
                ) from None
    current = read(folder)
    stores, changed = _merge(current.stores, rows, "code", "store", STORES)
    _replace(folder / "stores.parquet", stores)
    return Loaded(stores.num_rows - current.stores.num_rows, changed, stores.num_rows)


def _needs_of(products: pa.Table) -> list[str]:
    """`category/type` of each product."""
    both = (products.column(name).to_pylist() for name in ("category", "type"))
    return [f"{category}/{kind or ''}" for category, kind in zip(*both, strict=True)]


def _look_up(codes: pa.Array, table: pa.Table, column: str, key: str) -> np.ndarray:
    places = pc.index_in(codes, value_set=table.column(column).combine_chunks())
    keys = np.append(table.column(key).to_numpy().astype(np.int32), np.int32(0))  # the last one stands for unknown
    return np.asarray(keys[pc.fill_null(places, -1).to_numpy(zero_copy_only=False)])


def _merge(current: pa.Table, rows: pa.Table, code: str, key: str, schema: pa.Schema) -> tuple[pa.Table, int]:
    """The dimension with new rows at its end and new facts about known ones; how many known ones changed."""
    known: dict[str, dict[str, object]] = {row[code]: row for row in current.to_pylist()}
    following = max((int(row[key]) for row in current.to_pylist()), default=0) + 1
    changed = 0
    for row in rows.to_pylist():
        before = known.get(row[code])
        if before is None:
            known[row[code]] = {**row, key: following}
            following += 1
        elif any(before.get(name) != value for name, value in row.items()):
            known[row[code]] = {**before, **row}
            changed += 1
    return pa.Table.from_pylist(list(known.values()), schema=schema), changed


def _read_given(path: Path, kind: str, schema: pa.Schema) -> pa.Table:
    """A file that people made, as strings, with a clear error for each way it can be wrong."""
    columns = [name for name in schema.names if schema.field(name).type == pa.string()]
    remedy = f"The columns are: {', '.join(columns)}; required: {', '.join(REQUIRED[kind])}."
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "Check the path.")
    try:
        if path.suffix.lower() == ".parquet":
            table = pq.read_table(path)
        else:
            table = pa_csv.read_csv(
                path,
                parse_options=pa_csv.ParseOptions(delimiter=_delimiter(path)),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.string()),
                    strings_can_be_null=True,
                    null_values=[""],
                    quoted_strings_can_be_null=True,
                ),
            )
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"{path.name} cannot be read as a {kind} file: {str(error).splitlines()[0]}", remedy) from error
    missing = [name for name in REQUIRED[kind] if name not in table.column_names]
    if missing:
        raise BadInput(f"{path.name} has no column {' and no column '.join(missing)}.", remedy)
    chosen = table.select([name for name in columns if name in table.column_names])
    chosen = chosen.cast(pa.schema([pa.field(name, pa.string()) for name in chosen.column_names]))
    _check_rows(chosen, REQUIRED[kind], path)
    return chosen


def _check_rows(table: pa.Table, required: Sequence[str], path: Path) -> None:
    for name in required:
        empty = np.flatnonzero(pc.is_null(table.column(name)).to_numpy())
        if len(empty):
            raise BadInput(f"{path.name}, line {empty[0] + 2}: {name} is empty.", f"Give every row a {name}.")
    seen: dict[str, int] = {}
    for line, code in enumerate(table.column(required[0]).to_pylist(), start=2):
        if code in seen:
            raise BadInput(
                f"{path.name}, line {line}: {required[0]} {code!r} was on line {seen[code]} already.",
                "Keep one row for each.",
            )
        seen[code] = line


def _check_slugs(column: pa.ChunkedArray, name: str, path: Path) -> None:
    for line, value in enumerate(column.to_pylist(), start=2):
        if value is not None and not _SLUG.fullmatch(value):
            raise BadInput(
                f"{path.name}, line {line}: {name} {value!r} is not a slug.",
                "Write small letters, digits and single hyphens, as in `orange-juice`.",
            )


def _delimiter(path: Path) -> str:
    with path.open("rb") as source:
        header = source.readline(65_536)
    return max((";", ",", "\t"), key=lambda sign: header.count(sign.encode()))


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    return pq.read_table(path, schema=schema) if path.exists() else schema.empty_table()


def _replace(path: Path, table: pa.Table) -> None:
    fresh = path.with_suffix(".new")
    with durable_file(fresh) as target:
        pq.write_table(table, target, compression="zstd")
    os.replace(fresh, path)
    sync_folder(path.parent)
