"""How the shop's pages are made: templates, words in two languages, prices."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

HERE = Path(__file__).parent
BEFORE_MARKS = re.compile(r"(?<=\S) (?=[:;?!»])|(?<=«) ")
"""Where French writes a space that no line may break at."""


def environment() -> Environment:
    """The templates; what is not given fails instead of being empty."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


@cache
def words() -> dict[str, dict[str, str]]:
    """What the pages say, by language and name."""
    found: dict[str, dict[str, str]] = yaml.safe_load((HERE / "words.yaml").read_text(encoding="utf-8"))
    return {**found, "fr": {name: BEFORE_MARKS.sub("\u00a0", said) for name, said in found["fr"].items()}}


def price(cents: int, language: str) -> str:
    """An amount in euros, as it is written there."""
    whole, part = divmod(cents, 100)
    return f"{whole},{part:02}\u00a0€" if language == "fr" else f"€{whole}.{part:02}"
