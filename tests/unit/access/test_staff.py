"""Staff: each a person with a name, and what they look at is on record (`volens.access.staff`)."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from tests.support.shop import Shop

from volens.access.sessions import Sessions
from volens.access.staff import NOTE_CHARACTERS_MAX, REASONS, Member, Staff
from volens.audit.access import check_access
from volens.audit.people import check_sealed
from volens.audit.report import Report
from volens.databases.connect import SqlDatabase
from volens.errors import BadInput, NotFound, NotSignedIn
from volens.evidence import log
from volens.evidence.log import EVENTS

TEAM = "https://team.example"


@pytest.fixture
def staff(shop: Shop) -> Staff:
    return Staff(shop.records, shop.keys, shop.vault, shop.hand.clock, "FR")


@pytest.fixture
def bruno(staff: Staff) -> Member:
    return staff.recognise(TEAM, "sub-1", "Bruno  Modèle ", ["dpo", "something else"])


def found(records: SqlDatabase) -> list[str]:
    report = Report()
    with records.reading() as connection:
        check_access(connection, report)
    return [finding.where for finding in report.findings]


def test_who_comes_first_is_recorded_once(staff: Staff, bruno: Member, records: SqlDatabase) -> None:
    assert (bruno.name, bruno.roles) == ("Bruno Modèle", {"dpo"})
    again = staff.recognise(TEAM, "sub-1", "Bruno Modèle", ["support"])
    assert (again.number, again.roles) == (bruno.number, {"support"})
    alice = staff.recognise(TEAM, "sub-2", "Alice Exemple", ["marketing"])
    same_subject_elsewhere = staff.recognise("https://other.example", "sub-1", "Carla Essai", ["marketing"])
    assert len({bruno.number, alice.number, same_subject_elsewhere.number}) == 3
    with records.reading() as connection:
        kinds = [row.kind for row in log.rows(connection, EVENTS) if row.kind.startswith("staff")]
    assert kinds == ["staff_first_seen"] * 3
    assert found(records) == []


def test_another_name_is_recorded(staff: Staff, bruno: Member, records: SqlDatabase) -> None:
    again = staff.recognise(TEAM, "sub-1", "Bruno Exemple", ["dpo"])
    assert (again.number, staff.member(bruno.number).name) == (bruno.number, "Bruno Exemple")
    assert found(records) == []


@pytest.mark.parametrize(("name", "roles"), [
    ("", ["dpo"]), ("   ", ["dpo"]), ("x" * 121, ["dpo"]), ("Bruno", []), ("Bruno", ["boss"]),
])  # fmt: skip
def test_nobody_comes_in_without_a_name_or_a_role(staff: Staff, name: str, roles: list[str]) -> None:
    with pytest.raises(NotSignedIn):
        staff.recognise(TEAM, "sub-1", name, roles)
    assert staff.everybody() == []


def test_the_record_names_no_member_of_staff(bruno: Member, records: SqlDatabase) -> None:
    with records.reading() as connection:
        assert "Bruno" not in repr(connection.execute(text("select * from events")).all())


@pytest.mark.parametrize("change", ["name = 'Somebody Else'", "seq = seq + 1", "found_by = salt", "staff = 7"])
def test_an_audit_finds_a_name_that_was_changed(bruno: Member, records: SqlDatabase, change: str) -> None:
    with records.writing() as connection:
        connection.execute(text(f"update staff set {change}"))
    assert found(records)


def test_who_looks_at_a_customer_is_seen_by_her(staff: Staff, shop: Shop, bruno: Member, records: SqlDatabase) -> None:
    camille, other = shop.people(2)
    staff.read(bruno, camille, "request", "asked where her card is used")
    staff.read(bruno, camille, "check")
    first, second = reversed(staff.reads_of(camille))
    assert (first.name, first.reason, first.note) == ("Bruno Modèle", "request", "asked where her card is used")
    assert (second.reason, second.note, second.at) == ("check", "", shop.hand.instant)
    assert staff.reads_of(other) == []
    assert staff.count_reads() == {bruno.number: 1}
    with records.reading() as connection:
        stored = repr(connection.execute(text("select * from events where kind = 'staff_read'")).all())
        report = Report()
        check_sealed(connection, shop.vault, report)
    assert report.ok
    assert "where her card" not in stored
    assert "Bruno" not in stored


def test_a_look_without_a_reason_shows_nothing(staff: Staff, shop: Shop, bruno: Member) -> None:
    (camille,) = shop.people(1)
    with pytest.raises(BadInput):
        staff.read(bruno, camille, "curiosity")
    with pytest.raises(BadInput):
        staff.read(bruno, camille, REASONS[0], "x" * (NOTE_CHARACTERS_MAX + 1))
    staff.read(bruno, camille, REASONS[0], "x" * NOTE_CHARACTERS_MAX)
    with pytest.raises(NotFound):
        staff.read(bruno, 99, REASONS[0])
    assert staff.count_reads() == {bruno.number: 1}


def test_staff_are_signed_out_everywhere(staff: Staff, shop: Shop, bruno: Member) -> None:
    sessions = Sessions(shop.records, shop.keys, shop.hand.clock)
    alice = staff.recognise(TEAM, "sub-2", "Alice Exemple", ["marketing"])
    hers, his = sessions.begin_staff(alice), [sessions.begin_staff(bruno) for _ in range(2)]
    known = sessions.recognise(his[0].number)
    assert known is not None
    assert known.member == bruno
    assert sessions.end_staff(bruno.number) == 2
    assert sessions.recognise(his[1].number) is None
    assert sessions.end_everywhere(hers.number) == 1
    assert sessions.recognise(hers.number) is None
