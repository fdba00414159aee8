"""Refused lines, to work with: counted, opened, mended, taken in.

1. Counts are free. Reading what lines said is an event with who and why, recorded before anything is shown.
2. An export is readable by its owner alone and never overwrites a file. It is a copy of people's data outside the house: whoever
   asked for it deletes it.
3. A mended file names each line by batch, file, line and place. A line that is no longer in quarantine is passed over.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from volens.clock import Clock
from volens.errors import BadInput, NotFound
from volens.ingest.intake import Progress, carry_in
from volens.ingest.json_values import read_values
from volens.ingest.mapping import Mapping, parse
from volens.ingest.raw import REASONS
from volens.ingest.retry import Retry, Waiting
from volens.ingest.store import BatchRecords
from volens.ingest.tally import Identities
from volens.purchases import catalogue

if TYPE_CHECKING:
    from volens.purchases.store import PurchasesStore

NOT_BY_THEMSELVES = frozenset({"payment-number", "several-customers", "same-receipt-other-lines"})
"""Reasons that do not pass, and of lines that are not kept as the feed wrote them: without a mended file they stay."""
NAMES = ("batch", "file", "line", "place", "reason")
"""Where a line stands, in an export; in CSV with a low line in front, since feeds may have such columns."""
_decoder = json.JSONDecoder(parse_float=str, parse_int=str)


@dataclass(frozen=True)
class Retried:
    """What came of a retry."""

    lines: int
    taken_in: int
    known: int
    """Taken in before, from this file or another one; they leave the quarantine too."""
    gone: int
    """Named by a mended file, and not in quarantine any more."""
    refused: dict[str, int] = field(default_factory=dict)
    places: tuple[tuple[str, int, int, str], ...] = ()
    """(batch, file, line, reason) of those that are still refused, the first of them."""

    def to_text(self) -> str:
        """For people at a terminal."""
        out = [f"{self.lines:,} lines tried, {self.taken_in:,} taken in."]
        if self.known:
            out.append(f"  Taken in before, so counted once: {self.known:,}.")
        if self.gone:
            out.append(f"  No longer in quarantine, passed over: {self.gone:,}.")
        out += [f"  Still refused: {count:,}, {reason}: {REASONS[reason]}" for reason, count in sorted(self.refused.items())]
        out += [f"    batch {batch}, file {file}, line {line}: {reason}" for batch, file, line, reason in self.places]
        return "\n".join(out)


PLACES_SHOWN = 10


@dataclass(frozen=True)
class Quarantine:
    """The station of refused lines."""

    batches: BatchRecords
    identities: Identities
    open_sealed: Callable[[bytes], bytes]
    store: PurchasesStore
    catalogue_folder: Path
    clock: Clock
    today: Callable[[], date]
    alone: Callable[[], AbstractContextManager[Callable[[], None]]]
    """The lease of whoever changes the purchases."""

    def waiting(self) -> list[dict[str, Any]]:
        """How many lines wait, by batch and reason; `sealed` of them with their words."""
        return self.batches.waiting()

    def open(
        self, by: str, why: str, batch: str | None = None, reason: str | None = None, limit: int | None = None
    ) -> list[Waiting]:
        """What refused lines said. Recorded first: who, why, how many of which batch. `NotFound` when there are none."""
        if not by.strip() or not why.strip():
            raise BadInput("Who opens the quarantine, and why?", "Say --by and --why: both are recorded.")
        lines = [line for line in self._lines(batch, reason) if line.row is not None][:limit]
        if not lines:
            raise NotFound("No such line waits with its words.", "Run: volens quarantine list")
        self.batches.mending.opened(Counter(line.batch for line in lines), by.strip(), why.strip(), self.today())
        return lines

    def export(self, path: Path, by: str, why: str, batch: str | None = None, reason: str | None = None) -> int:
        """Writes refused lines to a file that a person can mend: JSON lines, or CSV by its name. How many lines."""
        if path.exists():
            raise BadInput(f"{path.name} exists already.", "Choose another name; nothing is overwritten.")
        lines = self.open(by, why, batch, reason)
        text = _to_csv(lines) if path.suffix.lower() == ".csv" else _to_json_lines(lines)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return len(lines)

    def retry(
        self,
        mended: Path | None = None,
        batch: str | None = None,
        reason: str | None = None,
        *,
        mapping: Mapping | None = None,
        even_if_equal: bool = False,
        progress: Progress = lambda step, done, total: None,
        on_step: Callable[[str], None] = lambda step: None,
    ) -> Retried:
        """Takes lines in from the quarantine: those of a mended file, or all whose reason may have passed.

        Each batch's lines are one new batch: all of it or nothing. The same again changes nothing.
        """
        with self.alone() as renew:
            lines = [line for line in self._lines(batch, reason) if line.row is not None or mended is not None]
            gone = 0
            if mended is not None:
                lines, gone = _with_rows(lines, _read_mended(mended))
            else:
                lines = [line for line in lines if line.reason not in NOT_BY_THEMSELVES]
            found = Retried(0, 0, 0, gone)
            for name in dict.fromkeys(line.batch for line in lines):
                some = [line for line in lines if line.batch == name]
                renew()

                def told(step: str, name: str = name) -> None:
                    if step == "staged":
                        renew()
                    on_step(step)

                found = _together(found, self._retry_batch(name, some, mapping, even_if_equal, progress, told))
            return found

    def _retry_batch(
        self,
        batch: str,
        lines: Sequence[Waiting],
        mapping: Mapping | None,
        even_if_equal: bool,
        progress: Progress,
        on_step: Callable[[str], None],
    ) -> Retried:
        records, mending = self.batches, self.batches.mending
        used = mapping or self._mapping_of(batch)
        run = Retry(
            lines, used, self.identities, catalogue.read(self.catalogue_folder), self.clock.now(), self.store.buckets, progress,
            even_if_equal=even_if_equal,
        )  # fmt: skip
        run.additions = mending.additions
        in_batch = Counter(line.mark for line in records.quarantined(batch) if line.mark is not None)
        run.set_known_aside(mending.retried([line.mark for line in lines]), mending.retried_of(batch), in_batch)
        summary = carry_in(run, store=self.store, batches=records, clock=self.clock, on_step=on_step)
        still = sorted(run.tally.reasons.items())
        places = [(batch, lines[number].file_number, lines[number].line_number, reason) for number, reason in still]
        return Retried(
            summary.lines_read, summary.lines_accepted, summary.duplicate_lines, 0, dict(summary.refused),
            tuple(places[:PLACES_SHOWN]),
        )  # fmt: skip

    def _mapping_of(self, batch: str) -> Mapping:
        text = self.batches.mending.mapping_of(batch)
        if text is None:
            raise BadInput(f"With which mapping was the batch {batch} read?", "Name it: --mapping FILE.")
        return parse(text, f"the mapping of batch {batch}")

    def _lines(self, batch: str | None, reason: str | None) -> Iterator[Waiting]:
        """Refused lines in the order of their batches; `row` is None where the words were not kept."""
        if reason is not None and reason not in REASONS:
            raise BadInput(f"There is no reason {reason!r}.", "Run: volens quarantine list")
        for name in dict.fromkeys(str(row["batch"]) for row in self.batches.waiting() if batch in (None, row["batch"])):
            for line in self.batches.quarantined(name):
                if reason in (None, line.reason) and line.mark is not None:
                    row = _decoder.decode(self.open_sealed(line.sealed).decode()) if line.sealed is not None else None
                    yield Waiting(name, line.file_number, line.line_number, line.place, line.reason, line.mark, row)


def _together(one: Retried, two: Retried) -> Retried:
    return Retried(
        one.lines + two.lines, one.taken_in + two.taken_in, one.known + two.known, one.gone + two.gone,
        dict(Counter(one.refused) + Counter(two.refused)), (one.places + two.places)[:PLACES_SHOWN],
    )  # fmt: skip


def _where(line: Waiting) -> dict[str, Any]:
    return dict(zip(NAMES, (line.batch, line.file_number, line.line_number, line.place, line.reason), strict=True))


def _to_json_lines(lines: Iterable[Waiting]) -> str:
    said = ({**_where(line), "meaning": REASONS[line.reason], "row": line.row} for line in lines)
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in said)


def _to_csv(lines: Sequence[Waiting]) -> str:
    flat = [line.row if _is_flat(line.row) else {"_row": json.dumps(line.row, ensure_ascii=False)} for line in lines]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, [*(f"_{name}" for name in NAMES), *columns], lineterminator="\n")
    writer.writeheader()
    for line, row in zip(lines, flat, strict=True):
        writer.writerow({f"_{name}": value for name, value in _where(line).items()} | row)
    return out.getvalue()


def _is_flat(row: Any) -> bool:
    return isinstance(row, dict) and not any(isinstance(value, dict | list) for value in row.values())


def _read_mended(path: Path) -> dict[tuple[str, int, int, int], Any]:
    """(batch, file, line, place) → row. `BadInput` names the line that is none of an export."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "Check the path.")
    found: dict[tuple[str, int, int, int], Any] = {}
    for number, where, row in _csv_rows(path) if path.suffix.lower() == ".csv" else _json_rows(path):
        try:
            key = (str(where["batch"]), int(where["file"]), int(where["line"]), int(where["place"]))
        except (KeyError, TypeError, ValueError):
            raise BadInput(
                f"{path.name}, line {number}: it does not say which refused line it is.",
                "Mend a file that `volens quarantine export` wrote, and leave its batch, file, line and place as they are.",
            ) from None
        if key in found:
            raise BadInput(f"{path.name}, line {number}: this refused line stands in the file already.", "Keep one of them.")
        found[key] = row
    return found


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any], Any]]:
    for value in read_values(path, lines=True):
        content = value.content if isinstance(value.content, dict) else {}
        yield value.line, content, content.get("row")


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any], Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        start = file.read(65_536)
        file.seek(0)
        sign = max((",", ";", "\t"), key=start.split("\n", 1)[0].count)  # a spreadsheet may have written it anew
        rows = csv.DictReader(file, delimiter=sign)
        for row in rows:
            where = {name: row.pop(f"_{name}", None) for name in NAMES}
            whole = row.pop("_row", None)
            said = {name: value or None for name, value in row.items() if name is not None}
            yield rows.line_num, where, _decoder.decode(whole) if whole else said


def _with_rows(
    lines: Sequence[Waiting], rows: dict[tuple[str, int, int, int], Any]
) -> tuple[list[Waiting], int]:
    """The refused lines that a mended file names, saying what it says; how many it names that are not there."""
    found = []
    for line in lines:
        row = rows.pop((line.batch, line.file_number, line.line_number, line.place), None)
        if row is not None:
            found.append(Waiting(line.batch, line.file_number, line.line_number, line.place, line.reason, line.mark, row))
    return found, len(rows)
