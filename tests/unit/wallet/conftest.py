"""A wallet on each database."""

from __future__ import annotations

import pytest
from tests.support.purse import Purse
from tests.support.shop import Shop


@pytest.fixture
def purse(shop: Shop) -> Purse:
    """A wallet with a budget, and nobody in it yet."""
    return Purse(shop)
