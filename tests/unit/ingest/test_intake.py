"""A feed comes in: what counts, what is refused, and what a crash leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from tests.unit.ingest.ingest_house import NOW, TILLS, UNNUMBERED, House, PlainIdentities

from volens import clock
from volens.errors import MappingError, Unavailable
from volens.ingest import intake, tally
from volens.ingest.intake import recover
from volens.ingest.mapping import Mapping
from volens.purchases import catalogue, partitions

BASKET_1 = ("c1,1,1,r1,1,2025-05-01T10:00:00,1,1,2.50", "c1,1,1,r1,2,2025-05-01T10:00:00,2,2,3.00")
BASKET_2 = ("c2,1,1,r2,1,2025-05-01T10:05:00,1,1,2.50",)
ORDERS = Mapping(source="shop", format="schema-org-order", channel="web", store="web")


def test_lines_become_rows(house: House) -> None:
    summary = house.take_in(house.csv("a.csv", *BASKET_1, *BASKET_2), TILLS)
    rows = house.lines().to_pylist()
    assert [(row["customer"], row["account"], row["product"], row["quantity"], row["amount"]) for row in rows] == [
        (1, 1001, 1, 1000, 250),
        (1, 1001, 2, 2000, 300),
        (2, 1002, 1, 1000, 250),
    ]
    assert {row["bucket"] for row in rows} == {1, 2}
    assert rows[0]["minute"] == 600
    assert rows[0]["day"] == date(2025, 5, 1)
    assert rows[0]["ts"].hour == 8  # Paris in May
    assert rows[0]["basket"] == rows[1]["basket"] != rows[2]["basket"]
    assert (summary.lines_read, summary.lines_accepted, summary.receipts, summary.customers) == (3, 3, 2, 2)
    assert (summary.first_day, summary.last_day) == (date(2025, 5, 1), date(2025, 5, 1))
    assert "3 lines read, 3 taken in" in summary.to_text()
    json.dumps(summary.to_dict())


def test_the_same_file_again_changes_nothing(house: House) -> None:
    path = house.csv("a.csv", *BASKET_1, *BASKET_2)
    house.take_in(path, TILLS)
    before = house.lines()
    again = house.take_in(path, TILLS)
    assert (again.lines_accepted, again.duplicate_lines, again.duplicate_receipts) == (0, 3, 2)
    assert house.lines().equals(before)


@pytest.mark.parametrize("mapping", [TILLS, UNNUMBERED], ids=["numbered", "unnumbered"])
def test_a_receipt_twice_in_one_file_counts_once(house: House, mapping: Mapping) -> None:
    summary = house.take_in(house.csv("a.csv", *BASKET_1, *BASKET_1, *BASKET_2, *BASKET_1), mapping)
    assert (summary.lines_accepted, summary.duplicate_receipts, summary.duplicate_lines) == (3, 2, 4)
    assert house.purchases.count_lines() == 3


def test_the_same_receipt_with_other_lines_goes_to_quarantine(house: House) -> None:
    house.take_in(house.csv("a.csv", *BASKET_1, *BASKET_2), TILLS)
    summary = house.take_in(house.csv("b.csv", BASKET_1[0].replace("2.50", "9.99"), BASKET_1[1], *BASKET_2), TILLS)
    assert summary.refused == {"same-receipt-other-lines": 2}
    assert (summary.lines_accepted, summary.duplicate_lines) == (0, 1)
    kept = house.batches.quarantined(summary.batch)
    assert [(line.line_number, line.reason) for line in kept] == [(2, "same-receipt-other-lines")] * 1 + [
        (3, "same-receipt-other-lines")
    ]
    assert kept[0].sealed is not None
    assert b"999" in kept[0].sealed[::-1]


def test_refused_lines_are_kept_sealed_with_their_number_and_reason(house: House) -> None:
    summary = house.take_in(
        house.csv(
            "a.csv",
            *BASKET_1,
            "c9,1,1,r9,1,2025-05-01,77,1,1.00",
            "c9,1,1,r9,1,2026-05-01,1,1,1.00",
            "c9,1,1,r9,1,1925-05-01,1,1,1.00",
            "c9,1,1,r9,1,2025-05-01,1,-1,1.00",
            "c9,1,1,r9,1,2025-05-01,1,1,999999999999.00",
            "c9,1,1,r9,1",
        ),
        TILLS,
    )
    kept = house.batches.quarantined(summary.batch)
    assert [(line.line_number, line.reason) for line in kept] == [
        (4, "unknown-product"),
        (5, "future-time"),
        (6, "impossible-time"),
        (7, "signs-disagree"),
        (8, "out-of-range"),
        (9, "wrong-columns"),
    ]
    for line in kept:
        assert line.sealed is not None
        assert line.sealed.startswith(b"sealed:")
        assert b"c9" in line.sealed[::-1]
    assert summary.lines_refused == 6
    assert "c9" not in summary.to_text()
    # Nobody whose lines were all refused was given a number.
    assert ("card", "c9") not in house.identities.numbers


def test_a_receipt_of_two_cards_is_refused_whole(house: House) -> None:
    lines = (BASKET_1[0], BASKET_1[1].replace("c1", "c7"), *BASKET_2)
    summary = house.take_in(house.csv("a.csv", *lines), TILLS)
    assert summary.refused == {"several-customers": 2}
    assert summary.lines_accepted == 1


def test_returns_and_zeros_are_purchases_too(house: House) -> None:
    summary = house.take_in(house.csv("a.csv", "c1,1,1,r1,1,2025-05-01,1,-1,-2.50", "c1,1,1,r1,2,2025-05-01,2,0,1.00"), TILLS)
    assert summary.lines_accepted == 2
    assert house.lines().column("amount").to_pylist() == [-250, 100]


def test_stores_get_keys_and_keep_their_own_zone(house: House) -> None:
    stores = house.folder / "stores.csv"
    stores.write_text("code,zone\nreunion,Indian/Reunion\n", encoding="utf-8")
    catalogue.load_stores(house.folder / "catalogue", stores)
    lines = ("c1,reunion,1,r1,1,2025-05-01T10:00:00,1,1,1", "c1,lyon,1,r1,1,2025-05-01T10:00:00,1,1,1")
    summary = house.take_in(house.csv("a.csv", *lines), TILLS)
    assert [(row["store"], row["ts"].hour, row["minute"]) for row in house.lines().to_pylist()] in (
        [(1, 6, 600), (2, 8, 600)],
        [(2, 8, 600), (1, 6, 600)],
    )
    assert summary.stores_new == 1


def test_doubtful_times_are_counted(house: House) -> None:
    assert house.take_in(house.csv("a.csv", "c1,1,1,r1,1,2025-03-30T02:30:00,1,1,1"), TILLS).times_resolved == 1


def test_lines_of_a_receipt_that_come_apart_belong_together_where_the_mapping_says_so(house: House) -> None:
    path = house.csv("a.csv", BASKET_1[0], *BASKET_2, BASKET_1[1])
    apart = replace(UNNUMBERED, receipts="scattered")
    assert house.take_in(path, apart).lines_accepted == 3
    assert house.take_in(path, apart).duplicate_lines == 3
    other = house.take_in(path, UNNUMBERED)  # as neighbouring lines, the two halves contradict
    assert other.refused == {"same-receipt-other-lines": 2}


def test_receipts_that_go_on_over_the_border_of_two_pieces(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"c{number // 3},1,1,r{number // 3},{number % 3},2025-05-01,1,1,1" for number in range(300)]
    monkeypatch.setattr("volens.ingest.files.BLOCK_BYTES", 200)
    summary = house.take_in(house.csv("a.csv", *lines), UNNUMBERED)
    assert (summary.lines_accepted, summary.receipts) == (300, 100)


def test_more_lines_than_memory_wait_on_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volens.ingest.files.BLOCK_BYTES", 400)
    monkeypatch.setattr(partitions.PartitionSpool.__init__, "__kwdefaults__", {"lines_in_memory": 10, "lines_in_a_piece": 7})
    lines = [f"c{number},1,1,r{number},1,2025-0{number % 5 + 1}-01,1,1,1" for number in range(300)]
    assert house.take_in(house.csv("a.csv", *lines), TILLS).lines_accepted == 300
    assert len(house.purchases.view().paths) == 20
    assert not list((house.folder / "purchases").glob("waiting/*"))


def test_a_receipt_column_that_is_none_is_noticed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LINES_PER_RECEIPT", 5)
    with pytest.raises(MappingError, match="in a row of one receipt"):
        house.take_in(house.csv("a.csv", *(BASKET_1[0] for _ in range(6))), TILLS)
    assert house.take_in(house.csv("b.csv", *(BASKET_1[0] for _ in range(5))), TILLS).lines_read == 5


def test_a_feed_of_refusals_stops_before_anybody_gets_a_number(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "HOPELESS_LINES", 3)
    bad = "c1,1,1,r1,1,2025-05-01,77,1,1"
    with pytest.raises(MappingError, match="None of the first 3 lines"):
        house.take_in(house.csv("a.csv", bad, bad, bad), TILLS)
    assert house.identities.numbers == {}
    assert house.batches.unfinished() == []
    assert house.take_in(house.csv("b.csv", bad, bad), TILLS).lines_refused == 2


def test_quarantine_has_limits(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "SEALED_LINES", 2)
    monkeypatch.setattr(tally, "QUARANTINE_LINES", 3)
    bad = "c1,1,1,r1,1,2025-05-01,77,1,1"
    summary = house.take_in(house.csv("a.csv", *[bad] * 5, *BASKET_2), TILLS)
    assert summary.lines_refused == 5
    assert [line.sealed is None for line in house.batches.quarantined(summary.batch)] == [False, False, True]


def test_web_orders_come_in_the_same_way(house: House) -> None:
    order = {
        "orderNumber": "A1",
        "orderDate": "2025-05-01T10:00:00+02:00",
        "customer": {"email": "a@example.com"},
        "orderedItem": [{"orderQuantity": 1, "price": 2, "orderedItem": {"sku": str(sku)}} for sku in (1, 2, 77)],
    }
    path = house.folder / "orders.jsonl"
    path.write_text((json.dumps(order) + "\n") * 2, encoding="utf-8")
    summary = house.take_in(path, ORDERS)
    assert (summary.lines_accepted, summary.duplicate_lines, summary.refused) == (2, 2, {"unknown-product": 2})
    assert {row["channel"] for row in house.lines().to_pylist()} == {"web"}
    assert [line.place for line in house.batches.quarantined(summary.batch)] == [2, 2]


def test_nothing_of_a_broken_file_counts(house: House) -> None:
    path = house.folder / "orders.json"
    path.write_text('[{"orderNumber": "A1"}, {"ord', encoding="utf-8")
    with pytest.raises(MappingError):
        house.take_in(path, ORDERS)
    assert house.batches.unfinished() == []
    assert house.purchases.count_lines() == 0


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def killed_at(step: str) -> Callable[[str], None]:
    def hook(reached: str) -> None:
        if reached == step:
            raise Killed

    return hook


@pytest.mark.parametrize("step", ["started", "read", "written", "staged", "added", "done"])
def test_a_crash_leaves_nothing_twice_and_nothing_missing(house: House, step: str) -> None:
    house.take_in(house.csv("before.csv", *BASKET_2), TILLS)
    path = house.csv("a.csv", *BASKET_1, *BASKET_2, "c9,1,1,r9,1,2025-05-01,77,1,1.00")
    with pytest.raises(Killed):
        house.take_in(path, TILLS, on_step=killed_at(step))
    left = recover(house.purchases, house.batches, clock.fixed(NOW))
    assert len(left) == (0 if step == "done" else 1)
    assert recover(house.purchases, house.batches, clock.fixed(NOW)) == []
    inside = step in ("added", "done")
    assert house.purchases.count_lines() == (3 if inside else 1)
    files = list((house.folder / "purchases" / "lines" / "data").rglob("*.parquet"))
    assert len(files) == (2 if inside else 1)
    for batch in left:
        found = house.batches.batch(batch.batch)
        assert found is not None
        assert found.state == ("done" if inside else "cleared")
        assert len(house.batches.quarantined(batch.batch)) == (1 if inside else 0)
    house.take_in(path, TILLS)
    assert house.purchases.count_lines() == 3


def test_a_batch_of_duplicates_alone_is_finished_after_a_crash(house: House) -> None:
    path = house.csv("a.csv", *BASKET_1)
    house.take_in(path, TILLS)
    with pytest.raises(Killed):
        house.take_in(path, TILLS, on_step=killed_at("added"))
    (left,) = recover(house.purchases, house.batches, clock.fixed(NOW))
    found = house.batches.batch(left.batch)
    assert found is not None
    assert found.state == "done"


def test_the_next_run_recovers_by_itself(house: House) -> None:
    path = house.csv("a.csv", *BASKET_1)
    with pytest.raises(Killed):
        house.take_in(path, TILLS, on_step=killed_at("staged"))
    assert house.take_in(path, TILLS).lines_accepted == 2
    assert house.batches.unfinished() == []


def test_a_second_writer_is_refused_and_leaves_nothing(house: House) -> None:
    def meanwhile(step: str) -> None:
        if step == "staged":
            row = house.lines().schema if house.lines().num_rows else None
            assert row is None
            house.purchases.append([_one_line()], "other")

    with pytest.raises(Unavailable, match="changed the purchases table"):
        house.take_in(house.csv("a.csv", *BASKET_1), TILLS, on_step=meanwhile)
    assert house.purchases.count_lines() == 1
    assert house.batches.unfinished() == []


def _one_line() -> pa.Table:
    from volens.purchases.lines import LINES

    row = {
        "customer": 4, "account": 4, "bucket": 0, "basket": 1, "product": 1, "store": 1, "channel": "loyalty",
        "ts": NOW, "day": NOW.date(), "minute": 1, "quantity": 1, "unit": "piece", "amount": 1, "discount": 0,
        "currency": "EUR",
    }  # fmt: skip
    return pa.Table.from_pylist([row], schema=LINES)


def test_progress_tells_bytes_then_lines(house: House) -> None:
    path = house.csv("a.csv", *BASKET_1)
    seen: list[tuple[str, int, int]] = []
    house.take_in(path, TILLS, progress=lambda step, done, total: seen.append((step, done, total)))
    size = path.stat().st_size
    assert seen == [("reading", size, size), ("writing", 2, 2)]


def test_two_houses_with_other_keys_have_other_baskets(house: House) -> None:
    class OtherKeys(PlainIdentities):
        def basket_keys(self, identities: object) -> object:  # type: ignore[override]
            return -super().basket_keys(identities)  # type: ignore[arg-type]

    path = house.csv("a.csv", *BASKET_1)
    house.take_in(path, TILLS)
    first = house.lines().column("basket").to_pylist()
    house.identities = OtherKeys()
    house.take_in(path, TILLS)
    assert set(house.lines().column("basket").to_pylist()) == {first[0], -first[0]}


def test_the_path_need_not_be_a_file_of_one_day(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    header = house.csv("x.csv").read_text(encoding="utf-8")
    for day, lines in (("1", BASKET_1), ("2", (*BASKET_2, *BASKET_1))):
        (folder / f"{day}.csv").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    summary = house.take_in(folder, TILLS)
    assert (summary.lines_accepted, summary.duplicate_lines) == (3, 2)
