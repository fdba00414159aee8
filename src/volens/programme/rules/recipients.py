"""Rules about who receives: legal entities, in named countries, under instruments that hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from volens.programme.findings import Severity
from volens.programme.model import Delivery, Programme, Recipient, Role
from volens.programme.parameters import parameters
from volens.programme.rules.countries import is_country, names_a_country
from volens.programme.rules.minimal import on_both_pages
from volens.programme.rules.reading import pages
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import contains, fold, matches, pattern

LEGAL_FORMS: dict[str, tuple[str, ...]] = {
    "FR": ("SA", "SAS", "SASU", "SARL", "EURL", "SNC", "SCA", "SCOP", "SCS", "SE", "GIE", "SELARL", "Association"),
    "BE": ("SA", "NV", "SRL", "BV", "SC", "CV", "ASBL", "VZW"),
    "CH": ("SA", "AG", "Sàrl", "GmbH"),
    "DE": ("AG", "GmbH", "KG", "KGaA", "OHG", "SE", "UG", "eG", "e.V."),
    "AT": ("AG", "GmbH", "KG", "OG"),
    "ES": ("SA", "SL", "SLU", "SAU"),
    "GB": ("Ltd", "Limited", "PLC", "LLP", "CIC"),
    "IE": ("Ltd", "Limited", "DAC", "PLC", "CLG", "UC"),
    "IT": ("SpA", "Srl", "Sapa", "Snc", "Sas"),
    "LU": ("SA", "Sàrl", "SCA", "SAS"),
    "NL": ("BV", "NV", "VOF"),
    "PL": ("SA", "sp. z o.o."),
    "PT": ("SA", "Lda"),
    "US": ("Inc", "Corp", "Corporation", "LLC", "LP", "Co"),
}
"""Usual legal forms by country. Elsewhere any form is believed, as long as the legal name holds it."""

INSTRUMENTS = ("adequacy", "scc-2021-914", "bcr")


def legal_entity(programme: Programme, on: date) -> Iterator[Hit]:
    """REC001."""
    for recipient in programme.recipients.values():
        if recipient.role is Role.AUTHORITY:
            continue
        key = "legal_form" if not recipient.legal_form else "legal_name"
        wrong = _not_an_entity(recipient)
        if wrong:
            yield Hit(
                recipient.source.at(key),
                f"`{recipient.id}` is not named as a legal entity: {wrong}.",
                "Write the company's name as in the trade register, with its form, such as `Vergers du Midi SAS`.",
            )


def _not_an_entity(recipient: Recipient) -> str:
    if not recipient.legal_form:
        return f"“{recipient.legal_name}” has no legal form and could be a brand"
    known = LEGAL_FORMS.get(recipient.country)
    if known and _bare(recipient.legal_form) not in {_bare(form) for form in known}:
        return f"“{recipient.legal_form}” is no legal form of {recipient.country}"
    if not contains(recipient.legal_name.replace(".", ""), recipient.legal_form.replace(".", "")):
        return f"its legal name “{recipient.legal_name}” lacks the form {recipient.legal_form}"
    if _bare(recipient.legal_name) == _bare(recipient.legal_form):
        return "its legal name is only a form"
    return ""


def _bare(words: str) -> str:
    return re.sub(r"[\s.]", "", fold(words).text)


def receives_persons(programme: Programme) -> Iterator[Recipient]:
    """The recipients that get data about persons: all who work for the house, and those of such purposes."""
    for recipient in programme.recipients.values():
        used = [purpose for purpose in programme.purposes.values() if recipient.id in purpose.recipients]
        if recipient.role is Role.PROCESSOR or any(purpose.delivers is Delivery.PERSONS for purpose in used):
            yield recipient


def outside(recipient: Recipient) -> tuple[str, ...]:
    """Its countries outside the EEA."""
    return tuple(country for country in recipient.countries if country not in parameters().eea)


def valid_instrument(programme: Programme, on: date) -> Iterator[Hit]:
    """TRF001."""
    for recipient in receives_persons(programme):
        for country in filter(is_country, outside(recipient)):
            wrong = _no_instrument(recipient, country, on)
            if wrong:
                key = "transfer" if recipient.transfer else "country" if country == recipient.country else ""
                yield Hit(
                    recipient.source.at(key or "access_countries", country),
                    f"Data about persons reaches `{recipient.id}` in {country} and {wrong}.",
                    "Sign the standard clauses 2021/914, assess the transfer and write both days under `transfer`; "
                    "or keep the data within the EEA.",
                )


def _no_instrument(recipient: Recipient, country: str, on: date) -> str:
    adequacy = parameters().adequacy(country, on)
    transfer = recipient.transfer
    if adequacy and not adequacy.scope:
        return ""
    if transfer is None or country not in transfer.countries:
        only = f" (the decision on it covers only {adequacy.scope})" if adequacy else ""
        return f"no instrument covers it{only}"
    if transfer.valid_until and transfer.valid_until < on:
        return f"its instrument ended on {transfer.valid_until}"
    if is_stale(transfer.instrument):
        return ""  # TRF002 says so
    if transfer.instrument not in INSTRUMENTS:
        return f"“{transfer.instrument}” is no instrument (there is: {', '.join(INSTRUMENTS)})"
    if transfer.instrument == "adequacy":
        if adequacy is None:
            return "no adequacy decision stands for it"
        return "" if _done(transfer.certified_on, on) else f"it is not shown to be of the {adequacy.scope}"
    if not _done(transfer.signed_on, on):
        return "its clauses are not signed"
    return "" if _done(transfer.assessed_on, on) else "the transfer was not assessed"


def _done(day: date | None, on: date) -> bool:
    return day is not None and day <= on


def is_stale(instrument: str) -> bool:
    """Whether an instrument is one that no longer holds."""
    return any(contains(instrument, name) for one in parameters().stale_instruments for name in one.names)


def no_stale_instrument(programme: Programme, on: date) -> Iterator[Hit]:
    """TRF002."""
    remedy = "Take it out; write which instrument carries the transfer today."
    for recipient in programme.recipients.values():
        if recipient.transfer and is_stale(recipient.transfer.instrument):
            named = recipient.transfer.instrument
            place = recipient.source.at("transfer", "instrument")
            yield Hit(place, f"“{named}” no longer carries a transfer.", remedy)
    names = [name for one in parameters().stale_instruments for name in one.names]
    for page in pages(programme, on):
        for found in matches(page.words, pattern(*names)):
            yield Hit(page.at(found.line), f"“{found.written}” no longer carries a transfer.", remedy)


def named_countries(programme: Programme, on: date) -> Iterator[Hit]:
    """TRF003."""
    remedy = "Name each country; in YAML by its two letters, such as `US`."
    for recipient in programme.recipients.values():
        for key, country in [("country", recipient.country)] + [
            ("access_countries", one) for one in recipient.access_countries
        ]:
            if not is_country(country):
                yield Hit(recipient.source.at(key, country), f"“{country}” is not a country.", remedy)
    vague = pattern("pays tiers", "third country", "third countries", "tiers pays")
    beyond = pattern("hors (de )?(l')?(UE|EEE|Union européenne|Europe)", "outside (of )?(the )?(EU|EEA|Europe*)( Union)?")
    for page in pages(programme, on):
        for found in matches(page.words, vague):
            yield Hit(page.at(found.line), f"“{found.written}” does not say which country.", remedy)
        for found in matches(page.words, beyond, unless_negated=True):
            if not names_a_country(fold(page.words).sentence(found.start), page.lang):
                yield Hit(page.at(found.line), f"“{found.written}” does not say which country.", remedy)


_ABROAD = on_both_pages(
    (
        "Verger Clair SAS nous paie",
        "Une équipe de Verger Clair SAS est en Inde ; les clauses types vous y protègent.\nVerger Clair SAS nous paie",
    ),
    (
        "Verger Clair SAS pays us",
        "A team of Verger Clair SAS is in India; the standard clauses protect you there.\nVerger Clair SAS pays us",
    ),
)
_TO_INDIA = (
    Change("purposes.yaml", "delivers: statistics", "delivers: persons"),
    Change("recipients.yaml", "access_countries: [FR]", "access_countries: [FR, IN]"),
    *_ABROAD,
)
_CLAUSES = """\
    pays_for:
      fr: des chiffres sur les achats de jus
      en: figures about juice purchases
    transfer:
      instrument: scc-2021-914
      countries: [IN]
      signed_on: 2026-02-02
      assessed_on: 2026-01-20
"""
_PAYS_FOR = """\
    pays_for:
      fr: des chiffres sur les achats de jus
      en: figures about juice purchases
"""

RULES = (
    Rule(
        id="REC001",
        severity=Severity.ERROR,
        family="recipients and transfers",
        title="A recipient is a legal entity",
        articles=("GDPR articles 13(1)(e) and 15(1)(c)", "CNIL SAN-2020-009 (CNILTEXT000042564657)"),
        why="A brand cannot be sued, written to or fined. When a form named only a loyalty brand, people could not see "
        "that another company received their data.",
        check=legal_entity,
        failing=Example((Change("recipients.yaml", "    legal_form: SAS\n", ""),), "recipients.yaml", "verger-clair:"),
        passing=Example((Change("recipients.yaml", "legal_form: SAS", "legal_form: S.A.S."),)),
    ),
    Rule(
        id="TRF001",
        severity=Severity.ERROR,
        family="recipients and transfers",
        title="A transfer has an instrument that stands",
        articles=("GDPR articles 44 to 46", "GDPR article 13(1)(f)"),
        why="Data that leaves the EEA needs an adequacy decision, or clauses with an assessment. The countries from which "
        "staff can look at it count like the country of the company: remote support is a transfer. The list of adequate "
        "countries and their scopes is dated; see `parameters.yaml`.",
        check=valid_instrument,
        failing=Example(_TO_INDIA, "recipients.yaml", "access_countries: [FR, IN]"),
        passing=Example((*_TO_INDIA, Change("recipients.yaml", _PAYS_FOR, _CLAUSES))),
    ),
    Rule(
        id="TRF002",
        severity=Severity.ERROR,
        family="recipients and transfers",
        title="No instrument that has lapsed",
        articles=("GDPR article 13(1)(f)", "CNIL SAN-2025-017 (CNILTEXT000053391342)"),
        why="A notice that names an instrument that was struck down tells people that they are protected when they are not.",
        check=no_stale_instrument,
        failing=Example(
            on_both_pages(
                ("Un achat y compte", "Le Privacy Shield s'applique.\nUn achat y compte"),
                ("A purchase counts", "Nothing else applies.\nA purchase counts"),
            ),
            "texts/supplier-statistics/1/fr.md",
            "Privacy Shield",
        ),
        passing=Example(
            on_both_pages(
                ("Un achat y compte", "Vos données restent en France.\nUn achat y compte"),
                ("A purchase counts", "Your data stay in France.\nA purchase counts"),
            )
        ),
    ),
    Rule(
        id="TRF003",
        severity=Severity.ERROR,
        family="recipients and transfers",
        title="Countries have names",
        articles=("GDPR article 13(1)(f)",),
        why="“Third countries” tells a person nothing. Whoever reads it must be able to see that her data goes to one "
        "country and not to another.",
        check=named_countries,
        failing=Example(
            (Change("recipients.yaml", "access_countries: [FR]", "access_countries: [FR, third countries]"),),
            "recipients.yaml",
            "third countries",
        ),
        passing=Example((Change("recipients.yaml", "access_countries: [FR]", "access_countries: [FR, BE]"),)),
    ),
)
