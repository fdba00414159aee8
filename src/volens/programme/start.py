"""The sample programme: where it lies, and how a new programme starts as a copy of it."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from volens.errors import BadInput
from volens.programme.load import SCHEMA_FOLDER


def sample() -> Path:
    """The folder of the sample programme, Le Panier, as installed."""
    return Path(str(resources.files("volens.programme").joinpath("samples", "le-panier")))


def init(target: Path) -> Path:
    """Copies the sample programme to `target`, with the JSON Schemas for editors beside it; gives `target`.

    A target that exists and holds anything is refused: nothing is ever overwritten.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput(f"{target} is already there and not empty.", "Name a folder that does not exist yet.")
    shutil.copytree(sample(), target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(SCHEMA_FOLDER))
    schemas = Path(str(resources.files("volens.programme").joinpath("schema")))
    shutil.copytree(schemas, target / SCHEMA_FOLDER)
    return target
