"""What an audit found, in sentences. A finding names its place: tree and seq, or table and key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was recorded."""

    check: str
    where: str
    what: str


@dataclass
class Report:
    """The checks that ran, what each looked at, and what was found. `not_covered` are events younger than the newest
    checkpoint kept outside: nothing outside can vouch for them yet."""

    checks: list[tuple[str, int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    not_covered: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    """Events of each tree of which only the leaf is left, as a restore on the record says. Shown for ever, and no finding."""

    @property
    def ok(self) -> bool:
        """Nothing was found."""
        return not self.findings

    def found(self, check: str, where: str, what: str) -> None:
        """Notes a finding."""
        self.findings.append(Finding(check, where, what))

    @contextmanager
    def checking(self, check: str) -> Iterator[list[int]]:
        """Runs one check; the block appends to the list how many things it looked at."""
        looked_at: list[int] = []
        yield looked_at
        self.checks.append((check, sum(looked_at)))

    def to_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "ok": self.ok,
            "checks": [{"check": check, "looked_at": number} for check, number in self.checks],
            "findings": [vars(finding) for finding in self.findings],
            "not_covered": self.not_covered,
            "lost": self.lost,
        }

    def to_text(self) -> str:
        """For people: a line a check, then what was found and where."""
        lines = []
        for check, number in self.checks:
            wrong = [finding for finding in self.findings if finding.check == check]
            lines.append(f"  {'✗' if wrong else '✓'} {check} ({number:,} looked at)")
            lines += [f"      {finding.where}: {finding.what}" for finding in wrong[:MAX_LINES]]
            if len(wrong) > MAX_LINES:
                lines.append(f"      … and {len(wrong) - MAX_LINES:,} more")
        for tree, number in sorted(self.not_covered.items()):
            if number:
                lines.append(
                    f"  · {number:,} events of {tree} are younger than the newest checkpoint outside: not yet covered"
                )
        for tree, number in sorted(self.lost.items()):
            if number:
                lines.append(f"  · {tree}: what {number:,} events said is lost, as a restore on the record says")
        lines.append("  · the lines of the purchases table are not on this record and were not looked at")
        lines.append(self._conclusion())
        return "\n".join(lines)


    def _conclusion(self) -> str:
        if not self.ok:
            things = "1 thing is" if len(self.findings) == 1 else f"{len(self.findings):,} things are"
            return (
                f"{things} not as recorded. Keep the records as they are, and compare with a back-up and with the "
                "checkpoints that others hold."
            )
        young = sum(self.not_covered.values())
        signed = sum(number for check, number in self.checks if "was signed" in check)
        if not signed:
            return "Everything stored follows from the events; nothing is signed yet, so nothing vouches for the events."
        if young:
            return "Everything stored follows from the events, and those that are signed stand as they were signed."
        return "Everything stored follows from the events, and the events stand as they were signed."


MAX_LINES = 10
"""Findings printed for each check; `--json` has them all."""
