"""Whether a text was understood is known by counts; nobody can be found in them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect
from sqlalchemy import text as sql
from tests.conftest import Urls
from tests.support.publishing import STATISTICS

from volens.app import House, initialise
from volens.clock import Clock
from volens.errors import BadInput, NotNow
from volens.permissions import counts as choice_counts
from volens.permissions.ledger import Choice
from volens.publishing import counts
from volens.publishing.comprehension import Understanding

TEXT = f"{STATISTICS}/1"
CARD = "9130007412345"


class Hand:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def house(urls: Urls, tmp_path: Path, hand: Hand) -> Iterator[House]:
    with initialise(tmp_path / "house", records_url=urls.records, clock=hand.clock) as made:
        yield made


def always(house: House) -> Understanding:
    """The station's own, with a draw that always asks; the order of answers stays as drawn."""
    return Understanding(house._stores.records, house.programme, house._keys.mac, house.clock, draw=lambda below: 0)


def cells(house: House) -> Counter[str]:
    with house._stores.records.reading() as connection:
        return Counter({(cell.answer): cell.n for cell in counts.all_cells(connection)})


def test_the_rate_is_the_programmes(house: House) -> None:
    drawn = iter(range(100))
    understanding = always(house)
    understanding._draw = lambda below: next(drawn) if below == 100 else 0
    put = [understanding.question(TEXT, "fr", surface="site") is not None for _ in range(100)]
    assert sum(put) == house.programme.comprehension.percent == 5


def test_one_answer_is_right_and_every_answer_counts_once(house: House) -> None:
    understanding = always(house)
    check = house.programme.comprehension.checks[STATISTICS]
    for answer in [*map(str, range(len(check.answers))), "unknown", "skipped"]:
        question = understanding.question(TEXT, "fr", surface="site")
        assert question is not None
        assert {value for value, _ in question.answers} == {"0", "1", "2"}
        outcome = understanding.answer(question.token, answer)
        assert outcome.right == check.answers[check.right].says["fr"]
        with pytest.raises(NotNow):
            understanding.answer(question.token, answer)
    assert cells(house) == {"put": 5, "right": 1, "wrong": 2, "unknown": 1, "skipped": 1}


def test_a_page_that_is_loaded_again_shows_the_same_question(house: House) -> None:
    understanding = always(house)
    question = understanding.question(TEXT, "en", surface="site")
    assert question is not None
    assert understanding.again(question.token) == question
    understanding.answer(question.token, "skipped")
    assert understanding.again(question.token) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + "0",
        lambda token: "x" + token,
        lambda token: "",
        lambda token: "é.é",
        lambda token: token * 9,
    ],
)
def test_a_forged_number_is_refused(house: House, change: object) -> None:
    understanding = always(house)
    question = understanding.question(TEXT, "fr", surface="site")
    assert question is not None
    assert callable(change)
    forged = change(question.token)
    if forged == question.token:
        forged = question.token[:-1] + "1"
    with pytest.raises(BadInput):
        understanding.answer(forged, "0")
    assert cells(house) == {"put": 1}


def test_after_an_hour_it_is_too_late(house: House, hand: Hand) -> None:
    understanding = always(house)
    question = understanding.question(TEXT, "fr", surface="site")
    assert question is not None
    hand.now += timedelta(minutes=61)
    assert understanding.again(question.token) is None
    with pytest.raises(NotNow):
        understanding.answer(question.token, "0")


def test_an_answer_that_is_none_counts_nothing(house: House) -> None:
    understanding = always(house)
    question = understanding.question(TEXT, "fr", surface="site")
    assert question is not None
    with pytest.raises(BadInput):
        understanding.answer(question.token, "3")
    understanding.answer(question.token, "1")


def test_nobody_is_asked_without_words(house: House) -> None:
    understanding = always(house)
    assert understanding.question("loyalty/1", "fr", surface="site") is None
    assert understanding.question(TEXT, "de", surface="site") is None
    assert understanding.question(f"{STATISTICS}/9", "fr", surface="site") is None


def test_tables_and_logs_hold_no_customer(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """After choices and answers of one person: what the tables hold are words of the programme, weeks and counts."""
    caplog.set_level(logging.DEBUG)
    person = house._vault.identify("card", [CARD])[0].customer
    understanding = always(house)
    house.permissions.record([Choice(person, STATISTICS, "given", surface="site")])
    house.permissions.record([Choice(person, STATISTICS, "withdrawn", surface=f"paper form of {CARD}", store="Lyon 9130007412345")])
    question = understanding.question(TEXT, "fr", surface=f"site {CARD}")
    assert question is not None
    understanding.answer(question.token, "0")
    house.checkpoint()
    with house._stores.records.reading() as connection:
        events = connection.execute(sql("select count(*) from events where kind not in ('given', 'withdrawn')")).scalar_one()
        columns = {
            table: {column["name"] for column in inspect(connection).get_columns(table)}
            for table in ("comprehension_counts", "choice_counts", "comprehension_answered")
        }
        held = [
            list(row)
            for table in ("comprehension_counts", "choice_counts")
            for row in connection.execute(sql(f"select * from {table}"))
        ]
    cell = {"week", "language", "surface", "text", "n"}
    assert columns["comprehension_counts"] == cell | {"question", "answer", "trial"}
    assert columns["choice_counts"] == cell | {"purpose", "store", "kind"}
    assert columns["comprehension_answered"] == {"question", "until"}
    assert held
    assert CARD not in str(held)
    assert CARD not in caplog.text
    assert question.token not in caplog.text
    question = understanding.question(TEXT, "fr", surface="site")
    assert question is not None
    understanding.answer(question.token, "unknown")
    with house._stores.records.reading() as connection:
        again = connection.execute(sql("select count(*) from events where kind not in ('given', 'withdrawn')")).scalar_one()
    assert again == events, "an answer leaves no event"


def test_choices_are_counted_where_they_are_made_and_the_audit_follows(house: House) -> None:
    one, two = (found.customer for found in house._vault.identify("card", ["C1", "C2"]))
    house.permissions.record(
        [
            Choice(one, STATISTICS, "requested", surface="till", store="Lyon"),
            Choice(two, STATISTICS, "requested", surface="till", store="Lyon"),
            Choice(one, STATISTICS, "given", surface="till", store="Lyon"),
            Choice(two, STATISTICS, "refused", surface="site", language="en"),
        ]
    )
    house.permissions.record([Choice(one, STATISTICS, "withdrawn", surface="site")])
    with house._stores.records.reading() as connection:
        found = {(cell.surface, cell.store, cell.language, cell.kind): cell.n for cell in choice_counts.all_cells(connection)}
        weeks = {cell.week for cell in choice_counts.all_cells(connection)}
    assert found == {
        ("till", "Lyon", "fr", "requested"): 2, ("till", "Lyon", "fr", "given"): 1,
        ("site", "", "en", "refused"): 1, ("site", "", "fr", "withdrawn"): 1,
    }  # fmt: skip
    assert weeks == {"2026-03-02"}
    house.checkpoint()
    assert house.audit().ok, house.audit().to_text()
    with house._stores.records.writing() as connection:
        connection.execute(sql("update choice_counts set n = n + 1 where kind = 'given'"))
    assert "2 are counted, and 1 were made" in house.audit().to_text()


def test_a_refused_batch_counts_nothing(house: House) -> None:
    person = house._vault.identify("card", ["C1"])[0].customer
    with pytest.raises(BadInput):
        house.permissions.record([Choice(person, STATISTICS, "given", text="supplier-statistics/1", language="de")])
    with house._stores.records.reading() as connection:
        assert choice_counts.all_cells(connection) == []


def test_who_opened_the_centre_counts_once_and_goes_with_the_person(house: House) -> None:
    person = house._vault.identify("card", ["C1"])[0].customer
    assert house.publishing.centre_opened(person, surface="site", language="fr")
    assert not house.publishing.centre_opened(person, surface="app", language="fr")
    with house._stores.records.reading() as connection:
        assert [(cell.kind, cell.surface, cell.n) for cell in choice_counts.all_cells(connection)] == [("opened", "site", 1)]
    house.erasure.erase(person, by="Idriss Exemple", why="objection")
    with house._stores.records.reading() as connection:
        assert counts.who_opened(connection) == []
    house.checkpoint()
    assert house.audit().ok, house.audit().to_text()


def test_other_words_are_counted_apart(house: House) -> None:
    check = house.programme.comprehension.checks[STATISTICS]
    other = replace(check, ask={**check.ask, "fr": "Autre chose ?"})
    assert other.name("fr") != check.name("fr")
    assert other.name("en") == check.name("en")
