"""What stands against a placement, all of it at once: each with its rule, its reason and the article behind it.

Rules:
1. Nothing is read to find out: programme, catalogue and placement say everything.
2. What tells of something private is never chosen by purchases, whatever anybody permits (DSA article 26(3)); it may stand on its
   own page for everybody, which is written down: `personal: false`. Some goods are advertised to nobody.
3. A placement with a refusal is neither put on record nor approved, and what runs, while the programme says who pays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from volens.audiences import sensitive
from volens.audiences.definition import Goods
from volens.audiences.goods import Shelf
from volens.errors import NotFound
from volens.gate.policy import ReadRequest, Rulebook, accepted_from, decide_request
from volens.programme.model import Basis, Programme, Purpose
from volens.programme.rules.reminding import NOT_TO_BE_NAMED
from volens.programme.words import fold, pattern
from volens.sponsored.placement import Placement

KIND = "targeted-ads"
FIELDS = ("customer", "day", "product")
"""What is read of whoever permits it."""
MONTHS = 12
"""How far back purchases are looked at, at the most; a text may say less."""
UNTIL_DAYS_MAX = 366
ARTICLES = {
    "ADS001": "GDPR article 6(1)(a); DSA article 26(3)",
    "ADS002": "DSA article 26(1)(b) and (c); GDPR article 13(1)(c)",
    "ADS003": "DSA article 26(1)(b); Code de la consommation L121-2",
    "ADS004": "GDPR article 9(1); DSA article 26(3)",
    "ADS005": "GDPR article 9(1); DSA article 26(3)",
    "ADS006": "Code de la santé publique L3512-4; Code de la consommation L121-51",
    "ADS007": "GDPR article 5(1)(a)",
    "ADS008": "GDPR article 5(1)(e)",
}
"""Every rule, with the article behind it; docs/ads.md says them in words."""
NOBODY = (
    "(tabac*|tobacco|cigar*|nicotin*|vapot*|vaping|vape*)",
    "(lait infantile|laits infantiles|infant formula|preparations pour nourrissons)",
)
"""Goods that may be advertised to nobody."""


@dataclass(frozen=True)
class Refusal:
    """One thing that stands against a placement."""

    rule: str
    reason: str
    remedy: str
    article: str

    @classmethod
    def of(cls, rule: str, reason: str, remedy: str) -> Refusal:
        """With the rule's own article."""
        return cls(rule, reason, remedy, ARTICLES[rule])

    def to_text(self) -> str:
        """For people."""
        return f"{self.rule}  {self.reason}\n        → {self.remedy} ({self.article})"


@dataclass(frozen=True)
class Checked:
    """A placement with everything that stands against it."""

    placement: Placement
    refusals: tuple[Refusal, ...]

    @property
    def ok(self) -> bool:
        """Nothing stands against it."""
        return not self.refusals

    def to_dict(self) -> dict[str, object]:
        """For scripts."""
        one = self.placement
        return {
            "placement": one.id, "ok": self.ok, "purpose": one.purpose, "advertiser": one.advertiser,
            "products": list(one.products), "personal": one.personal, "from": one.first.isoformat(), "until": one.until.isoformat(),
            "reads": list(FIELDS) if one.personal else [], "refusals": [vars(refusal) for refusal in self.refusals],
        }  # fmt: skip


def request_of(purpose: Purpose, today: date, actor: str) -> ReadRequest:
    """The use by which advertisements are chosen: what was bought and when, as far back as every country's text allows."""
    months = min([MONTHS, *purpose.keep_months.values()])
    start = accepted_from(months, today)
    return ReadRequest(actor, purpose.id, purpose.controller, FIELDS, start, today + timedelta(days=1))


def check(placement: Placement, programme: Programme, rules: Rulebook, shelf: Shelf, today: date) -> Checked:
    """Everything that stands against a placement on a day."""
    found = [
        *_use(placement, programme, rules, today),
        *_payer(placement, programme),
        *_products(placement, programme, shelf),
        *_goods(placement, shelf),
        *_contexts(placement, shelf),
        *_times(placement, today),
    ]
    return Checked(placement, tuple(dict.fromkeys(found)))


def still_paid(placement: Placement, programme: Programme) -> bool:
    """Whether the programme of today still says who pays for it. What purchases may choose is asked of the gate each time."""
    return not any(_payer(placement, programme))


def is_private(words: Iterable[str]) -> bool:
    """Whether some words tell of what is nobody's business: an audience's matters, and what a screen says to nobody unasked."""
    said = [word.replace("-", " ") for word in words if word]
    named = pattern(*NOT_TO_BE_NAMED)
    return sensitive.about(said) is not None or any(named.search(fold(word).text) for word in said)


def _use(placement: Placement, programme: Programme, rules: Rulebook, today: date) -> Iterator[Refusal]:
    purpose = programme.purposes.get(placement.purpose)
    if purpose is None or purpose.basis is not Basis.CONSENT or KIND not in purpose.covers:
        there = [one.id for one in programme.purposes.values() if one.basis is Basis.CONSENT and KIND in one.covers]
        yield Refusal.of(
            "ADS001", f"{placement.purpose!r} is no purpose for advertisements by a yes to exactly that",
            f"Use one of: {', '.join(there) or 'none is declared'}.",
        )  # fmt: skip
        return
    if not purpose.profiling_ads:
        yield Refusal.of(
            "ADS001", f"{purpose.id!r} is not closed for minors", "Write `profiling_ads: true` in the purpose (DSA article 28(2))."
        )
    verdict = decide_request(request_of(purpose, today, "check"), rules, today)
    for reason in () if verdict.allowed else verdict.reasons:
        yield Refusal.of("ADS001", reason, f"The purpose and its text must name: {', '.join(FIELDS)}.")


def _payer(placement: Placement, programme: Programme) -> Iterator[Refusal]:
    try:
        advertiser = programme.recipient(placement.advertiser)
    except NotFound as unknown:
        yield Refusal.of("ADS002", unknown.what, unknown.remedy)
        return
    purpose = programme.purposes.get(placement.purpose)
    if purpose is not None and advertiser.id not in purpose.paid_by:
        yield Refusal.of(
            "ADS002", f"people were not told that {advertiser.legal_name} pays for {purpose.id!r}",
            f"Name it under `paid_by`, and in the text. There is: {', '.join(purpose.paid_by) or 'nobody'}.",
        )  # fmt: skip


def _products(placement: Placement, programme: Programme, shelf: Shelf) -> Iterator[Refusal]:
    """Its products are there, and are the advertiser's."""
    for kind, name, near in shelf.unknown(Goods(products=placement.products)):
        remedy = f"Did you mean {near}?" if near else "Check it."
        yield Refusal.of("ADS007", f"the catalogue has no {name!r} among its {kind}", remedy)
    advertiser = programme.recipients.get(placement.advertiser)
    if advertiser is None:
        return
    makers = {advertiser.id, *(f"maker-{one}" for one in advertiser.makers)}
    for row in shelf.rows(Goods(products=placement.products)).nonzero()[0].tolist():
        maker, brand = shelf.columns["maker"][row], shelf.columns["brand"][row]
        if maker not in makers and brand not in advertiser.brands:
            yield Refusal.of(
                "ADS003", f"{shelf.columns['sku'][row]} is not {advertiser.legal_name}'s", "Sponsor the advertiser's own products."
            )


def _goods(placement: Placement, shelf: Shelf) -> Iterator[Refusal]:
    told = words_of(placement.products, shelf)
    told += [placement.id.replace("-", " "), *placement.name.values()]
    never = pattern(*NOBODY)
    if any(never.search(fold(word.replace("-", " ")).text) for word in told):
        yield Refusal.of("ADS006", "its goods may be advertised to nobody", "Take them out.")
    if placement.personal and is_private(told):
        yield Refusal.of(
            "ADS004", "its goods or its name tell of something private, and it is chosen by purchases",
            "Take them out, or write `personal: false`: here even a yes does not help.",
        )  # fmt: skip
    yield from _whom(placement, shelf)


def _whom(placement: Placement, shelf: Shelf) -> Iterator[Refusal]:
    """`for`: goods that tell, lacks that tell, and things that tell it together."""
    said = {name: shelf.words(Goods(categories=(name,))) for name in sorted(placement.watched)}
    for name, words in said.items():
        if shelf.unknown(Goods(categories=(name,))):
            yield Refusal.of("ADS007", f"the catalogue has no {name!r} among its categories", "Check it.")
        if is_private([name, *words]):
            yield Refusal.of("ADS005", f"buying {name!r} tells of something private", "Take it out: here even a yes does not help.")
    for lack in placement.not_bought:
        for name in lack.categories:
            if sensitive.about([name.replace("-", " "), *said[name]], sensitive.LACKS) is not None:
                yield Refusal.of("ADS005", f"not buying {name!r} tells of something private", "Take it out.")
    for pair in sensitive.COMBINATIONS:
        first = [name for name, words in said.items() if sensitive.tells(words, pair.first)]
        if first and any(sensitive.tells(words, pair.second) for name, words in said.items() if name not in first):
            yield Refusal.of("ADS005", f"its goods together tell of {pair.told}", "Keep one of the two.")


def _contexts(placement: Placement, shelf: Shelf) -> Iterator[Refusal]:
    for _, name, near in shelf.unknown(Goods(categories=placement.contexts.categories)):
        remedy = f"Did you mean {near}?" if near else "Check it."
        yield Refusal.of("ADS007", f"the catalogue has no category {name!r} to stand on", remedy)
    if placement.personal and is_private([*placement.contexts.categories, *placement.contexts.words, *placement.contexts.pages]):
        yield Refusal.of(
            "ADS004", "it stands where the page itself tells of something private, and is chosen by purchases",
            "Take the page out, or write `personal: false`.",
        )  # fmt: skip


def _times(placement: Placement, today: date) -> Iterator[Refusal]:
    last = today + timedelta(days=UNTIL_DAYS_MAX)
    if not today <= placement.until <= last:
        yield Refusal.of("ADS008", f"it would end on {placement.until}", f"Choose a day from {today} to {last}.")
    days = max([*(one.days for one in placement.bought), *(one.days for one in placement.not_bought)], default=0)
    if days > 365:
        yield Refusal.of("ADS008", f"it looks {days} days back", f"Purchases are looked at for {MONTHS} months.")


def words_of(products: Iterable[str], shelf: Shelf) -> list[str]:
    """What some products are called, and where they stand."""
    rows = shelf.rows(Goods(products=tuple(products))).nonzero()[0].tolist()
    names = ("category", "category_fr", "category_en", "brand", "brand_name", "name_fr", "name_en")
    return sorted({word for row in rows for name in names if (word := shelf.columns[name][row])})
