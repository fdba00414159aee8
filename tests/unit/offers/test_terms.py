"""The terms say what the document says, in plain words, and nothing that the linter would point at."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import Any

import pytest
from tests.support.offers import ON, PRESS, built, changed, lawful
from tests.unit.offers.test_space import FIRST, holds, pairs

from volens.errors import NotFound, Refused
from volens.offers.document import Item, Medium, Offer, Purpose, Uses
from volens.offers.lint import lint
from volens.offers.reading import offer_of, read
from volens.offers.terms import terms
from volens.programme.reading import EASE_MIN, SENTENCE_WORDS_MEAN, measure

HEDGES = re.compile(
    r"\b(peut-être|pourr\w*|éventuel\w*|notamment|susceptible\w*|etc|services|may|might|could|mainly|possibly|such as)\b"
)
"""In small letters: May is a month as well."""
TEN = {"fr": "10,50 € pour deux amis", "en": "€10.50 for two friends"}
OTHERS: list[dict[str, Any]] = [
    {}, {"licence": ...}, {"act__times": 1},
    {"licence__recipients": [{"name": "Une Régie", "country": "BE"}]},
    {"act": {"kind": "order", "times": 3, "uses": ["orders"]}}, {"act": {"kind": "download", "times": 1, "uses": ["account"]}},
    {"act": {"kind": "survey", "times": 2, "uses": ["answers"], "cap_a_year": 1}},
    {"reward__amount": {"money_cents": 1050, "voucher_cents": 0}, "reward__voucher_days": ..., "promised_cents": 1050, "name": TEN},
    {"reward__amount": {"money_cents": 0, "voucher_cents": 1050}, "promised_cents": 1050, "name": TEN},
    {"licence__items": [one for one in Item if one in ("photo", "first-name", "user-name", "review", "voice", "home-town")],
     "licence__media": [one for one in Medium if one != "any"], "licence__purposes": [one for one in Purpose if one != "any"],
     "act__uses": [one for one in Uses if one not in ("contacts", "fingerprint", "location")], "countries": ["FR", "IE"],
     "licence__territories": ["FR", "BE", "DE"]},
]  # fmt: skip


def euros(cents: int) -> str:
    whole, rest = divmod(cents, 100)
    return f"{whole}.{rest:02}" if rest else str(whole)


def figures_of(offer: Offer) -> Counter[str]:
    """Every figure that the document binds somebody by, as often as the terms say it."""
    def amount(money: int, vouchers: int) -> list[str]:
        both = [money + vouchers] if money and vouchers else []
        return [euros(each) for each in [*both, *(one for one in (money, vouchers) if one)]]

    one, found = offer.licence, [str(offer.version), str(offer.min_age), str(offer.act.times), str(offer.reward.due_days)]
    found += [str(part) for day in (offer.starts, offer.ends) if day is not None for part in (day.day, day.year)]
    found += amount(offer.reward.amount.money_cents, offer.reward.amount.voucher_cents)
    found += [str(number) for number in (offer.reward.voucher_days, offer.act.cap_a_year) if number and number > 1]
    if one is not None and one.instead is not None and one.ceiling is not None:
        found += [str(part) for day in (one.starts, one.ends) if day is not None for part in (day.day, day.year)]
        found += [str(one.notice_days), str(one.withdrawal.effect_days), euros(one.ceiling.cents)]
        found += amount(one.reward.money_cents, one.reward.voucher_cents)
        found += amount(one.instead.amount.money_cents, one.instead.amount.voucher_cents)
    return Counter(found)


def figures_in(page: str, offer: Offer) -> Counter[str]:
    for own in (*offer.name.values(), offer.controller.address, offer.id):
        page = page.replace(own, "")
    return Counter(one.replace(",", ".") for one in re.findall(r"\d+(?:[.,]\d+)?", page))


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_the_terms_are_those_of_the_document(other: dict[str, Any], language: str) -> None:
    offer = offer_of(changed(**other))
    page = terms(offer, language, ON)
    assert figures_in(page, offer) == figures_of(offer)
    assert lint(page, ".md") == (), "no clause that the linter points at"
    assert not HEDGES.findall(page)
    ease = measure(page, language)
    assert ease.ease >= EASE_MIN
    assert ease.words_per_sentence <= SENTENCE_WORDS_MEAN
    assert page == terms(offer, language, ON), "the same bytes"
    assert ("deuxième offre" in page or "second offer" in page) == (offer.licence is not None)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_figure_that_changes_changes_the_terms(language: str) -> None:
    offer = lawful()
    page = terms(offer, language, ON)
    for changed_offer in (
        dataclasses.replace(offer, min_age=19),
        dataclasses.replace(offer, act=dataclasses.replace(offer.act, times=3)),
        dataclasses.replace(offer, reward=dataclasses.replace(offer.reward, due_days=29)),
        dataclasses.replace(offer, version=2),
    ):
        assert terms(changed_offer, language, ON) != page


def test_lawful_combinations_of_the_space_are_told_without_a_lead() -> None:
    told = 0
    for values in [one for one in pairs() if holds(one)][::3]:
        offer = built({**FIRST, **values})
        for language in offer.languages:
            page = terms(offer, language, ON)
            assert figures_in(page, offer) == figures_of(offer)
            told += 1
    assert told > 50


@pytest.mark.parametrize(("language", "said"), [("fr", "devient client chez nous et passe une commande"),
                                                ("en", "become our customer and place an order")])  # fmt: skip
def test_a_friend_counts_when_she_orders_and_the_terms_say_so(language: str, said: str) -> None:
    assert said in terms(lawful(), language, ON)


@pytest.mark.parametrize(("language", "once"), [("fr", "Vous gagnez cette somme une seule fois."), ("en", "You earn this once.")])
def test_what_has_no_number_a_year_is_earned_once_and_the_terms_say_so(language: str, once: str) -> None:
    act = {"kind": "order", "times": 3, "uses": ["orders"]}
    assert once in terms(offer_of(changed(act=act)), language, ON)
    assert once not in terms(offer_of(changed(act={**act, "cap_a_year": 2})), language, ON)


@pytest.mark.parametrize(
    ("days", "english", "french"),
    [(0, "on the same day.", "le jour même."), (1, "in 1 day at most.", "en 1 jour au plus."),
     (2, "in 2 days at most.", "en 2 jours au plus.")],
)  # fmt: skip
def test_days_are_counted_as_people_say_them(days: int, english: str, french: str) -> None:
    offer = offer_of(changed(reward__due_days=days, licence__withdrawal__effect_days=days))
    assert f"You get it {english}" in (page := terms(offer, "en", ON))
    assert f"We take everything down {english}" in page
    assert f"Vous le recevez {french}" in (page := terms(offer, "fr", ON))
    assert f"Nous enlevons tout {french}" in page


def test_once_a_year_and_the_first_of_a_month_are_said_as_people_say_them() -> None:
    other = {"licence__instead__kind": "referral", "licence__instead__questions": ...}
    offer = offer_of(changed(act__cap_a_year=1, ends="2027-03-01", **other))
    assert "You earn this once a year at most." in terms(offer, "en", ON)
    page = terms(offer, "fr", ON)
    assert "Vous gagnez cette somme une fois par an au plus." in page
    assert "Elle finit le 1er mars 2027 au soir." in page
    assert "Il suffit d'inviter un ami." in page


def test_what_stands_against_an_offer_leaves_it_without_terms() -> None:
    with pytest.raises(Refused, match="OFF018"):
        terms(offer_of(read(PRESS)), "fr", ON)
    with pytest.raises(NotFound, match="no terms in"):
        terms(offer_of(changed(languages=["fr"])), "en", ON)


def test_no_value_of_an_offer_is_read_as_markdown() -> None:
    """No document with such a name loads; were there one, its terms would show the name and not read it."""
    forged = dataclasses.replace(
        lawful(), name={"fr": "Offre", "en": "An offer\n\n## You also agree\n\nok **x** <b>y</b> [z](https://z.example)"}
    )
    page = terms(forged, "en", ON)
    first = page.splitlines()[0]
    assert first == r"# An offer  \#\# You also agree  ok \*\*x\*\* \<b\>y\</b\> \[z\](https://z.example)"
    assert page.count("\n## ") == terms(lawful(), "en", ON).count("\n## ")
