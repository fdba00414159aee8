"""What came of a feed, in counts that are nobody's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from volens.ingest.raw import REASONS


@dataclass(frozen=True)
class Summary:
    """The result of one `take_in`. Every line read is accepted, a duplicate, or refused with a reason."""

    batch: str
    source: str
    lines_read: int
    lines_accepted: int
    receipts: int
    duplicate_lines: int
    duplicate_receipts: int
    refused: Mapping[str, int] = field(default_factory=dict)
    """Reason → lines. All of them are in the quarantine."""
    customers: int = 0
    """Distinct customers with an accepted line."""
    accounts_new: int = 0
    stores_new: int = 0
    times_resolved: int = 0
    """Local times that exist twice or not at all; each took the later instant."""
    first_day: date | None = None
    last_day: date | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.lines_read != self.lines_accepted + self.duplicate_lines + self.lines_refused:
            raise ValueError("every line read is accepted, a duplicate or refused")

    @property
    def lines_refused(self) -> int:
        """Lines in quarantine."""
        return sum(self.refused.values())

    def to_dict(self) -> dict[str, Any]:
        """For JSON; days as ISO text."""
        days = {name: day.isoformat() if day else None for name, day in self._days().items()}
        return {**asdict(self), **days, "refused": dict(self.refused)}

    def _days(self) -> dict[str, date | None]:
        return {"first_day": self.first_day, "last_day": self.last_day}

    def to_text(self) -> str:
        """For people at a terminal."""
        period = f", {self.first_day} to {self.last_day}" if self.first_day else ""
        out = [
            f"{self.source}: {self.lines_read:,} lines read, {self.lines_accepted:,} taken in "
            f"({self.receipts:,} receipts of {self.customers:,} customers{period})."
        ]
        if not self.lines_read:
            out.append("  There was nothing to read: no lines, or a header alone. A day without sales?")
        if self.duplicate_receipts:
            out.append(f"  Known already, counted once: {self.duplicate_receipts:,} receipts ({self.duplicate_lines:,} lines).")
        if self.refused:
            kept = self.lines_refused - self.refused.get("payment-number", 0)
            out.append(f"  Refused: {self.lines_refused:,} lines, of which {kept:,} are kept sealed in quarantine for 30 days.")
            for reason, lines in sorted(self.refused.items(), key=lambda item: (-item[1], item[0])):
                out.append(f"    {lines:>9,}  {reason}: {REASONS[reason]}")
        if self.accounts_new:
            out.append(f"  New cards or logins: {self.accounts_new:,}.")
        if self.stores_new:
            out.append(f"  New stores, by their code only: {self.stores_new:,}.")
        if self.times_resolved:
            out.append(f"  Local times that a clock change made doubtful, taken as the later: {self.times_resolved:,}.")
        rate = self.lines_read / self.seconds if self.seconds else 0
        out.append(f"  {self.seconds:.1f} s" + (f", {rate:,.0f} lines a second." if rate else "."))
        return "\n".join(out)
