"""No ring and no second sponsor: by the database itself, whatever anybody writes to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from volens.databases.connect import SqlDatabase
from volens.errors import VolensError
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.referring import signal_store, store
from volens.referring.store import Tie

PEOPLE = 7
REFUSALS = (IntegrityError, DBAPIError, VolensError)


def a_tie(number: int, friend: int, sponsor: int, place: int, above: int) -> Tie:
    """An invitation at two generations, right or wrong."""
    return Tie(
        number, friend, place, sponsor, above, "amis", "FR", "open", "2026-12-03T09:00:00+00:00", None, None, "", "", None, None,
        "", None, number,
    )  # fmt: skip


def clear(records: SqlDatabase) -> None:
    with records.writing() as connection:
        connection.execute(text("delete from referral_ties"))
        connection.execute(text("delete from referral_people"))


def require_forest(ties: list[Tie]) -> None:
    """One sponsor each, and no way that leads back: by walking, apart from generations."""
    above = {one.friend: one.sponsor for one in ties}
    assert len(above) == len(ties)
    for start in above:
        way, at = [start], start
        while at in above:
            at = above[at]
            assert at not in way, f"{way} leads back"
            way.append(at)


number = st.integers(0, PEOPLE - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("place"), number, st.integers(0, 3)),
        st.tuples(st.just("tie"), number, number, st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("honest"), number, number),
        st.tuples(st.just("forget"), number),
        st.tuples(st.just("raise"), number, st.integers(0, 3)),
        st.tuples(st.just("turn"), number, number),
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_no_history_of_writes_makes_a_ring(records: SqlDatabase, history: list[tuple[object, ...]]) -> None:
    clear(records)
    for count, (what, *values) in enumerate(history):
        with suppress(*REFUSALS), records.writing() as connection:
            _write(connection, count, str(what), [int(value) for value in values])  # type: ignore[call-overload]
        with records.reading() as connection:
            require_forest(store.all_ties(connection))


def _write(connection: object, count: int, what: str, values: list[int]) -> None:
    """One write, as a program without rules would."""
    run: Callable[..., object] = connection.execute  # type: ignore[attr-defined]
    if what == "place":
        store.place(connection, *values)  # type: ignore[arg-type]
    elif what == "tie":
        store.tie(connection, a_tie(count, *values))  # type: ignore[arg-type]
    elif what == "honest":
        friend, sponsor = values
        if store.generation(connection, sponsor) is None:  # type: ignore[arg-type]
            store.place(connection, sponsor, 0)  # type: ignore[arg-type]
        above = store.generation(connection, sponsor) or 0  # type: ignore[arg-type]
        if store.generation(connection, friend) is None:  # type: ignore[arg-type]
            store.place(connection, friend, above + 1)  # type: ignore[arg-type]
        store.tie(connection, a_tie(count, friend, sponsor, above + 1, above))  # type: ignore[arg-type]
    elif what == "forget":
        signal_store.forget(connection, values[0])  # type: ignore[arg-type]
    elif what == "raise":
        run(text("update referral_people set generation = :to where customer = :who"), {"who": values[0], "to": values[1]})
    else:
        run(text("update referral_ties set sponsor = :to where friend = :who"), {"who": values[0], "to": values[1]})


@pytest.mark.parametrize("statement", ["update referral_ties set sponsor = 3", "update referral_people set generation = 5"])
def test_who_invited_whom_is_not_changed(records: SqlDatabase, statement: str) -> None:
    with records.writing() as connection:
        store.place(connection, 1, 0)
        store.place(connection, 2, 1)
        store.tie(connection, a_tie(1, 2, 1, 1, 0))
    with pytest.raises(REFUSALS), records.writing() as connection:
        connection.execute(text(statement))
    with records.reading() as connection:
        assert (store.generation(connection, 2), store.all_ties(connection)[0].sponsor) == (1, 1)


def test_a_second_sponsor_and_a_way_up_are_refused(records: SqlDatabase) -> None:
    with records.writing() as connection:
        for customer, place in ((1, 0), (2, 1), (3, 0), (4, 2)):
            store.place(connection, customer, place)
        store.tie(connection, a_tie(1, 2, 1, 1, 0))
    for wrong in (a_tie(2, 2, 3, 1, 0), a_tie(3, 1, 2, 0, 1), a_tie(4, 1, 2, 2, 1), a_tie(5, 4, 1, 2, 0), a_tie(6, 1, 1, 1, 0)):
        with pytest.raises(REFUSALS), records.writing() as connection:
            store.tie(connection, wrong)
    with records.reading() as connection:
        assert [one.number for one in store.all_ties(connection)] == [1]


@pytest.mark.parametrize("locked", [True, False])
def test_two_who_invite_each_other_at_once(records: SqlDatabase, locked: bool) -> None:
    """Each of some pairs races for both directions, also by writers that do not wait for each other's head row."""
    for pair in range(6):
        one, other = 100 + 2 * pair, 101 + 2 * pair
        start = threading.Barrier(2)

        def race(friend: int, sponsor: int, number: int, start: threading.Barrier = start) -> None:
            start.wait()
            with suppress(*REFUSALS), records.writing() as connection:
                if locked:
                    log.lock(connection, EVENTS)
                store.place(connection, sponsor, 0)
                store.place(connection, friend, 1)
                store.tie(connection, a_tie(number, friend, sponsor, 1, 0))

        racers = [
            threading.Thread(target=race, args=(one, other, 2 * pair + 1)),
            threading.Thread(target=race, args=(other, one, 2 * pair + 2)),
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
    with records.reading() as connection:
        ties = store.all_ties(connection)
    require_forest(ties)
    assert len(ties) == 6, "of each pair one is there"
