"""Volens: puts purchases to use only as each customer permits, at the moment of each use, and proves it.

    import volens

    with volens.open("my-house") as house:
        house.permissions.record([...])
        house.reports.answer(pack, actor="Alice Exemple")

`open` gives stations, never a store: there is no way from here to a purchase but through the gate.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from volens.app import House

__version__ = "0.1.0"


def open(home: str | Path) -> House:
    """Opens the house in a folder made by `volens init`."""
    from volens.app import open_house

    return open_house(Path(home))
