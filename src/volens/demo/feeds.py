"""What a retailer really has, written from the Complete Journey: files of several systems, with their mappings.

1. One basket in five whose household has a person becomes a web order under that person's e-mail (`ordered_online`); all
   others stay at the till under the card.
2. The first half of the year comes as French CSV, the second as Parquet: the shop changed its tills.
3. One week of the first half is delivered twice. It must count once.
4. What is broken is broken on purpose (`broken.py`), and each file says what must become of it: `Feed.refused`.
5. The same day gives the same bytes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from volens import invented as people
from volens.demo import broken, mappings, orders
from volens.demo.catalogue import names, product_file
from volens.demo.source import Journey, read
from volens.demo.texts import decimal_text, starts
from volens.ingest.mapping import Mapping as FeedMapping
from volens.ingest.mapping import to_yaml

ONLINE_ONE_IN = 5
HALF_DAYS = 182  # 26 weeks at the old tills
AGAIN_FROM_DAY, AGAIN_DAYS = 98, 7  # the week that is delivered twice, counted from the first day

Progress = Callable[[str, int, int], None]
"""File, how many are done, how many there are."""


@dataclass(frozen=True)
class Feed:
    """One file, and what must come of it."""

    file: Path
    mapping: Path | None
    """None for the product file, whose columns are Volens's own."""
    lines: int
    """Good lines, copies of earlier deliveries included."""
    receipts: int = 0
    amount_cents: int = 0
    """Of the good lines that are no copies."""
    copies: int = 0
    """Good lines that were delivered before."""
    refused: Mapping[str, int] | None = None
    """Lines that must be refused, by the reasons of `volens.ingest.raw.REASONS`."""


@dataclass(frozen=True)
class Feeds:
    """All files, in the order in which a shop would send them."""

    products: Feed
    customers: Feed
    purchases: tuple[Feed, ...]
    weeks: int
    """By how many weeks the source's times were moved."""
    first_day: date
    last_day: date
    left_out: Mapping[str, int]
    """Lines of the source that are in no file, by the keys of `source.LEFT_OUT`."""

    @property
    def all(self) -> tuple[Feed, ...]:
        """Products first, since purchases name them; customers before purchases, so that card and e-mail are one."""
        return (self.products, self.customers, *self.purchases)


def write_feeds(
    folder: Path,
    as_of: date,
    progress: Progress = lambda file, done, total: None,
    journey: Journey | None = None,
) -> Feeds:
    """Writes all files into `folder` (made if it is not there). `journey`: another than the whole one, for tests."""
    folder.mkdir(parents=True, exist_ok=True)
    year = journey or read(as_of)
    first_day, last_day = _days(year.lines)
    online, at_till = _by_channel(year)
    half = pc.less(at_till.column("time"), _midnight(first_day + timedelta(days=HALF_DAYS)))
    old, new = at_till.filter(half), at_till.filter(pc.invert(half))
    listed = year.products.column("product").combine_chunks()
    steps: tuple[tuple[str, Callable[[Path], Feed]], ...] = (
        ("products.csv", lambda path: _products(path, year)),
        ("customers.csv", lambda path: _customers(path, year)),
        ("caisse-1.csv", lambda path: _old_till(path, old, listed)),
        ("caisse-1-renvoi.csv", lambda path: _again(path, old, listed, first_day)),
        ("caisse-2.parquet", lambda path: _new_till(path, new, listed)),
        ("commandes-web.jsonl", lambda path: _online(path, online, listed)),
    )
    written = []
    for done, (name, write) in enumerate(steps, start=1):
        written.append(write(folder / name))
        progress(name, done, len(steps))
    return Feeds(written[0], written[1], tuple(written[2:]), year.weeks, first_day, last_day, year.left_out)


def ordered_online(basket: int) -> bool:
    """One basket in five, always the same ones. Only households with a person can order online."""
    return int.from_bytes(sha256(f"volens demo/online/{basket}".encode()).digest()[:8], "big") % ONLINE_ONE_IN == 0


def _by_channel(year: Journey) -> tuple[pa.Table, pa.Table]:
    """Lines of web orders, and of the tills."""
    anonymous = {number for number in year.households.to_pylist() if people.person(number) is None}
    baskets = pc.unique(year.lines.column("basket"))
    chosen = pa.array([ordered_online(basket) for basket in baskets.to_pylist()], pa.bool_())
    online = pc.and_(
        pc.is_in(year.lines.column("basket"), value_set=baskets.filter(chosen)),
        pc.invert(pc.is_in(year.lines.column("household"), value_set=pa.array(sorted(anonymous), pa.int64()))),
    )
    return year.lines.filter(online), year.lines.filter(pc.invert(online))


def _products(path: Path, year: Journey) -> Feed:
    table = product_file(year.products, names())
    with path.open("wb") as target:
        _write_csv(target, table, header=True)
    return Feed(path, None, table.num_rows)


def _customers(path: Path, year: Journey) -> Feed:
    holders = [holder for number in year.households.to_pylist() if (holder := people.person(number)) is not None]
    with path.open("w", encoding="utf-8", newline="") as target:
        out = csv.writer(target, delimiter=";", lineterminator="\n")
        out.writerow(mappings.CUSTOMERS.columns.values())
        for holder in holders:
            born = holder.birth_date.strftime("%d/%m/%Y")
            out.writerow(
                (holder.card, holder.given_name, holder.family_name, holder.email, holder.phone, holder.street,
                 holder.postcode, holder.city, holder.country, born, holder.language)
            )  # fmt: skip
    return Feed(path, _beside(path, mappings.CUSTOMERS), len(holders))


def _old_till(path: Path, lines: pa.Table, listed: pa.Array) -> Feed:
    texts = _till_texts(lines)
    mess = broken.for_csv(texts, starts(lines))
    with path.open("wb") as target:
        _write_csv(target, texts.slice(0, 0), header=True)
        done = 0
        for place, line in mess.lines:
            _write_csv(target, texts.slice(done, place - done))
            target.write(f"{line}\n".encode())
            done = place
        _write_csv(target, texts.slice(done))
    return _feed(path, mappings.OLD_TILL, lines, listed, mess.refused)


def _again(path: Path, lines: pa.Table, listed: pa.Array, first_day: date) -> Feed:
    """A week once more, by mistake, and one receipt of it with another amount than the first time."""
    begin = first_day + timedelta(days=AGAIN_FROM_DAY)
    end = begin + timedelta(days=AGAIN_DAYS)
    times = lines.column("time")
    week = lines.filter(pc.and_(pc.greater_equal(times, _midnight(begin)), pc.less(times, _midnight(end))))
    changed = broken.one_receipt(week, listed)
    texts = _till_texts(broken.with_other_amount(week, changed))
    with path.open("wb") as target:
        _write_csv(target, texts, header=True)
    copies = week.filter(pc.invert(pc.equal(week.column("basket"), changed))) if changed is not None else week
    contradicting = week.num_rows - copies.num_rows
    refused = {"same-receipt-other-lines": contradicting} if contradicting else {}
    feed = _feed(path, mappings.OLD_TILL, copies, listed, refused)
    return Feed(path, feed.mapping, feed.lines, 0, 0, feed.lines, feed.refused)


def _new_till(path: Path, lines: pa.Table, listed: pa.Array) -> Feed:
    baskets = lines.column("basket")
    table = pa.table(
        {
            "magasin": lines.column("store").cast(pa.string()),
            "ticket": baskets.cast(pa.string()),
            "carte": _cards(lines),
            "horodatage": lines.column("time").cast(pa.timestamp("ms")),
            "article": lines.column("product").cast(pa.string()),
            "quantite": lines.column("quantity").cast(pa.int32()),
            "montant_centimes": lines.column("amount"),
            "remise_centimes": lines.column("discount"),
        }
    )
    mess = broken.for_parquet(table, starts(lines))
    pq.write_table(mess.table, path, compression="zstd", store_schema=False)
    return _feed(path, mappings.NEW_TILL, lines, listed, mess.refused)


def _online(path: Path, lines: pa.Table, listed: pa.Array) -> Feed:
    begins = starts(lines)
    texts = orders.as_json(lines, begins, _emails(lines.take(pa.array(begins)).column("household")))
    mess = broken.for_orders(texts)
    path.write_text("\n".join(mess.lines) + "\n", encoding="utf-8")
    return _feed(path, mappings.ORDERS, lines, listed, mess.refused)


def _feed(path: Path, mapping: FeedMapping, lines: pa.Table, listed: pa.Array, refused: Mapping[str, int]) -> Feed:
    """What must come of these lines. A product that the source does not list is unknown to the shop too."""
    known = lines.filter(pc.is_in(lines.column("product"), value_set=listed))
    counts = dict(refused)
    if lines.num_rows > known.num_rows:
        counts["unknown-product"] = counts.get("unknown-product", 0) + lines.num_rows - known.num_rows
    return Feed(
        file=path,
        mapping=_beside(path, mapping),
        lines=known.num_rows,
        receipts=pc.count_distinct(known.column("basket")).as_py(),
        amount_cents=pc.sum(known.column("amount")).as_py() or 0,
        refused=dict(sorted(counts.items())),
    )


def _beside(path: Path, mapping: FeedMapping) -> Path:
    """Writes the mapping under its source's name, so that two deliveries of one feed share one mapping."""
    beside = path.with_name(f"{mapping.source}.mapping.yaml")
    beside.write_text(to_yaml(mapping), encoding="utf-8")
    return beside


def _till_texts(lines: pa.Table) -> pa.Table:
    """The lines as the old tills wrote them: all text, decimal commas, day and clock apart."""
    begins = starts(lines)
    of = pa.array(np.repeat(np.arange(len(begins)), np.diff(np.append(begins, lines.num_rows))))
    times = lines.column("time").combine_chunks().take(pa.array(begins))
    columns = (
        lines.column("store").cast(pa.string()),
        lines.column("basket").cast(pa.string()),
        _cards(lines),
        pc.strftime(times, format="%d/%m/%Y").take(of),
        pc.strftime(times, format="%H:%M:%S").take(of),
        lines.column("product").cast(pa.string()),
        lines.column("quantity").cast(pa.string()),
        decimal_text(lines.column("amount"), ","),
        decimal_text(lines.column("discount"), ","),
    )
    return pa.table(dict(zip(mappings.OLD_TILL_HEADER, columns, strict=True)))


def _write_csv(target: object, texts: pa.Table, *, header: bool = False) -> None:
    options = pa_csv.WriteOptions(include_header=header, delimiter=";", quoting_style="none", quoting_header="none")
    pa_csv.write_csv(texts, target, options)


def _cards(lines: pa.Table) -> pa.Array:
    found = pc.dictionary_encode(lines.column("household").combine_chunks())
    return pa.array([people.card(number) for number in found.dictionary.to_pylist()], pa.string()).take(found.indices)


def _emails(households: pa.ChunkedArray) -> pa.Array:
    found = pc.dictionary_encode(households.combine_chunks())
    holders = [people.person(number) for number in found.dictionary.to_pylist()]
    return pa.array([holder.email if holder else None for holder in holders], pa.string()).take(found.indices)


def _days(lines: pa.Table) -> tuple[date, date]:
    ends = pc.min_max(lines.column("time")).as_py()
    return ends["min"].date(), ends["max"].date()


def _midnight(day: date) -> pa.Scalar:
    return pa.scalar(datetime(day.year, day.month, day.day), pa.timestamp("s"))  # noqa: DTZ001 (a shop's clock)
