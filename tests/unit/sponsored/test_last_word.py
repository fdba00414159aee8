"""The last word holds at the door: nothing chosen by purchases after a withdrawal was acknowledged, however many ask meanwhile;
and whatever is said, everybody has as many slots filled as nobody has."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.adverts import PURPOSE, Shop, apples, document

from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.permissions.ledger import Choice
from volens.sponsored import store

CARDS = (1, 2, 3, 4)


def test_while_people_change_their_minds_all_the_time(shop: Shop) -> None:
    shop.run(document(cap={"day": 50, "campaign": 1_000, "visit": 100}), apples(cap={"day": 50, "campaign": 1_000, "visit": 100}))
    over, wrong = threading.Event(), list[str]()
    silent = dict.fromkeys(CARDS, 0)
    """By card: how many withdrawals of hers were acknowledged; odd while she does not permit it."""

    def mind(card: int) -> None:
        number = shop.number(card)
        for _ in range(6):
            shop.house.permissions.record([Choice(number, PURPOSE, "withdrawn", surface="test")])
            silent[card] += 1
            over.wait(0.02)
            silent[card] += 1
            shop.house.permissions.record([Choice(number, PURPOSE, "given", surface="test")])
            over.wait(0.02)

    def look(seed: int) -> None:
        draw = random.Random(seed)
        while not over.is_set():
            card = draw.choice(CARDS)
            before = silent[card]
            shown = shop.ask(card)
            if len(shown) != 2:
                wrong.append(f"{len(shown)} slots of card {card}")
            if before % 2 == 1 and silent[card] == before and any(one.slot.why is not None for one in shown):
                wrong.append(f"card {card} after her withdrawal")

    lookers = [threading.Thread(target=look, args=(seed,)) for seed in range(4)]
    minds = [threading.Thread(target=mind, args=(card,)) for card in CARDS]
    for thread in (*lookers, *minds):
        thread.start()
    for thread in minds:
        thread.join()
    over.set()
    for thread in lookers:
        thread.join()
    assert wrong == []
    _by_the_record(shop)
    shop.clean()


def _by_the_record(shop: Shop) -> None:
    """Of every impression: the last word of its person before its door was a yes."""
    with shop.house._stores.records.reading() as connection:
        words = [row for row in log.rows(connection, EVENTS) if row.purpose == PURPOSE and row.customer is not None]
        rows = store.all_impressions(connection)
    assert rows
    for row in rows:
        said = [word.kind for word in words if word.customer == row.customer and word.seq < row.seq]
        assert [kind for kind in said if kind in ("given", "withdrawn", "refused")][-1] == "given"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["look", "look", "withdraw", "give", "learn", "sweep", "hide", "day"]), st.sampled_from(CARDS)
    ),
    min_size=5, max_size=30,
)  # fmt: skip


def test_whatever_happens_in_whatever_order(shop: Shop) -> None:
    shop.run(document(until="2026-12-31"), apples(until="2026-12-31"))
    permits, knows, last = dict.fromkeys(CARDS, True), dict.fromkeys(CARDS, True), dict[int, str]()
    hid = set[int]()

    def look(card: int) -> None:
        shown = shop.ask(card, 3)
        assert len(shop.ask(None, 3)) == 3
        assert len(shown) == 3 or card in hid, "only what she hid herself leaves a slot empty"
        hers = [one for one in shown if one.slot.why is not None]
        assert not hers or (permits[card] and knows[card])
        if hers:
            last[card] = hers[0].impression
        elif permits[card]:
            return
        for one in shown:
            assert shop.house.sponsored.tell(one).personal is (one.slot.why is not None)

    def withdraw(card: int) -> None:
        if permits[card]:
            shop.say(card)
        permits[card] = False

    def give(card: int) -> None:
        if not permits[card]:
            shop.say(card, "given")
        permits[card] = True

    def learn(card: int) -> None:
        shop.house.sponsored.learn()
        knows.update({one: True for one in CARDS if permits[one]})
        sweep(card)

    def sweep(card: int) -> None:
        shop.house.sponsored.sweep()
        for one in CARDS:
            if not permits[one]:
                knows[one] = False
                last.pop(one, None)

    def hide(card: int) -> None:
        if card in last:
            shop.house.sponsored.hear(last[card], "hide")
            hid.add(card)

    def day(card: int) -> None:
        shop.hand.pass_days(1)

    steps: dict[str, Callable[[int], None]] = {
        "look": look, "withdraw": withdraw, "give": give, "learn": learn, "sweep": sweep, "hide": hide, "day": day,
    }  # fmt: skip

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(STEPS)
    def whatever(said: list[tuple[str, int]]) -> None:
        for name, card in said:
            steps[name](card)

    whatever()
    shop.clean()
