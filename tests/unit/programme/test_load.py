"""A folder loads whole or not at all, and every finding says where and what to write instead."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.unit.programme.folders import written

from volens.errors import BadInput, NotFound, ProgrammeError
from volens.programme import start
from volens.programme.findings import Finding
from volens.programme.load import load, read
from volens.programme.model import Basis, Role
from volens.programme.nodes import MAX_FILE_BYTES
from volens.programme.rules.minimal import EN, FR, MINIMAL, TEXT_YAML


def findings(folder: Path, file: str, old: str, new: str) -> list[Finding]:
    """What reading says after one replacement in one file of the minimal programme."""
    contents = dict(MINIMAL)
    assert old in contents[file]
    contents[file] = contents[file].replace(old, new, 1)
    return list(read(written(folder, contents)).findings)


WRONG = [
    # file, what is replaced, by what, id, line, part of the message, part of the remedy
    ("purposes.yaml", "    paid_by:", "    payd_by:", "LOAD003", 11, "`payd_by` is unknown", "`paid_by`"),
    ("purposes.yaml", "    basis: consent\n", "", "LOAD003", 2, "`basis` is missing", "Add it"),
    ("purposes.yaml", "basis: consent", "basis: interest", "LOAD003", 3, "not one of its values", "There is"),
    ("purposes.yaml", "keep_months: {FR: 24}", "keep_months: {FR: two}", "LOAD003", 13, "a text where", "whole number"),
    ("purposes.yaml", "[customer, product, day]", "[customer, product, day, tay]", "LOAD004", 9, "no field `tay`", "`day`"),
    ("purposes.yaml", "recipients: [verger-clair]", "recipients: [verger]", "LOAD004", 10, "`verger`", "`verger-clair`"),
    ("purposes.yaml", "controller: petit-magasin", "controller: magasin", "LOAD004", 4, "no controller", "`petit-magasin`"),
    ("purposes.yaml", "categories: [purchases]", "categories: [contact]", "LOAD004", 8, "no category", "`purchases`"),
    ("purposes.yaml", "customer-profiling", "customer-profilling", "LOAD004", 12, "no activity", "`customer-profiling`"),
    ("purposes.yaml", "    basis: consent", "    basis: consent\n    basis: contract", "LOAD005", 4, "second time", "Keep one"),
    ("purposes.yaml", "    basis: consent", "    basis: &x consent", "LOAD002", 3, "anchors", "in full"),
    ("purposes.yaml", "    basis: consent", "    basis: !own consent", "LOAD002", 3, "tag", "plain value"),
    ("purposes.yaml", "    basis: consent", "   basis: consent", "LOAD002", 4, "Not clean YAML", "indentation"),
    ("purposes.yaml", "      en: Count", "      de: Count", "LOAD007", 16, "not said in `en`", "Add `en:"),
    ("recipients.yaml", "access_countries: [FR]", "access_countries: []", "LOAD003", 7, "empty", "remote support"),
    ("recipients.yaml", "verger-clair:", "Verger_Clair:", "LOAD003", 2, "The key `Verger_Clair`", "slug"),
    ("recipients.yaml", "verger-clair:", "petit-magasin:", "LOAD005", 2, "is a controller already", "out"),
    ("programme.yaml", "country: FR", "country: France", "LOAD003", 3, "`France`", "two capital letters"),
    ("programme.yaml", "[fr, en]", "[fr, en, fr]", "LOAD003", 4, "twice", "Keep one"),
    ("retention.yaml", "category: purchases", "category: buys", "LOAD004", 3, "no category", "`purchases`"),
    ("claims.yaml", "2026-01-01", "2026-02-30", "LOAD006", 3, "2026-02-30 is not a day", "YYYY-MM-DD"),
    ("claims.yaml", "2026-01-01", "1 January", "LOAD003", 3, "`1 January`", "YYYY-MM-DD"),
    (TEXT_YAML, "valid_from: 2026-01-01", "valid_from: 2027-01-01\ninvalidated_on: 2026-01-01", "LOAD006", 2, "before", "day"),
    (TEXT_YAML, "recipients: [verger-clair]", "recipients: [verger-claire]", "LOAD004", 3, "no recipient", "`verger-clair`"),
    (FR, "# Vos achats", "Vos achats", "LOAD003", 1, "title", "`# `"),
    (EN, "You can change", "<b>You</b> can change", "LOAD003", 6, "HTML", "Markdown"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "id", "line", "message", "remedy"), WRONG)
def test_a_wrong_programme_names_file_line_and_remedy(
    file: str, old: str, new: str, id: str, line: int, message: str, remedy: str, tmp_path: Path
) -> None:
    found = findings(tmp_path, file, old, new)
    ours = [one for one in found if one.rule == id and one.file == file and message in one.message]
    assert ours, found
    assert ours[0].line == line
    assert remedy in ours[0].remedy


def test_all_findings_of_a_stage_are_told_together(tmp_path: Path) -> None:
    contents = dict(MINIMAL)
    contents["purposes.yaml"] = contents["purposes.yaml"].replace("basis:", "bases:")
    contents["claims.yaml"] = "claims: none\n"
    del contents["retention.yaml"]
    with pytest.raises(ProgrammeError) as error:
        load(written(tmp_path, contents))
    told = error.value.findings  # type: ignore[attr-defined]
    assert {one.file for one in told} == {"purposes.yaml", "claims.yaml", "retention.yaml"}
    assert "purposes.yaml:3" in str(error.value)


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    stray = {"purpose.yaml": "x: 1\n", "texts/supplier-statistics/one/fr.md": "# Un\n", "notes/a.md": "# A\n"}
    loaded = read(written(tmp_path, {**MINIMAL, **stray}))
    assert {one.file for one in loaded.findings if one.rule == "LOAD008"} >= {"purpose.yaml", "notes/a.md"}
    assert loaded.programme is None


def test_a_readme_and_the_schemas_are_left_alone(tmp_path: Path) -> None:
    before = load(written(tmp_path, dict(MINIMAL))).digest
    after = load(written(tmp_path, {"README.md": "# Mine\n", "schema/x.json": "{}", ".git/x.yaml": "a"})).digest
    assert before == after


def test_a_missing_folder_a_missing_file_and_a_text_without_pages(tmp_path: Path) -> None:
    assert [one.rule for one in read(tmp_path / "nowhere").findings] == ["LOAD001"]
    contents = {file: words for file, words in MINIMAL.items() if file not in ("claims.yaml", FR, EN)}
    found = read(written(tmp_path, contents)).findings
    assert {(one.file, one.rule) for one in found} == {("claims.yaml", "LOAD001"), (TEXT_YAML, "LOAD001")}


def test_the_limits_of_a_file(tmp_path: Path) -> None:
    written(tmp_path, dict(MINIMAL))
    claims = tmp_path / "claims.yaml"
    content = claims.read_bytes()
    claims.write_bytes(content + b"#" * (MAX_FILE_BYTES - len(content)))
    assert load(tmp_path)
    claims.write_bytes(content + b"#" * (MAX_FILE_BYTES - len(content) + 1))
    assert [one.rule for one in read(tmp_path).findings] == ["LOAD002"]
    claims.write_bytes(b"claims: [] # \xff\n")
    assert [one.message for one in read(tmp_path).findings] == ["This line is not UTF-8."]
    claims.write_text("claims: " + "[" * 40 + "]" * 40, "utf-8")
    assert [one.rule for one in read(tmp_path).findings] == ["LOAD002"]


def test_norway_and_dates_stay_what_was_written(tmp_path: Path) -> None:
    contents = dict(MINIMAL)
    contents["recipients.yaml"] = contents["recipients.yaml"].replace("[FR]", "[NO]")
    programme = load(written(tmp_path, contents))
    assert programme.recipient("verger-clair").access_countries == ("NO",)
    assert programme.text("supplier-statistics/1").valid_from == date(2026, 1, 1)


def test_every_byte_and_every_name_counts_for_the_digest(tmp_path: Path) -> None:
    programme = load(written(tmp_path / "a", dict(MINIMAL)))
    assert load(written(tmp_path / "b", dict(MINIMAL))).digest == programme.digest
    assert load(written(tmp_path / "c", {**MINIMAL, FR: MINIMAL[FR] + "\n"})).digest != programme.digest
    comment = {**MINIMAL, "claims.yaml": MINIMAL["claims.yaml"] + "# A comment.\n"}
    assert load(written(tmp_path / "d", comment)).digest != programme.digest
    moved = {file.replace("/1/", "/2/"): words for file, words in MINIMAL.items()}
    assert load(written(tmp_path / "e", moved)).digest != programme.digest


def test_the_values_of_the_minimal_programme(tmp_path: Path) -> None:
    programme = load(written(tmp_path, dict(MINIMAL)))
    purpose = programme.purpose("supplier-statistics")
    assert purpose.basis is Basis.CONSENT
    assert purpose.paid
    assert purpose.default == "not permitted"
    assert purpose.waiting_days == 30
    own, supplier = programme.recipient("petit-magasin"), programme.recipient("verger-clair")
    assert (own.role, own.legal_name) == (Role.SELF, "Petit Magasin SAS")
    assert supplier.pays
    assert supplier.fields == {"customer", "product", "day"}
    assert purpose.source.at("recipients", "verger-clair").line == 10
    text = programme.current_text("supplier-statistics")
    assert text.titles["en"] == "Your purchases, counted in our figures?"
    assert text.bodies["fr"] == MINIMAL[FR]


def test_looking_up_what_does_not_exist_names_what_does(tmp_path: Path) -> None:
    programme = load(written(tmp_path, dict(MINIMAL)))
    for look_up in (programme.purpose, programme.recipient, programme.text, programme.product, programme.controller):
        with pytest.raises(NotFound, match="nothing-such"):
            look_up("nothing-such")
    with pytest.raises(NotFound, match="verger-clair"):
        programme.recipient("verger")
    with pytest.raises(NotFound, match="supplier-statistics"):
        programme.texts_of("statistics")


def test_versions_of_a_text_follow_each_other(tmp_path: Path) -> None:
    second = {file.replace("/1/", "/2/"): words for file, words in MINIMAL.items() if "/1/" in file}
    folder = written(tmp_path, {**MINIMAL, **second})
    assert [one.rule for one in read(folder).findings] == ["LOAD006"]
    file = folder / TEXT_YAML.replace("/1/", "/2/")
    file.write_text(MINIMAL[TEXT_YAML].replace("2026-01-01", "2026-06-01"), "utf-8")
    programme = load(folder)
    assert programme.current_text("supplier-statistics", date(2026, 5, 31)).version == 1
    assert programme.current_text("supplier-statistics", date(2026, 6, 1)).version == 2
    with pytest.raises(NotFound, match="stands on 2025"):
        programme.current_text("supplier-statistics", date(2025, 12, 31))
    file.write_text(file.read_text("utf-8") + "invalidated_on: 2026-08-01\n", "utf-8")
    programme = load(folder)
    assert programme.current_text("supplier-statistics", date(2026, 7, 31)).version == 2
    assert programme.current_text("supplier-statistics", date(2026, 8, 1)).version == 1
    assert programme.current_text("supplier-statistics").version == 1


def test_a_new_programme_starts_as_a_clean_copy_and_nothing_is_overwritten(tmp_path: Path) -> None:
    target = start.init(tmp_path / "mine")
    assert load(target).digest == load(start.sample()).digest
    assert (target / "schema" / "purposes.json").is_file()
    assert not (target / "schema").is_symlink()
    with pytest.raises(BadInput, match="not empty"):
        start.init(target)
