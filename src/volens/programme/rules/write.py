"""Writes the rules' pages: `python -m volens.programme.rules.write docs/rules`."""

from __future__ import annotations

import sys
from pathlib import Path

from volens.programme.rules.catalogue import RULES
from volens.programme.rules.pages import index, page


def write(folder: Path) -> None:
    """Writes a page per rule and the list of them; pages of rules that are gone are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for rule in RULES.values():
        (folder / f"{rule.id}.md").write_text(page(rule), "utf-8")
    (folder / "README.md").write_text(index(RULES), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
