"""The programme as frozen values.

Rules:
1. A value that is wrong cannot be built: each class checks itself.
2. Values compare by what they say; `source` only tells where they were written.
3. Looking something up by a name that does not exist raises `NotFound`, naming what does exist.
4. Nothing here is a default in favour of use: no text, no recipient, no field means no.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from volens.errors import NotFound
from volens.programme.devices import App as App
from volens.programme.devices import AppUse as AppUse
from volens.programme.messages import Messages
from volens.programme.parties import UNWRITTEN as UNWRITTEN
from volens.programme.parties import Entity as Entity
from volens.programme.parties import Parent as Parent
from volens.programme.parties import Recipient as Recipient
from volens.programme.parties import Role as Role
from volens.programme.parties import Source as Source
from volens.programme.parties import Transfer as Transfer
from volens.programme.products import Expected as Expected
from volens.programme.products import InsightProduct as InsightProduct
from volens.programme.products import MeasureSpec as MeasureSpec
from volens.programme.reminding import Reminding
from volens.programme.understanding import NOTHING, Comprehension

NOT_PERMITTED = "not permitted"
Value = TypeVar("Value")


class Basis(StrEnum):
    """Why a purpose is lawful (GDPR article 6(1) a, b, c, f)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    LEGITIMATE_INTEREST = "legitimate-interest"


class Delivery(StrEnum):
    """What a purpose lets out of the house."""

    NOTHING = "nothing"
    STATISTICS = "statistics"
    """Figures in which nobody can be recognised."""
    PERSONS = "persons"
    """Data about single people, under whatever name or number."""


@dataclass(frozen=True)
class DataField:
    """One column or one kept detail, with the words a customer knows it by."""

    id: str
    category: str
    plain: Mapping[str, str]


@dataclass(frozen=True)
class DataCategory:
    """A kind of data, as the fields that make it up. `store` is `purchases` or `vault`."""

    id: str
    store: str
    sensitive: bool
    plain: Mapping[str, str]
    fields: Mapping[str, DataField]
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.fields:
            raise ValueError(f"the category {self.id} has no field")


@dataclass(frozen=True)
class Purpose:
    """One use that a person can permit or refuse, apart from every other."""

    id: str
    basis: Basis
    controller: str
    covers: tuple[str, ...]
    """The kinds of use it covers; more than one is bundling (rule CON002)."""
    delivers: Delivery
    categories: tuple[str, ...]
    fields: frozenset[str]
    recipients: tuple[str, ...]
    paid_by: tuple[str, ...]
    """Who pays the retailer for it."""
    activity: str
    """Which line of the law's periods applies, e.g. `customer-marketing`."""
    keep_months: Mapping[str, int]
    plain: Mapping[str, str]
    dpv: str
    default: str = NOT_PERMITTED
    waiting_days: int = 30
    """For legitimate interest: days between telling a person and the first use."""
    renew_months: int | None = None
    profiling_ads: bool = False
    """Advertising that rests on a profile: closed for minors whatever anybody says (DSA article 28(2))."""
    asked_at: tuple[str, ...] = ()
    """Moments at which people are asked, e.g. `joining`, `basket`; nobody is asked at any other."""
    hands_over: frozenset[str] | None = None
    """Of `fields`, those that leave the house where it delivers persons; the others only choose. None: all of them."""
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.fields or not self.recipients or not self.covers:
            raise ValueError(f"the purpose {self.id} needs fields, recipients and what it covers")
        if any(months < 0 for months in self.keep_months.values()) or self.waiting_days < 0:
            raise ValueError(f"the purpose {self.id} has a negative period")
        if self.hands_over is not None and (not self.hands_over <= self.fields or self.delivers is not Delivery.PERSONS):
            raise ValueError(f"what {self.id} hands over is some of its fields, and it delivers persons")

    @property
    def leaving(self) -> frozenset[str]:
        """The fields that leave the house where persons are delivered."""
        return self.fields if self.hands_over is None else self.hands_over

    @property
    def paid(self) -> bool:
        return bool(self.paid_by)

    def payers(self, permitted: Collection[str]) -> tuple[str, ...]:
        """Who pays while it is permitted for these recipients alone: whoever is a recipient and refused pays nothing."""
        return tuple(one for one in self.paid_by if one in permitted or one not in self.recipients) if permitted else ()

    @property
    def needs_choice(self) -> bool:
        """Whether a person must have said or been told something before the first use."""
        return self.basis is not Basis.LEGAL_OBLIGATION


@dataclass(frozen=True)
class Text:
    """What people read for a purpose: one version, in every language, with what it promises beside it."""

    id: str
    purpose: str
    version: int
    valid_from: date
    invalidated_on: date | None
    controller: str
    recipients: frozenset[str]
    fields: frozenset[str]
    words: Mapping[str, Mapping[str, str]]
    """For each field, per language, the words of the body that tell it."""
    keep_months: Mapping[str, int]
    paid_by: tuple[str, ...]
    also_for: tuple[str, ...]
    """Other purposes that the same text asks for; any entry is bundling (rule CON002)."""
    bodies: Mapping[str, str]
    """Language to Markdown, exactly as in the file, its first line the title."""
    titles: Mapping[str, str]
    question: Mapping[str, str] = field(default_factory=dict)
    """The short question by language, put where the use would happen; empty if nobody is asked so."""
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.id != f"{self.purpose}/{self.version}" or self.version < 1:
            raise ValueError(f"{self.id} is not the id of version {self.version} of {self.purpose}")
        if self.invalidated_on is not None and self.invalidated_on < self.valid_from:
            raise ValueError(f"{self.id} cannot be invalidated before it was valid")

    def digest(self, lang: str) -> str:
        """SHA-256 of the body in a language, in hexadecimal: what a receipt names."""
        return digest(find(self.bodies, lang, f"language of {self.id}"))

    def file(self, lang: str) -> str:
        """The file of the body, relative to the programme's folder."""
        return f"texts/{self.purpose}/{self.version}/{lang}.md"

    def stands(self, on: date) -> bool:
        """Whether choices made under this text hold on a day: a later version does not end them."""
        return self.valid_from <= on and (self.invalidated_on is None or on < self.invalidated_on)


@dataclass(frozen=True)
class Retention:
    """How long a category is kept in a country, counted from which event, and what follows."""

    category: str
    country: str
    activity: str
    keep_months: int
    counted_from: str
    then: str
    """`erase` or `archive`."""
    archive_months: int = 0
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.keep_months < 0 or self.archive_months < 0:
            raise ValueError("a period cannot be negative")


@dataclass(frozen=True)
class Claim:
    """Something the house says in public."""

    where: str
    since: date
    until: date | None
    says: Mapping[str, str]
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    def stands(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True)
class Programme:
    """Everything that is declared. `digest` names this exact set of files."""

    name: str
    house: str
    path: Path = field(compare=False)
    digest: str
    languages: tuple[str, ...]
    country: str
    controllers: Mapping[str, Entity]
    recipients: Mapping[str, Recipient]
    purposes: Mapping[str, Purpose]
    texts: Mapping[str, Text]
    categories: Mapping[str, DataCategory]
    retention: tuple[Retention, ...]
    activity_events: tuple[str, ...]
    """The only events that prolong a period; what the house itself does is never one."""
    products: Mapping[str, InsightProduct]
    claims: tuple[Claim, ...]
    apps: Mapping[str, App] = field(default_factory=dict)
    """The apps that ask phones and browsers for something."""
    unknown_age: str = "adult"
    """What a customer without a birth date counts as: `adult` or `minor`."""
    comprehension: Comprehension = NOTHING
    """What a sample of people is asked after a choice."""
    reminding: Reminding | None = None
    """Of what people may be reminded; none if nobody is."""
    messages: Messages | None = None
    """By which channels marketing messages go; none if none are sent."""
    set_aside: frozenset[str] = frozenset()
    """Texts under which a yes may stand and nobody is asked any more, or nobody but those in a trial."""
    on_trial: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Purposes of which two texts are being compared: the one in force, and the other."""
    files: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """What was read, by path: `digest` is over these."""
    retention_source: Source = field(default=UNWRITTEN, compare=False, repr=False)
    """Where the periods and the events are written."""

    @property
    def fields(self) -> dict[str, DataField]:
        """Every declared field by its name."""
        return {name: one for category in self.categories.values() for name, one in category.fields.items()}

    @property
    def suppliers(self) -> dict[str, Recipient]:
        """The recipients that are suppliers."""
        return {id: one for id, one in self.recipients.items() if one.role is Role.SUPPLIER}

    def purpose(self, id: str) -> Purpose:
        return find(self.purposes, id, "purpose")

    def recipient(self, id: str) -> Recipient:
        return find(self.recipients, id, "recipient")

    def controller(self, id: str) -> Entity:
        return find(self.controllers, id, "controller")

    def text(self, id: str) -> Text:
        return find(self.texts, id, "text")

    def product(self, id: str) -> InsightProduct:
        return find(self.products, id, "insight product")

    def supplier_of_maker(self, maker: int) -> Recipient:
        """The legal entity behind a maker's number in the catalogue."""
        by_maker = {number: one for one in self.recipients.values() for number in one.makers}
        return find({str(number): one for number, one in by_maker.items()}, str(maker), "maker")

    def supplier_of_brand(self, brand: str) -> Recipient:
        """The legal entity that owns a brand."""
        by_brand = {name: one for one in self.recipients.values() for name in one.brands}
        return find(by_brand, brand, "brand")

    def texts_of(self, purpose_id: str) -> tuple[Text, ...]:
        """All versions of a purpose's text, oldest first."""
        self.purpose(purpose_id)
        ours = (text for text in self.texts.values() if text.purpose == purpose_id)
        return tuple(sorted(ours, key=lambda text: text.version))

    def current_text(self, purpose_id: str, on: date | None = None) -> Text:
        """The text to show for a purpose: the newest that stands on the day `on`.

        Without a day, the newest version that was never invalidated. Raises `NotFound` if there is none.
        """
        versions = self.texts_of(purpose_id)
        usable = [
            text
            for text in versions
            if text.id not in self.set_aside and (text.invalidated_on is None if on is None else text.stands(on))
        ]
        if not usable:
            day = f" on {on}" if on else ""
            raise NotFound(
                f"No text of the purpose {purpose_id!r} stands{day}; nobody can be asked.",
                f"Add texts/{purpose_id}/{len(versions) + 1}/ with a text.yaml and a page per language.",
            )
        return usable[-1]


def digest(words: str) -> str:
    """SHA-256 of words in UTF-8, in hexadecimal."""
    return sha256(words.encode()).hexdigest()


def find(values: Mapping[str, Value], id: str, kind: str) -> Value:
    """The value named `id`; else `NotFound`, naming what exists."""
    try:
        return values[id]
    except KeyError:
        raise NotFound(f"There is no {kind} {id!r}.", f"There is: {', '.join(sorted(values)) or 'none'}.") from None
