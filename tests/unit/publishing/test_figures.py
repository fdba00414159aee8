"""What staff see of the counts: intervals as published, and nobody singled out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volens.measuring.rates import difference, wilson
from volens.permissions.counts import Cell as Choices
from volens.publishing.counts import Cell as Answers
from volens.publishing.figures import ANSWERS_MIN, STEP, rounded, table

WEEK, NEXT, LATER = "2026-03-02", "2026-03-09", "2026-03-16"


def choices(kind: str, n: int, *, purpose: str = "p", text: str = "p/1", surface: str = "site", store: str = "",
            week: str = WEEK) -> Choices:  # fmt: skip
    return Choices(week, purpose, text, "fr", surface, store, kind, n)


def answers(answer: str, n: int, *, text: str = "p/1", week: str = WEEK) -> Answers:
    return Answers(week, text, "fr", "site", "abcdefgh", answer, n)


def test_wilson_as_published() -> None:
    """Newcombe 1998, table I: 81 of 263, and 0 of 20."""
    found = wilson(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    found = wilson(0, 20)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0, 0.1611)


def test_the_difference_as_published() -> None:
    """Newcombe 1998, comparison of two proportions, method 10: 56/70 less 48/80."""
    found = difference(wilson(48, 80), wilson(56, 70))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_its_share(hits: int, of: int) -> None:
    if hits <= of:
        found = wilson(hits, of)
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.integers(0, 100_000))
def test_a_count_is_rounded_and_a_small_one_is_not_shown(count: int) -> None:
    found = rounded(count)
    if count < STEP:
        assert found is None
    else:
        assert found is not None
        assert found % STEP == 0
        assert abs(found - count) <= STEP // 2


SAID = st.tuples(st.sampled_from(["requested", "given", "refused"]), st.sampled_from("abc"), st.integers(1, 60))


@given(st.lists(SAID, max_size=20))
def test_one_person_more_is_seen_in_no_week_that_runs(cells: list[tuple[str, str, int]]) -> None:
    """Whatever happens in the week that is not over, the table stays as it is."""
    said = [choices(kind, n, surface=surface) for kind, surface, n in cells]
    before = table(said, [], "surface", NEXT)
    after = table([*said, choices("withdrawn", 1, surface="a", week=NEXT)], [answers("wrong", 40, week=NEXT)], "surface", NEXT)
    assert after == before


def test_totals_are_not_sums_of_what_is_shown() -> None:
    """9 and 9 and 9: each hidden, and the total says thirty, not twenty-seven."""
    found = table([choices("requested", 9, store=shop) for shop in ("Lyon", "Nice", "Lille")], [], "store", NEXT)
    assert [line.counts["asked"] for line in found.lines] == [None, None, None]
    assert found.total.counts["asked"] == 30


def test_columns_are_what_people_said() -> None:
    said = [
        choices("requested", 200), choices("given", 120), choices("refused", 60), choices("withdrawn", 20), choices("expired", 900),
    ]  # fmt: skip
    (line,) = table(said, [], "text", NEXT).lines
    assert {name: line.counts[name] for name in ("asked", "permitted", "refused", "withdrawn")} == {
        "asked": 200, "permitted": 120, "refused": 60, "withdrawn": 20,
    }  # fmt: skip
    assert line.permitted is not None
    assert line.permitted.value == pytest.approx(120 / 180)


def test_misunderstanding_is_shown_from_enough_answers_on() -> None:
    few = [answers("right", ANSWERS_MIN - 2), answers("wrong", 1), answers("skipped", 500), answers("put", 600)]
    assert table([choices("given", 50)], few, "text", NEXT).lines[0].misunderstood is None
    enough = [*few, answers("unknown", 1)]
    found = table([choices("given", 50)], enough, "text", NEXT).lines[0].misunderstood
    assert found is not None
    assert found.value == pytest.approx(2 / ANSWERS_MIN), "who does not know has not understood; who passes by says nothing"


def test_nobody_peeks_at_what_is_compared() -> None:
    said = [choices("given", 300), choices("given", 500, text="p/2")]
    told = [answers("right", 400), answers("wrong", 90, text="p/2")]
    found = table(said, told, "text", NEXT, compared={"p/1", "p/2"})
    assert found.lines == ()
    assert table(said, told, "purpose", NEXT, compared={"p/1", "p/2"}).lines[0].misunderstood is None


def test_a_purpose_alone() -> None:
    found = table([choices("given", 30), choices("given", 50, purpose="q", text="q/1")], [], "surface", NEXT, purpose="q")
    assert found.total.counts["permitted"] == 50
