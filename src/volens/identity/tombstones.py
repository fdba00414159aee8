"""Who was erased, as bare numbers, in a file that lies outside every back-up of the records.

    keys/tombstones       one JSON object a line: step (`erase`, `erased`), customer, and for `erase` accounts, at, by, why

Rules:
1. Append-only and durable: a line is on the disk when the method returns. `erase` is written before anything is destroyed,
   `erased` after everything is recorded. What begun and did not end is finished when the house opens.
2. Each line carries a check over itself and the line before. A line that was changed, removed or moved is `Tampered`; that
   lines were cut off at the end shows against the `erased` events in the records.
3. A line without its newline (a power cut while it was written) was never promised to anybody: the next append drops it.
4. There is no name in it. A number that was erased leads to nobody, in no store, and is never given again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from volens.errors import Tampered
from volens.evidence.merkle import canonical_json

FILE = "tombstones"
BEGUN, DONE = "erase", "erased"
LINE_BYTES_MAX = 1 << 16
CHECK_DIGITS = 16
START = "0" * CHECK_DIGITS


@dataclass(frozen=True)
class Begun:
    """An erasure that began: when, by whom, on which ground."""

    customer: int
    at: str
    by: str
    why: str
    accounts: tuple[int, ...] = ()
    """Numbers of her cards and logins: in an older copy of the records they may be under another number."""


@dataclass(frozen=True)
class Stones:
    """The file as it was read. `checks` holds the check of every line, in order."""

    begun: dict[int, Begun] = field(default_factory=dict)
    done: frozenset[int] = frozenset()
    checks: tuple[str, ...] = ()

    @property
    def everybody(self) -> set[int]:
        """All numbers whose erasure began."""
        return set(self.begun) | self.done

    @property
    def accounts(self) -> set[int]:
        """The accounts of all of them."""
        return {account for one in self.begun.values() for account in one.accounts}


@dataclass(frozen=True)
class Tombstones:
    """The file of one house."""

    file: Path

    def read(self) -> Stones:
        """Everything in the file; `Tampered` where a line is not the one that was written."""
        begun: dict[int, Begun] = {}
        done: set[int] = set()
        checks: list[str] = []
        before = START
        for number, line in enumerate(_whole_lines(self.file), start=1):
            said = _opened(line, before)
            if said is None:
                raise Tampered(
                    f"Line {number} of {self.file} is not the one that was written.", "Restore the file from its newest copy."
                )
            before = str(said["check"])
            checks.append(before)
            if said["step"] == BEGUN:
                accounts = tuple(int(account) for account in said["accounts"])
                one = Begun(int(said["customer"]), str(said["at"]), str(said["by"]), str(said["why"]), accounts)
                begun.setdefault(one.customer, one)
            else:
                done.add(int(said["customer"]))
        return Stones(begun, frozenset(done), tuple(checks))

    def begin(self, customer: int, accounts: Sequence[int], *, at: datetime, by: str, why: str) -> None:
        """Writes down that somebody is to be erased, before anything is destroyed."""
        step = {"step": BEGUN, "customer": customer, "accounts": list(accounts), "at": at.isoformat(), "by": by, "why": why}
        self._append([step])

    def end(self, customers: Sequence[int]) -> None:
        """Writes down that the erasure of these is recorded."""
        self._append([{"step": DONE, "customer": one} for one in customers])

    def _append(self, steps: Sequence[dict[str, Any]]) -> None:
        with self._alone() as file:
            end, before = _tail(file)
            file.truncate(end)  # rule 3
            file.seek(end)
            for step in steps:
                line = {**step, "check": _check(step, before)}
                before = line["check"]
                file.write(json.dumps(line, ensure_ascii=False, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _alone(self) -> Iterator[BinaryIO]:
        made = not self.file.exists()
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        if made:
            folder = os.open(self.file.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _whole_lines(file: Path) -> list[bytes]:
    if not file.exists():
        return []
    return file.read_bytes().split(b"\n")[:-1]


def _tail(file: BinaryIO) -> tuple[int, str]:
    """Where the last whole line ends, and its check. Reads the end of the file alone: it grows for ever."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - 2 * LINE_BYTES_MAX)
    file.seek(start)
    end = file.read(size - start)
    whole = end.rfind(b"\n") + 1
    if not whole:
        return 0, START
    last = end[:whole].rstrip(b"\n").rpartition(b"\n")[2]
    try:
        return start + whole, str(json.loads(last)["check"])
    except (ValueError, KeyError, TypeError) as error:
        raise Tampered("The last line of the tombstones cannot be read.", "Restore the file from its newest copy.") from error


def _opened(line: bytes, before: str) -> dict[str, Any] | None:
    """The line's object, if it is whole and follows the one before."""
    try:
        said: dict[str, Any] = json.loads(line)
        check = said["check"]
        bare = {key: value for key, value in said.items() if key != "check"}
        return said if check == _check(bare, before) and said["step"] in (BEGUN, DONE) else None
    except (ValueError, KeyError, TypeError):
        return None


def _check(step: dict[str, Any], before: str) -> str:
    return hashlib.sha256(before.encode() + canonical_json(step)).hexdigest()[:CHECK_DIGITS]
