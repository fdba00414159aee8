"""Further rules about recipients: each once, each needed, no more than declared, its parent named, its instrument in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from volens.programme.findings import Place, Severity
from volens.programme.model import Programme, Role
from volens.programme.parameters import parameters
from volens.programme.rules.countries import is_country, name
from volens.programme.rules.minimal import EN, FR
from volens.programme.rules.reading import texts_in_use
from volens.programme.rules.recipients import receives_persons
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import contains, fold

NOTICE_DAYS = 90
"""How long before an instrument ends people must begin to renew it."""


def declared_once(programme: Programme, on: date) -> Iterator[Hit]:
    """REC002."""
    first: dict[str, str] = {}
    for recipient in programme.recipients.values():
        same = " ".join(fold(recipient.legal_name.replace(".", "")).text.split())
        if same in first and recipient.role is not Role.SELF:
            yield Hit(
                recipient.source.at("legal_name"),
                f"`{recipient.id}` and `{first[same]}` are one company, {recipient.legal_name}.",
                "Keep one of them: a no to a company must reach all of it, under whatever name.",
            )
        first.setdefault(same, recipient.id)


def every_recipient_is_needed(programme: Programme, on: date) -> Iterator[Hit]:
    """REC003."""
    used = {id for purpose in programme.purposes.values() for id in (*purpose.recipients, *purpose.paid_by)}
    for recipient in programme.recipients.values():
        if recipient.id not in used and recipient.role not in (Role.SELF, Role.AUTHORITY):
            yield Hit(
                recipient.source.at(),
                f"`{recipient.id}` receives nothing through any purpose.",
                "Take it out; a list of those who might receive something frightens and informs nobody.",
            )


def no_more_than_declared(programme: Programme, on: date) -> Iterator[Hit]:
    """REC004."""
    for purpose in programme.purposes.values():
        for id in purpose.recipients:
            recipient = programme.recipients[id]
            beyond = sorted(purpose.fields - recipient.fields)
            if beyond and recipient.role is not Role.SELF:
                yield Hit(
                    purpose.source.at("recipients", id),
                    f"`{purpose.id}` reads {', '.join(beyond)} on behalf of `{id}`, for which recipients.yaml does not provide.",
                    "Read less, or widen its `fields` after having looked at its contract.",
                )


def parents_are_named(programme: Programme, on: date) -> Iterator[Hit]:
    """REC005."""
    for recipient in receives_persons(programme):
        parent = recipient.parent
        if parent is None or parent.country in parameters().eea or not is_country(parent.country):
            continue
        for purpose, text in texts_in_use(programme, on):
            if recipient.id not in text.recipients or recipient.id not in purpose.recipients:
                continue
            for lang, body in text.bodies.items():
                if not contains(body, name(parent.country, lang)):
                    yield Hit(
                        Place(text.file(lang), 1),
                        f"The page does not say that {recipient.legal_name} is controlled from {name(parent.country, lang)}.",
                        f"Name {name(parent.country, lang)}: whoever controls a company can ask it for what it holds.",
                    )


def renewed_in_time(programme: Programme, on: date) -> Iterator[Hit]:
    """TRF004."""
    for recipient in receives_persons(programme):
        transfer = recipient.transfer
        if transfer is None or transfer.valid_until is None:
            continue
        if on <= transfer.valid_until <= on + timedelta(days=NOTICE_DAYS):
            yield Hit(
                recipient.source.at("transfer", "valid_until"),
                f"The instrument of `{recipient.id}` ends on {transfer.valid_until}, and the transfer with it.",
                "Renew it now, or plan to stop the transfer on that day.",
            )


_SECOND = """\
recipients:
  {id}:
    legal_name: {name}
    legal_form: SAS
    role: {role}
    country: FR
    access_countries: [FR]
"""


def _second(id: str, name: str, role: str = "processor") -> tuple[Change, ...]:
    """One more recipient, used by the one purpose and named in its text."""
    return (
        Change("recipients.yaml", "recipients:\n", _SECOND.format(id=id, name=name, role=role)),
        Change("purposes.yaml", "recipients: [verger-clair]", f"recipients: [verger-clair, {id}]"),
        Change("texts/supplier-statistics/1/text.yaml", "recipients: [verger-clair]", f"recipients: [verger-clair, {id}]"),
        Change(FR, "Un achat y compte", f"{name} nous aide à compter.\nUn achat y compte"),
        Change(EN, "A purchase counts", f"{name} helps us count.\nA purchase counts"),
    )


_PARENT = (
    Change("purposes.yaml", "delivers: statistics", "delivers: persons"),
    Change("recipients.yaml", "    access_countries: [FR]\n",
           "    access_countries: [FR]\n    parent: {legal_name: Clear Orchards Inc., country: US}\n"),
)
_INDIA = (
    Change("purposes.yaml", "delivers: statistics", "delivers: persons"),
    Change("recipients.yaml", "access_countries: [FR]", "access_countries: [FR, IN]"),
    Change(FR, "Un achat y compte", "Une équipe est en Inde ; les clauses types vous y protègent.\nUn achat y compte"),
    Change(EN, "A purchase counts", "A team is in India; the standard clauses protect you there.\nA purchase counts"),
)


def _until(day: str) -> Change:
    clauses = (
        "    transfer: {instrument: scc-2021-914, countries: [IN], signed_on: 2026-02-02, assessed_on: 2026-01-20,\n"
        f"               valid_until: {day}}}\n"
    )
    return Change("recipients.yaml", "    pays_for:\n", f"{clauses}    pays_for:\n")


RULES = (
    Rule(
        id="REC002",
        severity=Severity.ERROR,
        family="recipients and transfers",
        title="A company is declared once",
        articles=("GDPR articles 7(3) and 13(1)(e)", "CNIL SAN-2025-002 (CNILTEXT000051660380)"),
        why="A company that appears under two names receives again through the second what was refused to the first. One no covers "
        "all of it.",
        check=declared_once,
        failing=Example(_second("clair-bis", "Verger Clair S.A.S."), "recipients.yaml", "legal_name: Verger Clair SAS"),
        passing=Example(_second("compte-bien", "Compte Bien SAS")),
    ),
    Rule(
        id="REC003",
        severity=Severity.WARNING,
        family="recipients and transfers",
        title="Every recipient receives something",
        articles=("GDPR articles 5(1)(a), 5(1)(c) and 13(1)(e)",),
        why="A list of everybody who might one day receive something tells people nothing about who does.",
        check=every_recipient_is_needed,
        failing=Example(_second("compte-bien", "Compte Bien SAS")[:1], "recipients.yaml", "  compte-bien:"),
        passing=Example(_second("compte-mieux", "Compte Mieux SAS")),
    ),
    Rule(
        id="REC004",
        severity=Severity.ERROR,
        family="recipients and transfers",
        title="Nobody gets more than was provided for",
        articles=("GDPR articles 5(1)(c) and 28(3)", "CNIL SAN-2020-009 (CNILTEXT000042564657)"),
        why="`fields` says the most that a company may see, as its contract does. A purpose that reads more on its behalf goes "
        "beyond both.",
        check=no_more_than_declared,
        failing=Example(
            (Change("recipients.yaml", "    access_countries: [FR]\n",
                    "    access_countries: [FR]\n    fields: [product, day]\n"),),
            "purposes.yaml",
            "recipients: [verger-clair]",
        ),
        passing=Example(
            (Change("recipients.yaml", "    access_countries: [FR]\n",
                    "    access_countries: [FR]\n    fields: [customer, product, day, store]\n"),),
        ),
    ),
    Rule(
        id="REC005",
        severity=Severity.WARNING,
        family="recipients and transfers",
        title="Who controls a recipient is said",
        articles=("GDPR articles 13(1)(f) and 44", "GDPR article 5(1)(a)"),
        why="A company in the EEA whose parent is elsewhere can be made to hand over what it holds. People who weigh a yes want to "
        "know where the last word is spoken.",
        check=parents_are_named,
        failing=Example(_PARENT, EN),
        passing=Example(
            (
                *_PARENT,
                Change(FR, "Un achat y compte", "Verger Clair SAS est contrôlée depuis les États-Unis.\nUn achat y compte"),
                Change(EN, "A purchase counts", "Verger Clair SAS is controlled from the United States.\nA purchase counts"),
            )
        ),
    ),
    Rule(
        id="TRF004",
        severity=Severity.WARNING,
        family="recipients and transfers",
        title="An instrument is renewed in time",
        articles=("GDPR articles 44 and 46",),
        why="On the day after an instrument ends every transfer under it is unlawful, and the gate will refuse it. Renewing takes "
        "weeks.",
        check=renewed_in_time,
        failing=Example((*_INDIA, _until("2026-12-15")), "recipients.yaml", "valid_until"),
        passing=Example((*_INDIA, _until("2028-12-15"))),
    ),
)
