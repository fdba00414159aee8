"""Joining: a card for whoever asks, each optional use answered apart, once however often it is sent. On both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from tests.conftest import Urls
from tests.support.asking import ADS, MAIL, REMINDERS, STATISTICS, house_that_asks, people
from tests.support.shop import HandClock

from volens.app import House
from volens.asking.joining import Application, Unfinished
from volens.errors import BadInput, NotNow

TOKEN = "a-form-of-its-own-1"
NAMES = {"given_name": "Camille", "family_name": "Exemple", "email": "camille@example.org"}


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def house(urls: Urls, tmp_path: Path, hand: HandClock) -> Iterator[House]:
    with house_that_asks(tmp_path, hand, urls.records) as made:
        yield made


def form(house: House, language: str = "fr", **answers: str) -> Application:
    """A form as it was shown, and filled in."""
    shown = [*house.asking.joinings.contract(language), *house.asking.joinings.optional(language)]
    named = {name.replace("_", "-"): said for name, said in answers.items()}
    return Application(TOKEN, NAMES, named, {one.purpose: one.rendered_sha256 for one in shown}, language)


def standing(house: House, customer: int) -> dict[str, str]:
    return {row.purpose: row.kind for row in house.permissions.of_customer(customer)}


def test_the_card_works_with_every_answer_left_out(house: House) -> None:
    joined = house.asking.joinings.join(form(house))
    assert joined.said == (("loyalty", "joined"),)
    assert len(joined.card) == 13
    assert joined.card.startswith("29")
    assert house.customer("card", joined.card).customer == house.customer("email", "camille@example.org").customer
    assert standing(house, joined.customer) == {"loyalty": "joined"}
    (line,) = house.permissions.history(joined.customer)
    shown = house.asking.joinings.contract("fr")[0]
    text = house.programme.text("loyalty/1").digest("fr")
    assert line.how["proof"] == {"text_sha256": text, "rendered_sha256": shown.rendered_sha256}
    assert line.how["surface"] == "sign-up"
    house.checkpoint()
    assert house.audit().ok


def test_each_answer_is_recorded_as_it_was_given(house: House) -> None:
    joined = house.asking.joinings.join(form(house, basket_reminder="yes", supplier_statistics="no", onsite_personalisation="yes"))
    assert dict(joined.said) == {
        "loyalty": "joined", REMINDERS: "given", STATISTICS: "refused", "onsite-personalisation": "notified",
    }  # fmt: skip
    stands = standing(house, joined.customer)
    assert stands[REMINDERS] == "given"
    assert stands[STATISTICS] == "refused"
    assert MAIL not in stands, "no answer is no word"
    asked = house.asking.next_question(joined.customer, "visit-1", "receipt")
    assert asked is None or asked.purpose != STATISTICS, "the no on the form is a no everywhere"


def test_the_same_form_sent_twice_or_at_once_is_one_card(house: House) -> None:
    sent = form(house, "en", basket_reminder="yes")
    with ThreadPoolExecutor(6) as threads:
        cards = {joined.card for joined in threads.map(lambda _: house.asking.joinings.join(sent), range(6))}
    assert len(cards) == 1
    again = house.asking.joinings.join(sent)
    assert again.card in cards
    kinds = [one.kind for one in house.permissions.history(again.customer)]
    assert sorted(kinds) == ["given", "joined"]
    other = house.asking.joinings.join(replace(sent, token="another-form-of-its-own"))
    assert other.card not in cards
    house.checkpoint()
    assert house.audit().ok


def test_an_email_that_is_known_stays_whose_it_is_and_nobody_is_told(house: House) -> None:
    (known,) = people(house, ["CAMILLE"])
    joined = house.asking.joinings.join(replace(form(house), details={**NAMES, "email": "camille@example.org"}))
    assert joined.customer != known
    assert house.customer("email", "camille@example.org").customer == known


def test_what_is_missing_or_cannot_be_read_is_named_and_nothing_is_recorded(house: House) -> None:
    wrong = {"given_name": " ", "email": "no address", "birth_date": "31/12/1980", "family_name": "x" * 81}
    with pytest.raises(Unfinished) as unfinished:
        house.asking.joinings.join(replace(form(house), details=wrong))
    assert unfinished.value.fields == {
        "given_name": "missing", "email": "unreadable", "birth_date": "unreadable", "family_name": "too-long",
    }  # fmt: skip
    for born in ("2999-01-01", "1800-01-01", "19800517"):
        with pytest.raises(Unfinished):
            house.asking.joinings.join(replace(form(house), details={**NAMES, "birth_date": born}))
    with pytest.raises(BadInput, match="asks nothing about"):
        house.asking.joinings.join(form(house, supplier_sharing="yes"))
    with pytest.raises(BadInput, match="no number"):
        house.asking.joinings.join(replace(form(house), token="short"))
    with pytest.raises(NotNow, match="There is no card"):
        house.asking.joinings.join(replace(form(house), language="de"))
    assert house._vault.count_accounts() == 0


def test_a_birth_date_is_asked_of_minors_alone_and_their_age_is_kept_to(house: House) -> None:
    minor = replace(form(house, basket_reminder="yes", targeted_ads="yes", supplier_statistics="no"), minor=True)
    with pytest.raises(Unfinished) as unfinished:
        house.asking.joinings.join(minor)
    assert unfinished.value.fields == {"birth_date": "missing"}
    young = house.asking.joinings.join(replace(minor, details={**NAMES, "birth_date": "2009-05-17"}))
    assert young.too_young == (ADS,)
    assert dict(young.said) == {"loyalty": "joined", REMINDERS: "given", STATISTICS: "refused"}
    child = replace(minor, token="a-form-of-a-child-1", details={**NAMES, "birth_date": "2014-05-17"})
    joined = house.asking.joinings.join(child)
    assert joined.too_young == (REMINDERS, ADS)
    assert dict(joined.said) == {"loyalty": "joined", STATISTICS: "refused"}


def test_a_form_whose_text_changed_is_shown_again_before_anything_is_recorded(house: House) -> None:
    sent = form(house, basket_reminder="yes")
    for purpose in ("loyalty", REMINDERS):
        with pytest.raises(NotNow, match="has changed"):
            house.asking.joinings.join(replace(sent, rendered={**sent.rendered, purpose: "0" * 64}))
    assert house._vault.count_accounts() == 0
    no = replace(form(house, supplier_statistics="no"), rendered={"loyalty": sent.rendered["loyalty"]})
    joined = house.asking.joinings.join(no)
    assert dict(joined.said)[STATISTICS] == "refused", "a no needs no text"


def test_a_form_that_was_cut_short_goes_on_where_it_stopped(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = form(house, basket_reminder="yes")
    record = house.permissions.record
    with monkeypatch.context() as broken:
        broken.setattr(house.permissions, "record", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            house.asking.joinings.join(sent)
    assert house._vault.count_accounts() == 2
    assert house.permissions.record == record
    joined = house.asking.joinings.join(sent)
    assert house._vault.count_accounts() == 2
    assert dict(joined.said) == {"loyalty": "joined", REMINDERS: "given"}


def test_after_an_erasure_and_after_thirty_days_nothing_of_the_form_is_left(house: House, hand: HandClock) -> None:
    joined = house.asking.joinings.join(form(house))
    house.erasure.erase(joined.customer, by="Alice Exemple", why="consent-withdrawn")
    with house._stores.records.reading() as connection:
        assert connection.execute(sql("select count(*) from joinings")).scalar_one() == 0
    house.asking.joinings.join(form(house))
    hand.pass_days(31)
    house.asking.joinings.join(replace(form(house), token="another-form-of-its-own"))
    with house._stores.records.reading() as connection:
        assert connection.execute(sql("select count(*) from joinings")).scalar_one() == 1
    house.checkpoint()
    assert house.audit().ok
    with house._stores.records.writing() as connection:
        connection.execute(sql("update joinings set done = done + 1"))
    assert not house.audit().ok
