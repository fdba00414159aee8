"""A programme that was read and checked once is read and checked: most of opening a house is that, and tests open thousands."""

from __future__ import annotations

import hashlib
from pathlib import Path

from volens.app import checked
from volens.clock import Clock
from volens.programme.model import Programme

_known: dict[bytes, Programme] = {}


def checked_programme(folder: Path, clock: Clock) -> Programme:
    """As `app.checked.checked_programme`, which depends on the files and the day alone."""
    whole = hashlib.sha256(str(clock.now().date()).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            for part in (str(path.relative_to(folder)).encode(), path.read_bytes()):
                whole.update(len(part).to_bytes(8, "big") + part)
    key = whole.digest()
    if key not in _known:
        _known[key] = checked.checked_programme(folder, clock)
    return _known[key]
