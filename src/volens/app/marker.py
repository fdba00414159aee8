"""A file that keeps a house closed while it is being restored: what is half put back must serve nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from volens.errors import Unavailable
from volens.evidence.outside import write_durably
from volens.identity.keys import sync

FILE = "restoring.json"


@dataclass(frozen=True)
class Marker:
    """`restoring.json` in a house's folder."""

    home: Path

    def read(self) -> dict[str, Any]:
        """What the restore that was begun knew; empty if none was."""
        file = self.home / FILE
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return found

    def write(self, known: Mapping[str, Any]) -> None:
        """Closes the house. Durable."""
        write_durably(self.home / FILE, json.dumps(dict(known)).encode())

    def remove(self) -> None:
        """Opens it again: the last step of a restore."""
        (self.home / FILE).unlink(missing_ok=True)
        sync(self.home)

    def require_none(self) -> None:
        """Raises `Unavailable` while a restore is not finished."""
        if (self.home / FILE).is_file():
            raise Unavailable("This house is being restored, or a restore was cut short.", "Run the same volens restore again.")
