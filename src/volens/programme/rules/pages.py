"""The page of a rule in the docs, made from the rule itself."""

from __future__ import annotations

from collections.abc import Mapping

from volens.programme.findings import LOAD_CHECKS
from volens.programme.rules.minimal import expected_line
from volens.programme.rules.rule import Change, Example, Rule

FAMILIES = (
    "consent", "notices", "retention", "recipients and transfers", "minors", "sensitive products", "plain words", "public claims",
    "devices",
)  # fmt: skip
"""In the order in which they are listed. A rule of another family is an error when the list is made."""


def page(rule: Rule) -> str:
    """The Markdown page of a rule."""
    failing = rule.failing
    parts = [
        f"# {rule.id}: {rule.title}",
        f"Severity: {rule.severity}. Family: {rule.family}. Behind it: {'; '.join(rule.articles)}.",
        rule.why,
        "Both examples are changes to one small programme, a shop with one purpose and one supplier "
        "(`src/volens/programme/rules/minimal.py`), and both are run as tests.",
        "## What breaks it",
        *_changes(failing),
        f"Found at `{failing.file}:{expected_line(failing)}`.",
        "## What keeps it",
        *_changes(rule.passing),
        f"`volens check --explain {rule.id}` prints this page.",
    ]
    return "\n\n".join(parts) + "\n"


def index(rules: Mapping[str, Rule]) -> str:
    """The Markdown list of all rules and of the ways in which a programme can fail to load."""
    by_family = sorted(rules.values(), key=lambda rule: (FAMILIES.index(rule.family), rule.id))
    rows = [
        f"| {rule.family} | [{rule.id}]({rule.id}.md) | {rule.title} | {rule.severity} | {rule.articles[0]} |" for rule in by_family
    ]
    loads = [f"| {check.id} | {check.title} | {check.why} |" for check in LOAD_CHECKS.values()]
    return "\n".join(
        [
            "# The rules of `volens check`",
            "",
            "A programme is checked like code. These pages are made from the rules; do not edit them by hand:",
            "`python -m volens.programme.rules.write docs/rules` writes them anew.",
            "",
            "| Family | Rule | What it asks | Severity | Behind it |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Before any rule runs, the folder must load. What stops it:",
            "",
            "| Id | What is wrong | Why it stops |",
            "|---|---|---|",
            *loads,
            "",
        ]
    )


def _changes(example: Example) -> list[str]:
    parts = []
    for change in example.changes:
        parts += [f"In `{change.file}`:", _fenced(change)]
    return parts


def _fenced(change: Change) -> str:
    if not change.old:
        return f"```{'yaml' if change.file.endswith('.yaml') else 'markdown'}\n{change.new.rstrip()}\n```"
    removed = "\n".join(f"- {line}" for line in change.old.rstrip("\n").split("\n"))
    added = "\n".join(f"+ {line}" for line in change.new.rstrip("\n").split("\n")) if change.new else ""
    return "```diff\n" + removed + ("\n" + added if added else "") + "\n```"
