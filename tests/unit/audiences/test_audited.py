"""Every table of audiences that somebody changes behind the house's back is found, with its place."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from tests.support.audience import Town
from tests.unit.audiences.test_handing_over import BY

CHANGES = {
    "a definition": "update audiences set document = '{}'",
    "the day of one": "update audiences set until = '2030-01-01'",
    "one that is gone": "delete from audiences",
    "one that is said to have ended": "update audiences set ended = 1",
    "a build": "update audience_builds set people = people + 1",
    "a build that is gone": "delete from audience_builds",
    "its people": "delete from audience_sets where owner = (select seq from audience_builds)",
    "a list": "update audience_lists set recipient = 'voyages-horizon'",
    "its file": "update audience_lists set sha256 = 'x'",
    "a list that is gone": "delete from audience_lists",
    "a list that is said to be lost": "update audience_lists set state = 'lost'",
    "a removal": "update audience_removals set people = 2",
    "a removal that is gone": "delete from audience_removals",
    "its people, too": "delete from audience_sets where owner = (select removal from audience_removals)",
    "an acknowledgement": "update audience_removals set acknowledged = 3",
    "one that is taken back": "update audience_removals set acknowledged = null",
    "who is kept out": "delete from audience_suppressed",
    "why": "update audience_suppressed set reason = 'staff'",
    "somebody more": "insert into audience_suppressed values (99, 'staff', 1)",
    "a set of nothing": "insert into audience_sets values (1, 0, :some)",
}


@pytest.fixture
def year(town: Town) -> Town:
    """A list, a removal that is acknowledged, and somebody who is kept out."""
    audiences = town.house.audiences
    audiences.suppress([town.number(180)], "complaint", by=BY)
    town.handed()
    town.say(7)
    (made,) = audiences.removals.make()
    audiences.removals.acknowledge(made.removal, by="the network")
    return town


def test_an_honest_year_has_no_finding_and_each_change_is_found(year: Town) -> None:
    """One town for all of them: each change is undone before the next."""
    records = year.house._stores.records
    assert year.house.audit().ok, year.house.audit().to_text()
    for name, statement in CHANGES.items():
        with records.writing() as connection:
            kept = {table: connection.execute(text(f"select * from {table}")).mappings().all() for table in TABLES}
            connection.execute(text(statement), {"some": b"x"} if ":some" in statement else {})
        assert not year.house.audit().ok, name
        with records.writing() as connection:
            for table, rows in kept.items():
                connection.execute(text(f"delete from {table}"))
                for row in rows:
                    columns = ", ".join(row)
                    values = ", ".join(f":{column}" for column in row)
                    connection.execute(text(f"insert into {table} ({columns}) values ({values})"), dict(row))
    assert year.house.audit().ok


TABLES = ("audiences", "audience_builds", "audience_sets", "audience_lists", "audience_removals", "audience_suppressed")


def test_the_reason_and_who_said_so_are_in_no_open_part(year: Town) -> None:
    with year.house._stores.records.reading() as connection:
        rows = connection.execute(text("select detail from events where kind = 'audience-suppressed'")).scalars().all()
    assert rows
    assert all("complaint" not in row and BY not in row for row in rows)


def test_suppression_is_taken_back_and_forgotten_with_its_person(year: Town) -> None:
    audiences, one, other = year.house.audiences, year.number(180), year.number(179)
    audiences.suppress([other], "request", by=BY)
    audiences.release(one, by=BY)
    assert audiences.suppressed() == {other: "request"}
    year.house.erasure.erase(other, by=BY, why="objection")
    assert audiences.suppressed() == {}
    assert year.house.audit().ok
