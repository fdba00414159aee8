"""The shape of a rule for offers, and the rules about the offer itself, its act and the reward for it.

A rule is a pure function of an offer and a legal day. It gives the key at which something stands, and what stands there; why, by
which article, and what to write instead are the rule's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from volens.offers.document import Changes, Earned, Friend, Growth, Kind, Law, Offer, Shown, Uses
from volens.offers.saying import sums
from volens.offers.searching import grants_nothing

Against = tuple[str, str]
"""The key, with dots, and what is wrong there."""

LANGUAGES_OF = {"FR": frozenset({"fr"}), "LU": frozenset({"fr"}), "IE": frozenset({"en"}), "MT": frozenset({"en"})}
"""Where an offer may be made, and the languages in which its terms have to stand there: those in which terms are generated."""
AGE_OF_CONSENT = {"FR": 15, "LU": 16, "IE": 16, "MT": 13}
"""Below it a parent decides (GDPR 8), and no offer is made here."""
TOO_MUCH = {Uses.CONTACTS: "the address book", Uses.FINGERPRINT: "the fingerprint of a device", Uses.LOCATION: "the location"}
"""What no act needs to know."""
VOUCHER_DAYS_MIN = 90
"""How long a voucher can be used at least: one that lapses before somebody shops again is no reward; policy."""


@dataclass(frozen=True)
class Rule:
    """One thing that no offer may ask for."""

    id: str
    title: str
    article: str
    """The law behind it, or that it is this software's policy."""
    remedy: str
    run: Callable[[Offer, date], Iterator[Against]]


def _waived(offer: Offer, on: date) -> Iterator[Against]:
    for right in sorted(offer.waived):
        yield "waived", f"The offer takes away the right `{right}`."


def _changes(offer: Offer, on: date) -> Iterator[Against]:
    if offer.changes is Changes.AT_ANY_TIME:
        yield "changes", "The terms may change at any time for those who have accepted them."
    if offer.reward.depends is Growth.DISCRETION:
        yield "reward.depends", "Another reward may be given in place of the one that was promised."


def _law(offer: Offer, on: date) -> Iterator[Against]:
    if offer.law is Law.OTHER:
        yield "law", "Another law or court than the consumer's own is imposed."
    for country in offer.countries:
        for language in sorted(LANGUAGES_OF[country] - set(offer.languages)):
            yield "languages", f"In {country} people read {language}, and the offer is not in that language."


def _shown(offer: Offer, on: date) -> Iterator[Against]:
    if offer.shown is Shown.AFTER:
        yield "shown", "The terms are not shown before somebody joins."


def _promise(offer: Offer, on: date) -> Iterator[Against]:
    if not offer.reward.amount.cents:
        yield "reward.amount", "The act earns nothing."
    if offer.promised_cents != offer.reward.amount.cents:
        yield "promised_cents", (
            f"{offer.promised_cents} minor units are promised, and the act alone earns {offer.reward.amount.cents}."
        )
    paid = {offer.reward.amount.cents, offer.reward.amount.money_cents, offer.reward.amount.voucher_cents}
    for written in dict.fromkeys(written for name in offer.name.values() for written, cents in sums(name) if cents not in paid):
        yield "name", f"The name says “{written}”, and the act does not pay that."


def _over(offer: Offer, on: date) -> Iterator[Against]:
    if offer.ends is None:
        yield "ends", "The offer has no last day."
    elif offer.ends < on:
        yield "ends", f"The offer is over since {offer.ends}."


def _age(offer: Offer, on: date) -> Iterator[Against]:
    least = max(AGE_OF_CONSENT[country] for country in offer.countries)
    if offer.min_age < least:
        yield "min_age", f"People of {offer.min_age} years may join; below {least} a parent decides in one of these countries."


def _uses(offer: Offer, on: date) -> Iterator[Against]:
    for use in sorted(offer.act.uses & TOO_MUCH.keys()):
        yield "act.uses", f"The act reads {TOO_MUCH[use]}."


def _bound(offer: Offer, on: date) -> Iterator[Against]:
    if offer.reward.depends is Growth.LICENCE:
        yield "reward.depends", "The reward for the act depends on a yes to the licence."


def _kept(offer: Offer, on: date) -> Iterator[Against]:
    if offer.reward.suspended is Earned.LOST:
        yield "reward.suspended", "What is earned is lost when the offer is suspended or ends."
    if offer.reward.amount.voucher_cents and offer.reward.voucher_days < VOUCHER_DAYS_MIN:
        yield "reward.voucher_days", f"A voucher can be used for {offer.reward.voucher_days} days only."


def _fee(offer: Offer, on: date) -> Iterator[Against]:
    if offer.act.entry_cents:
        yield "act.entry_cents", "Taking part costs money."
    if offer.act.purchase_required and offer.act.kind is not Kind.ORDER:
        yield "act.purchase_required", "Who wants to take part has to buy something."


def _chain(offer: Offer, on: date) -> Iterator[Against]:
    if offer.act.depth > 1:
        yield "act.depth", f"It earns over {offer.act.depth} steps of invitations."
    if offer.reward.depends is Growth.RECRUITS:
        yield "reward.depends", "The reward grows with the friends of friends."


def _cap(offer: Offer, on: date) -> Iterator[Against]:
    if offer.act.kind is Kind.REFERRAL and offer.act.cap_a_year is None:
        yield "act", "There is no limit to how often in a year a sponsor earns."


def _friend(offer: Offer, on: date) -> Iterator[Against]:
    if offer.act.friend is Friend.ADDRESS_BOOK:
        yield "act.friend", "The sponsor's address book is uploaded."
    elif offer.act.friend is Friend.ONE_MESSAGE:
        yield "act.friend", "The sponsor gives the address of somebody who was not asked."
    elif offer.act.kind is Kind.REFERRAL and offer.act.friend is Friend.NOBODY:
        yield "act", "It is not said how somebody who is invited hears of it."


def _disclosed(offer: Offer, on: date) -> Iterator[Against]:
    if offer.act.kind is Kind.REFERRAL and not offer.act.disclosed:
        yield "act", "The invitation does not say that the sponsor earns something."


def _words(offer: Offer, on: date) -> Iterator[Against]:
    one = offer.licence
    free = [("name", text) for text in offer.name.values()]
    free += [("controller", text) for text in (offer.controller.name, offer.controller.address, offer.controller.contact)]
    if one is not None:
        free += [("licence.recipients", company.name) for company in one.recipients]
        free += [("licence.ceiling.reason", text) for text in (one.ceiling.reason.values() if one.ceiling is not None else ())]
    for key in dict.fromkeys(key for key, text in free if not grants_nothing(text)):
        yield key, "These words read like a clause. Nothing that is free text can grant or take anything."


OFFER_RULES = (
    Rule("OFF001", "Rights are not given up", "GDPR 7(3), 12 to 22, 77 to 82; C. conso. L212-1",
         "Leave `waived` empty: nobody can give these rights up, not for money either.", _waived),
    Rule("OFF002", "What was accepted holds", "C. conso. L212-1, R212-1; Directive 93/13",
         "Write `changes: new-acceptance` and `depends: fixed`: a change is a new version that people accept or leave.", _changes),
    Rule("OFF003", "The consumer's law, court and language",
         "C. conso. L212-1; Law 94-665, art. 2; Regulation 1215/2012, art. 17 to 19",
         "Write `law: consumer`, and name the languages of each country.", _law),
    Rule("OFF004", "Terms before joining", "GDPR 13; Directive 2005/29, art. 7",
         "Write `shown: before`: what is asked, paid and used is read before anybody joins.", _shown),
    Rule("OFF005", "The figure in the advertisement is what the act earns", "Directive 2005/29, art. 5 to 7",
         "Promise the money and the vouchers that the act earns, in figures, and never what a licence would add.", _promise),
    Rule("OFF006", "An offer has a last day, and it lies ahead", "Directive 2005/29, art. 7; GDPR 5(1)(e)",
         "Give `ends`, the last day on which the act counts.", _over),
    Rule("OFF007", "Old enough to decide alone", "GDPR 8; French Act 78-17, art. 45",
         "Raise `min_age`.", _age),
    Rule("OFF008", "An act reads no more than it needs", "GDPR 5(1)(c); French Act 78-17, art. 82",
         "Take it out of `uses`: the sponsor shares a link herself, and fraud is seen by what the server knows.", _uses),
    Rule("OFF009", "The reward for the act is free of the licence", "GDPR 7(4), recital 43",
         "Write `depends: fixed`. A licence has a reward of its own.", _bound),
    Rule("OFF010", "What is earned is paid, and can be used", "C. conso. L212-1; the days of vouchers are policy",
         f"Write `suspended: kept`: an offer can stop, a debt cannot. Give `voucher_days: {VOUCHER_DAYS_MIN}` or more.", _kept),
    Rule("OFF011", "Taking part is free", "C. conso. L121-15; Directive 2005/29, annex I",
         "Take out the fee or the purchase. What a new customer orders can count; what the sponsor pays cannot.", _fee),
    Rule("OFF012", "One step of invitations", "C. conso. L121-15",
         "Write `depth: 1` and `depends: fixed`: only friends whom somebody invited herself count, each the same.", _chain),
    Rule("OFF013", "A limit a year for sponsors", "C. conso. L121-15; policy",
         "Give `cap_a_year`.", _cap),
    Rule("OFF014", "A friend's address is not collected", "GDPR 5(1)(c), 6, 14; CPCE L34-5",
         "Write `friend: shared-link`: the sponsor shares a link herself, and no address of a friend is taken.", _friend),
    Rule("OFF015", "An invitation says what it is", "Directive 2005/29, art. 7 and annex I",
         "Write `disclosed: true`: the invitation says that its sponsor earns something.", _disclosed),
    Rule("OFF031", "Names are names", "GDPR 7(2); C. conso. L212-1",
         "Call things by their names. What is granted stands in `licence`, in closed words.", _words),
)  # fmt: skip
"""In the order in which they are told."""
