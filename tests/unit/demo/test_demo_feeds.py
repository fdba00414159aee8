"""Rules 1 to 5 of `volens.demo.feeds`: what is written comes in, and nothing else."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.unit.demo.conftest import AS_OF
from tests.unit.ingest.ingest_house import House, make_house

from volens import invented as people
from volens.customers.enrolment import Enrolled
from volens.demo import feeds, orders
from volens.demo.feeds import Feeds, write_feeds
from volens.demo.source import Journey
from volens.ingest import master
from volens.ingest.explain import explain
from volens.ingest.mapping import load
from volens.ingest.raw import REASONS
from volens.purchases import catalogue


@pytest.fixture(scope="module")
def written(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Feeds:
    return write_feeds(tmp_path_factory.mktemp("feeds"), AS_OF, journey=journey)


@pytest.fixture(scope="module")
def known(journey: Journey) -> pa.Table:
    """The lines whose product the source lists."""
    products = journey.products.column("product").combine_chunks()
    return journey.lines.filter(pc.is_in(journey.lines.column("product"), value_set=products))


def test_what_is_written_comes_in(written: Feeds, known: pa.Table, tmp_path: Path) -> None:
    house = make_house(tmp_path / "house")
    catalogue.load_products(house.folder / "catalogue", written.products.file)
    _take_in_all(house, written)
    rows = house.lines()
    assert rows.num_rows == known.num_rows
    assert pc.sum(rows.column("amount")).as_py() == sum(feed.amount_cents for feed in written.purchases)
    for ours, theirs, times in (("amount", "amount", 1), ("discount", "discount", 1), ("quantity", "quantity", 1000)):
        assert pc.sum(rows.column(ours)).as_py() == times * pc.sum(known.column(theirs)).as_py()
    assert Counter(rows.column("day").to_pylist()) == Counter(time.date() for time in known.column("time").to_pylist())
    house.close()


def _take_in_all(house: House, written: Feeds) -> None:
    for feed in written.purchases:
        assert feed.mapping is not None
        summary = house.take_in(feed.file, load(feed.mapping))
        assert summary.lines_accepted == feed.lines - feed.copies
        assert summary.duplicate_lines == feed.copies
        assert summary.receipts == feed.receipts
        assert summary.refused == feed.refused


def test_the_mess_has_one_of_each_kind(written: Feeds) -> None:
    refused: Counter[str] = Counter()
    for feed in written.purchases:
        refused.update(feed.refused)
    assert set(refused) <= set(REASONS)
    assert len(refused) >= 13
    again = next(feed for feed in written.purchases if feed.file.name == "caisse-1-renvoi.csv")
    assert again.refused == {"same-receipt-other-lines": 2}
    assert again.copies == again.lines > 0
    assert again.mapping == written.purchases[0].mapping


def test_explaining_the_first_file_shows_some_of_the_mess(written: Feeds) -> None:
    first = written.purchases[0]
    assert first.mapping is not None
    explained = explain(first.file, load(first.mapping), now=datetime(2025, 6, 1, 12, tzinfo=UTC))
    assert explained.lines_read > explained.lines_accepted > 900
    assert len(explained.refusals) >= 3


def test_the_customer_file(written: Feeds, journey: Journey) -> None:
    assert written.customers.mapping is not None
    taken: list[master.Person] = []
    summary = master.take_in_people(
        written.customers.file, load(written.customers.mapping), enrol=lambda some: taken.extend(some) or Enrolled()
    )
    holders = [found for number in journey.households.to_pylist() if (found := people.person(number)) is not None]
    assert (summary.people, dict(summary.refused), dict(summary.left_out)) == (len(holders), {}, {})
    assert [(one.card, one.email, one.country) for one in taken] == [(one.card, one.email, one.country) for one in holders]
    assert [one.details["birth_date"] for one in taken] == [one.birth_date.isoformat() for one in holders]
    assert "Échantillon" in {one.details["family_name"] for one in taken}


def test_one_basket_in_five_is_ordered_online(whole: Journey) -> None:
    baskets = pc.unique(whole.lines.column("basket")).to_pylist()
    share = sum(feeds.ordered_online(basket) for basket in baskets) / len(baskets)
    assert 0.195 < share < 0.205


def test_who_has_no_name_orders_nothing_online(written: Feeds, journey: Journey) -> None:
    named = {one.email for number in journey.households.to_pylist() if (one := people.person(number)) is not None}
    lines = written.purchases[-1].file.read_text(encoding="utf-8").splitlines()
    found = {json.loads(line)["customer"]["email"] for line in lines if line.endswith("]}")}
    assert found - {"camille.exemple"} <= named
    assert "camille.exemple.441@example.org" in found
    anonymous = {number for number in journey.households.to_pylist() if people.person(number) is None}
    theirs = journey.lines.filter(pc.is_in(journey.lines.column("household"), value_set=pa.array(sorted(anonymous), pa.int64())))
    drawn = {str(basket) for basket in theirs.column("basket").to_pylist() if feeds.ordered_online(basket)}
    with written.purchases[0].file.open(encoding="utf-8") as till:
        assert drawn & {row["Ticket"] for row in csv.DictReader(till, delimiter=";")}


def test_the_same_day_gives_the_same_bytes(written: Feeds, journey: Journey, tmp_path: Path) -> None:
    again = write_feeds(tmp_path, AS_OF, journey=journey)
    assert [_digest(feed.file) for feed in again.all] == [_digest(feed.file) for feed in written.all]
    mappings = [feed.mapping for feed in again.all if feed.mapping is not None]
    assert {path.name for path in mappings} == {
        f"{name}.mapping.yaml" for name in ("clients", "caisse-1", "caisse-2", "commandes-web")
    }


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def test_progress_says_each_file(journey: Journey, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    write_feeds(tmp_path, AS_OF, lambda file, done, total: told.append((file, done, total)), journey)
    assert [(done, total) for _, done, total in told] == [(done, 6) for done in range(1, 7)]
    assert all((tmp_path / file).is_file() for file, _, _ in told)


def test_an_hour_that_is_skipped_or_comes_twice() -> None:
    shown = [
        "2025-03-30T01:59:59",
        "2025-03-30T02:30:00",  # skipped: the clock shows 3:30
        "2025-10-26T02:30:00",  # comes twice: the second time
        "2025-07-14T09:05:00",
    ]
    local = pa.array(shown).cast(pa.timestamp("s"))
    assert orders.with_offset(local).to_pylist() == [
        "2025-03-30T01:59:59+01:00",
        "2025-03-30T03:30:00+02:00",
        "2025-10-26T02:30:00+01:00",
        "2025-07-14T09:05:00+02:00",
    ]
