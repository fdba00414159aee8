"""What an app may ask phones for is declared whole: category, purpose, feature, moment; names that systems know."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.programme.folders import written

from volens.programme import start
from volens.programme.devices import PLATFORMS, UNUSED_DAYS, categories, uses
from volens.programme.findings import Finding
from volens.programme.load import load, read
from volens.programme.rules.devices import RULES
from volens.programme.rules.minimal import files

CLEAN = files(RULES[0].passing)


def findings(folder: Path, old: str, new: str) -> tuple[Finding, ...]:
    """What reading says after one replacement in devices.yaml."""
    assert CLEAN["devices.yaml"].count(old) == 1
    return read(written(folder, {**CLEAN, "devices.yaml": CLEAN["devices.yaml"].replace(old, new)})).findings


@pytest.mark.parametrize(
    ("old", "new", "id", "line", "message", "remedy"),
    [
        ("category: camera", "category: camara", "LOAD004", 6, "no device category `camara`", "`camera`"),
        ("purpose: scan", "purpose: skan", "LOAD004", 7, "no purpose `skan`", "`scan`"),
        ("[CAMERA]", "[CAMERAS]", "LOAD004", 10, "`CAMERAS` is no permission", "`CAMERA`"),
        ("[CAMERA]", "[READ_SMS]", "LOAD004", 10, "of the category `camera` with android", "`CAMERA`"),
        ("        purpose: scan\n", "", "LOAD003", 6, "`purpose` is missing", "Add it"),
        ("        feature: {fr: Lire un code, en: Read a code}\n", "", "LOAD003", 6, "`feature` is missing", "Add it"),
        ("        moment: {fr: Quand vous touchez « Lire », en: When you tap “Read”}\n", "", "LOAD003", 6, "`moment`", "while"),
        (", en: Read a code", "", "LOAD007", 8, "not said in `en`", "Add `en:"),
        ("platforms: [android]", "platforms: [android, symbian]", "LOAD003", 4, "`symbian`", "`android`"),
        ("platforms: [android]", "platforms: [android]\n    unused_days: 400", "LOAD003", 5, "unused_days", "90"),
    ],
)
def test_a_use_that_is_not_declared_whole_does_not_load(
    old: str, new: str, id: str, line: int, message: str, remedy: str, tmp_path: Path
) -> None:
    first = findings(tmp_path, old, new)[0]
    assert (first.rule, first.file, first.line) == (id, "devices.yaml", line)
    assert message in first.message
    assert remedy in first.remedy


def test_the_same_use_twice_is_refused(tmp_path: Path) -> None:
    once = CLEAN["devices.yaml"].split("    permissions:\n")[1]
    first = findings(tmp_path, once, once + once)[0]
    assert (first.rule, first.line) == ("LOAD005", 11)


def test_a_programme_without_an_app_has_none(tmp_path: Path) -> None:
    contents = {name: content for name, content in CLEAN.items() if name != "devices.yaml"}
    assert load(written(tmp_path, contents)).apps == {}


def test_what_an_app_uses_is_part_of_what_the_programme_is(tmp_path: Path) -> None:
    before = load(written(tmp_path / "a", dict(CLEAN))).digest
    other = {**CLEAN, "devices.yaml": CLEAN["devices.yaml"].replace("touchez", "pressez")}
    assert load(written(tmp_path / "b", other)).digest != before


def test_days_without_use_come_from_the_use_then_the_app_then_ninety(tmp_path: Path) -> None:
    def days(app: str, use: str, name: str) -> int:
        content = CLEAN["devices.yaml"].replace("platforms: [android]\n", f"platforms: [android]\n{app}") + use
        return uses(load(written(tmp_path / name, {**CLEAN, "devices.yaml": content})).apps)[0].unused_days

    assert days("", "", "a") == UNUSED_DAYS == 90
    assert days("    unused_days: 30\n", "", "b") == 30
    assert days("    unused_days: 30\n", "        unused_days: 7\n", "c") == 7


def test_every_category_is_said_in_both_languages_and_no_name_stands_in_two() -> None:
    seen: dict[tuple[str, str], str] = {}
    for id, one in categories().items():
        assert set(one.plain) == set(one.data) == set(one.words) == {"fr", "en"}, id
        assert all(one.words.values()), id
        every = {name for platform in PLATFORMS for name in one.names[platform]}
        assert set(one.wide) <= every, id
        for platform in PLATFORMS:
            for name in one.names[platform]:
                assert seen.setdefault((platform, name), id) == id, name


def test_the_sample_declares_a_purpose_and_a_text_for_each_permission() -> None:
    programme = load(start.sample())
    assert [use.category for use in uses(programme.apps)] == ["camera", "location", "notifications"]
    for use in uses(programme.apps):
        assert programme.current_text(use.purpose).titles.keys() == {"fr", "en"}
