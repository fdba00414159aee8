"""A list that was made before a no sends nothing after it, whoever asks at the same time."""

from __future__ import annotations

import threading
from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.letters import EMAIL, Letters, message

from volens.messaging import store


def test_a_queue_built_before_a_no_sends_nothing_after_it(letters: Letters) -> None:
    """Tools ask in batches while people withdraw, each in a thread of her own: nothing is let out after a no has returned."""
    queue = [message(person, f"q{person}-{turn}", channel=channel)
             for turn, person, channel in product(range(2), range(1, 13), ("email", "sms"))]  # fmt: skip
    refusing = [1, 2, 3, 4, 5, 6]
    withdrawn: dict[int, int] = {}
    let_out: list[tuple[int, int]] = []
    begin = threading.Barrier(3)

    def withdraw() -> None:
        begin.wait()
        for person in refusing:
            letters.say(person, "withdrawn", EMAIL)
            withdrawn[person] = letters.house.permissions.newest(letters.number(person))

    def ask(some: list[dict[str, object]]) -> None:
        begin.wait()
        for start in range(0, len(some), 4):
            batch = some[start : start + 4]
            before = set(withdrawn)
            for one, answer in zip(batch, letters.ask(*batch), strict=True):
                person = int(str(one["card"])[1:])
                if one["channel"] == "email" and person in before:
                    assert not answer.send, "the no had returned before this was asked"
                let_out.append((person, int(answer.send)))

    threads = [threading.Thread(target=withdraw), *(threading.Thread(target=ask, args=(queue[half::2],)) for half in (0, 1))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(let_out) == len(queue)
    with letters.house._stores.records.reading() as connection:
        rows = [row for row in store.everything(connection) if row.left and row.channel == "email"]
    for person in refusing:
        ours = [row.door for row in rows if row.customer == letters.number(person)]
        assert all(door < withdrawn[person] for door in ours), "a door after her no let something out"
        assert not letters.one(person, f"after-{person}").send
    assert not any(row.left for row in rows if row.customer is None)
    letters.audited()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["ask", "no", "yes", "link", "bounce"])), max_size=12))
def test_whatever_happens_the_last_word_holds(letters: Letters, steps: list[tuple[int, str]]) -> None:
    """Against a model: who may be written to is who said yes after every no and every report."""
    count = len(letters.house.messages.batches(10_000))
    may = dict.fromkeys((1, 2, 3), False)
    for person in may:
        letters.say(person, "given")
        may[person] = True
    links: dict[int, str] = {}
    for place, (person, step) in enumerate(steps):
        letters.hand.pass_days(31)
        if step == "ask":
            answer = letters.one(person, f"{count}-{place}")
            assert answer.send == may[person], (steps, place)
            if answer.enclosed is not None and answer.enclosed.unsubscribe:
                links[person] = answer.enclosed.unsubscribe.rsplit("/", 1)[1]
        elif step == "no":
            letters.say(person, "withdrawn")
            may[person] = False
        elif step == "yes":
            letters.say(person, "given")
            may[person] = True
        elif step == "link" and person in links:
            letters.house.messages.unsubscribe(links[person], language="fr")
            may[person] = False
        elif step == "bounce":
            letters.report(channel="email", email=f"p{person}@example.org", reason="bounce")
            may[person] = False
