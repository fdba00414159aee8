"""The records of imports: how far each file was taken in, and the lines that wait in quarantine.

Rules:
1. A file is known by the hash of its content. What was taken in of it is written in the transaction that takes it in, so
   the same file again, or after a crash, goes on where it stopped, and twice is once.
2. Refused lines are an event of their own with a hash of them; their words are sealed under the intake key and kept for
   `KEPT_DAYS` days. Of one import the first `PLACED_LINES` are placed and `SEALED_LINES` keep their words; all are counted.
3. No personal data in the open: line numbers and reasons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
)

from volens.evidence.journeys import tell
from volens.evidence.log import EVENTS, Event, append
from volens.evidence.merkle import canonical_json

KEPT_DAYS = 30
PLACED_LINES = 100_000
SEALED_LINES = 10_000
REFUSED, DONE, REFUSED_EXPIRED = "choices-refused", "import-done", "choices-refused-expired"

metadata = MetaData()

choice_imports = Table(
    "choice_imports",
    metadata,
    Column("import", String(64), primary_key=True),  # SHA-256 of the file's content and of how it was read
    Column("file_name", String(255), nullable=False),
    Column("state", String(16), nullable=False),  # reading | done
    Column("started_at", String(40), nullable=False),
    Column("lines", BigInteger, nullable=False),  # taken in so far: everything up to this line
    Column("taken", BigInteger, nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
)

refused_choices = Table(
    "refused_choices",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # of the `choices-refused` event
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("import", String(64), nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("kept_until", String(10), nullable=False),
    Column("sealed", LargeBinary),
    Index("refused_choices_by_day", "kept_until"),
)


_ADVANCED = 'update choice_imports set state = ?, lines = ?, taken = ?, known = ?, refused = ? where "import" = ?'


@dataclass(frozen=True)
class Progress:
    """How far a file was taken in."""

    file: str
    file_name: str
    state: str
    lines: int = 0
    taken: int = 0
    known: int = 0
    refused: int = 0


@dataclass(frozen=True)
class RefusedLine:
    """One line that waits."""

    file_name: str
    line: int
    reason: str
    kept_until: str
    sealed: bytes | None


def begin(connection: Connection, file: str, file_name: str, now: datetime) -> Progress:
    """What is known of a file; a new one begins at line 0. The caller holds the ledger."""
    row = connection.execute(select(choice_imports).where(choice_imports.c["import"] == file)).mappings().one_or_none()
    if row is not None:
        counts = {name: int(row[name]) for name in ("lines", "taken", "known", "refused")}
        return Progress(file, row["file_name"], row["state"], **counts)
    connection.execute(
        insert(choice_imports), {
            "import": file, "file_name": file_name[:255], "state": "reading", "started_at": now.isoformat(timespec="seconds"),
            "lines": 0, "taken": 0, "known": 0, "refused": 0,
        },
    )  # fmt: skip
    return Progress(file, file_name[:255], "reading")


def advance(connection: Connection, now: Progress) -> None:
    """Writes how far it went."""
    tell(connection, _ADVANCED, (now.state, now.lines, now.taken, now.known, now.refused, now.file))


def refuse(
    connection: Connection, file: str, lines: Sequence[tuple[int, str, bytes | None]], how_many: int, today: date
) -> None:
    """Appends one event for some refused lines: (line, reason, sealed words). `how_many` counts also those not placed."""
    until = (today + timedelta(days=KEPT_DAYS)).isoformat()
    kept = [
        {"place": place, "import": file, "line": line, "reason": reason, "kept_until": until, "sealed": sealed}
        for place, (line, reason, sealed) in enumerate(lines)
    ]
    detail = {"import": file, "lines": how_many, "kept": digest(kept), "kept_until": until if kept else None}
    seq = append(connection, EVENTS, [Event(REFUSED, day=today, detail=detail)])
    if kept:
        connection.execute(insert(refused_choices), [{"seq": seq, **row} for row in kept])


def finish(connection: Connection, done: Progress, today: date) -> None:
    """The whole file was taken in."""
    counts = {"lines": done.lines, "taken": done.taken, "known": done.known, "refused": done.refused}
    append(connection, EVENTS, [Event(DONE, day=today, detail={"import": done.file, **counts})])
    advance(connection, done)


def expire(connection: Connection, today: date) -> int:
    """Removes refused lines that were kept long enough; how many. The caller holds the ledger."""
    gone = refused_choices.c.kept_until < today.isoformat()
    how_many = int(connection.execute(select(func.count()).select_from(refused_choices).where(gone)).scalar_one())
    if how_many:
        connection.execute(delete(refused_choices).where(gone))
        append(connection, EVENTS, [Event(REFUSED_EXPIRED, day=today, detail={"lines": how_many})])
    return how_many


def others(connection: Connection, file: str) -> bool:
    """Whether choices were ever imported from another file: then a line may be known already."""
    first = select(choice_imports.c["import"]).where(choice_imports.c["import"] != file, choice_imports.c.taken > 0)
    return connection.execute(first.limit(1)).first() is not None


def digest(rows: Sequence[Any]) -> str:
    """A hash of refused lines as they are kept, sealed as they are."""
    whole = hashlib.sha256()
    for row in rows:
        sealed = hashlib.sha256(bytes(row["sealed"])).hexdigest() if row["sealed"] is not None else None
        whole.update(canonical_json([row["place"], row["import"], row["line"], row["reason"], row["kept_until"], sealed]))
    return whole.hexdigest()


def waiting(connection: Connection) -> list[RefusedLine]:
    """Every line that waits, by file and line."""
    query = (
        select(choice_imports.c.file_name, refused_choices.c.line, refused_choices.c.reason, refused_choices.c.kept_until,
               refused_choices.c.sealed)
        .join(choice_imports, choice_imports.c["import"] == refused_choices.c["import"])
        .order_by(choice_imports.c.file_name, refused_choices.c.line)
    )  # fmt: skip
    return [RefusedLine(str(name), int(line), str(reason), str(until), sealed)
            for name, line, reason, until, sealed in connection.execute(query)]  # fmt: skip


def everything(connection: Connection) -> dict[str, Progress]:
    """Every import, for the audit."""
    counts = ("lines", "taken", "known", "refused")
    return {
        row["import"]: Progress(row["import"], row["file_name"], row["state"], *(int(row[name]) for name in counts))
        for row in connection.execute(select(choice_imports)).mappings()
    }


def kept_by_event(connection: Connection) -> dict[int, list[dict[str, Any]]]:
    """Refused lines by their event, for the audit."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(select(refused_choices).order_by(refused_choices.c.seq, refused_choices.c.place)).mappings():
        found.setdefault(int(row["seq"]), []).append(dict(row))
    return found
