"""Every pair of states: what follows what is data, and nothing else is a step."""

from __future__ import annotations

from itertools import product

import pytest

from volens.errors import NotNow
from volens.licensing import states
from volens.licensing.states import INSTEAD_STEPS, ITEM_STEPS, LICENCE_STEPS, TAKEDOWN_STEPS, USE_STEPS, Steps, step

ALL: dict[str, tuple[Steps, set[tuple[str | None, str]]]] = {
    "licence": (LICENCE_STEPS, {
        (None, "given"), (None, "refused"), ("given", "given"), ("given", "withdrawn"), ("given", "expired"), ("refused", "given"),
        ("withdrawn", "given"), ("expired", "given"), ("expired", "refused"),
    }),
    "item": (ITEM_STEPS, {
        (None, "added"), ("added", "approved"), ("added", "deleted"), ("approved", "approved"), ("approved", "deleted"),
    }),
    "use": (USE_STEPS, {
        (None, "planned"), ("planned", "handed"), ("planned", "cancelled"), ("handed", "handed"), ("handed", "published"),
        ("handed", "down"), ("published", "published"), ("published", "down"),
    }),
    "takedown": (TAKEDOWN_STEPS, {(None, "open"), ("open", "proven")}),
    "instead": (INSTEAD_STEPS, {(None, "chosen"), ("chosen", "done"), ("chosen", "lapsed"), ("lapsed", "chosen")}),
}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_every_pair(name: str) -> None:
    steps, allowed = ALL[name]
    for before, after in product(steps, [one for one in steps if one is not None]):
        assert after is not None
        if (before, after) in allowed:
            step(steps, before, after)
        else:
            with pytest.raises(NotNow):
                step(steps, before, after)


def test_nothing_that_is_not_out_has_bytes_in_other_hands() -> None:
    """States from which a take-down is owed are those that a hand-over leads to."""
    assert {"handed", "published"} == states.OUT
    assert all("handed" not in USE_STEPS[one] for one in ("published", "down", "cancelled"))
