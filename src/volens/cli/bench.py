"""`volens bench`: what it costs on this machine, as ratios to something that is run in the same run."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import click

from volens.cli.say import SIZE, bar, json_option, speaking, tell


@click.command()
@click.argument("names", nargs=-1)
@click.option("--lines", type=SIZE, default="300k", show_default=True,
              help="Purchase lines to measure on. 1.47m is the Complete Journey; demands are made from 50m on.")
@click.option("--rounds", type=click.IntRange(1, 99), default=3, show_default=True, help="How often each variant is run.")
@click.option("--work", type=click.Path(path_type=Path, file_okay=False),
              help="Where the data are made, and kept for the next run. Default: a folder that is removed.")
@click.option("--postgresql", envvar="VOLENS_BENCH_POSTGRESQL", help="SQLAlchemy URL of an empty schema to measure choices on.")
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write the tables here as well.")
@json_option
@speaking
def bench(names: tuple[str, ...], lines: int, rounds: int, work: Path | None, postgresql: str | None, markdown: Path | None,
          as_json: bool) -> None:
    """Measure NAMES (all by default): exact-wide, exact-narrow, ingest, removal, choices-sqlite, choices-postgresql, choices-http,
    activation, rewards-sqlite, rewards-postgresql;
    or the first word of several: exact, choices, rewards.

    Every variant runs in a process of its own, alternately; figures are ratios of medians of processor seconds. Exit code 1
    if something is demanded at this size and not met.
    """
    from volens.bench import run as runner
    from volens.bench.data import Size
    from volens.bench.entries import entries
    from volens.errors import BadInput

    known = {entry.name: entry for entry in entries(postgresql)}
    names = tuple(one for name in names for one in ([name] if name in known else _beginning(name, known)))
    unknown = [name for name in names if name not in known]
    if unknown:
        remedy = f"Choose among {', '.join(known)}."
        if {"choices-postgresql", "rewards-postgresql"} & set(unknown):
            remedy = "Give --postgresql with the URL of an empty schema."
        raise BadInput(f"There is nothing to measure by the name of {', '.join(unknown)}.", remedy)
    size, about, results = Size(lines), runner.machine(), []
    with ExitStack() as stack:
        if work is None:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="volens-bench-")))
        folder = work.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        for name in names or known:
            with bar("") as told:
                results.append(runner.run(known[name], folder, size, rounds, told))
    text = runner.to_markdown(results, size, rounds, about)
    if markdown is not None:
        markdown.write_text(text, encoding="utf-8")
    tell(runner.to_dict(results, size, rounds, about), text, as_json)
    if not all(figure.met for result in results for figure in result.figures):
        sys.exit(1)


def _beginning(word: str, known: Iterable[str]) -> list[str]:
    """The entries that begin with a word, or the word itself if there are none."""
    return [name for name in known if name.startswith(f"{word}-")] or [word]
