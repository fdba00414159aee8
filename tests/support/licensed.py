"""The steps of a house's life that are about licences, each as a command that may be given again after it broke."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from tests.support.licensing import HOUSE, OFFER, SHOPS, SITE, WEBSITE, document, photo
from tests.support.taking_part import BRUNO, CLAIRE, Shop
from volens.app import House
from volens.errors import Refused
from volens.licensing.states import ADDED, APPROVED
from volens.licensing.store import Item
from volens.licensing.takedowns import Proof
from volens.licensing.using import Wanted


def open_an_offer(house: House, shop: Shop) -> None:
    """Two people approve an offer with a licence, and it is launched."""
    offering = house.offering
    offering.registry.propose(document(starts="2026-02-01", ends="2026-05-31"), by=CLAIRE)
    for role, by in (("marketing", CLAIRE), ("dpo", BRUNO)):
        offering.approve(OFFER, role=role, by=by)
    shop.budget(OFFER, 100_000)
    offering.launch(OFFER, "FR", by=CLAIRE)


def permit(house: House, people: Mapping[int, int]) -> None:
    """One says yes, adds three things, says yes to two and deletes the third; two others take the way without."""
    licences, who, other, third = house.licences, *people.values()
    current = licences.chance(who, OFFER).current
    for purpose, yes in ((SITE, True), (SHOPS, False)):
        licences.giving.say(
            who, OFFER, purpose, yes, version=1, language="fr", shown=current.sha256("fr"), adult=True, surface="test"
        )
    there = _items(house, who)
    if not any(one.kind == "photo" for one in there):
        licences.items.add_photo(who, OFFER, photo())
    for _ in range(2 - sum(one.kind == "first-name" for one in there)):
        licences.items.add_text(who, OFFER, "first-name", "Camille")
    first, second, *rest = _items(house, who)
    for one in (first, second):
        licences.items.approve(who, one.item)
    for one in rest:
        licences.items.delete(who, one.item)
    for one in (other, third):
        licences.giving.choose_instead(one, OFFER)
    licences.giving.done_instead(other, OFFER)


def plan(house: House, who: int) -> None:
    """Five uses are planned; their person is told of some by a letter, and of the rest by her page."""
    using = house.licences.using
    item = next(one for one in _items(house, who) if one.state == APPROVED)
    for number in range(5):
        using.plan(HOUSE, Wanted(OFFER, item.item, SITE, WEBSITE, "FR", f"https://le-panier.example/{number}", f"key-{number}"))
    house.delivery.deliver()
    using.note_told()
    using.seen(who)


def publish(house: House, who: int) -> None:
    """Three are handed out and put up, one is given up, one is refused; of those that are up one is refused and comes down."""
    using = house.licences.using
    numbers = {one.use.key: one.use.number for one in house.licences.all_uses()}
    for key in ("key-0", "key-1", "key-2"):
        with suppress(Refused):  # what came down before the break is not handed out again
            using.hand_over(HOUSE, numbers[key])
            using.published(HOUSE, numbers[key], at=house.clock.now(), place=f"https://le-panier.example/up/{key}")
    using.cancel(HOUSE, numbers["key-3"])
    using.refuse(who, numbers["key-4"])
    using.refuse(who, numbers["key-0"])
    using.down(HOUSE, numbers["key-0"], Proof(house.clock.now(), HOUSE.machine, 404))


def withdraw(house: House, who: int) -> None:
    """She takes it back; one is proven down, one is forgotten."""
    numbers = {one.use.key: one.use.number for one in house.licences.all_uses()}
    house.licences.giving.withdraw(who, OFFER, language="fr", surface="test")
    house.licences.done(numbers["key-1"], at=house.clock.now(), by=BRUNO, note="Une autre photo y est.")


def night(house: House) -> None:
    """What ran out ends, what lapsed goes back, and who waits is told that we are late."""
    house.licences.nightly()


def found_in(house: House) -> list[tuple[str, ...]]:
    """What must be as in a life without faults."""
    uses = house.licences.all_uses()
    return sorted((one.use.key, one.use.state, one.takedown.state if one.takedown else "") for one in uses)


def _items(house: House, who: int) -> list[Item]:
    held = house.licences.of_customer(who)
    return [one for each in held for one in each.items if one.state in (ADDED, APPROVED)]

