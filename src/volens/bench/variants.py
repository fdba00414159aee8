"""What can be measured. A variant prepares everything, unmeasured, and returns the work that is measured.

Each stands in a module that is loaded for it alone: what a variant does not use is not in its memory.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from volens.bench.data import Size

Prepare = Callable[[Path, Size, dict[str, Any], ExitStack], Callable[[], dict[str, Any]]]
PLACES = MappingProxyType(
    {
        "table": "files",
        "feed": "files",
        "ingest": "files",
        "copy": "files",
        "remove": "files",
        "rewrite": "files",
        "volens": "sums",
        "duckdb": "sums",
        "choose": "choices",
        "withdraw": "choices",
        "bare": "choices",
        "claim": "rewards",
        "redeem": "rewards",
        "chosen": "served",
        "decide": "served",
        "steadily": "served",
        "click": "served",
        "nothing": "served",
        "activated": "activation",
        "remind": "activation",
        "advertise": "activation",
        "permit": "activation",
        "export": "activation",
    }
)
"""Variant → the module that has it, under the same name."""


def prepare(variant: str) -> Prepare:
    """The function that prepares a variant."""
    found: Prepare = getattr(import_module(f"volens.bench.{PLACES[variant]}"), variant)
    return found
