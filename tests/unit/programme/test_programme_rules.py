"""Every rule against its own two examples, and the words that must and must not be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.programme.folders import written

from volens.programme import lint
from volens.programme.rules.minimal import MINIMAL, Change, expected_line, files
from volens.programme.rules.rule import EXAMPLE_DAY, Example, Rule


def test_the_minimal_programme_is_clean(tmp_path: Path) -> None:
    report = lint.check(written(tmp_path, dict(MINIMAL)), EXAMPLE_DAY)
    assert report.findings == ()
    assert report.rules_run == tuple(sorted(lint.RULES))


@pytest.mark.parametrize("rule", lint.RULES.values(), ids=lambda rule: rule.id)
def test_the_failing_example_breaks_this_rule_alone(rule: Rule, tmp_path: Path) -> None:
    report = lint.check(written(tmp_path, files(rule.failing)), rule.failing.on)
    assert {finding.rule for finding in report.findings} == {rule.id}, lint.to_text(report)
    first = report.findings[0]
    assert (first.file, first.line) == (rule.failing.file, expected_line(rule.failing))
    assert first.severity is rule.severity
    assert first.message.endswith((".", "?", ")"))
    assert first.remedy
    assert first.article == rule.articles[0]


@pytest.mark.parametrize("rule", lint.RULES.values(), ids=lambda rule: rule.id)
def test_the_passing_example_has_no_finding(rule: Rule, tmp_path: Path) -> None:
    report = lint.check(written(tmp_path, files(rule.passing)), rule.passing.on)
    assert report.findings == (), lint.to_text(report)
    assert rule.passing.changes != rule.failing.changes


def test_a_change_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="0 times"):
        files(Example((Change("claims.yaml", "no such words", "x"),)))
