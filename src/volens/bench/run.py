"""Runs entries: every variant in a process of its own, alternately, and the medians of what they say."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from volens.bench.data import Size
from volens.bench.entries import Demand, Entry, Measure, Variant
from volens.errors import Unavailable

DEMANDED_LINES = 50_000_000
"""Demands on data are made from this size on; below it figures are printed. Choices have no size."""
PACKAGES = ("volens", "duckdb", "polars", "pyarrow", "numpy")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Figure:
    """One number of the result, and whether it is what is demanded."""

    name: str
    value: float
    unit: str
    demand: Demand | None
    demanded: bool

    @property
    def met(self) -> bool:
        """False only for a demand that is made at this size and not met."""
        return not self.demanded or self.demand is None or self.demand.met(self.value)


@dataclass(frozen=True)
class Result:
    """What came out of an entry: medians by variant, and the figures."""

    entry: Entry
    medians: dict[str, dict[str, float]]
    figures: tuple[Figure, ...]


def machine() -> dict[str, str]:
    """What it was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = named[0] if named else model
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "load when it began": f"{os.getloadavg()[0]:.1f}",
    }


def run(entry: Entry, work: Path, size: Size, rounds: int, progress: Progress = lambda step, done, total: None) -> Result:
    """Makes the data that an entry needs, then runs its variants `rounds` times, alternately."""
    for share in sorted({variant.share for variant in entry.variants}):
        for need in entry.needs:
            child(Variant(need, need), work, Size(size.lines // share))
    measured: dict[str, list[dict[str, float]]] = {variant.name: [] for variant in entry.variants}
    for number in range(rounds):
        # Every other round goes backwards: nobody is always first on a cold machine.
        for place, variant in enumerate(entry.variants if number % 2 == 0 else entry.variants[::-1]):
            measured[variant.name].append(child(variant, work, size))
            progress(entry.name, number * len(entry.variants) + place + 1, rounds * len(entry.variants))
    medians = {name: {key: median(one[key] for one in found) for key in found[0]} for name, found in measured.items()}
    return Result(entry, medians, tuple(_figures(entry, medians, not entry.needs or size.lines >= DEMANDED_LINES)))


def child(variant: Variant, work: Path, size: Size) -> dict[str, float]:
    """One run of a variant in a new process. `Unavailable` with its last words if it fails."""
    job = {
        "variant": variant.of,
        "work": str(work),
        "lines": size.lines // variant.share,
        "options": dict(variant.options),
    }
    command = [sys.executable, "-m", "volens.bench.child", json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=work)
    if done.returncode != 0:
        words = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Unavailable(f"The process that measures {variant.name!r} ended with {done.returncode}: {words}", "Read its words.")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    if found.get("lines"):
        found["per_second"] = found["lines"] / found["wall"]
        found["per_cpu_second"] = found["lines"] / found["cpu"]
    return found


_MEASURES = {
    "peak_mb": ("peak memory", "MB"),
    "per_second": ("on the clock", "a second"),
    "per_cpu_second": ("of processor time", "a second"),
    "p50_ms": ("median", "ms"),
    "p99_ms": ("99 in 100 within", "ms"),
}
"""What a measure is called, and its unit."""


def _figures(entry: Entry, medians: dict[str, dict[str, float]], demanded: bool) -> Sequence[Figure]:
    found = []
    for figure in entry.figures:
        if isinstance(figure, Measure):
            words, unit = _MEASURES[figure.what]
            name = ", ".join(part for part in (figure.of, words) if part)
            found.append(Figure(name, medians[figure.of][figure.what], unit, figure.demand, demanded))
            continue
        by = {name: medians[name][figure.what] for name in figure.to}
        fastest = max(by, key=by.__getitem__) if figure.what.startswith("per_") else min(by, key=by.__getitem__)
        value = medians[figure.of][figure.what] / by[fastest]
        words = {"cpu": "", "per_second": ", a second", "per_cpu_second": ", of processor time"}.get(figure.what, ", peak memory")
        found.append(Figure(f"{figure.of} / {fastest}{words}", value, "", figure.demand, demanded))
    return found


def to_dict(results: Sequence[Result], size: Size, rounds: int, about: dict[str, str]) -> dict[str, Any]:
    """As JSON values."""
    return {
        "machine": about,
        "lines": size.lines,
        "data": size.name,
        "rounds": rounds,
        "entries": [
            {
                "entry": result.entry.name,
                "variants": result.medians,
                "figures": [
                    {
                        "name": one.name,
                        "value": one.value,
                        "unit": one.unit,
                        "demand": str(one.demand) if one.demand else None,
                        "demanded": one.demanded,
                        "met": one.met,
                    }
                    for one in result.figures
                ],
            }
            for result in results
        ],
    }


def to_markdown(results: Sequence[Result], size: Size, rounds: int, about: dict[str, str]) -> str:
    """A section for `docs/benchmarks.md`."""
    out = [f"## {size.name[0].upper()}{size.name[1:]}, {rounds} rounds", ""]
    out += [", ".join(f"{name} {value}" for name, value in about.items()) + ".", ""]
    for result in results:
        out += [f"**{result.entry.title}**", "", "| variant | CPU s | wall s | peak MB |", "|---|---:|---:|---:|"]
        out += [
            f"| {name} | {found['cpu']:.2f} | {found['wall']:.2f} | {found['peak_mb']:.0f} |"
            for name, found in result.medians.items()
        ]
        out += ["", "| figure | | demanded |", "|---|---:|---|"]
        for one in result.figures:
            said = "" if one.demand is None else str(one.demand)
            if one.demand is not None:
                said += "" if not one.demanded else (": yes" if one.met else ": **no**")
            out.append(f"| {one.name} | {_number(one.value)} {one.unit} | {said} |")
        out.append("")
    return "\n".join(out)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
