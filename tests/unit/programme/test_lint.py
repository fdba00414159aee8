"""What `volens check` shows: the sample is clean, reports are stable, and nothing with errors is served."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.programme.folders import written

from volens.errors import NotFound, ProgrammeError
from volens.programme import lint, start
from volens.programme.findings import LOAD_CHECKS
from volens.programme.load import load
from volens.programme.products import MeasureSpec, nano
from volens.programme.rules.minimal import FR, MINIMAL, TEXT_YAML, Change, files, on_both_pages
from volens.programme.rules.pages import FAMILIES
from volens.programme.rules.rule import EXAMPLE_DAY, Example, Rule

TODAY = date(2026, 11, 21)
KEPT_APART = {
    "loyalty", "email-marketing", "sms-marketing", "phone-marketing", "onsite-personalisation", "basket-reminder",
    "partner-marketing", "social-audience", "purchase-audience", "targeted-ads", "supplier-statistics", "supplier-sharing",
    "lookalike-source", "special-category-inference", "image-voice", "cross-retailer-pooling",
    "device-camera", "device-location", "device-notifications", "campaign-measurement", "basket-message",
}  # fmt: skip


def test_the_sample_has_no_finding_and_keeps_every_use_apart() -> None:
    report = lint.check(start.sample(), TODAY)
    assert report.findings == (), lint.to_text(report)
    assert report.exit_code(strict=True) == 0
    programme = load(start.sample())
    assert set(programme.purposes) == KEPT_APART | {"rights-handling", "accounting"}
    assert all(purpose.covers == (purpose.id,) for purpose in programme.purposes.values())
    assert all(set(text.bodies) == {"fr", "en"} for text in programme.texts.values())


def test_the_example_folder_is_the_sample() -> None:
    example = Path(__file__).parents[3] / "examples" / "le-panier" / "programme"
    assert load(example).digest == load(start.sample()).digest


def test_the_sample_answers_for_the_demo() -> None:
    programme = load(start.sample())
    assert programme.supplier_of_maker(1194).id == "vergers-du-midi"
    assert programme.supplier_of_maker(436).id == "soleil-presse"
    assert programme.supplier_of_brand("midi-jus-frais").legal_name == "Vergers du Midi SAS"
    with pytest.raises(NotFound, match="69"):
        programme.supplier_of_maker(69)
    product = programme.product("sales-pack/1")
    assert (product.rho_per_pack_nano, product.rho_per_year_nano) == (28_000_000, 351_000_000)
    statistics = programme.purpose(product.purpose)
    assert statistics.fields == {"customer", "basket", "product", "day", "quantity", "unit", "amount", "currency"}
    assert set(statistics.recipients) == set(programme.suppliers)


@pytest.mark.parametrize(("days", "expected"), [(91, 12000), (92, 12132), (28, 6657), (7, 3329), (1, 1258)])
def test_caps_scale_by_days_and_round_up(days: int, expected: int) -> None:
    def spec(measure: str, caps: dict[str, int], scales: bool) -> MeasureSpec:
        return MeasureSpec(measure, caps, 91, scales, Decimal(1), Decimal(0), Decimal(0), Decimal(0))

    assert spec("units", {"own": 12000}, scales=True).cap("own", days) == expected
    assert spec("buyers", {"own": 1}, scales=False).cap("own", days) == 1
    with pytest.raises(ValueError, match="at least one day"):
        spec("buyers", {"own": 1}, scales=False).cap("own", 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"measure": "baskets"},
        {"caps": {"own": 0}},
        {"caps": {"other": 1}},
        {"caps": {}},
        {"caps_days": 0},
        {"radius": Decimal(0)},
        {"loss_share": Decimal(1)},
        {"loss_share": Decimal("0.2"), "loss_limit": Decimal(0)},
        {"slack": Decimal(-1)},
    ],
)
def test_a_measure_that_is_wrong_cannot_be_made(wrong: dict[str, Any]) -> None:
    right = load(start.sample()).product("sales-pack/1").measures["units"]
    with pytest.raises(ValueError, match=r"\w"):
        replace(right, **wrong)


def test_budgets_are_whole_billionths() -> None:
    assert nano("0.028") == 28_000_000
    assert nano("0.000000001") == 1
    with pytest.raises(ValueError, match="finer"):
        nano("0.0000000001")


def test_text_shows_file_line_rule_and_remedy(tmp_path: Path) -> None:
    contents = {**MINIMAL, "purposes.yaml": MINIMAL["purposes.yaml"].replace("not permitted", "permitted")}
    shown = lint.to_text(lint.check(written(tmp_path, contents), EXAMPLE_DAY))
    assert shown == (
        "purposes.yaml\n"
        "     6  error    CON001  `supplier-statistics` is permitted before anybody has been asked.\n"
        "                         → Write `default: not permitted`; a yes is an act of the person. (GDPR article 4(11))\n"
        "\n"
        f"1 error, 0 warnings; {len(lint.RULES)} rules, as of 2026-11-01. `volens check --explain CON001` says why.\n"
    )


def test_json_holds_the_same_findings(tmp_path: Path) -> None:
    report = lint.check(written(tmp_path, {**MINIMAL, FR: MINIMAL[FR].replace("24 mois", "longtemps")}), EXAMPLE_DAY)
    document = json.loads(lint.to_json(report))
    assert (document["format"], document["errors"], document["warnings"]) == ("volens-check/1", 1, 0)
    assert document["rules_run"] == sorted(lint.RULES)
    (one,) = document["findings"]
    assert (one["rule"], one["file"], one["line"], one["severity"]) == ("TXT001", FR, 1, "error")
    assert set(one) == {"rule", "severity", "file", "line", "message", "remedy", "article"}


def test_exit_codes_tell_errors_from_warnings(tmp_path: Path) -> None:
    contents = {**MINIMAL, TEXT_YAML: MINIMAL[TEXT_YAML].replace("2026-01-01", "2027-01-01")}
    warned = lint.check(written(tmp_path / "warned", contents), EXAMPLE_DAY)
    assert {one.rule for one in warned.warnings} == {"TXT004"}
    assert (warned.exit_code(), warned.exit_code(strict=True)) == (0, 2)
    broken = lint.check(tmp_path / "nowhere", EXAMPLE_DAY)
    assert (broken.exit_code(), broken.rules_run) == (2, ())
    assert "does not load" in lint.to_text(broken)


def test_nothing_with_errors_is_served(tmp_path: Path) -> None:
    folder = written(tmp_path, dict(MINIMAL))
    assert lint.load_checked(folder, EXAMPLE_DAY).house == "petit-magasin"
    (folder / "claims.yaml").write_text(MINIMAL["claims.yaml"].replace("You decide.", "You may decide; we may not."))
    with pytest.raises(ProgrammeError, match="WRD003"):
        lint.load_checked(folder, EXAMPLE_DAY)
    (folder / "claims.yaml").unlink()
    with pytest.raises(ProgrammeError, match="LOAD001"):
        lint.load_checked(folder, EXAMPLE_DAY)


def test_explain_prints_the_page_and_names_close_ids() -> None:
    assert lint.explain("con002").startswith("# CON002: One question, one use\n")
    assert lint.explain("LOAD003").startswith("# LOAD003: ")
    with pytest.raises(NotFound, match="`CON002`"):
        lint.explain("CONN002")


def test_a_programme_and_its_folder_give_the_same_report() -> None:
    assert lint.check(load(start.sample()), TODAY) == lint.check(start.sample(), TODAY)


def test_older_versions_of_a_text_are_not_judged_any_more(tmp_path: Path) -> None:
    old = {**MINIMAL, FR: MINIMAL[FR].replace("24 mois", "24 mois, notamment")}
    assert len(lint.check(written(tmp_path, old), EXAMPLE_DAY).findings) == 1
    new = {file.replace("/1/", "/2/"): words for file, words in MINIMAL.items() if "/1/" in file}
    new[TEXT_YAML.replace("/1/", "/2/")] = MINIMAL[TEXT_YAML].replace("2026-01-01", "2026-10-01")
    assert lint.check(written(tmp_path, new), EXAMPLE_DAY).findings == ()
    assert len(lint.check(tmp_path, date(2026, 9, 30)).findings) == 1


def test_a_rule_without_a_reason_cannot_be_made() -> None:
    rule = lint.RULES["CON001"]
    made = {name: getattr(rule, name) for name in Rule.__dataclass_fields__}
    for wrong in ({"id": "C1"}, {"why": ""}, {"articles": ()}, {"failing": Example(())}):
        with pytest.raises(ValueError, match=r"needs|is not an id"):
            Rule(**{**made, **wrong})


TRANSFERS = [
    # what stands under `transfer`, and whether it carries data about persons to the United States
    ("instrument: scc-2021-914, countries: [US], signed_on: 2026-01-01, assessed_on: 2026-01-01", True),
    ("instrument: scc-2021-914, countries: [US], signed_on: 2026-01-01", False),
    ("instrument: scc-2021-914, countries: [US], signed_on: 2027-01-01, assessed_on: 2026-01-01", False),
    ("instrument: scc-2021-914, countries: [IN], signed_on: 2026-01-01, assessed_on: 2026-01-01", False),
    ("instrument: bcr, countries: [US], signed_on: 2026-01-01, assessed_on: 2026-01-01, valid_until: 2026-10-01", False),
    ("instrument: adequacy, countries: [US], certified_on: 2026-01-01", True),
    ("instrument: adequacy, countries: [US]", False),
    ("instrument: article 49, countries: [US], signed_on: 2026-01-01, assessed_on: 2026-01-01", False),
]


@pytest.mark.parametrize(("transfer", "carries"), TRANSFERS)
def test_which_instruments_carry_a_transfer(transfer: str, carries: bool, tmp_path: Path) -> None:
    abroad = on_both_pages(
        ("Verger Clair SAS nous paie", "Elle est aux États-Unis, sous garanties.\nVerger Clair SAS nous paie"),
        ("Verger Clair SAS pays us", "It is in the United States, under safeguards.\nVerger Clair SAS pays us"),
    )
    changes = (
        Change("purposes.yaml", "delivers: statistics", "delivers: persons"),
        Change("recipients.yaml", "    access_countries: [FR]", f"    access_countries: [US]\n    transfer: {{{transfer}}}"),
    )
    report = lint.check(written(tmp_path, files(Example((*changes, *abroad)))), EXAMPLE_DAY)
    assert {one.rule for one in report.findings} == (set() if carries else {"TRF001"}), lint.to_text(report)


def test_sarif_points_at_the_same_lines_and_describes_every_rule(tmp_path: Path) -> None:
    folder = written(tmp_path, files(lint.RULES["CON001"].failing))
    report = lint.check(folder, EXAMPLE_DAY)
    document = json.loads(lint.to_sarif(report))
    run = document["runs"][0]
    described = [one["id"] for one in run["tool"]["driver"]["rules"]]
    assert document["version"] == "2.1.0"
    assert set(described) == set(lint.RULES) | set(LOAD_CHECKS)
    for result, finding in zip(run["results"], report.findings, strict=True):
        place = result["locations"][0]["physicalLocation"]
        assert described[result["ruleIndex"]] == result["ruleId"] == finding.rule
        assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == (finding.file, finding.line)
        assert result["level"] == finding.severity.value
    assert str(tmp_path) not in lint.to_sarif(report)


def test_a_sarif_fingerprint_does_not_move_with_its_line(tmp_path: Path) -> None:
    contents = files(lint.RULES["CON001"].failing)
    moved = {**contents, "purposes.yaml": "# a comment\n" + contents["purposes.yaml"]}
    prints = []
    for name, folder in (("before", contents), ("after", moved)):
        document = json.loads(lint.to_sarif(lint.check(written(tmp_path / name, folder), EXAMPLE_DAY)))
        prints.append([one["partialFingerprints"] for one in document["runs"][0]["results"]])
    assert prints[0] == prints[1] != []


def test_a_folder_that_does_not_load_is_sarif_too(tmp_path: Path) -> None:
    document = json.loads(lint.to_sarif(lint.check(tmp_path, EXAMPLE_DAY)))
    assert {one["ruleId"] for one in document["runs"][0]["results"]} == {"LOAD001"}


def test_the_day_of_a_check_is_that_of_the_house_not_of_greenwich(tmp_path: Path) -> None:
    late = datetime(2026, 8, 10, 22, 30, tzinfo=UTC)  # half past midnight in France
    assert lint.legal_today(written(tmp_path, dict(MINIMAL)), late) == date(2026, 8, 11)
    assert lint.legal_today(tmp_path / "nothing here", late) == date(2026, 8, 11)


def test_there_are_rules_of_every_family() -> None:
    families = {rule.family for rule in lint.RULES.values()}
    assert families == set(FAMILIES)
    assert len(lint.RULES) >= 30
