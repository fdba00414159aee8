"""Programme folders for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def written(folder: Path, contents: Mapping[str, str]) -> Path:
    """The folder with these files in it."""
    for file, content in contents.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return folder
