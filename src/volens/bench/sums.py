"""Variants of the exact stage, ours and DuckDB's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from volens.bench import raw
from volens.bench.data import Size, question
from volens.engines.polars_engine import PolarsEngine

Options = Mapping[str, Any]
Work = Callable[[], dict[str, Any]]


def volens(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """The exact stage: gated, bounded, all four measures."""
    asked = question(work, size, options["width"])
    opened = asked.opened(options["refuse"])

    def answer() -> dict[str, Any]:
        sums = PolarsEngine().bounded_sums(opened, asked.plan, asked.products)
        return {"cells": sum(len(vector) for vector in sums.sums.values()), "customers": len(sums.seen)}

    return answer


def duckdb(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """The same figures of everybody, without gate and bound, in one of two ways of asking."""
    asked = question(work, size, options["width"])
    connection = stack.enter_context(raw.connect(asked))
    return lambda: {"cells": 4 * len(raw.run(connection, asked, options["way"]))}
