"""Numbers of the law stand from one day to another, and say where they come from."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from volens.programme.parameters import Dated, Parameters, parameters

TODAY = date(2026, 11, 21)


def test_a_duty_begins_on_its_day() -> None:
    first = date(2026, 8, 11)
    assert parameters().consent_required("phone-marketing", "FR", first - timedelta(days=1)) is None
    assert parameters().consent_required("phone-marketing", "FR", first) is not None
    assert parameters().consent_required("phone-marketing", "DE", first) is None


def test_a_duty_of_the_union_holds_in_its_countries_alone() -> None:
    assert parameters().consent_required("special-category-inference", "IT", TODAY) is not None
    assert parameters().consent_required("special-category-inference", "US", TODAY) is None


def test_periods_differ_by_country_and_activity() -> None:
    found = {
        (country, activity): most.value
        for country in ("FR", "IT")
        for activity in ("customer-marketing", "customer-profiling")
        if (most := parameters().retention_max_months(country, activity, TODAY))
    }
    assert found == {
        ("FR", "customer-marketing"): 36,
        ("FR", "customer-profiling"): 36,
        ("IT", "customer-marketing"): 24,
        ("IT", "customer-profiling"): 12,
    }


def test_what_was_not_confirmed_says_so() -> None:
    most = parameters().retention_max_months("FR", "customer-profiling", TODAY)
    assert most is not None
    assert not most.confirmed
    assert most.said.endswith("(not confirmed)")
    age = parameters().consent_age("FR", TODAY)
    assert age is not None
    assert (age.value, age.said) == (15, age.source)


def test_an_age_changes_on_its_day() -> None:
    before, after = (parameters().consent_age("DK", day) for day in (date(2023, 12, 31), date(2024, 1, 1)))
    assert before is not None
    assert after is not None
    assert (before.value, after.value) == (13, 15)


def test_where_no_national_age_is_known_the_highest_of_the_law_holds() -> None:
    assert [age.value for country in ("LI", "FR") if (age := parameters().consent_age(country, TODAY))] == [16, 15]
    assert parameters().consent_age("US", TODAY) is None
    majority = parameters().majority_age("FR", TODAY)
    assert majority is not None
    assert majority.value == 18


def test_adequacy_has_days_and_scopes() -> None:
    brazil = parameters().adequacy("BR", date(2026, 1, 26))
    assert brazil is not None
    assert parameters().adequacy("BR", date(2026, 1, 25)) is None
    assert parameters().adequacy("CN", TODAY) is None
    assert parameters().adequacy("GB", date(2032, 1, 1)) is None
    states = parameters().adequacy("US", TODAY)
    assert states is not None
    assert states.scope


def test_a_value_that_overlaps_another_cannot_be_loaded() -> None:
    one = Dated(("FR",), 15, None, date(2026, 6, 1), "a law", True)
    other = Dated(("FR",), 16, date(2026, 6, 1), None, "a later law", True)
    with pytest.raises(ValueError, match="two values on 2026-06-01"):
        Parameters(TODAY, {}, frozenset(), (), (), (one, other), (), ())
    later = Dated(("FR",), 16, date(2026, 6, 2), None, "a later law", True)
    assert Parameters(TODAY, {}, frozenset(), (), (), (one, later), (), ()).consent_age("FR", date(2026, 6, 2)) == later


def test_a_value_needs_a_source_and_days_in_order() -> None:
    with pytest.raises(ValueError, match="no source"):
        Dated(("FR",), 15, None, None, "", True)
    with pytest.raises(ValueError, match="ends before"):
        Dated(("FR",), 15, date(2026, 2, 1), date(2026, 1, 1), "a law", True)
