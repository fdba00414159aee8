"""Rules about what the house says of itself in public: nothing that its own programme makes untrue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Severity
from volens.programme.model import Delivery, Programme, Role
from volens.programme.parameters import parameters
from volens.programme.rules.countries import is_country, name
from volens.programme.rules.minimal import EN
from volens.programme.rules.reading import Page, hits, pages
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import fold, matches, pattern

ANONYMOUS = (
    "(donnees|informations|achats|adresse|adresses|liste|profil|profils)"
    " … (anonyme*|anonymise*|anonymement)",
    "(data|information|purchases|address|addresses|list|profile|profiles) … (anonymous*|anonymis*|anonymiz*)",
    "(anonymous|anonymised|anonymized) (data|information|purchases|profiles)",
    "(de facon|de maniere) anonyme",
)
STAYS = (
    "(donnees|informations|achats) … (restent|reste|demeurent|sont conservees|sont hebergees) … (en|au|dans) … (France|Europe*)",
    "ne (quittent|quitte|sortent|sort) (jamais|pas) … (France|Europe*|pays)",
    "(data|information|purchases) … (stay|stays|remain|remains|are kept|are stored|are hosted) in (France|Europe|the EU|the EEA)",
    "never (leave|leaves) (France|Europe|the EU|the EEA|the country)",
)
"""Ways to say that data stay in a country or in Europe."""
ABSOLUTE = (
    "(100 %|totalement|parfaitement|absolument|entierement) (sur|surs|sure|sures|securise*|protege*|confidentiel*|inviolable*)",
    "(aucun|zero) risque",
    "(risque zero|inviolable*|impossible a pirater)",
    "(100 %|100%|totally|perfectly|absolutely|completely|fully) (safe|secure|secured|protected|private|confidential)",
    "(no|zero) risk",
    "(unbreakable|unhackable|cannot be hacked|risk-free)",
)
APPROVED = (
    "(approuve*|valide*|agree*|certifie*|autorise*|labellise*) par (la |l')?(CNIL|autorite|Commission europeenne"
    "|EDPB|CEPD|Garante)",
    "(label|certificat|agrement|validation) (de la )?CNIL",
    "(certifie*|garanti*|100 % conforme*) … (RGPD|GDPR)",
    "(approved|validated|certified|endorsed|authorised|authorized) by (the )?(CNIL|data protection authority|ICO"
    "|European Commission|EDPB|Garante)",
    "(GDPR|RGPD)-(certified|approved|guaranteed)",
    "(GDPR|RGPD) (certified|approved|guaranteed)",
    "(certified|guaranteed) … (GDPR|RGPD)",
)


def not_called_anonymous(programme: Programme, on: date) -> Iterator[Hit]:
    """CLM001."""
    persons = [one for one in programme.purposes.values() if one.delivers is Delivery.PERSONS and one.needs_choice]
    if not persons:
        return
    for page in pages(programme, on):
        for found in matches(page.words, pattern(*ANONYMOUS), unless_negated=True):
            yield Hit(
                page.at(found.line),
                f"“{found.written}” is not true of `{persons[0].id}`: a hash or a number in place of a name is still a person.",
                "Say what leaves: which data, under what, to whom; call anonymous only what nobody can be recognised in.",
            )


def stays_where_it_is_said(programme: Programme, on: date) -> Iterator[Hit]:
    """CLM002."""
    for page in pages(programme, on):
        for found in matches(page.words, pattern(*STAYS)):
            abroad = _elsewhere(programme, page, found.start)
            if abroad:
                yield Hit(
                    page.at(found.line),
                    f"“{found.written}” is not true: people in {', '.join(abroad)} can see data.",
                    "Take it out, or name the countries; staff who can look from elsewhere count.",
                )


def _elsewhere(programme: Programme, page: Page, start: int) -> list[str]:
    """Countries that contradict the claim: outside the EEA, or, where France alone is named, outside France."""
    sentence = fold(page.words).sentence(start)
    only_here = "france" in sentence and "europ" not in sentence
    found = []
    for recipient in programme.recipients.values():
        if recipient.role is Role.AUTHORITY:
            continue
        for country in filter(is_country, recipient.countries):
            if (only_here and country != "FR") or (not only_here and country not in parameters().eea):
                found.append(name(country, "en"))
    return sorted(set(found))


def not_called_perfect(programme: Programme, on: date) -> Iterator[Hit]:
    """CLM003."""
    remedy = "Say what is done to protect the data: who can open them, and what is checked."
    yield from hits(programme, on, ABSOLUTE, "{} promises what nobody can keep.", remedy, unless_negated=True)


def not_called_approved(programme: Programme, on: date) -> Iterator[Hit]:
    """CLM004."""
    message = "{} claims a blessing that no authority gives to a programme."
    remedy = "Take it out; say what you do, and where people can complain."
    yield from hits(programme, on, APPROVED, message, remedy, unless_negated=True)


def _says(english: str, french: str = "Un fournisseur nous paie pour des chiffres. Vous décidez.") -> tuple[Change, ...]:
    changes = [Change("claims.yaml", "A supplier pays us for figures. You decide.", english)]
    if not french.startswith("Un fournisseur"):
        changes.append(Change("claims.yaml", "Un fournisseur nous paie pour des chiffres. Vous décidez.", french))
    return tuple(changes)


_PERSONS = Change("purposes.yaml", "delivers: statistics", "delivers: persons")

RULES = (
    Rule(
        id="CLM001",
        severity=Severity.ERROR,
        family="public claims",
        title="A person behind a number is not anonymous",
        articles=("GDPR article 4(5) and recital 26", "IMY, Apoteket, 29 August 2024"),
        why="A scrambled address or a number made for one recipient still leads to one person. Whoever calls that anonymous tells "
        "people that nothing about them leaves the house, while it does.",
        check=not_called_anonymous,
        failing=Example((_PERSONS, *_says("We hand over anonymised data. A supplier pays us.")), "claims.yaml", "anonymised"),
        passing=Example(_says("A supplier pays us for figures drawn from anonymised data.")),
    ),
    Rule(
        id="CLM002",
        severity=Severity.ERROR,
        family="public claims",
        title="Data stay where it is said that they stay",
        articles=("GDPR articles 5(1)(a) and 13(1)(f)", "Directive 2005/29/EC article 6"),
        why="“Your data stay in France” is a promise about every company that can look at them, remote support included.",
        check=stays_where_it_is_said,
        failing=Example(
            (Change("recipients.yaml", "access_countries: [FR]", "access_countries: [FR, BE]"),
             *_says("Your data stay in France. A supplier pays us for figures.")),
            "claims.yaml",
            "stay in France",
        ),
        passing=Example(
            (Change("recipients.yaml", "access_countries: [FR]", "access_countries: [FR, BE]"),
             *_says("Your data stay in Europe. A supplier pays us for figures.")),
        ),
    ),
    Rule(
        id="CLM003",
        severity=Severity.ERROR,
        family="public claims",
        title="No promise of perfect safety",
        articles=("GDPR articles 5(1)(a) and 32", "Directive 2005/29/EC article 6"),
        why="No system is without risk, and a page that says so is the first exhibit after a breach.",
        check=not_called_perfect,
        failing=Example(_says("Your purchases are completely safe. A supplier pays us for figures."), "claims.yaml", "completely"),
        passing=Example(_says("Your name is kept apart, under lock and key. A supplier pays us for figures.")),
    ),
    Rule(
        id="CLM004",
        severity=Severity.ERROR,
        family="public claims",
        title="No blessing that nobody gave",
        articles=("Directive 2005/29/EC annex I, points 2 and 4", "GDPR articles 42 and 43"),
        why="An authority that ends an inquiry has approved nothing, and a programme is not certified by being lawful. "
        "Certification exists, for an operation and for a time, by a named body.",
        check=not_called_approved,
        failing=Example(
            (Change(EN, "A purchase counts", "This programme is approved by the CNIL.\nA purchase counts"),), EN, "approved by"
        ),
        passing=Example((Change(EN, "A purchase counts", "The CNIL receives your complaints.\nA purchase counts"),)),
    ),
)
