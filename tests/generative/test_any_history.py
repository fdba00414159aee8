"""Any history: the set-wise gate, the pure decision, the stored fold, the door and a pack's exact stage all equal slow plain
references in `tests/reference`, which share no code with them.

What can happen stands in `tests/support/operations.py`. The run fails when a kind of choice, an operation or one of its
marks was never tried, and when the product knows a kind of choice that the reference does not.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.reference.gate import KINDS as PLAIN_KINDS
from tests.support.operations import OPERATIONS, STORIES, Step, run, steps
from tests.support.world import a_world

from volens.permissions.state import KINDS

tried: Counter[str] = Counter()


def live(migrated: Path, history: list[Step]) -> None:
    """One history in a world of its own."""
    with tempfile.TemporaryDirectory() as folder, a_world(Path(folder), migrated, tried) as world:
        for step in history:
            run(world, step)
        world.check()


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_stories(migrated: Path, story: str) -> None:
    live(migrated, STORIES[story])


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(history=steps())
def test_any_history(migrated: Path, history: list[Step]) -> None:
    live(migrated, history)


@pytest.mark.prove
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(history=steps())
def test_many_more_histories(migrated: Path, history: list[Step]) -> None:
    live(migrated, history)


def test_the_reference_knows_every_kind() -> None:
    assert set(PLAIN_KINDS) == set(KINDS), "say in tests/reference/gate.py what this kind of choice means"


@pytest.mark.slow
def test_everything_was_tried() -> None:
    if not tried:
        pytest.skip("the histories did not run in this process")
    wanted = {f"kind: {kind}" for kind in KINDS}
    wanted |= {f"operation: {name}" for name in OPERATIONS}
    wanted |= {mark for one in OPERATIONS.values() for mark in one.marks}
    assert wanted <= set(tried), f"never tried: {', '.join(sorted(wanted - set(tried)))}. Add a story to STORIES."
