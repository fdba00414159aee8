"""Invented people for the households of the Complete Journey, and what each of them permits.

1. Everything follows from the household's number by SHA-256 (`_draw`): the same people every time, and nobody's.
2. Nobody can be mistaken for a real person: the family names say that they are examples, e-mails end in example.org,
   phone numbers are of the range that France keeps for fiction, and no town or postcode exists.
3. Household 441 is the heroine of the demo's story: she has a person, and permits at first.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

HEROINE = 441
LARGEST_HOUSEHOLD = 9_999  # four digits in card, e-mail and phone number
WITHOUT_PERSON_ONE_IN = 20

JOIN_PURPOSE = "loyalty"
STATISTICS_PURPOSE = "supplier-statistics"
GIVEN_PERCENT, REFUSED_PERCENT = 70, 20  # the rest was never asked
REMINDER_PURPOSE, REMINDER_PERCENT = "basket-reminder", 80
"""So many in a hundred want to be told what they forgot; Camille is one of them."""
AUDIENCE_PURPOSE, AUDIENCE_PERCENT = "purchase-audience", 60
"""Of those who are known by a name, so many permit lists chosen by their purchases."""
ADS_PURPOSE, ADS_PERCENT = "targeted-ads", 60
"""So many in a hundred permit advertisements on the shop's pages by their purchases; Camille does, at first."""

FAMILY_NAMES = ("Exemple", "Modèle", "Fictif", "Démo", "Essai", "Personnage", "Inventé", "Spécimen", "Échantillon", "Figurant")
GIVEN_NAMES = (
    "Adèle", "Agathe", "Alain", "Alice", "Amandine", "Amir", "Anaïs", "André", "Antoine", "Arthur", "Aya", "Baptiste",
    "Béatrice", "Benoît", "Brigitte", "Camille", "Carole", "Cécile", "Chantal", "Chloé", "Claire", "Clément", "Colette",
    "Damien", "Denis", "Élise", "Émile", "Étienne", "Fatou", "Florence", "François", "Gabriel", "Geneviève", "Gilles",
    "Hélène", "Hugo", "Inès", "Jeanne", "Jérôme", "Joséphine", "Karim", "Laure", "Léa", "Léon", "Louise", "Lucas",
    "Madeleine", "Manon", "Marguerite", "Mathieu", "Mei", "Nadia", "Nicolas", "Noémie", "Olivier", "Pascal", "Pauline",
    "Rachid", "Rose", "Simone", "Sofia", "Sylvie", "Théo", "Thomas", "Valérie", "Yasmine", "Yves", "Zoé",
)  # fmt: skip
STREETS = ("rue de l'Exemple", "place du Modèle", "allée des Essais", "chemin de la Fiction", "avenue du Brouillon",
           "impasse du Spécimen", "quai de la Maquette", "cours des Inventions")  # fmt: skip
# No French department has the number 99 in an address, and no Belgian postcode begins with 0.
TOWNS_FR = (("99010", "Lugdonne"), ("99020", "Confluence-les-Halles"), ("99030", "Villefable"), ("99040", "Saint-Exemple"),
            ("99050", "Mont-Modèle"), ("99060", "Fictigny-sur-Saône"))  # fmt: skip
TOWNS_BE = (("0100", "Fableghem"), ("0200", "Modèle-la-Neuve"))
BORN_FROM, BORN_UNTIL = date(1938, 1, 1), date(1998, 12, 31)  # all adults, whatever the demo's day


@dataclass(frozen=True)
class Person:
    """An invented person, as a retailer's customer file has one."""

    household: int
    card: str
    given_name: str
    family_name: str
    email: str
    phone: str | None
    """None for Belgians: only France keeps a range of mobile numbers for fiction."""
    street: str
    postcode: str
    city: str
    country: str
    """ISO 3166: FR or BE."""
    birth_date: date
    language: str
    """fr or en."""


@dataclass(frozen=True)
class DemoChoice:
    """What a household said about one purpose, on which surface and in which language."""

    purpose: str
    kind: str
    """joined, given or refused."""
    surface: str
    language: str


def card(household: int) -> str:
    """The household's card: 13 digits, `29`, six drawn, the household's four, and the check digit of EAN-13."""
    if not 1 <= household <= LARGEST_HOUSEHOLD:
        raise ValueError(f"a household's number has one to four digits: {household}")
    digits = f"29{_draw(household, 'card', 10**6):06d}{household:04d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def person(household: int) -> Person | None:
    """Who holds the household's card; None for one card in twenty, which nobody has put a name to."""
    if household == HEROINE:
        return _heroine()
    if _draw(household, "person", WITHOUT_PERSON_ONE_IN) == 0:
        return None
    given = GIVEN_NAMES[_draw(household, "given name", len(GIVEN_NAMES))]
    family = FAMILY_NAMES[_draw(household, "family name", len(FAMILY_NAMES))]
    belgian = _draw(household, "country", 25) == 0
    towns = TOWNS_BE if belgian else TOWNS_FR
    postcode, city = towns[_draw(household, "town", len(towns))]
    days = (BORN_UNTIL - BORN_FROM).days + 1
    return Person(
        household=household,
        card=card(household),
        given_name=given,
        family_name=family,
        email=email(household, given, family),
        phone=None if belgian else phone(household),
        street=f"{1 + _draw(household, 'number', 120)} {STREETS[_draw(household, 'street', len(STREETS))]}",
        postcode=postcode,
        city=city,
        country="BE" if belgian else "FR",
        birth_date=BORN_FROM + timedelta(days=_draw(household, "birth date", days)),
        language="en" if _draw(household, "language", 12) == 0 else "fr",
    )


def choices(household: int) -> tuple[DemoChoice, ...]:
    """What the household says, in order: it joined the programme; then of 100, 70 give, 20 refuse and 10 were never asked."""
    surface, language = _said(household)
    joined = DemoChoice(JOIN_PURPOSE, "joined", surface, language)
    drawn = 0 if household == HEROINE else _draw(household, "choice", 100)
    if drawn >= GIVEN_PERCENT + REFUSED_PERCENT:
        return (joined,)
    kind = "given" if drawn < GIVEN_PERCENT else "refused"
    return (joined, DemoChoice(STATISTICS_PURPOSE, kind, surface, language))


def reminders(household: int) -> tuple[DemoChoice, ...]:
    """What it says of reminders: 80 of 100 want them, the others were never asked."""
    if household != HEROINE and _draw(household, "reminders", 100) >= REMINDER_PERCENT:
        return ()
    return (DemoChoice(REMINDER_PURPOSE, "given", *_said(household)),)


def lists(household: int) -> tuple[DemoChoice, ...]:
    """What it says of lists chosen by purchases: of 100 whose name is known 60 permit them, the others were never asked."""
    if person(household) is None or household == HEROINE or _draw(household, "audience", 100) >= AUDIENCE_PERCENT:
        return ()
    return (DemoChoice(AUDIENCE_PURPOSE, "given", *_said(household)),)


def ads(household: int) -> tuple[DemoChoice, ...]:
    """What it says of advertisements on the shop's pages: 60 of 100 let its purchases choose, the others were never asked."""
    if household != HEROINE and _draw(household, "advertisements", 100) >= ADS_PERCENT:
        return ()
    return (DemoChoice(ADS_PURPOSE, "given", *_said(household)),)


def _said(household: int) -> tuple[str, str]:
    """On which surface a household says things, and in which language."""
    who = person(household)
    if who is None:
        return "form at the till", "fr"
    return ("website", "form at the till")[_draw(household, "surface", 2)], who.language


def email(household: int, given: str, family: str) -> str:
    """An address that nobody can have: example.org is kept for examples (RFC 2606)."""
    return f"{_plain(given)}.{_plain(family)}.{household}@example.org"


def phone(household: int) -> str:
    """A mobile number of the ten thousand, 06 39 98 00 00 to 06 39 98 99 99, that France keeps for fiction."""
    return f"06 39 98 {household // 100:02d} {household % 100:02d}"


def _heroine() -> Person:
    return Person(
        household=HEROINE,
        card=card(HEROINE),
        given_name="Camille",
        family_name="Exemple",
        email=email(HEROINE, "Camille", "Exemple"),
        phone=phone(HEROINE),
        street=f"12 {STREETS[0]}",
        postcode=TOWNS_FR[0][0],
        city=TOWNS_FR[0][1],
        country="FR",
        birth_date=date(1984, 5, 17),
        language="fr",
    )


def _draw(household: int, what: str, below: int) -> int:
    """A number from 0 to `below` - 1 that is always the same for this household and this matter."""
    digest = sha256(f"volens demo/{what}/{household}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % below


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
