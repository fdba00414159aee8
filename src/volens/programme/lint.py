"""A linter for programmes: every rule over every file, with the place and the words to write instead.

Rules:
1. A folder that does not load is not an exception here: what stops it are findings like others.
2. The day is given, never asked from the machine: the law and the texts depend on it.
3. All rules always run; there is no switch to silence one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from volens.clock import ZONES, legal_day
from volens.errors import NotFound
from volens.programme.findings import LOAD_CHECKS, Finding, ProgrammeHasErrors, Severity
from volens.programme.load import read
from volens.programme.model import Programme
from volens.programme.render import to_json as _to_json
from volens.programme.render import to_text as _to_text
from volens.programme.rules.catalogue import RULES as RULES
from volens.programme.rules.pages import page
from volens.programme.sarif import to_sarif as _to_sarif
from volens.programme.schemas import close_to


@dataclass(frozen=True)
class Report:
    """What a check found. `rules_run` is empty if the programme did not load."""

    findings: tuple[Finding, ...]
    rules_run: tuple[str, ...]
    on: date

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity is Severity.WARNING)

    def exit_code(self, *, strict: bool = False) -> int:
        """0 if it may be served, 2 if not; `strict` counts warnings as errors."""
        return 2 if self.errors or (strict and self.warnings) else 0


def check(programme: Programme | Path | str, on: date) -> Report:
    """Every finding in a programme, or in the folder of one, on the day `on`; ordered by file and line."""
    if isinstance(programme, Programme):
        loaded = programme
    else:
        reading = read(programme)
        if reading.programme is None:
            return Report(reading.findings, (), on)
        loaded = reading.programme
    found = [finding for rule in RULES.values() for finding in rule.run(loaded, on)]
    ordered = sorted(found, key=lambda one: (one.file, one.line, one.rule, one.message))
    return Report(tuple(dict.fromkeys(ordered)), tuple(RULES), on)


def load_checked(path: Path | str, on: date) -> Programme:
    """The programme in a folder, if it may be served; else `ProgrammeHasErrors` with every error."""
    reading = read(path)
    if reading.programme is None:
        raise ProgrammeHasErrors(reading.findings)
    errors = check(reading.programme, on).errors
    if errors:
        raise ProgrammeHasErrors(errors)
    return reading.programme


def to_text(report: Report) -> str:
    """The report for people."""
    return _to_text(report.findings, len(report.rules_run), report.on)


def to_json(report: Report) -> str:
    """The report for programs, as JSON (`volens-check/1`)."""
    return _to_json(report.findings, report.rules_run, report.on)


def to_sarif(report: Report) -> str:
    """The report for code hosts and editors, as SARIF 2.1.0."""
    return _to_sarif(report.findings, RULES)


def legal_today(folder: Path | str, now: datetime) -> date:
    """The legal day of `now` where the programme's house is; of France, if the folder does not even load."""
    loaded = read(folder).programme
    return legal_day(now, loaded.country if loaded is not None and loaded.country in ZONES else "FR")


def explain(rule_id: str) -> str:
    """The page of a rule, in Markdown; an unknown id raises `NotFound` with those that are close."""
    wanted = rule_id.strip().upper()
    if wanted in RULES:
        return page(RULES[wanted])
    if wanted in LOAD_CHECKS:
        one = LOAD_CHECKS[wanted]
        return f"# {one.id}: {one.title}\n\nSeverity: error. The programme does not load.\n\n{one.why}\n"
    raise NotFound(f"There is no rule {rule_id!r}.", close_to(wanted, (*RULES, *LOAD_CHECKS)))
