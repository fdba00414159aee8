"""Each planted fault of the 16 deceptive-design patterns is found by the check that is for it.

That the true site has none of them is in `test_criteria.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from tests.browser.pages import pages
from tests.browser.patterns import CHECKS
from tests.browser.plants import PLANTS, Plant
from tests.browser.site import Site
from tests.browser.ways import Ways

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
FIRST = [next(one for one in PLANTS if one.pattern == number) for number in CHECKS]
"""One for each pattern; all of them against all checks are among the proofs."""


@pytest.fixture
def planted(site: Site, chromium: Browser) -> Callable[[Plant], Ways]:
    """The site with one fault in it, seen where it shows."""

    def make(plant: Plant) -> Ways:
        site.planter.changes[plant.name] = plant.change
        site.planter.changed.discard(plant.name)
        return Ways(site, chromium, plant.name, pages(*plant.places))

    return make


@pytest.mark.parametrize("plant", FIRST, ids=lambda plant: f"{plant.pattern} {plant.name}")
def test_a_planted_fault_is_found_by_the_check_of_its_pattern(plant: Plant, planted: Callable[[Plant], Ways], site: Site) -> None:
    found = next(CHECKS[plant.pattern](planted(plant)), None)
    assert plant.name in site.planter.changed, "the fault was never served: the page that it changes has become another"
    assert found


@pytest.mark.prove
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.pattern} {plant.name}")
def test_a_planted_fault_trips_its_own_check_whatever_else_it_trips(plant: Plant, planted: Callable[[Plant], Ways]) -> None:
    ways = planted(plant)
    tripped = {number: found for number, check in CHECKS.items() if (found := sorted(set(check(ways))))}
    print(f"{plant.pattern} {plant.name} trips {', '.join(tripped)}")
    assert plant.pattern in tripped, tripped


def test_every_pattern_has_a_check_and_a_planted_fault() -> None:
    assert len(CHECKS) == 16
    assert {one.pattern for one in PLANTS} == set(CHECKS)
