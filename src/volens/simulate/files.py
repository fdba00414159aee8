"""The files that the shop would send, written piece by piece: memory does not grow with the shop.

    produits.csv            the public list of products
    clients.parquet         the customer master                     clients.mapping.yaml
    caisses/2026-10.parquet what the tills sold, a file a month     caisses.mapping.yaml
    choix.parquet           choices made before, with their proofs
    simulated.json          the arguments, and what must come out when all of it is taken in

With `csv` instead of `parquet` all of them are CSV. Files are written under another name and renamed when they are whole.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from volens.demo import mappings
from volens.errors import BadInput
from volens.ingest.mapping import Mapping, to_yaml
from volens.simulate.draws import METHOD
from volens.simulate.people import CARD_PATTERN, cards, customer_pieces
from volens.simulate.shop import BROKEN, Piece, Shop

FORMATS = ("parquet", "csv")
ROWS_PER_GROUP = 1 << 18
SOURCE = "caisses"
ZONE = "Europe/Paris"
COLUMNS = ("magasin", "caisse", "ticket", "carte", "horodatage", "article", "quantite", "unite", "montant_centimes",
           "remise_centimes")  # fmt: skip

Progress = Callable[[str, int, int], None]
"""Which file, how many lines are done, how many there are."""


@dataclass
class Counted:
    """What must come out when everything is taken in."""

    lines: int = 0
    """Good lines."""
    receipts: int = 0
    """Receipts with a good line."""
    amount_cents: int = 0
    quantity_thousandths: int = 0
    customers: int = 0
    """Cards with a good line."""
    refused: Counter[str] = field(default_factory=Counter)
    """Broken lines by the reason for which each must be refused."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**vars(self), "refused": dict(sorted(self.refused.items()))}


@dataclass(frozen=True)
class Simulated:
    """Where the files are."""

    folder: Path
    products: Path
    people: Path
    people_mapping: Mapping
    feed: Path
    feed_mapping: Mapping
    choices: Path
    counted: Counted


def write_all(
    shop: Shop, folder: Path, file_format: str = "parquet", progress: Progress = lambda file, done, total: None
) -> Simulated:
    """Writes all files into `folder`, which must be empty or not there. The same shop gives the same bytes."""
    if file_format not in FORMATS:
        raise BadInput(f"Files cannot be written as {file_format!r}.", f"Choose one of {', '.join(FORMATS)}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder} is not empty.", "Choose another folder: nothing is written over.")
    folder.mkdir(parents=True, exist_ok=True)
    made = Simulated(
        folder=folder,
        products=folder / "produits.csv",
        people=folder / f"clients.{file_format}",
        people_mapping=people_mapping(file_format),
        feed=folder / SOURCE,
        feed_mapping=feed_mapping(file_format),
        choices=folder / f"choix.{file_format}",
        counted=Counted(),
    )
    pa_csv.write_csv(shop.products.table, made.products)
    for mapping, name in ((made.people_mapping, "clients"), (made.feed_mapping, SOURCE)):
        (folder / f"{name}.mapping.yaml").write_text(to_yaml(mapping), encoding="utf-8")
    _write_people(shop, made, progress)
    _write_feed(shop, made, file_format, progress)
    told = {"method": METHOD, "shop": asdict(shop), "format": file_format, "must come out": made.counted.to_dict()}
    (folder / "simulated.json").write_text(json.dumps(told, indent=2, default=str) + "\n", encoding="utf-8")
    return made


def till_lines(piece: Piece, shop: Shop) -> pa.Table:
    """A piece as the tills send it: columns `COLUMNS`, in the order of time, a receipt's lines together."""
    basket, broken = piece.basket, piece.broken
    card = pa.DictionaryArray.from_arrays(pa.array(basket.astype(np.int32)), cards(piece.customer))
    sku = pa.DictionaryArray.from_arrays(pa.array(piece.product), shop.products.skus)
    unit = pc.if_else(pa.array(shop.products.weighed[piece.product]), "kg", "piece")
    amount = piece.amount
    if (broken >= 0).any():
        reason = {name: pa.array(broken == place) for place, name in enumerate(BROKEN)}
        text = card.cast(pa.string())
        text = pc.if_else(reason["missing-customer"], pa.scalar(None, pa.string()), text)
        card = pc.if_else(reason["malformed-customer"], "28-0", text)
        sku = pc.if_else(reason["unknown-product"], "999", sku.cast(pa.string()))
        unit = pc.if_else(reason["unknown-unit"], "brassée", unit)
        amount = np.where(broken == BROKEN.index("signs-disagree"), -amount, amount)
    midnight = int(np.datetime64(piece.day).astype("datetime64[s]").astype(np.int64))
    times = pa.array(midnight + piece.second).cast(pa.timestamp("s"))
    columns = (
        _text_of(piece.store + 1, basket),
        _text_of(piece.till, basket),
        _text_of(piece.receipt, basket),
        card,
        times.take(pa.array(basket)),
        sku,
        pa.array(piece.quantity),
        unit,
        pa.array(amount),
        pa.array(piece.discount),
    )
    return pa.table(dict(zip(COLUMNS, columns, strict=True)))


def _text_of(numbers: np.ndarray, basket: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(basket.astype(np.int32)), pa.array(numbers).cast(pa.string()))


def _count(piece: Piece, counted: Counted, bought: np.ndarray) -> None:
    good = piece.broken < 0
    counted.lines += int(good.sum())
    counted.amount_cents += int(piece.amount[good].sum())
    counted.quantity_thousandths += int(piece.quantity[good].sum())
    baskets = np.unique(piece.basket[good])
    counted.receipts += len(baskets)
    bought[piece.customer[baskets]] = True
    counted.refused.update({BROKEN[place]: int((piece.broken == place).sum()) for place in np.unique(piece.broken[~good])})


def _write_feed(shop: Shop, made: Simulated, file_format: str, progress: Progress) -> None:
    made.feed.mkdir()
    bought = np.zeros(shop.customers, dtype=np.bool_)
    done, month, writer = 0, date.min, None
    for piece in shop.pieces():
        if (piece.day.year, piece.day.month) != (month.year, month.month):
            if writer is not None:
                writer.close()
            month = piece.day
            writer = _Writer(made.feed / f"{month:%Y-%m}.{file_format}")
        assert writer is not None
        writer.write(till_lines(piece, shop))
        _count(piece, made.counted, bought)
        done += piece.lines
        progress("tills", done, shop.lines)
    if writer is not None:
        writer.close()
    made.counted.customers = int(bought.sum())


def _write_people(shop: Shop, made: Simulated, progress: Progress) -> None:
    done = 0
    with _written(made.people) as people, _written(made.choices, ",") as choices:
        for master, said in customer_pieces(shop):
            people.write(master)
            choices.write(said)
            done += said.num_rows // 2
            progress("customers", done, shop.customers)


@contextmanager
def _written(path: Path, delimiter: str = ";") -> Iterator[_Writer]:
    writer = _Writer(path, delimiter)
    yield writer
    writer.close()


class _Writer:
    """One file, CSV or Parquet by its name; whole when it has its name."""

    def __init__(self, path: Path, delimiter: str = ";") -> None:
        self._delimiter = delimiter
        self._path, self._half = path, path.with_name(f".{path.name}.half")
        self._writer: Any = None
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows >= ROWS_PER_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()
        self._half.rename(self._path)

    def _flush(self) -> None:
        if not self._waiting:
            return
        # Pieces may differ in how text is held, plain or by dictionary: the file has plain text.
        table = pa.concat_tables([_plain(waiting) for waiting in self._waiting])
        self._waiting, self._rows = [], 0
        if self._writer is None and self._path.suffix == ".csv":
            self._writer = pa_csv.CSVWriter(self._half, table.schema, write_options=pa_csv.WriteOptions(delimiter=self._delimiter))
        elif self._writer is None:
            self._writer = pq.ParquetWriter(self._half, table.schema, compression="zstd")
        self._writer.write_table(table, ROWS_PER_GROUP)


def _plain(table: pa.Table) -> pa.Table:
    columns = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def people_mapping(file_format: str) -> Mapping:
    """What the columns of the customer master are."""
    return Mapping(
        source="clients",
        format=file_format,
        contents="customers",
        columns=mappings.CUSTOMERS.columns,
        delimiter=";",
        time_format=mappings.CUSTOMERS.time_format,
        card_pattern=CARD_PATTERN,
    )


def feed_mapping(file_format: str) -> Mapping:
    """What the columns of the tills are."""
    return Mapping(
        source=SOURCE,
        format=file_format,
        columns=MappingProxyType(
            dict(
                zip(
                    ("store", "till", "receipt", "card", "time", "sku", "quantity", "unit", "amount", "discount"),
                    COLUMNS,
                    strict=True,
                )
            )
        ),
        delimiter=";",
        zone=ZONE,
        amounts_in="minor",
        quantities_in="thousandths",
        card_pattern=CARD_PATTERN,
    )
