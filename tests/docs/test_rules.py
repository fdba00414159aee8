"""The pages of the lint rules are made from the rules: a missing, stale or left-over page fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from volens.programme.rules.catalogue import RULES
from volens.programme.rules.pages import index, page

FOLDER = Path(__file__).parents[2] / "docs" / "rules"
REMEDY = "run `python -m volens.programme.rules.write docs/rules`"


@pytest.mark.parametrize("rule_id", RULES)
def test_every_rule_has_its_page(rule_id: str) -> None:
    file = FOLDER / f"{rule_id}.md"
    assert file.exists(), REMEDY
    assert file.read_text("utf-8") == page(RULES[rule_id]), REMEDY


def test_the_list_is_current() -> None:
    assert (FOLDER / "README.md").read_text("utf-8") == index(RULES), REMEDY


def test_no_page_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.md")} == {*RULES, "README"}, REMEDY
