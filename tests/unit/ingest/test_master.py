"""The customer master goes to the vault, and only what can be read of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from volens.customers.enrolment import Enrolled
from volens.errors import MappingError
from volens.ingest import master
from volens.ingest.mapping import Mapping
from volens.ingest.master import Person, take_in_people

COLUMNS = ("card", "given_name", "family_name", "email", "postcode", "country", "birth_date", "language")
MASTER = Mapping(
    source="master", format="csv", contents="customers", columns={name: name for name in COLUMNS},
    time_format="%d/%m/%Y",
)  # fmt: skip


def feed(folder: Path, *lines: str) -> Path:
    path = folder / "master.csv"
    path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
    return path


def test_people_are_read(tmp_path: Path) -> None:
    path = feed(tmp_path, "1,Ana,Test,ANA@example.com,75001,France,31/01/1980,FR", "2,,,,,,,")
    (people,) = master.read(path, MASTER)
    assert list(people.people) == [
        Person(
            "1",
            "ana@example.com",
            "FR",
            {
                "given_name": "Ana",
                "family_name": "Test",
                "postcode": "75001",
                "birth_date": "1980-01-31",
                "language": "fr",
            },
        ),
        Person("2", None, "FR", {}),
    ]


def test_what_cannot_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    path = feed(tmp_path, "1,Ana,,nowhere,,Atlantis,31/02/1980,french", ",Bo,,,,,,", "x", "", "2,,,,,,,")
    seen: list[Person] = []

    def enrol(people: Sequence[Person]) -> Enrolled:
        seen.extend(people)
        return Enrolled(stayed=[(2, 1, 7)])

    summary = take_in_people(path, MASTER, enrol=enrol, country="BE")
    assert [(person.card, person.email, person.country, dict(person.details)) for person in seen] == [
        ("1", None, "BE", {"given_name": "Ana"}),
        ("2", None, "BE", {}),
    ]
    assert summary.left_out == {"email": 1, "country": 1, "birth_date": 1, "language": 1}
    assert summary.refused == {"missing-customer": 1, "wrong-columns": 1}
    assert (summary.lines_read, summary.people, summary.emails_of_others) == (4, 2, 1)
    assert "Ana" not in summary.to_text()
    assert "line 2: the e-mail of customer 1 belongs to customer 7" in summary.to_text()


def test_a_person_is_never_printed() -> None:
    assert "ana" not in repr(Person("1", "ana@example.com", "FR", {}))


def test_a_master_needs_a_card() -> None:
    with pytest.raises(MappingError, match="card"):
        Mapping(source="m", format="csv", contents="customers", columns={"email": "email"})


def test_new_cards_and_closings_are_read(tmp_path: Path) -> None:
    names = ("card", "family_name", "customer_reference", "replaces", "closed")
    mapping = Mapping(source="m", format="csv", contents="customers", columns={name: name for name in names},
                      time_format="%d/%m/%Y")  # fmt: skip
    path = tmp_path / "master.csv"
    lines = ["1,Test,P7,,", "2,Test,P7,1,01/03/2026", "3,,,3,oui", "4,Test,,,maybe", ",,,,"]
    path.write_text("\n".join([",".join(names), *lines]) + "\n", encoding="utf-8")
    (people,) = master.read(path, mapping)
    assert [(one.card, one.reference, one.replaces, one.closed, one.line) for one in people.people] == [
        ("1", "P7", None, "", 2), ("2", "P7", "1", "2026-03-01", 3), ("3", None, None, "closed", 4), ("4", None, None, None, 5),
    ]  # fmt: skip
    assert people.left_out == {"closed": 1}
