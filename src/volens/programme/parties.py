"""Who takes part: the companies that decide, and those that receive; and where each of these was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from volens.programme.findings import Place


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
    obeys_within_hours: int = 24
    """Hours within which it acknowledges a change of mind that it was told of."""
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not (self.id and self.country and 1 <= self.obeys_within_hours <= 24):
            raise ValueError("a recipient has an id and a country")

    @property
    def pays(self) -> bool:
        return bool(self.pays_for)

    @property
    def countries(self) -> tuple[str, ...]:
        """Establishment first, then where it is accessed from; each once."""
        return tuple(dict.fromkeys((self.country, *self.access_countries)))
