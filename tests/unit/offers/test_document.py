"""Reading an offer: closed, typed, all or nothing, with lines."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.support.offers import LAWFUL, PRESS, changed, lawful

from volens.errors import BadInput
from volens.offers import document
from volens.offers.document import CENTS_MAX, Amount
from volens.offers.reading import offer_of, read, read_words, schema
from volens.programme.nodes import MAX_FILE_BYTES


def test_the_example_is_read_whole() -> None:
    offer = lawful()
    assert (offer.reward.amount.money_cents, offer.reward.amount.voucher_cents) == (2000, 8000)
    assert offer.licence is not None
    assert offer.licence.ends == date(2027, 5, 31)
    assert changed().offer == offer, "JSON says the same as YAML"


@pytest.mark.parametrize(
    "wrong",
    [
        {"free_text": "We may do more"}, {"act__bonus": 1}, {"licence__withdrawal__note": "…"}, {"licence__media": ["television"]},
        {"licence__items": []}, {"licence__items": ["photo", "photo"]}, {"licence__territories": ["fr"]},
        {"promised_cents": 100.5}, {"promised_cents": "100"}, {"reward__amount__money_cents": -1}, {"reward__due_days": 91},
        {"reward__amount__voucher_cents": CENTS_MAX + 1}, {"act__times": 0}, {"act__times": 101}, {"currency": "USD"},
        {"countries": ["BE"]}, {"languages": ["nl"]}, {"languages": []}, {"ends": "2027-13-01"}, {"ends": "soon"}, {"ends": ...},
        {"ends": "2026-11-30"}, {"licence__ends": "2026-11-30"}, {"licence__recipients": [{"name": "A", "country": "ZZ"}]},
        {"licence__territories": ["XX"]}, {"name": {"fr": "Rien qu'en français"}}, {"licence__ceiling__reason": {"fr": "…"}},
        {"act__kind": "survey"}, {"reward__voucher_days": ...}, {"waived": ["everything"]}, {"version": 0}, {"offer": "An offer"},
        {"licence__preview": "yes"}, {"name": {"fr": "x" * 201, "en": "x"}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_understood_is_no_offer(wrong: dict[str, Any]) -> None:
    reading = changed(**wrong)
    assert reading.offer is None
    assert reading.findings
    with pytest.raises(BadInput, match="does not load"):
        offer_of(reading)


def test_the_examples_are_made_by_the_company_of_the_example_programme() -> None:
    """Else nobody could propose them in the house that `volens init` makes."""
    programme = yaml.safe_load((LAWFUL.parent.parent / "programme" / "programme.yaml").read_text("utf-8"))
    ours = [{key: one[at] for key, at in (("name", "legal_name"), ("address", "address"), ("contact", "contact"))}
            for one in programme["controllers"].values()]  # fmt: skip
    for file in (LAWFUL, PRESS):
        assert yaml.safe_load(file.read_text("utf-8"))["controller"] in ours


def test_a_finding_names_its_line() -> None:
    lines = LAWFUL.read_text("utf-8").replace("media: [own-website, own-app]", "media: [own-website, television]")
    (found,) = read_words(lines, "offer.yaml").findings
    assert lines.splitlines()[found.line - 1].strip().startswith("media:")
    assert "television" in found.message


@pytest.mark.parametrize(("key", "day"), [("  ends: 2027-05-31", "  ends: 2027-02-29"), ("ends: 2027-02-28", "ends: 2027-13-01")])
def test_a_day_that_no_calendar_has_is_said_with_its_line(key: str, day: str) -> None:
    lines = LAWFUL.read_text("utf-8").replace(key, day, 1)
    (found,) = read_words(lines, "offer.yaml").findings
    assert (found.rule, lines.splitlines()[found.line - 1]) == ("LOAD006", day)
    assert found.message == f"`{'licence.ends' if day.startswith(' ') else 'ends'}`: there is no such day."


@pytest.mark.parametrize(
    "text",
    ["100 euros\n\n## You also agree\n\nok **x** <b>y</b>", "100 euros\r\nok",
     "100\x00 euros", "100 \u202eeuros",
     "100 eu\u00adros", "100 eu\u2028ros", "<script>alert(1)</script>", "a < b", "[yes](https://x.example)", "[yes]", "`yes`",
     "**yes**",
     "# yes", "_yes_", "yes &lt;b&gt;", "a | b", "a \\ b", " ", "\u00a0"],
)  # fmt: skip
@pytest.mark.parametrize(
    "place",
    ["name__en", "controller__name", "controller__address", "controller__contact", "licence__ceiling__reason__en",
     "licence__recipients"],
)  # fmt: skip
def test_a_text_is_one_line_without_markup(place: str, text: str) -> None:
    reading = changed(**{place: [{"name": text, "country": "FR"}] if place == "licence__recipients" else text})
    assert reading.offer is None
    (found,) = reading.findings
    assert (found.rule, "not plain" in found.message, "one line" in found.remedy) == ("LOAD003", True, True)


def test_a_text_that_is_not_plain_is_said_with_its_line() -> None:
    lines = LAWFUL.read_text("utf-8").replace("en: \"100 euros for two friends\"", "en: \"<b>100 euros</b>\"")
    (found,) = read_words(lines, "offer.yaml").findings
    assert "name:" in lines.splitlines()[found.line - 1]
    assert "`name.en`" in found.message


@pytest.mark.parametrize("text", ["L'été : 100 €, « vraiment » – oui !", "100 euros & more (in parts); 20% off", "Łódź, 東京, a_b"])
def test_plain_words_of_any_language_pass(text: str) -> None:
    assert changed(controller__address=text).offer is not None


@pytest.mark.parametrize(
    ("line", "wrong", "says"),
    [
        ("ends: 2027-02-28", "ends: 2026-11-30", "The offer ends before"),
        ("  ends: 2027-05-31", "  ends: 2026-11-30", "The licence ends before"),
        ("  starts: 2026-12-01", "  starts: 2027-03-01", "after the offer has ended"),
        ("  territories: [FR]", "  territories: [XX]", "no country"),
        ("  voucher_days: 365", "", "do not go together"),
    ],
)
def test_what_does_not_go_together_is_said_with_its_line(line: str, wrong: str, says: str) -> None:
    before = LAWFUL.read_text("utf-8").split("\n")
    (found,) = read_words("\n".join(wrong if one == line else one for one in before), "offer.yaml").findings
    assert says in found.message
    assert found.line == before.index(line if wrong else "reward:") + 1


@pytest.mark.parametrize("contact", ["nowhere", "somebody@", "http://le-panier.example", "https://", "tel:now",
"+33 4 00 00 00 00", "a@b"])
def test_a_contact_is_an_address_at_which_somebody_is_reached(contact: str) -> None:
    (found,) = changed(controller__contact=contact).findings
    assert contact in found.message
    for reached in ("dpo@le-panier.example", "https://le-panier.example/contact", "tel:+33400000000"):
        assert changed(controller__contact=reached).offer is not None


@pytest.mark.parametrize("content", [b"", b"offer: [", b"offer: a\noffer: b\n", b"\xff\xfe", b"offer: &a b\n"])
def test_what_is_no_clean_file_is_said(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "offer.yaml"
    file.write_bytes(content)
    assert read(file).offer is None
    assert read(file).findings


def test_a_file_has_a_limit(tmp_path: Path) -> None:
    file = tmp_path / "offer.yaml"
    file.write_bytes(LAWFUL.read_bytes() + b"#" * MAX_FILE_BYTES)
    assert "larger" in read(file).findings[0].message
    assert read(tmp_path / "none.yaml").findings[0].rule == "LOAD001"


def test_the_schema_and_the_types_know_the_same_words() -> None:
    lists = {frozenset(values) for values in _enums(schema())}
    for kind in vars(document).values():
        if isinstance(kind, type) and issubclass(kind, StrEnum) and kind is not StrEnum:
            assert frozenset(kind) in lists, kind.__name__


def test_the_schema_is_closed_everywhere() -> None:
    for table in _tables(schema()):
        assert table["additionalProperties"] is False


@given(st.integers())
def test_an_amount_is_within_its_limits_or_is_none(cents: int) -> None:
    if 0 <= cents <= CENTS_MAX:
        assert Amount(cents, 0).cents == cents
    else:
        with pytest.raises(BadInput):
            Amount(0, cents)


def _enums(rules: Any) -> list[list[str]]:
    inner = list(rules.values()) if isinstance(rules, dict) else rules if isinstance(rules, list) else []
    own = [rules["enum"]] if isinstance(rules, dict) and isinstance(rules.get("enum"), list) else []
    return own + [found for one in inner for found in _enums(one)]


def _tables(rules: Any) -> list[dict[str, Any]]:
    inner = list(rules.values()) if isinstance(rules, dict) else []
    own = [rules] if isinstance(rules, dict) and rules.get("type") == "object" else []
    return own + [found for one in inner for found in _tables(one)]
