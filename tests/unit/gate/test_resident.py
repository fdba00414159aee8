"""Point decisions from memory: equal to `decide` on the stored permission, never older than the question, no when in doubt."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap
from sqlalchemy import Connection, text
from tests.support.shop import FIELDS, JUICE, REMINDERS, SOAP, STATISTICS, Shop

from volens.evidence import log
from volens.evidence.ended import ended as ended_now
from volens.evidence.log import EVENTS, Event
from volens.gate import resident
from volens.gate.policy import decide, without_flows, without_texts
from volens.permissions.ledger import Choice


def allowed(shop: Shop, customer: int, recipient: str = JUICE, purpose: str = STATISTICS) -> bool:
    return shop.gate.decide_now(customer, shop.request(recipient, purpose)).verdict.allowed


def test_the_last_word_holds_for_the_next_question(shop: Shop) -> None:
    (customer,) = shop.people(1)
    assert not allowed(shop, customer)
    for kind, holds in (("given", True), ("withdrawn", False), ("renewed", True)):
        seq = shop.say(customer, kind)
        decision = shop.gate.decide_now(customer, shop.request())
        assert decision.verdict.allowed is holds
        assert decision.position == seq + 1
    explained = shop.gate.explain(customer, shop.request())
    assert explained.verdict.allowed
    assert "renewed on 2026-03-02" in explained.verdict.reasons[0]


def test_what_is_not_declared_is_refused_without_asking(shop: Shop) -> None:
    (customer,) = shop.people(1)
    for request in (shop.request(purpose="astrology"), shop.request(recipient="stranger"), shop.request(fields=("name",))):
        decision = shop.gate.decide_now(customer, request)
        assert (decision.verdict.allowed, decision.position) == (False, None)


def test_another_day_another_text_another_programme(shop: Shop) -> None:
    first, second = shop.people(2)
    shop.say(first, "notified", REMINDERS)
    shop.say(second, "given", old=True)
    assert not allowed(shop, first, "shop", REMINDERS)
    shop.hand.pass_days(30)
    assert allowed(shop, first, "shop", REMINDERS), "the waiting period is over, and nothing was recorded meanwhile"
    assert allowed(shop, second)
    shop.ledger.invalidate("statistics/1", shop.hand.instant.date(), why="x", by="y")
    assert not allowed(shop, second)
    with shop.records.writing() as connection:
        log.append(connection, "public", [log.Event("programme", detail={"digest": "another", "purposes": {}})])
    decision = shop.gate.decide_now(first, shop.request("shop", REMINDERS))
    assert not decision.verdict.allowed
    assert "programme has changed" in decision.verdict.reasons[0]


def test_a_ledger_that_does_not_answer_is_no(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    assert allowed(shop, customer)
    with shop.records.writing() as connection:
        connection.execute(text("alter table heads rename to elsewhere"))
    assert shop.gate.decide_now(customer, shop.request()).verdict.reasons == (resident.SILENT,)
    with shop.records.writing() as connection:
        connection.execute(text("alter table elsewhere rename to heads"))
    assert allowed(shop, customer)
    held = threading.Event()
    monkeypatch.setattr(resident, "ANSWER_SECONDS", 0.05)
    real = resident.store.look
    monkeypatch.setattr(resident.store, "look", lambda *asked: (held.wait(5), real(*asked))[1])
    assert shop.gate.decide_now(customer, shop.request()).verdict.reasons == (resident.SILENT,)
    held.set()
    monkeypatch.setattr(resident, "ANSWER_SECONDS", 5)
    assert allowed(shop, customer)


def test_while_everybody_is_read_those_who_are_asked_about_are_looked_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = shop.people(2)
    shop.say(first, "given")
    begun, free, real, read = threading.Event(), threading.Event(), resident.store.permitted, list[BitMap | None]()

    def slow(connection: Connection, *covered: Any) -> BitMap:
        read.append(covered[3] if len(covered) > 3 else None)
        if read[-1] is None:
            begun.set()
            free.wait(10)
        return real(connection, *covered)

    monkeypatch.setattr(resident.store, "permitted", slow)
    assert allowed(shop, first)
    assert begun.wait(10)
    assert not allowed(shop, second)
    shop.say(first, "withdrawn")
    shop.say(second, "given")
    assert not allowed(shop, first)
    assert allowed(shop, second)
    assert read.count(None) == 1, "read whole once, however often it is asked for meanwhile"
    free.set()
    until = time.monotonic() + 10
    while read and time.monotonic() < until:
        time.sleep(0.01)
        read.clear()
        assert allowed(shop, second)
    assert not read, "from memory"
    shop.say(second, "withdrawn")
    assert not allowed(shop, second)
    assert read == [BitMap([second])], "what is in memory is brought up by whoever changed something"


def test_many_who_ask_at_once_each_get_their_own_answer(shop: Shop) -> None:
    people = shop.people(8)
    shop.ledger.record([Choice(customer, STATISTICS, "given") for customer in people[::2]])
    answers: dict[int, bool] = {}
    threads = [
        threading.Thread(target=lambda who=who: answers.update({who: allowed(shop, who)})) for who in people for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {who: place % 2 == 0 for place, who in enumerate(people)}


def test_after_closing_the_answer_is_no(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    shop.gate.close()
    assert not allowed(shop, customer)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 3), st.sampled_from(["given", "withdrawn", "refused", "requested", "renewed"]),
                  st.sampled_from(["*", JUICE, SOAP]), st.booleans()),
        st.integers(1, 200),
        st.sampled_from(["end", "flow-closed", "flow-opened"]),
    ),
    max_size=12,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(steps=STEPS, reload_above=st.sampled_from([0, 20_000]))
def test_any_history_gives_what_decide_gives(shop: Shop, steps: list[object], reload_above: int) -> None:
    people = shop.people(4)
    shop.ledger.refuse_everything(people[0], surface="a test")
    monkey = pytest.MonkeyPatch()
    monkey.setattr(resident, "RELOAD_ABOVE", reload_above)
    for step in steps:
        if isinstance(step, int):
            shop.hand.pass_days(step)
        elif step == "end":
            shop.ledger.invalidate("statistics/1", shop.hand.instant.date(), why="x", by="y")
        elif isinstance(step, str):
            with shop.records.writing() as connection:
                log.append(connection, EVENTS, [Event(step, purpose=STATISTICS, recipient=JUICE, day=shop.hand.instant.date())])
        elif isinstance(step, tuple):
            place, kind, to, old = step
            with shop.records.reading() as connection:
                ended = log.texts_ended(connection)
            if kind in ("given", "renewed") and old and (to == SOAP or "statistics/1" in ended):
                continue
            shop.say(people[place], kind, recipient=to, old=old)
        today = shop.hand.instant.date()
        for recipient in (JUICE, SOAP):
            time.sleep(0.001)  # so that bitmaps are in memory as often as not
            request = replace(shop.request(recipient), fields=FIELDS, start=today, end=today + timedelta(days=1))
            with shop.records.reading() as connection:
                gone = ended_now(connection)
                rules = without_flows(without_texts(shop.rules, gone.texts), gone.flows)
            for customer in people:
                standing = {row.recipient: row for row in shop.ledger.of_customer(customer) if row.purpose == STATISTICS}
                expected = decide(request, standing.get(recipient), rules, today)
                assert shop.gate.decide_now(customer, request).verdict.allowed is expected.allowed
                assert shop.gate.explain(customer, request).verdict == expected
    monkey.undo()
