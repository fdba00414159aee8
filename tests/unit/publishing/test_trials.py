"""Two texts side by side: fixed before the start, no peeking, won by what was understood and permitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from tests.conftest import Urls
from tests.support.publishing import CLAIRE, IDRISS, STATISTICS, write_version
from tests.unit.publishing.test_symmetry import GOOD

from volens.app import House, initialise, open_house
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.permissions.ledger import Choice
from volens.programme.model import Text
from volens.publishing import trials
from volens.publishing.comprehension import Question
from volens.publishing.trials import Arm, require_comparable, winner

OLD, NEW = f"{STATISTICS}/1", f"{STATISTICS}/2"
PEOPLE, DAYS = 100, 3


class Hand:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now)

    @property
    def today(self) -> object:
        return legal_day(self.now, "FR")


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def house(urls: Urls, tmp_path: Path, hand: Hand) -> Iterator[House]:
    with initialise(tmp_path / "house", records_url=urls.records, clock=hand.clock) as made:
        yield made


def component(text: Text, language: str) -> str:
    return GOOD


def start(house: House) -> str:
    write_version(house.settings.programme)
    house.publishing.approve([NEW], CLAIRE)
    return house.publishing.start_trial(NEW, IDRISS, people=PEOPLE, days=DAYS, component=component).trial


def ask_everybody(house: House, hand: Hand, how_many: int = 260) -> dict[int, str]:
    """Asks people under the text that is theirs; returns who was shown which."""
    people = [found.customer for found in house._vault.identify("card", [f"C{n}" for n in range(how_many)])]
    today = legal_day(hand.now, "FR")
    shown = {who: house.publishing.text_for(STATISTICS, who, today).id for who in people}
    house.permissions.record([Choice(who, STATISTICS, "requested", text=shown[who], surface="site") for who in people])
    return shown


def say_yes(house: House, who: int, text: str, *, understood: bool) -> Question | None:
    house.permissions.record([Choice(who, STATISTICS, "given", text=text, surface="site")])
    question = house.publishing.comprehension_question(text, "fr", surface="site", customer=who)
    if question is not None:
        right = house.programme.comprehension.checks[STATISTICS].right
        house.publishing.comprehension_answer(question.token, str(right) if understood else "unknown")
    return question


def test_a_trial_from_start_to_end(house: House, hand: Hand) -> None:
    """The new text gets fewer yeses, and more that were understood: it wins."""
    trial = start(house)
    assert house.programme.current_text(STATISTICS).id == OLD, "in the centre the text in force stays"
    shown = ask_everybody(house, hand)
    assert house.publishing.trials()[0].asked == (PEOPLE, PEOPLE)
    arms = {text: [who for who in shown if shown[who] == text][:PEOPLE] for text in (OLD, NEW)}
    for who in arms[OLD][:80]:
        assert say_yes(house, who, OLD, understood=who in arms[OLD][:20]) is not None, "everybody who said yes is asked"
    for who in arms[NEW][:60]:
        say_yes(house, who, NEW, understood=True)
    with pytest.raises(NotNow, match="no result before"):
        house.publishing.conclude_trial(trial, CLAIRE)
    assert house.publishing.trials()[0].arms is None
    hand.now += timedelta(days=DAYS + 2)
    assert house.publishing.trials()[0].over
    assert house.publishing.conclude_trial(trial, CLAIRE) == NEW
    found = house.publishing.trials()[0].arms
    assert found == (Arm(OLD, PEOPLE, 80, 20), Arm(NEW, PEOPLE, 60, 60))
    assert house.programme.current_text(STATISTICS).id == NEW
    house.checkpoint()
    assert house.audit().ok, house.audit().to_text()
    with house._stores.records.writing() as connection:
        connection.execute(sql("update comprehension_counts set n = n + 5 where trial <> '' and answer = 'right' and text = :text"),
                           {"text": OLD})  # fmt: skip
    assert "its result is not what" in house.audit().to_text()


def test_a_yes_counts_under_either_text_while_it_runs_and_under_none_that_was_set_aside(house: House, hand: Hand) -> None:
    trial = start(house)
    one, two = (found.customer for found in house._vault.identify("card", ["A", "B"]))
    house.permissions.record([Choice(one, STATISTICS, "given", text=OLD), Choice(two, STATISTICS, "given", text=NEW)])
    house.publishing.stop_trial(trial, CLAIRE, "The shop closes for works.")
    assert house.programme.current_text(STATISTICS).id == OLD
    with pytest.raises(BadInput):
        house.permissions.record([Choice(one, STATISTICS, "given", text=NEW)])
    assert {row.text for row in house.permissions.of_customer(two) if row.permits} == {NEW}, "what was given stands"
    with open_house(house.settings.home, clock=hand.clock) as again:
        assert again.programme.current_text(STATISTICS).id == OLD
        assert again.programme.digest == house.programme.digest
    house.checkpoint()
    assert house.audit().ok, house.audit().to_text()


def test_assignment_is_fixed_and_even(house: House, hand: Hand) -> None:
    start(house)
    today = legal_day(hand.now, "FR")
    first = {who: house.publishing.text_for(STATISTICS, who, today).id for who in range(1, 2_001)}
    with open_house(house.settings.home, clock=hand.clock) as again:
        assert all(again.publishing.text_for(STATISTICS, who, today).id == first[who] for who in range(1, 101))
    assert 900 < sum(text == NEW for text in first.values()) < 1_100


def test_who_comes_when_it_is_full_is_asked_under_the_text_in_force(house: House, hand: Hand) -> None:
    start(house)
    ask_everybody(house, hand)
    late = [found.customer for found in house._vault.identify("card", [f"L{n}" for n in range(20)])]
    assert {house.publishing.text_for(STATISTICS, who, legal_day(hand.now, "FR")).id for who in late} == {OLD}
    assert house.publishing._comparing.trial_of(NEW, late[0]) == ""


def test_nobody_is_asked_twice_whether_she_understood(house: House, hand: Hand) -> None:
    start(house)
    shown = ask_everybody(house, hand, 4)
    who, text = next(iter(shown.items()))
    assert say_yes(house, who, text, understood=True) is not None
    house.permissions.record([Choice(who, STATISTICS, "withdrawn")])
    house.permissions.record([Choice(who, STATISTICS, "given", text=text)])
    assert house.publishing._comparing.trial_of(text, who) == ""


def test_a_variant_that_is_not_symmetric_cannot_start(house: House) -> None:
    write_version(house.settings.programme)
    house.publishing.approve([NEW], CLAIRE)

    def lopsided(text: Text, language: str) -> str:
        return GOOD if text.id == OLD else GOOD.replace('class="choice" name="say" value="yes"', 'class="x" name="say" value="yes"')

    with pytest.raises(BadInput, match="not the same element"):
        house.publishing.start_trial(NEW, IDRISS, people=PEOPLE, days=DAYS, component=lopsided)
    assert house.publishing.trials() == []
    assert NEW not in house.programme.texts


@pytest.mark.parametrize(
    "change",
    [
        {"keep_months": {"FR": 23}},
        {"recipients": frozenset({"vergers-du-midi"})},
        {"fields": frozenset({"day"})},
        {"paid_by": ()},
        {"controller": "another"},
        {"bodies": {"fr": "# Une page ?\n"}},
        {"version": 1, "id": OLD},
    ],
)
def test_a_text_that_promises_something_else_is_not_compared(house: House, change: dict[str, object]) -> None:
    first = house.programme.text(OLD)
    other = replace(first, id=NEW, version=2)
    require_comparable(first, other)
    with pytest.raises(BadInput):
        require_comparable(first, replace(other, **change))  # type: ignore[arg-type]


def test_it_takes_two_people_and_bounds(house: House) -> None:
    write_version(house.settings.programme)
    with pytest.raises(NotNow):
        house.publishing.start_trial(NEW, IDRISS, people=PEOPLE, days=DAYS, component=component)
    house.publishing.approve([NEW], CLAIRE)
    with pytest.raises(NotNow):
        house.publishing.start_trial(NEW, CLAIRE, people=PEOPLE, days=DAYS, component=component)
    for people, days in ((trials.PEOPLE_MIN - 1, DAYS), (PEOPLE, 0), (PEOPLE, trials.DAYS_MAX + 1), (trials.PEOPLE_MAX + 1, 1)):
        with pytest.raises(BadInput):
            house.publishing.start_trial(NEW, IDRISS, people=people, days=days, component=component)
    house.publishing.start_trial(NEW, IDRISS, people=PEOPLE, days=DAYS, component=component)
    third = write_version(house.settings.programme, version=3)
    house.publishing.approve([third], CLAIRE)
    with pytest.raises(NotNow, match="being compared"):
        house.publishing.publish([third], IDRISS)
    with pytest.raises(NotFound):
        house.publishing.stop_trial("another", CLAIRE, "why")


def test_a_text_that_ends_meanwhile_is_shown_to_nobody(house: House, hand: Hand) -> None:
    start(house)
    today = legal_day(hand.now, "FR")
    house.permissions.invalidate(NEW, today, why="a wrong name", by="Idriss Exemple")
    assert {house.publishing.text_for(STATISTICS, who, today).id for who in range(1, 50)} == {OLD}


def test_more_yeses_alone_win_nothing() -> None:
    assert winner(Arm("a/1", 1_000, 300, 250), Arm("a/2", 1_000, 900, 251)) is None
    assert winner(Arm("a/1", 1_000, 900, 250), Arm("a/2", 1_000, 400, 350)) == "a/2"
    assert winner(Arm("a/1", 1_000, 400, 350), Arm("a/2", 1_000, 900, 250)) == "a/1"


def test_the_asking_station_shows_each_person_the_text_that_is_hers(house: House) -> None:
    write_version(house.settings.programme, "email-marketing")
    new = "email-marketing/2"
    house.publishing.approve([new], CLAIRE)
    house.publishing.start_trial(new, IDRISS, people=PEOPLE, days=DAYS, component=component)
    people = [found.customer for found in house._vault.identify("card", [f"Q{n}" for n in range(12)])]
    shown = {}
    for who in people:
        question = house.asking.next_question(who, f"visit-{who}", "joining")
        assert question is not None
        shown[who] = question.text
        assert question.text == trials.assigned(house.publishing.trials()[0].trial, who)
        assert house.asking.answer(question.token, "yes").permitted
    assert set(shown.values()) == {"email-marketing/1", new}
    assert sum(house.publishing.trials()[0].asked) == len(people)
