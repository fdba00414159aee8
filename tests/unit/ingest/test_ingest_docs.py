"""The manual's page has every reason and a mapping that loads."""

from __future__ import annotations

import re
from pathlib import Path

from volens.ingest.mapping import load
from volens.ingest.raw import REASONS

PAGE = Path(__file__).parents[3] / "docs" / "ingest.md"


def test_every_reason_is_in_the_manual() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert rows == dict(REASONS)


def test_the_mapping_in_the_manual_loads(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    path = tmp_path / "tills.yaml"
    path.write_text(blocks[0], encoding="utf-8")
    mapping = load(path)
    assert mapping.columns["date"] == "Date"
    assert mapping.units["KG"] == "kg"
