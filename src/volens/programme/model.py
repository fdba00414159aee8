"""The programme as frozen values.

Rules:
1. A value that is wrong cannot be built: each class checks itself.
2. Values compare by what they say; `source` only tells where they were written.
3. Looking something up by a name that does not exist raises `NotFound`, naming what does exist.
4. Nothing here is a default in favour of use: no text, no recipient, no field means no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from volens.errors import NotFound
from volens.programme.findings import Place
from volens.programme.products import Expected as Expected
from volens.programme.products import InsightProduct as InsightProduct
from volens.programme.products import MeasureSpec as MeasureSpec

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


class Role(StrEnum):
    """What a recipient is to the controller."""

    SELF = "self"
    PROCESSOR = "processor"
    JOINT_CONTROLLER = "joint-controller"
    SUPPLIER = "supplier"
    PARTNER = "partner"
    AD_NETWORK = "ad-network"
    AUTHORITY = "authority"


@dataclass(frozen=True)
class Source:
    """Where a value was written: its own line and those of its keys."""

    file: str
    line: int
    keys: Mapping[str, int] = field(default_factory=dict)

    def at(self, key: str = "", entry: object = None) -> Place:
        """The place of an entry of a key, else of the key, else of the whole value."""
        of_key = self.keys.get(key, self.line)
        return Place(self.file, self.keys.get(f"{key}.{entry}", of_key))


UNWRITTEN = Source("programme.yaml", 1)


@dataclass(frozen=True)
class Entity:
    """A legal person that decides why data is used: the shop's company, its bank, its sister in another country."""

    id: str
    legal_name: str
    legal_form: str
    country: str
    address: str
    contact: str
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not (self.id and self.legal_name and self.country):
            raise ValueError("an entity has an id, a legal name and a country")


@dataclass(frozen=True)
class Parent:
    """The company that controls a recipient."""

    legal_name: str
    country: str


@dataclass(frozen=True)
class Transfer:
    """The instrument under which personal data may reach countries outside the EEA (GDPR articles 44 to 49)."""

    instrument: str
    """`adequacy`, `scc-2021-914`, `bcr`; anything else does not carry a transfer."""
    countries: tuple[str, ...]
    signed_on: date | None = None
    assessed_on: date | None = None
    """Day of the transfer impact assessment."""
    certified_on: date | None = None
    """Day of the certification, where a decision covers certified companies only."""
    valid_until: date | None = None

    def __post_init__(self) -> None:
        if self.valid_until and self.signed_on and self.valid_until < self.signed_on:
            raise ValueError("a transfer instrument cannot end before it was signed")


@dataclass(frozen=True)
class Recipient:
    """A legal entity that receives something, or on whose behalf purchases are read."""

    id: str
    legal_name: str
    legal_form: str
    role: Role
    country: str
    access_countries: tuple[str, ...]
    """Where its people sit who can see the data; remote support counts."""
    fields: frozenset[str]
    """The most that is read on its behalf, over all purposes."""
    parent: Parent | None = None
    transfer: Transfer | None = None
    pays_for: Mapping[str, str] = field(default_factory=dict)
    """What it pays the retailer for, by language; empty if it does not pay."""
    makers: tuple[int, ...] = ()
    """Numbers under which the catalogue knows it as a maker."""
    brands: tuple[str, ...] = ()
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not (self.id and self.country):
            raise ValueError("a recipient has an id and a country")

    @property
    def pays(self) -> bool:
        return bool(self.pays_for)

    @property
    def countries(self) -> tuple[str, ...]:
        """Establishment first, then where it is accessed from; each once."""
        return tuple(dict.fromkeys((self.country, *self.access_countries)))


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
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.fields or not self.recipients or not self.covers:
            raise ValueError(f"the purpose {self.id} needs fields, recipients and what it covers")
        if any(months < 0 for months in self.keep_months.values()) or self.waiting_days < 0:
            raise ValueError(f"the purpose {self.id} has a negative period")

    @property
    def paid(self) -> bool:
        return bool(self.paid_by)

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
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.id != f"{self.purpose}/{self.version}" or self.version < 1:
            raise ValueError(f"{self.id} is not the id of version {self.version} of {self.purpose}")
        if self.invalidated_on is not None and self.invalidated_on < self.valid_from:
            raise ValueError(f"{self.id} cannot be invalidated before it was valid")

    def digest(self, lang: str) -> str:
        """SHA-256 of the body in a language, in hexadecimal: what a receipt names."""
        return sha256(find(self.bodies, lang, f"language of {self.id}").encode()).hexdigest()

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
    unknown_age: str = "adult"
    """What a customer without a birth date counts as: `adult` or `minor`."""
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
        usable = [text for text in versions if (text.invalidated_on is None if on is None else text.stands(on))]
        if not usable:
            day = f" on {on}" if on else ""
            raise NotFound(
                f"No text of the purpose {purpose_id!r} stands{day}; nobody can be asked.",
                f"Add texts/{purpose_id}/{len(versions) + 1}/ with a text.yaml and a page per language.",
            )
        return usable[-1]


def find(values: Mapping[str, Value], id: str, kind: str) -> Value:
    """The value named `id`; else `NotFound`, naming what exists."""
    try:
        return values[id]
    except KeyError:
        raise NotFound(f"There is no {kind} {id!r}.", f"There is: {_listed(values)}.") from None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
