"""One variant in a process of its own: `python -m volens.bench.child JOB`, a JSON object; the last line it prints is one too.

What is measured begins after imports, opening and planning: processor seconds of this process, user and system, all threads.
Memory is the most that the process ever held, start-up included, since that is what a machine must have.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from volens.bench.data import Size
from volens.bench.variants import prepare


def main() -> None:
    """Prepares, measures, prints."""
    job = json.loads(sys.argv[1])
    with ExitStack() as stack:
        work = prepare(job["variant"])(Path(job["work"]), Size(job["lines"]), job["options"], stack)
        cpu, wall = _cpu_seconds(), time.monotonic()
        found = work()
        measured = {"cpu": _cpu_seconds() - cpu, "wall": time.monotonic() - wall, "peak_mb": peak_mb(), **found}
    sys.stdout.write("\n" + json.dumps(measured) + "\n")


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb() -> float:
    """The most memory that this process ever held."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    main()
