"""Charts: what is drawn is what was given, nothing is loaded, and those who cannot see are told."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from volens.releases.charts import Bar, Chart, Tick, draw, round_ticks

BARS = (Bar("janv.–mars", 1230.0, 1090.0, 1380.0), Bar("avr.–juin", 600.0, 480.0, 900.0))
TICKS = tuple(Tick(value, f"{value:.0f} €") for value in (0.0, 500.0, 1000.0, 1500.0))
CHART = Chart("chart-spend-0", "Dépenses, <Verger & Co>", "Une barre par période.", BARS, TICKS)


def elements(svg: str, layer: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(svg)
    found = [group for group in root.iter("g") if layer in (group.get("class") or "")]
    return [child for group in found for child in group]


def test_the_same_chart_gives_the_same_bytes() -> None:
    assert draw(CHART) == draw(CHART)


def test_bars_and_intervals_are_at_their_values() -> None:
    """Heights are in proportion to the values, and each interval line spans its low and high."""
    svg = draw(CHART)
    grid = [float(line.get("transform", "").split(",")[1].rstrip(")")) for line in elements(svg, "role-axis-grid")]
    per_pixel = 1500.0 / (max(grid) - min(grid))
    for bar, path in zip(BARS, elements(svg, "layer_0_marks"), strict=True):
        height = re.search(r"v(-?[0-9.]+)h-", path.get("d", ""))
        assert height is not None
        assert abs(float(height[1])) * per_pixel == pytest.approx(bar.value, abs=10)
    for bar, line in zip(BARS, elements(svg, "layer_1_marks"), strict=True):
        assert abs(float(line.get("y2", "0"))) * per_pixel == pytest.approx(bar.high - bar.low, abs=10)


def test_every_bar_has_its_interval_and_its_two_ends() -> None:
    svg = draw(CHART)
    for layer in range(4):
        assert len(elements(svg, f"layer_{layer}_marks")) == len(BARS)


def test_words_come_in_written_and_are_escaped() -> None:
    svg = draw(CHART)
    words = [text.text for text in ElementTree.fromstring(svg).iter("text")]
    assert {"janv.–mars", "avr.–juin", "0 €", "500 €", "1000 €", "1500 €"} <= set(words)
    assert "&lt;Verger &amp; Co&gt;" in svg


def test_those_who_cannot_see_are_told() -> None:
    root = ElementTree.fromstring(draw(CHART))
    assert root.get("role") == "img"
    named = (root.get("aria-labelledby") or "").split()
    assert [element.get("id") for element in (root[0], root[1])] == named
    assert (root[0].tag, root[1].tag) == ("title", "desc")
    assert all("aria-roledescription" not in element.attrib for element in root.iter())


def test_nothing_is_loaded_run_or_coloured_here() -> None:
    svg = draw(CHART)
    assert not re.search(r"https?:|<script|<style|style=|url\(|<image|href|font-family|\son\w+=", svg)
    assert not re.search(r'(fill|stroke)="(?!none)', svg)
    assert len(set(re.findall(r'id="([^"]+)"', svg))) == len(re.findall(r'id="', svg))


@pytest.mark.parametrize("label", ["l'été", "a\\b", 'a"b', "x'] || 1 ['", "<b>&amp;"])
def test_labels_are_words_and_never_expressions(label: str) -> None:
    chart = Chart("chart-a", "t", "d", (Bar(label, 1.0, 0.5, 1.5),), (Tick(0.0, "0"), Tick(2.0, label)))
    words = [text.text for text in ElementTree.fromstring(draw(chart)).iter("text")]
    assert words.count(label) == 2


def test_many_bars_make_a_wide_chart() -> None:
    bars = tuple(Bar(str(number), 5.0, 4.0, 6.0) for number in range(52))
    chart = Chart("chart-a", "t", "d", bars, (Tick(0.0, "0"), Tick(8.0, "8")))
    assert chart.wide
    assert 'class="chart wide"' in draw(chart)
    assert not CHART.wide


@pytest.mark.parametrize("highest", [0.0123, 0.34, 1.0, 3.0, 9.0, 10.0, 1380.0, 99_999.0, 1e12])
def test_ticks_are_few_round_and_reach_the_top(highest: float) -> None:
    ticks = round_ticks(highest)
    assert ticks[0] == 0
    assert ticks[-2] < highest <= ticks[-1]
    assert 3 <= len(ticks) <= 6
    assert f"{ticks[1]:e}"[0] in "125"
    assert ticks[2] == pytest.approx(2 * ticks[1])


@pytest.mark.parametrize(("highest", "ticks"), [(0.0, (0.0, 1.0)), (-3.0, (0.0, 1.0)), (float("nan"), (0.0, 1.0))])
def test_ticks_of_nothing(highest: float, ticks: tuple[float, ...]) -> None:
    assert round_ticks(highest) == ticks


def test_what_is_counted_one_by_one_has_no_half_ticks() -> None:
    assert round_ticks(2.2, whole=True) == (0.0, 1.0, 2.0, 3.0)


@pytest.mark.parametrize(("value", "low", "high"), [(1.0, 2.0, 3.0), (1.0, 0.0, float("inf")), (float("nan"), 0.0, 1.0)])
def test_a_bar_without_an_interval_cannot_be_built(value: float, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="finite interval"):
        Bar("x", value, low, high)


def test_a_chart_that_is_wrong_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="id"):
        Chart('x" onload="', "t", "d", BARS, TICKS)
    with pytest.raises(ValueError, match="has bars"):
        Chart("x", "t", "d", (), TICKS)
