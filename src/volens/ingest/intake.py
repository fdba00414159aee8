"""A feed comes in: read → check → identify → sort into partitions → each receipt once → staged → added → done.

1. `take_in` is the table of contents; each line of it is one stop of the way.
2. Where a run may be killed: before `stage`, nothing counts and `recover` clears it; after `stage`, the table's
   snapshots say whether the lines are in, and `recover` finishes or clears. There is no other repair routine. A small
   feed is staged, kept among the arrivals and done in one transaction: it is in, or it never was.
3. Nobody's card or e-mail goes further than `identify`; only refused lines keep their words, sealed.
4. Whoever calls holds the purchases lease: two runs at once would each look for duplicates in the same old table.
   If it happens all the same, the second one to add is refused by the table and nothing of it counts.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.clock import Clock
from volens.errors import MappingError, VolensError
from volens.ingest import readers
from volens.ingest.additions import without_additions
from volens.ingest.ahead import ahead
from volens.ingest.checks import check
from volens.ingest.files import EXPLAIN, files_in
from volens.ingest.mapping import Mapping, to_yaml
from volens.ingest.mended import Mended
from volens.ingest.payment_numbers import holds_payment_number
from volens.ingest.raw import REASONS, Chunk, Refusals
from volens.ingest.receipts import STAGED, compare, repeated_blocks, several_customers, starts
from volens.ingest.receipts import identities as identities_of
from volens.ingest.store import Batch, BatchRecords
from volens.ingest.summary import Summary
from volens.ingest.tally import Identities, Tally
from volens.purchases import catalogue
from volens.purchases.catalogue import Catalogue
from volens.purchases.lines import LINES, digests, numbers
from volens.purchases.partitions import Partition, PartitionSpool, split
from volens.purchases.store import PurchasesStore

LINES_PER_RECEIPT = 10_000
HOPELESS_LINES = 1_000
REFERENCES_REMEMBERED = 500_000

Progress = Callable[[str, int, int], None]
"""step (`reading`: bytes, `writing`: lines), done, total."""
Stored = Callable[[Partition, np.ndarray, tuple[int, int]], pa.Table]
"""Partition, baskets (int64), first and last day: what is stored of these receipts, in the table and waiting beside it."""


def take_in(
    path: Path,
    mapping: Mapping,
    *,
    identities: Identities,
    store: PurchasesStore,
    catalogue_folder: Path,
    batches: BatchRecords,
    clock: Clock,
    count_accounts: Callable[[], int] | None = None,
    small: int = 0,
    progress: Progress = lambda step, done, total: None,
    on_step: Callable[[str], None] = lambda step: None,
) -> Summary:
    """Takes a feed in: a file, or a folder's files as one batch. All of it or nothing; durable when it returns.

    The same file again changes nothing and says so. `MappingError` when the feed does not fit its mapping.
    Call it under the purchases lease (rule 4). A feed of at most `small` lines waits in the records, readable, until it is
    appended with others. `on_step` is told after each step that a crash may follow.
    """
    if holds_payment_number(path.name):
        raise MappingError("The file's name holds a payment-card number or an IBAN.", "Rename the file; its name is kept.")
    run = Run(path, mapping, identities, catalogue.read(catalogue_folder), clock.now(), store.buckets, progress)
    run.tally.retried, run.additions = batches.mending.retried, batches.mending.additions
    return carry_in(
        run, store=store, batches=batches, clock=clock, count_accounts=count_accounts, small=small, on_step=on_step
    )


def carry_in(
    run: Run,
    *,
    store: PurchasesStore,
    batches: BatchRecords,
    clock: Clock,
    count_accounts: Callable[[], int] | None = None,
    small: int = 0,
    on_step: Callable[[str], None] = lambda step: None,
) -> Summary:
    """The way of `take_in` for any run: a feed's, or that of lines which were mended."""
    began = time.monotonic()
    recover(store, batches, clock)
    accounts_before = count_accounts() if count_accounts else 0
    batch, source = secrets.token_hex(8), run.mapping.source
    batches.start(batch, source, run.path.name, clock.now(), to_yaml(run.mapping))
    on_step("started")
    try:
        view, before = store.view(), batches.waiting_state()
        with PartitionSpool(store.waiting(batch)) as spool:
            with ahead(run.identified()) as identified:
                for lines in identified:  # lines: STAGED, under customer numbers from here on
                    spool.add(lines)
            on_step("read")

            def known_lines(partition: Partition, baskets: np.ndarray, days: tuple[int, int]) -> pa.Table:
                there = store.existing(partition, baskets, days, view)
                return pa.concat_tables([there, batches.waiting_lines(partition, baskets)])

            def summary() -> Summary:
                return run.summary(batch, (count_accounts() if count_accounts else 0) - accounts_before)

            small_feed = spool.lines <= small
            with ahead(run.once(spool, known_lines)) as new:  # lines: LINES, each receipt once
                if small_feed:
                    arrived = [part for table in new for part in split(table)]
                else:
                    written = store.write(new, batch)  # files in no snapshot yet
            if small_feed:
                on_step("staged")
                done = summary()
                batches.arrive(batch, source, done.to_dict(), run.tally.kept, clock.now(), arrived, before, run.mended)
                return replace(done, seconds=time.monotonic() - began)
        on_step("written")
        done = summary()
        batches.stage(batch, source, done.to_dict(), run.tally.kept, clock.now().date(), run.mended)
        on_step("staged")
        store.commit(written, view)
        on_step("added")
    except VolensError:
        recover(store, batches, clock)
        raise
    batches.finish(batch, clock.now())
    on_step("done")
    return replace(done, seconds=time.monotonic() - began)


def recover(store: PurchasesStore, batches: BatchRecords, clock: Clock) -> list[Batch]:
    """Finishes or clears what earlier runs left; the batches it found. The same again finds nothing.

    Call it under the purchases lease: a batch that another run is reading right now would be cleared.
    """
    left = batches.unfinished()
    for batch in left:
        if batch.state == "staged" and (store.snapshot_has(batch.batch) or batch.summary["lines_accepted"] == 0):
            batches.finish(batch.batch, clock.now())
        else:
            store.discard(batch.batch)
            batches.clear(batch.batch, clock.now())
    return left


class Run:
    """The steps of one `take_in` that share its tally; `explain` runs the first of them."""

    def __init__(
        self,
        path: Path,
        mapping: Mapping,
        identities: Identities,
        dimensions: Catalogue,
        now: datetime,
        buckets: int,
        progress: Progress,
    ) -> None:
        self.path, self.mapping, self.identities = path, mapping, identities
        self.dimensions, self.now, self.buckets, self.progress = dimensions, now, buckets, progress
        self.tally = Tally()
        self.stores_before = dimensions.stores.num_rows
        self.mended: list[Mended] = []
        self.additions: Callable[[Sequence[int]], AbstractMapping[int, Counter[int]]] = lambda baskets: {}
        self._copies = 0
        self._remembered: dict[str, tuple[int, int]] = {}
        self._orders = mapping.format == "schema-org-order"

    def identified(self) -> Iterator[pa.Table]:
        """The feed's good lines under customer numbers (`STAGED`), whole receipts at a time."""
        total = sum(file.stat().st_size for file in files_in(self.path, self.mapping.format))
        waiting: pa.Table | None = None
        with ahead(readers.read(self.path, self.mapping, readers.known_products(self.dimensions))) as chunks:
            for chunk in chunks:
                lines = self.checked(chunk)
                self._give_up_if_hopeless(lines)
                self.progress("reading", chunk.bytes_done, total)
                if self._orders or self.mapping.receipts == "scattered":
                    yield self.staged(lines)
                    continue
                # The last receipt of a piece may go on in the next one: it waits.
                lines = lines if waiting is None else pa.concat_tables([waiting, lines])
                fresh = np.flatnonzero(starts(lines, by_line=False))
                cut = int(fresh[-1]) if len(fresh) else 0
                waiting = lines.slice(cut)
                if waiting.num_rows > LINES_PER_RECEIPT:
                    raise MappingError(
                        f"{self.path.name} has more than {LINES_PER_RECEIPT:,} lines in a row of one receipt.",
                        "The column mapped to `receipt` is probably not the receipt's number. " + EXPLAIN,
                    )
                yield self.staged(lines.slice(0, cut))
        if waiting is not None:
            yield self.staged(waiting)

    def _give_up_if_hopeless(self, good: pa.Table) -> None:
        """A feed that begins with nothing but refusals has the wrong mapping, not ten million wrong lines."""
        refused = self.tally.refused.total()
        if good.num_rows or refused < HOPELESS_LINES or refused < self.tally.read:
            return
        reason, lines = self.tally.refused.most_common(1)[0]
        raise MappingError(
            f"None of the first {refused:,} lines of {self.path.name} can be taken in; {lines:,} of them: {REASONS[reason]}.",
            EXPLAIN,
        )

    def once(self, spool: PartitionSpool, known_lines: Stored) -> Iterator[pa.Table]:
        """Each partition's new lines (`LINES`), after copies of receipts are out."""
        for partition, staged in spool.pieces():
            baskets, day = np.unique(numbers(staged, "basket")), numbers(staged, "day")
            days = (int(day.min()), int(day.max()))
            stored = known_lines(partition, baskets, days)
            result = without_additions(compare(staged, stored), stored, self.additions)
            self.tally.receipts += result.receipts
            self.tally.duplicate_receipts += result.duplicate_receipts
            self.tally.duplicate_lines += result.duplicate_lines
            self.refuse(result.contradicting, "same-receipt-other-lines")
            new = result.new.select(LINES.names)
            self.tally.accept(new)
            self.progress("writing", self.tally.accepted + self.tally.duplicate_lines, spool.lines)
            if new.num_rows:
                yield new

    def summary(self, batch: str, accounts_new: int) -> Summary:
        """The tally as it stands before the lines are added."""
        tally = self.tally
        return Summary(
            batch=batch,
            source=self.mapping.source,
            lines_read=tally.read,
            lines_accepted=tally.accepted,
            receipts=tally.receipts,
            duplicate_lines=tally.duplicate_lines,
            duplicate_receipts=tally.duplicate_receipts,
            refused=dict(tally.refused),
            customers=len(tally.customers),
            accounts_new=accounts_new,
            stores_new=self.dimensions.stores.num_rows - self.stores_before,
            times_resolved=tally.times_resolved,
            first_day=tally.first_day,
            last_day=tally.last_day,
        )

    def checked(self, chunk: Chunk) -> pa.Table:
        """The chunk's lines that pass; the others are refused. New stores get their keys."""
        checked = check(chunk.lines, self.mapping, self.dimensions, self.now)
        self.tally.read += chunk.read
        self.tally.times_resolved += checked.times_resolved
        for refused in (chunk.refused, checked.refused):
            self.tally.refuse(refused, chunk.words, self.identities)
        lines = checked.lines
        codes = pc.dictionary_encode(lines.column("store").combine_chunks())
        self.dimensions = self.dimensions.with_stores(codes.dictionary.to_pylist())
        keys = self.dimensions.store_keys(codes.dictionary)[codes.indices.to_numpy(zero_copy_only=False)]
        return lines.append_column("store_key", pa.array(keys, pa.int32()))

    def staged(self, lines: pa.Table) -> pa.Table:
        """Whole receipts: the customer goes out, numbers come in."""
        fresh = starts(lines, by_line=self._orders)
        copy = np.cumsum(fresh) - 1
        mixed = several_customers(lines.column("customer").combine_chunks(), copy)
        if mixed.any():
            self.refuse(lines.filter(pa.array(mixed)), "several-customers")
            lines = lines.filter(pa.array(~mixed))
            fresh = fresh[~mixed]
            copy = np.cumsum(fresh) - 1
        firsts = lines.filter(pa.array(fresh))
        customer, account = self._numbers(firsts.column("customer").to_pylist())
        basket = self._baskets(firsts)
        # the customer's card or e-mail ends here
        columns = {name: lines.column(name) for name in STAGED.names if name in lines.column_names}
        columns |= {
            "customer": pa.array(customer[copy]),
            "account": pa.array(account[copy]),
            "bucket": pa.array(customer[copy] % self.buckets),
            "basket": pa.array(basket[copy]),
            "store": lines.column("store_key"),
            "channel": pa.repeat(self.mapping.channel, lines.num_rows),
            "copy": pa.array(copy),
        }
        staged = pa.table([columns[name] for name in STAGED.names], schema=STAGED)
        return staged.set_column(STAGED.get_field_index("copy"), "copy", pa.array(self._copy_numbers(staged, copy)))

    def _copy_numbers(self, staged: pa.Table, copy: np.ndarray) -> np.ndarray:
        """Which copy of its receipt each line belongs to, ascending through the whole feed."""
        if self.mapping.receipts == "scattered" and not self._orders:
            return numbers(staged, "file_number").astype(np.int64)
        if not self._orders and not self.mapping.numbered:
            again = repeated_blocks(copy, numbers(staged, "product").astype(np.uint64), lambda: digests(staged))
            copy = copy + np.cumsum(again)
        out = copy + self._copies
        self._copies = int(out[-1]) + 1 if len(out) else self._copies
        return out

    def _numbers(self, references: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """int32 customers and accounts of references; a feed names the same card on many receipts."""
        if len(self._remembered) > REFERENCES_REMEMBERED:
            self._remembered.clear()
        new = [value for value in dict.fromkeys(references) if value not in self._remembered]
        if new:
            customers, accounts = self.identities.identify(self.mapping.customer_kind, new)
            self._remembered.update(zip(new, zip(customers.tolist(), accounts.tolist(), strict=True), strict=True))
        found = np.array([self._remembered[value] for value in references], dtype=np.int32).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def _baskets(self, firsts: pa.Table) -> np.ndarray:
        """int64 keys of receipts, one for each copy."""
        texts = identities_of(firsts, self.mapping.source)
        distinct = dict.fromkeys(texts)
        keys = dict(zip(distinct, self.identities.basket_keys(list(distinct)).tolist(), strict=True))
        return np.array([keys[text] for text in texts], dtype=np.int64)

    def refuse(self, lines: pa.Table, reason: str) -> None:
        """Refuses lines that were good in themselves; their words are what was read from them."""
        if not lines.num_rows:
            return
        count = lines.num_rows
        place = [lines.column(name).to_numpy() for name in ("file_number", "line_number", "place")]
        refused = Refusals(place[0], place[1], place[2], np.arange(count), np.full(count, reason, dtype=object))

        def words(rows: Sequence[int]) -> list[str]:
            found = lines.take(pa.array(rows, pa.int64())).to_pylist()
            return [json.dumps(row, default=str, ensure_ascii=False) for row in found]

        self.tally.refuse(refused, words, self.identities)
