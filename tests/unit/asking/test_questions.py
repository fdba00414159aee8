"""One question where the use would happen: who is asked, how often, and what an answer does. On both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from tests.conftest import Urls
from tests.support.asking import ADS, MAIL, REMINDERS, STATISTICS, house_that_asks, people
from tests.support.shop import HandClock

from volens.app import House
from volens.asking.budget import Past, is_silent, silent_until, year_is_full
from volens.errors import BadInput, NotFound, NotNow
from volens.permissions.ledger import Choice
from volens.programme.model import digest


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def house(urls: Urls, tmp_path: Path, hand: HandClock) -> Iterator[House]:
    with house_that_asks(tmp_path, hand, urls.records) as made:
        yield made


def said(house: House, customer: int) -> list[tuple[str, str]]:
    return [(one.kind, one.purpose) for one in house.permissions.history(customer)]


def permits(house: House, customer: int, purpose: str = REMINDERS) -> bool:
    return any(row.permits for row in house.permissions.of_customer(customer) if row.purpose == purpose)


def test_the_question_is_put_once_and_its_yes_permits(house: House) -> None:
    (camille,) = people(house)
    question = house.asking.next_question(camille, "visit-1", "basket")
    assert question is not None
    assert question.words == "Voulez-vous qu'on vous prévienne quand vous oubliez un article habituel ?"
    assert question.words in question.html.replace("&#x27;", "'")
    assert not permits(house, camille), "a question permits nothing"
    answered = house.asking.answer(question.token, "yes")
    assert answered.permitted
    assert permits(house, camille)
    assert said(house, camille) == [("requested", REMINDERS), ("given", REMINDERS)]
    asked, given = house.permissions.history(camille)
    for one in (asked, given):
        assert one.text == "basket-reminder/1"
        assert one.how["language"] == "fr"
        assert one.how["proof"]["text_sha256"] == house.programme.text(one.text).digest("fr")
        assert one.how["proof"]["rendered_sha256"] == digest(question.html)
    assert given.how["proof"]["question"] == asked.seq
    assert house.asking.next_question(camille, "visit-2", "basket") is None, "it stands permitted"
    house.checkpoint()
    assert house.audit().ok


def test_the_same_answer_twice_is_one_and_a_no_has_the_last_word(house: House) -> None:
    (camille,) = people(house)
    question = house.asking.next_question(camille, "visit-1", "basket")
    assert question is not None
    first = house.asking.answer(question.token, "yes", customer=camille)
    assert house.asking.answer(question.token, "yes") == first
    assert house.asking.answer(question.token, "later") == first, "a later word that says nothing changes nothing"
    assert house.asking.answer(question.token, "no").kind == "withdrawn"
    assert not permits(house, camille)
    with pytest.raises(NotNow, match="by no already"):
        house.asking.answer(question.token, "yes")
    assert [kind for kind, _ in said(house, camille)] == ["requested", "given", "withdrawn"]


def test_two_browsers_at_once_ask_once(house: House) -> None:
    (camille,) = people(house)
    with ThreadPoolExecutor(8) as threads:
        visits = list(threads.map(lambda n: house.asking.next_question(camille, f"visit-{n}", "basket"), range(8)))
    assert sum(one is not None for one in visits) == 1
    with ThreadPoolExecutor(8) as threads:
        again = list(threads.map(lambda n: house.asking.next_question(camille, "visit-one", "order"), range(8)))
    tokens = {one.token for one in again if one is not None}
    assert len(tokens) == 1, "one visit in two tabs sees one question"
    assert sum(kind == "requested" for kind, _ in said(house, camille)) == 2
    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda n: house.asking.answer(next(iter(tokens)), "yes"), range(8)))
    assert len(answers) == 1
    assert sum(kind == "given" for kind, _ in said(house, camille)) == 1


def test_a_visit_has_one_question_and_a_year_has_three(house: House, hand: HandClock) -> None:
    (camille,) = people(house)
    assert house.asking.next_question(camille, "visit-1", "basket") is not None
    assert house.asking.next_question(camille, "visit-1", "receipt") is None, "one a visit"
    assert house.asking.next_question(camille, "visit-2", "receipt") is not None
    third = house.asking.next_question(camille, "visit-3", "order")
    assert third is not None
    assert third.purpose == MAIL
    assert house.asking.next_question(camille, "visit-4", "advertisement") is None, "three a year"
    hand.pass_days(364)
    assert house.asking.next_question(camille, "visit-5", "advertisement") is None
    hand.pass_days(1)
    found = house.asking.next_question(camille, "visit-6", "advertisement")
    assert found is not None
    assert found.purpose == ADS


@pytest.mark.parametrize("how", ["no", "later", "nothing", "elsewhere"])
def test_thirty_visits_in_180_days_ask_nobody_twice_who_did_not_say_yes(house: House, hand: HandClock, how: str) -> None:
    (camille,) = people(house)
    if how == "elsewhere":
        house.permissions.record([Choice(camille, REMINDERS, "refused", surface="paper")])
    else:
        question = house.asking.next_question(camille, "visit-0", "basket")
        assert question is not None
        if how != "nothing":
            house.asking.answer(question.token, how)
    for visit in range(1, 31):
        hand.pass_days(6)
        assert house.asking.next_question(camille, f"visit-{visit}", "basket") is None
    hand.pass_days(4)
    assert hand.instant.date() == date(2026, 9, 2)
    assert house.asking.next_question(camille, "visit-31", "basket") is not None, "six months later it may be asked again"


def test_a_question_of_the_same_visit_is_shown_again_until_it_is_answered(house: House) -> None:
    (camille,) = people(house)
    first = house.asking.next_question(camille, "visit-1", "basket")
    assert first is not None
    assert house.asking.next_question(camille, "visit-1", "basket") == first
    house.asking.answer(first.token, "later")
    assert house.asking.next_question(camille, "visit-1", "basket") is None
    assert said(house, camille) == [("requested", REMINDERS), ("deferred", REMINDERS)]


def test_nobody_is_asked_for_what_their_age_closes(house: House) -> None:
    child, grown = people(house, ["ENFANT-1"], born="2013-05-17") + people(house, ["CAMILLE-1"])
    assert house.asking.next_question(child, "visit-1", "basket") is None, "below the age of consent"
    (young,) = people(house, ["JEUNE-1"], born="2009-05-17")
    assert house.asking.next_question(young, "visit-1", "advertisement") is None, "advertising by profile is closed to minors"
    assert house.asking.next_question(young, "visit-1", "basket") is not None
    assert house.asking.next_question(grown, "visit-1", "advertisement") is not None
    assert said(house, child) == []


def test_what_is_linked_counts_for_both(house: House) -> None:
    camille, claude = people(house, ["CAMILLE-1", "CLAUDE-1"])
    question = house.asking.next_question(camille, "visit-1", "basket")
    assert question is not None
    house.asking.answer(question.token, "no")
    house.customers.link(("card", "CAMILLE-1"), ("card", "CLAUDE-1"), by="Alice Exemple")
    assert house.asking.next_question(claude, "visit-2", "basket") is None


def test_a_yes_under_an_outdated_text_is_not_taken_and_a_no_is(house: House, hand: HandClock) -> None:
    (camille,) = people(house)
    question = house.asking.next_question(camille, "visit-1", "basket")
    other = house.asking.next_question(camille, "visit-2", "receipt")
    assert question is not None
    assert other is not None
    house.permissions.invalidate("basket-reminder/1", hand.instant.date(), why="a test", by="Alice Exemple")
    with pytest.raises(BadInput, match="invalidated"):
        house.asking.answer(question.token, "yes")
    assert house.asking.answer(question.token, "no").kind == "refused"
    hand.pass_days(2)
    with pytest.raises(NotNow, match="some time ago"):
        house.asking.answer(other.token, "yes")
    assert house.asking.answer(other.token, "no").purpose == STATISTICS


def test_bad_input_is_refused_with_what_would_be_right(house: House) -> None:
    camille, claude = people(house, ["CAMILLE-1", "CLAUDE-1"])
    with pytest.raises(NotFound, match="Nothing is asked for at 'toaster'") as unknown:
        house.asking.next_question(camille, "visit-1", "toaster")
    assert "basket" in unknown.value.remedy
    with pytest.raises(NotFound, match="No customer"):
        house.asking.next_question(4_711, "visit-1", "basket")
    with pytest.raises(BadInput, match="Which visit"):
        house.asking.next_question(camille, "", "basket")
    with pytest.raises(BadInput, match="Which visit"):
        house.asking.next_question(camille, "v" * 201, "basket")
    assert house.asking.next_question(camille, "visit-1", "basket", language="de") is None, "no page, no question"
    question = house.asking.next_question(camille, "v" * 200, "basket", language="en")
    assert question is not None
    with pytest.raises(BadInput, match="neither yes nor no"):
        house.asking.answer(question.token, "perhaps")
    for token, who in (("x" * 64, None), (question.token, claude)):
        with pytest.raises(NotFound, match="not known"):
            house.asking.answer(token, "yes", customer=who)
    assert len(said(house, camille)) == 1


def test_the_questions_of_the_erased_go_with_them(house: House) -> None:
    (camille,) = people(house)
    question = house.asking.next_question(camille, "visit-1", "basket")
    assert question is not None
    house.erasure.erase(camille, by="Alice Exemple", why="consent-withdrawn")
    with pytest.raises(NotFound, match="not known"):
        house.asking.answer(question.token, "yes")
    with house._stores.records.reading() as connection:
        assert connection.execute(sql("select count(*) from questions")).scalar_one() == 0
    house.checkpoint()
    assert house.audit().ok


@pytest.mark.parametrize(
    "change", ["purpose = 'targeted-ads'", "customer = customer + 1", "day = '2020-01-01'", "answer = 'no'", "answered = 0"]
)
def test_the_audit_finds_a_question_that_was_changed(house: House, change: str) -> None:
    camille, _ = people(house, ["CAMILLE-1", "CLAUDE-1"])
    question = house.asking.next_question(camille, "visit-1", "basket")
    assert question is not None
    house.asking.answer(question.token, "yes")
    house.checkpoint()
    assert house.audit().ok
    with house._stores.records.writing() as connection:
        connection.execute(sql(f"update questions set {change}"))
    assert not house.audit().ok


def test_six_months_and_a_year_are_counted_by_the_calendar() -> None:
    assert silent_until(date(2026, 3, 2)) == date(2026, 9, 2)
    assert silent_until(date(2026, 8, 31)) == date(2027, 3, 1), "there is no 31 February"
    assert silent_until(date(2027, 8, 29)) == date(2028, 2, 29), "a leap year has its day"
    assert silent_until(date(2026, 8, 28)) == date(2027, 2, 28)
    day = date(2026, 3, 2)
    for kind in ("refused", "withdrawn", "objected", "deferred", "requested", "revoked"):
        past = [Past(kind, "one", day)]
        assert is_silent("one", past, date(2026, 9, 1))
        assert not is_silent("one", past, date(2026, 9, 2))
        assert not is_silent("other", past, day)
    for kind in ("given", "expired", "invalidated"):
        assert not is_silent("one", [Past(kind, "one", day)], day)
    asked = [Past("requested", f"p{n}", day + timedelta(days=n)) for n in range(3)]
    assert year_is_full(asked, day + timedelta(days=364))
    assert not year_is_full(asked, day + timedelta(days=365))
