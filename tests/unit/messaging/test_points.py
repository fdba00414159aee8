"""One address has one form, and its hash is of one channel; rules for calls by country, day and hour; when Easter is."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volens.messaging.points import form, hashed
from volens.messaging.wording import LANGUAGES, texts
from volens.programme.calling import ANY, Calling, calling, easter, read
from volens.programme.messages import CHANNELS
from volens.programme.parameters import parameters


def mac(purpose: str, value: bytes) -> bytes:
    return hmac.new(purpose.encode(), value, hashlib.sha256).digest()


@pytest.mark.parametrize(
    ("channel", "same"),
    [
        ("email", ["camille@example.org", " Camille@Example.ORG", "camille @example.org", "ｃamille@example.org"]),
        ("sms", ["06 39 98 12 34", "+33639981234", "0033 6 39 98 12 34", "+33 (0)6 39 98 12 34"]),
        ("post", ["12 rue des Halles, 69002 Lyon", "12, Rue des Halles 69002  LYON"]),
    ],
)
def test_one_address_has_one_form(channel: str, same: list[str]) -> None:
    assert len({hashed(mac, channel, value, "FR") for value in same}) == 1
    assert form(channel, same[0], "FR")


def test_channels_are_apart() -> None:
    assert hashed(mac, "sms", "0639981234", "FR") != hashed(mac, "phone", "0639981234", "FR")


@pytest.mark.parametrize(("channel", "value"), [("email", "nobody"), ("email", "@"), ("sms", "12"), ("post", " ,"), ("push", " ")])
def test_what_is_no_address_has_no_hash(channel: str, value: str) -> None:
    assert hashed(mac, channel, value, "FR") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_channel_has_its_words_in_each_language(language: str) -> None:
    names = {f"{channel}.{what}" for channel in CHANNELS for what in ("first", "footer")} | {"service.footer"}
    assert set(texts(language)) == names
    assert all("{link}" in text for name, text in texts(language).items() if not name.startswith(("phone", "service")))
    assert all("{legal_name}" in text for name, text in texts(language).items() if name.endswith("footer"))


def at(day: str, time: str) -> datetime:
    """An instant by a clock in Paris in winter."""
    return datetime.fromisoformat(f"{day}T{time}:00+01:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("day", "time", "why"),
    [
        ("2026-11-27", "10:00", ""), ("2026-11-27", "09:59", "10:00–13:00"), ("2026-11-27", "12:59", ""),
        ("2026-11-27", "13:00", "10:00–13:00"), ("2026-11-27", "14:00", ""), ("2026-11-27", "20:00", "14:00–20:00"),
        ("2026-11-28", "11:00", "day of the week"), ("2026-12-25", "11:00", "public holiday"), ("2026-11-11", "11:00", "holiday"),
        ("2023-02-28", "11:00", "no rule on hours, frequency"),
    ],
)  # fmt: skip
def test_french_hours(day: str, time: str, why: str) -> None:
    found = calling().against("FR", at(day, time), consent=True)
    assert (found == "") == (why == "")
    assert why in found


def test_since_the_eleventh_of_august_a_yes_is_needed() -> None:
    before, after = at("2026-08-10", "11:00"), at("2026-08-11", "11:00")
    assert calling().against("FR", before, consent=False) == ""
    assert "need consent" in calling().against("FR", after, consent=False)
    assert calling().against("FR", after, consent=True) == ""
    required = parameters().consent_required("phone-marketing", "FR", date(2026, 8, 11))
    assert required is not None
    assert required.valid_from == date(2026, 8, 11), "the linter's rule begins on the same day"


@pytest.mark.parametrize("country", ["DE", "XX"])
def test_what_is_unknown_is_no(country: str) -> None:
    assert calling().against(country, at("2026-11-27", "11:00"), consent=True)


def test_a_law_that_sets_nothing_is_written_down_as_such() -> None:
    rows = [replace(row, country="DE", value=ANY) for row in calling().in_force(date(2026, 11, 27)) if row.kind != "holidays"]
    rules = Calling(tuple(rows))
    assert rules.against("DE", at("2026-11-28", "23:00"), consent=False) == ""
    assert rules.frequency("DE", date(2026, 11, 27)) is None
    hours = next(row for row in calling().rows if row.kind == "hours")
    unknown = Calling(tuple(row for row in calling().rows if row.kind != "holidays"))
    assert "public holidays" in unknown.against("FR", at("2026-11-27", "11:00"), consent=True)
    with pytest.raises(ValueError, match="two rules"):
        Calling((hours, hours))
    with pytest.raises(ValueError, match="ends before"):
        replace(hours, valid_to=date(2020, 1, 1))
    with pytest.raises(ValueError, match="source"):
        replace(hours, source="")


def test_every_rule_names_its_source_and_reads_the_same_again() -> None:
    path = Path(str(__import__("volens.programme", fromlist=["x"]).__file__)).parent / "calling.yaml"
    assert read(path) == calling()
    assert all(row.source and (row.confirmed or row.value) for row in calling().rows)


@pytest.mark.parametrize(("year", "day"), [(2024, (3, 31)), (2025, (4, 20)), (2026, (4, 5)), (2027, (3, 28)), (2038, (4, 25))])
def test_easter(year: int, day: tuple[int, int]) -> None:
    assert easter(year) == date(year, *day)


@given(st.integers(1900, 2200))
def test_easter_is_a_sunday_in_spring(year: int) -> None:
    assert easter(year).isoweekday() == 7
    assert date(year, 3, 22) <= easter(year) <= date(year, 4, 25)
