"""Which products stand in the slots of a page. Pure: no database, no clock.

Rules:
1. What can be shown follows from the page, from what can be had, and from what is left of each placement: never from who looks.
   So the number of slots that are filled is the same for everybody.
2. Who looks changes the order alone: placements that are for her come first, one product each. What follows stands in the page's
   own order, and is then chosen by the page alone.
3. Of placements that fit equally well each is first in its turn.
4. A product stands once in a page, for one placement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from volens.programme.words import fold
from volens.sponsored.placement import Placement
from volens.sponsored.store import NOTHING, Met

Profile = Mapping[str, Sequence[int]]
"""By category the days, since 1970, on which something of it was bought; ascending."""
BY_WORD, BY_CATEGORY, BY_PAGE = 3, 2, 1


@dataclass(frozen=True)
class Page:
    """Where the slots are. Something of it is known."""

    page: str = ""
    category: str = ""
    search: tuple[str, ...] = ()
    """The words of a search (`words_of`)."""


@dataclass(frozen=True)
class Running:
    """An approved placement on one of its days."""

    number: int
    placement: Placement
    products: Mapping[int, str]
    """Product key → category, of what it sponsors and the catalogue has."""
    words: tuple[tuple[str, ...], ...]

    def fits(self, page: Page) -> int:
        """How well it fits a page; 0 if not at all."""
        contexts = self.placement.contexts
        if page.search and any(_within(words, page.search) for words in self.words):
            return BY_WORD
        if page.category and page.category in contexts.categories:
            return BY_CATEGORY
        return BY_PAGE if page.page and page.page in contexts.pages else 0


@dataclass(frozen=True)
class Candidate:
    """A placement on a page, with the products that it could fill slots with there."""

    running: Running
    products: tuple[int, ...]
    left: int
    """How many of them may still be shown here."""


@dataclass(frozen=True)
class Why:
    """By what something was chosen for somebody: a category, and on how many days she bought of it."""

    category: str
    bought: int


@dataclass(frozen=True)
class Slot:
    """A product in a slot. Without `why` it was chosen by the page alone."""

    number: int
    product: int
    why: Why | None


@dataclass(frozen=True)
class Somebody:
    """Who permits that her purchases choose: what is known of her, and what she has had."""

    profile: Profile
    met: Met = NOTHING


def words_of(said: str) -> tuple[str, ...]:
    """The words of a search, made comparable."""
    return tuple(re.findall(r"\w+", fold(said).text))


def candidates(
    running: Sequence[Running], page: Page, never: frozenset[int], left: Mapping[int, int], turn: int
) -> list[Candidate]:
    """The placements that fit a page, in the page's own order. `left`: by number, how many may still be shown."""
    fitting = [(one, how) for one in running if (how := one.fits(page)) and left.get(one.number, 0) > 0]
    shared, taken = dict[int, tuple[int, ...]](), set[int]()
    for one, _ in fitting:  # in the order of their numbers: whose a shared product is does not turn
        mine = [product for product in sorted(one.products) if product not in never and product not in taken]
        taken |= set(mine)
        shared[one.number] = tuple(_turned(mine, one.products, page.category, turn))
    size = max(1, len(fitting))
    ordered = sorted(enumerate(fitting), key=lambda entry: (-entry[1][1], (entry[0] - turn) % size))
    return [
        Candidate(one, shared[one.number], min(left[one.number], len(shared[one.number])))
        for _, (one, _) in ordered
        if shared[one.number]
    ]


def fill(found: Sequence[Candidate], slots: int, somebody: Somebody | None, today: int, since: int) -> list[Slot]:
    """What stands in the slots: as many as there are, or as the page has. Days are since 1970."""
    if somebody is not None:
        found = [one for one in found if one.running.number not in somebody.met.hidden]
    left = {one.running.number: one.left for one in found}
    told, shown = list[Slot](), set[int]()

    def put(one: Candidate, product: int, why: Why | None) -> None:
        told.append(Slot(one.running.number, product, why))
        shown.add(product)
        left[one.running.number] -= 1

    if somebody is not None:
        for one, why in _hers(found, somebody, today, since):
            if len(told) < slots and left[one.running.number] > 0:
                put(one, _of(one, why.category), why)
    hers = {slot.number for slot in told}
    for again in (False, True):  # first each placement once, then what is left of them
        for one in found:
            for product in one.products if again else one.products[:1]:
                fresh = product not in shown and left[one.running.number] > 0 and len(told) < slots
                if fresh and (again or one.running.number not in hers):
                    put(one, product, None)
    return told


def _hers(found: Sequence[Candidate], somebody: Somebody, today: int, since: int) -> list[tuple[Candidate, Why]]:
    """Placements that are for her and of which she has not had enough; what she bought most often first."""
    for_her = []
    for one in found:
        number, cap = one.running.number, one.running.placement.cap
        met = somebody.met
        if met.today.get(number, 0) >= cap.day or met.ever.get(number, 0) >= cap.campaign:
            continue
        why = why_for(one.running, somebody.profile, today, since)
        if why is not None:
            for_her.append((one, why))
    return sorted(for_her, key=lambda entry: -entry[1].bought)


def why_for(running: Running, profile: Profile, today: int, since: int) -> Why | None:
    """By what a placement is for somebody; none if it is not."""
    placement = running.placement
    if not placement.personal:
        return None
    for want in placement.bought:
        if len({day for name in want.categories for day in _days(profile, name, today - want.days + 1)}) < want.visits:
            return None
    if any(_days(profile, name, today - lack.days + 1) for lack in placement.not_bought for name in lack.categories):
        return None
    named = {name for want in placement.bought for name in want.categories} or set(running.products.values())
    best = max(((len(_days(profile, name, since)), name) for name in sorted(named)), default=(0, ""))
    return Why(best[1], best[0]) if best[0] > 0 else None


def _days(profile: Profile, category: str, first: int) -> list[int]:
    return [day for day in profile.get(category, ()) if day >= first]


def _of(one: Candidate, category: str) -> int:
    """The product to show: one of the category that it was chosen by, where there is one."""
    return next((product for product in one.products if one.running.products[product] == category), one.products[0])


def _turned(products: Sequence[int], category_of: Mapping[int, str], category: str, turn: int) -> list[int]:
    """Each product first in its turn; those of the page's category before others."""
    start = turn % max(1, len(products))
    turned = [*products[start:], *products[:start]]
    return sorted(turned, key=lambda product: category_of[product] != category)


def _within(words: tuple[str, ...], search: tuple[str, ...]) -> bool:
    """Whether some words stand in a search, one after the other."""
    size = len(words)
    return size > 0 and any(search[place : place + size] == words for place in range(len(search) - size + 1))
