"""The command line as its users meet it: a house from nothing to a verified package, and every wrong turn on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.support.house import CATEGORY, FIRST_DAY, JUICE_MAKER, PRODUCTS, STATISTICS, a_year_of_juice, write_feed

from volens.cli.main import main

SUPPLIER = ["--supplier", JUICE_MAKER, "--category", CATEGORY, "--start", FIRST_DAY.isoformat()]
ASK = [*SUPPLIER, "--count", "3"]


def run(*arguments: str | Path, code: int = 0) -> Result:
    """One command; fails the test with its words if the exit code is another."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, f"{arguments}: {result.exit_code}\n{result.output}\n{result.exception!r}"
    return result


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house made by commands alone: products, a year of juice, twenty customers of whom C00002 permits."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    feed, mapping = write_feed(folder, a_year_of_juice(20))
    made = folder / "house"
    run("init", made, "--customers", "1000")
    run("ingest", folder / "products.csv", "--products", "--house", made)
    run("ingest", feed, "--mapping", mapping, "--house", made)
    run("permit", "--house", made, "--card", "C00002", "--purpose", STATISTICS, "--say", "given",
        "--language", "fr", "--surface", "till form")
    return made


def test_init_says_what_is_where_and_what_to_do_next(tmp_path: Path) -> None:
    said = run("init", tmp_path / "house").output
    for word in ("keys/", "checkpoints/", "programme/", "volens check"):
        assert word in said
    assert "already holds" in run("init", tmp_path / "house", code=2).output


def test_a_folder_that_is_no_house_is_said(tmp_path: Path) -> None:
    assert "volens init" in run("audit", "--house", tmp_path, code=6).output


def test_check_speaks_text_and_json_and_explains(house: Path) -> None:
    assert "Nothing to mend" in run("check", house / "programme").output
    assert json.loads(run("check", house / "programme", "--json").output)["format"] == "volens-check/1"
    assert "GDPR" in run("check", "--explain", "CON001").output
    assert "no rule" in run("check", "--explain", "CON0O1", code=6).output.lower()


def test_explain_before_anything_is_written(house: Path, tmp_path: Path) -> None:
    feed, mapping = write_feed(tmp_path, a_year_of_juice(3))
    said = run("ingest", "--explain", feed, "--mapping", mapping, "--house", house).output
    assert "nothing was written" in said
    assert "--mapping" in said
    assert "--explain" in run("ingest", feed, "--house", house, code=2).output


def test_a_file_that_came_in_before_counts_once(house: Path, tmp_path: Path) -> None:
    feed, mapping = write_feed(tmp_path, a_year_of_juice(20))
    found = json.loads(run("ingest", feed, "--mapping", mapping, "--house", house, "--json").output)
    assert (found["lines_accepted"], found["duplicate_lines"]) == (0, found["lines_read"])


def test_the_same_tills_under_another_name_are_asked_about(house: Path, tmp_path: Path) -> None:
    feed, mapping = write_feed(tmp_path, a_year_of_juice(3))
    other = tmp_path / "march.yaml"
    lines = mapping.read_text(encoding="utf-8").splitlines()
    other.write_text("\n".join("source: march" if line.startswith("source:") else line for line in lines), encoding="utf-8")
    assert "--new-source" in run("ingest", feed, "--mapping", other, "--house", house, code=2).output


def test_refused_lines_are_listed_exported_and_taken_in(house: Path, tmp_path: Path) -> None:
    feed, mapping = write_feed(tmp_path, a_year_of_juice(3))
    text = feed.read_text(encoding="utf-8").splitlines()
    bad = tmp_path / "bad.csv"
    bad.write_text("\n".join([text[0], text[1].replace("2026", "2926").replace("2025", "2925")]) + "\n", encoding="utf-8")
    run("ingest", bad, "--mapping", mapping, "--house", house, code=2)
    (waiting,) = json.loads(run("quarantine", "list", "--house", house, "--json").output)
    assert (waiting["reason"], waiting["lines"]) == ("future-time", 1)
    assert "future-time" in run("quarantine", "list", "--house", house).output
    assert "C0" in run("quarantine", "show", "--house", house, "--by", "Ana", "--why", "a test").output
    out = tmp_path / "out.jsonl"
    run("quarantine", "export", out, "--house", house, "--by", "Ana", "--why", "a test")
    assert out.stat().st_mode & 0o777 == 0o600
    run("quarantine", "retry", "--house", house)
    assert json.loads(run("quarantine", "retry", out, "--house", house, "--json").output)["refused"] == {"future-time": 1}
    out.write_text(out.read_text(encoding="utf-8").replace("2926", "2026").replace("2925", "2025"), encoding="utf-8")
    found = json.loads(run("quarantine", "retry", out, "--house", house, "--json").output)
    # the line came in with the feed that had no mistake
    assert (found["taken_in"], found["refused"]) == (0, {"equal-line-there": 1})
    assert "Everything stored follows" in run("audit", "--house", house).output


def test_permit_shows_and_records(house: Path) -> None:
    assert "nothing is permitted" in run("permit", "--house", house, "--card", "C00005").output
    found = json.loads(run("permit", "--house", house, "--card", "C00006", "--refuse-everything", "--json").output)
    assert len(found["recorded"]) > 10
    assert {row["kind"] for row in found["standing"]} <= {"refused", "objected"}


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--card", "C99999", "--refuse-everything"], 6, "No customer"),
        (["--card", "C00001", "--email", "a@example.org"], 2, "--card or by --email"),
        (["--card", "C00001", "--say", "refused"], 2, "--purpose"),
        (["--card", "C00001", "--purpose", STATISTICS, "--say", "given"], 2, "--language and --surface"),
        (["--card", "C00001", "--purpose", STATISTICS], 2, "Add --say"),
        (["--card", "C00001", "--refuse-everything", "--purpose", STATISTICS, "--say", "refused"], 2, "alone"),
        (["--card", "C00001", "--purpose", "accounting", "--say", "refused"], 2, "legal obligation"),
        (["--card", "C00001", "--purpose", "astrology", "--say", "refused"], 6, STATISTICS),
        (["--card", "C00001", "--purpose", STATISTICS, "--say", "perhaps"], 2, "given"),
        (["--card", "C00001", "--purpose", STATISTICS, "--say", "refused", "--recipient", "nobody"], 6, JUICE_MAKER),
    ],
)
def test_a_choice_that_cannot_be_is_refused_in_words(house: Path, options: list[str], code: int, says: str) -> None:
    assert says in run("permit", "--house", house, *options, code=code).output


def test_a_report_from_question_to_package(house: Path) -> None:
    assert "Expected precision" in run("report", "plan", "--house", house, *ASK).output
    fine = run("report", "plan", "--house", house, *SUPPLIER, "--count", "13", "--every", "week", code=2).output
    assert "1 × 13-weeks" in fine, "a grid that is too fine is refused with one that works"
    asked = json.loads(run("report", "request", "--house", house, *ASK, "--by", "Alice Exemple", "--json").output)
    release = asked["release"]
    run("report", "draw", release, "--house", house, "--by", "Alice Exemple")
    refused = run("report", "approve", release, "--house", house, "--by", "Alice Exemple", code=5).output
    assert "second person" in refused
    run("report", "approve", release, "--house", house, "--by", "Bruno Modèle")
    package = json.loads(run("report", "publish", release, "--house", house, "--by", "Bruno Modèle", "--json").output)["file"]
    assert release in run("report", "list", "--house", house).output
    assert "buyers" in run("report", "show", release, "--house", house).output
    assert "2025" in run("report", "budget", "--house", house).output
    run("verify", package)
    broken = Path(package).with_suffix(".broken")
    broken.write_bytes(Path(package).read_bytes()[:-200])
    run("verify", broken, code=8)
    assert "follows from the events" in run("audit", "--house", house).output
    assert json.loads(run("audit", "--house", house, "--json").output)["ok"] is True


def test_checkpoint_and_settings_errors(house: Path, tmp_path: Path) -> None:
    assert "Copy" in run("checkpoint", "--house", house).output
    (tmp_path / "volens.toml").write_text("colour = 'red'\n", encoding="utf-8")
    assert "colour" in run("audit", "--house", tmp_path, code=2).output
    (tmp_path / "volens.toml").write_text("not toml", encoding="utf-8")
    assert "TOML" in run("audit", "--house", tmp_path, code=2).output


def test_a_programme_with_errors_serves_nothing(house: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(house, tmp_path / "house", symlinks=True))
    text = copy / "programme" / "claims.yaml"
    text.write_text(text.read_text(encoding="utf-8") + "\nnonsense: [\n", encoding="utf-8")
    assert "volens check" in run("permit", "--house", copy, "--card", "C00001", code=2).output


def test_a_machine_is_let_in_by_a_key_that_is_shown_once(house: Path) -> None:
    day = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    add = ["machine", "add", "mail-tool", "--scope", "decisions", "--recipient", JUICE_MAKER, "--by", "Bruno Modèle",
           "--house", house]
    said = json.loads(run(*add, "--expires", day, "--json").output)
    assert "renew" in run(*add, "--expires", day, code=5).output
    assert "400 days" in run(*add, "--expires", "2099-01-01", code=2).output
    listed = run("machine", "list", "--house", house).output
    assert "mail-tool" in listed
    assert "never used" in listed
    assert said["secret"] not in listed
    assert "shown this once" in run("machine", "renew", "mail-tool", "--expires", day, "--by", "B", "--house", house).output
    assert "Its 2 keys are revoked" in run("machine", "revoke", "mail-tool", "--by", "Bruno Modèle", "--house", house).output
    run("machine", "revoke", "mail-tool", "--by", "Bruno Modèle", "--house", house, code=6)
    run("audit", "--house", house)
