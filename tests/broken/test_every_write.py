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
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from tests.support.faults import LOST, MODES, Site, exempt, faults, sites
from tests.support.household import STEPS, Found, Household, judge
from tests.support.needs import AT_ONCE, POSTGRES_URL, postgres_answers, require

from volens.errors import VolensError

NAMES = list(STEPS)


@dataclass
class Rewind:
    """A house whose state after each step is kept, so that any step can be taken from there again and again."""

    life: Household
    kept: Path
    database: str | None
    """On PostgreSQL: the name of a database of its own."""

    def save(self, place: int) -> None:
        """Keeps the state before the step at `place`."""
        shutil.copytree(self.life.folder, self.kept / str(place))
        if self.database:
            _administer(f'create database "{self.database}_{place}" template "{self.database}"')

    def load(self, place: int) -> None:
        """Brings it back."""
        shutil.rmtree(self.life.folder)
        shutil.copytree(self.kept / str(place), self.life.folder)
        if self.database:
            _administer(f'drop database "{self.database}" with (force)')
            _administer(f'create database "{self.database}" template "{self.database}_{place}"')

    def drop(self) -> None:
        if self.database:
            for name in [self.database, *(f"{self.database}_{place}" for place in range(len(NAMES)))]:
                _administer(f'drop database if exists "{name}" with (force)')

    @cached_property
    def unbroken(self) -> tuple[list[Found], list[list[frozenset[Site]]]]:
        """The life without faults: what is found after each step, and which writes each step made."""
        found, writes = [], []
        for place, name in enumerate(NAMES):
            self.save(place)
            with faults() as counted:
                STEPS[name](self.life)
            writes.append(counted.seen)
            self.save_aside(place)
            found.append(judge(self.life, place + 1))
            self.load_aside()
        return found, writes

    def save_aside(self, place: int) -> None:
        """Judging writes too (a checkpoint); the life goes on from before it."""
        self._aside = place
        shutil.copytree(self.life.folder, self.kept / "aside")
        if self.database:
            _administer(f'create database "{self.database}_aside" template "{self.database}"')

    def load_aside(self) -> None:
        shutil.rmtree(self.life.folder)
        shutil.move(self.kept / "aside", self.life.folder)
        if self.database:
            _administer(f'drop database "{self.database}" with (force)')
            _administer(f'alter database "{self.database}_aside" rename to "{self.database}"')


def _administer(statement: str) -> None:
    engine = create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="module", params=[
    pytest.param("sqlite", marks=pytest.mark.xdist_group("broken on SQLite")),
    pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.xdist_group("broken on PostgreSQL")]),
])
def rewind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rewind]:
    """A life on each database; all of one process, which lives it once."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "live").mkdir()
    database = url = None
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "postgresql":
            missing = postgres_answers()
            if missing:
                require("postgres", missing)
            database = f"volens_broken_{secrets.token_hex(4)}"
            _administer(f'create database "{database}"')
            place = make_url(POSTGRES_URL).set(database=database)
            options = [f"{AT_ONCE} -csearch_path={name}" for name in ("records", "customer_keys")]
            schemas = [place.update_query_dict({"options": one}) for one in options]
            url = schemas[0].render_as_string(hide_password=False)
            patch.setenv("VOLENS_CUSTOMER_KEYS_URL", schemas[1].render_as_string(hide_password=False))
        made = Rewind(Household(folder / "live", url), folder, database)
        yield made
        made.drop()


def one_break(rewind: Rewind, place: int, at: int, mode: str, *, to_the_end: bool) -> None:
    """Breaks one write of one step, gives the command again, and judges."""
    found, _ = rewind.unbroken
    rewind.load(place)
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
    most = 2 if rewind.database else 4
    worth = sorted(chosen.sample(worth, min(most, len(worth))))
    through_to_the_end = chosen.choice(worth)
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
