"""A process that restores a house, to be killed at any moment by the drill."""

from __future__ import annotations

import sys
from pathlib import Path

from volens.app import Given, restore


def main(home: str, backup: str, customer_keys: str) -> None:
    """Restores once; the exit code says whether it came to its end."""
    restore(Path(home), Path(backup), Path(customer_keys), Given(accept_loss=True, by="Alice Exemple", why="a drill"))


if __name__ == "__main__":
    main(*sys.argv[1:])
