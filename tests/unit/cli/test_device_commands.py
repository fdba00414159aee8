"""`volens devices`: from a registered phone to one that is forgotten, by commands alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.support.house import PRODUCTS, a_year_of_juice, write_feed

from volens.cli.main import main


def run(*arguments: str | Path, code: int = 0) -> Result:
    """One command; fails the test with its words if the exit code is another."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, f"{arguments}: {result.exit_code}\n{result.output}\n{result.exception!r}"
    return result


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house with a few cards."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    feed, mapping = write_feed(folder, a_year_of_juice(2))
    made = folder / "house"
    run("init", made, "--customers", "1000")
    run("ingest", folder / "products.csv", "--products", "--house", made)
    run("ingest", feed, "--mapping", mapping, "--house", made)
    return made


def test_a_device_comes_is_shown_and_goes(house: Path) -> None:
    whose = ("--house", house, "--card", "C00002")
    new = ("--app", "le-panier", "--platform", "android", "--label", "Téléphone d'exemple")
    device = json.loads(run("devices", "register", *whose, *new, "--json").output)["device"]
    said = run("devices", "show", *whose).output
    assert device in said
    assert "Téléphone d'exemple (android), never heard" in said
    assert "not-asked" in said
    shown = json.loads(run("devices", "show", *whose, "--json").output)
    assert [one["category"] for one in shown["categories"]] == ["camera", "location", "notifications"]
    assert shown["categories"][0]["uses"][0]["enforced"]["open"] is False
    assert "is signed out." in run("devices", "sign-out", *whose, device).output
    assert "already" in run("devices", "sign-out", *whose, device).output
    run("devices", "forget", *whose, device)
    assert "no such device" in run("devices", "forget", *whose, device, code=6).output
    assert json.loads(run("devices", "show", *whose, "--json").output)["devices"] == []
    assert json.loads(run("audit", "--house", house, "--json").output)["ok"]


def test_wrong_turns_are_said(house: Path) -> None:
    new = ("--app", "le-panier", "--platform", "android", "--label", "x")
    assert "--card or by --email" in run("devices", "show", "--house", house, code=2).output
    assert "base64url" in run("devices", "register", "--house", house, "--card", "C00002", *new, "--key", "x", code=2).output
    assert "No customer" in run("devices", "show", "--house", house, "--card", "nobody", code=6).output


def test_the_night_ends_what_nobody_uses(house: Path) -> None:
    assert json.loads(run("devices", "lapse", "--house", house, "--json").output) == {"lapsed": 0}
    assert json.loads(run("nightly", "--house", house, "--json").output)["lapsed"] == 0


def test_what_is_declared_and_not_used_is_said(house: Path) -> None:
    said = run("devices", "used", "--house", house).output
    assert said.count("declared and not used") == 3
    rows = json.loads(run("devices", "used", "--house", house, "--days", "7", "--json").output)
    assert {"category": "camera", "purpose": "device-camera", "taken": 0, "refused": 0} in rows


def test_the_categories_are_listed_with_the_names_of_each_system() -> None:
    assert "NSCameraUsageDescription" in run("devices", "categories").output
    assert json.loads(run("devices", "categories", "--json").output)["camera"]["android"] == ["CAMERA"]
