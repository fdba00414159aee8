"""Machines and their keys: who is let in, and everybody else is not (`volens.access.machines`)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from tests.support.shop import JUICE, START, HandClock, Shop

from volens.access import machines as module
from volens.access.machines import KNOWN_MOST, LONGEST_DAYS, Issued, Machines
from volens.access.scopes import HOUSE_ALONE, SCOPES
from volens.audit.access import check_access
from volens.audit.report import Report
from volens.databases.connect import SqlDatabase
from volens.errors import BadInput, NotFound, NotNow, Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS

SOON = START.date() + timedelta(days=90)


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def machines(shop: Shop, hand: HandClock) -> Machines:
    return another(shop, hand)


def another(shop: Shop, hand: HandClock) -> Machines:
    """As another process has them."""
    return Machines(shop.records, shop.keys, hand.clock, "FR", {JUICE})


def added(machines: Machines, **more: object) -> Issued:
    values = {"expires": SOON, "by": "Bruno Modèle", "recipient": JUICE} | more
    return machines.add("mail-tool", ["changes", "decisions"], **values)  # type: ignore[arg-type]


def found(records: SqlDatabase) -> list[str]:
    report = Report()
    with records.reading() as connection:
        check_access(connection, report)
    return [finding.where for finding in report.findings]


def test_a_machine_shows_its_key_and_is_known(machines: Machines, records: SqlDatabase) -> None:
    issued = added(machines)
    known = machines.recognise(issued.secret, "192.0.2.7")
    assert known is not None
    assert (known.name, known.recipient, known.scopes) == ("mail-tool", JUICE, {"changes", "decisions"})
    assert found(records) == []


def test_the_records_hold_no_key(machines: Machines, records: SqlDatabase) -> None:
    issued = added(machines)
    with records.reading() as connection:
        rows = [*connection.execute(text("select * from machine_keys")), *connection.execute(text("select * from events"))]
    chance = issued.secret.split("_", 2)[2]
    assert chance not in repr(rows)
    assert issued.secret not in repr(issued)


@pytest.mark.parametrize("change", [
    lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
    lambda key: key.replace("volens_", "volens_x", 1),
    lambda key: key + "=",
    lambda key: key.upper(),
    lambda key: key[:-1],
    lambda key: " " + key,
    lambda key: key.split("_")[1],
    lambda key: "",
    lambda key: "volens_" + "a" * 10 + "_" + "b" * 43,
    lambda key: "volens_" + "é" * 10 + "_" + "b" * 43,
])  # fmt: skip
def test_anything_but_the_key_is_no(machines: Machines, change: object) -> None:
    issued = added(machines)
    assert machines.recognise(issued.secret, None) is not None
    assert machines.recognise(change(issued.secret), None) is None  # type: ignore[operator]


def test_a_revoked_key_works_nowhere(
    shop: Shop, machines: Machines, records: SqlDatabase, hand: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued, other = added(machines), another(shop, hand)
    assert machines.recognise(issued.secret, None) is not None
    assert other.recognise(issued.secret, None) is not None
    assert machines.revoke("mail-tool", by="Bruno Modèle") == 1
    assert machines.recognise(issued.secret, None) is None
    began = module.time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: began + module.FRESH_SECONDS)
    assert other.recognise(issued.secret, None) is None
    assert other.standing(issued.key, None) is None
    with pytest.raises(NotFound):
        machines.revoke("mail-tool", by="Bruno Modèle")
    assert found(records) == []


def test_a_revocation_that_comes_while_a_key_is_looked_up_counts(
    machines: Machines, records: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is read, the key is revoked, and only then the row would be remembered."""
    issued, real = added(machines), module.store.key_by

    def slow(connection: object, key: str) -> object:
        row = real(connection, key)  # type: ignore[arg-type]
        monkeypatch.setattr(module.store, "key_by", real)
        with records.writing() as other:
            module.store.end_keys(other, [key], 1)
        machines._forget()
        return row

    monkeypatch.setattr(module.store, "key_by", slow)
    machines.recognise(issued.secret, None)
    assert machines.recognise(issued.secret, None) is None


def test_a_key_works_on_its_last_day_and_not_after(machines: Machines, hand: HandClock) -> None:
    issued = added(machines)
    hand.instant = START.replace(year=SOON.year, month=SOON.month, day=SOON.day, hour=21)  # still that day in Paris
    assert machines.recognise(issued.secret, None) is not None
    hand.instant += timedelta(hours=2)
    assert machines.recognise(issued.secret, None) is None


def test_a_longer_life_than_allowed_is_refused(machines: Machines) -> None:
    added(machines, expires=START.date() + timedelta(days=LONGEST_DAYS))
    with pytest.raises(BadInput):
        machines.add("b-tool", ["changes"], expires=START.date() + timedelta(days=LONGEST_DAYS + 1), by="Bruno Modèle")
    with pytest.raises(BadInput):
        machines.add("b-tool", ["changes"], expires=START.date() - timedelta(days=1), by="Bruno Modèle")


def test_named_addresses_are_the_only_ones(machines: Machines) -> None:
    issued = added(machines, addresses=["192.0.2.0/24", "2001:db8::1"])
    for good in ("192.0.2.7", "2001:db8::1"):
        assert machines.recognise(issued.secret, good) is not None
    for bad in ("192.0.3.7", "2001:db8::2", "not an address", "", None):
        assert machines.recognise(issued.secret, bad) is None
    with pytest.raises(BadInput):
        machines.add("b-tool", ["changes"], expires=SOON, by="Bruno Modèle", addresses=["192.0.2.7/24"])


def test_a_recipient_never_speaks_for_customers(machines: Machines) -> None:
    for scope in sorted(HOUSE_ALONE):
        with pytest.raises(BadInput, match="speaks for customers"):
            machines.add("b-tool", [scope], expires=SOON, by="Bruno Modèle", recipient=JUICE)
    assert machines.add("b-tool", SCOPES, expires=SOON, by="Bruno Modèle").machine == "b-tool"


@pytest.mark.parametrize("wrong", [
    {"name": "Mail Tool"}, {"name": "x"}, {"scopes": []}, {"scopes": ["everything"]}, {"recipient": "nobody"}, {"by": "  "},
])  # fmt: skip
def test_what_does_not_fit_is_said(machines: Machines, wrong: dict[str, object]) -> None:
    values = {"name": "b-tool", "scopes": ["changes"], "expires": SOON, "by": "Bruno Modèle", "recipient": JUICE} | wrong
    with pytest.raises(BadInput) as told:
        machines.add(**values)  # type: ignore[arg-type]
    assert told.value.remedy


def test_a_key_is_changed_for_another_without_a_pause(machines: Machines, records: SqlDatabase, hand: HandClock) -> None:
    first = added(machines)
    with pytest.raises(NotNow):
        added(machines)
    second = machines.renew("mail-tool", expires=SOON, by="Bruno Modèle")
    assert machines.recognise(first.secret, None) is not None
    assert machines.recognise(second.secret, None) is not None
    hand.pass_days(module.OVERLAP_DAYS + 1)
    assert machines.recognise(first.secret, None) is None
    assert machines.recognise(second.secret, None) is not None
    assert found(records) == []


def test_a_recipient_that_left_the_programme_is_shut_out(shop: Shop, machines: Machines, hand: HandClock) -> None:
    issued = added(machines)
    assert Machines(shop.records, shop.keys, hand.clock, "FR", {"others"}).recognise(issued.secret, None) is None


def test_the_last_use_is_kept_to_the_hour_and_written_once(machines: Machines, hand: HandClock) -> None:
    issued = added(machines)
    assert machines.keys()[0].last_used is None
    for _ in range(3):
        machines.recognise(issued.secret, None)
    assert machines.keys()[0].last_used == "2026-03-02T09"
    hand.instant -= timedelta(hours=3)  # a clock that was set back writes nothing
    machines.recognise(issued.secret, None)
    assert machines.keys()[0].last_used == "2026-03-02T09"


def test_a_process_remembers_a_limited_number_of_keys(machines: Machines) -> None:
    issued = added(machines)
    machines.recognise(issued.secret, None)  # the first use is written down, and all that was remembered is forgotten
    machines._known.update({number.to_bytes(4, "big"): (0.0, machines.keys()[0]) for number in range(KNOWN_MOST)})
    machines.recognise(issued.secret, None)
    assert len(machines._known) == 1


def test_records_that_do_not_answer_let_nobody_in(machines: Machines, records: SqlDatabase) -> None:
    issued = added(machines)
    with records.writing() as connection:
        connection.execute(text("alter table machine_keys rename to elsewhere"))
    with pytest.raises(Unavailable):
        machines.recognise(issued.secret, None)


@pytest.mark.parametrize(("column", "value"), [
    ("scopes", '["export"]'), ("recipient", None), ("expires", "2099-01-01"), ("ended", None), ("secret", b"x" * 32),
    ("addresses", "[]"), ("machine", "other"), ("scopes", "export"), ("addresses", "7"),
])  # fmt: skip
def test_an_audit_finds_a_key_that_was_changed(
    machines: Machines, records: SqlDatabase, column: str, value: object
) -> None:
    added(machines, addresses=["192.0.2.7"])
    machines.revoke("mail-tool", by="Bruno Modèle")
    assert found(records) == []
    with records.writing() as connection:
        connection.execute(text(f"update machine_keys set {column} = :value"), {"value": value})
    assert len(found(records)) == 1


@pytest.mark.parametrize(("column", "value"), [
    ("scopes", '["export"]'), ("recipient", None), ("expires", "2099-01-01"), ("secret", b"x" * 32), ("addresses", "[]"),
    ("machine", "other"), ("seal", b"x" * 32),
])  # fmt: skip
def test_whoever_writes_into_the_records_lets_nobody_in(
    machines: Machines, records: SqlDatabase, column: str, value: object
) -> None:
    issued = added(machines, addresses=["192.0.2.7"])
    with records.writing() as connection:
        connection.execute(text(f"update machine_keys set {column} = :value"), {"value": value})
    assert machines.recognise(issued.secret, "192.0.2.7") is None
    assert machines.standing(issued.key, "192.0.2.7") is None


def test_an_audit_finds_a_key_without_event_and_an_event_without_key(machines: Machines, records: SqlDatabase) -> None:
    added(machines)
    with records.writing() as connection:
        connection.execute(text("update machine_keys set key = 'aaaaaaaaaa'"))
    assert len(found(records)) == 2


def test_all_are_shut_out_after_a_restore(machines: Machines, records: SqlDatabase) -> None:
    one = added(machines)
    two = machines.add("b-tool", ["changes"], expires=date(2026, 5, 1), by="Bruno Modèle")
    assert machines.revoke_all(by="volens restore") == 2
    assert machines.recognise(one.secret, None) is None
    assert machines.recognise(two.secret, None) is None
    with records.reading() as connection:
        told = [row.said()["by"] for row in log.rows(connection, EVENTS, kinds=[module.REVOKED])]
    assert told == ["volens restore", "volens restore"]
    assert found(records) == []
