"""Every write is broken twice: lost, and kept but reported lost. Then the command is given again, as its user would, the
life of the house goes on, and every invariant is checked (`tests/support/household.py`).

`make prove` breaks places of the product that write, in every step in which they do, at one of the times. The run fails when a
place is in no step.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

import pytest
from tests.support.faults import LOST, MODES, Site, exempt, faults, sites
from tests.support.household import STEPS, Found, Household, judge
from tests.support.needs import postgres_answers, require
from tests.support.rewinding import Rows

from volens.errors import VolensError

NAMES = list(STEPS)
TO_THE_END = 0.25
"""Of the steps, so many go on to the end of the life after one of their breaks; the others are judged at once."""


@dataclass
class Rewind:
    """A house whose state after each step is kept, so that any step can be taken from there again and again."""

    life: Household
    kept: Path
    rows: Rows | None
    """On PostgreSQL: what rests there."""

    def save(self, place: str) -> None:
        """Keeps the state of now under a name."""
        shutil.copytree(self.life.folder, self.kept / place)
        if self.rows:
            self.rows.save(place)

    def load(self, place: str) -> None:
        """Brings it back."""
        shutil.rmtree(self.life.folder)
        shutil.copytree(self.kept / place, self.life.folder)
        if self.rows:
            self.rows.load(place)

    @cached_property
    def unbroken(self) -> tuple[list[Found], list[list[frozenset[Site]]]]:
        """The life without faults: what is found after each step, and which writes each step made."""
        found, writes = [], []
        for place, name in enumerate(NAMES):
            self.save(str(place))
            with faults() as counted:
                STEPS[name](self.life)
            writes.append(counted.seen)
            self.save("aside")  # judging writes too (a checkpoint); the life goes on from before it
            found.append(judge(self.life, place + 1))
            self.load("aside")
            shutil.rmtree(self.kept / "aside")
        return found, writes


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def rewind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rewind]:
    """A life on each database. `make prove` gives a file to one process, which lives it once."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "live").mkdir()
    rows = url = None
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "postgresql":
            missing = postgres_answers()
            if missing:
                require("postgres", missing)
            rows = Rows(f"volens_broken_{secrets.token_hex(4)}")
            url = rows.url("records")
            patch.setenv("VOLENS_CUSTOMER_KEYS_URL", rows.url("customer_keys"))
        yield Rewind(Household(folder / "live", url), folder, rows)
        if rows:
            rows.drop()


def one_break(rewind: Rewind, place: int, at: int, mode: str, *, to_the_end: bool) -> None:
    """Breaks one write of one step, gives the command again, and judges."""
    found, _ = rewind.unbroken
    rewind.load(str(place))
    step = STEPS[NAMES[place]]
    with faults(at, mode) as made:
        told = _told_of_it(rewind, place)
    assert made.broken is not None, f"{NAMES[place]} made fewer writes than before"
    where = f"{NAMES[place]}, write {at} ({', '.join(sorted(f'{module}:{name}' for module, name in made.broken))}), {mode}"
    assert told, f"{where}: the command said that all was well"
    try:
        step(rewind.life)
        last = place
        if to_the_end:
            for last in range(place + 1, len(NAMES)):
                STEPS[NAMES[last]](rewind.life)
        now = judge(rewind.life, last + 1)
    except Exception as error:
        raise AssertionError(f"after {where}: {error}") from error
    assert now == found[last], f"after {where}: not as in a life without faults"


def _told_of_it(rewind: Rewind, place: int) -> bool:
    """Takes a step in which a write breaks; whether its user was told."""
    try:
        STEPS[NAMES[place]](rewind.life)
    except (VolensError, OSError):
        return True
    return False


def worth_breaking(writes: list[frozenset[Site]], chosen: Random) -> list[int]:
    """One write of a step through each set of places: the first, the last, or one between."""
    through: dict[frozenset[Site], list[int]] = {}
    for at, places in enumerate(writes):
        through.setdefault(places, []).append(at)
    return sorted(chosen.choice(every) for every in through.values())


@pytest.mark.prove
@pytest.mark.parametrize("place", range(len(NAMES)), ids=NAMES)
def test_every_write(rewind: Rewind, place: int) -> None:
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    chosen = Random(seed)
    _, writes = rewind.unbroken
    worth = worth_breaking(writes[place], chosen)
    most = 2 if rewind.rows else 4
    worth = sorted(chosen.sample(worth, min(most, len(worth))))
    through_to_the_end = chosen.choice(worth) if chosen.random() < TO_THE_END else None
    for at in worth:
        for mode in MODES:
            one_break(rewind, place, at, mode, to_the_end=at == through_to_the_end and mode == LOST)
    print(f"{len(worth) * len(MODES)} breaks of {len(writes[place])} writes")


@pytest.mark.prove
def test_every_place_that_writes_is_broken_somewhere(rewind: Rewind) -> None:
    """A place that writes and is in no step of the life needs one, or a reason in EXEMPT."""
    _, writes = rewind.unbroken
    reached = {site for step in writes for through in step for site in through}
    missing = {site for site in sites() if not exempt(site)} - reached
    told = "\n".join(f"{module}: {name}" for module, name in sorted(missing))
    assert not missing, f"these write and no step breaks them:\n{told}"
