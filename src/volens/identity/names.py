"""First names as their people write them to be shown: letters, and nothing that could be an address, a number or markup. Pure."""

from __future__ import annotations

import re

from volens.errors import BadInput

CHARACTERS_MAX = 30
NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '’-]){0,29}")
"""Letters, and what stands between them."""


def first_name(written: str) -> str:
    """A first name that somebody shows, or the empty text; `BadInput` for anything else."""
    name = " ".join(written.split())
    if name and not NAME.fullmatch(name):
        raise BadInput("This is no first name.", f"Write letters alone, {CHARACTERS_MAX} at most, or nothing.")
    return name
