"""A house whose programme is written further while it is open: new versions of a text lie in the folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from volens.publishing.workflow import Person

STATISTICS = "supplier-statistics"
CLAIRE, IDRISS = Person("Claire Exemple", "marketing"), Person("Idriss Exemple", "dpo")


def write_version(programme: Path, purpose: str = STATISTICS, version: int = 2, word: str = "Merci de nous lire.") -> str:
    """The next version of a text: the one before it with one more sentence on each page. Its id."""
    folder = programme / "texts" / purpose
    shutil.copytree(folder / str(version - 1), folder / str(version))
    promises = folder / str(version) / "text.yaml"
    promises.write_text(promises.read_text("utf-8").replace(f"2024-0{version - 1}-01", f"2024-0{version}-01"), encoding="utf-8")
    for page in sorted((folder / str(version)).glob("*.md")):
        said = word if page.stem == "fr" else "Thank you for reading."
        page.write_text(page.read_text("utf-8").rstrip("\n") + f"\n\n{said}\n", encoding="utf-8")
    return f"{purpose}/{version}"
