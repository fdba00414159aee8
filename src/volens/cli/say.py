"""How the command line speaks: results to standard output, progress and errors to standard error.

Rules:
1. `--json` gives one JSON value on standard output and nothing else there.
2. An error is one sentence of what happened and one of what to do; the exit code is the error's own.
3. What takes longer than two seconds shows a bar.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from volens.clock import Clock, system
from volens.errors import VolensError

P = ParamSpec("P")
R = TypeVar("R")

STEPS = {
    "reading": "Reading",
    "writing": "Writing",
    "relabelling": "Relabelling",
    "removing": "Removing from",
    "compacting": "Compacting",
    "deleting": "Deleting from",
}
class _Size(click.ParamType[int]):
    """A whole number that may be large: 50m, 1.47m, 20k or 20,000."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """As an int above zero."""
        text = str(value).strip().lower().replace(",", "").replace("_", "")
        times = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}.get(text[-1:], 1)
        try:
            number = Decimal(text if times == 1 else text[:-1]) * times
        except InvalidOperation:
            self.fail(f"{value!r} is not a number; write 50m, 1.47m, 20k or 20000", param, ctx)
        if not number.is_finite() or number != int(number) or number < 1:
            self.fail(f"{value!r} is not a whole number above zero", param, ctx)
        return int(number)


SIZE = _Size()
out = Console(soft_wrap=True, highlight=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False)


def house_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--house`, the folder that `volens init` made."""
    return click.option(
        "--house",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        envvar="VOLENS_HOUSE",
        help="The folder made by 'volens init'. Also VOLENS_HOUSE. Default: the current folder.",
    )(function)


def json_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--json`, for scripts."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON value for scripts.")(function)


def speaking(function: Callable[P, R]) -> Callable[P, R]:
    """Turns our errors into words and exit codes. Anything else is a defect and keeps its traceback."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except VolensError as error:
            if kwargs.get("as_json"):
                click.echo(json.dumps({"error": error.what, "remedy": error.remedy, "exit_code": error.exit_code}))
            errors.print(f"[bold red]✗[/] {_plain(error.what)}")
            if error.remedy:
                errors.print(f"  [dim]→[/] {_plain(error.remedy)}")
            sys.exit(error.exit_code)

    return wrapped


def tell(value: Any, text: str, as_json: bool) -> None:
    """The result, in one of its two forms."""
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False, default=str))
    else:
        click.echo(text)


def clock() -> Clock:
    """The machine's clock. The only place where the command line takes one."""
    return system()


@contextmanager
def bar(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error: call it with step, done and total. Silent when nobody looks."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def told(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(f"{STEPS.get(step, step)} {title}", total=total or None)
            progress.update(tasks[step], completed=done, total=total or None)

        yield told


def _plain(text: str) -> str:
    """Brackets are not markup in what comes from files and databases."""
    return text.replace("[", "\\[")
