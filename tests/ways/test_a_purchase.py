"""The way of a purchase, to be read as a story: till → vault and table → gate → answer → package → anybody's check."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyroaring import BitMap
from tests.conftest import Urls
from tests.support.house import CATEGORY, FIRST_DAY, JUICE_MAKER, STATISTICS, Line, a_year_of_juice, sell, stock

from volens.app import House, initialise
from volens.clock import fixed
from volens.engines.duckdb_engine import DuckDBEngine
from volens.engines.polars_engine import PolarsEngine
from volens.errors import NotNow, Refused, Unavailable
from volens.evidence.verify import verify_package
from volens.gate.policy import ReadRequest
from volens.gate.reads import OpenedPurchases
from volens.insights.engine import Engine, ExactSums, ProductKeys
from volens.insights.pack import Pack
from volens.insights.plan import Plan
from volens.permissions.ledger import Choice

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CUSTOMERS = 40


@pytest.fixture
def house(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house with a year of juice, in which every customer has joined and permits statistics."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    with initialise(tmp_path / "house", records_url=urls.records, customers=1_000, clock=fixed(NOW)) as opened:
        stock(opened, tmp_path)
        sell(opened, tmp_path, a_year_of_juice(CUSTOMERS))
        opened.permissions.record([Choice(number_of(opened, card), STATISTICS, "given") for card in cards()])
        yield opened


def cards() -> range:
    return range(1, CUSTOMERS + 1)


def number_of(house: House, card: int) -> int:
    return house.customer("card", f"C{card:05}").customer


def three_quarters(house: House) -> Pack:
    return house.reports.pack(JUICE_MAKER, CATEGORY, by="13-weeks", start=FIRST_DAY, count=3)


def exact(house: House, engine: Engine, pack: Pack) -> ExactSums:
    """The exact sums of a pack, as only this test ever sees them."""
    from volens.purchases import catalogue

    plan = house.reports.plan(pack)
    keys = ProductKeys.of(catalogue.read(house.settings.purchases).products, pack)
    request = ReadRequest("a test", plan.purpose, pack.supplier, plan.fields, plan.start, plan.end)
    with house.gate.open_purchases(request) as reading:
        sums = engine.bounded_sums(reading.opened, plan, keys)
        reading.saw(sums.seen)
    return sums


def published(house: House, pack: Pack) -> Path:
    release = house.reports.request(pack, "Alice Exemple").release
    house.reports.draw(release, "Alice Exemple")
    house.reports.approve(release, "Bruno Modèle")
    return house.reports.publish(release, "Bruno Modèle")


def test_from_the_till_to_a_package_that_anybody_can_check(house: House) -> None:
    package = published(house, three_quarters(house))
    verdict = verify_package(package, trusted_key=house.log_key)
    assert verdict.ok, verdict
    with zipfile.ZipFile(package) as archive:
        page = archive.read("report.fr.html").decode()
    assert "Verger du Midi" in page
    report = house.audit()
    assert report.ok, report.to_text()


def test_only_who_permits_is_counted(house: House) -> None:
    everybody = exact(house, PolarsEngine(), three_quarters(house))
    for card in (1, 2, 3):
        house.permissions.refuse_everything(number_of(house, card), surface="a test")
    without = exact(house, PolarsEngine(), three_quarters(house))
    assert everybody.seen - without.seen == BitMap([number_of(house, card) for card in (1, 2, 3)])


def test_what_waits_beside_the_table_is_read_like_the_rest(house: House, tmp_path: Path) -> None:
    pack, engines = three_quarters(house), (PolarsEngine(), DuckDBEngine())
    waiting = [exact(house, engine, pack) for engine in engines]
    assert house.upkeep.nightly().appended > 0
    sell(house, tmp_path, [Line(1, 3), Line(2, 40, "J2"), Line(2, 41, "S1")], "later.csv")
    mixed = [exact(house, engine, pack) for engine in engines]
    assert house.upkeep.nightly().appended == 3
    appended = [exact(house, engine, pack) for engine in engines]
    for one, other in ((waiting[0], waiting[1]), (mixed[0], mixed[1]), (mixed[0], appended[0]), (mixed[1], appended[1])):
        assert {name: vector.tolist() for name, vector in one.sums.items()} == {
            name: vector.tolist() for name, vector in other.sums.items()
        }
        assert one.seen == other.seen
    assert mixed[0].sums["trips"].tolist() != waiting[0].sums["trips"].tolist()


def test_a_read_is_given_what_it_asked_for_of_what_waits(house: House) -> None:
    refuses = number_of(house, 5)
    house.permissions.refuse_everything(refuses, surface="a test")
    plan = house.reports.plan(three_quarters(house))
    request = ReadRequest("a test", plan.purpose, JUICE_MAKER, ("customer", "day"), plan.start, plan.end)
    with house.gate.open_purchases(request) as reading:
        paths = [Path(path) for part in reading.opened.files for path in part.paths if "/reads/" in path]
        lines = pa.concat_tables([pq.read_table(path) for path in paths])
        assert lines.num_rows > 0
        assert refuses not in lines.column("customer").to_pylist()
        withheld = [name for name in lines.column_names if lines.column(name).null_count == lines.num_rows]
        assert set(lines.column_names) - set(withheld) == {"customer", "day"}
    assert not any(path.exists() for path in paths)


def test_a_read_that_takes_too_long_is_told_so(house: House) -> None:
    plan = house.reports.plan(three_quarters(house))
    request = ReadRequest("a test", plan.purpose, JUICE_MAKER, plan.fields, plan.start, plan.end)

    def read_too_long() -> None:
        with house.gate.open_purchases(request) as reading:
            house.gate._clock = fixed(NOW + timedelta(minutes=61))
            pq.read_table(reading.opened.files[0].paths[0].replace("reads", "gone"))

    with pytest.raises(Unavailable, match="longer than an hour"):
        read_too_long()


def test_a_pack_is_drawn_once_and_charged_once(house: House) -> None:
    release = house.reports.request(three_quarters(house), "Alice Exemple").release
    first = house.reports.draw(release, "Alice Exemple")
    house.permissions.refuse_everything(number_of(house, 1), surface="a test")
    again = house.reports.draw(release, "Alice Exemple")
    assert [vars(one) for one in again.cells] == [vars(one) for one in first.cells]
    (budget,) = house.reports.budget()
    assert (budget.year, budget.spent_nano) == (2025, 28_000_000)


def test_two_people_decide_and_nobody_skips_a_step(house: House) -> None:
    release = house.reports.request(three_quarters(house), "Alice Exemple").release
    with pytest.raises(NotNow, match="drawn"):
        house.reports.approve(release, "Bruno Modèle")
    house.reports.draw(release, "Alice Exemple")
    with pytest.raises(NotNow, match="cannot decide"):
        house.reports.approve(release, " alice exemple ")
    with pytest.raises(NotNow, match="approved"):
        house.reports.publish(release, "Bruno Modèle")


def test_the_same_package_again(house: House) -> None:
    package = published(house, three_quarters(house))
    content = package.read_bytes()
    release = house.reports.releases()[0].release
    assert house.reports.publish(release, "Bruno Modèle").read_bytes() == content


def test_the_next_package_extends_the_log_of_the_older_one(house: House) -> None:
    older = published(house, three_quarters(house))
    newer = published(house, house.reports.pack(JUICE_MAKER, CATEGORY, by="13-weeks", start=date(2025, 6, 2), count=2))
    assert verify_package(newer, since=older).ok
    assert not verify_package(older, since=newer).ok


class Withdrawing:
    """The real engine, during whose work somebody says no."""

    def __init__(self, house: House, *customers: int) -> None:
        self._house, self._customers, self._engine = house, list(customers), PolarsEngine()

    def bounded_sums(self, opened: OpenedPurchases, plan: Plan, products: ProductKeys) -> ExactSums:
        sums = self._engine.bounded_sums(opened, plan, products)
        if self._customers:
            # Acknowledged when the call returns, while the pack is being computed from sums that have her in them.
            self._house.permissions.refuse_everything(self._customers.pop(), surface="a test")
        return sums


def test_who_withdraws_while_a_pack_is_computed_is_not_in_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise 3. Three people withdraw, one after the other, each while the sums of the others are being mended."""
    from volens.insights import measurement

    drawn: list[ExactSums] = []
    real_draw = measurement.draw

    def watched(sums: ExactSums, plan: Plan):  # type: ignore[no-untyped-def]
        drawn.append(sums)
        return real_draw(sums, plan)

    monkeypatch.setattr(measurement, "draw", watched)
    leaving = [number_of(house, card) for card in (3, 8, 9)]
    desk = replace(house.reports, engine=Withdrawing(house, *leaving))
    pack = three_quarters(house)
    release = desk.request(pack, "Alice Exemple").release
    desk.draw(release, "Alice Exemple")

    honest = exact(house, PolarsEngine(), pack)
    assert not BitMap(leaving) & honest.seen
    assert len(drawn) == 1
    assert drawn[0].seen == honest.seen
    for measure, vector in honest.sums.items():
        assert (drawn[0].sums[measure] == vector).all(), measure
    assert drawn[0].loss == honest.loss
    report = house.audit()
    assert report.ok, report.to_text()


def test_a_run_that_was_killed_before_its_draw_is_resumed_without_a_second_charge(house: House) -> None:
    class Killed(Exception):
        pass

    class Dying:
        def bounded_sums(self, opened: OpenedPurchases, plan: Plan, products: ProductKeys) -> ExactSums:
            raise Killed

    release = house.reports.request(three_quarters(house), "Alice Exemple").release
    with pytest.raises(Killed):
        replace(house.reports, engine=Dying()).draw(release, "Alice Exemple")
    (budget,) = house.reports.budget()
    assert budget.spent_nano == 28_000_000, "it was charged before anybody looked"
    with pytest.raises(NotNow, match="not drawn"):
        house.reports.figures(release)
    house.reports.draw(release, "Alice Exemple")
    (budget,) = house.reports.budget()
    assert budget.spent_nano == 28_000_000
    report = house.audit()
    assert report.ok, report.to_text()


def test_what_can_never_be_read_is_not_paid_for(house: House) -> None:
    """The text told people that their purchases serve for two years: an older quarter is refused, at no cost."""
    old = house.reports.pack(JUICE_MAKER, CATEGORY, by="13-weeks", start=date(2023, 1, 2), count=1)
    release = house.reports.request(old, "Alice Exemple").release
    with pytest.raises(Refused, match="that old"):
        house.reports.draw(release, "Alice Exemple")
    assert house.reports.budget() == []


def test_the_same_file_twice_counts_once(house: House, tmp_path: Path) -> None:
    before = exact(house, PolarsEngine(), three_quarters(house))
    sell(house, tmp_path / "again", a_year_of_juice(CUSTOMERS), "caisse-bis.csv")
    after = exact(house, PolarsEngine(), three_quarters(house))
    for measure, vector in before.sums.items():
        assert (after.sums[measure] == vector).all(), measure


def test_a_card_without_a_person_stays_a_card_and_is_in_nothing(house: House, tmp_path: Path) -> None:
    sell(house, tmp_path / "new", [Line(999, 20, "J1")], "caisse-ter.csv")
    sums = exact(house, PolarsEngine(), three_quarters(house))
    assert number_of(house, 999) not in sums.seen
