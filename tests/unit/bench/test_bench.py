"""The harness: who is measured against whom, in which processes, and what is made of the numbers. Never a time."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from volens.bench import raw, run
from volens.bench.data import Size, make_table, question
from volens.bench.entries import Demand, Entry, Measure, Ratio, Variant, entries
from volens.bench.variants import PLACES, prepare
from volens.cli.main import main
from volens.engines.duckdb_engine import DuckDBEngine
from volens.engines.polars_engine import PolarsEngine
from volens.errors import Unavailable
from volens.insights.measures import ONE

TINY = Size(6_000)


def silent(step: str, done: int, total: int) -> None:
    """Nobody looks."""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    make_table(folder, TINY, silent)
    return folder


def test_every_variant_of_every_entry_exists() -> None:
    for entry in entries("postgresql://somewhere"):
        named = {variant.name for variant in entry.variants}
        assert len(named) == len(entry.variants)
        for variant in entry.variants:
            assert variant.of in PLACES
        for figure in entry.figures:
            assert figure.of in named
            if isinstance(figure, Ratio):
                assert set(figure.to) <= named
                assert figure.of not in figure.to
        assert set(entry.needs) <= PLACES.keys()
    for name in PLACES:
        assert callable(prepare(name))


@pytest.mark.slow
def test_each_run_has_a_process_of_its_own_and_the_order_turns(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, int]] = []
    real = run.subprocess.run

    def watched(command: list[str], **options: Any) -> Any:
        done = real(command, **options)
        ran.append((json.loads(command[-1])["options"].get("refuse"), os.getpid()))
        return done

    monkeypatch.setattr(run.subprocess, "run", watched)
    entry = Entry(
        "x", "x", (), tuple(Variant(str(share), "volens", {"width": "narrow", "refuse": share}) for share in (0.0, 0.5)),
        (Ratio("0.5", ("0.0",), Demand(most=1000)), Measure("0.5", "peak_mb")),
    )  # fmt: skip
    result = run.run(entry, work, TINY, rounds=2)
    assert [share for share, _ in ran] == [0.0, 0.5, 0.5, 0.0], "alternately, and every other round backwards"
    ratio, peak = result.figures
    assert ratio.value == pytest.approx(result.medians["0.5"]["cpu"] / result.medians["0.0"]["cpu"])
    assert peak.value == result.medians["0.5"]["peak_mb"] > 50
    assert result.medians["0.0"]["customers"] > result.medians["0.5"]["customers"] > 0
    assert ratio.met


def test_a_process_that_fails_is_said_with_its_last_words(work: Path) -> None:
    with pytest.raises(Unavailable, match="KeyError"):
        run.child(Variant("x", "volens", {"width": "narrow"}), work, TINY)


def test_ratios_are_to_the_fastest_and_demands_are_made_of_large_sizes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def made_up(variant: Variant, work: Path, size: Size) -> dict[str, float]:
        seconds = {"ours": 3.0, "slow": 8.0, "fast": 4.0}
        return {"cpu": seconds[variant.name], "wall": 1.0, "peak_mb": 10.0, "per_second": 100 / seconds[variant.name]}

    monkeypatch.setattr(run, "child", made_up)
    variants = tuple(Variant(name, "volens") for name in ("ours", "slow", "fast"))
    figures = (Ratio("ours", ("slow", "fast"), Demand(most=0.7)), Ratio("slow", ("ours", "fast"), what="per_second"))
    needs_data = Entry("x", "x", ("table",), variants[:0], ())
    entry = Entry("x", "x", (), variants, figures)
    first, second = run.run(entry, Path(), TINY, 1).figures
    assert (first.name, first.value, first.met) == ("ours / fast", 0.75, False)
    assert (second.name, second.value) == ("slow / ours, a second", pytest.approx(3 / 8))
    # An entry that reads data demands from fifty million lines on; one that does not, always.
    for size, demanded in ((TINY, False), (Size(run.DEMANDED_LINES), True)):
        of_data = Entry("y", "y", needs_data.needs, variants, figures)
        monkeypatch.setattr(run, "child", lambda variant, *_: made_up(variant, *_) if variant.name != "table" else {})
        found = run.run(of_data, Path(), size, 1)
        assert [one.demanded for one in found.figures] == [demanded, demanded]
        assert found.figures[0].met is not demanded
    said = run.to_markdown([found], size, 1, {"cores": "2"})
    assert "**no**" in said
    assert run.to_dict([found], size, 1, {})["entries"][0]["figures"][0]["met"] is False


@pytest.mark.parametrize("width", ["narrow", "wide"])
def test_what_is_compared_is_the_same_question(work: Path, width: str) -> None:
    """Of lines without returns, nobody refusing, the raw query and ours count the same buyers in each cell."""
    asked = question(work, TINY, width)
    assert asked.plan.pack.end > asked.plan.pack.start
    answers = {way: sorted(raw.run(raw.connect(asked), asked, way)) for way in raw.STATEMENTS}
    assert answers["distinct"] == answers["grouped"]
    rows, columns = len(asked.plan.pack.brands) + 1, len(asked.plan.pack.periods)
    counted = {cell: (buyers, trips) for cell, buyers, trips, _, _ in answers["distinct"]}
    ours = PolarsEngine().bounded_sums(asked.opened(0.0), asked.plan, asked.products)
    reference = DuckDBEngine().bounded_sums(asked.opened(0.3), asked.plan, asked.products)
    gated = PolarsEngine().bounded_sums(asked.opened(0.3), asked.plan, asked.products)
    assert {name: vector.tolist() for name, vector in gated.sums.items()} == {
        name: vector.tolist() for name, vector in reference.sums.items()
    }
    assert 0.6 < len(gated.seen) / len(ours.seen) < 0.8
    buyers = asked.plan.measure("buyers")
    more = 0
    for row in range(rows):
        for column in range(columns):
            exact = ours.sums["buyers"][buyers.cell(asked.plan.pack.rows[row], asked.plan.pack.columns[column])] / ONE
            said = counted.get(row * 1024 + column, (0, 0))[0]
            assert exact <= said, "a return takes a buyer away, and nothing adds one"
            more += said - exact
    assert more <= sum(buyers for buyers, _ in counted.values()) * 0.02 + 1


def test_the_table_is_the_shop(work: Path) -> None:
    asked = question(work, TINY, "wide")
    paths = [path for part in asked.files for path in part.paths]
    assert sum(pq.read_metadata(path).num_rows for path in paths) >= 0.98 * TINY.lines
    assert TINY.shop.lines == TINY.lines
    assert "simulated" in TINY.name


@pytest.mark.slow
def test_the_command_measures_what_is_named(work: Path, tmp_path: Path) -> None:
    asked = ["bench", "removal", "--lines", "6k", "--rounds", "1", "--work", str(work), "--json"]
    asked += ["--markdown", str(tmp_path / "m.md")]
    ran = CliRunner().invoke(main, asked, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    said = json.loads(ran.stdout)
    assert said["lines"] == 6_000
    assert said["machine"]["cores"]
    (entry,) = said["entries"]
    assert entry["variants"].keys() == {"remove", "rewrite"}
    assert entry["variants"]["remove"]["customers"] == 3
    assert "| remove |" in (tmp_path / "m.md").read_text()
    assert not list((work / "table-6000" / "lines" / "data").rglob("removal-*")), "what was measured leaves nothing"


def test_an_unknown_name_is_refused() -> None:
    ran = CliRunner().invoke(main, ["bench", "exactly"])
    assert ran.exit_code != 0
    assert "exactly" in ran.output
    assert "exact-wide" in ran.output
