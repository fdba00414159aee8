"""Functions over arrays, compiled once by numba.

1. Every compiled function names its types, so that nothing is compiled in the middle of a request.
2. Machine code is kept in a folder named after the sources of this package: numba itself would not notice that a constant or
   a called function of another file has changed. Where no such folder can be made, code is compiled anew in each process.
3. No fast mathematics: the same input gives the same bits.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba

Given = ParamSpec("Given")
Result = TypeVar("Result")


@cache
def kept_in() -> Path | None:
    """Where machine code of just these sources is kept: below `NUMBA_CACHE_DIR` if that is set, else beside the sources, else in
    the user's cache; None where none of these can be written."""
    here = Path(__file__).parent
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sorted(here.glob("*.py")))).hexdigest()[:16]
    bases = [here / "__pycache__", Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "volens"]
    if _setting():
        bases = [Path(_setting())]
    for base in bases:
        folder = base / f"reminders-{digest}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None


def _setting() -> str:
    """numba's own setting for where it keeps code (`NUMBA_CACHE_DIR`); it is made when numba is loaded, so no type knows it."""
    return str(vars(numba.config)["CACHE_DIR"])


def _set(folder: str) -> None:
    vars(numba.config)["CACHE_DIR"] = folder


def compiled(signature: str) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Compile the function for `signature` (numba's words for types), now or from what an earlier process left."""

    def compile_(function: Callable[Given, Result]) -> Callable[Given, Result]:
        folder, before = kept_in(), _setting()
        try:
            _set(before if folder is None else str(folder))
            made: Callable[Given, Result] = numba.njit(signature, cache=folder is not None)(function)
        finally:
            _set(before)
        return made

    return compile_
