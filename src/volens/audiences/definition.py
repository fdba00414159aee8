"""What an audience is, as a document: a closed grammar over purchases, without free queries. Pure.

    audience: juice-lapsed
    name: {fr: Jus d'orange, perdus de vue, en: Orange juice, lapsed}
    purpose: purchase-audience
    recipient: place-commune
    format: custom-audience
    identifiers: [email]
    until: 2026-06-30
    who:
      all:
        - bought: {of: {categories: [jus-frais]}, days: 180, visits: 2}
        - not_bought: {of: {categories: [jus-frais]}, days: 56}

Rules:
1. Every key is known, every number has its limits, and a document that is not understood whole is refused with its place.
2. `who` is `all`, `any` and `not` of predicates: `bought`, `not_bought`, `lapsed`, `recency`, `share`, `due`. None of them but
   through `not` holds for somebody without purchases.
3. The fields that a definition reads follow from its predicates alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from volens.audiences.parsing import Reader, wrong

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NAME_MAX, PREDICATES_MAX, DEPTH_MAX, GOODS_MAX = 120, 20, 6, 200
DAYS_MAX = 1_096
COUNT_MAX = 10_000
AMOUNT_MAX = 100_000_000
"""In minor units of the currency."""
LISTS_MAX, CAP_DAYS_MAX = 50, 90
MINIMUM_LEAST, MINIMUM_MOST = 100, 1_000_000
"""The fewest people of an audience. Below a hundred, a platform can tell who is meant, and refuses by itself."""
FORMATS = ("customer-match", "custom-audience", "csv")
IDENTIFIERS = ("email", "phone", "given_name", "family_name")
"""What a platform can find somebody by. Nothing that was bought is ever among them."""
VISITS, QUANTITY, AMOUNT = "visits", "quantity", "amount"
MEASURES = (VISITS, QUANTITY, AMOUNT)
"""Distinct days with a purchase; pieces or kilograms net of returns; minor units net of returns."""
KINDS = ("categories", "brands", "makers", "products")


@dataclass(frozen=True)
class Goods:
    """Some of the catalogue: everything that is in one of the named categories, brands, makers or products."""

    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    everything: bool = False

    def named(self) -> Iterator[tuple[str, str]]:
        """(kind, slug or sku) of all that is named."""
        for kind in KINDS:
            for name in getattr(self, kind):
                yield kind, name


@dataclass(frozen=True)
class Bought:
    """Bought at least so much of some goods within the last days: visits, pieces or kilograms, or money."""

    of: Goods
    days: int
    by: str = VISITS
    at_least: int = 1


@dataclass(frozen=True)
class Lapsed:
    """Bought some goods within the last days, but not within the last `silent` of them."""

    of: Goods
    days: int
    silent: int


@dataclass(frozen=True)
class Recency:
    """The last purchase of some goods lies between so many days ago."""

    of: Goods
    at_least: int
    at_most: int


@dataclass(frozen=True)
class Share:
    """Some goods make up between so many per cent of other goods, of which something was bought."""

    of: Goods
    within: Goods
    days: int
    by: str
    at_least: int
    at_most: int


@dataclass(frozen=True)
class Due:
    """Expected to buy some goods again within the next days; who that is, a `DueSource` says."""

    of: Goods
    within_days: int
    days: ClassVar[int] = 180
    """How far back it looks: half a year, for what is bought every other month."""


@dataclass(frozen=True)
class All:
    """Each of the parts holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Any_:
    """One of the parts holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Node


Leaf = Bought | Lapsed | Recency | Share | Due
Node = Leaf | All | Any_ | Not


@dataclass(frozen=True)
class Cap:
    """A person is on at most so many lists that were handed over within so many days, of whatever audience."""

    lists: int = 3
    days: int = 7


@dataclass(frozen=True)
class Definition:
    """An audience as somebody wrote it down. `document` is what was written, as plain values."""

    id: str
    name: Mapping[str, str]
    purpose: str
    recipient: str
    format: str
    identifiers: tuple[str, ...]
    until: date
    who: Node
    cap: Cap = Cap()
    minimum: int = MINIMUM_LEAST
    currency: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def label(self, language: str) -> str:
        """Its name in a language, else its id."""
        return self.name.get(language) or next(iter(self.name.values()), self.id)

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every predicate, in the order in which it was written; the same twice is one."""
        return tuple(dict.fromkeys(leaf for leaf, _ in walk(self.who)))

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns of purchases that it reads."""
        found = {"customer", "product", "day", "quantity"}
        if any(getattr(leaf, "by", "") == AMOUNT for leaf in self.leaves):
            found |= {"amount", "currency"}
        return tuple(sorted(found))

    @property
    def days(self) -> int:
        """How many days back it looks, today included."""
        return max((leaf.at_most + 1 if isinstance(leaf, Recency) else getattr(leaf, "days", 1) for leaf in self.leaves), default=1)


def walk(node: Node, positive: bool = True) -> Iterator[tuple[Leaf, bool]]:
    """Every predicate, and whether it is asked for (or its contrary, under an odd number of `not`)."""
    if isinstance(node, Not):
        yield from walk(node.part, not positive)
    elif isinstance(node, All | Any_):
        for part in node.parts:
            yield from walk(part, positive)
    else:
        yield node, positive


def read(value: Any) -> Definition:
    """From plain values, as YAML or JSON gives them. `BadInput` says where and what to write instead."""
    reader = Reader(value, "the audience")
    keys = ("audience", "name", "purpose", "recipient", "format", "identifiers", "until", "who", "cap", "minimum", "currency")
    reader.known(keys, needed=keys[:8])
    written = reader.part("cap", {"lists": Cap.lists, "days": Cap.days})
    written.known(("lists", "days"))
    definition = Definition(
        id=reader.word("audience", SLUG, "small letters, digits and single hyphens"),
        name=reader.words("name", NAME_MAX),
        purpose=reader.text("purpose"),
        recipient=reader.text("recipient"),
        format=reader.one_of("format", FORMATS),
        identifiers=reader.some_of("identifiers", IDENTIFIERS),
        until=reader.day("until"),
        who=_node(reader.under("who"), 0),
        cap=Cap(written.number("lists", 1, LISTS_MAX, Cap.lists), written.number("days", 1, CAP_DAYS_MAX, Cap.days)),
        minimum=reader.number("minimum", MINIMUM_LEAST, MINIMUM_MOST, MINIMUM_LEAST),
        currency=reader.word("currency", re.compile("[A-Z]{3}"), "three capital letters") if reader.has("currency") else None,
        document=value,
    )
    if len(definition.leaves) > PREDICATES_MAX:
        raise wrong("the audience.who", f"it has more than {PREDICATES_MAX} predicates", "Split it into several audiences.")
    if any(getattr(leaf, "by", "") == AMOUNT for leaf in definition.leaves) and definition.currency is None:
        raise wrong("the audience", "it compares money and names no currency", "Add for example: currency: EUR")
    return definition


def _node(reader: Reader, depth: int) -> Node:
    if depth > DEPTH_MAX:
        raise wrong(reader.place, f"it is nested deeper than {DEPTH_MAX} levels", "Write it flatter.")
    key = reader.only(("all", "any", "not", *_PREDICATES))
    if key in ("all", "any"):
        parts = tuple(_node(part, depth + 1) for part in reader.entries(key))
        return All(parts) if key == "all" else Any_(parts)
    inside = reader.under(key)
    return Not(_node(inside, depth + 1)) if key == "not" else _PREDICATES[key](inside)


def _bought(reader: Reader) -> Bought:
    reader.known(("of", "days", *MEASURES), needed=("of", "days"))
    named = [measure for measure in MEASURES if reader.has(measure)]
    if len(named) > 1:
        raise wrong(reader.place, f"it counts {' and '.join(named)}", "Keep one; write two predicates under `all` for both.")
    by = named[0] if named else VISITS
    most = AMOUNT_MAX if by == AMOUNT else COUNT_MAX
    return Bought(_goods(reader.under("of")), reader.number("days", 1, DAYS_MAX), by, reader.number(by, 1, most, 1))


def _not_bought(reader: Reader) -> Node:
    reader.known(("of", "days"), needed=("of", "days"))
    return Not(Bought(_goods(reader.under("of")), reader.number("days", 1, DAYS_MAX)))


def _lapsed(reader: Reader) -> Lapsed:
    reader.known(("of", "days", "silent"), needed=("of", "days", "silent"))
    days = reader.number("days", 2, DAYS_MAX)
    return Lapsed(_goods(reader.under("of")), days, reader.number("silent", 1, days - 1))


def _recency(reader: Reader) -> Recency:
    reader.known(("of", "at_least", "at_most"), needed=("of", "at_most"))
    most = reader.number("at_most", 0, DAYS_MAX - 1)
    return Recency(_goods(reader.under("of")), reader.number("at_least", 0, most, 0), most)


def _share(reader: Reader) -> Share:
    reader.known(("of", "in", "days", "by", "at_least", "at_most"), needed=("of", "in", "days", "by"))
    most = reader.number("at_most", 0, 100, 100)
    least = reader.number("at_least", 0, most, 0)
    if (least, most) == (0, 100):
        raise wrong(reader.place, "every share fits", "Write at_least or at_most, in per cent.")
    of, within = _goods(reader.under("of")), _goods(reader.under("in"))
    return Share(of, within, reader.number("days", 1, DAYS_MAX), reader.one_of("by", MEASURES), least, most)


def _due(reader: Reader) -> Due:
    reader.known(("of", "within"), needed=("of", "within"))
    return Due(_goods(reader.under("of")), reader.number("within", 1, 90))


_PREDICATES = {
    "bought": _bought, "not_bought": _not_bought, "lapsed": _lapsed, "recency": _recency, "share": _share, "due": _due,
}  # fmt: skip


def _goods(reader: Reader) -> Goods:
    reader.known((*KINDS, "everything"))
    named = {kind: reader.names(kind, GOODS_MAX) if reader.has(kind) else () for kind in KINDS}
    if reader.has("everything"):
        if any(named.values()) or reader.value["everything"] is not True:
            raise wrong(reader.place, "`everything` stands alone", "Write: {everything: true}")
        return Goods(everything=True)
    if not any(named.values()):
        raise wrong(reader.place, "it names no goods", f"Name some {', '.join(KINDS)}, or write: {{everything: true}}")
    return Goods(named["categories"], named["brands"], named["makers"], named["products"])
