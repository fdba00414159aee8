"""A mapping guessed from a feed's header and its first lines.

1. It is a proposal: people read it before it is used. What was guessed without evidence is said in `notes`.
2. Names are compared without accents, case and signs, in French and English.
3. Nothing of what lines say is in a note or an error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from volens.errors import MappingError
from volens.ingest import shopify
from volens.ingest.currencies import CURRENCIES
from volens.ingest.files import shown_name
from volens.ingest.mapping import CUSTOMER_FIELDS, PURCHASE_FIELDS, Mapping
from volens.ingest.samples import Sample, csv_sample, first_file, json_sample, parquet_sample, start_of

# In the order in which a field takes a column; the first synonym that the header has wins.
SYNONYMS: AbstractMapping[str, tuple[str, ...]] = {
    "card": ("card", "carte", "no carte", "num carte", "numero carte", "carte fidelite", "no carte fidelite",
             "num carte fidelite", "card number", "card no", "card id", "loyalty card", "loyalty id", "household id",
             "customer id", "id client", "no client", "numero client", "code client", "client", "member id"),
    "email": ("email", "e mail", "mail", "courriel", "adresse email", "adresse mail", "email address"),
    "receipt": ("receipt", "receipt number", "receipt no", "no ticket", "num ticket", "numero ticket", "ticket",
                "ticket id", "id ticket", "basket id", "basket", "transaction id", "transaction number", "order number",
                "no commande", "numero commande", "invoice", "facture"),
    "line": ("line", "line number", "line no", "no ligne", "num ligne", "numero ligne", "ligne", "position"),
    "till": ("till", "till number", "caisse", "no caisse", "num caisse", "numero caisse", "register", "pos", "tpv"),
    "store": ("store", "store id", "store code", "store number", "magasin", "no magasin", "num magasin",
              "code magasin", "id magasin", "numero magasin", "point de vente", "shop", "shop id", "site"),
    "time": ("time", "timestamp", "transaction timestamp", "datetime", "date time", "horodatage", "date heure",
             "date et heure", "dateheure", "date ticket", "sold at", "created at"),
    "date": ("date", "day", "jour", "date vente", "date achat", "date de vente", "transaction date", "sale date"),
    "clock": ("clock", "hour", "heure", "heure vente", "heure ticket", "transaction time", "sale time"),
    "sku": ("sku", "ean", "ean13", "gtin", "code ean", "code barre", "code barres", "barcode", "product id",
            "product", "product code", "article", "code article", "id article", "ref article", "reference",
            "code produit", "produit", "item", "item id", "upc"),
    "quantity": ("quantity", "qty", "quantite", "qte", "nombre", "nb", "units", "poids", "weight"),
    "unit": ("unit", "unite", "unite mesure", "uom", "unite de mesure"),
    "amount": ("amount", "sales value", "montant", "montant ttc", "montant net", "total ttc", "total", "line total",
               "net amount", "prix total", "ca ttc", "montant centimes", "montant cents", "amount cents", "amount minor", "prix",
               "price", "unit price", "prix unitaire"),
    "discount": ("discount", "remise", "montant remise", "retail disc", "reduction", "rabais", "promo",
                 "remise centimes", "discount cents"),
    "currency": ("currency", "devise", "monnaie", "price currency"),
    "kind": ("kind", "line type", "receipt type", "transaction type", "type ticket", "type de ticket", "type ligne", "nature"),
    "given_name": ("given name", "first name", "firstname", "prenom"),
    "family_name": ("family name", "last name", "lastname", "surname", "nom", "nom de famille"),
    "phone": ("phone", "telephone", "tel", "mobile", "portable", "phone number", "no telephone"),
    "street": ("street", "address", "adresse", "adresse postale", "rue", "address line 1", "adresse 1", "voie"),
    "postcode": ("postcode", "postal code", "zip", "zip code", "code postal", "cp"),
    "city": ("city", "town", "ville", "commune", "localite"),
    "country": ("country", "country code", "pays", "code pays"),
    "birth_date": ("birth date", "birthdate", "date of birth", "date naissance", "date de naissance", "naissance"),
    "language": ("language", "lang", "langue"),
    "customer_reference": ("customer reference", "customer id", "customer number", "person id", "id client", "numero client"),
    "replaces": ("replaces", "replaced card", "former card", "old card", "ancienne carte", "remplace"),
    "closed": ("closed", "closed on", "closing date", "date cloture", "date de cloture", "cloture", "resilie", "date resiliation"),
}  # fmt: skip

MONTHS = frozenset(
    {"janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
     "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
     "jan", "fev", "feb", "avr", "apr", "jun", "juil", "jul", "sep", "sept", "oct", "nov", "dec"}
)  # fmt: skip
KIND_WORDS = {
    "sale": ("sale", "sales", "vente", "v", "s", "ticket"),
    "return": ("return", "returns", "refund", "retour", "remboursement", "avoir", "r"),
    "void": ("void", "voided", "cancelled", "annulation", "annule", "annulee"),
    "training": ("training", "formation", "ecole"),
}
UNIT_WORDS = {
    "piece": ("piece", "pieces", "pce", "pc", "pcs", "u", "un", "unit", "unite", "ea", "each", "uvc"),
    "kg": ("kg", "kgm", "kilo", "kilogramme", "kilogram"),
    "g": ("g", "gr", "gramme", "grammes", "gram", "grams"),
}
PATTERNS = (
    "iso", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%Y%m%d%H%M%S", "%d-%m-%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d/%m/%y %H:%M:%S", "%d/%m/%y %H:%M",
    "%Y%m%d %H%M%S", "%Y%m%d %H:%M:%S", "%Y%m%d %H%M", "%d/%m/%Y %H%M", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y%m%d",
    "%m/%d/%Y",
)  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """A mapping, and what people should look at before they use it."""

    mapping: Mapping
    notes: tuple[str, ...]
    unused: tuple[str, ...] = ()
    """Columns of the feed that mean nothing to Volens; they are not read."""


def propose(path: Path) -> Mapping:
    """The mapping alone; `proposal` says more. `MappingError` when a needed column is not recognized."""
    return proposal(path).mapping


def proposal(path: Path) -> Proposal:
    """What a feed's columns seem to mean, from its header and first 1,000 lines. Reads only."""
    file = first_file(path)
    source = source_name(file)
    start = start_of(file)
    if start.startswith(b"PAR1"):
        return _tabular(file, source, parquet_sample(file))
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        sample = json_sample(file)
        if {"line_items", "orders"} & sample.keys:
            return _shopify(source)
        if {"orderedItem", "acceptedOffer", "orderNumber"} & sample.keys or not sample.keys:
            return _schema_org(source)
        return _tabular(file, source, sample)
    sample = csv_sample(file, start)
    if shopify.looks_like_it(sample.header):
        return _shopify(source, delimiter=sample.settings["delimiter"], encoding=sample.settings["encoding"])
    return _tabular(file, source, sample)


def _schema_org(source: str) -> Proposal:
    mapping = Mapping(source, "schema-org-order", channel="web", store="web", amounts_per="unit", discount_is="to-take-off")
    return Proposal(
        mapping,
        (
            "A `price` is taken as the price of one unit, as schema.org defines it. If your shop writes the "
            "price of the whole line, set `amounts: per: line`.",
            "A `discount` is taken off the prices. If they are already without it, set `discount: taken-off`.",
        ),
    )


def _shopify(source: str, **form: str) -> Proposal:
    mapping = Mapping(
        source, "shopify-orders", channel="web", store="web", **form  # type: ignore[arg-type]
    )
    return Proposal(
        mapping,
        (
            "This is Shopify's order export. Orders that were not paid, or were cancelled or paid back whole, are refused; a part "
            "that was paid back makes the order's items cheaper.",
            "Customers are known by their e-mail: an order of a guest who left a phone number only is refused.",
            "Products are found by Shopify's SKU: the product file needs the same.",
        ),
    )


def _tabular(file: Path, source: str, sample: Sample) -> Proposal:
    found = _fields(sample.header)
    notes = list(sample.notes)
    customers = "sku" not in found and bool({"given_name", "family_name", "birth_date", "postcode"} & set(found))
    wanted = CUSTOMER_FIELDS if customers else PURCHASE_FIELDS
    columns = {name: found[name] for name in wanted if name in found}
    settings: dict[str, object] = dict(sample.settings)
    if customers:
        days = [day for day in sample.columns.get(columns.get("birth_date", ""), []) if day]
        pattern = _pattern(days)
        if pattern is None:
            notes.append("The form of the birth dates is not recognized: write it under `time: format:`.")
        settings |= {"contents": "customers", "time_format": pattern or "iso"}
    else:
        columns, settings = _purchases(sample, columns, settings, notes)
        notes.append(
            f"One mapping for all files of these tills: its name `{source}` is part of every receipt's identity. Save one for each "
            "file under other names, and a receipt that is sent again counts twice."
        )
    unused = tuple(shown_name(name) for name in sample.header if name not in columns.values())
    missing = _missing(columns, customers)
    if missing:
        taken = ", ".join(f"{name} ← {shown_name(column)}" for name, column in columns.items()) or "none"
        raise MappingError(
            f"{file.name} has no column that is recognized as {' or as '.join(missing)}. Recognized: {taken}. "
            f"Others: {', '.join(unused) or 'none'}.",
            "Write the mapping by hand (docs/ingest.md has one to copy), or give the file a header with these names.",
        )
    return Proposal(Mapping(source=source, columns=columns, **settings), tuple(notes), unused)  # type: ignore[arg-type]


def _missing(columns: AbstractMapping[str, str], customers: bool) -> list[str]:
    if customers:
        return [] if "card" in columns else ["card"]
    missing = [name for name in ("receipt", "sku", "quantity", "amount") if name not in columns]
    missing += [] if {"card", "email"} & set(columns) else ["card"]
    missing += [] if {"time", "date"} & set(columns) else ["time"]
    return missing


def _purchases(
    sample: Sample, columns: dict[str, str], settings: dict[str, object], notes: list[str]
) -> tuple[dict[str, str], dict[str, object]]:
    if "card" in columns and "email" in columns:
        notes.append("There is a card and an e-mail; the card is taken, the e-mail is not read.")
        del columns["email"]
    if "time" in columns:
        columns.pop("date", None)
        columns.pop("clock", None)

    def values(name: str) -> list[str]:
        return [value for value in sample.columns.get(columns.get(name, ""), []) if value]

    if "clock" in columns and not {"time", "date"} & set(columns) and _pattern(values("clock")) is not None:
        # A column called "hour" that holds the day as well is the whole time.
        columns["time"] = columns.pop("clock")
    times = values("time") or values("date")
    if "date" in columns and "clock" in columns:
        pairs = zip(sample.columns[columns["date"]], sample.columns[columns["clock"]], strict=True)
        times = [f"{day} {clock}" for day, clock in pairs if day]
    pattern = _pattern(times)
    if pattern is None:
        notes.append("The form of the times is not recognized: write it under `time: format:`, as %d/%m/%Y %H:%M:%S.")
    elif pattern.startswith("%d/%m") and _pattern(times, ("%m/%d" + pattern[5:],)):
        notes.append("Days and months cannot be told apart in these lines; they are read as day/month.")
    settings["time_format"] = pattern or "iso"
    amounts = values("amount")
    decimal_comma = any(re.search(r"\d,\d{1,3}$", value) for value in [*amounts, *values("quantity")])
    if settings["format"] == "csv":
        settings["decimal"] = "," if decimal_comma else "."
    cents = bool(amounts) and all(re.fullmatch(r"[+-]?\d+", value) for value in amounts)
    if cents and sum(abs(int(value)) for value in amounts) / len(amounts) >= 50:
        settings["amounts_in"] = "minor"
        notes.append("All amounts are whole numbers, so they are taken as cents. If they are euros: `in: major`.")
    if _plain(columns.get("amount", "")) in ("prix", "price", "unit price", "prix unitaire"):
        settings["amounts_per"] = "unit"
        notes.append("The amount seems to be the price of one unit; it is multiplied by the quantity.")
    if "discount" in columns:
        notes.append("Amounts are taken to be without the discount already. If not: `discount: to-take-off`.")
    if "store" not in columns:
        settings["store"] = "1"
        notes.append("There is no store column: all lines are taken to be of a store `1`.")
    if "unit" in columns:
        note = "Some units are not recognized: say under `quantities: units:` which are `piece`, `kg` and `g`."
        settings["units"] = _meanings(values("unit"), UNIT_WORDS, note, notes)
    if "kind" in columns:
        note = "Some kinds of line are not recognized: say under `kinds:` which are `sale`, `return`, `void` and `training`."
        settings["kinds"] = _meanings(values("kind"), KIND_WORDS, note, notes)
    if not set(values("currency")) <= CURRENCIES and "currency" in columns:
        notes.append("Some currencies are not known; their lines are refused.")
    if "line" not in columns and _come_back(sample, columns):
        settings["receipts"] = "scattered"
        notes.append("Receipts come back further down with other lines, so the file is read as `scattered`.")
    return columns, settings


def _meanings(words: Sequence[str], meanings: AbstractMapping[str, Sequence[str]], note: str, notes: list[str]) -> dict[str, str]:
    """The feed's words that are recognized; for the others there is the note."""
    known = {word: meaning for meaning, synonyms in meanings.items() for word in synonyms}
    distinct = sorted(set(words))
    if any(_plain(word) not in known for word in distinct):
        notes.append(note)
    return {word: known[_plain(word)] for word in distinct if _plain(word) in known and word not in meanings}


def source_name(file: Path) -> str:
    """A name for the feed that fits its next file too: without numbers, months and dates."""
    words = re.sub(r"[^a-z]+", " ", _plain(file.name.split(".")[0])).split()
    return "-".join(word for word in words if word not in MONTHS)[:64].strip("-") or "feed"


def _come_back(sample: Sample, columns: AbstractMapping[str, str]) -> bool:
    """Whether a receipt's lines stand in two places and differ: one receipt in pieces, not two copies of it."""
    identity = [sample.columns[columns[name]] for name in ("store", "till", "receipt") if name in columns]
    keys = list(zip(*identity, strict=True))
    blocks: dict[tuple[str, ...], list[list[str]]] = {}
    last: tuple[str, ...] | None = None
    for key, sku in zip(keys, sample.columns[columns["sku"]] if "sku" in columns else [], strict=False):
        if key != last:
            blocks.setdefault(key, []).append([])
        blocks[key][-1].append(sku)
        last = key
    broken = sum(any(sorted(one) != sorted(found[0]) for one in found[1:]) for found in blocks.values())
    return broken > max(1, len(blocks) // 10)


def _fields(header: Sequence[str]) -> dict[str, str]:
    plain: dict[str, str] = {}
    for name in header:
        plain.setdefault(_plain(name), name)
    for name in header:  # of `customer.card`, the last word
        plain.setdefault(_plain(name.rsplit(".", 1)[-1]), name)
    taken: dict[str, str] = {}
    for field, synonyms in SYNONYMS.items():
        for word in synonyms:
            if word in plain and plain[word] not in taken.values():
                taken[field] = plain[word]
                break
    return taken


def _plain(name: str) -> str:
    """Without accents, case and signs: `N° Carte_Fidélité` is `no carte fidelite`."""
    letters = unicodedata.normalize("NFKD", name.replace("°", "o").replace("º", "o").lower())
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", " ", kept).strip()


def _pattern(times: Sequence[str], patterns: Sequence[str] = PATTERNS) -> str | None:
    """The pattern that most of these times have, the first of those that are equally good; a few broken ones are normal."""
    if not times:
        return "iso"
    best, most = None, len(times) // 2
    for pattern in patterns:
        read: Callable[[str], object] = (
            datetime.fromisoformat if pattern == "iso" else lambda text, form=pattern: datetime.strptime(text, form)  # type: ignore[misc]  # noqa: DTZ007
        )
        readable = sum(_reads(read, text) for text in times)
        if readable > most:
            best, most = pattern, readable
    return best


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
