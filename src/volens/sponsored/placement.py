"""What a placement is, as a document: products of one advertiser, the pages where they fit, and whom they are for. Pure.

    placement: oranges-du-midi
    name: {fr: Oranges du Midi, en: Oranges from the South}
    purpose: targeted-ads
    advertiser: vergers-du-midi
    products: [1082185, 1029743]
    contexts:
      categories: [jus-frais]
      words: [jus d'orange, orange juice]
    from: 2026-06-01
    until: 2026-08-31
    cap: {day: 2, campaign: 20, visit: 3}
    impressions: 100000
    for:
      all:
        - bought: {of: {categories: [jus-frais]}, days: 180, visits: 2}

Rules:
1. Every key is known, every number has its limits, and a document that is not understood whole is refused with its place.
2. `for` says when it is chosen by purchases: `bought` and `not_bought` of categories, each of which must hold, and one `bought`
   at least. Without `for` it is for who bought something of its products' categories. `personal: false`: for nobody so.
3. Where it fits is said by `contexts` alone, for everybody: whom it is for changes the order, never whether there is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from volens.audiences.parsing import Reader, wrong

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NAME_MAX, PRODUCTS_MAX, CATEGORIES_MAX, WORDS_MAX, PREDICATES_MAX = 120, 50, 50, 100, 10
DAYS_MAX, VISITS_MAX = 366, 100
DAY_CAP_MAX, CAMPAIGN_CAP_MAX, VISIT_CAP_MAX = 50, 1_000, 100
IMPRESSIONS_MAX = 1_000_000_000
MANUAL = "docs/ads.md"
KEYS = (
    "placement", "name", "purpose", "advertiser", "products", "contexts", "from", "until", "cap", "impressions", "personal", "for",
)  # fmt: skip


@dataclass(frozen=True)
class Contexts:
    """Where it fits: pages of some categories, pages that the shop names, searches that hold some words."""

    categories: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.categories or self.pages or self.words):
            raise ValueError("a placement fits somewhere")


@dataclass(frozen=True)
class Bought:
    """Bought something of these categories on so many days within the last `days`, today included."""

    categories: tuple[str, ...]
    days: int
    visits: int = 1


@dataclass(frozen=True)
class NotBought:
    """Bought nothing of these categories within the last `days`."""

    categories: tuple[str, ...]
    days: int


@dataclass(frozen=True)
class Cap:
    """How often it is shown: to one person as one of hers in a day and altogether; in one visit, however it was chosen."""

    day: int = 3
    campaign: int = 30
    visit: int = 5


@dataclass(frozen=True)
class Placement:
    """A placement as somebody wrote it down. `document` is what was written, as plain values."""

    id: str
    name: Mapping[str, str]
    purpose: str
    advertiser: str
    products: tuple[str, ...]
    contexts: Contexts
    first: date
    until: date
    cap: Cap = Cap()
    impressions: int | None = None
    """The most of all; none for no end but `until`."""
    personal: bool = True
    """Whether it is ever chosen by purchases."""
    bought: tuple[Bought, ...] = ()
    not_bought: tuple[NotBought, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def label(self, language: str) -> str:
        """Its name in a language, else its id."""
        return self.name.get(language) or next(iter(self.name.values()), self.id)

    @property
    def watched(self) -> frozenset[str]:
        """The categories that `for` names."""
        named = [*(one.categories for one in self.bought), *(one.categories for one in self.not_bought)]
        return frozenset(name for categories in named for name in categories)


def read(value: Any) -> Placement:
    """From plain values, as YAML or JSON gives them. `BadInput` says where and what to write instead."""
    reader = Reader(value, "the placement", MANUAL)
    reader.known(KEYS, needed=KEYS[:8])
    caps = reader.part("cap", {})
    caps.known(("day", "campaign", "visit"))
    first, until = reader.day("from"), reader.day("until")
    if first > until:
        raise wrong("the placement.until", "it ends before it begins", "Write a day that is not before `from`.")
    personal = value.get("personal", True)
    if not isinstance(personal, bool):
        raise wrong("the placement.personal", "it is neither true nor false", "Leave it out, or write: personal: false")
    bought, not_bought = _for(reader.under("for")) if reader.has("for") else ((), ())
    if not personal and bought:
        raise wrong("the placement.for", "it is for nobody in particular (`personal: false`)", "Take one of the two out.")
    return Placement(
        id=reader.word("placement", SLUG, "small letters, digits and single hyphens"),
        name=reader.words("name", NAME_MAX),
        purpose=reader.text("purpose"),
        advertiser=reader.text("advertiser"),
        products=reader.names("products", PRODUCTS_MAX),
        contexts=_contexts(reader.under("contexts")),
        first=first,
        until=until,
        cap=Cap(
            caps.number("day", 1, DAY_CAP_MAX, Cap.day),
            caps.number("campaign", 1, CAMPAIGN_CAP_MAX, Cap.campaign),
            caps.number("visit", 1, VISIT_CAP_MAX, Cap.visit),
        ),
        impressions=reader.number("impressions", 1, IMPRESSIONS_MAX) if reader.has("impressions") else None,
        personal=personal,
        bought=bought,
        not_bought=not_bought,
        document=value,
    )


def _contexts(reader: Reader) -> Contexts:
    kinds = ("categories", "pages", "words")
    reader.known(kinds)
    if not reader.value:
        raise wrong(reader.place, "it fits nowhere", f"Name some {', '.join(kinds)}.")
    named = {kind: reader.names(kind, WORDS_MAX) if reader.has(kind) else () for kind in kinds}
    return Contexts(**named)


def _for(reader: Reader) -> tuple[tuple[Bought, ...], tuple[NotBought, ...]]:
    key = reader.only(("all", "bought", "not_bought"))
    parts = list(reader.entries("all")) if key == "all" else [reader]
    if len(parts) > PREDICATES_MAX:
        raise wrong(reader.place, f"it has more than {PREDICATES_MAX} predicates", "Say it with fewer.")
    bought, not_bought = list[Bought](), list[NotBought]()
    for part in parts:
        named = part.only(("bought", "not_bought"))
        inside = part.under(named)
        keys = ("of", "days", "visits") if named == "bought" else ("of", "days")
        inside.known(keys, needed=keys[:2])
        of = inside.under("of")
        of.known(("categories",), needed=("categories",))
        categories, days = of.names("categories", CATEGORIES_MAX), inside.number("days", 1, DAYS_MAX)
        if named == "bought":
            bought.append(Bought(categories, days, inside.number("visits", 1, VISITS_MAX, 1)))
        else:
            not_bought.append(NotBought(categories, days))
    if not bought:
        raise wrong(reader.place, "it is for who did not buy something, and no more", "Add a `bought`: nobody is known by a lack.")
    return tuple(bought), tuple(not_bought)
