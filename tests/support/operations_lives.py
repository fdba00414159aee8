"""Cards turn out to be another customer's, are taken back, and their lines follow."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.operations import PLACES, STORIES, operation
from tests.support.world import JUICE, STATISTICS, World
from volens.errors import BadInput


@operation(
    "link",
    st.tuples(PLACES, PLACES),
    marks=("link: a yes was taken", "link: both kept a yes", "link: a stricter yes stands for both", "link: the card moved again"),
)
def link(world: World, card: int, place: int) -> None:
    """The card of somebody becomes somebody else's."""
    customer, said = world.people[place], len(world.history)
    if world.lives.formers.get(card) and world.lives.holder[card] != customer:
        world.mark("link: the card moved again")
    former = world.lives.holder[card]
    world.linking.link(world.account_of(card), customer, by="a test")
    world.lives.link(world.history, card, customer, world.today, world.programme)
    new = world.history[said:]
    if any(word.kind == "revoked" for word in new):
        world.mark("link: a yes was taken")
    if any(word.kind != "revoked" for word in new):
        world.mark("link: a stricter yes stands for both")
    if former != customer and {former, customer} <= world.permitted(world.asked(STATISTICS, JUICE)):
        world.mark("link: both kept a yes")


@operation("unlink", st.tuples(PLACES), marks=("unlink: there was nothing to take back",))
def unlink(world: World, card: int) -> None:
    """The newest link of a card is taken back."""
    if world.lives.unlink(world.history, card):
        world.linking.unlink(world.account_of(card), by="a test")
        return
    try:
        world.linking.unlink(world.account_of(card), by="a test")
    except BadInput:
        world.mark("unlink: there was nothing to take back")
        return
    raise AssertionError("a link that never was, was taken back")


@operation("follow", st.just(()), marks=("follow: lines moved", "follow: a word was given back", "follow: a no of both"))
def follow(world: World) -> None:
    """The lines of cards that moved follow, and words are given back."""
    said = len(world.history)
    if world.follow():
        world.mark("follow: lines moved")
    new = world.history[said:]
    if any(word.kind != "revoked" for word in new):
        world.mark("follow: a word was given back")
    if any(word.kind == "revoked" for word in new):
        world.mark("follow: a no of both")


ALL_YES = [("choice", (place, STATISTICS, "*", "given")) for place in range(4)]

STORIES["a card that is linked by mistake"] = [
    ("feed", ({(1, 3, 0): {"J1": 2}},)),
    *ALL_YES[:2],
    ("time", (30,)),
    ("choice", (1, STATISTICS, "*", "renewed")),
    ("link", (1, 0)),
    ("follow", ()),
    ("choice", (0, STATISTICS, JUICE, "withdrawn")),
    ("unlink", (1,)),
    ("follow", ()),
    ("unlink", (1,)),
]
STORIES["a chain of links, taken back from its end"] = [
    ("feed", ({(0, 3, 0): {"J1": 2}, (1, 4, 0): {"J2": 1}},)),
    *ALL_YES,
    ("choice", (2, STATISTICS, "*", "refused")),
    ("link", (0, 1)),
    ("link", (0, 2)),
    ("choice", (2, STATISTICS, "*", "given")),
    ("choice", (1, STATISTICS, "*", "given")),
    ("follow", ()),
    ("unlink", (0,)),
    ("choice", (1, STATISTICS, "*", "withdrawn")),
    ("follow", ()),
    ("unlink", (0,)),
    ("link", (3, 0)),
    ("follow", ()),
]
STORIES["a no of the new holder before the night, and words given back"] = [
    *ALL_YES[1:],
    ("link", (1, 0)),
    ("unlink", (1,)),
    ("follow", ()),
    ("link", (1, 2)),
    ("choice", (2, STATISTICS, "*", "withdrawn")),
    ("feed", ({(1, 3, 0): {"J1": 2}},)),
    ("unlink", (1,)),
    ("follow", ()),
]
