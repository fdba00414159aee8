"""What a feed's columns mean: a small YAML file, checked line by line.

1. A mapping that cannot work is refused when it is loaded, with its file, line and the remedy.
2. Fields are ours, columns are the feed's. A feed without a receipt's identity cannot be taken in: there would
   be no telling a copy from a second purchase.
3. `source` is part of every receipt's identity. Renaming it makes all its receipts new ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from volens.errors import MappingError
from volens.ingest import goods
from volens.ingest.currencies import CURRENCIES
from volens.ingest.yaml_lines import Node, parse_yaml, read_yaml
from volens.purchases.lines import CHANNELS, UNITS

FORMATS = ("csv", "parquet", "jsonl", "schema-org-order", "shopify-orders")
ORDERS = ("schema-org-order", "shopify-orders")
"""Formats whose fields are known: their mappings name no columns."""
CONTENTS = ("purchases", "customers")
RECEIPTS = ("together", "scattered")
FEED_UNITS = (*UNITS, "g")

PURCHASE_FIELDS = (
    "card", "email", "store", "till", "receipt", "line", "time", "date", "clock",
    "sku", "quantity", "unit", "amount", "discount", "currency", "kind",
)  # fmt: skip
CUSTOMER_FIELDS = (
    "card", "given_name", "family_name", "email", "phone", "street", "postcode", "city", "country",
    "birth_date", "language", "customer_reference", "replaces", "closed",
)  # fmt: skip

_SOURCE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEYS: dict[str, tuple[str, ...]] = {
    "": (
        "source", "format", "contents", "csv", "columns", "time", "amounts", "quantities", "channel", "store",
        "receipts", "card_pattern", "receipt_pattern", "kinds", "embedded",
    ),
    "csv": ("delimiter", "decimal", "encoding"),
    "time": ("format", "zone"),
    "amounts": ("in", "currency", "per", "discount"),
    "quantities": ("in", "unit", "units"),
}  # fmt: skip


@dataclass(frozen=True)
class Mapping:
    """One feed. `load` makes it from YAML, `propose` guesses it, `to_yaml` writes it."""

    source: str
    """Names the feed for ever: small letters, digits, hyphens."""
    format: str
    """csv, parquet, jsonl, schema-org-order or shopify-orders."""
    contents: str = "purchases"
    """purchases, or customers (the customer master)."""
    columns: AbstractMapping[str, str] = field(default_factory=dict)
    """Our field → the feed's column."""
    delimiter: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    time_format: str = "iso"
    """`iso`, or a strptime pattern; with `date` and `clock` columns, of both joined by one blank."""
    zone: str = "Europe/Paris"
    """Of the stores whose own zone the catalogue does not know."""
    amounts_in: str = "major"
    """major (euros) or minor (cents)."""
    amounts_per: str = "line"
    """line: the amount is the line's; unit: of one piece or kilogram, to be multiplied."""
    discount_is: str = "taken-off"
    """taken-off: the amount is already without it; to-take-off: it is not."""
    currency: str = "EUR"
    """Where there is no currency column."""
    quantities_in: str = "whole"
    """whole: 1 is a piece or a kilogram; thousandths: 1000 is (grams)."""
    unit: str = "piece"
    """Where there is no unit column."""
    units: AbstractMapping[str, str] = field(default_factory=dict)
    """The feed's words for `piece`, `kg` and `g`; those three are always understood."""
    channel: str = "loyalty"
    store: str | None = None
    """The store's code where there is no store column, as for a web shop."""
    receipts: str = "together"
    """together: a receipt's lines follow each other; scattered: the file is in another order."""
    card_pattern: str | None = None
    """A regular expression that a whole card number must match."""
    receipt_pattern: str | None = None
    """A regular expression that a whole receipt number must match."""
    kinds: AbstractMapping[str, str] = field(default_factory=dict)
    """The feed's words of the `kind` column for sale, return, void and training; those four are always understood."""
    embedded: AbstractMapping[str, str] = field(default_factory=dict)
    """First digits of codes that carry a weight or a price → the digits behind them, as PPPPPWWWWWC (`goods`)."""
    path: str = "mapping"
    """For messages."""

    def __post_init__(self) -> None:
        fields = PURCHASE_FIELDS if self.contents == "purchases" else CUSTOMER_FIELDS
        self._one_of("format", self.format, FORMATS)
        self._one_of("contents", self.contents, CONTENTS)
        self._one_of("amounts.in", self.amounts_in, ("major", "minor"))
        self._one_of("amounts.per", self.amounts_per, ("line", "unit"))
        self._one_of("amounts.discount", self.discount_is, ("taken-off", "to-take-off"))
        self._one_of("amounts.currency", self.currency, tuple(sorted(CURRENCIES)))
        self._one_of("quantities.in", self.quantities_in, ("whole", "thousandths"))
        self._one_of("quantities.unit", self.unit, UNITS)
        self._one_of("channel", self.channel, CHANNELS)
        self._one_of("receipts", self.receipts, RECEIPTS)
        self._one_of("csv.decimal", self.decimal, (".", ","))
        for name in self.columns:
            self._one_of(f"columns.{name}", name, fields)
        for word in self.units.values():
            self._one_of("quantities.units", word, FEED_UNITS)
        for word in self.kinds.values():
            self._one_of("kinds", word, goods.KINDS)
        for name in ("columns", "units", "kinds", "embedded"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        self._check_values()
        self._check_embedded()
        if self.contents == "purchases" and self.format not in ORDERS:
            self._check_purchase_columns()
        elif self.contents == "customers" and "card" not in self.columns:
            raise self.wrong("columns", "`card` is not mapped; people are found by their card", "Add `card: <column>`.")

    @property
    def customer_kind(self) -> str:
        """What the feed knows a customer by: card or email."""
        return "email" if self.format in ORDERS or "email" in self.columns else "card"

    @property
    def numbered(self) -> bool:
        """Whether each line of a receipt has a number of its own."""
        return "line" in self.columns or self.format == "shopify-orders"

    def wrong(self, key: str, what: str, remedy: str) -> MappingError:
        """The error for a value of this mapping."""
        return MappingError(f"{self.path}, {key}: {what}.", remedy)

    def _one_of(self, key: str, value: str, allowed: tuple[str, ...]) -> None:
        if value not in allowed:
            raise self.wrong(key, f"{value!r} is not known", f"Write one of: {', '.join(allowed)}.")

    def _check_values(self) -> None:
        if not _SOURCE.fullmatch(self.source) or len(self.source) > 64:
            raise self.wrong("source", f"{self.source!r} is not a name", "Write small letters, digits, hyphens.")
        if len(self.delimiter) != 1 or self.delimiter in "\"\r\n'":
            raise self.wrong("csv.delimiter", f"{self.delimiter!r} is not one sign", 'Write ";", "," or "\\t".')
        try:
            "".encode(self.encoding)
        except LookupError:
            raise self.wrong("csv.encoding", f"{self.encoding!r} is not known", "Write utf-8, cp1252 or latin-1.") from None
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise self.wrong("time.zone", f"there is no zone {self.zone!r}", "Write for example Europe/Paris.") from None
        if self.time_format != "iso" and "%" not in self.time_format:
            raise self.wrong("time.format", f"{self.time_format!r} is no pattern", "Write iso, or %d/%m/%Y %H:%M:%S.")
        for name, pattern in (("card_pattern", self.card_pattern), ("receipt_pattern", self.receipt_pattern)):
            try:
                re.compile(pattern or "")
            except re.error as error:
                raise self.wrong(name, f"not a regular expression ({error})", "Mend the pattern.") from None

    def _check_embedded(self) -> None:
        for prefix, layout in self.embedded.items():
            if not goods.PREFIX.fullmatch(prefix):
                raise self.wrong("embedded", f"{prefix!r} is not 02, nor 20 to 29", "Only those are left to each company.")
            if not goods.LAYOUT.fullmatch(layout) or len(prefix + layout) != goods.CODE_DIGITS:
                raise self.wrong(
                    "embedded", f"{layout!r} does not say what the digits behind {prefix} are",
                    f"Write {goods.CODE_DIGITS - len(prefix)} signs: P product, x nothing, then W grams or A price, C check digit.",
                )  # fmt: skip

    def _check_purchase_columns(self) -> None:
        names = set(self.columns)
        if len(names & {"card", "email"}) != 1:
            raise self.wrong("columns", "a purchase is known by a card or by an e-mail", "Map exactly one of them.")
        if not ("time" in names) ^ ("date" in names):
            raise self.wrong("columns", "a purchase needs its time", "Map `time`, or `date` and `clock`.")
        for name, why in (
            ("receipt", "without it a copy cannot be told from a second purchase"),
            ("sku", "it says what was bought"),
            ("amount", "it says what was paid"),
            ("quantity", "it says how much was bought"),
        ):
            if name not in names:
                raise self.wrong("columns", f"`{name}` is not mapped; {why}", f"Add `{name}: <your column>`.")
        if "store" not in names and not self.store:
            raise self.wrong("columns", "the store is not known", "Map `store`, or write `store: <code>` beside it.")


def load(path: Path) -> Mapping:
    """A mapping from its YAML file. `MappingError` names the line and says what to write instead."""
    return _mapping(read_yaml(path), path)


def parse(text: str, name: str) -> Mapping:
    """A mapping from the text of its file; `name` is what errors call it."""
    path = Path(name)
    return _mapping(parse_yaml(text, path), path)


def _mapping(root: Node, path: Path) -> Mapping:
    values: dict[str, Any] = {}
    for name, node in _entries(root, "", path):
        if name in ("csv", "time", "amounts", "quantities"):
            for inner, value in _entries(node, name, path):
                values[f"{name}.{inner}"] = _words(value, path) if inner == "units" else _scalar(value, path)
        elif name in ("columns", "kinds", "embedded"):
            values[name] = _words(node, path)
        else:
            values[name] = _scalar(node, path)
    for name in ("source", "format"):
        if name not in values:
            raise MappingError(f"{path.name} has no `{name}`.", "Let `volens ingest --explain FILE` write one.")
    lines = {key: node.line for key, node in root.flat().items()}
    names = {**{key: key for key in _KEYS[""]}, **_RENAMED}
    try:
        return Mapping(**{names[key]: value for key, value in values.items()}, path=path.name)
    except MappingError as error:
        key = error.what.removeprefix(f"{path.name}, ").split(":", 1)[0]
        line = lines.get(key) or lines.get(key.split(".", 1)[0])
        if line is None:
            raise
        raise MappingError(f"{path.name}, line {line}, {error.what.removeprefix(path.name + ', ')}", error.remedy) from None


_RENAMED = {
    "csv.delimiter": "delimiter",
    "csv.decimal": "decimal",
    "csv.encoding": "encoding",
    "time.format": "time_format",
    "time.zone": "zone",
    "amounts.in": "amounts_in",
    "amounts.currency": "currency",
    "amounts.per": "amounts_per",
    "amounts.discount": "discount_is",
    "quantities.in": "quantities_in",
    "quantities.unit": "unit",
    "quantities.units": "units",
}


def to_yaml(mapping: Mapping) -> str:
    """The mapping as a file to keep, in the order in which it is read; `load` gives the same mapping back."""
    out = [
        "# Which column is what. `source` names this feed for ever: it is part of every receipt's identity.",
        f"source: {mapping.source}",
        f"format: {mapping.format}",
        f"contents: {mapping.contents}",
    ]
    if mapping.format in ("csv", "shopify-orders"):
        out += ["csv:", f"  delimiter: {_quoted(mapping.delimiter)}", f"  decimal: {_quoted(mapping.decimal)}"]
        out += [f"  encoding: {mapping.encoding}"]
    if mapping.columns:
        out += ["columns:", *(f"  {name}: {_quoted(column)}" for name, column in mapping.columns.items())]
    if mapping.format == "shopify-orders":
        out += ["time:", f"  zone: {mapping.zone}", f"channel: {mapping.channel}"]
        out += [f"store: {_quoted(mapping.store)}"] if mapping.store else []
    elif mapping.contents == "purchases":
        out += ["time:", f"  format: {_quoted(mapping.time_format)}", f"  zone: {mapping.zone}"]
        out += ["amounts:", f"  in: {mapping.amounts_in}          # major: euros; minor: cents"]
        out += [f"  currency: {mapping.currency}", f"  per: {mapping.amounts_per}          # line, or unit: a price"]
        out += [f"  discount: {mapping.discount_is}    # taken-off: the amount is already without it; or to-take-off"]
        out += ["quantities:", f"  in: {mapping.quantities_in}          # whole, or thousandths (grams)"]
        out += [f"  unit: {mapping.unit}"]
        if mapping.units:
            out += ["  units:", *(f"    {_quoted(word)}: {unit}" for word, unit in mapping.units.items())]
        out += [f"channel: {mapping.channel}"]
        out += [f"store: {_quoted(mapping.store)}"] if mapping.store else []
        out += [f"receipts: {mapping.receipts}    # together: a receipt's lines follow each other; or scattered"]
    elif mapping.time_format != "iso":
        out += ["time:", f"  format: {_quoted(mapping.time_format)}"]
    for name in ("kinds", "embedded"):
        given = getattr(mapping, name)
        out += [f"{name}:", *(f"  {_quoted(word)}: {meaning}" for word, meaning in given.items())] if given else []
    for name in ("card_pattern", "receipt_pattern"):
        out += [f"{name}: {_quoted(getattr(mapping, name))}"] if getattr(mapping, name) else []
    return "\n".join(out) + "\n"


def _quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{plain}"'


def _entries(node: Node, where: str, path: Path) -> list[tuple[str, Node]]:
    found = node.entries
    if found is None:
        raise MappingError(f"{path.name}, line {node.line}: {where or 'the file'} must have keys and values.", "")
    for name, value in found.items():
        if name not in _KEYS[where]:
            raise MappingError(
                f"{path.name}, line {value.line}: `{name}` is not known{f' under `{where}`' if where else ''}.",
                f"Write one of: {', '.join(_KEYS[where])}.",
            )
    return list(found.items())


def _scalar(node: Node, path: Path) -> str:
    if node.text is None:
        raise MappingError(f"{path.name}, line {node.line}: one value is expected here.", "Put it on the same line.")
    return node.text


def _words(node: Node, path: Path) -> dict[str, str]:
    if node.entries is None:
        raise MappingError(f"{path.name}, line {node.line}: keys and values are expected here.", "")
    return {name: _scalar(value, path) for name, value in node.entries.items()}
