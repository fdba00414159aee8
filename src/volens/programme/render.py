"""Findings as text for people and as JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from datetime import date
from itertools import groupby

from volens.programme.findings import Finding, Severity

WIDTH = 110


def to_text(findings: Sequence[Finding], rules_run: int, on: date) -> str:
    """One block per file: line, rule and what is wrong; under it, after an arrow, what to write instead and the article."""
    blocks = []
    for file, group in groupby(findings, key=lambda one: one.file):
        lines = [file]
        for one in group:
            head = f"  {one.line:>4}  {one.severity.value:<7}  {one.rule}  "
            lines += _wrapped(one.message, head)
            under = f"→ {one.remedy} ({one.article})" if one.article else f"→ {one.remedy}"
            lines += _wrapped(under, " " * len(head))
        blocks.append("\n".join(lines))
    blocks.append(_closing(findings, rules_run, on))
    return "\n\n".join(blocks) + "\n"


def _wrapped(words: str, head: str) -> list[str]:
    indent = " " * len(head)
    return textwrap.wrap(
        words, WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def to_json(findings: Sequence[Finding], rules_run: Sequence[str], on: date) -> str:
    """Stable keys in a stable order; counts first, so that a script can stop reading early."""
    document = {
        "format": "volens-check/1",
        "on": on.isoformat(),
        "errors": _count(findings, Severity.ERROR),
        "warnings": _count(findings, Severity.WARNING),
        "rules_run": list(rules_run),
        "findings": [
            {
                "rule": one.rule,
                "severity": one.severity.value,
                "file": one.file,
                "line": one.line,
                "message": one.message,
                "remedy": one.remedy,
                "article": one.article,
            }
            for one in findings
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _closing(findings: Sequence[Finding], rules_run: int, on: date) -> str:
    errors, warnings = _count(findings, Severity.ERROR), _count(findings, Severity.WARNING)
    if not rules_run:
        return f"The programme does not load: {_said(errors, 'error')}. No rule has run yet."
    if not findings:
        return f"Nothing to mend: {rules_run} rules, as of {on}."
    hint = f"`volens check --explain {findings[0].rule}` says why."
    return f"{_said(errors, 'error')}, {_said(warnings, 'warning')}; {rules_run} rules, as of {on}. {hint}"


def _said(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _count(findings: Sequence[Finding], severity: Severity) -> int:
    return sum(one.severity is severity for one in findings)
