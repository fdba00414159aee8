"""The rules about the licence: what may be published of somebody, where, until when, and how she takes it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from volens.offers.document import WORLD, Choice, Consent, Earned, Item, Licence, Medium, Offer, Purpose, Shows, Withdraw
from volens.offers.rules import Against, Rule
from volens.offers.saying import REASON_WORDS_MIN, gives_a_reason, names_a_company, urges

MONTHS_MAX = 24
"""How long a licence lasts at most; policy."""
EFFECT_DAYS_MAX = 7
"""Within how many days it is taken down; policy."""
NOTICE_DAYS_MIN = 7
"""How long somebody has to look at what will be published; policy."""
LICENCE_AGE = 18
CEILING_CENTS_MAX = 50_00
"""No ceiling lies higher: a reward that people with little money cannot refuse makes no free yes; policy."""
SPECIAL = frozenset({Item.HEALTH, Item.RELIGION, Item.OPINIONS})


def _consent(offer: Offer, one: Licence) -> Iterator[Against]:
    if one.consent is Consent.BY_TAKING_PART:
        yield "licence.consent", "Joining the offer counts as a yes to the licence."
    if one.consent is Consent.PRE_TICKED:
        yield "licence.consent", "The yes to the licence is ticked beforehand."


def _purposes(offer: Offer, one: Licence) -> Iterator[Against]:
    if Purpose.ANY in one.purposes:
        yield "licence.purposes", "The licence is for any purpose."
    if one.choice is Choice.TOGETHER and len(one.purposes) > 1:
        yield "licence.choice", f"One yes stands for {len(one.purposes)} purposes."


def _end(offer: Offer, one: Licence) -> Iterator[Against]:
    if one.ends is None:
        yield "licence.ends", "The licence never ends."
    elif one.ends > _months_after(one.starts, MONTHS_MAX):
        yield "licence.ends", f"The licence lasts longer than {MONTHS_MAX} months."


def _months_after(day: date, months: int) -> date:
    """The same day so many months later; the first of the month after it where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return day.replace(year=year, month=month + 1)
    except ValueError:
        return date(year, month + 2, 1)


def _media(offer: Offer, one: Licence) -> Iterator[Against]:
    if Medium.ANY in one.media:
        yield "licence.media", "The licence is for all media, also those to come."


def _territory(offer: Offer, one: Licence) -> Iterator[Against]:
    if WORLD in one.territories:
        yield "licence.territories", "The licence is for the whole world."


def _preview(offer: Offer, one: Licence) -> Iterator[Against]:
    if not one.preview:
        yield "licence.preview", "Things are published that nobody was shown before."
    if one.notice_days < NOTICE_DAYS_MIN:
        yield "licence.notice_days", f"There are {one.notice_days} days to look at what will be published."


def _paid(offer: Offer, one: Licence) -> Iterator[Against]:
    if not one.reward.cents:
        yield "licence.reward", "The licence earns nothing, within an offer that pays."


def _items(offer: Offer, one: Licence) -> Iterator[Against]:
    if Item.ANYTHING in one.items:
        yield "licence.items", "The list of what may be published is open."
    if not one.one_by_one:
        yield "licence.one_by_one", "The items are not shown and permitted one by one."


def _recipients(offer: Offer, one: Licence) -> Iterator[Against]:
    if one.sublicence:
        yield "licence.sublicence", "The licence can be passed on to companies that nobody has named."
    for company in one.recipients:
        if not names_a_company(company.name):
            yield "licence.recipients", f"“{company.name}” names no company."


def _sold(offer: Offer, one: Licence) -> Iterator[Against]:
    if one.sold:
        yield "licence.sold", "Personal data change hands like goods."


def _special(offer: Offer, one: Licence) -> Iterator[Against]:
    for item in sorted(one.items & SPECIAL):
        yield "licence.items", f"`{item}` tells of what is protected most."
    if offer.min_age < LICENCE_AGE:
        yield "min_age", f"A licence is offered to people of {offer.min_age} years."
    if one.shows is Shows.OTHERS:
        yield "licence.shows", "Other people are to be seen or heard, and they have not been asked."


def _penalty(offer: Offer, one: Licence) -> Iterator[Against]:
    if one.withdrawal.reward is Earned.LOST:
        yield "licence.withdrawal.reward", "Who withdraws loses what was earned."
    if one.withdrawal.fee_cents:
        yield "licence.withdrawal.fee_cents", "Withdrawing costs money."


def _withdrawal(offer: Offer, one: Licence) -> Iterator[Against]:
    if one.withdrawal.how is Withdraw.NEVER:
        yield "licence.withdrawal.how", "The licence cannot be withdrawn."
    elif one.withdrawal.how is Withdraw.LETTER:
        yield "licence.withdrawal.how", "Withdrawing takes a letter, and the yes took a click."
    if one.withdrawal.effect_days > EFFECT_DAYS_MAX:
        yield "licence.withdrawal.effect_days", f"A withdrawal takes effect after {one.withdrawal.effect_days} days."
    if not one.withdrawal.taken_down:
        yield "licence.withdrawal.taken_down", "What is published stays up after a withdrawal."


def _ceiling(offer: Offer, one: Licence) -> Iterator[Against]:
    if one.ceiling is None:
        yield "licence", "The reward for the licence has no ceiling."
        return
    if one.ceiling.cents > CEILING_CENTS_MAX:
        yield "licence.ceiling.cents", f"The ceiling lies at {one.ceiling.cents} minor units; none lies above {CEILING_CENTS_MAX}."
    if one.reward.cents > one.ceiling.cents:
        yield "licence.reward", f"The licence earns {one.reward.cents} minor units, and its ceiling is {one.ceiling.cents}."
    for text in one.ceiling.reason.values():
        if not gives_a_reason(text):
            yield "licence.ceiling.reason", f"“{text}” is no reason: it has fewer than {REASON_WORDS_MIN} different words."
        elif urges(text):
            yield "licence.ceiling.reason", f"“{text}” presses people to say yes."


def _instead(offer: Offer, one: Licence) -> Iterator[Against]:
    if one.instead is None:
        yield "licence", "No equivalent offer without a licence stands beside it."
    elif one.instead.amount != one.reward:
        yield "licence.instead.amount", "The offer without a licence does not earn the same."


def _rule(id: str, title: str, article: str, remedy: str, run: Callable[[Offer, Licence], Iterator[Against]]) -> Rule:
    """A rule that has nothing to say where there is no licence."""
    def of_offer(offer: Offer, on: date) -> Iterator[Against]:
        if offer.licence is not None:
            yield from run(offer, offer.licence)

    return Rule(id, title, article, remedy, of_offer)


LICENCE_RULES = (
    _rule("OFF016", "The licence is a choice of its own", "GDPR 4(11), 7(2), 7(4)",
          "Write `consent: own-choice`: nothing is ticked, and joining says nothing about it.", _consent),
    _rule("OFF017", "One choice for one purpose", "GDPR 5(1)(b), 6(1)(a), recital 32",
          "Name the purposes and write `choice: each`.", _purposes),
    _rule("OFF018", "A licence has an end", "GDPR 7(3), 5(1)(e); C. civ. 9; compare TGI Paris, 7 October 2015",
          f"Give `ends`, at most {MONTHS_MAX} months after `starts`. Without an end it could be revoked at any time anyway.", _end),
    _rule("OFF019", "Named media", "GDPR 5(1)(b); C. civ. 9; CPI L131-3 for works",
          "Name the media in which it appears.", _media),
    _rule("OFF020", "Named territories", "Policy; GDPR 5(1)(c), chapter V",
          "Name the countries where it appears.", _territory),
    _rule("OFF021", "Seen before it is published", "GDPR 13; C. civ. 9",
          f"Write `preview: true` and `notice_days: {NOTICE_DAYS_MIN}` or more.", _preview),
    _rule("OFF022", "What is sold as paid is paid", "Directive 2005/29, art. 5 to 7",
          "Give the licence a `reward`, or take the licence out.", _paid),
    _rule("OFF023", "A closed list of things", "GDPR 5(1)(c); C. civ. 9",
          "Name the items and write `one_by_one: true`.", _items),
    _rule("OFF024", "Recipients by name", "GDPR 13(1)(e), 26, 28",
          "Write `sublicence: false`, and name in `recipients` each company that receives something, by its legal name.",
          _recipients),
    _rule("OFF025", "Data are not sold", "GDPR 7(3), 12 to 22; Directive 2019/770, recital 24",
          "Write `sold: false`: who sells would have to give up rights that nobody can give up.", _sold),
    _rule("OFF026", "Nothing sensitive, no children, nobody else", "GDPR 8, 9; C. civ. 9; the age of 18 is policy",
          "Take these items out, write `shows: only-self`, and offer licences from 18 years.", _special),
    _rule("OFF027", "Withdrawing costs nothing", "GDPR 7(3), 7(4), recital 42",
          "Write `reward: kept` under `withdrawal`, without a fee.", _penalty),
    _rule("OFF028", "Withdrawing is as easy as permitting, and is done", "GDPR 7(3), 17(1)(b)",
          f"Write `how: one-click`, `effect_days: {EFFECT_DAYS_MAX}` or fewer, and `taken_down: true`.", _withdrawal),
    _rule("OFF029", "People with little money can say no", "GDPR 4(11), 7(4); policy",
          f"Give `ceiling` with its reason, at most {CEILING_CENTS_MAX} minor units, and a reward that is no more than it.",
          _ceiling),
    _rule("OFF030", "The same can be earned without a licence", "GDPR 7(4); EDPB Opinion 08/2024",
          "Give `instead`: another act that earns the same money and the same vouchers.", _instead),
)  # fmt: skip
"""In the order in which they are told."""
