"""A text comes into force by two people of different roles, and by nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from tests.conftest import Urls
from tests.support.publishing import CLAIRE, IDRISS, STATISTICS, write_version

from volens.app import House, initialise, open_house
from volens.errors import BadInput, NotFound, NotNow, Unavailable, VolensError
from volens.evidence import log
from volens.evidence.log import PUBLIC, Event
from volens.permissions.ledger import Choice
from volens.publishing.workflow import (
    APPROVED,
    DECLINED,
    PUBLISHED,
    ROLES,
    TRANSITIONS,
    WRITTEN,
    Person,
    Stands,
    check_move,
)

OLD, NEW = f"{STATISTICS}/1", f"{STATISTICS}/2"


@pytest.fixture
def house(urls: Urls, tmp_path: Path) -> Iterator[House]:
    with initialise(tmp_path / "house", records_url=urls.records) as made:
        yield made


def customer(house: House) -> int:
    return house._vault.identify("card", ["C1"])[0].customer


def test_all_pairs_of_states() -> None:
    """What is not in the table cannot happen, whoever does it."""
    assert set(TRANSITIONS) == {WRITTEN, APPROVED, DECLINED, PUBLISHED}
    for before, after in itertools.product(TRANSITIONS, TRANSITIONS):
        stands = Stands("a/1", before, CLAIRE if before == APPROVED else None)
        if after in TRANSITIONS[before]:
            check_move(stands, after, IDRISS)
        else:
            with pytest.raises(NotNow):
                check_move(stands, after, IDRISS)


@pytest.mark.parametrize("second", [CLAIRE, Person(" claire EXEMPLE", "dpo"), Person("Zoé Exemple", "marketing")])
def test_one_person_or_one_role_is_not_two(second: Person) -> None:
    with pytest.raises(NotNow):
        check_move(Stands("a/1", APPROVED, CLAIRE), PUBLISHED, second)


def test_who_has_no_say_cannot_act() -> None:
    with pytest.raises(BadInput):
        Person("Camille Exemple", "support")
    with pytest.raises(BadInput):
        Person("  ", ROLES[0])


def test_a_text_in_the_folder_is_not_in_force_until_two_people_published_it(house: House) -> None:
    person, digest = customer(house), house.programme.digest
    write_version(house.settings.programme)
    house.renew()
    assert house.programme.digest == digest, "a text that is being written changes nothing for anybody"
    assert house.programme.current_text(STATISTICS).id == OLD
    with pytest.raises(NotFound):
        house.permissions.record([Choice(person, STATISTICS, "given", text=NEW)])
    house.publishing.approve([NEW], CLAIRE)
    house.renew()
    assert house.programme.current_text(STATISTICS).id == OLD
    house.publishing.publish([NEW], IDRISS)
    assert house.programme.current_text(STATISTICS).id == NEW
    house.permissions.record([Choice(person, STATISTICS, "given", text=NEW)])
    with pytest.raises(BadInput):
        house.permissions.record([Choice(person, STATISTICS, "given", text=OLD)])
    assert house.audit().ok, house.audit().to_text()


def test_a_house_that_is_opened_again_says_the_same(house: House) -> None:
    write_version(house.settings.programme)
    house.publishing.approve([NEW], IDRISS)
    house.publishing.publish([NEW], CLAIRE)
    with open_house(house.settings.home) as again:
        assert again.programme.current_text(STATISTICS).id == NEW
        assert again.programme.digest == house.programme.digest
        assert {one.text.id: one.stands.state for one in again.publishing.texts()}[NEW] == PUBLISHED


def test_a_process_with_the_old_edition_takes_no_yes(house: House) -> None:
    person = customer(house)
    write_version(house.settings.programme)
    with open_house(house.settings.home) as other:
        other.publishing.approve([NEW], CLAIRE)
        other.publishing.publish([NEW], IDRISS)
        with pytest.raises(Unavailable):
            house.permissions.record([Choice(person, STATISTICS, "given")])
        house.permissions.record([Choice(person, STATISTICS, "refused")])
        house.renew()
        house.permissions.record([Choice(person, STATISTICS, "given", text=NEW)])


def test_what_is_approved_are_these_words(house: House) -> None:
    write_version(house.settings.programme)
    house.publishing.approve([NEW], CLAIRE)
    page = house.settings.programme / "texts" / STATISTICS / "2" / "fr.md"
    page.write_text(page.read_text("utf-8") + "\nEncore un mot.\n", encoding="utf-8")
    with pytest.raises(NotNow, match="is written"):
        house.publishing.publish([NEW], IDRISS)
    house.publishing.approve([NEW], CLAIRE)
    house.publishing.publish([NEW], IDRISS)
    assert house.audit().ok, house.audit().to_text()


def test_declined_is_not_published_and_says_why(house: House) -> None:
    write_version(house.settings.programme)
    house.publishing.approve([NEW], CLAIRE)
    with pytest.raises(BadInput):
        house.publishing.decline([NEW], IDRISS, " ")
    house.publishing.decline([NEW], IDRISS, "The second sentence is not clear.")
    with pytest.raises(NotNow):
        house.publishing.publish([NEW], IDRISS)
    assert house.audit().ok


def test_a_text_counts_from_the_day_of_its_publication(house: House) -> None:
    write_version(house.settings.programme)
    house.publishing.approve([NEW], CLAIRE)
    house.publishing.publish([NEW], IDRISS)
    assert house.programme.text(OLD).valid_from.year == 2024
    assert house.programme.text(NEW).valid_from == house.publishing._today()


def test_an_older_version_cannot_follow_a_newer_one(house: House) -> None:
    write_version(house.settings.programme)
    third = write_version(house.settings.programme, version=3)
    house.publishing.approve([NEW, third], CLAIRE)
    house.publishing.publish([third], IDRISS)
    with pytest.raises(NotNow):
        house.publishing.publish([NEW], IDRISS)


def test_all_of_them_or_none(house: House) -> None:
    write_version(house.settings.programme)
    with pytest.raises(VolensError):
        house.publishing.approve([NEW, f"{STATISTICS}/9"], CLAIRE)
    with pytest.raises(VolensError):
        house.publishing.approve([NEW, OLD], CLAIRE)
    assert {one.text.id: one.stands.state for one in house.publishing.texts()}[NEW] == WRITTEN


@pytest.mark.parametrize(
    "statement",
    [
        "update publishing_steps set actor = 'Somebody Else' where about = 'supplier-statistics/2'",
        "update publishing_steps set actor = 'Claire Exemple' where role = 'dpo'",
        "update publishing_steps set role = 'dpo' where role = 'marketing'",
        "delete from publishing_steps where role = 'marketing'",
        "insert into publishing_steps select 99999, about, role, actor, salt from publishing_steps where role = 'dpo'",
    ],
)
def test_the_audit_finds_who_was_changed(house: House, statement: str) -> None:
    write_version(house.settings.programme)
    house.publishing.approve([NEW], CLAIRE)
    house.publishing.publish([NEW], IDRISS)
    assert house.audit().ok
    with house._stores.records.writing() as connection:
        connection.execute(sql(statement))
    assert not house.audit().ok


def test_the_audit_finds_a_text_that_nobody_published(house: House) -> None:
    """Somebody with the database and the log's own code, and without a second person."""
    told = house.programme.text(OLD)
    detail = {"text": NEW, "recipients": sorted(told.recipients), "fields": sorted(told.fields), "bodies": {}}
    with house._stores.records.writing() as connection:
        log.append(connection, PUBLIC, [Event("text", purpose=STATISTICS, text=NEW, detail=detail)])
    assert "nobody who did it" in house.audit().to_text()


def test_the_audit_finds_a_programme_with_a_draft(house: House) -> None:
    with house._stores.records.reading() as connection:
        row = log.latest(connection, PUBLIC, "programme")
    assert row is not None
    said = row.said()
    texts = said["purposes"][STATISTICS]["texts"]
    texts[NEW] = texts[OLD]
    with house._stores.records.writing() as connection:
        log.append(connection, PUBLIC, [Event("programme", detail={**said, "digest": "another"})])
    assert f"names {NEW}, which nobody had published" in house.audit().to_text()
