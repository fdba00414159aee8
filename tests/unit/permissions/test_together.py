"""Many threads, one ledger: each call is durable when it returns, and each learns only of its own mistakes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from tests.support.shop import STATISTICS, Shop

from volens.audit.replay import check_choices_and_uses
from volens.audit.report import Report
from volens.errors import NotFound, Unavailable, VolensError
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.permissions.ledger import Choice
from volens.permissions.together import Job, Together


def at_once(works: list[Callable[[], object]]) -> list[BaseException | None]:
    """Runs all of them in threads that start together; what each raised."""
    raised: list[BaseException | None] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except VolensError as error:
            raised[place] = error

    threads = [threading.Thread(target=run, args=one) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_eight_writers_lose_nothing_and_every_seq_is_its_own(shop: Shop) -> None:
    people = shop.people(8)
    seqs: dict[int, list[int]] = {who: [] for who in people}

    def speak(who: int) -> None:
        for kind in ("given", "withdrawn", "given"):
            seqs[who] += shop.ledger.record([Choice(who, STATISTICS, kind)])

    assert at_once([lambda who=who: speak(who) for who in people]) == [None] * 8
    with shop.records.reading() as connection:
        for who in people:
            rows = {row.seq: row for row in log.rows(connection, EVENTS, customer=who) if row.kind != "linked"}
            assert sorted(rows) == seqs[who], "what was acknowledged is there, in its order"
            assert [rows[seq].kind for seq in seqs[who]] == ["given", "withdrawn", "given"]
        report = Report()
        check_choices_and_uses(connection, report)
    assert report.ok, report.to_text()


def test_one_callers_mistake_stays_that_callers(shop: Shop) -> None:
    first, gone, third = shop.people(3)
    shop.vault.destroy_key(gone)
    works = [
        lambda who=who, kind=kind: shop.ledger.record([Choice(who, STATISTICS, kind)])
        for who, kind in ((first, "given"), (99, "given"), (gone, "given"), (third, "refused")) * 2
    ]
    raised = at_once(works)
    assert [type(error) for error in raised] == [type(None), NotFound, NotFound, type(None)] * 2
    assert shop.ledger.of_customer(first)[0].permits


def test_a_yes_by_old_rules_is_refused_and_a_no_beside_it_is_not(shop: Shop) -> None:
    first, second = shop.people(2)
    with shop.records.writing() as connection:
        log.append(connection, "public", [log.Event("programme", detail={"digest": "another", "purposes": {}})])
    raised = at_once([
        lambda: shop.ledger.record([Choice(first, STATISTICS, "given")]),
        lambda: shop.ledger.record([Choice(second, STATISTICS, "refused")]),
    ])  # fmt: skip
    assert [type(error) for error in raised] == [Unavailable, type(None)]


def test_when_the_shared_transaction_fails_everybody_in_it_is_told(shop: Shop) -> None:
    people = shop.people(4)
    with shop.records.writing() as connection:
        connection.execute(text("alter table permissions rename to elsewhere"))
    raised = at_once([lambda who=who: shop.ledger.record([Choice(who, STATISTICS, "given")]) for who in people])
    assert {type(error) for error in raised} == {Unavailable}
    with shop.records.writing() as connection:
        connection.execute(text("alter table elsewhere rename to permissions"))
        assert not [row for row in log.rows(connection, EVENTS) if row.kind == "given"], "undone whole"
    shop.say(people[0], "given")


def test_a_leader_that_is_interrupted_leaves_nobody_waiting() -> None:
    entered, go_on = threading.Event(), threading.Event()
    served: list[int] = []

    def serve(jobs: list[Job[int, int]]) -> None:
        if jobs[0].work == 0:
            entered.set()
            go_on.wait(5)
            raise KeyboardInterrupt
        for job in jobs:
            served.append(job.work)
            job.answer = job.work

    together = Together(serve, limit=2)
    outcome: list[object] = []

    def first() -> None:
        with pytest.raises(KeyboardInterrupt):
            together.submit(0)
        outcome.append("interrupted")

    threads = [threading.Thread(target=first)]
    threads[0].start()
    entered.wait(5)
    threads += [threading.Thread(target=lambda n=n: outcome.append(together.submit(n))) for n in (1, 2, 3)]
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert sorted(served) == [1, 2, 3]
    assert set(outcome) == {"interrupted", 1, 2, 3}
