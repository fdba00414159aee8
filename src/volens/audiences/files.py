"""Files for platforms, in the folder that the retailer names: whole or not there, for their owner alone, and no longer than a day.

1. A file is written after its event is committed, aside first, and then gets its name: it is there whole or not at all. A list
   that is committed and has no file was received by nobody (`activation.settle`).
2. A name says the recipient and a number; nothing of what the list is about.
3. Beside each file lies its description: SHA-256, how many lines, until when it may be uploaded.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from volens.evidence.durable import write_durably

FILE_HOURS = 24
"""A file is uploaded within a day, or the list is handed over again: who says no meanwhile would be in it."""


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Folder:
    """Where files for platforms lie."""

    path: Path

    def place(self, name: str, content: bytes, described: dict[str, Any]) -> None:
        """Lays a file down with its description beside it, readable by their owner alone; on the disk when it returns."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = os.umask(0o077)
        try:
            write_durably(self.path / f"{name}.json", json.dumps(described, indent=1, sort_keys=True).encode())
            write_durably(self.path / name, content)
        finally:
            os.umask(before)

    def holds(self, name: str, sha256: str) -> bool:
        """Whether a file with exactly this content lies there."""
        content = self.read(name)
        return content is not None and digest(content) == sha256

    def read(self, name: str) -> bytes | None:
        """A file's content; none if it is not there (any more)."""
        place = self.path / name
        return place.read_bytes() if place.is_file() else None

    def drop(self, names: Iterable[str]) -> int:
        """Deletes some files with their descriptions; how many were there."""
        gone = 0
        for name in names:
            gone += (self.path / name).is_file()
            for place in (name, f"{name}.json", f"{name}.new", f"{name}.json.new"):
                (self.path / place).unlink(missing_ok=True)
        return gone
