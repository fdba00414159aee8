"""The page of the year: what the gate would let happen and what the record says was used; once a year, at most once."""

from __future__ import annotations

from datetime import timedelta

from tests.support.doors import STATISTICS, Doors
from tests.support.house import Line, sell, stock

from volens.gate.policy import ReadRequest


def test_it_says_what_is_permitted_by_whom_and_how_to_stop(doors: Doors) -> None:
    page = doors.house.doorways.yearly.page(doors.camille, "fr")
    assert "Vous envoyer nos offres par e-mail. Pour : " in page.text
    assert "Nous sommes payés pour cela par : Vergers du Midi SAS" in page.text
    assert "Ranger notre site" not in page.text, "told, and the days to object are not over"
    assert f"https://lepanier.example/n/{doors.code().replace('-', '')}" in page.text
    assert "<svg" in page.html
    assert page.html.count("<h1>") == 1
    doors.house.permissions.refuse_everything(doors.camille, surface="a test")
    assert "Rien. Vos achats servent à votre carte" in doors.house.doorways.yearly.page(doors.camille, "fr").text
    assert "Nothing. Your purchases serve your card" in doors.house.doorways.yearly.page(doors.camille, "en").text


def test_it_says_what_was_used_in_the_last_year(doors: Doors) -> None:
    stock(doors.house, doors.house.settings.home / "made")
    sell(doors.house, doors.house.settings.home / "made", [Line(1, 300)])
    rule, today = doors.house.programme.purpose(STATISTICS), doors.hand.now().date()
    request = ReadRequest(
        "a test", STATISTICS, "vergers-du-midi", tuple(sorted(rule.fields)), today - timedelta(days=90), today + timedelta(days=1)
    )
    for _ in range(2):
        with doors.house.gate.open_purchases(request) as reading:
            reading.saw(reading.opened.permitted)
    text = doors.house.doorways.yearly.page(doors.camille, "fr").text
    assert "Pour : Vergers du Midi SAS. 2 fois, la dernière le 2 mars 2026." in text
    doors.later(days=366)
    assert "2 fois" not in doors.house.doorways.yearly.page(doors.camille, "fr").text


def test_once_a_year_and_at_most_once(doors: Doors) -> None:
    yearly = doors.house.doorways.yearly
    assert yearly.due() == [doors.camille], "Sacha can be reached by no channel"
    assert yearly.send() == 1
    assert yearly.send() == 0
    assert not yearly.send_one(doors.camille)
    doors.later(days=364)
    assert yearly.due() == []
    assert not yearly.send_one(doors.camille)
    doors.later(days=1)
    assert yearly.send() == 1
    assert len(doors.house.delivery.newest(10, doors.camille)) == 2
    assert doors.house.audit().ok, doors.house.audit().to_text()


def test_by_the_channel_that_somebody_allows_or_not_at_all(doors: Doors) -> None:
    doors.house.delivery.choose_channel(doors.camille, "none")
    doors.house.delivery.choose_channel(doors.sacha, "sms")
    assert doors.house.doorways.yearly.send() == 1
    assert doors.house.doorways.work() == 1
    (text,) = doors.letters(doors.sacha)
    assert "lepanier.example/autorisations" in text
    assert len(text) < 400, "an SMS says where the page is"


def test_the_night_sends_what_is_due_and_nothing_twice(doors: Doors) -> None:
    assert doors.house.doorways.nightly()["pages"] == 1
    assert doors.house.doorways.nightly()["pages"] == 0
    assert doors.house.delivery.counts() == {"carried": 1}


def test_the_line_fits_the_paper_and_names_the_cards_address(doors: Doors) -> None:
    url = doors.house.doorways.first(doors.camille)
    for language in ("fr", "en"):
        lines = doors.house.doorways.lines.receipt(language, url, 32)
        assert [one for one in lines if len(one) > 32] == [one for one in lines if len(one) > 32 and " " not in one]
        assert any("lepanier.example/n/" in one for one in lines)
        assert "/n/" not in doors.house.doorways.line(language)
