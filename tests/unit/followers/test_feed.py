"""What followers hear: every end of a yes, by their own names for people, and nothing about anybody else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.followers.conftest import ADS, EMAIL, MAIL, OWN, TOOL, Lived

from volens.errors import BadInput, NotFound, Unavailable
from volens.evidence import log
from volens.followers import feed
from volens.permissions.ledger import Choice


def test_a_yes_and_its_end_are_told_and_nothing_else_is(lived: Lived) -> None:
    camille, noel, other = lived.person("card-1"), lived.person("card-2"), lived.person("card-3")
    cursor = lived.follow()
    lived.say(camille, "given")
    lived.say(other, "given", ADS)  # another purpose
    lived.say(noel, "refused")  # never said yes
    assert lived.told(after=cursor) == [(lived.name(camille), EMAIL, True)]
    cursor = lived.house.followers.changes(TOOL, cursor).cursor
    lived.say(camille, "withdrawn")
    lived.say(noel, "withdrawn")
    assert lived.told(after=cursor) == [(lived.name(camille), EMAIL, False)]


def test_two_recipients_never_receive_the_same_name(lived: Lived) -> None:
    people = [lived.person(f"card-{number}") for number in range(5)]
    recipients = sorted(lived.house.programme.recipients)
    names = [lived.name(one, recipient) for recipient in recipients for one in people]
    assert len(set(names)) == len(names)
    pseudonyms = lived.house.followers.pseudonyms
    for recipient in recipients:
        mine = pseudonyms.many(recipient, people)
        assert pseudonyms.customers(recipient, mine) == people
        for elsewhere in set(recipients) - {recipient}:
            assert pseudonyms.customers(elsewhere, mine) == [None] * len(people)
    for guess in ("", "A" * 22, "é" * 22, lived.name(people[0])[:-1] + "!", lived.name(people[0]) + "A"):
        assert pseudonyms.customer(MAIL, guess) is None


def test_a_card_or_e_mail_stands_beside_a_yes_and_only_where_the_text_names_it(lived: Lived) -> None:
    camille = lived.person("card-1")
    mail, ads = lived.follow(), lived.follow("ads", (ADS,), OWN)
    lived.say(camille, "given")
    lived.say(camille, "given", ADS)
    (told,) = lived.house.followers.changes(TOOL, mail).page.changes
    assert told.to_dict()["references"] == {"email": ["card-1@example.org"]}
    (told,) = lived.house.followers.changes("ads", ads).page.changes
    assert "references" not in told.to_dict()
    lived.say(camille, "withdrawn")
    (told,) = lived.house.followers.changes(TOOL, mail).page.changes
    assert "references" not in told.to_dict()
    assert told.to_dict()["customer"] == lived.name(camille)


def test_everybody_s_withdrawal_of_everything_reaches_everybody(lived: Lived) -> None:
    camille = lived.person("card-1")
    mail, ads = lived.follow(), lived.follow("ads", (ADS, "loyalty"), OWN)
    lived.say(camille, "given")
    lived.say(camille, "given", ADS)
    lived.house.permissions.refuse_everything(camille, surface="web")
    assert lived.told(after=mail) == [(lived.name(camille), EMAIL, False)]
    assert lived.told("ads", ads) == [(lived.name(camille, OWN), ADS, False)]


def test_a_yes_that_expires_is_an_event_before_any_page(lived: Lived) -> None:
    camille = lived.person("card-1")
    lived.say(camille, "given")
    cursor = lived.follow()
    lived.hand.pass_days(732)
    assert lived.told(after=cursor) == [(lived.name(camille), EMAIL, False)]


def test_a_text_that_ends_is_told_at_once_and_person_by_person(lived: Lived) -> None:
    people = [lived.person(f"card-{number}") for number in range(3)]
    for one in people:
        lived.say(one, "given")
    cursor = lived.follow()
    ended = lived.house.permissions.invalidate(f"{EMAIL}/1", lived.hand.instant.date(), why="unclear", by="Alice Exemple")
    assert ended == 6, "one for each recipient"
    given = lived.house.followers.changes(TOOL, cursor)
    assert given.page.resync
    assert {one.pseudonym for one in given.page.changes if not one.permitted} == {lived.name(one) for one in people}
    assert not lived.house.followers.changes(TOOL, given.cursor).page.resync


def test_an_import_in_bulk_reaches_followers(lived: Lived, tmp_path: Path) -> None:
    people = [lived.person(f"card-{number}") for number in range(3)]
    for one in people:
        lived.say(one, "given")
    cursor = lived.follow()
    lived.hand.pass_days(2)
    lines = [f"card-{number},{EMAIL},*,withdrawn,2026-03-03T10:00:00Z,fr,{EMAIL}/1,old,letter" for number in range(3)]
    file = tmp_path / "choices.csv"
    file.write_text("\n".join(["card,purpose,recipient,kind,time,language,text,surface,proof", *lines]) + "\n", encoding="utf-8")
    assert lived.house.imports.take_in(file).taken == 3
    assert sorted(lived.told(after=cursor)) == sorted((lived.name(one), EMAIL, False) for one in people)


def test_an_erasure_is_told_to_whoever_had_a_yes_once(lived: Lived) -> None:
    camille, noel = lived.person("card-1"), lived.person("card-2")
    lived.say(camille, "given")
    lived.say(camille, "withdrawn")
    lived.say(noel, "refused")
    cursor = lived.follow()
    for one in (camille, noel):
        lived.house.erasure.erase(one, by="Alice Exemple", why="consent-withdrawn")
    (told,) = lived.house.followers.changes(TOOL, cursor).page.changes
    assert (told.pseudonym, told.permitted, told.erased) == (lived.name(camille), False, True)


def test_a_card_that_moves_brings_both_its_people(lived: Lived) -> None:
    camille, noel = lived.person("card-1"), lived.person("card-2")
    lived.say(camille, "given")
    lived.say(noel, "given")
    cursor = lived.follow()
    lived.house.customers.link(("email", "card-1@example.org"), ("card", "card-2"), by="Alice Exemple")
    changes = {one.pseudonym: one.references for one in lived.house.followers.changes(TOOL, cursor).page.changes}
    assert changes == {
        lived.name(camille): {},
        lived.name(noel): {"email": ["card-1@example.org", "card-2@example.org"]},
    }
    lived.say(noel, "withdrawn")
    told = lived.told(after=cursor)
    assert (lived.name(noel), EMAIL, False) in told


def test_who_was_told_and_may_object_says_from_when(lived: Lived) -> None:
    camille = lived.person("card-1")
    cursor = lived.follow("site", ("onsite-personalisation",), OWN)
    lived.say(camille, "notified", "onsite-personalisation")
    (told,) = lived.house.followers.changes("site", cursor).page.changes
    assert not told.permitted
    assert told.permitted_from is not None
    lived.hand.pass_days((told.permitted_from - lived.hand.instant.date()).days - 1)
    (before,) = lived.house.followers.changes("site", cursor).page.changes
    lived.hand.pass_days(1)
    (after,) = lived.house.followers.changes("site", cursor).page.changes
    assert (before.permitted, after.permitted) == (False, True)


def test_pages_are_limited_and_miss_nobody(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = lived.follow()
    people = [lived.person(f"card-{number}") for number in range(7)]
    for one in people:
        lived.say(one, "given")
    monkeypatch.setattr(feed, "STRETCH", 3)
    found, pages = set(), 0
    while True:
        given = lived.house.followers.changes(TOOL, cursor, 2)
        assert len(given.page.changes) <= 2
        found |= {one.pseudonym for one in given.page.changes}
        cursor, pages = given.cursor, pages + 1
        if not given.page.more:
            break
    assert found == {lived.name(one) for one in people}
    assert pages > 3
    for limit in (0, feed.PAGE_MOST + 1):
        with pytest.raises(BadInput):
            lived.house.followers.changes(TOOL, cursor, limit)


def test_a_cursor_is_the_follower_s_own_and_cannot_be_made(lived: Lived) -> None:
    cursor = lived.follow()
    other = lived.follow("ads", (ADS,), OWN)
    seq, rules, check = cursor.split("-")
    for wrong in ("", "x", other, f"{int(seq) + 5}-{rules}-{check}", f"{seq}-00000000-{check}", f"{cursor}-1", "٣-a-b"):
        with pytest.raises(BadInput):
            lived.house.followers.acknowledge(TOOL, wrong)
    with pytest.raises(NotFound):
        lived.house.followers.changes("nobody")


def test_another_programme_is_no_page_until_the_process_starts_again(lived: Lived) -> None:
    cursor = lived.follow()
    with lived.house._stores.records.writing() as connection:
        log.append(connection, log.PUBLIC, [log.Event("programme", detail={"digest": "another", "purposes": {}})])
    with pytest.raises(Unavailable):
        lived.house.followers.changes(TOOL, cursor)


def test_choices_in_one_event_come_in_one_page(lived: Lived) -> None:
    camille = lived.person("card-1")
    cursor = lived.follow(purposes=(EMAIL, "sms-marketing"))
    lived.house.permissions.record([Choice(camille, EMAIL, "given"), Choice(camille, "sms-marketing", "given")])
    assert {purpose for _, purpose, yes in lived.told(after=cursor) if yes} == {EMAIL, "sms-marketing"}
    lived.hand.instant += timedelta(hours=1)
    assert lived.house.followers.changes(TOOL, cursor).page.position >= int(cursor.split("-")[0])
